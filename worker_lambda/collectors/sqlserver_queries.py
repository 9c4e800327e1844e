"""Every T-SQL text the SQL Server collector sends, and nothing else: constants, their names and hashes.

Each text begins with a comment that names it, so that it can be found in the server's own traces. The texts never
change with the data: a database is chosen by USE, the only statement that carries a name, and that one through
`quote_name`. Rules that hold for each text (measured, pymssql 2.4.6):

- every sql_variant and sysname is CAST: a bare one arrives as bytes or in a code page that loses characters; names come
  as UTF-16 too, for the driver drops half a surrogate pair, and another name would be left;
- dates leave the server as text with the server's own offset (TODATETIMEOFFSET), read in the same statement;
- no password hash is ever selected.
"""

from __future__ import annotations

import hashlib

from worker_lambda.privileges.sqlserver_reader import delimited

NAME_PREFIX = "db-admin-report:"


def _query(name: str, body: str) -> str:
    return f"/* {NAME_PREFIX}{name} */\n{body.strip()}\n"


SESSION = _query(
    "session",
    """
SET NOCOUNT ON;
SET TRANSACTION ISOLATION LEVEL READ UNCOMMITTED;
SET LOCK_TIMEOUT 5000;
SET DEADLOCK_PRIORITY LOW;
SET ANSI_NULLS ON;
SET CONCAT_NULL_YIELDS_NULL ON;
SET QUOTED_IDENTIFIER ON;
SET TEXTSIZE 1048576;
""",
)

# Read once per server, in this order. `server` is the first answer that proves who answers.
SERVER_QUERIES: dict[str, str] = {
    "server": _query(
        "server",
        """
SELECT
    CAST(SERVERPROPERTY('ServerName') AS nvarchar(128)) AS server_name,
    CAST(SERVERPROPERTY('ProductVersion') AS nvarchar(128)) AS product_version,
    CAST(SERVERPROPERTY('Edition') AS nvarchar(128)) AS edition,
    CAST(@@VERSION AS nvarchar(300)) AS version_text,
    CAST(SUSER_SNAME() AS nvarchar(128)) AS reader,
    CONVERT(nvarchar(40), SYSDATETIMEOFFSET(), 126) AS server_time
""",
    ),
    "visibility": _query(
        "visibility",
        """
SELECT
    HAS_PERMS_BY_NAME(NULL, NULL, 'VIEW ANY DEFINITION') AS view_any_definition,
    HAS_PERMS_BY_NAME(NULL, NULL, 'VIEW ANY SECURITY DEFINITION') AS view_any_security_definition,
    HAS_PERMS_BY_NAME(NULL, NULL, 'VIEW ANY DATABASE') AS view_any_database,
    HAS_PERMS_BY_NAME(NULL, NULL, 'VIEW SERVER STATE') AS view_server_state
""",
    ),
    "server_principals": _query(
        "server_principals",
        """
SELECT
    p.principal_id,
    CAST(p.name AS nvarchar(128)) AS name,
    CAST(CAST(p.name AS nvarchar(128)) AS varbinary(256)) AS name_utf16,
    CAST(p.type AS nvarchar(2)) AS type,
    CAST(p.type_desc AS nvarchar(60)) AS type_desc,
    CAST(p.sid AS varbinary(85)) AS sid,
    CAST(p.is_disabled AS int) AS is_disabled,
    CAST(p.is_fixed_role AS int) AS is_fixed_role,
    p.owning_principal_id,
    CONVERT(nvarchar(40), TODATETIMEOFFSET(p.create_date, DATEPART(TZOFFSET, SYSDATETIMEOFFSET())), 126) AS created_at,
    CONVERT(nvarchar(40), TODATETIMEOFFSET(p.modify_date, DATEPART(TZOFFSET, SYSDATETIMEOFFSET())), 126) AS modified_at
FROM sys.server_principals AS p
""",
    ),
    "server_role_members": _query(
        "server_role_members",
        """
SELECT m.role_principal_id, m.member_principal_id
FROM sys.server_role_members AS m
""",
    ),
    "server_permissions": _query(
        "server_permissions",
        """
SELECT
    CAST(p.class AS int) AS class,
    p.major_id,
    p.grantee_principal_id,
    CAST(p.permission_name AS nvarchar(128)) AS permission_name,
    CAST(p.state AS nvarchar(1)) AS state
FROM sys.server_permissions AS p
WHERE p.class IN (100, 101)
""",
    ),
    "sql_logins": _query(
        "sql_logins",
        """
SELECT
    l.principal_id,
    CAST(l.is_policy_checked AS int) AS is_policy_checked,
    CAST(l.is_expiration_checked AS int) AS is_expiration_checked,
    CAST(LOGINPROPERTY(l.name, 'IsLocked') AS int) AS is_locked,
    CAST(LOGINPROPERTY(l.name, 'IsExpired') AS int) AS is_expired,
    CAST(LOGINPROPERTY(l.name, 'IsMustChange') AS int) AS is_must_change,
    CONVERT(nvarchar(40), TODATETIMEOFFSET(CAST(LOGINPROPERTY(l.name, 'PasswordLastSetTime') AS datetime),
        DATEPART(TZOFFSET, SYSDATETIMEOFFSET())), 126) AS password_changed_at
FROM sys.sql_logins AS l
""",
    ),
    "open_sessions": _query(
        "open_sessions",
        """
SELECT
    CAST(s.original_login_name AS nvarchar(128)) AS login_name,
    CAST(s.original_security_id AS varbinary(85)) AS sid,
    s.authenticating_database_id,
    CONVERT(nvarchar(40), TODATETIMEOFFSET(MAX(s.login_time), DATEPART(TZOFFSET, SYSDATETIMEOFFSET())), 126)
        AS last_login_at
FROM sys.dm_exec_sessions AS s
WHERE s.is_user_process = 1 AND s.login_time > '19000102'
GROUP BY s.original_login_name, s.original_security_id, s.authenticating_database_id
""",
    ),
    "databases": _query(
        "databases",
        """
SELECT
    d.database_id,
    CAST(d.name AS nvarchar(128)) AS name,
    CAST(CAST(d.name AS nvarchar(128)) AS varbinary(256)) AS name_utf16,
    CAST(d.owner_sid AS varbinary(85)) AS owner_sid,
    CAST(d.state AS int) AS state,
    CAST(d.state_desc AS nvarchar(60)) AS state_desc,
    CAST(d.is_trustworthy_on AS int) AS is_trustworthy_on,
    CAST(d.containment AS int) AS containment,
    CAST(d.service_broker_guid AS nvarchar(36)) AS service_broker_guid,
    HAS_DBACCESS(d.name) AS has_access
FROM sys.databases AS d
""",
    ),
}

# Read once per accessible database, after USE.
DATABASE_QUERIES: dict[str, str] = {
    "database_visibility": _query(
        "database_visibility",
        """
SELECT
    DB_ID() AS database_id,
    HAS_PERMS_BY_NAME(QUOTENAME(DB_NAME()), 'DATABASE', 'VIEW DEFINITION') AS view_definition,
    HAS_PERMS_BY_NAME(QUOTENAME(DB_NAME()), 'DATABASE', 'VIEW SECURITY DEFINITION') AS view_security_definition
""",
    ),
    "database_principals": _query(
        "database_principals",
        """
SELECT
    p.principal_id,
    CAST(p.name AS nvarchar(128)) AS name,
    CAST(CAST(p.name AS nvarchar(128)) AS varbinary(256)) AS name_utf16,
    CAST(p.type AS nvarchar(2)) AS type,
    CAST(p.type_desc AS nvarchar(60)) AS type_desc,
    CAST(p.sid AS varbinary(85)) AS sid,
    CAST(p.authentication_type AS int) AS authentication_type,
    CAST(p.is_fixed_role AS int) AS is_fixed_role,
    CONVERT(nvarchar(40), TODATETIMEOFFSET(p.create_date, DATEPART(TZOFFSET, SYSDATETIMEOFFSET())), 126) AS created_at
FROM sys.database_principals AS p
""",
    ),
    "database_role_members": _query(
        "database_role_members",
        """
SELECT m.role_principal_id, m.member_principal_id
FROM sys.database_role_members AS m
""",
    ),
    "database_permissions": _query(
        "database_permissions",
        """
SELECT
    CAST(p.class AS int) AS class,
    p.major_id,
    p.grantee_principal_id,
    CAST(p.permission_name AS nvarchar(128)) AS permission_name,
    CAST(p.state AS nvarchar(1)) AS state
FROM sys.database_permissions AS p
WHERE p.class IN (0, 4)
""",
    ),
}


def all_queries() -> dict[str, str]:
    """Every constant text by name; USE is not among them, for it carries a database's name."""
    return {"session": SESSION, **SERVER_QUERIES, **DATABASE_QUERIES}


def sha256(text: str) -> str:
    """Hex digest under which a query's text stands in the result object."""
    return hashlib.sha256(text.encode()).hexdigest()


def quote_name(name: str) -> str:
    """A database name as a T-SQL delimited identifier, as QUOTENAME makes it.

    Args:
        name: as sys.databases returned it; never from the request.

    Raises:
        ValueError: for a name that no database can have (empty, over 128 UTF-16 units, NUL), rather than send it.
    """
    if not name or "\0" in name or len(name.encode("utf-16-le", "surrogatepass")) > 256:
        raise ValueError("not a database name")
    return delimited(name)


def use_database(name: str) -> str:
    """The statement that makes `name` the current database."""
    return f"/* {NAME_PREFIX}use */\nUSE {quote_name(name)}\n"

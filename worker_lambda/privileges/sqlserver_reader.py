"""The T-SQL with which an administrator of a SQL Server gives the reader what it needs, and no more. Pure text.

Source: facts of Microsoft's "Permissions (Database Engine)"; from 2022 narrower rights exist for the same views.
"""

from __future__ import annotations

from collections.abc import Iterable

from worker_lambda.privileges.wording import printable

FIRST_WITH_SECURITY_RIGHTS = 16  # SQL Server 2022


def definition_right(major: int) -> str:
    """The narrowest right that shows every principal and permission of the server."""
    return "VIEW ANY SECURITY DEFINITION" if major >= FIRST_WITH_SECURITY_RIGHTS else "VIEW ANY DEFINITION"


def grant(right: str, reader: str) -> str:
    """One server right."""
    return f"GRANT {right} TO {delimited(reader)};"


def enter_databases(names: Iterable[str], reader: str, *, rds: bool) -> list[str]:
    """What opens databases to the reader; on RDS, whose master cannot grant CONNECT ANY DATABASE, a user in each."""
    if not rds:
        return [grant("CONNECT ANY DATABASE", reader)]
    who = delimited(reader)
    user = f"CREATE USER {who} FOR LOGIN {who};"
    return [f"USE {delimited(n)}; {user}" if n.isprintable() else _by_hand(n) for n in names]


def users_in_all_databases(reader: str) -> str:
    """For an RDS: a user in every database that has none yet, in one batch; what it may see, the server right says."""
    who = delimited(reader)
    inside = f"; IF USER_ID({literal(reader)}) IS NULL CREATE USER {who} FOR LOGIN {who};"
    each = f"N'USE ' + QUOTENAME(name) + {literal(inside)}"
    where = "state = 0 AND HAS_DBACCESS(name) = 1 AND name NOT IN (N'rdsadmin', N'tempdb', N'model')"
    select = f"SELECT @sql = @sql + {each} FROM sys.databases WHERE {where};"  # noqa: S608 - quoted above
    return f"DECLARE @sql nvarchar(max) = N''; {select} EXEC (@sql);"


def show_principal(number: int, reader: str) -> str:
    """What to do about a DENY that hides one login or server role: a comment, for nothing here knows its name."""
    return comment(
        f"SUSER_NAME({number}) is hidden from {delimited(reader)} by a DENY of VIEW DEFINITION or CONTROL "
        f"(sys.server_permissions, class 101, major_id {number}): REVOKE it"
    )


def grants(major: int, reader: str, *, rds: bool) -> list[str]:
    """All server rights that a new reader needs on a server of this major version; users in databases are not here."""
    rights = ["VIEW ANY DATABASE", definition_right(major)]
    rights += [] if rds else ["CONNECT ANY DATABASE"]
    if major >= FIRST_WITH_SECURITY_RIGHTS:
        rights += ["VIEW SERVER SECURITY STATE", "VIEW SERVER PERFORMANCE STATE"]
    else:
        rights.append("VIEW SERVER STATE")
    return [grant(right, reader) for right in rights]


def delimited(name: str) -> str:
    """A name as a T-SQL identifier, as QUOTENAME makes it."""
    return "[" + name.replace("]", "]]") + "]"


def literal(text: str) -> str:
    """A T-SQL string literal."""
    return "N'" + text.replace("'", "''") + "'"


def comment(text: str) -> str:
    """One comment line, whatever the text holds."""
    return f"-- {printable(text)}"


def _by_hand(name: str) -> str:
    # sqlcmd ends a batch at a line `GO`, inside an identifier, too: such a name must not be pasted.
    return comment(f"{delimited(name)}: its name holds control characters; open it by hand")

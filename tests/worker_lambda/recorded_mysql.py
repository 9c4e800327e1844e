"""Answers of servers that cannot be had here, in the shape that their catalogues have: MySQL 5.7, RDS, Aurora.

Source of versions, variables, accounts and the masters' privileges: the MySQL 5.7 manual; AWS, "Master user account
privileges" and "Role-based privilege model" of RDS and Aurora. What is checked is our reading of them, not AWS.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from worker_lambda.collectors.mysql_queries import WIDTH, facts
from worker_lambda.collectors.mysql_rows import Row, read_probe
from worker_lambda.collectors.mysql_visibility import HOLDS_HASHES, VIEW, required_columns, version_numbers
from worker_lambda.privileges.mysql_catalogue import PRIVILEGE_OF_COLUMN

_COLUMN_OF = {privilege: column for column, privilege in PRIVILEGE_OF_COLUMN.items()}
RDS = {"basedir": "/rdsdbbin/mysql/"}
MASTER_57 = (
    "ALTER", "ALTER ROUTINE", "CREATE", "CREATE ROUTINE", "CREATE TEMPORARY TABLES", "CREATE USER", "CREATE VIEW",
    "DELETE", "DROP", "EVENT", "EXECUTE", "GRANT OPTION", "INDEX", "INSERT", "LOCK TABLES", "PROCESS", "REFERENCES",
    "RELOAD", "REPLICATION CLIENT", "REPLICATION SLAVE", "SELECT", "SHOW DATABASES", "SHOW VIEW", "TRIGGER", "UPDATE",
)  # fmt: skip
MASTER_80 = (*(p for p in MASTER_57 if p != "GRANT OPTION"), "CREATE ROLE", "DROP ROLE")
DYNAMIC_80 = ("APPLICATION_PASSWORD_ADMIN", "CONNECTION_ADMIN", "ROLE_ADMIN", "SET_USER_ID", "XA_RECOVER_ADMIN")


@dataclass(slots=True)
class Recorded:
    """One server's answers to the two statements, for a reader that sees everything."""

    version: str
    variables: dict[str, str] = field(default_factory=dict)
    extra_columns: tuple[str, ...] = ()
    rows: list[list[str | None]] = field(default_factory=list)

    def probe(self) -> list[Row]:
        """What the first statement shows, extra columns that only this build has included."""
        needed = required_columns("mysql", version_numbers(self.version)) | {"mysql.procs_priv": ("Host", "User")}
        found: list[Row] = [("column", table, column) for table, columns in needed.items() for column in columns]
        found += [("column", HOLDS_HASHES, column) for column in self.extra_columns]
        if self.is_8():
            found += [("column", VIEW, column) for column in ("Host", "User", "Restrictions")]
        return [*found, ("version", self.version, "Source distribution"), ("reader", "audit_reader@%", None)]

    def is_8(self) -> bool:
        """Roles, dynamic privileges."""
        return version_numbers(self.version) >= (8,)

    def facts(self) -> list[Row]:
        """What the second statement answers."""
        variables = {"default_password_lifetime": "0", "hostname": "ip-10-0-0-1", "port": "3306", "server_uuid": "u-1"}
        variables |= ({"mandatory_roles": "", "partial_revokes": "OFF"} if self.is_8() else {}) | self.variables
        rows = [["clock", "1700000000"], *(["variable", n, v] for n, v in variables.items()), *self.rows, ["end"]]
        return [tuple(row + [None] * (WIDTH - len(row))) for row in rows]

    def account(
        self, user: str, *privileges: str, host: str = "%", locked: bool = False, expired: bool = False
    ) -> Recorded:
        """A row of mysql.user; ALL stands for every privilege but GRANT OPTION."""
        columns = facts(read_probe(self.probe())).user_columns
        wanted = {f"{_COLUMN_OF[p]}_priv" for p in privileges if p != "ALL"}
        letters = "".join(
            "Y" if c.lower() in wanted or ("ALL" in privileges and c != "Grant_priv") else "N" for c in columns
        )
        yes_no = ["Y" if flag else "N" for flag in (locked, expired)]
        self.rows.append(["account", user, host, letters, "mysql_native_password", *yes_no, "1690000000", None, None])
        return self

    def role(self, name: str, to: str | None = None, *privileges: str, dynamic: tuple[str, ...] = ()) -> Recorded:
        """A locked, expired row, granted to an account or to nobody, with its own privileges."""
        self.account(name, *privileges, locked=True, expired=True)
        self.rows += [["dynamic", name, "%", privilege, "N"] for privilege in dynamic]
        if to:
            self.rows.append(["edge", name, "%", to, "%", "Y"])
        return self

    def schema(self, user: str, pattern: str, *privileges: str) -> Recorded:
        """A row of mysql.db."""
        columns = facts(read_probe(self.probe())).schema_columns
        wanted = {f"{_COLUMN_OF[p]}_priv" for p in privileges}
        self.rows.append(["schema", user, "%", pattern, "".join("Y" if c.lower() in wanted else "N" for c in columns)])
        return self


def _aws(server: Recorded) -> Recorded:
    """The accounts that AWS keeps on each of its servers, and one application that may write everywhere."""
    server.account("rdsadmin", "ALL", "GRANT OPTION", host="localhost").account(
        "mysql.sys", host="localhost", locked=True
    )
    server.account("rdsrepladmin", "REPLICATION SLAVE", host="%")
    return server.account("app", "SELECT", "INSERT", "UPDATE", "DELETE", "ALTER").account("audit_reader")


def mysql_57() -> Recorded:
    """Self-managed 5.7: no roles, no dynamic privileges."""
    server = Recorded("5.7.44-log").account("root", "ALL", "GRANT OPTION", host="localhost")
    server.account("mysql.session", "SUPER", host="localhost", locked=True).account("dba", "ALL", locked=True)
    server.account("replica", "REPLICATION SLAVE", "REPLICATION CLIENT").account("reader", "SELECT").account("nobody")
    return server.schema("nobody", "payroll", "SELECT").schema("reader", "my%", "INSERT").account("audit_reader")


def rds_mysql_80() -> Recorded:
    """RDS for MySQL 8.0.36: the master holds its privileges directly and through rds_superuser_role."""
    server = _aws(Recorded("8.0.36", dict(RDS))).account("admin", *MASTER_80, "GRANT OPTION")
    return server.role("rds_superuser_role", "admin", *MASTER_80, dynamic=DYNAMIC_80)


def rds_mysql_80_32() -> Recorded:
    """RDS for MySQL 8.0.32: the schema mysql can still be written."""
    return _aws(Recorded("8.0.32", dict(RDS))).account("admin", *MASTER_80, "GRANT OPTION")


def aurora_2() -> Recorded:
    """Aurora MySQL 2: 5.7, with columns for rights that only Aurora has."""
    columns = ("Load_from_S3_priv", "Select_into_S3_priv", "Invoke_lambda_priv", "Invoke_sagemaker_priv")
    server = Recorded("5.7.12-log", {"basedir": "/rdsdbbin/oscar/", "aurora_version": "2.11.4"}, columns)
    return _aws(server).account("admin", *MASTER_57)


def aurora_3() -> Recorded:
    """Aurora MySQL 3: the master looks like USAGE and holds a role; a second person was given that role, too."""
    server = _aws(Recorded("8.0.28", {"basedir": "/rdsdbbin/oscar/", "aurora_version": "3.04.1"}))
    server.account("admin").role("rds_superuser_role", "admin", *MASTER_80, dynamic=DYNAMIC_80)
    server.rows.append(["edge", "rds_superuser_role", "%", "second", "%", "N"])
    return server.account("second").role("AWS_LAMBDA_ACCESS").role("AWS_LOAD_S3_ACCESS", "app")


SERVERS = {
    "mysql-5.7": mysql_57,
    "rds-mysql-8.0.36": rds_mysql_80,
    "rds-mysql-8.0.32": rds_mysql_80_32,
    "aurora-mysql-2": aurora_2,
    "aurora-mysql-3": aurora_3,
}

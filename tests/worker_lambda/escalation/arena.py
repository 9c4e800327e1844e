"""One server that is attacked: its accounts, the proof of control, and how it is put back after every attack."""

from __future__ import annotations

import secrets
import time
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

import pymysql
import pytest

from sandbox.engines import EngineUnavailable, RunningServer, start_mysql
from sandbox.engines.choice import ROOT
from tests.engines import KnownServer, by_username
from worker_lambda.collectors.mysql import collect

_WAIT_SECONDS = 30.0
# Enough to read every hash, to make accounts and to give them rights; GRANT ALL needs what some administrators lack.
POWERS = "SELECT, INSERT, UPDATE, DELETE, CREATE USER"
# What the DBA lacks of ALL, because it puts an account out of reach: on MySQL CREATE USER changes none that has
# SYSTEM_USER (nor does ROLE_ADMIN grant a role that has it), and init_connect is not run for the others.
_OUT_OF_REACH = {"mysql": "SYSTEM_USER, SUPER, CONNECTION_ADMIN", "mariadb": "SUPER, CONNECTION ADMIN"}
_BOTH = ("tables_priv", "columns_priv", "procs_priv", "proxies_priv")
_TABLES = {
    "mysql": ("user", "db", *_BOTH, "role_edges", "default_roles", "global_grants"),
    "mariadb": ("global_priv", "db", *_BOTH, "roles_mapping"),
}


@dataclass(frozen=True, slots=True)
class Account:
    """An account that somebody can log in as, and the role to take after that."""

    name: str
    password: str = field(repr=False)
    role: str = ""

    def __str__(self) -> str:
        return f"'{self.name}'@'%'"


@dataclass(slots=True)
class Arena:
    """A server with a DBA (`dba`), a clerk without rights, the roles `boss` and `harmless`, and the schema `app`."""

    known: KnownServer
    dba: Account = field(default_factory=lambda: Account("dba", _password()))
    clerk: Account = field(default_factory=lambda: Account("clerk", _password()))
    accounts: dict[Any, Account] = field(default_factory=dict)
    verdicts: dict[str, Any] = field(default_factory=dict)
    _root: pymysql.Connection[Any] = field(init=False, repr=False)
    _source: RunningServer | None = None

    def __post_init__(self) -> None:
        self._root = self.known.server.connect()  # kept open: attacks blank root's password
        out_of_reach = _OUT_OF_REACH[self.flavour]
        self.as_root(
            "CREATE DATABASE app",
            "CREATE DATABASE kept",
            *(f"CREATE USER {a} IDENTIFIED BY '{a.password}'" for a in (self.dba, self.clerk)),
            f"GRANT ALL ON *.* TO {self.dba} WITH GRANT OPTION",
            f"REVOKE {out_of_reach} ON *.* FROM {self.dba}",
            "CREATE ROLE boss",
            "CREATE ROLE harmless",
            "GRANT ALL ON *.* TO boss WITH GRANT OPTION",
            *(["REVOKE SYSTEM_USER ON *.* FROM boss"] if self.flavour == "mysql" else []),
        )

    @property
    def flavour(self) -> str:
        """`mysql` or `mariadb`."""
        return "mysql" if self.known.is_mysql() else "mariadb"

    @property
    def root(self) -> str:
        """root as an account name in SQL; the host differs between a private server and an image."""
        user, host = str(self.as_root("SELECT CURRENT_USER()")[0][0]).split("@")
        return f"'{user}'@'{host}'"

    def as_root(self, *statements: str) -> list[tuple[Any, ...]]:
        """What root does, who has nothing to do with the attack; the rows of the last statement."""
        rows: list[tuple[Any, ...]] = []
        with self._root.cursor() as cursor:
            for statement in statements:
                cursor.execute(statement)
                rows = list(cursor.fetchall())
        return rows

    def flush(self) -> None:
        """Root's innocent act that makes written grant tables effective; the next restart does the same."""
        self.as_root("FLUSH PRIVILEGES")

    def log_in(self, account: Account) -> pymysql.Connection[Any]:
        """A fresh connection over TLS."""
        return self.known.server.connect(user=account.name, password=account.password)

    def run_as(self, account: Account, *statements: str) -> None:
        """Run statements in one fresh connection of an account.

        Raises:
            pymysql.MySQLError: the server refuses one.
        """
        with self.log_in(account) as connection, connection.cursor() as cursor:
            for statement in statements:
                cursor.execute(statement)

    def wait_for(self, account: Account) -> None:
        """Until an account can log in and read the grant table.

        Raises:
            pymysql.MySQLError: it could not for half a minute.
        """
        give_up_at = time.monotonic() + _WAIT_SECONDS
        while True:
            try:
                return self.run_as(account, "SELECT COUNT(*) FROM mysql.user")
            except pymysql.MySQLError:
                if time.monotonic() > give_up_at:
                    raise
                time.sleep(0.05)

    def prove_control(self, account: Account) -> None:
        """The proof: it reads every password hash, and makes an account that can do the same and pass it on.

        Raises:
            pymysql.MySQLError: it has no control.
        """
        trophy = Account(f"trophy_{secrets.token_hex(4)}", _password())
        self.run_as(
            account,
            *([f"SET ROLE {account.role}"] if account.role else []),
            "SELECT User, authentication_string FROM mysql.user",
            f"CREATE USER {trophy} IDENTIFIED BY '{trophy.password}'",
            f"GRANT {POWERS} ON *.* TO {trophy} WITH GRANT OPTION",
            f"DROP USER {trophy}",
        )

    def create(self, case: Any, name: str, grants: Iterable[str], kept_from: int | None) -> None:
        """Make the account of a case, with its rights and no others; a grant may end in ` WITH … OPTION`.

        Args:
            kept_from: the number of an older MariaDB that seems to have written the account's row.
        """
        account = self.accounts[case] = Account(name, _password())
        self.as_root(f"CREATE USER {account} IDENTIFIED BY '{account.password}'")
        for grant in grants:
            what, with_word, option = grant.partition(" WITH ")
            self.as_root(f"GRANT {what} TO {account}{with_word}{option}")
        if kept_from is not None:
            version = f"JSON_SET(Priv, '$.version_id', {kept_from})"
            self.as_root(f"UPDATE mysql.global_priv SET Priv = {version} WHERE User = '{name}'", "FLUSH PRIVILEGES")

    def judge(self) -> None:
        """Collect once, for all accounts, before anybody attacks; and keep the grant tables as they are now."""
        password = self.known.server.root_password
        credentials = self.known.login("root", password)
        result = collect(self.known.target(), credentials, time.monotonic() + 60, "123456789012", "us-east-1")
        self.verdicts = by_username(result)
        self.as_root(*(f"CREATE TABLE kept.{t} AS SELECT * FROM mysql.{t}" for t in _TABLES[self.flavour]))

    def verdict(self, case: Any) -> dict[str, Any]:
        """How the collector judged the account of a case."""
        found: dict[str, Any] = self.verdicts[f"{self.accounts[case].name}@%"]
        return found

    def changed_tables(self) -> list[str]:
        """Grant tables that are no longer what they were before the first attack."""
        pairs = [(t, f"SELECT * FROM {s}.{t}") for t in _TABLES[self.flavour] for s in ("kept", "mysql")]
        rows = [(t, sorted(map(repr, self.as_root(query)))) for t, query in pairs]
        return [table for (table, kept), (_, now) in zip(rows[::2], rows[1::2], strict=True) if kept != now]

    def restore(self) -> None:
        """Undo whatever an attack did."""
        for table in _TABLES[self.flavour]:
            self.as_root(f"DELETE FROM mysql.{table}", f"INSERT INTO mysql.{table} SELECT * FROM kept.{table}")
        if self.flavour == "mariadb":
            self.as_root("ALTER TABLE mysql.global_priv ALTER Priv SET DEFAULT '{}'")
        else:
            self.as_root("SET GLOBAL check_proxy_users = OFF")
        self.as_root("SET GLOBAL init_connect = ''", "DROP DATABASE app", "CREATE DATABASE app")
        self.flush()

    def source(self) -> RunningServer:
        """The attacker's own server, with a binary log. Skips where the engine takes no options."""
        if self._source is None:
            options = ("--log-bin=binlog", "--server-id=2", "--binlog-format=ROW")
            directory = ROOT / ".sandbox" / "test-engines"
            try:
                self._source = start_mysql(directory, kind=self.known.server.kind, options=options)
            except EngineUnavailable as error:
                pytest.skip(f"no malicious source: {error}")
        return self._source

    def close(self) -> None:
        """Stop the attacker's server; ours is stopped by who started it."""
        self._root.close()
        if self._source is not None:
            self._source.stop()


def _password() -> str:
    return secrets.token_urlsafe(24)

"""Writes a `Catalogue` from sentences: this login, that role, this grant; ids and fixed roles as a real server has."""

from __future__ import annotations

from typing import Self

from sandbox.tds.builder_databases import CREATED, SA_SID, DatabaseSentences, State, sid_of_name
from sandbox.tds.catalogue import Catalogue, Row
from sandbox.tds.versions import ENGINE_LOGINS, SERVER_TYPES, SQL_2019, Version


class ServerBuilder(DatabaseSentences):
    """Collects sentences; `build()` gives the catalogue. Starts with what every fresh server has."""

    def __init__(self, name: str = "SQL01", version: Version = SQL_2019, sa_name: str = "sa") -> None:
        super().__init__(version)
        self._next = 270
        row: Row = {"server_name": name, "product_version": version.number, "edition": version.edition,
                    "version_text": version.text, "reader": "audit_reader",
                    "server_time": "2024-01-15T09:22:33.1234567-05:00"}  # fmt: skip
        security = 1 if version.has_security_rights else None
        rights: Row = {"view_any_definition": 1, "view_any_security_definition": security, "view_any_database": 1,
                       "view_server_state": 1}  # fmt: skip
        self._server = {
            "server": [row], "visibility": [rights], "server_principals": [], "server_role_members": [],
            "server_permissions": [], "sql_logins": [], "open_sessions": [], "databases": [],
        }  # fmt: skip
        self._principal(1, sa_name, "S", SA_SID)
        self._sql_login(1)
        self._principal(2, "public", "R", b"\x02")
        for number, role in enumerate(version.fixed_roles, start=3):
            self._principal(number, role, "R", bytes([number]), fixed=1)
        self.member("sysadmin", sa_name)
        for database in ("master", "tempdb", "model", "msdb"):
            self.database(database, owner=sa_name, trustworthy=database == "msdb")

    def login(
        self,
        name: str,
        type: str = "S",
        *,
        roles: tuple[str, ...] = (),
        disabled: bool = False,
        locked: bool = False,
        expired: bool = False,
        must_change: bool = False,
        last_login: str | None = None,
    ) -> Self:
        """A login, CONNECT SQL granted as CREATE LOGIN does. `last_login`: an open session's start, with its offset."""
        number = self._take()
        self._principal(number, name, type, sid_of_name(name), disabled=int(disabled))
        if type == "S":
            self._sql_login(number, locked=int(locked), expired=int(expired), must_change=int(must_change))
        self.grant("CONNECT SQL", name)
        for role in roles:
            self.member(role, name)
        if last_login:
            self._server["open_sessions"].append(
                {
                    "login_name": name, "sid": sid_of_name(name), "authenticating_database_id": 1,
                    "last_login_at": last_login,
                }
            )  # fmt: skip
        return self

    def role(self, name: str, *, owner: str = "sysadmin", roles: tuple[str, ...] = ()) -> Self:
        """A user-defined server role, itself a member of `roles`."""
        self._principal(self._take(), name, "R", sid_of_name(name), owner=self.id_of(owner))
        for role in roles:
            self.member(role, name)
        return self

    def member(self, role: str, member: str | int) -> Self:
        """ALTER SERVER ROLE role ADD MEMBER member; an int is an id that no visible principal has."""
        number = member if isinstance(member, int) else self.id_of(member)
        self._server["server_role_members"].append(
            {"role_principal_id": self.id_of(role), "member_principal_id": number}
        )
        return self

    def grant(self, right: str, to: str, state: State = "G", *, on: str | None = None) -> Self:
        """GRANT, GRANT WITH GRANT OPTION or DENY, on the server or `on` a login or server role."""
        self._server["server_permissions"].append(
            {
                "class": 100 if on is None else 101,
                "major_id": 0 if on is None else self.id_of(on),
                "grantee_principal_id": self.id_of(to),
                "permission_name": right,
                "state": state,
            }
        )
        return self

    def reader(self, name: str = "audit_reader") -> Self:
        """The login that reads, with the rights that it needs on this version and no more."""
        rights = ["VIEW ANY DEFINITION", "VIEW SERVER STATE", "VIEW ANY DATABASE"]
        if self._version.has_security_rights:
            rights = ["VIEW ANY SECURITY DEFINITION", "VIEW SERVER SECURITY STATE", "VIEW SERVER PERFORMANCE STATE"]
        self.login(name).set("server", reader=name)
        for right in (*rights, "CONNECT ANY DATABASE"):
            self.grant(right, name)
        return self.grant("VIEW ANY DATABASE", "public")

    def engine_logins(self) -> Self:
        """The logins that setup makes."""
        for name, kind in ENGINE_LOGINS:
            self.login(name, kind, disabled=kind == "S")
        return self

    def set(self, query: str, **values: str | int | None) -> Self:
        """Overwrite cells of the first row of a server-level answer."""
        self._server[query][0].update(values)
        return self

    def build(self) -> Catalogue:
        """The catalogue so far."""
        return Catalogue(self._server, self._inside)

    def id_of(self, name: str) -> int:
        """principal_id of a server principal. Raises StopIteration for an unknown name."""
        return int(str(next(p["principal_id"] for p in self._server["server_principals"] if p["name"] == name)))

    def _take(self) -> int:
        self._next += 1
        return self._next

    def _principal(
        self,
        number: int,
        name: str,
        kind: str,
        sid: bytes,
        *,
        disabled: int = 0,
        fixed: int = 0,
        owner: int | None = None,
    ) -> None:
        self._server["server_principals"].append(
            {
                "principal_id": number, "name": name, "type": kind, "type_desc": SERVER_TYPES[kind], "sid": sid,
                "is_disabled": disabled, "is_fixed_role": fixed, "owning_principal_id": owner,
                "created_at": CREATED, "modified_at": CREATED,
            }
        )  # fmt: skip

    def _sql_login(self, number: int, *, locked: int = 0, expired: int = 0, must_change: int = 0) -> None:
        self._server["sql_logins"].append(
            {
                "principal_id": number, "is_policy_checked": 1, "is_expiration_checked": 1, "is_locked": locked,
                "is_expired": expired, "is_must_change": must_change,
                "password_changed_at": "2023-12-01T08:00:00.0000000-05:00",
            }
        )  # fmt: skip

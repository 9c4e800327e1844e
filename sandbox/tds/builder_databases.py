"""The sentences of `ServerBuilder` about what lies inside databases: users, roles, memberships, grants."""

from __future__ import annotations

import hashlib
from typing import Literal, Self

from sandbox.tds.catalogue import Row
from sandbox.tds.versions import AUTHENTICATION, DATABASE_ROLES, DATABASE_TYPES, Version

SA_SID = b"\x01"
CREATED = "2023-03-01T09:00:00.0000000-05:00"
State = Literal["G", "W", "D"]


class DatabaseSentences:
    """Databases and their catalogues; the server's own rows belong to the subclass."""

    def __init__(self, version: Version) -> None:
        self._version = version
        self._next_database = 1
        self._server: dict[str, list[Row]] = {"server_principals": [], "databases": []}
        self._inside: dict[str, dict[str, list[Row]]] = {}

    def database(
        self,
        name: str,
        *,
        owner: str | None = None,
        dbo: str | None = None,
        trustworthy: bool = False,
        accessible: bool = True,
        online: bool = True,
        contained: bool = False,
    ) -> Self:
        """A database with its own fixed roles, dbo and guest; owned by sid 0x01 unless told.

        `dbo`: whose sid its own catalogue calls dbo, where a restored copy disagrees with sys.databases.
        """
        number, self._next_database = self._next_database, self._next_database + 1
        owner_sid = SA_SID if owner is None else self._sid_of(owner)
        self._server["databases"].append(
            {
                "database_id": number, "name": name, "owner_sid": owner_sid, "state": 0 if online else 6,
                "state_desc": "ONLINE" if online else "OFFLINE", "is_trustworthy_on": int(trustworthy),
                "containment": int(contained), "service_broker_guid": f"0000{number:04d}-1111-2222-3333-{self._guid()}",
                "has_access": int(accessible and online),
            }
        )  # fmt: skip
        security = 1 if self._version.has_security_rights else None
        self._inside[name] = {
            "database_visibility": [
                {"database_id": number, "view_definition": 1, "view_security_definition": security},
            ],
            "database_principals": [], "database_role_members": [], "database_permissions": [],
        }  # fmt: skip
        self._database_principal(name, 0, "public", "R", b"\x00")
        self._database_principal(name, 1, "dbo", "S", self._sid_of(dbo) if dbo else owner_sid, authentication=1)
        self._database_principal(name, 2, "guest", "S", b"\x00")
        self._database_principal(name, 3, "INFORMATION_SCHEMA", "S", None)
        self._database_principal(name, 4, "sys", "S", None)
        for role, role_id in DATABASE_ROLES.items():
            self._database_principal(name, role_id, role, "R", bytes([role_id - 16381]), fixed=1)
        return self.database_member(name, "db_owner", "dbo")

    def user(
        self,
        database: str,
        name: str,
        type: str = "S",
        *,
        login: str | None = None,
        contained: bool = False,
        roles: tuple[str, ...] = (),
    ) -> Self:
        """CREATE USER: for a login (by default of the same name), or contained with a password of its own.

        A Windows or Entra user (types U, G, E, X) without a login is one whom a group or the directory lets in.
        """
        sid = sid_of_name(f"{database}/{name}") if contained else self._sid_of(login or name)
        authentication = 2 if contained else AUTHENTICATION[type]
        self._database_principal(database, self._free_id(database), name, type, sid, authentication=authentication)
        for role in roles:
            self.database_member(database, role, name)
        return self

    def database_role(self, database: str, name: str, *, roles: tuple[str, ...] = ()) -> Self:
        """A user-defined database role, itself a member of `roles`."""
        self._database_principal(database, self._free_id(database), name, "R", sid_of_name(name))
        for role in roles:
            self.database_member(database, role, name)
        return self

    def database_member(self, database: str, role: str, member: str) -> Self:
        """ALTER ROLE role ADD MEMBER member, inside one database."""
        self._inside[database]["database_role_members"].append(
            {
                "role_principal_id": self._inner_id(database, role),
                "member_principal_id": self._inner_id(database, member),
            }
        )
        return self

    def database_grant(self, database: str, right: str, to: str, state: State = "G", *, on: str | None = None) -> Self:
        """GRANT or DENY on the database itself (class 0), or `on` one of its users or roles (class 4)."""
        self._inside[database]["database_permissions"].append(
            {
                "class": 0 if on is None else 4,
                "major_id": 0 if on is None else self._inner_id(database, on),
                "grantee_principal_id": self._inner_id(database, to),
                "permission_name": right,
                "state": state,
            }
        )
        return self

    def _sid_of(self, login: str) -> bytes:
        found = next((p["sid"] for p in self._server["server_principals"] if p["name"] == login), None)
        return found if isinstance(found, bytes) else sid_of_name(login)

    def _guid(self) -> str:
        name = str(self._server["server"][0]["server_name"])
        return hashlib.sha256(name.encode()).hexdigest()[:12]

    def _free_id(self, database: str) -> int:
        return 1 + sum(1 for p in self._inside[database]["database_principals"] if p["is_fixed_role"] == 0)

    def _inner_id(self, database: str, name: str) -> int:
        principals = self._inside[database]["database_principals"]
        return int(str(next(p["principal_id"] for p in principals if p["name"] == name)))

    def _database_principal(
        self,
        database: str,
        number: int,
        name: str,
        kind: str,
        sid: bytes | None,
        *,
        authentication: int = 0,
        fixed: int = 0,
    ) -> None:
        self._inside[database]["database_principals"].append(
            {
                "principal_id": number, "name": name, "type": kind, "type_desc": DATABASE_TYPES[kind], "sid": sid,
                "authentication_type": authentication, "is_fixed_role": fixed, "created_at": CREATED,
            }
        )  # fmt: skip


def sid_of_name(name: str) -> bytes:
    """A sid that the same name always gets."""
    return hashlib.sha256(name.encode(errors="surrogatepass")).digest()[:16]

"""What one identity holds inside the databases of a server: ownership, fixed database roles, CONTROL. No tiers above 2
are decided here: a holding that a trustworthy database passes on to the server says on whom it depends."""

from __future__ import annotations

from collections.abc import Iterable

from worker_lambda.privileges.sqlserver_catalogue import (
    DATABASE_PUBLIC_ID,
    DBO_ID,
    GUEST_ID,
    Database,
    DatabasePrincipal,
    Permission,
)
from worker_lambda.privileges.sqlserver_holdings import HIDING, Holding, Membership, Path, first_of_each
from worker_lambda.privileges.sqlserver_rules import FIXED_DATABASE_ROLES, RULES
from worker_lambda.privileges.wording import quoted

_ESCALATING = {"mssql.database-owner", "mssql.db-owner", "mssql.database-control"}


class DatabaseRights:
    """Effective rights inside one database; index once, ask per login or contained user."""

    def __init__(self, database: Database) -> None:
        self.database = database
        names = {p.id: p.name for p in database.principals.values()}
        self._membership = Membership(names, database.members, DATABASE_PUBLIC_ID)
        self._users: dict[str, DatabasePrincipal] = {
            p.sid: p for p in database.principals.values() if p.sid and p.type not in ("R", "A") and p.id > GUEST_ID
        }
        self._control: dict[int, Permission] = {}
        self._denied: set[int] = set()
        own = [permission for permission in database.permissions if permission.on is None]
        self._connect_denied: set[int] = {
            p.grantee_id for p in own if p.name in ("CONNECT", "CONTROL") and p.state == "D"
        }
        for permission in own:
            if permission.name == "CONTROL" and permission.state == "D":
                self._denied.add(permission.grantee_id)
            elif permission.name == "CONTROL" and permission.state in ("G", "W"):
                known = self._control.get(permission.grantee_id)
                if known is None or known.state == "G":
                    self._control[permission.grantee_id] = permission
        connect = {p.state for p in own if (p.grantee_id, p.name) == (GUEST_ID, "CONNECT")}
        self._guest_may_enter = bool(connect) and "D" not in connect

    def of_login(self, name: str, sid: str | None) -> list[Holding]:
        """What the login of that sid holds here: as owner, as its user, or else as guest where guest may enter."""
        found: list[Holding] = []
        dbo = self.database.principals.get(DBO_ID)
        if sid and sid in (self.database.owner_sid, dbo.sid if dbo else None):
            right = f"database owner on {quoted(self.database.name)}"
            holding = Holding(RULES["mssql.database-owner"], right, (name,))
            # A restored copy may call somebody else dbo than sys.databases calls its owner; to be believed as oneself
            # is no reason.
            return [holding] if sid == self.database.owner_sid else list(self._with_escalation(holding))
        user = self._users.get(sid) if sid else None
        if user is not None:
            found.extend(self.of_user(user.id, (name,)))
        elif self._guest_may_enter:
            found.extend(self.of_user(GUEST_ID, (name, "guest")))
        return found

    def of_user(self, user: int, head: Path) -> list[Holding]:
        """What a user of this database holds, each right once by its shortest path.

        Args:
            head: names from the account to this user; only guest is a step of its own.
        """
        paths = self._membership.paths(user)
        denied = bool(self._denied & paths.keys())
        found: list[Holding] = []
        for holder, inner in paths.items():
            path = head + inner[1:]
            found.extend(self._of_role(path) if holder != user else ())
            control = self._control.get(holder)
            if control and not denied:
                suffix = " WITH GRANT OPTION" if control.state == "W" else ""
                right = f"CONTROL on {quoted(self.database.name)}{suffix}"
                found.extend(self._with_escalation(Holding(RULES["mssql.database-control"], right, path)))
        return first_of_each(found)

    def _of_role(self, path: Path) -> Iterable[Holding]:
        rule = FIXED_DATABASE_ROLES.get(path[-1])
        if rule:
            right = f"{path[-1]} on {quoted(self.database.name)}"
            yield from self._with_escalation(Holding(rule, right, path, is_membership=True))

    def _with_escalation(self, holding: Holding) -> Iterable[Holding]:
        """dbo, db_owner and CONTROL act as the owner, who in a trustworthy database is believed on the whole server."""
        yield holding
        if self.database.is_trustworthy and holding.rule.id in _ESCALATING:
            yield Holding(
                RULES["mssql.trustworthy-database"],
                holding.right,
                holding.path,
                holding.is_membership,
                depends_on=self.database.owner_sid or "",
            )

    def cannot_connect(self, user: int) -> bool:
        """CONNECT denied to a user, to a role of it or to public; DENY CONTROL denies it too (Microsoft, DENY)."""
        return not self._connect_denied.isdisjoint(self._membership.paths(user))

    def hidden_from(self, reader_sid: str | None) -> list[int]:
        """principal_ids that a DENY on that one user or role hides from the reader, who gets no error.

        A reader without a user here comes in as guest does, and is bound by what is denied to public.
        """
        dbo = self.database.principals.get(DBO_ID)
        if reader_sid and reader_sid in (self.database.owner_sid, dbo.sid if dbo else None):
            return []  # nothing can be denied to dbo
        user = self._users.get(reader_sid) if reader_sid else None
        mine = self._membership.paths(user.id if user else GUEST_ID).keys()
        return sorted(
            p.on
            for p in self.database.permissions
            if p.on is not None and p.state == "D" and p.name in HIDING and p.grantee_id in mine
        )

    def without_login(self, login_sids: set[str]) -> list[DatabasePrincipal]:
        """Users that get in without a login of their own: contained ones, and Windows or Entra users behind a group.

        dbo is one where the owner is such a user: a DBA who came in through a group made the database. An orphaned SQL
        user (authentication by the instance, no such login) cannot get in and is none.
        """
        return [
            p
            for p in self.database.principals.values()
            if p.id not in (DATABASE_PUBLIC_ID, GUEST_ID)
            and p.type in ("S", "U", "G", "E", "X")
            and (p.authentication_type == 2 or (p.authentication_type in (3, 4) and p.sid not in login_sids))
        ]

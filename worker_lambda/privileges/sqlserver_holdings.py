"""What one principal holds on the server: roles at any depth, grants minus denies, and on which other principal a
holding depends. No tiers are decided here; `sqlserver_tiers` does that for all principals together."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from worker_lambda.privileges import sqlserver_rules as rules
from worker_lambda.privileges.closure import reachable
from worker_lambda.privileges.rule import Rule
from worker_lambda.privileges.sqlserver_catalogue import PUBLIC_ID, SA_SID, Permission, Principal, Server
from worker_lambda.privileges.sqlserver_rules import RULES
from worker_lambda.privileges.wording import quoted

Path = tuple[str, ...]

# A DENY of either on a principal leaves it out of the catalogue views, whatever is granted (Microsoft: Metadata
# visibility; CONTROL covers VIEW DEFINITION).
HIDING = ("VIEW DEFINITION", "CONTROL")
_TIER_ZERO_ROLES = ("sysadmin", "securityadmin")
# The right on all principals of a kind that covers a right on one of them (Microsoft, Permissions): a DENY of the
# former takes the latter. ALTER is looked at on server roles only.
_ANY = {"IMPERSONATE": "IMPERSONATE ANY LOGIN", "ALTER": "ALTER ANY SERVER ROLE"}


# Server rights that a wider one covers, so that a DENY of the wider takes them (Microsoft, GRANT Server Permissions).
_COVERED_BY = {
    "CREATE ANY DATABASE": "ALTER ANY DATABASE",
    "CREATE AVAILABILITY GROUP": "ALTER ANY AVAILABILITY GROUP",
    "CREATE DDL EVENT NOTIFICATION": "ALTER ANY EVENT NOTIFICATION",
    "CREATE ENDPOINT": "ALTER ANY ENDPOINT",
    "CREATE SERVER ROLE": "ALTER ANY SERVER ROLE",
    "CREATE TRACE EVENT NOTIFICATION": "ALTER ANY EVENT NOTIFICATION",
    "VIEW ANY DATABASE": "VIEW ANY DEFINITION",
    "VIEW SERVER STATE": "ALTER SERVER STATE",
}


@dataclass(frozen=True, slots=True)
class Holding:
    """One right or membership that a rule names.

    Attributes:
        rule: that rule.
        right: as Permission Level writes it.
        path: names from the principal to whoever was given the right; the last one holds it.
        is_membership: the right is being in the last-named role, so that a direct one has no `via`.
        depends_on: sid or id of the principal that has to be tier 0 for the rule to hold; None for always.
    """

    rule: Rule
    right: str
    path: Path
    is_membership: bool = False
    depends_on: int | str | None = None

    @property
    def reason(self) -> str:
        """As Role Name writes it: with the role granted directly to the account, where there is one between."""
        direct = 2 if self.is_membership else 1
        return f"{self.right} via {quoted(self.path[1])}" if len(self.path) > direct else self.right

    @property
    def access_path(self) -> str:
        """`alice > mid > dba_role: SUPER`."""
        nodes = self.path[:-1] if self.is_membership else self.path
        return f"{' > '.join(quoted(n) for n in nodes)}: {self.right}"


class Membership:
    """Who is in which role, of a server or of a database: paths of names to every role, at any depth.

    Args:
        names: of every visible principal; an invisible one goes by its id.
        members: (role, member) pairs.
        public: the role that everybody is in without being listed.
    """

    def __init__(self, names: Mapping[int, str], members: Iterable[tuple[int, int]], public: int) -> None:
        self._names = names
        self._public = public
        self._held: dict[tuple[str, int], list[tuple[str, int]]] = {}
        for role, member in members:
            self._held.setdefault(self._node(member), []).append(self._node(role))
        self._paths: dict[int, dict[int, Path]] = {}

    def paths(self, principal: int) -> dict[int, Path]:
        """Shortest path of names from a principal to itself and each of its roles, by length, then code point."""
        if principal not in self._paths:
            name = self._node(principal)[0]
            # Nodes carry the name first: the closure breaks ties by comparing them.
            roles = reachable(self._node(principal), self._held)
            roles.setdefault(self._node(self._public), (self._node(self._public),))
            found = {role[1]: (name, *(n for n, _ in path)) for role, path in roles.items()}
            found[principal] = (name,)
            self._paths[principal] = dict(sorted(found.items(), key=lambda item: (len(item[1]), item[1])))
        return self._paths[principal]

    def _node(self, principal: int) -> tuple[str, int]:
        return self._names.get(principal, str(principal)), principal


def first_of_each(found: Iterable[Holding]) -> list[Holding]:
    """One holding per rule and right: the first, which is the one with the shortest path."""
    kept: dict[tuple[str, str], Holding] = {}
    for holding in found:
        kept.setdefault((holding.rule.id, holding.right), holding)
    return list(kept.values())


class ServerRights:
    """Effective rights on the server for any principal; index once, ask often."""

    def __init__(self, server: Server) -> None:
        self._principals = server.principals
        self._names = {p.id: p.name for p in server.principals.values()}
        self._membership = Membership(self._names, server.members, PUBLIC_ID)
        self._granted: dict[int, list[Permission]] = {}
        self._denied: dict[int, set[tuple[int | None, str]]] = {}
        for permission in server.permissions:
            if permission.state == "D":
                self._denied.setdefault(permission.grantee_id, set()).add((permission.on, permission.name))
            elif permission.state in ("G", "W"):
                self._granted.setdefault(permission.grantee_id, []).append(permission)
        self._owned: dict[int, list[int]] = {}
        for principal in server.principals.values():
            if principal.type == "R" and principal.owner_id is not None:
                self._owned.setdefault(principal.owner_id, []).append(principal.id)

    def denied(self, principal: int) -> set[tuple[int | None, str]]:
        """(on, right) that a DENY takes away, from itself or any of its roles.

        DENY does not apply to members of sysadmin (Microsoft, DENY).
        """
        if self.is_sysadmin(principal):
            return set()
        return {item for holder in self._membership.paths(principal) for item in self._denied.get(holder, ())}

    def is_sysadmin(self, principal: int) -> bool:
        """Whether it is in sysadmin, at any depth."""
        return any(path[-1] == "sysadmin" for path in self._membership.paths(principal).values() if len(path) > 1)

    def hidden_from(self, reader: int) -> list[int]:
        """principal_ids that a DENY to the reader, to a role of it or to public hides from it, without an error.

        The DENY itself stays visible, for it names the reader as grantee. Everybody sees oneself.
        """
        denied = self.denied(reader)
        return sorted({on for on, right in denied if on is not None and on != reader and right in HIDING})

    def cannot_connect(self, principal: int) -> bool:
        """CONNECT SQL denied; DENY CONTROL SERVER denies it too (Microsoft, DENY Server Permissions)."""
        return bool(self.denied(principal) & {(None, "CONNECT SQL"), (None, "CONTROL SERVER")})

    def holdings(self, principal: Principal) -> list[Holding]:
        """Everything a rule names, each right once by its shortest path."""
        denied = self.denied(principal.id)
        found: list[Holding] = []
        if principal.sid == SA_SID:
            found.append(Holding(RULES["mssql.sid-0x01"], "sid 0x01", (principal.name,)))
        for holder, path in self._membership.paths(principal.id).items():
            role = self._principals.get(holder)
            # Not by its name: anybody may call a role `##MS_xManager##`.
            if holder != principal.id and role is not None and role.is_fixed:
                found.extend(self._of_role(path, denied))
            found.extend(self._granted_to(holder, path, denied))
            found.extend(self._owned_by(holder, path, principal.id))
        return first_of_each(found)

    def _of_role(self, path: Path, denied: set[tuple[int | None, str]]) -> Iterable[Holding]:
        name = path[-1]
        if rule := rules.server_role_rule(name):
            yield Holding(rule, quoted(name), path, is_membership=True)
        right = rules.RIGHTS_OF_FIXED_ROLES.get(name)
        if right and not _is_denied(right, None, denied):
            yield Holding(RULES["mssql.alter-any"], right, path)

    def _granted_to(self, holder: int, path: Path, denied: set[tuple[int | None, str]]) -> Iterable[Holding]:
        with_grant = {(p.on, p.name) for p in self._granted.get(holder, ()) if p.state == "W"}
        for on, name in dict.fromkeys((p.on, p.name) for p in self._granted.get(holder, ())):
            if _is_denied(name, on, denied):
                continue
            suffix = " WITH GRANT OPTION" if (on, name) in with_grant else ""
            if on is None:
                rule = rules.server_right_rule(name, with_grant=bool(suffix))
                if rule:
                    yield Holding(rule, name + suffix, path)
                continue
            target = self._principals.get(on)
            rule = _principal_rule(name, target)
            if rule and target:
                yield Holding(rule, f"{name} on {quoted(target.name)}{suffix}", path, depends_on=on)

    def _owned_by(self, holder: int, path: Path, principal: int) -> Iterable[Holding]:
        if path[-1] in _TIER_ZERO_ROLES and holder != principal:
            return  # being in that role is the reason; that it owns another one adds nothing
        for role in self._owned.get(holder, ()):
            if role != principal and is_user_defined(self._principals[role]):
                right = f"owner on {quoted(self._names[role])}"
                yield Holding(RULES["mssql.server-role-control"], right, path, depends_on=role)


def is_user_defined(principal: Principal) -> bool:
    """Whether it is a server role whose members ALTER can change: no fixed one, and not public."""
    return principal.type == "R" and not principal.is_fixed and principal.id != PUBLIC_ID


def _principal_rule(right: str, target: Principal | None) -> Rule | None:
    """The rule for a right on another principal (class 101)."""
    if target is None:
        return None
    if target.type == "R":
        joins = right in ("ALTER", "CONTROL") and is_user_defined(target)
        return RULES["mssql.server-role-control"] if joins else None
    return RULES["mssql.impersonate-login"] if right in ("IMPERSONATE", "CONTROL") else None


def _is_denied(right: str, on: int | None, denied: set[tuple[int | None, str]]) -> bool:
    """A right is lost with itself, with what covers it on the same principal, or with CONTROL SERVER."""
    covering = {(on, right), (None, "CONTROL SERVER")}
    if on is not None:
        covering.add((on, "CONTROL"))
    if on is not None and right in _ANY:
        covering.add((None, _ANY[right]))
    if on is None and right in _COVERED_BY:
        covering.add((None, _COVERED_BY[right]))
    return bool(covering & denied)

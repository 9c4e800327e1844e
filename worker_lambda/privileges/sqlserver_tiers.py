"""From holdings to tiers, for all principals of a server together: some rights make an administrator only because of
whom they reach, so the set of tier-0 principals is the least one that fulfils every rule."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace

from worker_lambda.privileges.rule import Tier
from worker_lambda.privileges.sqlserver_catalogue import SA_SID, Principal, Server
from worker_lambda.privileges.sqlserver_databases import DatabaseRights
from worker_lambda.privileges.sqlserver_holdings import Holding, ServerRights, is_user_defined
from worker_lambda.privileges.sqlserver_rules import RULES
from worker_lambda.privileges.wording import permission_level, role_name

AWS_LOGINS = ("rdsa", "rdsadmin", "rdsrepladmin")


@dataclass(frozen=True, slots=True)
class Verdict:
    """What a principal is, with every holding that counts, in table order."""

    tier: Tier
    holdings: tuple[Holding, ...]

    @property
    def rule_id(self) -> str | None:
        """The first match; None without a tier."""
        return self.holdings[0].rule.id if self.holdings else None

    @property
    def access_path(self) -> str:
        """How it comes to its first match; empty without a tier."""
        return self.holdings[0].access_path if self.holdings else ""

    def role_name(self, suffix: str = "") -> str:
        """Role Name of a row with a tier: reasons of this tier only."""
        own = [h for h in self.holdings if h.rule.tier == self.tier]
        return role_name(own[0].rule.label, [h.reason for h in own], suffix)

    def permission_level(self) -> str:
        """`Admin`, the tier-1 then tier-2 rights, or `User`."""
        if self.tier == "0":
            return "Admin"
        return permission_level([h.right for h in self.holdings]) if self.holdings else "User"


def is_rds(server: Server) -> bool:
    """Whether AWS runs this server: its database is there, sa has another name, and nobody but AWS is in sysadmin.

    Two names alone would let anybody pass for AWS. Customers cannot be in sysadmin (AWS, RDS: SQL Server security).
    """
    principals = server.principals
    sysadmin = next((p.id for p in principals.values() if p.name == "sysadmin" and p.is_fixed), None)
    members = [principals[m] for role, m in server.members if role == sysadmin and m in principals]
    return (
        any(d.name == "rdsadmin" for d in server.databases)
        and not any(p.sid == SA_SID and p.name == "sa" for p in principals.values())
        and all(p.sid == SA_SID or p.name in AWS_LOGINS or p.name.upper().startswith("NT ") for p in members)
    )


def _login_named(server: Server, name: str | None) -> int | None:
    """The login that the inventory calls the RDS master; in another case where only that exists."""
    if name is None:
        return None
    logins = {p.name: p.id for p in server.principals.values() if p.type != "R"}
    folded = [number for login, number in logins.items() if login.casefold() == name.casefold()]
    return logins.get(name, folded[0] if len(folded) == 1 else None)


class Tiers:
    """The verdicts of one server.

    Args:
        master_username: of the RDS instance, where the inventory declares it.
    """

    def __init__(self, server: Server, master_username: str | None = None) -> None:
        self.server = server
        self._rds = is_rds(server)
        self._master = _login_named(server, master_username)
        self.rights = ServerRights(server)
        self.databases = [DatabaseRights(d) for d in server.databases]
        self._holdings = {p.id: self._collect(p) for p in server.principals.values()}
        self._tier_zero: set[int | str] = {SA_SID}
        self._resettable: set[int] = set()
        self._joinable: set[int] = set()
        while self._grow():
            pass

    def of_principal(self, principal: Principal) -> Verdict:
        """Of a login or server role."""
        return self._verdict(self._holdings[principal.id], principal.id)

    def of_contained(self, rights: DatabaseRights, user: int, name: str) -> Verdict:
        """Of a database user without a login; all it holds lies in that database."""
        return self._verdict(rights.of_user(user, (name,)), None)

    def _collect(self, principal: Principal) -> list[Holding]:
        found = self.rights.holdings(principal)
        if principal.type != "R":
            if principal.id == self._master:
                found.append(Holding(RULES["mssql.rds-master"], "RDS master user", (principal.name,)))
            for rights in self.databases:
                found.extend(rights.of_login(principal.name, principal.sid))
        return found

    def _grow(self) -> bool:
        """One round; False when nobody was added. Ends, for the set only grows."""
        before = len(self._tier_zero)
        for principal in self.server.principals.values():
            if principal.id in self._tier_zero:
                continue
            if any(h.rule.tier == "0" for h in self._counting(self._holdings[principal.id], principal.id)):
                self._tier_zero.add(principal.id)
                if principal.sid:
                    self._tier_zero.add(principal.sid)
                if principal.type == "S" and not self._protected(principal.id):
                    self._resettable.add(principal.id)
                if is_user_defined(principal):
                    self._joinable.add(principal.id)
        return len(self._tier_zero) > before

    def _protected(self, principal: int) -> bool:
        """Whether ALTER ANY LOGIN does not suffice to set this login's password (Microsoft, ALTER LOGIN)."""
        ids = {h.rule.id for h in self._holdings[principal]}
        return bool(ids & {"mssql.sysadmin", "mssql.control-server", "mssql.sid-0x01"})

    def _counting(self, holdings: Iterable[Holding], principal: int | None) -> Iterable[Holding]:
        """The holdings whose condition is fulfilled so far; a right on all logins or all server roles under the rule
        for whom it now reaches (ALTER ANY SERVER ROLE is ALTER on each user-defined one: Microsoft, ALTER SERVER ROLE).
        """
        for holding in holdings:
            if holding.depends_on is not None and (
                holding.depends_on not in self._tier_zero or holding.depends_on == principal
            ):
                continue
            if holding.right.startswith("ALTER ANY LOGIN") and (
                self._rds or self._reached(self._resettable, principal)
            ):
                yield replace(holding, rule=RULES["mssql.alter-any-login"])
            elif holding.right.startswith("ALTER ANY SERVER ROLE") and self._reached(self._joinable, principal):
                yield replace(holding, rule=RULES["mssql.server-role-control"])
            else:
                yield holding

    def _reached(self, targets: set[int], principal: int | None) -> bool:
        """Whether a right on all of a kind reaches one of these: not oneself, not one that a DENY excepts."""
        others = targets - {principal}
        if not others or principal is None:
            return bool(others)
        denied = self.rights.denied(principal)
        return any(not {(target, "ALTER"), (target, "CONTROL")} & denied for target in others)

    def _verdict(self, holdings: Iterable[Holding], principal: int | None) -> Verdict:
        counting = sorted(self._counting(holdings, principal), key=lambda h: (h.rule.order, h.reason))
        if not counting:
            return Verdict("none", ())
        return Verdict(min(h.rule.tier for h in counting), tuple(counting))

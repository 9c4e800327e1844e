"""From a MySQL or MariaDB catalogue to each principal's tier, reasons and paths. Pure; the table is mysql_rules.py."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import NamedTuple

from worker_lambda.privileges import mysql_rules as rules
from worker_lambda.privileges import wording
from worker_lambda.privileges.closure import reachable
from worker_lambda.privileges.mysql_catalogue import Catalogue, Principal, ProxyGrant
from worker_lambda.privileges.mysql_hosts import GrantRows
from worker_lambda.privileges.mysql_rights import Right, own_rights, reaching_rows
from worker_lambda.privileges.rule import Rule


class HeldRight(NamedTuple):
    """A right with the path of roles that brings it; an empty path means granted directly."""

    right: Right
    path: tuple[Principal, ...]

    @property
    def reason(self) -> str:
        """`SUPER`, or `SUPER via r_top` where r_top is the role granted to the account."""
        if not self.path or self.path[0].role_label == self.right.text:
            return self.right.text
        return f"{self.right.text} via {wording.quoted(self.path[0].role_label)}"

    @property
    def sort_key(self) -> tuple[int, str]:
        """Table order, then code point."""
        return self.right.rule.order, self.right.text


@dataclass(frozen=True, slots=True)
class Verdict:
    """How one account is judged.

    Attributes:
        rule: the first that matched; its tier is the account's.
        access_path: `alice@% > mid > dba_role: SUPER`.
        rights: every right of any tier, in report order, parts of ALL included.
        roles: every role held, directly or not.
    """

    rule: Rule
    role_name: str
    permission_level: str
    access_path: str
    rights: tuple[HeldRight, ...]
    roles: tuple[Principal, ...]


Paths = Mapping[Principal, tuple[Principal, ...]]


def evaluate(catalogue: Catalogue) -> dict[Principal, Verdict]:
    """Judge every row of mysql.user, roles included, by the rule table."""
    reached = reaching_rows(catalogue)
    limited = _principals_with_grants(catalogue) | reached.keys()
    paths = _paths(catalogue, limited)
    own = _with_derived(catalogue, own_rights(catalogue, reached), paths)
    # Accounts with the same roles share one Paths object: what they inherit is worked out once.
    inherited = {id(roles): _inherited(roles, own) for roles in paths.values()}
    return {
        account.principal: _verdict(
            account.principal,
            own.get(account.principal, frozenset()),
            inherited[id(paths[account.principal])],
            paths[account.principal],
            account.principal in limited,
        )
        for account in catalogue.accounts
    }


def _paths(catalogue: Catalogue, limited: frozenset[Principal]) -> dict[Principal, Paths]:
    """Every account's and role's roles. 10,000 users of 200 nested roles have few different sets of direct roles."""
    held: dict[Principal, list[Principal]] = defaultdict(list)
    for edge in catalogue.edges:
        held[edge.grantee].append(edge.role)
    # PUBLIC always exists on MariaDB once it was named; without a grant it says nothing about anybody.
    implicit = {r for r in catalogue.mandatory_roles if catalogue.flavour == "mysql" or r in limited or held[r]}
    roles = {edge.role for edge in catalogue.edges} | implicit
    shared: dict[frozenset[Principal], Paths] = {}
    paths: dict[Principal, Paths] = {}
    for principal in {a.principal for a in catalogue.accounts} | roles:
        if principal in roles:  # may lie on a cycle, so its own closure is not that of its direct roles
            paths[principal] = reachable(principal, held, () if principal in implicit else implicit)
            continue
        direct = frozenset(held[principal]) | implicit
        if direct not in shared:
            shared[direct] = reachable(principal, held, implicit)
        paths[principal] = shared[direct]
    return paths


def _verdict(
    principal: Principal, own: frozenset[Right], inherited: Mapping[Right, HeldRight], roles: Paths, limited: bool
) -> Verdict:
    direct = {right: HeldRight(right, ()) for right in own}
    held = sorted({**inherited, **direct}.values(), key=lambda h: h.sort_key)
    if not held:
        rule = rules.LIMITED if roles or limited else rules.USAGE
        path = f"{principal.step}: {rule.label}"
        return Verdict(rule, rule.label, "User", path, (), tuple(sorted(roles)))
    tier = held[0].right.rule.tier
    shown = _without_parts_of_all(held)
    reasons = [h for h in shown if h.right.rule.tier == tier]
    first = reasons[0]
    label = rules.ROOT_LABEL if tier == "0" and principal.user == "root" else first.right.rule.label
    level = "Admin" if tier == "0" else wording.permission_level([h.right.text for h in shown])
    path = " > ".join([principal.step, *(role.role_step for role in first.path)])
    return Verdict(
        rule=first.right.rule,
        role_name=wording.role_name(label, [h.reason for h in reasons]),
        permission_level=level,
        access_path=f"{path}: {first.right.text}",
        rights=tuple(held),
        roles=tuple(sorted(roles)),
    )


def _inherited(roles: Paths, own: Mapping[Principal, frozenset[Right]]) -> dict[Right, HeldRight]:
    """Each right of these roles once, by its shortest path, ties by code point: the order that closures come in."""
    best: dict[Right, HeldRight] = {}
    for role, path in roles.items():
        for right in own.get(role, frozenset()):
            best.setdefault(right, HeldRight(right, path))
    return best


def _without_parts_of_all(held: list[HeldRight]) -> list[HeldRight]:
    everything = [h for h in held if h.right.rule.id == "mysql.all"]
    if not everything:
        return held
    # With and without GRANT OPTION, by two ways: the larger says it.
    largest = max(everything, key=lambda h: (len(h.right.text), -len(h.path)))
    return [largest, *(h for h in held if not h.right.in_all)]


def _with_derived(
    catalogue: Catalogue,
    own: Mapping[Principal, set[Right]],
    paths: Mapping[Principal, Paths],
) -> dict[Principal, frozenset[Right]]:
    """Add PROXY and ADMIN OPTION rights that lead to tier 0, until nothing more becomes tier 0."""
    rights = {principal: set(held) for principal, held in own.items()}
    proxies = _proxies(catalogue)
    while True:
        controls = {principal for principal, mine in rights.items() if any(r.rule.tier == "0" for r in mine)}
        brings = {id(roles): not controls.isdisjoint(roles) for roles in paths.values()}
        top = {principal for principal, roles in paths.items() if principal in controls or brings[id(roles)]}
        added = False
        for principal, right in _derived(catalogue, proxies, top):
            mine = rights.setdefault(principal, set())
            if right not in mine:
                mine.add(right)
                added = True
        if not added:
            return {principal: frozenset(held) for principal, held in rights.items()}


def _proxies(catalogue: Catalogue) -> list[ProxyGrant]:
    """Every account with each proxy row that the server would take for it, its own among them."""
    accounts = [account.principal for account in catalogue.accounts]
    by_row: dict[Principal, list[ProxyGrant]] = defaultdict(list)
    for proxy in catalogue.proxies:
        by_row[proxy.principal].append(proxy)
    rows = GrantRows(by_row, accounts)
    reached = ((account, row) for account in accounts for row in rows.reaching(account, anonymous=True))
    others = (ProxyGrant(account, proxy.proxied) for account, row in reached for proxy in by_row[row])
    return [*catalogue.proxies, *others]


def _derived(
    catalogue: Catalogue, proxies: Iterable[ProxyGrant], top: set[Principal]
) -> Iterator[tuple[Principal, Right]]:
    top_by_user: dict[str, set[str]] = defaultdict(set)
    for principal in top:
        top_by_user[principal.user].add(principal.host)
    for proxy in proxies:
        user, host = proxy.proxied
        if not user:  # ''@'' stands for every account
            yield proxy.principal, Right(rules.RULES["mysql.proxy"], "PROXY on ''@''", False)
        elif host in top_by_user[user] or (host in ("", "%") and top_by_user[user]):
            text = f"PROXY on {wording.quoted(proxy.proxied.username)}"
            yield proxy.principal, Right(rules.RULES["mysql.proxy"], text, False)
    for edge in catalogue.edges:
        if edge.admin_option and edge.role in top:
            text = f"ADMIN OPTION on {wording.quoted(edge.role.role_label)}"
            yield edge.grantee, Right(rules.RULES["mysql.admin-option"], text, False)


def _principals_with_grants(catalogue: Catalogue) -> frozenset[Principal]:
    """Who holds anything beyond USAGE; roles are looked at by the caller."""
    found: set[Principal] = {a.principal for a in catalogue.accounts if a.privileges} | set(catalogue.other_grants)
    grants: Iterable[NamedTuple] = (*catalogue.dynamic, *catalogue.schemas, *catalogue.tables, *catalogue.proxies)
    found.update(grant.principal for grant in grants)  # type: ignore[attr-defined]
    return frozenset(found)

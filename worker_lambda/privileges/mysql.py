"""From a MySQL or MariaDB catalogue to each principal's tier, reasons and paths. Pure; the table is mysql_rules.py."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import NamedTuple

from worker_lambda.privileges import mysql_rules as rules
from worker_lambda.privileges import wording
from worker_lambda.privileges.closure import reachable
from worker_lambda.privileges.mysql_catalogue import Account, Catalogue, DynamicGrant, Principal, SchemaGrant
from worker_lambda.privileges.mysql_rules import Rule


class Right(NamedTuple):
    """A right that a rule knows, as one principal holds it itself.

    Attributes:
        text: as the report writes it, without `via`.
        in_all: a part of ALL on *.*, which replaces it in the wording.
    """

    rule: Rule
    text: str
    in_all: bool = True


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
        tier: 0, 1, 2 or None.
        rule_id: the first rule that matched at that tier.
        access_path: `alice@% > mid > dba_role: SUPER`.
        rights: every right of any tier, in report order, parts of ALL included.
        roles: every role held, directly or not.
    """

    tier: int | None
    rule_id: str
    role_name: str
    permission_level: str
    access_path: str
    rights: tuple[HeldRight, ...]
    roles: tuple[Principal, ...]


def evaluate(catalogue: Catalogue) -> dict[Principal, Verdict]:
    """Judge every row of mysql.user, roles included, by the rule table."""
    held: dict[Principal, list[Principal]] = defaultdict(list)
    for edge in catalogue.edges:
        held[edge.grantee].append(edge.role)
    role_like = {edge.role for edge in catalogue.edges} | {a.principal for a in catalogue.accounts if a.is_role}
    limited = _principals_with_grants(catalogue)
    # PUBLIC always exists on MariaDB once it was named; without a grant it says nothing about anybody.
    implicit = {r for r in catalogue.mandatory_roles if catalogue.flavour == "mysql" or r in limited or held[r]}
    paths: dict[Principal, dict[Principal, tuple[Principal, ...]]] = {}
    for principal in {a.principal for a in catalogue.accounts} | role_like:
        paths[principal] = reachable(principal, held, () if principal in implicit else implicit)
    own = _with_derived(catalogue, _own_rights(catalogue), paths)
    return {
        account.principal: _verdict(account.principal, own, paths[account.principal], limited)
        for account in catalogue.accounts
    }


def _verdict(
    principal: Principal,
    own: Mapping[Principal, frozenset[Right]],
    paths: Mapping[Principal, tuple[Principal, ...]],
    limited: frozenset[Principal],
) -> Verdict:
    held = _held_rights(principal, own, paths)
    roles = tuple(sorted(paths))
    if not held:
        has_grants = bool(roles) or principal in limited
        name, rule_id = ("Limited User", rules.LIMITED) if has_grants else ("User", rules.USAGE)
        return Verdict(None, rule_id, name, "User", f"{principal.username}: {name}", (), roles)
    tier = held[0].right.rule.tier
    shown = _without_parts_of_all(held)
    reasons = [h for h in shown if h.right.rule.tier == tier]
    if tier == 0:
        label, level = ("Root Admin" if principal.user == "root" else "Full Admin"), "Admin"
    else:
        label = "Server Admin" if tier == 1 else "Database Admin"
        level = wording.permission_level([h.right.text for h in shown])
    first = reasons[0]
    path = " > ".join([principal.username, *(role.role_label for role in first.path)])
    return Verdict(
        tier=tier,
        rule_id=first.right.rule.rule_id,
        role_name=wording.role_name(label, [h.reason for h in reasons]),
        permission_level=level,
        access_path=f"{path}: {first.right.text}",
        rights=tuple(held),
        roles=roles,
    )


def _held_rights(
    principal: Principal,
    own: Mapping[Principal, frozenset[Right]],
    paths: Mapping[Principal, tuple[Principal, ...]],
) -> list[HeldRight]:
    """Each right once, by its shortest path (ties by code point), in report order."""
    best: dict[Right, HeldRight] = {}
    ways: list[tuple[Principal, tuple[Principal, ...]]] = [(principal, ()), *paths.items()]
    for node, path in sorted(ways, key=lambda way: (len(way[1]), way[1])):
        for right in own.get(node, frozenset()):
            best.setdefault(right, HeldRight(right, path))
    return sorted(best.values(), key=lambda h: h.sort_key)


def _without_parts_of_all(held: list[HeldRight]) -> list[HeldRight]:
    everything = [h for h in held if h.right.rule.rule_id == "mysql.all"]
    if not everything:
        return held
    # With and without GRANT OPTION, by two ways: the larger says it.
    largest = max(everything, key=lambda h: (len(h.right.text), -len(h.path)))
    return [largest, *(h for h in held if not h.right.in_all)]


def _own_rights(catalogue: Catalogue) -> dict[Principal, set[Right]]:
    """The rights that each principal holds itself, before PROXY and ADMIN OPTION."""
    own: dict[Principal, set[Right]] = defaultdict(set)
    for account in catalogue.accounts:
        own[account.principal].update(_global_rights(account, catalogue))
        if account.principal.user == rules.RDS_SUPERUSER_ROLE and account.principal.host in ("%", ""):
            own[account.principal].add(Right(rules.RULES["mysql.rds-superuser"], rules.RDS_SUPERUSER_ROLE, False))
    for grant in catalogue.dynamic:
        own[grant.principal].add(_dynamic_right(grant))
    for schema in catalogue.schemas:
        own[schema.principal].update(_schema_rights(schema, catalogue))
    for table in catalogue.tables:
        if table.table.lower() in rules.GRANT_TABLES and catalogue.grant_tables_writable:
            for privilege in table.privileges & rules.TABLE_WRITES:
                text = f"{privilege} on mysql.{table.table}"
                own[table.principal].add(Right(rules.RULES["mysql.grant-tables"], text))
    return own


def _global_rights(account: Account, catalogue: Catalogue) -> Iterator[Right]:
    grant_option = "GRANT OPTION" in account.privileges
    if account.has_all and not account.restrictions:
        suffix = " WITH GRANT OPTION" if grant_option else ""
        yield Right(rules.RULES["mysql.all"], f"ALL on *.*{suffix}")
    for privilege in account.privileges:
        rule_id = rules.RULE_OF_PRIVILEGE.get(privilege)
        text = f"{privilege} on *.*" if privilege in rules.SCOPED_GLOBAL else privilege
        if privilege in rules.TABLE_WRITES and _reaches_grant_tables(privilege, account, catalogue):
            rule_id = "mysql.grant-tables"
        if rule_id:
            yield Right(rules.RULES[rule_id], text)


def _reaches_grant_tables(privilege: str, account: Account, catalogue: Catalogue) -> bool:
    return catalogue.grant_tables_writable and privilege not in account.restrictions.get("mysql", frozenset())


def _dynamic_right(grant: DynamicGrant) -> Right:
    rule_id = rules.RULE_OF_PRIVILEGE.get(grant.privilege, "mysql.dynamic")
    suffix = " WITH GRANT OPTION" if grant.grant_option else ""
    return Right(rules.RULES[rule_id], _word(grant.privilege) + suffix)


def _word(privilege: str) -> str:
    """A dynamic privilege's name; plugins register their own, so it may hold anything."""
    return privilege if re.fullmatch(r"[A-Z0-9_ ]+", privilege) else wording.quoted(privilege)


def _schema_rights(grant: SchemaGrant, catalogue: Catalogue) -> Iterator[Right]:
    name = wording.quoted(_plain_schema(grant.pattern, catalogue.schema_wildcards))
    suffix = " WITH GRANT OPTION" if "GRANT OPTION" in grant.privileges else ""
    writes = grant.privileges & rules.TABLE_WRITES
    if (
        writes
        and catalogue.grant_tables_writable
        and schema_matches(grant.pattern, "mysql", catalogue.schema_wildcards)
    ):
        texts = [f"ALL on {name}{suffix}"] if grant.has_all else [f"{p} on {name}" for p in writes]
        for text in texts:
            yield Right(rules.RULES["mysql.grant-tables"], text)
        return
    if grant.has_all:
        yield Right(rules.RULES["mysql.schema"], f"ALL on {name}{suffix}")
    elif suffix:
        yield Right(rules.RULES["mysql.schema"], f"GRANT OPTION on {name}")


def schema_matches(pattern: str, schema: str, wildcards: bool) -> bool:
    """Whether a schema grant reaches a schema: LIKE with backslash escapes, or literally."""
    if not wildcards:
        return pattern == schema
    expression = "".join(
        re.escape(token[1:]) if len(token) == 2 else {"%": ".*", "_": "."}.get(token, re.escape(token))
        for token in re.findall(r"\\[%_\\]|[\s\S]", pattern)
    )
    return re.fullmatch(expression, schema, re.DOTALL) is not None


def _plain_schema(pattern: str, wildcards: bool) -> str:
    """`app\\_db` names one schema, `app_db`; a pattern that really matches several stays as it is."""
    plain = re.sub(r"\\([%_])", r"\1", pattern)
    active = re.search(r"(?<!\\)[%_]", pattern)
    return pattern if not wildcards or active else plain


def _with_derived(
    catalogue: Catalogue,
    own: Mapping[Principal, set[Right]],
    paths: Mapping[Principal, Mapping[Principal, tuple[Principal, ...]]],
) -> dict[Principal, frozenset[Right]]:
    """Add PROXY and ADMIN OPTION rights that lead to tier 0, until nothing more becomes tier 0."""
    rights = {principal: set(held) for principal, held in own.items()}
    while True:
        top = {
            principal
            for principal, roles in paths.items()
            if any(r.rule.tier == 0 for node in (principal, *roles) for r in rights.get(node, ()))
        }
        added = False
        for principal, right in _derived(catalogue, top):
            mine = rights.setdefault(principal, set())
            if right not in mine:
                mine.add(right)
                added = True
        if not added:
            return {principal: frozenset(held) for principal, held in rights.items()}


def _derived(catalogue: Catalogue, top: set[Principal]) -> Iterator[tuple[Principal, Right]]:
    top_by_user: dict[str, set[str]] = defaultdict(set)
    for principal in top:
        top_by_user[principal.user].add(principal.host)
    for proxy in catalogue.proxies:
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

"""The rights that each MySQL principal holds itself, from its grants: under which rule, and how each is written."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from typing import NamedTuple

from worker_lambda.privileges import mysql_rules as rules
from worker_lambda.privileges import wording
from worker_lambda.privileges.mysql_catalogue import Account, Catalogue, DynamicGrant, Principal, SchemaGrant
from worker_lambda.privileges.mysql_hosts import GrantRows
from worker_lambda.privileges.rule import Rule


class Right(NamedTuple):
    """A right that a rule knows, as one principal holds it itself.

    Attributes:
        text: as the report writes it, without `via`.
        in_all: a part of ALL on *.*, which replaces it in the wording.
    """

    rule: Rule
    text: str
    in_all: bool = True


Rights = dict[Principal, set[Right]]


def own_rights(catalogue: Catalogue, reached: Mapping[Principal, Iterable[Principal]]) -> Rights:
    """The rights that each principal holds itself, before PROXY and ADMIN OPTION.

    Args:
        reached: see `reaching_rows`.
    """
    schemas, tables = _schema_rows(catalogue), _table_rows(catalogue)
    own: Rights = defaultdict(set)
    for part in (_global_rows(catalogue), schemas, tables):
        for principal, rights in part.items():
            own[principal] |= rights
    for account, rows in reached.items():
        for row in rows:
            own[account] |= schemas.get(row, set()) | (tables.get(row, set()) if row.user else set())
    return own


def reaching_rows(catalogue: Catalogue) -> dict[Principal, set[Principal]]:
    """For each account the other principals whose schema, table or routine rows reach it, where there are any."""
    roles = {edge.role for edge in catalogue.edges} | {a.principal for a in catalogue.accounts if a.is_role}
    accounts = [a.principal for a in catalogue.accounts if a.principal not in roles]
    named = {grant.principal for grant in catalogue.schemas} | {grant.principal for grant in catalogue.tables}
    named |= catalogue.other_grants
    if catalogue.flavour == "mariadb":
        named -= roles  # their rows have an empty host, which is not any host there
    rows = GrantRows(named, accounts)
    found = {account: rows.reaching(account, anonymous=True) for account in accounts}
    return {account: reached for account, reached in found.items() if reached}


def _global_rows(catalogue: Catalogue) -> Rights:
    own: Rights = defaultdict(set)
    for account in catalogue.accounts:
        own[account.principal].update(_global_rights(account, catalogue))
        if account.principal.user == rules.RDS_SUPERUSER_ROLE and account.principal.host in ("%", ""):
            own[account.principal].add(Right(rules.RULES["mysql.rds-superuser"], rules.RDS_SUPERUSER_ROLE, False))
    for grant in catalogue.dynamic:
        own[grant.principal].add(_dynamic_right(grant))
    return own


def _schema_rows(catalogue: Catalogue) -> Rights:
    own: Rights = defaultdict(set)
    for schema in catalogue.schemas:
        own[schema.principal].update(_schema_rights(schema, catalogue))
    return own


def _table_rows(catalogue: Catalogue) -> Rights:
    own: Rights = defaultdict(set)
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
        and schema_matches(_as_compared(grant.pattern, catalogue), "mysql", catalogue.schema_wildcards)
    ):
        texts = [f"ALL on {name}{suffix}"] if grant.has_all else [f"{p} on {name}" for p in writes]
        for text in texts:
            yield Right(rules.RULES["mysql.grant-tables"], text)
        return
    if grant.has_all:
        yield Right(rules.RULES["mysql.schema"], f"ALL on {name}{suffix}")
    elif suffix:
        yield Right(rules.RULES["mysql.schema"], f"GRANT OPTION on {name}")


def _as_compared(pattern: str, catalogue: Catalogue) -> str:
    return pattern if catalogue.variables.get("lower_case_table_names", "0") == "0" else pattern.lower()


def schema_matches(pattern: str, schema: str, wildcards: bool) -> bool:
    """Whether a schema grant reaches a schema: LIKE, where a backslash takes any character literally; or literally.

    By hand, not as a regular expression: 63 of `%` backtracked for 0.7 s, and compiling one pattern per
    grant took two fifths of the evaluation.
    """
    if not wildcards:
        return pattern == schema
    reached = {0}  # how many characters of the schema's name the pattern so far can account for
    for part in re.findall(r"\\[\s\S]|[\s\S]", pattern):
        if part == "%":
            reached = set(range(min(reached), len(schema) + 1))
        else:
            reached = {at + 1 for at in reached if at < len(schema) and (part == "_" or part[-1] == schema[at])}
        if not reached:
            return False
    return len(schema) in reached


def _plain_schema(pattern: str, wildcards: bool) -> str:
    """`app\\_db` names one schema, `app_db`; a pattern that really matches several stays as it is."""
    if not wildcards:
        return pattern
    parts = re.findall(r"\\[\s\S]|[\s\S]", pattern)
    return pattern if {"%", "_"} & set(parts) else "".join(part[-1] for part in parts)

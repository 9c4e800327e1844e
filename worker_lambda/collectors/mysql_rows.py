"""From the rows of the two MySQL statements to a `Catalogue`. A row of an unknown kind or form is an error."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace

from worker_lambda.collectors.mysql_queries import WIDTH, Facts
from worker_lambda.collectors.mysql_visibility import VIEW, Visible, restrictions_source
from worker_lambda.contract import Reason
from worker_lambda.errors import CollectionFailed
from worker_lambda.privileges.mysql_catalogue import (
    MARIADB_SPLIT_BITS,
    PRIVILEGE_OF_COLUMN,
    Account,
    Catalogue,
    DynamicGrant,
    Gap,
    Principal,
    ProxyGrant,
    RoleEdge,
    SchemaGrant,
    TableGrant,
)

Row = Sequence[str | None]

# GRANT ALL does not set it.
_NOT_IN_ALL = frozenset({"Grant_priv"})


def read_probe(rows: Iterable[Row]) -> Visible:
    """What the first statement said.

    Raises:
        CollectionFailed: UNEXPECTED_ANSWER when it did not even say the version.
    """
    columns: dict[str, dict[str, str]] = {}
    version: str | None = None
    reader = Principal("", "")
    for kind, first, second in rows:
        if kind == "version" and first:
            version = first
        elif kind == "reader" and first:
            user, _, host = first.rpartition("@")
            reader = Principal(user, host)
        elif kind == "column" and first and second:
            columns.setdefault(first, {})[second.lower()] = second
    if version is None:
        raise CollectionFailed(Reason.UNEXPECTED_ANSWER, "the server did not say its version")
    return Visible(columns, version, reader)


@dataclass(slots=True)
class _Reader:
    """Collects rows by kind; one method per kind."""

    facts: Facts
    flavour: str
    accounts: dict[Principal, Account] = field(default_factory=dict)
    states: list[Row] = field(default_factory=list)
    restrictions: dict[Principal, dict[str, frozenset[str]]] = field(default_factory=dict)
    variables: dict[str, str] = field(default_factory=dict)
    dynamic: list[DynamicGrant] = field(default_factory=list)
    edges: list[RoleEdge] = field(default_factory=list)
    schemas: list[SchemaGrant] = field(default_factory=list)
    tables: list[TableGrant] = field(default_factory=list)
    other: set[Principal] = field(default_factory=set)
    proxies: list[ProxyGrant] = field(default_factory=list)
    clock: float | None = None
    ended: bool = False

    def on_end(self, _: Row) -> None:
        self.ended = True

    def on_clock(self, row: Row) -> None:
        self.clock = _number(row[1])

    def on_variable(self, row: Row) -> None:
        self.variables[(row[1] or "").lower()] = row[2] or ""

    def on_account(self, row: Row) -> None:
        who = _principal(row)
        privileges, has_all = _letters(row[3], self.facts.user_columns, self.facts.all_in_user)
        lifetime = _number(row[8])
        self.accounts[who] = Account(
            principal=who,
            privileges=privileges,
            has_all=has_all,
            plugin=row[4],
            locked=_yes(row[5]),
            password_expired=_yes(row[6]),
            password_changed_at=_number(row[7]),
            # A visible lifetime column is NULL for `default`: the gap list, not the value, says whether we saw it.
            lifetime_known=self.flavour == "mysql"
            and not any({"password_lifetime", "password_last_changed"} & set(g.columns) for g in self.facts.gaps),
            password_lifetime_days=None if lifetime is None else int(lifetime),
            is_role=_yes(row[9]),
        )

    def on_state(self, row: Row) -> None:
        self.states.append(row)

    def on_restrictions(self, row: Row) -> None:
        entries = json.loads(row[3] or "null") or []
        self.restrictions[_principal(row)] = {
            entry["Database"]: frozenset(p.upper() for p in entry["Privileges"]) for entry in entries
        }

    def on_dynamic(self, row: Row) -> None:
        self.dynamic.append(DynamicGrant(_principal(row), _text(row[3]).upper(), row[4] == "Y"))

    def on_edge(self, row: Row) -> None:
        grantee = Principal(_text(row[3]), _text(row[4]))
        self.edges.append(RoleEdge(_principal(row), grantee, row[5] == "Y"))

    def on_schema(self, row: Row) -> None:
        privileges, has_all = _letters(row[4], self.facts.schema_columns, self.facts.all_in_schema)
        self.schemas.append(SchemaGrant(_principal(row), _text(row[3]), privileges, has_all))

    def on_table(self, row: Row) -> None:
        words = f"{row[4] or ''},{row[5] or ''}".upper().split(",")
        self.tables.append(TableGrant(_principal(row), _text(row[3]), frozenset(w for w in words if w)))

    def on_other(self, row: Row) -> None:
        self.other.add(_principal(row))

    def on_proxy(self, row: Row) -> None:
        self.proxies.append(ProxyGrant(_principal(row), Principal(_text(row[3]), _text(row[4]))))


def read_facts(rows: Iterable[Row], facts: Facts, visible: Visible) -> Catalogue:
    """What the second statement said, sorted, so that equal servers give equal catalogues.

    Raises:
        CollectionFailed: UNEXPECTED_ANSWER, naming the kind of row, never its values.
    """
    reader = _Reader(facts, visible.flavour)
    for row in rows:
        kind = row[0] or ""
        handler: Callable[[Row], None] | None = getattr(reader, f"on_{kind}", None)
        if len(row) != WIDTH or handler is None:
            raise CollectionFailed(Reason.UNEXPECTED_ANSWER, "a catalogue row of an unknown kind")
        try:
            handler(row)
        except (ValueError, TypeError, KeyError, AttributeError) as error:
            detail = f"a catalogue row of kind {kind} has a form that is not known ({type(error).__name__})"
            raise CollectionFailed(Reason.UNEXPECTED_ANSWER, detail) from None
    if not reader.ended:
        raise CollectionFailed(Reason.UNEXPECTED_ANSWER, "the answer was cut short")
    _complete(reader)
    return Catalogue(
        flavour=visible.flavour,
        version=visible.version,
        accounts=tuple(sorted(reader.accounts.values(), key=lambda a: a.principal)),
        variables=reader.variables,
        dynamic=tuple(sorted(reader.dynamic)),
        edges=tuple(sorted(_edges(reader))),
        schemas=tuple(sorted(reader.schemas, key=lambda g: (g.principal, g.pattern))),
        tables=tuple(sorted(reader.tables, key=lambda g: (g.principal, g.table))),
        other_grants=frozenset(reader.other),
        proxies=tuple(sorted(reader.proxies)),
        server_time=reader.clock,
        gaps=_all_gaps(facts, visible, reader.variables),
    )


def _complete(reader: _Reader) -> None:
    """What stands beside mysql.user: states of MariaDB, partial revokes of MySQL.

    Revokes count while the server has them on, which it insists on as soon as there is one: the view that tells them
    is a thing that somebody could have replaced.
    """
    try:
        for row in reader.states:
            _apply_state(reader.accounts, row)
    except (ValueError, TypeError) as error:
        detail = f"a catalogue row of kind state has a form that is not known ({type(error).__name__})"
        raise CollectionFailed(Reason.UNEXPECTED_ANSWER, detail) from None
    if _partial_revokes_are_on(reader.variables):
        for who, restrictions in reader.restrictions.items():
            if who in reader.accounts:
                reader.accounts[who] = replace(reader.accounts[who], restrictions=restrictions)


def _partial_revokes_are_on(variables: dict[str, str]) -> bool:
    return variables.get("partial_revokes", "OFF").upper() in ("ON", "1")


def _edges(reader: _Reader) -> Iterable[RoleEdge]:
    """Role edges whose hosts are spelled as the accounts are: the server compares them without case."""
    known = {(who.user, who.host.lower()): who for who in reader.accounts}
    for edge in reader.edges:
        role, grantee = (known.get((p.user, p.host.lower()), p) for p in (edge.role, edge.grantee))
        yield RoleEdge(role, grantee, edge.admin_option)


def _all_gaps(facts: Facts, visible: Visible, variables: dict[str, str]) -> tuple[Gap, ...]:
    """The statement's gaps, and those that only the answer shows."""
    found = set(facts.gaps)
    if visible.flavour == "mysql" and visible.version >= (8,) and "mandatory_roles" not in variables:
        found.add(Gap("performance_schema.global_variables"))
    # Partial revokes exist only where the server has them switched on.
    if _partial_revokes_are_on(variables) and restrictions_source(visible) is None:
        found.add(Gap(VIEW))  # User_attributes itself holds a second password hash
    return tuple(sorted(found))


def _apply_state(accounts: dict[Principal, Account], row: Row) -> None:
    """MariaDB: lock state, password age and split privileges of one account."""
    account = accounts.get(_principal(row))
    if account is None:
        return
    bits = int(row[3] or 0)
    split = frozenset(name for bit, name in MARIADB_SPLIT_BITS.items() if bits >> bit & 1)
    # 39 came with 11.3; whoever has every older right and not that one has ALL of an older server.
    every_split = frozenset(name for bit, name in MARIADB_SPLIT_BITS.items() if bit < 39)
    lifetime = _number(row[6])
    accounts[account.principal] = replace(
        account,
        privileges=account.privileges | split,
        has_all=account.has_all and every_split <= split,
        locked=(row[4] or "").lower() in ("1", "true", "y"),
        password_changed_at=_number(row[5]),
        lifetime_known=True,
        # -1 is MariaDB's `default`.
        password_lifetime_days=None if lifetime is None or lifetime < 0 else int(lifetime),
    )


def _letters(text: str | None, columns: Sequence[str], provable: bool) -> tuple[frozenset[str], bool]:
    """The Y/N letters of a row as privileges, and whether all but GRANT OPTION are there."""
    letters = _text(text)
    if len(letters) != len(columns) or set(letters) - {"Y", "N"}:
        raise ValueError("privilege letters")
    held = {column for column, letter in zip(columns, letters, strict=True) if letter == "Y"}
    complete = provable and held >= set(columns) - _NOT_IN_ALL
    return frozenset(PRIVILEGE_OF_COLUMN[c.lower().removesuffix("_priv")] for c in held), complete


def _principal(row: Row) -> Principal:
    return Principal(_text(row[1]), _text(row[2]))


def _text(value: str | None) -> str:
    if value is None:
        raise ValueError("NULL where a name belongs")
    return value


def _yes(value: str | None) -> bool | None:
    return None if value is None else value == "Y"


def _number(value: str | None) -> float | None:
    return None if value is None else float(value)

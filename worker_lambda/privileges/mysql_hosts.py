"""Which grant rows a MySQL server takes for an account besides the account's own.

Schema, table, column and PROXY rows are matched by user name and *client host*, not by the account that was
authenticated (tried on MySQL 9.7, MariaDB 11.8 and 10.11): carl@localhost has what is granted to carl@'%' on a schema.
"""

from __future__ import annotations

import ipaddress
import re
from collections import defaultdict
from collections.abc import Iterable, Iterator
from functools import lru_cache

from worker_lambda.privileges.mysql_catalogue import Principal

_WILD = re.compile(r"[%_]")
_LOOPBACK = ("localhost", "127.0.0.1", "::1")  # one client, by name or by address
_Network = ipaddress.IPv4Network | ipaddress.IPv6Network


class GrantRows:
    """Rows by user and host, to be asked which of them reach an account.

    Args:
        rows: whose rows they are, as the grant table names them.
        accounts: every account that can log in: a client that has an account of its own is not served as another.
    """

    def __init__(self, rows: Iterable[Principal], accounts: Iterable[Principal]) -> None:
        self._accounts = {(account.user, account.host.lower()) for account in accounts}
        self._exact: dict[str, dict[str, list[Principal]]] = defaultdict(lambda: defaultdict(list))
        self._patterns: dict[str, list[Principal]] = defaultdict(list)
        for row in set(rows):
            if _is_pattern(row.host):
                self._patterns[row.user].append(row)
            else:
                self._exact[row.user][row.host.lower()].append(row)

    def reaching(self, account: Principal, *, anonymous: bool) -> set[Principal]:
        """Rows of others that the server would take for this account.

        Args:
            anonymous: rows with an empty user name count for every user (mysql.db, proxies_priv).
        """
        users = {account.user, ""} if anonymous else {account.user}
        found = {row for user in users for row in self._overlapping(user, account.host)}
        return {row for row in found if row != account and not self._shadowed(row, account)}

    def _overlapping(self, user: str, host: str) -> Iterator[Principal]:
        yield from (row for row in self._patterns.get(user, ()) if overlap(row.host, host))
        exact = self._exact.get(user, {})
        if _is_pattern(host):
            yield from (row for at, rows in exact.items() if overlap(at, host) for row in rows)
        else:
            for at in _LOOPBACK if host.lower() in _LOOPBACK else (host.lower(),):
                yield from exact.get(at, ())

    def _shadowed(self, row: Principal, account: Principal) -> bool:
        """Whether clients of the row's host log in as an account of their own, so that it never is this one's."""
        own = (row.user, row.host.lower()) in self._accounts
        return bool(row.user) and own and _narrower(row.host, account.host)


def overlap(one: str, other: str) -> bool:
    """Whether a client could be matched by both hosts: names, addresses, LIKE patterns, netmasks; in doubt it could."""
    a, b = one.lower() or "%", other.lower() or "%"
    if a == b or "%" in (a, b):
        return True
    if a in _LOOPBACK and b in _LOOPBACK:
        return True
    networks = [network for network in map(_network, (a, b)) if network]
    if len(networks) == 2:
        return networks[0].version == networks[1].version and networks[0].overlaps(networks[1])
    if networks and "/" in a + b:
        return re.fullmatch(r"[0-9a-f.:%_]+", b if "/" in a else a) is not None
    if a == "localhost" or b == "localhost":
        pattern = b if a == "localhost" else a
        return any(_intersect(name, pattern) for name in _LOOPBACK)
    return _intersect(a, b)


def _is_pattern(host: str) -> bool:
    return not host or "/" in host or _WILD.search(host) is not None


def _narrower(one: str, other: str) -> bool:
    """Whether every client of the first host is one of the second, which is the wider; by what is written."""
    a, b = one.lower() or "%", other.lower() or "%"
    return a != b and (b == "%" or (_is_pattern(b) and "/" not in b and "/" not in a and _like(a, b)))


def _like(text: str, pattern: str) -> bool:
    """LIKE, where the text's own wildcards stand for themselves."""
    return (
        re.fullmatch("".join({"%": ".*", "_": "."}.get(c, re.escape(c)) for c in _squeezed(pattern)), text) is not None
    )


def _network(host: str) -> _Network | None:
    """An address, a netmask as MySQL writes it, or a pattern like `10.1.%`, as a network; None for anything else."""
    octets = host.removesuffix(".%").split(".")
    if host.endswith(".%") and len(octets) < 4 and all(octet.isdigit() for octet in octets):
        host = f"{'.'.join(octets + ['0'] * (4 - len(octets)))}/{8 * len(octets)}"
    try:
        return ipaddress.ip_network(host, strict=False)
    except ValueError:
        return None


def _squeezed(pattern: str) -> str:
    return re.sub(r"%+", "%", pattern)


@lru_cache(maxsize=4096)
def _intersect(one: str, other: str) -> bool:
    """Whether some text matches both LIKE patterns: reached pairs of positions, row by row."""
    a, b = _squeezed(one), _squeezed(other)
    reached = {0}
    for at in range(len(a) + 1):
        here, todo = set(reached), list(reached)
        while todo:  # what stands in b may be nothing, or be swallowed by a % of a
            position = todo.pop()
            if (
                position < len(b)
                and (b[position] == "%" or (at < len(a) and a[at] == "%"))
                and position + 1 not in here
            ):
                here.add(position + 1)
                todo.append(position + 1)
        if at == len(a):
            return len(b) in here
        reached = set()
        for position in here:
            if a[at] == "%":
                reached.add(position)
            elif position < len(b) and (b[position] == "%" or "_" in (a[at], b[position]) or a[at] == b[position]):
                reached.add(position if b[position] == "%" else position + 1)
        if not reached:
            return False
    return False

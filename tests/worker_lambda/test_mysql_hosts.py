"""Which clients two MySQL hosts have in common."""

from __future__ import annotations

import re

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from worker_lambda.privileges.mysql_catalogue import Principal
from worker_lambda.privileges.mysql_hosts import GrantRows, overlap

PATTERNS = st.text("ab%_", max_size=5)


def texts(length: int) -> list[str]:
    return [""] if not length else [head + c for head in texts(length - 1) for c in "ab"]


ALL_TEXTS = [text for length in range(9) for text in texts(length)]


def like(pattern: str) -> re.Pattern[str]:
    return re.compile("".join({"%": ".*", "_": "."}.get(c, c) for c in pattern))


@given(PATTERNS, PATTERNS)
@example("_bb%", "%a_a_")
def test_patterns_overlap_when_some_text_matches_both(one: str, other: str) -> None:
    # An empty host is any host; where both have a %, four other characters each must fit in.
    a, b = like(one or "%"), like(other or "%")
    assert overlap(one, other) == any(a.fullmatch(t) and b.fullmatch(t) for t in ALL_TEXTS)
    assert overlap(one, other) == overlap(other, one)


@pytest.mark.parametrize(
    ("one", "other", "expected"),
    [
        ("%", "db.example.com", True),
        ("LOCALHOST", "localhost", True),
        ("localhost", "127.0.0.1", True),
        ("localhost", "127.0.%", True),
        ("localhost", "10.%", False),
        ("::1", "localhost", True),
        ("10.0.%", "10.%.1", True),
        ("10.1.%", "10.0.%", False),
        ("192.168.0.0/255.255.0.0", "192.168.7.7", True),
        ("192.168.0.0/255.255.0.0", "192.169.0.1", False),
        ("192.168.0.0/255.255.0.0", "192.168.%", True),
        ("192.168.0.0/255.255.0.0", "10.0.0.%", False),
        ("192.168.0.0/255.255.0.0", "192.1_8.%", True),
        ("192.168.0.0/255.255.0.0", "%.example.com", False),
        ("web1.example.com", "%.example.com", True),
        ("web1.example.com", "web2.example.com", False),
        ("fe80::/64", "fe80::1", True),
    ],
)
def test_hosts_of_every_form(one: str, other: str, expected: bool) -> None:
    assert overlap(one, other) is expected
    assert overlap(other, one) is expected


def test_a_wider_row_reaches_a_narrower_account_and_not_the_other_way_round() -> None:
    wide, narrow = Principal("carl", "%"), Principal("carl", "localhost")
    accounts = [wide, narrow]
    assert GrantRows([wide], accounts).reaching(narrow, anonymous=False) == {wide}
    assert GrantRows([narrow], accounts).reaching(wide, anonymous=False) == set()
    assert GrantRows([narrow], [wide]).reaching(wide, anonymous=False) == {narrow}  # a row without its account


def test_an_anonymous_row_reaches_everybody_where_the_table_has_such_rows() -> None:
    rows = GrantRows([Principal("", "%")], [Principal("zoe", "10.1.2.3")])
    assert rows.reaching(Principal("zoe", "10.1.2.3"), anonymous=True) == {Principal("", "%")}
    assert rows.reaching(Principal("zoe", "10.1.2.3"), anonymous=False) == set()


def test_ten_thousand_hosts_of_one_user_are_accounts_of_their_own() -> None:
    hosts = [Principal("app", f"10.0.{n // 256}.{n % 256}") for n in range(10_000)]
    rows = GrantRows(hosts, hosts)
    assert not any(rows.reaching(host, anonymous=True) for host in hosts)

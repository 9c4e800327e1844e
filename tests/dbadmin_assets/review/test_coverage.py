"""The inventory against reality: what runs and is not declared, what is declared and gone, and where nobody knows."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dbadmin_assets.cli.summary import print_summary, summarize
from dbadmin_assets.review.balance import imbalances
from dbadmin_assets.review.consolidate import Pair, write_csv
from dbadmin_assets.review.coverage import GONE, OLDER_WORKER
from dbadmin_assets.review.manifest import canonical_json
from dbadmin_assets.review.manifest_model import read_sealed
from dbadmin_assets.review.records import DeclaredDatabase, ExcludedDatabase
from tests.dbadmin_assets.review.outputs.made import HOSTILE, make
from tests.dbadmin_assets.review.samples import (
    ACCOUNT,
    AS_OF,
    FACTS,
    REGION,
    answer,
    encoded,
    judged,
    record,
    user,
    worker_request,
)
from tests.dbadmin_assets.review.test_manifest import manifest
from worker_lambda.contract import Reason

HASH = "c1a2b3d4e5f6.us-east-1.rds.amazonaws.com"
OTHER_HASH = "z9y8x7w6v5u4.us-east-1.rds.amazonaws.com"


def runs(identifier: str, host: str | None = "", port: int | None = 3306, **other: Any) -> dict[str, Any]:
    """One item of the worker's `found`."""
    host = f"{identifier}.{HASH}" if host == "" else host
    return {
        "identifier": identifier, "arn": f"arn:{identifier}", "kind": "instance", "engine": "mysql", "product": "mysql",
        "state": "available", "host": host, "port": port, "addresses": [],
    } | other  # fmt: skip


def looked(*found: dict[str, Any], status: str = "complete", reason: str | None = None, **other: Any) -> dict[str, Any]:
    return {"status": status, "reason": reason, "at": FACTS, "found": list(found)} | other


def target(
    discovery: dict[str, Any] | None,
    hosts: dict[str, str | None],
    *,
    failed: dict[str, str] | None = None,
    connected: dict[str, tuple[str | None, int | None]] | None = None,
    excluded: tuple[ExcludedDatabase, ...] = (),
    region: str = REGION,
    ports: dict[str, int] | None = None,
) -> Pair:
    """A target whose inventory has these databases at these hosts; `connected`: what the worker connected to."""
    request = worker_request(dict.fromkeys(hosts, "mysql"), region=region)
    made = answer(request, [user(name, "x") for name in hosts if name not in (failed or {})], failed=failed)
    for connection in made["databaseConnections"]:
        name = connection["name"]
        connection["host"], connection["port"] = (connected or {}).get(name, (hosts[name], (ports or {}).get(name)))
    if discovery is not None:
        made["discovery"] = discovery
    data = encoded(made)
    declared = tuple(DeclaredDatabase(n, "mysql", None, host, (ports or {}).get(n)) for n, host in hosts.items())
    made_record = record(request, judged(request, data), excluded=excluded)
    return msgspec.structs.replace(made_record, declared=declared), data


def reported(*pairs: Pair) -> tuple[list[list[str]], dict[str, Any]]:
    """The CSV's rows, and the manifest, which balances."""
    out = io.BytesIO()
    totals = write_csv(pairs, out, as_of=AS_OF)
    made = manifest([pair[0] for pair in pairs], totals)
    assert [wrong for _, wrong in imbalances(read_sealed(canonical_json(made))) if wrong] == []
    return list(csv.reader(io.StringIO(out.getvalue().decode("utf-8-sig"), newline=""), strict=True)), made


def undeclared(*pairs: Pair) -> list[str]:
    return [item["identifier"] for item in reported(*pairs)[1]["discovered"]["undeclared"]]


def test_a_database_that_runs_and_is_not_declared_is_a_warning_row_and_in_the_manifest() -> None:
    rows, made = reported(target(looked(runs("archive"), runs("orders")), {"prod": f"orders.{HASH}"}))
    assert [row for row in rows if row[0].startswith("WARNING")] == [
        [f"WARNING: {ACCOUNT}", REGION, "archive", "MySQL", "Not in inventory", FACTS, "", "", "", ""]
    ]
    assert made["complete"] is True
    assert made["population"]["declared"] == 1
    assert made["discovered"] == {
        "complete": True,
        "targets": [
            {"accountId": ACCOUNT, "region": REGION, "status": "complete", "reason": None, "found": 2, "known": 1}
        ],
        "undeclared": [
            {
                "accountId": ACCOUNT, "region": REGION, "identifier": "archive", "engine": "mysql", "product": "mysql",
                "state": "available", "host": f"archive.{HASH}", "port": 3306,
            }
        ],
        "gone": [],
    }  # fmt: skip


@pytest.mark.parametrize("host", [f"ORDERS.{HASH}", f"orders.{HASH}.", f"orders.{HASH}".upper()])
def test_an_endpoint_is_the_same_in_any_case_and_with_a_dot_at_its_end(host: str) -> None:
    assert undeclared(target(looked(runs("orders")), {"prod": host})) == []


def test_a_host_that_only_the_secret_has_is_matched_by_what_the_worker_connected_to() -> None:
    here: dict[str, tuple[str | None, int | None]] = {"prod": (f"orders.{HASH}", 3306)}
    assert undeclared(target(looked(runs("orders")), {"prod": None}, connected=here)) == []
    refused = {"prod": Reason.AUTHENTICATION_FAILED.value}
    assert undeclared(target(looked(runs("orders")), {"prod": None}, connected=here, failed=refused)) == []
    assert undeclared(target(looked(runs("orders")), {"prod": None}, connected={"prod": (None, None)})) == ["orders"]


def test_a_name_of_its_own_for_an_endpoint_is_not_resolved_and_so_it_is_listed() -> None:
    assert undeclared(target(looked(runs("orders")), {"orders": "orders.db.example.com"})) == ["orders"]


def test_an_excluded_database_is_in_the_inventory() -> None:
    excluded = (ExcludedDatabase("scratch", "mysql", "ticket 1", f"scratch.{HASH}"),)
    assert undeclared(target(looked(runs("scratch")), {"prod": "h"}, excluded=excluded)) == []


def test_every_address_of_a_cluster_or_host_is_one_of_its_own() -> None:
    cluster = runs("orders", addresses=["reader.rds", "orders-1.rds"])
    host = runs("i-1", "ip-10-0-0-1.ec2.internal", None, addresses=["10.0.0.1"])
    assert undeclared(target(looked(cluster, host), {"a": "ORDERS-1.rds", "b": "10.0.0.1"})) == []


def test_another_port_of_the_same_address_is_another_server_where_both_sides_name_one() -> None:
    found = looked(runs("orders", "127.0.0.1", 3306))
    assert undeclared(target(found, {"a": "127.0.0.1"}, ports={"a": 3307})) == ["orders"]
    assert undeclared(target(found, {"a": "127.0.0.1"}, ports={"a": 3306})) == []
    assert undeclared(target(found, {"a": "127.0.0.1"})) == []  # the secret may hold the port
    anywhere = looked(runs("i-1", "127.0.0.1", None))
    assert undeclared(target(anywhere, {"a": "127.0.0.1"}, ports={"a": 3307})) == []


def test_a_declared_database_that_rds_lists_no_more_is_gone_and_says_so_in_its_warning() -> None:
    down = {"old": Reason.HOST_NOT_FOUND.value}
    pair = target(looked(runs("prod")), {"old": f"old.{HASH}", "prod": f"prod.{HASH}"}, failed=down)
    rows, made = reported(pair)
    assert made["discovered"]["gone"] == [
        {"accountId": ACCOUNT, "region": REGION, "name": "old", "host": f"old.{HASH}"}
    ]
    assert [row[4] for row in rows if row[0].startswith("WARNING")] == [GONE]
    assert [row[4] for row in rows if row[0].startswith("ERROR")] == [Reason.HOST_NOT_FOUND.value]


@pytest.mark.parametrize(
    ("why", "host", "discovery", "failed"),
    [
        ("it was read", f"old.{HASH}", looked(runs("prod")), False),
        ("it is listed", f"prod.{HASH}", looked(runs("prod")), True),
        ("not all was listed", f"old.{HASH}", looked(runs("prod"), status="failed", reason="x"), True),
        ("no endpoint of RDS", "old.example.com", looked(runs("prod")), True),
        ("another region's", "old.c1a2b3d4e5f6.eu-west-1.rds.amazonaws.com", looked(runs("prod")), True),
        ("another account's", f"old.{OTHER_HASH}", looked(runs("prod")), True),
        ("nothing is listed that tells the account's own", f"old.{HASH}", looked(), True),
        ("a proxy's", "old.proxy-c1a2b3d4e5f6.us-east-1.rds.amazonaws.com", looked(runs("prod")), True),
        ("the host is in its secret", None, looked(runs("prod")), True),
    ],
)
def test_it_is_not_called_gone_where(why: str, host: str | None, discovery: dict[str, Any], failed: bool) -> None:
    down = {"old": Reason.HOST_NOT_FOUND.value} if failed else None
    assert reported(target(discovery, {"old": host}, failed=down))[1]["discovered"]["gone"] == [], why


def test_the_endpoints_of_clusters_and_of_china_are_endpoints_too() -> None:
    down = dict.fromkeys(("a", "b", "c"), Reason.HOST_NOT_FOUND.value)
    hosts: dict[str, str | None] = {
        "a": f"a.cluster-{HASH}", "b": f"b.cluster-ro-{HASH}", "c": f"c.cluster-custom-{HASH}"
    }  # fmt: skip
    assert len(reported(target(looked(runs("prod")), hosts, failed=down))[1]["discovered"]["gone"]) == 3
    china: dict[str, str | None] = {"a": "a.c1a2b3d4e5f6.rds.cn-north-1.amazonaws.com.cn"}
    listed = looked(runs("prod", "prod.c1a2b3d4e5f6.rds.cn-north-1.amazonaws.com.cn"))
    pair = target(listed, china, failed={"a": Reason.HOST_NOT_FOUND.value}, region="cn-north-1")
    assert len(reported(pair)[1]["discovered"]["gone"]) == 1


@pytest.mark.parametrize(
    ("discovery", "status", "reason"),
    [
        (None, "unknown", OLDER_WORKER),
        ({"status": "off", "reason": None, "at": None, "found": []}, "off", None),
        (looked(status="failed", reason="AccessDenied on rds:DescribeDBInstances"), "failed", "AccessDenied on"),
    ],
)
def test_a_report_says_where_nobody_looked_and_is_no_less_complete(
    discovery: dict[str, Any] | None, status: str, reason: str | None
) -> None:
    _, made = reported(target(discovery, {"prod": "h"}))
    (told,) = made["discovered"]["targets"]
    assert (told["status"], made["discovered"]["complete"], made["complete"]) == (status, False, True)
    assert told["reason"] == reason or str(told["reason"]).startswith(str(reason))


def test_a_target_without_a_result_is_not_known_for_the_reason_that_it_failed() -> None:
    request = worker_request({"prod": "mysql"})
    _, made = reported((record(request, None), None))
    assert made["discovered"]["targets"][0]["reason"] == "no verdict on this target exists"
    nothing = judged(request, b"<html>")
    _, made = reported((record(request, nothing), b"<html>"))
    assert made["discovered"]["targets"][0]["reason"] == "Worker Failed: Invalid answer"


@pytest.mark.parametrize(
    "wrong",
    [
        runs("x", engine="oracle"), runs("x", port=70_000), runs(""), runs("x" * 256), runs("x", "y" * 256),
        runs("x", product=""), runs("x", addresses=["y" * 256]),
    ],
)  # fmt: skip
def test_a_list_that_no_honest_worker_sends_is_not_believed_and_costs_the_collection_nothing(
    wrong: dict[str, Any],
) -> None:
    _, made = reported(target(looked(runs("good"), wrong), {"prod": "h"}))
    (told,) = made["discovered"]["targets"]
    assert (told["status"], told["found"], made["complete"]) == ("failed", 0, True)
    assert told["reason"].startswith("the worker's list of databases is not believed: ")


def test_a_list_without_its_time_is_not_believed() -> None:
    _, made = reported(target(looked(runs("x"), at="yesterday"), {"prod": "h"}))
    assert made["discovered"]["targets"][0]["status"] == "failed"


NAMES = [name for name in HOSTILE if len(name) <= 255]


def test_hostile_identifiers_stay_text_in_the_csv_the_page_the_workbook_and_the_terminal(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    found = [runs(name, f"{name}.rds", product=name, state=name) for name in NAMES if name]
    pair = target(looked(*found), {"prod": "h"})
    rows, made = reported(pair)
    names = [row[2] for row in rows if row[0].startswith("WARNING")]
    assert len(names) == len(NAMES)
    for name in names:
        assert not name.startswith(("=", "+", "-", "@", "\t", "\r"))
        assert not any(ord(c) < 32 or c in "\u202e\u2028\x85" for c in name)
    outputs = make(tmp_path, [pair])
    page = outputs.page()
    listed = [row[4] for row in page.tables["findings"] if row[0] == "Not in inventory"]
    assert len(listed) == len(NAMES)
    assert not [tag for tag in page.tags if tag.startswith(("img", "h1 x"))]
    assert page.text.count("document.title='x'") > 0  # shown, as text
    book = outputs.workbook()
    cells = [cell for sheet in book for row in sheet.iter_rows() for cell in row if isinstance(cell.value, str)]
    assert not [cell for cell in cells if cell.data_type == "f"]
    assert len([cell for cell in cells if cell.value == "Not in inventory"]) >= len(NAMES)
    print_summary(summarize(made | {"files": []}, "s3://b/r/"))
    printed = capsys.readouterr().out
    assert f"Not in the inventory: {len(NAMES)} (known in 1 of 1 targets)" in printed
    assert not [c for c in printed if c != "\n" and (ord(c) < 32 or c in "\u202e\u2028\x85\x7f")]


def test_the_summary_says_what_is_gone_and_where_it_is_not_known(capsys: pytest.CaptureFixture[str]) -> None:
    down = {"old": Reason.HOST_NOT_FOUND.value}
    first = target(looked(runs("prod")), {"old": f"old.{HASH}", "prod": f"prod.{HASH}"}, failed=down)
    second = target(looked(status="failed", reason="AccessDenied on x"), {"prod": "h"}, region="us-west-2")
    _, made = reported(first, second)
    print_summary(summarize(made, "s3://b/r/"))
    printed = capsys.readouterr().out
    assert "Not in the inventory: 0, 1 declared and gone (known in 1 of 2 targets)\n" in printed
    assert f"  {ACCOUNT} {REGION} old: gone, RDS does not list old.{HASH}\n" in printed
    assert f"  {ACCOUNT} us-west-2: not known, AccessDenied on x\n" in printed


@pytest.mark.parametrize(
    ("discovery", "line"),
    [(None, OLDER_WORKER), ({"status": "off", "reason": None, "at": None, "found": []}, "worker.discover is off")],
)
def test_the_summary_says_that_nobody_looked(
    discovery: dict[str, Any] | None, line: str, capsys: pytest.CaptureFixture[str]
) -> None:
    print_summary(summarize(reported(target(discovery, {"prod": "h"}))[1], "s3://b/r/"))
    assert f"Not in the inventory: not known; {line}\n" in capsys.readouterr().out


def changed(made: dict[str, Any], **discovered: Any) -> list[str]:
    """What does not add up in a manifest whose section was changed."""
    section = json.loads(json.dumps(made["discovered"])) | discovered
    data = canonical_json(made | {"discovered": section})
    return [subject for subject, wrong in imbalances(read_sealed(data)) if wrong]


def test_a_manifest_whose_discovery_was_changed_does_not_add_up() -> None:
    down = {"old": Reason.HOST_NOT_FOUND.value}
    found = looked(runs("archive"), runs("prod"))
    _, made = reported(target(found, {"old": f"old.{HASH}", "prod": f"prod.{HASH}"}, failed=down))
    section = made["discovered"]
    (told,) = section["targets"]
    assert changed(made) == []
    assert changed(made, undeclared=[]) == ["discovered"]
    assert changed(made, undeclared=section["undeclared"] * 2) == ["discovered"]
    assert changed(made, gone=[section["gone"][0] | {"name": "prod"}]) == ["discovered"]
    assert changed(made, complete=False) == ["discovered"]
    assert changed(made, targets=[]) == ["discovered"]
    assert changed(made, targets=[told | {"status": "off"}]) == ["discovered"]
    assert changed(made, undeclared=[section["undeclared"][0] | {"region": "us-west-2"}]) == ["discovered"]


def test_a_manifest_from_before_there_was_a_discovery_is_still_one() -> None:
    _, made = reported(target(None, {"prod": "h"}))
    del made["discovered"]
    assert [wrong for _, wrong in imbalances(read_sealed(canonical_json(made))) if wrong] == []
    assert summarize(made, "s3://b/r/")["discovered"] is None


def test_a_name_on_a_server_that_reads_like_the_sentence_makes_no_report_fail_its_own_check() -> None:
    request = worker_request({"prod": "mssql"})
    warnings = [("prod", 3, f"Excluded account is an enabled administrator: x; {GONE}; y")]
    data = encoded(answer(request, [user("prod", "x", engine="mssql")], warnings=warnings))
    assert reported((record(request, judged(request, data)), data))[1]["discovered"]["gone"] == []


places = st.sampled_from(["a", "b", "c", "d"])


@settings(max_examples=60)
@given(
    st.lists(places, unique=True), st.sets(places, min_size=1), st.sets(places), st.sampled_from(["complete", "failed"])
)
def test_every_found_database_is_known_or_listed_and_nothing_that_is_listed_is_gone(
    listed: list[str], declared: set[str], down: set[str], status: str
) -> None:
    found = looked(*(runs(name) for name in listed), status=status)
    hosts: dict[str, str | None] = {name: f"{name}.{HASH}" for name in sorted(declared)}
    failed = dict.fromkeys(declared & down, Reason.HOST_NOT_FOUND.value)
    _, made = reported(target(found, hosts, failed=failed))
    section = made["discovered"]
    assert {item["identifier"] for item in section["undeclared"]} == set(listed) - declared
    gone = {item["name"] for item in section["gone"]}
    assert gone == ((declared & down) - set(listed) if status == "complete" and listed else set())

"""Stored records and their times: they come back as they were, and nothing half understood is accepted."""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime

import pytest

from dbadmin_assets.review.errors import RecordError
from dbadmin_assets.review.folder import latest_pointer, report_folder
from dbadmin_assets.review.records import ExcludedDatabase, Outcome, Request
from dbadmin_assets.review.times import parse_time, seconds_between, utc_now, whole_seconds
from tests.dbadmin_assets.review.samples import answer, delivered, judged, record, requested, user, worker_request

REQUEST = worker_request({"db": "mysql"})
TARGET, _ = delivered(REQUEST, [user("db", "a@%")], excluded=(ExcludedDatabase("old", "mysql", "gone"),))
OUTCOME = judged(REQUEST, answer(REQUEST, [user("db", "a@%")]))


def test_an_outcome_comes_back_as_it_was() -> None:
    assert Outcome.from_json(OUTCOME.to_json()) == OUTCOME
    assert json.loads(OUTCOME.to_json())["schemaVersion"] == "1"
    assert OUTCOME.key == "123456789012|us-east-1"


def test_a_request_comes_back_as_it_was() -> None:
    request = requested(TARGET, inventory_targets=1)
    assert Request.from_json(request.to_json()) == request
    assert request.targets[0].key == TARGET.key == record(REQUEST, None).key


@pytest.mark.parametrize(
    "change",
    [
        {"schemaVersion": "2"},
        {"schemaVersion": None},
        {"newField": 1},
        {"status": "fine"},
        {"attempts": "1"},
        {"databases": None},
    ],
)
def test_an_outcome_of_another_shape_is_refused(change: dict[str, object]) -> None:
    with pytest.raises(RecordError):
        Outcome.from_json(json.dumps(json.loads(OUTCOME.to_json()) | change).encode())


@pytest.mark.parametrize("data", [b"", b"<html>", b"{}", b"\xff\xfe", OUTCOME.to_json()[:-20]])
def test_damaged_records_are_refused(data: bytes) -> None:
    for kind in (Outcome, Request):
        with pytest.raises(RecordError):
            kind.from_json(data)


def test_a_record_without_its_version_is_refused() -> None:
    value = json.loads(OUTCOME.to_json())
    del value["schemaVersion"]
    with pytest.raises(RecordError, match="schemaVersion"):
        Outcome.from_json(json.dumps(value).encode())


def test_now_is_utc_in_whole_seconds() -> None:
    before = datetime.now(UTC).replace(microsecond=0)
    now = utc_now()
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", now)
    assert before <= parse_time(now) <= datetime.now(UTC)


def test_seconds_between_two_times() -> None:
    assert seconds_between("2024-01-15T14:22:33Z", "2024-01-15T14:23:34Z") == 61


@pytest.mark.parametrize("text", ["2024-01-15T14:22:33Z", "2024-01-15T14:22:33.999Z", "2024-01-15T14:22:33.5+00:00"])
def test_times_are_cut_to_whole_seconds(text: str) -> None:
    assert whole_seconds(text) == "2024-01-15T14:22:33Z"


@pytest.mark.parametrize("text", ["", "2024-01-15T14:22:33", "2024-01-15T14:22:33+02:00", "2024-13-15T14:22:33Z", "x"])
def test_times_that_are_not_utc_are_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"time"):
        whole_seconds(text)


def test_a_folder_is_named_for_the_end_and_the_collection() -> None:
    folder = report_folder("2024-01-05T04:02:03Z", "1a2b3c4d-5e6f-7a8b-9c0d-1e2f3a4b5c6d")
    assert folder == "reports/2024/01/05/20240105T040203Z-1a2b3c4d/"
    pointer = json.loads(latest_pointer(folder, "ab" * 32, "2024-01-05T04:02:03Z", 7))
    assert pointer == {
        "schemaVersion": "1",
        "folder": folder,
        "manifest": f"{folder}manifest.json",
        "manifestSha256": "ab" * 32,
        "endedAt": "2024-01-05T04:02:03Z",
        "sequence": 7,
    }

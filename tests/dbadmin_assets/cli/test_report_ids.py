"""A report goes by its ids: which one is meant, and what is said where none or several are."""

from __future__ import annotations

from tests.dbadmin_assets.cli.conftest import Machine
from tests.dbadmin_assets.cli.report_bucket import BEFORE, Bucket, bucket

__all__ = ["bucket"]  # a fixture


def test_a_report_goes_by_every_id_that_it_has(bucket: Bucket) -> None:
    one = bucket.put(BEFORE, "2024-01-01T00:00:00Z", "c0ffee00-0001", run_id="11111111-aaaa")
    other = bucket.put(BEFORE, "2024-01-02T00:00:00Z", "deadbeef-0001", run_id="22222222-bbbb")
    wanted = {
        one: ["c0ffee00-0001", "c0ffee00", "c0ffee00-00", "11111111-aaaa", "11111111", "20240101T000000Z-c0ffee00"],
        other: ["deadbeef", "22222222-bb"],
    }
    for place, ids in wanted.items():
        for name in ids:
            code, told, err = bucket.run("download", name, "--to", "here")
            assert (code, told.get("report")) == (0, f"s3://{bucket.name}/{place}"), err
    _, told, _ = bucket.run("verify", "deadbeef-0001")
    assert told["report"] == f"s3://{bucket.name}/{other}"


def test_an_id_of_several_reports_lists_them_and_an_unknown_one_is_refused(bucket: Bucket) -> None:
    places = [bucket.put(BEFORE, f"2024-01-0{day}T00:00:00Z", "c0ffee00-0001") for day in (1, 2)]
    for command in ("verify", "download"):
        code, told, err = bucket.run(command, "c0ffee00")
        assert code == 2
        assert all(f"s3://{bucket.name}/{place}" in err for place in places)
        assert "2 reports have the id c0ffee00" in told["error"]["message"]
    code, told, err = bucket.run("verify", "c0ffee00-0002")
    assert (code, "no report 'c0ffee00-0002'" in told["error"]["message"]) == (2, True)


def test_a_folder_goes_before_an_id_of_its_name(bucket: Bucket, machine: Machine) -> None:
    place = bucket.put(BEFORE, "2024-01-01T00:00:00Z", "c0ffee00-0001")
    name = place.rstrip("/").rsplit("/", 1)[-1]
    _, told, _ = bucket.run("verify", name)
    assert told["report"] == f"s3://{bucket.name}/{place}"
    assert bucket.run("download", name)[0] == 0
    _, told, _ = bucket.run("verify", name)
    assert told["report"] == name

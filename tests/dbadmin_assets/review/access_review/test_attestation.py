"""What an attestation says, that nobody can change it unseen, and what the next review takes from it."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from dbadmin_assets.review.access_review.follow_up import actions, not_reviewed
from dbadmin_assets.review.attestation import Import, attest, free_time, stamp, time_of
from dbadmin_assets.review.attestation_model import Attestation, attestation_bytes, read_attestation
from dbadmin_assets.review.folder import MANIFEST_NAME
from dbadmin_assets.review.manifest_model import read_sealed
from dbadmin_assets.review.signature import Trust, unsigned_section
from dbadmin_assets.review.verification import verify
from tests.dbadmin_assets.review.access_review.sample import FOLDER, Report, admin, filled_csv, login, small
from tests.dbadmin_assets.review.samples import LocalSigner

AT = "2024-01-20T12:00:00Z"
NAME = "reviews/20240120T120000Z"


def decide(rows: list[dict[str, Any]]) -> None:
    rows[1].update({"Decision": "remove", "Comment": "left", "Owner": "ops@example.com"})
    rows[2].update({"Decision": "change", "Comment": "SELECT only"})


def attested(report: Report, *, signer: LocalSigner | None = None, change: Any = decide) -> Attestation:
    """The attestation of the report's sheet, laid beside it."""
    sheet = filled_csv(report.csv(), change)
    circumstances = Import(FOLDER, report.sha256, AT, "arn:aws:sts::1:assumed-role/x/y", "dana@laptop", None)
    section = signer.section() if signer else unsigned_section("no key")
    made = attest(circumstances, report.check(sheet), sheet=sheet, suffix=".csv", signature=section)
    report.files |= {f"{NAME}.json": attestation_bytes(made), f"{NAME}.csv": sheet}
    if signer:
        report.files[f"{NAME}.sig"] = signer.sign(attestation_bytes(made))
    return made


def broken(report: Report, **other: Any) -> dict[str, str]:
    return {f.subject: f.detail for f in verify(report, None, **other) if f.verdict == "broken"}


def test_it_says_who_decided_what_of_which_report_and_names_the_sheet(tmp_path: Path) -> None:
    report = small(tmp_path)
    made = attested(report)
    plain = json.loads(attestation_bytes(made))
    sheet = report.files[f"{NAME}.csv"]
    assert plain | {"rows": [], "signature": {}} == {
        "schemaVersion": "1", "report": FOLDER, "manifestSha256": report.sha256, "importedAt": AT,
        "executedBy": "arn:aws:sts::1:assumed-role/x/y", "requestedBy": "dana@laptop", "reviewers": ["Dana Doe"],
        "counts": {"administrators": 3, "keep": 1, "remove": 1, "change": 1}, "previous": None,
        "sheet": {"name": "20240120T120000Z.csv", "sha256": hashlib.sha256(sheet).hexdigest(), "sizeBytes": len(sheet)},
        "rows": [], "signature": {},
    }  # fmt: skip
    assert [(row["username"], row["decision"], row["owner"]) for row in plain["rows"]] == [
        ("CORP\\dba", "keep", ""), ("ops@10.%", "remove", "ops@example.com"), ("root@%", "change", ""),
    ]  # fmt: skip
    assert read_attestation(attestation_bytes(made)) == made


def test_a_report_with_a_review_holds_signed_or_not(tmp_path: Path) -> None:
    report, signer = small(tmp_path), LocalSigner()
    attested(report)
    findings = {f.subject: (f.verdict, f.detail) for f in verify(report, None)}
    assert findings[f"{NAME}.json"] == ("holds", "unsigned: no key")
    assert broken(report) == {}
    attested(report, signer=signer)
    assert {f.subject: f.detail for f in verify(report, None)}[f"{NAME}.json"] == ""
    assert broken(report) == {}


def reseal(change: Callable[[dict[str, Any]], Any]) -> Callable[[Report], Any]:
    """As somebody would who changes an attestation and knows how it is written."""

    def changed(report: Report) -> None:
        plain = json.loads(report.files[f"{NAME}.json"])
        change(plain)
        text = json.dumps(plain, sort_keys=True, indent=2, ensure_ascii=True) + "\n"
        report.files[f"{NAME}.json"] = text.encode()

    return changed


CHANGES: list[tuple[str, Callable[[Report], Any], str, str]] = [
    ("a byte of the sheet", lambda r: r.files.update({f"{NAME}.csv": r.files[f"{NAME}.csv"] + b" "}),
     "json", "is not the one that was attested"),
    ("no sheet", lambda r: r.files.pop(f"{NAME}.csv"), "json", "its sheet reviews/20240120T120000Z.csv is not there"),
    ("another manifest", reseal(lambda a: a.update(manifestSha256="0" * 64)), "json", "it attests another report"),
    ("a decision", reseal(lambda a: a["rows"][1].update(decision="keep")), "json", "its counts are not those"),
    ("a decision that is none", reseal(lambda a: a["rows"][1].update(decision="")), "json", "it is not an attestation"),
    ("another name", reseal(lambda a: a["rows"][1].update(principalId="x")), "json", "rows are not of the report"),
    ("another reviewer", reseal(lambda a: a["rows"][1].update(reviewer="Eve")), "json", "its reviewers are not"),
    ("another time", reseal(lambda a: a.update(importedAt="2024-01-21T12:00:00Z")), "json", "it is the attestation of"),
    ("another sheet's name", reseal(lambda a: a["sheet"].update(name="../../manifest.json")), "json", "is no name for"),
    ("one field more", reseal(lambda a: a.update(approved=True)), "json", "it is not an attestation"),
    ("another schema", reseal(lambda a: a.update(schemaVersion="2")), "json", "schemaVersion '2', not '1'"),
    ("said to be signed", reseal(lambda a: a.update(signature=LocalSigner().section())), "json", "is not there"),
    ("reformatted", lambda r: r.files.update({f"{NAME}.json": r.files[f"{NAME}.json"].replace(b"  ", b" ")}),
     "json", "its bytes are not those that are written"),
    ("a signature that nobody names", lambda r: r.files.update({f"{NAME}.sig": b"x"}),
     "json", "it says that it is not signed"),
    ("a sheet that nobody attests", lambda r: r.files.update({"reviews/20240121T120000Z.csv": b"x"}),
     "", "no attestation goes with it"),
    ("a stray file", lambda r: r.files.update({"reviews/approved.txt": b"x"}), "", "no review has such a file"),
]  # fmt: skip


@pytest.mark.parametrize(("change", "end", "why"), [c[1:] for c in CHANGES], ids=[c[0] for c in CHANGES])
def test_whatever_is_changed_in_a_review_is_found_and_named(
    tmp_path: Path, change: Callable[[Report], Any], end: str, why: str
) -> None:
    report = small(tmp_path)
    attested(report)
    change(report)
    found = broken(report)
    assert any(why in detail for subject, detail in found.items() if subject.endswith(end)), found
    assert all(subject.startswith("reviews/") for subject in found)


def test_a_signature_holds_the_bytes_and_a_pinned_key_holds_the_signature(tmp_path: Path) -> None:
    report, signer, other = small(tmp_path), LocalSigner(), LocalSigner()
    attested(report, signer=signer)
    reseal(lambda a: a.update(requestedBy="eve@laptop"))(report)
    assert "the signature is not that of these bytes" in broken(report)[f"{NAME}.json"]
    attested(report, signer=other)
    trust = Trust("the test", signer.section()["fingerprint"])
    assert "another key than that of the test" in broken(report, trust=trust)[f"{NAME}.json"]


def test_a_review_in_the_folder_of_another_report_does_not_hold(tmp_path: Path) -> None:
    report, other = small(tmp_path), small(tmp_path, code_version="0.1.1")
    attested(report)
    other.files |= {name: data for name, data in report.files.items() if name.startswith("reviews/")}
    assert list(broken(other)) == [f"{NAME}.json"]
    assert f"{NAME}.json" in broken(report, place="reports/2024/01/16/20240116T150000Z-c0ffee00")


def test_the_next_sheet_begins_with_what_was_decided_and_confirms_nothing(tmp_path: Path) -> None:
    made = attested(small(tmp_path))
    later = small(tmp_path, code_version="0.1.1")
    cells = [row.cells() for row in later.rows(previous=made)]
    assert [row[-5:] for row in cells] == [
        ["", "keep", "", "", "as agreed"],
        ["ops@example.com", "remove", "", "", "left"],
        ["", "change", "", "", "SELECT only"],
    ]


def test_a_principal_whose_role_changed_needs_a_new_decision_and_the_sheet_says_why(tmp_path: Path) -> None:
    report = Report(admin("orders", "root@%"), login("CORP\\dba", "0x0105"), folder=tmp_path)
    made = attested(report, change=None)
    later = Report(
        admin("orders", "root@%", role_name="Root Admin (ALL)"), login("CORP\\renamed", "0x0105"), login("new", "0x07"),
        folder=tmp_path,
    )  # fmt: skip
    rows = {row.principal.username: row.prefilled for row in later.rows(previous=made)}
    assert rows["root@%"].decision == ""
    assert rows["root@%"].comment == (
        "Changed since keep on 2024-01-20: role was 'Full Admin (SUPER)', is 'Root Admin (ALL)'"
    )
    assert rows["CORP\\renamed"] == ("", "keep", "as agreed")  # by its sid, whatever it is called
    assert rows["new"] == ("", "", "")


def test_accounts_that_read_the_same_take_nothing_over(tmp_path: Path) -> None:
    report = Report(admin("orders", "a@b@c"), admin("orders", "a@b@c"), folder=tmp_path)
    made = attested(report, change=None)
    assert [row.prefilled.decision for row in report.rows(previous=made)] == ["", ""]


def test_an_owner_that_a_reviewer_corrected_stays_and_else_the_inventory_counts(tmp_path: Path) -> None:
    made = attested(small(tmp_path))
    inventory = [row._replace(owner="new@example.com") for row in small(tmp_path).administrators]
    later = small(tmp_path)
    later.principals = inventory
    assert [row.prefilled.owner for row in later.rows(previous=made)] == [
        "new@example.com", "ops@example.com", "new@example.com",
    ]  # fmt: skip


def test_what_was_decided_is_open_until_a_report_shows_that_it_is_done(tmp_path: Path) -> None:
    report = small(tmp_path)
    made = attested(report)

    def states(other: Report) -> dict[str, str]:
        manifest = read_sealed(other.files[MANIFEST_NAME])
        return {a.row.username: a.state for a in actions(made, manifest, other.administrators)}

    assert states(report) == {"ops@10.%": "open", "root@%": "open"}
    later = Report(admin("orders", "root@%", role_name="Root Admin (ALL)"), login("new", "0x7"), folder=tmp_path)
    assert states(later) == {"ops@10.%": "done", "root@%": "done"}
    assert [row.username for row in not_reviewed(made, later.administrators)] == ["new"]
    unseen = Report(login("CORP\\dba", "0x0105"), failed={"orders": "Connection Failed: Timed out"}, folder=tmp_path)
    assert states(unseen) == {"ops@10.%": "unknown", "root@%": "unknown"}


def test_times_and_names_of_reviews_are_each_others() -> None:
    assert time_of(stamp(AT)) == AT
    assert free_time(AT, {stamp(AT), stamp("2024-01-20T12:00:01Z")}) == "2024-01-20T12:00:02Z"

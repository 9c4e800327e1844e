"""The audit with its real tools, over planted trees and over this checkout. No vulnerability database is needed."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from audit.__main__ import EXIT_FINDINGS, EXIT_NOT_RUN, ROOT, exit_code
from audit.code import dockerfile, risky_code
from audit.dependencies import judged, vulnerabilities
from audit.part import Part
from audit.secrets import secrets
from sandbox.tools import install

RUFF = Path(sys.executable).with_name("ruff")
KEY = "AKIA" + "Q3EGRIZ7PLANTED5"


@pytest.fixture(scope="module")
def tools() -> Path:
    return install("audit", ROOT / "requirements" / "audit.txt").parent


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    subprocess.run(["git", "init", "-q", tmp_path], check=True)
    return tmp_path


def plant(root: Path, name: str, text: str) -> None:
    path = root / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
    subprocess.run(["git", "add", "-A"], cwd=root, check=True)


def test_this_checkout_has_no_risky_code_no_secret_and_a_sound_dockerfile(tools: Path) -> None:
    for part in (risky_code(ROOT, RUFF), secrets(ROOT, tools), dockerfile(ROOT, tools)):
        assert (part.status, part.findings, part.problem) == ("clean", (), "")


@pytest.mark.parametrize("name", ["product/settings.py", "tests/test_x.py", "a name with spaces.md", "docs/ü.md"])
def test_a_key_is_found_wherever_it_is_and_never_told(checkout: Path, tools: Path, name: str) -> None:
    plant(checkout, name, f'first = 1\nkey = "{KEY}"\n')
    found = secrets(checkout, tools, {})
    assert found.status == "findings"
    assert f"{name}:2: AWS Access Key" in found.findings
    assert KEY not in str(found)


def test_a_password_is_found_in_the_product_and_let_be_where_passwords_are_planted(checkout: Path, tools: Path) -> None:
    for name in ("product/a.py", "tests/a.py"):
        plant(checkout, name, 'password = "correct horse battery"\n')
    assert secrets(checkout, tools, {}).findings == ("product/a.py:1: Secret Keyword",)


def test_what_is_allowed_is_that_text_in_that_file_and_nothing_may_be_allowed_in_advance(
    checkout: Path, tools: Path
) -> None:
    plant(checkout, "a.py", 'password = "correct horse battery"\n')
    assert secrets(checkout, tools, {("a.py", "correct horse battery"): "a story"}).status == "clean"
    found = secrets(checkout, tools, {("b.py", "correct horse battery"): "a story"}).findings
    assert found == ("a.py:1: Secret Keyword", "b.py: nothing is there that audit/secrets.py allows (a story)")


def test_outside_of_a_checkout_nothing_was_looked_at(tmp_path: Path, tools: Path) -> None:
    found = secrets(tmp_path, tools, {})
    assert (found.status, "git exited with 128" in found.problem) == ("not run", True)


def test_a_shell_is_found_and_a_suppression_needs_its_reason(tmp_path: Path) -> None:
    lines = ["import subprocess", "", 'subprocess.run("ls", shell=True)', "assert subprocess  # noqa: S101", ""]
    plant_at = tmp_path / "product" / "x.py"
    plant_at.parent.mkdir()
    plant_at.write_text("\n".join(lines), encoding="utf-8")
    (tmp_path / "ruff.toml").write_text('lint.select = ["S"]\n', encoding="utf-8")
    found = risky_code(tmp_path, RUFF, ("product",))
    assert any(told.startswith("product/x.py:3: S60") for told in found.findings)
    assert "product/x.py:4: a suppression without a reason" in found.findings


def test_a_tool_that_is_not_there_is_no_clean_bill(tmp_path: Path) -> None:
    found = dockerfile(tmp_path, tmp_path)
    assert (found.status, found.problem) == ("not run", "hadolint cannot be run: No such file or directory")


# --- vulnerabilities --------------------------------------------------------------------------


def test_without_a_database_the_part_is_not_run(tmp_path: Path, tools: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "http_proxy", "https_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    monkeypatch.setenv("HOME", str(tmp_path))  # nothing from a cache
    (tmp_path / "requirements").mkdir()
    pin = "certifi==2024.2.2 --hash=sha256:" + "0" * 64 + "\n"
    (tmp_path / "requirements" / "x.txt").write_text(pin, encoding="utf-8")
    found = vulnerabilities(tmp_path, tools)
    assert (found.status, found.looked_at, bool(found.problem)) == ("not run", "0 packages of 1 files", True)


def test_a_package_that_the_database_does_not_know_is_not_one_without_vulnerabilities() -> None:
    known, unknown = {"name": "a", "version": "1", "vulns": []}, {"name": "b", "skip_reason": "not found"}
    assert judged([known], 1).status == "clean"
    found = judged([known, unknown], 1)
    assert (found.status, found.looked_at) == ("not run", "1 of 2 packages of 1 files")
    assert judged([], 1).status == "not run"


def test_a_vulnerability_is_a_finding_also_where_others_were_skipped() -> None:
    bad = {"name": "a", "version": "1", "vulns": [{"id": "PYSEC-1", "fix_versions": ["1.1"]}]}
    found = judged([bad, {"name": "b", "skip_reason": "not found"}], 1)
    assert (found.status, found.findings) == ("findings", ("a 1: PYSEC-1, fixed in 1.1",))
    assert found.problem


def test_exit_codes() -> None:
    clean, missing, found = (
        Part("a", "clean", ""),
        Part("b", "not run", "", problem="x"),
        Part("c", "findings", "", ("y",)),
    )
    assert exit_code([clean], strict=True) == 0
    assert exit_code([clean, missing], strict=False) == 0
    assert exit_code([clean, missing], strict=True) == EXIT_NOT_RUN
    assert exit_code([missing, found], strict=True) == EXIT_FINDINGS

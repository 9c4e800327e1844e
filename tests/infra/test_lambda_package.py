"""The worker's package: the same bytes for the same input, nothing in it that is not needed, and it imports."""

from __future__ import annotations

import importlib.util
import json
import os
import platform
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from infra import lambda_bytecode, lambda_package, lambda_smoke

ROOT = lambda_package.ROOT
MACHINE = {"aarch64": "arm64"}.get(platform.machine(), platform.machine())
OTHER = "x86_64" if MACHINE == "arm64" else "arm64"
on_linux = pytest.mark.skipif(sys.platform != "linux", reason="the wheels of Lambda are those of Linux")


def checkout(directory: Path) -> Path:
    """A copy of what the package is made of; files get other times and another order on disk than those copied."""
    for name in ("worker_lambda", "infra", "requirements"):
        for path in sorted((ROOT / name).rglob("*"), reverse=True):
            if path.is_file() and "__pycache__" not in path.parts:
                copy = directory / path.relative_to(ROOT)
                copy.parent.mkdir(parents=True, exist_ok=True)
                copy.write_bytes(path.read_bytes())
    return directory


def built(directory: Path, *options: str) -> dict[str, object]:
    command = [sys.executable, "-m", "infra.lambda_package", "--json", "--output", str(directory / "out.zip"), *options]
    done = subprocess.run(command, cwd=directory, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    document: dict[str, object] = json.loads(done.stdout)
    return document


@on_linux
def test_two_builds_in_two_directories_are_byte_equal_and_import(tmp_path: Path) -> None:
    first, second = checkout(tmp_path / "first"), checkout(tmp_path / "a much longer second directory")
    answer = built(first, "--architecture", MACHINE)
    again = built(second, "--architecture", MACHINE, "--no-smoke-test")
    assert (first / "out.zip").read_bytes() == (second / "out.zip").read_bytes()
    assert answer["sha256"] == again["sha256"]
    assert answer["content_sha256"] == again["content_sha256"]
    smoke = answer["smoke_test"]
    assert isinstance(smoke, dict)
    assert smoke["passed"]
    assert smoke["modules"] > 30
    assert smoke["the_zip_itself"] is (answer["bytecode"] is not None)


@pytest.fixture(scope="module")
def names(tmp_path_factory: pytest.TempPathFactory) -> set[str]:
    archive = tmp_path_factory.mktemp("other") / "out.zip"
    lambda_package.build(archive, OTHER, compiler=lambda_bytecode.find_interpreter(lambda_package.PYTHON))
    with zipfile.ZipFile(archive) as zipped:
        return set(zipped.namelist())


@on_linux
def test_the_package_holds_the_worker_its_drivers_and_the_licences_only(names: set[str]) -> None:
    assert {name.partition("/")[0] for name in names if not name.partition("/")[0].endswith(".dist-info")} == {
        "worker_lambda", "pymysql", "pymssql", "pymssql.libs", "cryptography", "cffi", "pycparser",
        next(name for name in names if name.startswith("_cffi_backend")),
    }  # fmt: skip
    assert "worker_lambda/collectors/rds_roots.pem" in names
    metadata = {name for name in names if ".dist-info/" in name}
    assert metadata
    assert all("/licenses/" in name for name in metadata)
    assert not [name for name in names if name.endswith((".pyx", ".pyi", ".h")) or "tests" in name.split("/")]


@on_linux
def test_compiled_code_is_that_of_the_architecture_asked_for(names: set[str]) -> None:
    machine = lambda_package.MACHINES[OTHER]
    compiled = [name for name in names if ".cpython-" in name and name.endswith(".so")]
    assert compiled
    assert all(f"cpython-312-{machine}" in name for name in compiled)


@on_linux
def test_bytecode_stands_beside_every_source_where_python_3_12_is_here_and_nowhere_else(names: set[str]) -> None:
    sources = {name for name in names if name.endswith(".py")}
    bytecode = {name for name in names if name.endswith(".pyc")}
    if lambda_bytecode.find_interpreter("3.12") is None:
        assert not bytecode
        return
    expected = {f"{Path(n).parent}/__pycache__/{Path(n).stem}.cpython-312.pyc".removeprefix("./") for n in sources}
    assert bytecode == expected


def test_bytecode_is_unchecked_and_names_lambdas_paths_not_this_machines(tmp_path: Path) -> None:
    here = lambda_bytecode.Interpreter(sys.executable, platform.python_version())
    (tmp_path / "package").mkdir()
    (tmp_path / "package" / "module.py").write_text("NAMES = {'b', 'a', 'c'}\ndef f():\n    return 'x' in {'p', 'q'}\n")
    lambda_bytecode.compile_tree(tmp_path, here)
    compiled = Path(importlib.util.cache_from_source(str(tmp_path / "package" / "module.py"))).read_bytes()
    assert compiled[4:8] == b"\x01\x00\x00\x00"  # PEP 552: hash-based, not checked
    assert b"/var/task/package/module.py" in compiled
    assert str(tmp_path).encode() not in compiled


def test_a_source_that_does_not_compile_stops_the_build(tmp_path: Path) -> None:
    (tmp_path / "broken.py").write_text("def f(:\n")
    here = lambda_bytecode.Interpreter(sys.executable, platform.python_version())
    with pytest.raises(subprocess.CalledProcessError):
        lambda_bytecode.compile_tree(tmp_path, here)


def test_a_python_that_only_says_how_to_install_itself_is_not_taken(tmp_path: Path) -> None:
    shim = tmp_path / "python3.99"
    shim.write_text("#!/bin/sh\necho 'not found' >&2\nexit 127\n")
    shim.chmod(0o755)
    assert lambda_bytecode.find_interpreter("3.99", str(shim)) is None


def test_a_python_of_another_version_is_not_taken() -> None:
    assert lambda_bytecode.find_interpreter("3.99", sys.executable) is None
    found = lambda_bytecode.find_interpreter(f"{sys.version_info[0]}.{sys.version_info[1]}", sys.executable)
    assert found == lambda_bytecode.Interpreter(sys.executable, platform.python_version())


def test_a_package_without_bytecode_says_so(tmp_path: Path, capsys: pytest.CaptureFixture[str],
                                            monkeypatch: pytest.MonkeyPatch) -> None:  # fmt: skip
    monkeypatch.setattr(lambda_package, "install_dependencies", lambda directory, _: directory.mkdir())
    monkeypatch.setattr(lambda_bytecode, "find_interpreter", lambda *_: None)
    assert lambda_package.main(["--output", str(tmp_path / "w.zip"), "--no-smoke-test"]) == 0
    assert "NO bytecode" in capsys.readouterr().out
    with zipfile.ZipFile(tmp_path / "w.zip") as zipped:
        assert not [name for name in zipped.namelist() if name.endswith(".pyc")]


def test_a_package_that_does_not_import_fails_and_names_the_reason(tmp_path: Path) -> None:
    for name in ("worker_lambda", "worker_lambda/collectors"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "__init__.py").touch()
    (tmp_path / "worker_lambda" / "handler.py").write_text("import a_driver_that_was_left_out\n")
    here = lambda_bytecode.Interpreter(sys.executable, platform.python_version())
    smoke = lambda_smoke._import(tmp_path, here, MACHINE, True)
    assert not smoke.passed
    assert "a_driver_that_was_left_out" in str(smoke)


def test_the_bare_interpreter_sees_nothing_of_this_environment(tmp_path: Path) -> None:
    """boto3 is installed here; a worker that imported it at the top would pass for the wrong reason."""
    shutil.copytree(ROOT / "worker_lambda", tmp_path / "worker_lambda", ignore=shutil.ignore_patterns("__pycache__"))
    handler = tmp_path / "worker_lambda" / "handler.py"
    handler.write_text(handler.read_text() + "\nimport boto3\n")
    here = lambda_bytecode.Interpreter(sys.executable, platform.python_version())
    smoke = lambda_smoke._import(tmp_path, here, MACHINE, True)
    assert smoke.problem == "ModuleNotFoundError: No module named 'boto3'"


def test_files_of_another_owner_mode_and_time_make_the_same_entry(tmp_path: Path) -> None:
    for name, mode, when in (("one", 0o644, 1e9), ("two", 0o755, 1.5e9)):
        (tmp_path / name).mkdir()
        (tmp_path / name / "a.py").write_text("A = 1\n")
        (tmp_path / name / "a.py").chmod(mode)
        os.utime(tmp_path / name / "a.py", (when, when))
        lambda_package.write_zip(tmp_path / f"{name}.zip", (tmp_path / name, ""))
    assert (tmp_path / "one.zip").read_bytes() == (tmp_path / "two.zip").read_bytes()

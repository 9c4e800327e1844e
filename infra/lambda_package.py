"""`make lambda`: dist/worker_lambda.zip, the same bytes for the same input.

The zip holds worker_lambda/ and its pinned dependencies for Python 3.12 on the architecture of the function.
manylinux_2_28 comes first: for 2014 alone pip would give an old pymssql with OpenSSL 1.0.2, were it not pinned.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
MACHINES = {"arm64": "aarch64", "x86_64": "x86_64"}
PYTHON = "3.12"
_EPOCH = (1980, 1, 1, 0, 0, 0)
_LEFT_OUT = {"__pycache__", "bin", "tests"}


def install_dependencies(directory: Path, architecture: str) -> None:
    """Wheels of requirements/worker.txt, checked against their hashes."""
    machine = MACHINES[architecture]
    subprocess.run(
        [
            sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--require-hashes",
            "--only-binary=:all:", "--no-compile", "--python-version", PYTHON, "--implementation", "cp",
            "--platform", f"manylinux_2_28_{machine}", "--platform", f"manylinux2014_{machine}",
            "--target", str(directory),
            "-r", str(ROOT / "requirements" / "worker.txt"),
        ],
        check=True,
    )  # fmt: skip


def files(directory: Path) -> list[Path]:
    """What goes into the zip, in a fixed order."""
    found = (path for path in directory.rglob("*") if path.is_file() and path.suffix != ".pyc")
    return sorted(path for path in found if not _LEFT_OUT & set(path.relative_to(directory).parts))


def write_zip(archive: Path, *directories: tuple[Path, str]) -> int:
    """Put each directory's files below its prefix; times and modes are fixed. Returns the size in bytes."""
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as zipped:
        for directory, prefix in directories:
            for path in files(directory):
                entry = zipfile.ZipInfo(prefix + path.relative_to(directory).as_posix(), _EPOCH)
                entry.external_attr = 0o644 << 16
                zipped.writestr(entry, path.read_bytes(), zipfile.ZIP_DEFLATED, 9)
    return archive.stat().st_size


def main() -> None:
    """Build and say what was built."""
    parser = argparse.ArgumentParser(prog="python -m infra.lambda_package")
    parser.add_argument("--architecture", choices=sorted(MACHINES), default="arm64")
    architecture = parser.parse_args().architecture
    archive = ROOT / "dist" / "worker_lambda.zip"
    archive.parent.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory() as directory:
        install_dependencies(Path(directory), architecture)
        size = write_zip(archive, (Path(directory), ""), (ROOT / "worker_lambda", "worker_lambda/"))
    print(f"{archive.relative_to(ROOT)}: {size / 1e6:.1f} MB, Python {PYTHON}, {architecture}")  # noqa: T201


if __name__ == "__main__":
    main()

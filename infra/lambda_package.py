"""`make lambda`: dist/worker_lambda.zip, the same bytes for the same input.

The zip holds worker_lambda/, its pinned dependencies for Python 3.12 on the function's architecture, and bytecode
where a Python 3.12 is at hand to make it. manylinux_2_28 comes first: for 2014 alone pip would give an old pymssql
with OpenSSL 1.0.2, were it not pinned. boto3 is in Lambda's runtime and stays out.
"""

from __future__ import annotations

import argparse
import base64
import hashlib
import json
import shutil
import subprocess
import sys
import tempfile
import zipfile
from dataclasses import asdict, dataclass
from pathlib import Path

from infra import lambda_bytecode, lambda_smoke

ROOT = Path(__file__).resolve().parent.parent
MACHINES = {"arm64": "aarch64", "x86_64": "x86_64"}
PYTHON = "3.12"
_EPOCH = (1980, 1, 1, 0, 0, 0)
_LEFT_OUT = {"__pycache__", "bin", "tests"}
_SOURCES_OF_COMPILED_CODE = {".pyx", ".pxd", ".pyi", ".h", ".c", ".pyc"}  # nothing reads them at run time
_LARGEST = 15


@dataclass(frozen=True, slots=True)
class Package:
    """What was built. Sizes in bytes; `largest` are (path, size unpacked); `bytecode` names its maker, or None.

    `content_sha256` is over names and unpacked bytes: it stays the same where another zlib compresses differently.
    """

    archive: str
    architecture: str
    python: str
    bytecode: str | None
    zipped: int
    unpacked: int
    files: int
    sha256: str
    code_sha256: str
    content_sha256: str
    largest: tuple[tuple[str, int], ...]


def build(archive: Path, architecture: str, *, compiler: lambda_bytecode.Interpreter | None = None) -> Package:
    """Install, copy, compile and zip.

    Args:
        compiler: a Python 3.12 that makes the bytecode; None ships sources only.

    Raises:
        subprocess.CalledProcessError: pip could not get the wheels, or a file does not compile.
    """
    with tempfile.TemporaryDirectory() as directory:
        staged = Path(directory) / "staged"
        install_dependencies(Path(directory) / "wheels", architecture)
        stage(staged, (Path(directory) / "wheels", ""), (ROOT / "worker_lambda", "worker_lambda/"))
        if compiler:
            lambda_bytecode.compile_tree(staged, compiler)
        write_zip(archive, (staged, ""), bytecode=compiler is not None)
    return describe(archive, architecture, compiler)


def install_dependencies(directory: Path, architecture: str) -> None:
    """Wheels of requirements/worker.txt, checked against their hashes."""
    machine = MACHINES[architecture]
    _pip(
        directory, "--python-version", PYTHON, "--implementation", "cp",
        "--platform", f"manylinux_2_28_{machine}", "--platform", f"manylinux2014_{machine}",
    )  # fmt: skip


def install_native(directory: Path) -> None:
    """The same for this interpreter on this machine."""
    _pip(directory)


def _pip(directory: Path, *options: str) -> None:
    subprocess.run(
        [
            sys.executable, "-m", "pip", "install", "-qq", "--disable-pip-version-check", "--require-hashes",
            "--only-binary=:all:", "--no-compile", *options, "--target", str(directory),
            "-r", str(ROOT / "requirements" / "worker.txt"),
        ],
        check=True,
    )  # fmt: skip


def files(directory: Path, *, bytecode: bool = False) -> list[Path]:
    """What goes into the zip, in a fixed order."""
    left_out = _LEFT_OUT - {"__pycache__"} if bytecode else _LEFT_OUT
    suffixes = _SOURCES_OF_COMPILED_CODE - {".pyc"} if bytecode else _SOURCES_OF_COMPILED_CODE
    found = []
    for path in directory.rglob("*"):
        parts = path.relative_to(directory).parts
        if path.is_file() and path.suffix not in suffixes and not left_out & set(parts) and _wanted_metadata(parts):
            found.append(path)
    return sorted(found, key=lambda path: path.relative_to(directory).as_posix())


def _wanted_metadata(parts: tuple[str, ...]) -> bool:
    """Of a distribution's metadata the licences only: they must travel with what they license."""
    return not parts[0].endswith(".dist-info") or (len(parts) > 2 and parts[1] == "licenses")


def stage(target: Path, *directories: tuple[Path, str]) -> None:
    """Copy each directory's files below its prefix."""
    for directory, prefix in directories:
        for path in files(directory):
            copy = target / prefix / path.relative_to(directory)
            copy.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(path, copy)


def write_zip(archive: Path, *directories: tuple[Path, str], bytecode: bool = False) -> int:
    """Put each directory's files below its prefix; times and modes are fixed. Returns the size in bytes."""
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as zipped:
        for directory, prefix in directories:
            for path in files(directory, bytecode=bytecode):
                entry = zipfile.ZipInfo(prefix + path.relative_to(directory).as_posix(), _EPOCH)
                entry.create_system = 3  # Unix, whatever builds it: the modes count there only
                entry.external_attr = 0o100644 << 16
                zipped.writestr(entry, path.read_bytes(), zipfile.ZIP_DEFLATED, 9)
    return archive.stat().st_size


def describe(archive: Path, architecture: str, compiler: lambda_bytecode.Interpreter | None) -> Package:
    """Sizes, digests and the largest files of a zip."""
    content = hashlib.sha256()
    sizes: list[tuple[str, int]] = []
    with zipfile.ZipFile(archive) as zipped:
        for entry in zipped.infolist():
            content.update(f"{entry.filename}\0{entry.file_size}\0".encode() + zipped.read(entry))
            sizes.append((entry.filename, entry.file_size))
    digest = hashlib.sha256(archive.read_bytes())
    return Package(
        archive=str(archive),
        architecture=architecture,
        python=PYTHON,
        bytecode=compiler.version if compiler else None,
        zipped=archive.stat().st_size,
        unpacked=sum(size for _, size in sizes),
        files=len(sizes),
        sha256=digest.hexdigest(),
        code_sha256=base64.b64encode(digest.digest()).decode(),
        content_sha256=content.hexdigest(),
        largest=tuple(sorted(sizes, key=lambda item: (-item[1], item[0]))[:_LARGEST]),
    )


def main(argv: list[str] | None = None) -> int:
    """Build, say what was built, and import it; 1 where that fails."""
    parser = argparse.ArgumentParser(prog="python -m infra.lambda_package", description=__doc__)
    parser.add_argument("--architecture", choices=sorted(MACHINES), default="arm64")
    parser.add_argument("--output", type=Path, default=ROOT / "dist" / "worker_lambda.zip")
    parser.add_argument("--python", help=f"a Python {PYTHON} that makes the bytecode (default: looked for)")
    parser.add_argument("--no-bytecode", action="store_true", help="sources only")
    parser.add_argument("--no-smoke-test", action="store_true", help="do not import what was built")
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args(argv)
    interpreter = lambda_bytecode.find_interpreter(PYTHON, options.python)
    if options.python and interpreter is None:
        parser.error(f"{options.python} is not a CPython {PYTHON} that runs here")
    compiler = None if options.no_bytecode else interpreter
    options.output.parent.mkdir(parents=True, exist_ok=True)
    package = build(options.output, options.architecture, compiler=compiler)
    if not options.json:
        _print(package)
    smoke = None if options.no_smoke_test else lambda_smoke.run(options.output, options.architecture, interpreter)
    if options.json:
        print(json.dumps(asdict(package) | {"smoke_test": smoke and asdict(smoke)}, indent=2))  # noqa: T201
    elif smoke:
        print(smoke)  # noqa: T201
    return 1 if smoke and not smoke.passed else 0


def _print(package: Package) -> None:
    made = f"bytecode by CPython {package.bytecode}"
    if not package.bytecode:
        made = (
            f"NO bytecode (none asked for, or no Python {package.python} here): a cold start compiles what it imports"
        )
    archive = Path(package.archive).resolve()
    shown = archive.relative_to(Path.cwd()) if archive.is_relative_to(Path.cwd()) else archive
    lines = [
        f"{shown}: Python {package.python}, {package.architecture}; {made}",
        f"{package.zipped / 2**20:.1f} MiB zipped, {package.unpacked / 2**20:.1f} MiB unpacked, {package.files} files",
        f"sha256      {package.sha256}",
        f"CodeSha256  {package.code_sha256}",
        f"content     {package.content_sha256}",
        f"The {len(package.largest)} largest files, unpacked:",
        *(f"{size / 1024:10,.0f} KiB  {name}" for name, size in package.largest),
    ]
    print("\n".join(lines), flush=True)  # noqa: T201


if __name__ == "__main__":
    raise SystemExit(main())

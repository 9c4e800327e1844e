"""What a Lambda function of the sandbox is: names, code, limits. No behaviour."""

from __future__ import annotations

import base64
import hashlib
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from sandbox.processes import ROOT


@dataclass(frozen=True)
class Function:
    """A deployed function; its code runs from the checkout.

    Attributes:
        handler: `module.function`; a fault handler of the tests works as well as the real one.
        role_arn: execution role, whose credentials the process gets.
        concurrency: reserved concurrency; above it callers get 429.
        init_timeout_seconds: AWS gives ten, then starts the process anew within the function's own time-out.
    """

    account_id: str
    region: str
    name: str
    role_arn: str
    handler: str = "worker_lambda.handler.handler"
    timeout_seconds: float = 600.0
    init_timeout_seconds: float = 10.0
    memory_mb: int = 512
    concurrency: int = 1000
    environment: dict[str, str] = field(default_factory=dict)
    python: str = sys.executable
    root: Path = ROOT

    @property
    def arn(self) -> str:
        """`arn:aws:lambda:REGION:ACCOUNT:function:NAME`."""
        return f"arn:aws:lambda:{self.region}:{self.account_id}:function:{self.name}"

    def configuration(self) -> dict[str, Any]:
        """What GetFunctionConfiguration answers, as far as the sandbox knows it."""
        return {
            "FunctionName": self.name,
            "FunctionArn": self.arn,
            "Runtime": "python3.12",
            "Role": self.role_arn,
            "Handler": self.handler,
            "Timeout": int(self.timeout_seconds),
            "MemorySize": self.memory_mb,
            "CodeSha256": code_sha256(self.root / self.handler.split(".")[0]),
            "Version": "$LATEST",
            "State": "Active",
            "LastUpdateStatus": "Successful",
        }


def code_sha256(package: Path) -> str:
    """Base64 SHA-256 over names and contents of a package's source files: changes when the code does."""
    digest = hashlib.sha256()
    sources = sorted(package.rglob("*.py")) if package.is_dir() else [package.with_suffix(".py")]
    for path in sources:
        content = path.read_bytes()
        digest.update(f"{path.relative_to(package.parent)}\0{len(content)}\0".encode() + content)
    return base64.b64encode(digest.digest()).decode()

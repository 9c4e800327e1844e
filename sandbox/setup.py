"""`python -m sandbox.setup`: fetch ahead of time what a sandbox needs and does not find on this machine."""

from __future__ import annotations

import sys

from sandbox import aws, browser, engines
from sandbox.processes import SandboxError


def main() -> int:
    """Install the local AWS, get database servers and a browser; 0 when everything for a demo is there."""
    try:
        aws.install()
    except SandboxError as error:
        print(error, file=sys.stderr)
        return 1
    found = [engines.available("mysql"), engines.available("mariadb")]
    for engine in found:
        print(f"sandbox: {engine}", file=sys.stderr)
    try:
        print(f"sandbox: chromium: {browser.chromium()}", file=sys.stderr)
    except browser.BrowserUnavailable as error:  # the tests that need one are skipped, and say the same
        print(f"sandbox: {error}", file=sys.stderr)
    return 0 if any(engine.source != "none" for engine in found) else 1


if __name__ == "__main__":
    raise SystemExit(main())

"""The running sandboxes that the tests of this package share."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from sandbox.stack import Sandbox, to_stderr
from tests.sandbox.rendered import RenderedDeployment
from tests.sandbox_fixture import demo_sandbox, fault_sandbox

__all__ = ["demo_sandbox", "fault_sandbox"]


@pytest.fixture(scope="session")
def deployment() -> RenderedDeployment:
    """What the Pulumi program rendered into `rendered_sandbox`; empty until that runs."""
    return RenderedDeployment()


@pytest.fixture(scope="session")
def rendered_sandbox(deployment: RenderedDeployment) -> Iterator[Sandbox]:
    """The demo's organization under the roles, bucket and keys that the Pulumi program renders."""
    with Sandbox(progress=to_stderr, deploy=deployment) as sandbox:
        yield sandbox

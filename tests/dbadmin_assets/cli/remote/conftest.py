"""A deployed Dagster on the local AWS where every target fails, and a user whose machine leads to it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from sandbox.aws import LocalAws
from tests.dbadmin_assets.cli.conftest import Machine, make_machine
from tests.deployed_dagster import DeployedDagster


@pytest.fixture(scope="package")
def deployed(tmp_path_factory: pytest.TempPathFactory, local_aws: LocalAws) -> Iterator[DeployedDagster]:
    home = tmp_path_factory.mktemp("deployed")
    inventory = make_machine(home, local_aws.endpoint, DBADMIN_INVENTORY=str(home / "inventory.yaml"))
    with DeployedDagster(home / "dagster", inventory.environment) as dagster:
        yield dagster


@pytest.fixture
def far(machine: Machine, deployed: DeployedDagster) -> Machine:
    """A user who asks that Dagster."""
    machine.environment["DBADMIN_DAGSTER_URL"] = deployed.url
    return machine

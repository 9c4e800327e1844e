"""The demo organization, rendered once: one central stack and sixteen worker stacks."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from infra import program
from infra.configuration import Configuration, load_configuration, stack_names, target_of
from tests.infra import demo
from tests.infra.recording import Stack, render

Renderer = Callable[..., list[Stack]]


def render_all(configuration: Configuration) -> list[Stack]:
    """Every stack of a configuration, the central one first."""
    stacks = []
    for name in stack_names(configuration):
        target = target_of(name)
        v = configuration.values
        if target is None:
            declare = partial(program.central, configuration)
            stacks.append(render(name, v.central_account_id, v.central_region, declare))
        else:
            stacks.append(render(name, *target, partial(program.worker, configuration, *target)))
    return stacks


def configured(folder: Path, document: dict[str, Any] | None = None, **changed: Any) -> Configuration:
    demo.write(folder, document or demo.inventory())
    return load_configuration(demo.values(**changed), folder)


@pytest.fixture(scope="session")
def demo_stacks(tmp_path_factory: pytest.TempPathFactory) -> list[Stack]:
    """1 + 16 stacks with the default configuration."""
    return render_all(configured(tmp_path_factory.mktemp("demo")))


@pytest.fixture(scope="session")
def full_stacks(tmp_path_factory: pytest.TempPathFactory) -> list[Stack]:
    """One account, two regions, with everything that can be asked for, and the central account among the workers."""
    folder = tmp_path_factory.mktemp("full")
    document = demo.inventory((demo.ACCOUNTS[0], demo.CENTRAL_ACCOUNT))
    document["worker"]["discover"] = True
    key = f"arn:aws:kms:us-east-1:{demo.ACCOUNTS[0]}:key/11111111-2222-3333-4444-555555555555"
    asked = configured(
        folder,
        document,
        endpoints=["secretsmanager", "sts", "logs", "kms", "rds", "ec2", "monitoring"],
        route_tables={"vpc-00": ["rtb-0a"], "vpc-01": ["rtb-0b"]},
        provisioned_concurrency=2,
        secret_key_arns=[key],
        inventory_location="ssm",
        expire_after_days=800,
        database_cidrs=["10.9.0.0/16"],
        dagster_client_security_groups=["sg-0abc"],
        operators=[f"arn:aws:iam::{demo.CENTRAL_ACCOUNT}:role/Auditor"],
    )
    return render_all(asked)


@pytest.fixture(scope="session")
def agent_stack(tmp_path_factory: pytest.TempPathFactory) -> Stack:
    """The central stack of an organization that uses Dagster+."""
    asked = configured(
        tmp_path_factory.mktemp("agent"),
        dagster="dagster_plus_agent",
        dagster_network=None,
        dagster_certificate_arn=None,
        dagster_client_cidrs=None,
        dagster_plus_cluster="dagster",
        dagster_plus_namespace="ns-abc",
    )
    return render("central", demo.CENTRAL_ACCOUNT, demo.CENTRAL_REGION, partial(program.central, asked))


@pytest.fixture(scope="session")
def bare_stack(tmp_path_factory: pytest.TempPathFactory) -> Stack:
    """The central stack of an organization whose reports people make on a machine of theirs."""
    asked = configured(
        tmp_path_factory.mktemp("bare"),
        dagster="none",
        dagster_image=None,
        dagster_network=None,
        dagster_certificate_arn=None,
        dagster_client_cidrs=None,
        operators=[f"arn:aws:iam::{demo.CENTRAL_ACCOUNT}:role/Auditor"],
    )
    return render("central", demo.CENTRAL_ACCOUNT, demo.CENTRAL_REGION, partial(program.central, asked))


@pytest.fixture(scope="session")
def every_stack(
    demo_stacks: list[Stack], full_stacks: list[Stack], agent_stack: Stack, bare_stack: Stack
) -> list[Stack]:
    """All that these tests render: what must never be there must be in none of them."""
    return [*demo_stacks, *full_stacks, agent_stack, bare_stack]


@pytest.fixture(scope="session")
def central(demo_stacks: list[Stack]) -> Stack:
    return demo_stacks[0]


@pytest.fixture(scope="session")
def worker(demo_stacks: list[Stack]) -> Stack:
    """The first account's stack in us-east-1, which makes no invoker role."""
    return next(s for s in demo_stacks if s.account_id == demo.ACCOUNTS[0] and s.region == "us-east-1")

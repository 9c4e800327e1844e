"""The configuration: what is accepted, from where, and that every problem is told at once with its place."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from dbadmin_assets.errors import ConfigurationError
from infra import configuration
from infra.configuration import Configuration, load_configuration, stack_names, target_of
from infra.configuration_schema import StackConfiguration
from tests.infra import demo

DOCUMENT = Path(__file__).resolve().parents[2] / "docs" / "infrastructure.md"


def load(folder: Path, document: dict[str, Any] | None = None, **changed: Any) -> Configuration:
    demo.write(folder, document or demo.inventory())
    return load_configuration(demo.values(**changed), folder)


def problems(folder: Path, document: dict[str, Any] | None = None, **changed: Any) -> list[str]:
    with pytest.raises(ConfigurationError) as caught:
        load(folder, document, **changed)
    return caught.value.problems


def test_every_problem_is_listed_at_once_with_its_place(tmp_path: Path) -> None:
    found = problems(
        tmp_path,
        organization_id="acme",
        retention_days=30,
        nonsense=1,
        dagster_network={"vpc_id": "vpc-1", "subnet_ids": ["subnet-1"]},
        alarm_addresses=["nobody"],
    )
    places = {problem.split(":")[0] for problem in found}
    assert places == {
        "organization_id",
        "retention_days",
        "nonsense",
        "dagster_network.subnet_ids",
        "alarm_addresses[0]",
    }


def test_problems_of_the_inventory_are_listed_together_with_those_of_the_configuration(tmp_path: Path) -> None:
    document = demo.inventory()
    document["accounts"][demo.ACCOUNTS[0]]["regions"]["us-east-1"]["databases"][0]["engine"] = "oracle"
    found = problems(tmp_path, document, retention_days=1)
    assert [p.split(":")[0] for p in found] == ["retention_days", "inventory"]
    assert "databases[0].engine" in found[1]


def test_a_missing_inventory_is_a_problem_not_a_crash(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match=r"inventory: inventory\.yaml: No such file"):
        load_configuration(demo.values(), tmp_path)


def test_evidence_is_never_kept_for_less_than_400_days(tmp_path: Path) -> None:
    (problem,) = problems(tmp_path, retention_days=399)
    assert problem.startswith("retention_days: is 399")
    assert load(tmp_path).values.retention_days == 400


def test_evidence_does_not_expire_while_it_is_locked(tmp_path: Path) -> None:
    (problem,) = problems(tmp_path, retention_days=500, expire_after_days=500)
    assert problem.startswith("expire_after_days: is 500, not after the 500 days")


@pytest.mark.parametrize("cidr", ["0.0.0.0/0", "8.8.8.0/24", "not-a-cidr", "10.0.0.1/8"])
def test_nothing_is_opened_to_a_public_or_malformed_range(tmp_path: Path, cidr: str) -> None:
    (problem,) = problems(tmp_path, dagster_client_cidrs=[cidr])
    assert problem.startswith("dagster_client_cidrs[0]")


@pytest.mark.parametrize("key", ["dagster_image", "dagster_network", "dagster_certificate_arn"])
def test_dagster_on_ecs_needs_what_it_stands_on(tmp_path: Path, key: str) -> None:
    assert problems(tmp_path, **{key: None}) == [f"{key}: is missing, and dagster is ecs"]


def test_the_agent_of_dagster_plus_needs_cluster_and_namespace(tmp_path: Path) -> None:
    found = problems(tmp_path, dagster="dagster_plus_agent")
    assert [p.split(":")[0] for p in found] == ["dagster_plus_cluster", "dagster_plus_namespace"]


def test_without_a_dagster_somebody_must_be_an_operator(tmp_path: Path) -> None:
    (problem,) = problems(tmp_path, dagster="none", dagster_image=None, dagster_network=None)
    assert problem == "operators: is empty, and dagster is none: nobody could become the orchestrator"


def test_a_role_without_an_external_id_is_refused(tmp_path: Path) -> None:
    document = demo.inventory(demo.ACCOUNTS[:1], ("us-east-1",))
    del document["worker"]["external_id"]
    (problem,) = problems(tmp_path, document)
    assert problem.startswith(f'inventory: accounts."{demo.ACCOUNTS[0]}".regions.us-east-1.worker.external_id')


def test_a_target_without_a_network_is_refused(tmp_path: Path) -> None:
    document = demo.inventory(demo.ACCOUNTS[:1])
    del document["network"]["eu-west-1"]
    (problem,) = problems(tmp_path, document)
    assert "regions.eu-west-1.network: is missing" in problem


def test_a_writer_role_that_the_bucket_would_refuse_is_refused_here(tmp_path: Path) -> None:
    document = demo.inventory(demo.ACCOUNTS[:2], ("us-east-1",))
    document["accounts"][demo.ACCOUNTS[0]]["worker"] = {"writer_role_name": "somebody-else"}
    (problem,) = problems(tmp_path, document)
    assert "somebody-else is not db-admin-report-writer-*" in problem


def test_one_writer_role_for_two_accounts_is_refused(tmp_path: Path) -> None:
    document = demo.inventory(demo.ACCOUNTS[:2], ("us-east-1",))
    document["worker"]["writer_role_name"] = "db-admin-report-writer"
    (problem,) = problems(tmp_path, document)
    assert f"serves {demo.ACCOUNTS[0]}, too" in problem


def test_alarms_that_nobody_would_hear_are_refused(tmp_path: Path) -> None:
    assert problems(tmp_path, alarm_addresses=[]) == ["alarm_addresses: is empty: nobody would hear of an alarm"]


def test_text_from_pulumi_means_the_same_as_a_mapping(tmp_path: Path) -> None:
    typed = load(tmp_path, retention_days=500, access_trail=False, endpoints=["sts"]).values
    given = demo.values(retention_days=500, access_trail=False, endpoints=["sts"])
    as_text = {key: value if isinstance(value, str) else json.dumps(value) for key, value in given.items()}
    assert load_configuration(as_text, tmp_path).values == typed


def test_names_made_of_digits_stay_text(tmp_path: Path) -> None:
    assert load(tmp_path, bucket="123456").values.bucket == "123456"
    assert load(tmp_path).values.central_account_id == demo.CENTRAL_ACCOUNT


def test_pulumis_own_namespace_is_read_and_no_other(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from pulumi.runtime import config as pulumi_config

    demo.write(tmp_path, demo.inventory())
    own = {f"db-admin-report:{k}": v if isinstance(v, str) else json.dumps(v) for k, v in demo.values().items()}
    monkeypatch.setattr(pulumi_config, "get_config_env", lambda: {**own, "aws:region": "us-east-1"})
    assert configuration.configuration_from_pulumi(tmp_path).values == load(tmp_path).values


def test_there_is_a_stack_per_account_and_region_but_not_where_nothing_is_read(tmp_path: Path) -> None:
    document = demo.inventory()
    for database in document["accounts"][demo.ACCOUNTS[7]]["regions"]["eu-west-1"]["databases"]:
        database["exclude"] = "no production data"
    names = stack_names(load(tmp_path, document))
    assert names[0] == "central"
    assert len(names) == 1 + 15
    assert f"worker-{demo.ACCOUNTS[7]}-eu-west-1" not in names


def test_a_stacks_name_says_what_it_is() -> None:
    assert target_of("central") is None
    assert target_of("worker-123456789012-us-gov-east-1") == ("123456789012", "us-gov-east-1")
    for name in ("prod", "worker", "worker-1"):
        with pytest.raises(ConfigurationError, match="neither central nor worker-ACCOUNT-REGION"):
            target_of(name)


@pytest.mark.parametrize(
    ("region", "partition"), [("us-east-1", "aws"), ("cn-north-1", "aws-cn"), ("us-gov-west-1", "aws-us-gov")]
)
def test_the_partition_follows_the_central_region(tmp_path: Path, region: str, partition: str) -> None:
    assert load(tmp_path, central_region=region).partition == partition


def test_the_document_describes_every_key_and_no_other() -> None:
    rows = [line for line in DOCUMENT.read_text("utf-8").splitlines() if line.startswith("| `")]
    described = {name for row in rows for name in row.split("|")[1].replace("`", "").replace(" ", "").split(",")}
    assert set(StackConfiguration.model_fields) <= described
    table = DOCUMENT.read_text("utf-8").split("## Configuration")[1].split("\n## ")[0]
    named = {
        name
        for line in table.splitlines()
        if line.startswith("| `")
        for name in line.split("|")[1].replace("`", "").replace(" ", "").split(",")
    }
    assert named == set(StackConfiguration.model_fields)

"""docs/deployment.md is true: its files load, in each of the three ways, and make the stacks that it shows."""

from __future__ import annotations

import re
from functools import partial
from pathlib import Path

import pytest
import yaml

from infra import program
from infra.configuration import ROOT, load_configuration
from infra.deployment.program import load_plan
from infra.deployment.settings import read_settings
from tests.infra.recording import render
from worker_lambda.contract import Reason

TEXT = (ROOT / "docs" / "deployment.md").read_text("utf-8")
INVENTORY, BARE, ECS, PLUS = re.findall(r"^```yaml\n(.*?)^```", TEXT, re.MULTILINE | re.DOTALL)
WAYS = {"none": "", "ecs": ECS, "dagster_plus_agent": PLUS}


def written(folder: Path, way: str) -> Path:
    (folder / "inventory.yaml").write_text(INVENTORY, "utf-8")
    values = yaml.safe_load(BARE) | (yaml.safe_load(WAYS[way]) or {} if WAYS[way] else {})
    path = folder / "infrastructure.yaml"
    path.write_text(yaml.safe_dump(values), "utf-8")
    return path


@pytest.mark.parametrize("way", WAYS)
def test_the_files_of_the_document_load(tmp_path: Path, way: str) -> None:
    plan = load_plan(str(written(tmp_path, way)))
    assert len(plan.stacks) == 4
    assert plan.role.external_id == "replace-by-another-long-random-text"
    assert plan.backend == "s3://example-pulumi-state?region=us-east-1"


def test_the_preview_that_is_shown_has_the_stacks_and_resources_of_its_files(tmp_path: Path) -> None:
    path = written(tmp_path, "ecs")
    (tmp_path / "dist").mkdir()
    (tmp_path / "dist" / "worker_lambda.zip").write_bytes(b"PK")
    configuration = load_configuration(read_settings(path)[1], tmp_path)
    shown = re.findall(r"^(central|worker-\S+) +(\d{12}) +(\S+) +(\d+) ", TEXT, re.MULTILINE)
    made = []
    for stack in load_plan(str(path)).stacks:
        declare = partial(program.worker, configuration, stack.account_id, stack.region)
        rendered = render(
            stack.name,
            stack.account_id,
            stack.region,
            partial(program.central, configuration) if stack.kind == "central" else declare,
        )
        made.append((stack.name, stack.account_id, stack.region, str(len(rendered.custom))))
    assert made == shown


def test_the_reasons_that_it_names_are_reasons() -> None:
    named = re.findall(r"(?:Connection|Credentials|Worker) Failed: \w+(?: \w+)*", TEXT)
    assert named and all(text in set(Reason) for text in named), named


def test_the_parameters_and_documents_that_it_names_are_there() -> None:
    parameters = re.findall(r"ParameterKey=(\w+)", TEXT)
    template = (ROOT / "infra" / "deployment_role.yaml").read_text("utf-8")
    assert parameters and all(re.search(rf"^  {name}:$", template, re.MULTILINE) for name in parameters)
    for link in re.findall(r"\]\(([\w.-]+\.md)", TEXT):
        assert (ROOT / "docs" / link).is_file(), link

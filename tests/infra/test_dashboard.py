"""The dashboard asks for metrics that somebody writes, with the dimensions they are written with."""

from __future__ import annotations

import inspect
import json
import re

import pytest

from dbadmin_assets import run_log
from infra.components.dashboard import body
from infra.policies.resources import METRIC_NAMESPACE
from worker_lambda import handler, json_log

OWN = re.compile(re.escape(f"SEARCH('{{{METRIC_NAMESPACE}") + r"(?P<dimensions>[^}]*)\} MetricName=(?P<names>.+)', '")


@pytest.fixture(scope="module")
def searches() -> list[tuple[list[str], list[str]]]:
    """Dimensions and metric names of every graph of our own namespace."""
    expressions = [
        widget["properties"]["metrics"][0][0]["expression"]
        for widget in body(["us-east-1", "eu-west-1"], "us-east-1")["widgets"]
        if widget["type"] == "metric"
    ]
    found = [OWN.match(expression) for expression in expressions]
    return [(m["dimensions"].split(",")[1:], re.findall(r'"(\w+)"', m["names"])) for m in found if m]


def test_every_metric_that_is_shown_is_written(searches: list[tuple[list[str], list[str]]]) -> None:
    by_the_worker, by_the_run = inspect.getsource(handler._report), inspect.getsource(run_log._metrics)
    assert len(searches) == 12
    for dimensions, names in searches:
        source = by_the_worker if dimensions == ["AccountId", "Region"] else by_the_run
        assert all(f'"{name}"' in source for name in names), names


def test_the_dimensions_are_those_of_the_writers(
    searches: list[tuple[list[str], list[str]]], capsys: pytest.CaptureFixture[str]
) -> None:
    json_log.metrics("111111111111", "us-east-1", {"Users": (1.0, "Count")})
    (written,) = json.loads(capsys.readouterr().out)["_aws"]["CloudWatchMetrics"][0]["Dimensions"]
    assert written == ["AccountId", "Region"]
    assert {tuple(dimensions) for dimensions, _ in searches} == {("AccountId", "Region"), ("AccountId",), ()}


def test_graphs_do_not_lie_on_each_other() -> None:
    widgets = body(["us-east-1", "eu-west-1"], "us-east-1")["widgets"]
    cells = [
        (x, y) for w in widgets for x in range(w["x"], w["x"] + w["width"]) for y in range(w["y"], w["y"] + w["height"])
    ]
    assert len(cells) == len(set(cells))
    assert max(x for x, _ in cells) < 24

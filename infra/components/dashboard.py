"""One dashboard for the whole organization: its size grows with the regions, never with the accounts."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import pulumi
import pulumi_aws as aws

from infra.components.base import Component
from infra.policies.resources import METRIC_NAMESPACE

_WIDTH, _HEIGHT = 6, 6
_OWN = f"{{{METRIC_NAMESPACE},AccountId,Region}}"
_LAMBDA = "{AWS/Lambda,FunctionName}"
# title, search expression, statistic
_GRAPHS = (
    ("Databases that failed", f'{_OWN} MetricName="FailedDatabases"', "Maximum"),
    ("Databases read in part", f'{_OWN} MetricName="PartialDatabases"', "Maximum"),
    ("Administrators", f'{_OWN} MetricName="Admins"', "Maximum"),
    ("Collection, ms", f'{_OWN} MetricName="Duration"', "Maximum"),
    ("Invocations", f'{_LAMBDA} MetricName="Invocations" FunctionName="db-admin-report"', "Sum"),
    ("Errors and throttles", f'{_LAMBDA} (MetricName="Errors" OR MetricName="Throttles") "db-admin-report"', "Sum"),
)
_BY_ACCOUNT = f"{{{METRIC_NAMESPACE},AccountId}}"
# What the runs themselves say, in the central region: of targets whose worker was never reached, too.
_OF_RUNS = (
    ("Targets that failed, by account", f'{_BY_ACCOUNT} MetricName="FailedTargets"', "Sum"),
    ("Collection of a target, ms, by account", f'{_BY_ACCOUNT} MetricName="TargetDuration"', "Maximum"),
    ("Administrators, by account", f'{_BY_ACCOUNT} MetricName="TargetAdmins"', "Sum"),
    (
        "Reports, incomplete ones, runs that failed",
        f'{{{METRIC_NAMESPACE}}} MetricName=("Reports" OR "IncompleteReports" OR "FailedRuns")',
        "Sum",
    ),
)


@dataclass(frozen=True, slots=True)
class DashboardArgs:
    """The dashboard. SEARCH finds the accounts by itself, where CloudWatch's cross-account observability links them."""

    regions: Sequence[str]
    central_region: str


def body(regions: Sequence[str], central_region: str) -> dict[str, Any]:
    """The dashboard's document: what runs say, then a heading and graphs per region with workers."""
    widgets = _block("Reports", central_region, _OF_RUNS, top=0)
    for row, region in enumerate(regions):
        top = 1 + _HEIGHT + row * (1 + 2 * _HEIGHT)
        widgets += _block(f"Workers in {region}", region, _GRAPHS, top=top)
    return {"widgets": widgets}


def _block(title: str, region: str, graphs: Sequence[tuple[str, str, str]], *, top: int) -> list[dict[str, Any]]:
    heading = {"markdown": f"## db-admin-report: {title}"}
    widgets: list[dict[str, Any]] = [
        {"type": "text", "x": 0, "y": top, "width": 24, "height": 1, "properties": heading}
    ]
    for index, (name, search, statistic) in enumerate(graphs):
        line, column = divmod(index, 24 // _WIDTH)
        metric = {"expression": f"SEARCH('{search}', '{statistic}', 300)"}
        properties = {"title": name, "region": region, "metrics": [[metric]], "stat": statistic, "period": 300}
        place = {"x": column * _WIDTH, "y": top + 1 + line * _HEIGHT, "width": _WIDTH, "height": _HEIGHT}
        widgets.append({"type": "metric", **place, "properties": properties})
    return widgets


class Dashboard(Component):
    """The dashboard in the central account."""

    def __init__(self, name: str, args: DashboardArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__(name, opts)
        aws.cloudwatch.Dashboard(
            name,
            dashboard_name="db-admin-report",
            dashboard_body=json.dumps(body(args.regions, args.central_region)),
            opts=self.child(),
        )
        self.register_outputs({})

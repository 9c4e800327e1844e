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


@dataclass(frozen=True, slots=True)
class DashboardArgs:
    """The dashboard. SEARCH finds the accounts by itself, where CloudWatch's cross-account observability links them."""

    regions: Sequence[str]


def body(regions: Sequence[str]) -> dict[str, Any]:
    """The dashboard's document: a heading and a row of graphs per region."""
    widgets: list[dict[str, Any]] = []
    for row, region in enumerate(regions):
        top = row * (1 + 2 * _HEIGHT)
        heading = {"markdown": f"## db-admin-report in {region}"}
        widgets.append({"type": "text", "x": 0, "y": top, "width": 24, "height": 1, "properties": heading})
        for index, (title, search, statistic) in enumerate(_GRAPHS):
            line, column = divmod(index, 24 // _WIDTH)
            metric = {"expression": f"SEARCH('{search}', '{statistic}', 300)"}
            properties = {"title": title, "region": region, "metrics": [[metric]], "stat": statistic, "period": 300}
            place = {"x": column * _WIDTH, "y": top + 1 + line * _HEIGHT, "width": _WIDTH, "height": _HEIGHT}
            widgets.append({"type": "metric", **place, "properties": properties})
    return {"widgets": widgets}


class Dashboard(Component):
    """The dashboard in the central account."""

    def __init__(self, name: str, args: DashboardArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__(name, opts)
        aws.cloudwatch.Dashboard(
            name,
            dashboard_name="db-admin-report",
            dashboard_body=json.dumps(body(args.regions)),
            opts=self.child(),
        )
        self.register_outputs({})

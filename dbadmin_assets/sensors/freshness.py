"""The sensor that looks how old the newest report is: the check turns red though nothing runs."""

import time
from collections.abc import Mapping

import dagster as dg

from dbadmin_assets.checks.evaluation import check_evaluation
from dbadmin_assets.checks.freshness import FRESHNESS, report_freshness
from dbadmin_assets.checks.sealed_report import REPORT
from dbadmin_assets.resources.wiring import EvidenceResource

_DAY_SECONDS = 86_400
_WORDS: Mapping[bool, str] = {True: "passed", False: "failed"}


@dg.sensor(
    name="report_freshness",
    minimum_interval_seconds=3600,
    default_status=dg.DefaultSensorStatus.RUNNING,
    description="Evaluates the check report_freshness: at every change, and once a day.",
)
def freshness_sensor(context: dg.SensorEvaluationContext, evidence: EvidenceResource) -> dg.SensorResult:
    """An evaluation without a run; none where the last one says the same and is not a day old."""
    judged = report_freshness(evidence.store(), evidence.aws.settings)
    word, _, at = (context.cursor or "").partition(" ")
    now = time.time()
    if word == _WORDS[judged.passed] and now - float(at) < _DAY_SECONDS:
        return dg.SensorResult(skip_reason=judged.said)
    evaluation = check_evaluation(REPORT, FRESHNESS, judged)
    return dg.SensorResult(
        skip_reason=judged.said, cursor=f"{_WORDS[judged.passed]} {now:.0f}", asset_events=[evaluation]
    )

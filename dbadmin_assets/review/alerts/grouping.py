"""From evaluations to alerts: one per run and check with its targets, none twice, and what has recovered since."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping

import msgspec

from dbadmin_assets.review.alerts.model import Alert, AlertTarget, Severity, alert_id, listed

Red = dict[str, list[str]]
"""By check (`asset:name`), the targets that were announced as failed and have not recovered; "" where it has none."""

WHOLE = ""


class FailedEvaluation(msgspec.Struct, frozen=True):
    """A check that did not pass. `target` is WHOLE for the asset as a whole; `check` is `asset:name`."""

    check: str
    target: str
    severity: Severity
    said: str


def failed_in_run(run_id: str, at: str, evaluations: Iterable[FailedEvaluation], red: Red) -> Iterator[Alert]:
    """One alert per check that failed in a run; what failed is put into `red`."""
    by_check: defaultdict[str, dict[str, FailedEvaluation]] = defaultdict(dict)
    for evaluation in evaluations:
        by_check[evaluation.check].setdefault(evaluation.target, evaluation)
    for check, found in sorted(by_check.items()):
        # Dagster adds an evaluation of all partitions of a run together: it stands for itself only where it is alone.
        targets = [e for e in found.values() if e.target != WHOLE] or list(found.values())
        red[check] = sorted({*red.get(check, ()), *(e.target for e in targets)})
        yield _failed(check, at, targets, run_id=run_id, key=run_id)


def failed_without_run(evaluation: FailedEvaluation, at: str, key: object, red: Red) -> Iterator[Alert]:
    """A check that a sensor evaluated: an alert when it turns red, silence while it stays so.

    Args:
        key: tells this evaluation from another.
    """
    known = red.setdefault(evaluation.check, [])
    if evaluation.target not in known:
        known.append(evaluation.target)
        yield _failed(evaluation.check, at, [evaluation], run_id="", key=key)


def recovered(red: Red, passing: Mapping[str, Mapping[str, object]], at: str) -> Iterator[Alert]:
    """One alert per check of which a target passes again; those are taken out of `red`.

    Args:
        passing: by check the targets whose newest evaluation passed, each with what tells that evaluation.
    """
    for check in sorted(red):
        back = {target: passing[check][target] for target in red[check] if target in passing.get(check, {})}
        if not back:
            continue
        red[check] = [target for target in red[check] if target not in back]
        asset, _, name = check.partition(":")
        targets, more = listed([AlertTarget(target) for target in back if target != WHOLE])
        number = f" for {len(targets) + more} targets" if targets else ""
        still = f"; {len(red[check])} are still red" if red[check] else ""
        yield Alert(
            id=alert_id("check-recovered", check, sorted(back.items())), kind="check-recovered", severity="INFO", at=at,
            said=f"passes again{number}{still}", check=name, asset=asset, targets=targets, more=more,
        )  # fmt: skip


def _failed(check: str, at: str, evaluations: list[FailedEvaluation], *, run_id: str, key: object) -> Alert:
    asset, _, name = check.partition(":")
    by_target = [AlertTarget(e.target, e.said) for e in evaluations if e.target != WHOLE]
    targets, more = listed(by_target)
    said = f"failed for {len(by_target)} targets" if by_target else evaluations[0].said
    severity: Severity = "ERROR" if any(e.severity == "ERROR" for e in evaluations) else "WARN"
    return Alert(
        id=alert_id("check-failed", check, key), kind="check-failed", severity=severity, at=at, said=said,
        check=name, asset=asset, run_id=run_id, targets=targets, more=more,
    )  # fmt: skip

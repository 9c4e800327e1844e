"""Why a run failed, in words that may leave Dagster: no text that could name an account."""

import dagster as dg
from dagster_shared.error import SerializableErrorInfo

# Their messages are written for people and name places, never accounts; of any other error only the class is told.
_TOLD_ERRORS = {
    "ConfigurationError", "InventoryError", "CredentialsError", "UnknownScopeError", "SigningError", "ReportError",
    "EvidenceError",
}  # fmt: skip
_LONGEST = 300


def why_it_failed(instance: dg.DagsterInstance, run_id: str, end: dg.EventLogRecord) -> str:
    """The step and its first error; else what whoever marked the run as failed said.

    Args:
        end: the event of the run's failure.
    """
    steps = instance.get_records_for_run(run_id, of_type=dg.DagsterEventType.STEP_FAILURE, limit=1).records
    if steps and (event := steps[0].event_log_entry.dagster_event):
        return f"step {event.step_key}: {told(event.step_failure_data.error)}"
    ended = end.event_log_entry.dagster_event
    if ended and getattr(ended.event_specific_data, "error", None) is None and ended.message:
        return ended.message[:_LONGEST]
    return "it failed outside of its steps; its log says why"


def told(error: SerializableErrorInfo | None) -> str:
    """The first line of the error at the bottom, or its class alone."""
    while error is not None and error.cause is not None:
        error = error.cause
    name = str(error.cls_name) if error else "failed"
    lines = str(error.message).splitlines() if error and name in _TOLD_ERRORS else []
    return lines[0][:_LONGEST] if lines else name

"""Whether a deployed Dagster can run the report: its location is loaded, the job is there, the code is ours."""

from __future__ import annotations

from typing import Any

from dbadmin_assets import __version__
from dbadmin_assets.cli.output import note
from dbadmin_assets.cli.remote.connection import DagsterRefusedError
from dbadmin_assets.cli.runs import CODE_VERSION_TAG, JOB

_SHOWN = 500


def check_answer(answer: dict[str, Any], *, url: str, location: str) -> None:
    """Judge an answer to `queries.PREFLIGHT`.

    Raises:
        DagsterRefusedError: naming what is missing there, and the cure.
    """
    note(f"Dagster: {url} ({answer['version']})")
    _check_location(answer, url, location)
    job = answer["pipelineOrError"]
    if job["__typename"] != "Pipeline":
        raise DagsterRefusedError(
            f"{location} in {url} has no job {JOB}: {job.get('message', job['__typename'])[:_SHOWN]}",
            hint="check that this location's code is db-admin-report (module dbadmin_assets.definitions), "
            "or name another one with DBADMIN_DAGSTER_LOCATION",
        )
    deployed = {tag["key"]: tag["value"] for tag in job["tags"]}.get(CODE_VERSION_TAG)
    if deployed is None or _line(deployed) != _line(__version__):
        raise DagsterRefusedError(
            f"{url} has db-admin-report {deployed or 'of an older version'}, this command is {__version__}",
            hint="install the same version here, or deploy this one there",
        )


def _check_location(answer: dict[str, Any], url: str, location: str) -> None:
    entry = answer["workspaceLocationEntryOrError"]
    if entry is None:
        known = [e["name"] for e in answer["workspaceOrError"].get("locationEntries", ())]
        raise DagsterRefusedError(
            f"{url} has no code location {location}; it has {', '.join(sorted(known)) or 'none'}",
            hint="set DBADMIN_DAGSTER_LOCATION to the name of the location that holds db-admin-report, or add it "
            "(workspace.yaml, dagster_cloud.yaml)",
        )
    if entry["__typename"] != "WorkspaceLocationEntry":
        raise DagsterRefusedError(
            f"{url} cannot say how the code location {location} is: {entry.get('message', '')[:_SHOWN]}"
        )
    loaded = entry["locationOrLoadError"]
    if loaded is None or entry["loadStatus"] != "LOADED":
        raise DagsterRefusedError(
            f"the code location {location} in {url} is not loaded yet", hint="try again in a minute"
        )
    if loaded["__typename"] == "PythonError":
        raise DagsterRefusedError(
            f"the code location {location} in {url} could not be loaded: {loaded['message'].strip()[:_SHOWN]}",
            hint="its page in Dagster (Deployment, Code locations) shows the whole error; correct it and reload",
        )


def _line(version: str) -> tuple[str, ...]:
    """What must agree: of 1.4.2, 1.4."""
    return tuple(version.split(".")[:2])

"""The orchestrator that `fan_out` measures: the real job in this process, on the Dagster home of the environment."""

from __future__ import annotations

import logging
import sys

import dagster as dg

from dbadmin_assets.definitions import build_definitions


def main() -> int:
    """Run the whole job; quietly, for it is the events that are stored, not printed, that count."""
    logging.disable(logging.INFO)
    job = build_definitions().resolve_job_def("db_admin_report")
    with dg.DagsterInstance.get() as instance:
        result = job.execute_in_process(instance=instance)
        (report,) = result.asset_materializations_for_node("report")
        print({key: value.value for key, value in report.metadata.items() if key in ("targets", "users", "complete")})
    return 0 if result.success else 1


if __name__ == "__main__":
    sys.exit(main())

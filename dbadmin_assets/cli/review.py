"""`review`: people confirm, remove or change each administrator of a report; here its status, beside it the others."""

from __future__ import annotations

from typing import Any

import click

from dbadmin_assets.cli import options
from dbadmin_assets.cli.output import print_json, print_table, say
from dbadmin_assets.cli.review_common import note_unseen, say_decisions, summary
from dbadmin_assets.cli.review_export import export_command
from dbadmin_assets.cli.review_import import import_command


@click.group("review")
def review_command() -> None:
    """Have people confirm, remove or change each administrator, and attest what they decided.

    \b
    Examples:
      db-admin-report review export --to review.xlsx
      db-admin-report review import review.xlsx
      db-admin-report review status
    """


review_command.add_command(export_command)
review_command.add_command(import_command)


@review_command.command("status")
@click.argument("report", default="latest")
@options.connection
@options.general
def status_command(report: str, as_json: bool, **given: Any) -> None:
    """The newest review: its decisions, what of them is not done yet, and who was not reviewed.

    The report's own review, else the newest in the bucket, held against the report.

    \b
    Example:
      db-admin-report review status
    """
    from dbadmin_assets.cli.review_report import open_report
    from dbadmin_assets.cli.review_store import newest
    from dbadmin_assets.review.access_review.follow_up import actions, not_reviewed

    opened = open_report(given, report)
    own = newest(opened, of_report_only=True)
    stored = own or newest(opened)
    attestation = stored.attestation if stored else None
    done = actions(attestation, opened.manifest, opened.administrators) if attestation else []
    missing = not_reviewed(attestation, opened.administrators)
    told: dict[str, Any] = {
        "report": opened.place,
        "complete": opened.manifest.complete,
        "unseen": opened.unseen,
        "administrators": len(opened.administrators),
        "reviewed": own is not None,
        "attestation": stored.key if stored else None,
        "not_reviewed": len(missing),
        "actions": [
            {
                "decision": action.row.decision, "state": action.state, "account_id": action.row.account_id,
                "region": action.row.region, "database": action.row.database_name, "username": action.row.username,
                "owner": action.row.owner, "comment": action.row.comment,
            }
            for action in done
        ],
    }  # fmt: skip
    told |= summary(attestation) if attestation else {}
    note_unseen(opened)
    if as_json:
        print_json(told)
    else:
        _print_status(told)


def _print_status(told: dict[str, Any]) -> None:
    say(f"Report: {told['report']}, {told['administrators']} administrators")
    if told["attestation"] is None:
        say("NOT REVIEWED: there is no review yet")
        return
    say(f"{'Review' if told['reviewed'] else 'NOT REVIEWED; the last review'}: {told['attestation']}")
    say_decisions(told)
    if told["not_reviewed"]:
        say(f"Without a decision in it: {told['not_reviewed']} administrators")
    open_ones = [action for action in told["actions"] if action["state"] != "done"]
    say(f"To do: {len(told['actions'])}, of which {len(open_ones)} are not seen to be done")
    if open_ones:
        names = ("state", "decision", "account_id", "region", "database", "username", "owner", "comment")
        heads = ("State", "Decision", "Account", "Region", "Database", "Username", "Owner", "Comment")
        print_table(heads, [[action[name] for name in names] for action in open_ones])

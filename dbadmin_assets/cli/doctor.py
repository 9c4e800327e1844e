"""`doctor`: everything that a report needs, each tried by itself, all at once, each failure with its cure."""

from __future__ import annotations

import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

import click

from dbadmin_assets.cli import options
from dbadmin_assets.cli.bucket import check_bucket
from dbadmin_assets.cli.output import print_json, safe, say
from dbadmin_assets.config import Settings
from dbadmin_assets.errors import DbAdminReportError, ReportError

if TYPE_CHECKING:
    import boto3

    from dbadmin_assets.inventory import Inventory, Target
    from dbadmin_assets.resources.accounts import AwsAccounts

_AT_ONCE = 32
_READ_PREFIXES = ("requests/", "collections/", "outcomes/", "reports/", "chain/")
_LEAST_DAYS = 400


@dataclass(frozen=True, slots=True)
class Finding:
    """The answer to one check; `fix` says what to do where it failed."""

    check: str
    ok: bool
    detail: str
    fix: str | None = None


@click.command("doctor")
@options.scope
@options.connection
@options.general
@click.pass_context
def doctor_command(
    ctx: click.Context, /, accounts: tuple[str, ...], regions: tuple[str, ...], as_json: bool, **given: Any
) -> None:
    """Check everything that a report needs: credentials, bucket, inventory, every role, every worker.

    Writes nothing and runs no worker. Exit code 0 if all is well, else 1.

    \b
    Example:
      db-admin-report doctor --accounts 123456789012
    """
    settings = options.settings_from(given)
    findings = examine(settings, accounts, regions)
    healthy = all(finding.ok for finding in findings)
    if as_json:
        print_json({"ok": healthy, "checks": [asdict(finding) for finding in findings]})
    else:
        for finding in findings:
            mark = click.style("ok  ", fg="green") if finding.ok else click.style("FAIL", fg="red")
            click.echo(f"{mark} {safe(finding.check)}: {safe(finding.detail, lines=True)}")
            if finding.fix and not finding.ok:
                say(f"     Fix: {finding.fix}")
    ctx.exit(0 if healthy else 1)


def examine(settings: Settings, accounts: tuple[str, ...], regions: tuple[str, ...]) -> list[Finding]:
    """Every check; none is left out because another failed, unless there is nothing to try it with."""
    from dbadmin_assets.resources.accounts import AwsAccounts
    from dbadmin_assets.resources.credentials import aws_session, verified_caller

    findings = [_state_folder(settings), _runs(settings)]
    session, finding = _attempt("credentials", lambda: aws_session(settings))
    if session is None:
        return [*findings, finding]
    with ThreadPoolExecutor(_AT_ONCE) as pool:
        caller = pool.submit(_attempt, "credentials", lambda: verified_caller(session), lambda found: found["arn"])
        bucket = pool.submit(_bucket, settings, session)
        inventory, inventory_finding = _attempt(
            "inventory", lambda: _inventory(settings, session), lambda i: f"{i.source}, {len(i.targets())} targets"
        )
        signing = pool.submit(_signing, settings, session)
        findings += [caller.result()[1], *bucket.result(), signing.result(), inventory_finding]
        if inventory is None or caller.result()[0] is None:
            return findings
        targets, finding = _attempt("scope", lambda: inventory.targets(accounts, regions))
        if targets is None:
            return [*findings, finding]
        roles = AwsAccounts(session, run_id="doctor", max_connections=_AT_ONCE)
        per_target = pool.map(lambda target: _target(roles, target), targets)
        return findings + list(dict.fromkeys(finding for found in per_target for finding in found))


def _attempt(
    check: str, trial: Callable[[], Any], told: Callable[[Any], str] = lambda _: "", fix: str | None = None
) -> tuple[Any, Finding]:
    """What the trial gave (None if it failed), and the finding. Any error is a finding: that is what this is for."""
    from dbadmin_assets.resources.credentials import credentials_error

    try:
        result = trial()
        return result, Finding(check, True, told(result))
    except DbAdminReportError as error:
        return None, Finding(check, False, error.message, error.hint or fix)
    except Exception as error:  # noqa: BLE001 - recorded as a failed check
        refused = credentials_error(error, "checking")
        if refused is not None:
            return None, Finding(check, False, refused.message, refused.hint)
        return None, Finding(check, False, f"{type(error).__name__}: {error}", fix)


def _inventory(settings: Settings, session: boto3.Session) -> Inventory:
    from dbadmin_assets.resources.inventory_source import read_inventory

    return read_inventory(settings.required("inventory")["inventory"], lambda: session)


def _state_folder(settings: Settings) -> Finding:
    def trial() -> str:
        settings.state_dir.mkdir(parents=True, exist_ok=True, mode=0o700)
        if not os.access(settings.state_dir, os.W_OK | os.X_OK):
            raise PermissionError(f"{settings.state_dir} cannot be written")
        return str(settings.state_dir)

    return _attempt("state folder", trial, str, "set DBADMIN_STATE_DIR to a folder that can be written")[1]


def _runs(settings: Settings) -> Finding:
    def trial() -> str:
        from dbadmin_assets.cli.stale_runs import stale_runs

        if stale := stale_runs(settings):
            hint = "`status RUN_ID` marks a dead run as failed, `cancel` ends one, `generate --resume` goes on with it"
            raise ReportError("; ".join(stale), hint=hint)
        return "none of this machine is stale"

    return _attempt("runs", trial, str)[1]


def _bucket(settings: Settings, session: boto3.Session) -> list[Finding]:
    names, finding = _attempt("bucket", lambda: settings.required("bucket", "region"))
    if names is None:
        return [finding]
    bucket, region = names["bucket"], names["region"]
    from dbadmin_assets.resources.evidence import EvidenceStore
    from dbadmin_assets.resources.retention import bucket_lock

    s3 = session.client("s3", region_name=region)

    def versioned() -> str:
        state = s3.get_bucket_versioning(Bucket=bucket).get("Status", "never enabled")
        if state != "Enabled":
            raise ReportError(f"versioning is {state}", hint="enable versioning: evidence must not be replaced")
        return "enabled"

    def readable() -> str:
        for prefix in _READ_PREFIXES:
            s3.list_objects_v2(Bucket=bucket, Prefix=prefix, MaxKeys=1)
        return f"{', '.join(_READ_PREFIXES)} (writing is not tried: it would leave evidence)"

    def locked() -> str:
        lock = bucket_lock(EvidenceStore(session, bucket=bucket, region=region))
        told = lock["reason"] or f"{lock['mode']}, {lock['days']} days"
        if lock["mode"] != "COMPLIANCE" or lock["days"] < _LEAST_DAYS:
            hint = f"set the bucket's default retention to COMPLIANCE and {_LEAST_DAYS} days or more"
            raise ReportError(told, hint=hint)
        return told

    may_look = "the caller needs s3:GetBucketVersioning for this check"
    return [
        _attempt("bucket", lambda: check_bucket(session, bucket, region), lambda found: f"{bucket} in {found}")[1],
        _attempt("bucket versioning", versioned, str, may_look)[1],
        _attempt("bucket retention", locked, str)[1],
        _attempt("bucket listing", readable, str, "the orchestrator role needs s3:ListBucket on these prefixes")[1],
    ]


def _signing(settings: Settings, session: boto3.Session) -> Finding:
    def told() -> str:
        from dbadmin_assets.resources.signing import open_signer

        signer = open_signer(session, settings)
        if signer is None:
            return "none is configured (signing_key): reports are not signed"
        return f"{signer.key_arn}, fingerprint {signer.trust().fingerprint}"

    return _attempt("signing key", told, str)[1]


def _target(roles: AwsAccounts, target: Target) -> list[Finding]:
    """The account's role, and whether its worker could be invoked: a dry run, which runs nothing."""
    from dbadmin_assets.resources.accounts import signed_by

    worker = target.worker
    credentials, finding = _attempt(
        f"role in {target.account_id}",
        lambda: roles.credentials(target.account_id, worker.role_name, worker.external_id),
        lambda _: worker.role_name,
        "check that the role exists, that it trusts the caller, and worker.external_id of the inventory",
    )
    if credentials is None:
        return [finding]

    def dry_run() -> str:
        with signed_by(credentials):
            client = roles.lambda_client(target.region, 30)
            client.invoke(FunctionName=worker.function_name, InvocationType="DryRun")
        return worker.function_name

    fix = "check that the function is deployed there and that the role may invoke it"
    return [finding, _attempt(f"worker in {target.key}", dry_run, str, fix)[1]]

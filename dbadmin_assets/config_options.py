"""The table of what may be configured; docs/configuration.md has the same for people. Standard library only."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Option:
    """One thing that can be configured; `name` is the key in the file, `--name` the option where there is one.

    Attributes:
        form: a regular expression that a text must match as a whole; `form_name` is what it describes.
        secret: never shown and never handed to another process: that one reads it where this one did.
    """

    name: str
    variables: tuple[str, ...]
    meaning: str
    default: str | int | None = None
    least: int = 1
    most: int = 100_000
    form: str | None = None
    form_name: str = ""
    secret: bool = False

    @property
    def is_number(self) -> bool:
        """Whether the value is a whole number."""
        return isinstance(self.default, int)


_CRON = r"[0-9A-Za-z*,/-]+( [0-9A-Za-z*,/-]+){4}"

OPTIONS = (
    Option("inventory", ("DBADMIN_INVENTORY",), "where the inventory is: s3://bucket/key, ssm:/name, or a path"),
    Option(
        "bucket",
        ("DBADMIN_BUCKET",),
        "the evidence bucket of the central account",
        form=r"[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]",
        form_name="the name of a bucket, without s3://",
    ),
    Option(
        "region",
        ("DBADMIN_REGION", "AWS_REGION", "AWS_DEFAULT_REGION"),
        "region of the bucket",
        form=r"[a-z]{2}(-[a-z]+)+-[0-9]",
        form_name="an AWS region, as us-east-1 is",
    ),
    Option("profile", ("AWS_PROFILE",), "profile of the AWS configuration to use"),
    Option("state_dir", ("DBADMIN_STATE_DIR",), "folder for run logs and the embedded Dagster instance"),
    Option("dagster_home", ("DAGSTER_HOME",), "folder of the Dagster instance; default: dagster/ in state_dir"),
    Option("signing_key", ("DBADMIN_SIGNING_KEY",), "KMS key that signs the evidence: ARN, id or alias/name"),
    Option(
        "signing_fingerprint",
        ("DBADMIN_SIGNING_FINGERPRINT",),
        "sha256 of that key's public half: lets `verify` trust it without asking KMS",
        form="[0-9a-f]{64}",
        form_name="64 hex digits, as `verify` prints them",
    ),
    # O2: ten minutes for an attempt; fourteen for all of a target, so that the report keeps its fifteen (O5).
    Option("attempt_timeout_seconds", ("DBADMIN_ATTEMPT_TIMEOUT_SECONDS",), "one worker invocation", 600, most=900),
    Option("target_timeout_seconds", ("DBADMIN_TARGET_TIMEOUT_SECONDS",), "all attempts of a target", 840, most=86_400),
    Option("max_concurrency", ("DBADMIN_MAX_CONCURRENCY",), "targets collected at once", 1024, most=10_000),
    Option("max_per_account", ("DBADMIN_MAX_PER_ACCOUNT",), "workers at once in one account", 10, most=1000),
    Option(
        "max_runtime_seconds",
        ("DBADMIN_MAX_RUNTIME_SECONDS",),
        "a whole run, where a Dagster daemon monitors runs",
        7200,
        least=60,
        most=604_800,
    ),
    Option(
        "run_max_retries",
        ("DBADMIN_RUN_MAX_RETRIES",),
        "times that a daemon starts a run again whose process crashed",
        0,
        least=0,
        most=10,
    ),
    # The token of a deployed Dagster is no setting: it is a secret, read from DBADMIN_DAGSTER_TOKEN where it is used.
    Option("dagster_url", ("DBADMIN_DAGSTER_URL",), "a deployed Dagster to run reports in, instead of an embedded one"),
    Option("dagster_ca_file", ("DBADMIN_DAGSTER_CA_FILE",), "PEM file that alone vouches for the deployed Dagster"),
    Option(
        "dagster_location",
        ("DBADMIN_DAGSTER_LOCATION",),
        "name of the code location in the deployed Dagster",
        "dbadmin_assets.definitions",
    ),
    Option(
        "dagster_allow_http",
        ("DBADMIN_DAGSTER_ALLOW_HTTP",),
        "whether the deployed Dagster may be reached without TLS",
        "no",
        form="yes|no",
        form_name="yes or no",
    ),
    # Checks, alerts and schedules: docs/operations.md.
    Option("report_max_age_days", ("DBADMIN_REPORT_MAX_AGE_DAYS",), "age at which a report is not fresh any more", 100),
    Option(
        "users_drop_percent",
        ("DBADMIN_USERS_DROP_PERCENT",),
        "how many users fewer than last time are alarming",
        20,
        most=100,
    ),
    Option(
        "admins_rise_percent",
        ("DBADMIN_ADMINS_RISE_PERCENT",),
        "how many admins more than last time are alarming",
        20,
    ),
    Option("least_change", ("DBADMIN_LEAST_CHANGE",), "users or admins below which no change is alarming", 5),
    Option(
        "alert_topic",
        ("DBADMIN_ALERT_TOPIC",),
        "SNS topic that alerts go to",
        form=r"arn:aws[a-z-]*:sns:[a-z0-9-]+:[0-9]{12}:[A-Za-z0-9_-]{1,256}(\.fifo)?",
        form_name="the ARN of an SNS topic",
    ),
    Option(
        "alert_webhook",
        ("DBADMIN_ALERT_WEBHOOK",),
        "webhook that alerts go to",
        form=r"https://[A-Za-z0-9.-]+(:[0-9]{1,5})?/[!-~]*",
        form_name="an https:// URL with a path and without a password",
        secret=True,
    ),
    Option(
        "alert_format",
        ("DBADMIN_ALERT_FORMAT",),
        "what the webhook understands",
        "json",
        form="json|slack|teams",
        form_name="json, slack or teams",
    ),
    Option(
        "schedule_quarterly",
        ("DBADMIN_SCHEDULE_QUARTERLY",),
        "cron of the quarterly report",
        "0 6 1 1,4,7,10 *",
        form=_CRON,
        form_name="a cron expression of five fields",
    ),
    Option(
        "schedule_weekly",
        ("DBADMIN_SCHEDULE_WEEKLY",),
        "cron of the weekly report",
        "0 6 * * 1",
        form=_CRON,
        form_name="a cron expression of five fields",
    ),
    Option("schedule_timezone", ("DBADMIN_SCHEDULE_TIMEZONE",), "time zone of the schedules", "UTC"),
)

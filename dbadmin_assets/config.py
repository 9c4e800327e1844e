"""Settings: where each value comes from, and how another process gets the same ones.

An option wins over an environment variable, that over the configuration file (TOML). Nothing is read at import,
and only the standard library is needed: the command line's help must not wait for more.
"""

from __future__ import annotations

import os
import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from dbadmin_assets.config_options import OPTIONS, Option
from dbadmin_assets.errors import ConfigurationError

_BY_NAME = {option.name: option for option in OPTIONS}


@dataclass(frozen=True, slots=True)
class Settings:
    """Every setting with its value. `origins` names where each came from, for `config show` and messages.

    `inventory`, `bucket` and `region` may be None: what needs one calls `required`.
    """

    inventory: str | None
    bucket: str | None
    region: str | None
    profile: str | None
    signing_key: str | None
    signing_fingerprint: str | None
    state_dir: Path
    dagster_home: Path
    attempt_timeout_seconds: int
    target_timeout_seconds: int
    max_concurrency: int
    max_per_account: int
    max_runtime_seconds: int
    run_max_retries: int
    dagster_url: str | None
    dagster_ca_file: str | None
    dagster_location: str
    dagster_allow_http: str
    report_max_age_days: int
    users_drop_percent: int
    admins_rise_percent: int
    least_change: int
    alert_topic: str | None
    alert_webhook: str | None = field(repr=False)
    alert_format: str
    schedule_quarterly: str
    schedule_weekly: str
    schedule_timezone: str
    origins: dict[str, str] = field(default_factory=dict, compare=False)

    def environment(self) -> dict[str, str]:
        """The environment variables that give another process exactly these settings, secrets apart.

        A process that is started with them inherits this one's environment, too, and reads the same file.
        """
        values = {option.variables[0]: getattr(self, option.name) for option in OPTIONS if not option.secret}
        return {name: str(value) for name, value in values.items() if value is not None}

    def required(self, *names: str) -> dict[str, str]:
        """The text values of these settings.

        Raises:
            ConfigurationError: listing each one that is not set, and how to set it.
        """
        missing = [_BY_NAME[name] for name in names if getattr(self, name) is None]
        if missing:
            raise ConfigurationError(
                f"{option.name} is not set ({option.meaning}): set {option.variables[0]}" for option in missing
            )
        return {name: str(getattr(self, name)) for name in names}


def load_settings(flags: Mapping[str, object] | None = None, environ: Mapping[str, str] | None = None) -> Settings:
    """Settings from options, environment variables and the configuration file, in this order.

    Args:
        flags: options by setting name; None and a missing key mean: not given.
        environ: instead of os.environ.

    Raises:
        ConfigurationError: with every unknown key and wrong value at once.
    """
    environ = os.environ if environ is None else environ
    problems: list[str] = []
    file_path = config_path(environ)
    file_values = _read_file(file_path, required=bool(environ.get("DBADMIN_CONFIG")), problems=problems)
    values: dict[str, object] = {}
    origins: dict[str, str] = {}
    for name in sorted(set(flags or {}) - set(_BY_NAME)):
        problems.append(f"option {name} is not known")
    for option in OPTIONS:
        raw, origin = _find(option, flags or {}, environ, file_values, file_path)
        values[option.name] = _checked(option, raw, origin, problems)
        origins[option.name] = origin
    if problems:
        raise ConfigurationError(problems)
    for name in ("inventory", "dagster_ca_file"):
        values[name] = _absolute(values[name], origins[name], file_path)
    for name in ("state_dir", "dagster_home"):
        origins[name] = origins[name].replace("not set", "default")
    state_dir = _expanded(values.pop("state_dir") or _default_state_dir(environ)).absolute()
    dagster_home = values.pop("dagster_home")
    return Settings(
        **values,  # type: ignore[arg-type]
        state_dir=state_dir,
        dagster_home=_expanded(dagster_home).absolute() if dagster_home else state_dir / "dagster",
        origins=origins,
    )


def _absolute(value: object, origin: str, file_path: Path) -> object:
    """A path must be the same file in every process: relative to the file that says it, else to this folder."""
    # Any other scheme is no path, either: its reader says what it should be.
    if not isinstance(value, str) or value.startswith(("s3:", "ssm:")) or "://" in value:
        return value
    path = _expanded(value)
    return str((file_path.parent / path if origin.startswith("file") else path).absolute())


def config_path(environ: Mapping[str, str]) -> Path:
    """The configuration file: DBADMIN_CONFIG, else db-admin-report/config.toml in the user's configuration."""
    if environ.get("DBADMIN_CONFIG"):
        return _expanded(environ["DBADMIN_CONFIG"])
    base = environ.get("XDG_CONFIG_HOME") or f"{_home(environ)}/.config"
    return Path(base) / "db-admin-report" / "config.toml"


def _expanded(value: object) -> Path:
    path = Path(str(value))
    try:
        return path.expanduser()
    except RuntimeError as error:
        raise ConfigurationError([f"{path}: there is no such user, or it has no home folder"]) from error


def _home(environ: Mapping[str, str]) -> str:
    return environ.get("HOME") or str(Path.home())


def _default_state_dir(environ: Mapping[str, str]) -> str:
    base = environ.get("XDG_STATE_HOME") or f"{_home(environ)}/.local/state"
    return f"{base}/db-admin-report"


def _read_file(path: Path, *, required: bool, problems: list[str]) -> dict[str, object]:
    try:
        values: dict[str, object] = tomllib.loads(path.read_text("utf-8"))
    except FileNotFoundError:
        if required:
            problems.append(f"{path}: there is no such file (DBADMIN_CONFIG names it)")
        return {}
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        problems.append(f"{path}: {error}")
        return {}
    problems += [
        f"{path}: {key} is not known; known are {', '.join(_BY_NAME)}" for key in values if key not in _BY_NAME
    ]
    return values


def _find(
    option: Option,
    flags: Mapping[str, object],
    environ: Mapping[str, str],
    file_values: Mapping[str, object],
    file_path: Path,
) -> tuple[object, str]:
    """The first source that has the option; an empty environment variable counts as not set, as AWS tools do."""
    flag = flags.get(option.name)
    if flag is not None:
        return flag, f"option --{option.name.replace('_', '-')}"
    own, *general = option.variables
    if environ.get(own):
        return environ[own], f"environment {own}"
    if option.name in file_values:
        return file_values[option.name], f"file {file_path}"
    for variable in general:  # AWS_REGION says less than our own file about where the bucket is
        if environ.get(variable):
            return environ[variable], f"environment {variable}"
    return option.default, "default" if option.default is not None else "not set"


def _checked(option: Option, raw: object, origin: str, problems: list[str]) -> object:
    if raw is None:
        return None
    if not option.is_number:
        if not isinstance(raw, str) or not raw or any(ord(c) < 32 for c in raw):
            problems.append(f"{option.name} is {_shown(option, raw)}, not text ({origin})")
        elif option.form is not None and not re.fullmatch(option.form, raw):
            problems.append(f"{option.name} is {_shown(option, raw)}, not {option.form_name} ({origin})")
        return raw
    text = raw.strip() if isinstance(raw, str) and not origin.startswith("file") else raw
    if isinstance(text, str) and text.isascii() and text.isdigit():
        text = int(text)
    if not isinstance(text, int) or isinstance(text, bool):
        problems.append(f"{option.name} is {raw!r}, not a whole number ({origin})")
    elif not option.least <= text <= option.most:
        problems.append(f"{option.name} is {text}, outside {option.least} to {option.most} ({origin})")
    return text


def _shown(option: Option, raw: object) -> str:
    return "(a secret, not shown)" if option.secret else ascii(raw)[:200]

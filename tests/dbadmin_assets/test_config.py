"""Settings: precedence, complete lists of problems, and the same settings in another process."""

from pathlib import Path

import pytest

from dbadmin_assets.config import load_settings
from dbadmin_assets.errors import ConfigurationError


@pytest.fixture
def environ(tmp_path: Path) -> dict[str, str]:
    return {"HOME": str(tmp_path)}


def write_config(environ: dict[str, str], text: str) -> Path:
    path = Path(environ["HOME"]) / ".config/db-admin-report/config.toml"
    path.parent.mkdir(parents=True)
    path.write_text(text)
    return path


def test_an_option_wins_over_the_environment_and_that_over_the_file(environ: dict[str, str]) -> None:
    file = write_config(environ, 'bucket = "from-file"\nprofile = "from-file"\nregion = "eu-west-1"\n')
    environ |= {"DBADMIN_BUCKET": "from-environment", "AWS_PROFILE": "from-environment"}
    settings = load_settings({"profile": "from-option", "bucket": None}, environ)
    assert (settings.profile, settings.bucket, settings.region) == ("from-option", "from-environment", "eu-west-1")
    assert settings.origins["profile"] == "option --profile"
    assert settings.origins["bucket"] == "environment DBADMIN_BUCKET"
    assert settings.origins["region"] == f"file {file}"
    assert settings.origins["max_per_account"] == "default"


def test_the_general_aws_region_gives_way_to_the_file_and_serves_without_one(environ: dict[str, str]) -> None:
    environ["AWS_REGION"] = "us-east-2"
    assert load_settings({}, environ).region == "us-east-2"
    write_config(environ, 'region = "eu-west-1"\n')
    assert load_settings({}, environ).region == "eu-west-1"


def test_every_problem_is_listed_at_once(environ: dict[str, str]) -> None:
    write_config(environ, 'buckets = "x"\nmax_concurrency = "ten"\nbucket = 5\n')
    environ |= {"DBADMIN_ATTEMPT_TIMEOUT_SECONDS": "1e3", "DBADMIN_MAX_PER_ACCOUNT": "0"}
    with pytest.raises(ConfigurationError) as error:
        load_settings({"colour": "red"}, environ)
    named = ("buckets", "max_concurrency", "bucket is 5", "attempt_timeout_seconds", "max_per_account", "colour")
    assert len(error.value.problems) == len(named)
    assert all(any(name in problem for problem in error.value.problems) for name in named)
    assert error.value.exit_code == 2


def test_a_file_that_is_named_must_be_there_and_must_be_toml(environ: dict[str, str], tmp_path: Path) -> None:
    environ["DBADMIN_CONFIG"] = str(tmp_path / "none.toml")
    with pytest.raises(ConfigurationError, match="no such file"):
        load_settings({}, environ)
    (tmp_path / "none.toml").write_text("bucket = [")
    with pytest.raises(ConfigurationError, match=r"none\.toml"):
        load_settings({}, environ)


def test_the_environment_gives_another_process_the_same_settings(environ: dict[str, str], tmp_path: Path) -> None:
    write_config(environ, 'bucket = "b-1"\nregion = "eu-west-1"\ninventory = "inventory.yaml"\nmax_concurrency = 7\n')
    settings = load_settings({"profile": "p"}, environ)
    assert load_settings({}, settings.environment() | {"HOME": str(tmp_path / "elsewhere")}) == settings


def test_a_path_of_the_file_is_relative_to_the_file(environ: dict[str, str]) -> None:
    file = write_config(environ, 'inventory = "inventory.yaml"\n')
    assert load_settings({}, environ).inventory == str(file.parent / "inventory.yaml")
    environ["DBADMIN_INVENTORY"] = "ssm:/db-admin-report/inventory"
    assert load_settings({}, environ).inventory == "ssm:/db-admin-report/inventory"


def test_what_is_required_and_not_set_is_named_with_its_variable(environ: dict[str, str]) -> None:
    with pytest.raises(ConfigurationError) as error:
        load_settings({}, environ).required("inventory", "bucket", "region")
    assert [problem.rsplit(" ", 1)[1] for problem in error.value.problems] == [
        "DBADMIN_INVENTORY",
        "DBADMIN_BUCKET",
        "DBADMIN_REGION",
    ]


def test_the_dagster_folder_lies_in_the_state_folder_unless_it_is_given(
    environ: dict[str, str], tmp_path: Path
) -> None:
    assert load_settings({}, environ).dagster_home == tmp_path / ".local/state/db-admin-report/dagster"
    environ |= {"DBADMIN_STATE_DIR": str(tmp_path / "s"), "DAGSTER_HOME": str(tmp_path / "d")}
    assert load_settings({}, environ).dagster_home == tmp_path / "d"


@pytest.mark.parametrize(
    ("variable", "value", "said"),
    [
        ("DBADMIN_BUCKET", "s3://evidence", "without s3://"),
        ("DBADMIN_BUCKET", "NOT A BUCKET", "the name of a bucket"),
        ("DBADMIN_REGION", "mars-1", "an AWS region"),
        ("AWS_REGION", "us east", "AWS_REGION"),
        ("DBADMIN_STATE_DIR", "~no-such-user-here/x", "no such user"),
        ("DBADMIN_INVENTORY", "~no-such-user-here/x", "no such user"),
        ("DBADMIN_CONFIG", "~no-such-user-here/x", "no such user"),
    ],
)
def test_a_value_that_cannot_work_is_refused_at_once(
    environ: dict[str, str], variable: str, value: str, said: str
) -> None:
    with pytest.raises(ConfigurationError, match=said):
        load_settings({}, environ | {variable: value})


def test_an_empty_variable_counts_as_not_set_for_the_file_too(environ: dict[str, str]) -> None:
    assert load_settings({}, environ | {"DBADMIN_CONFIG": "", "DBADMIN_BUCKET": ""}).bucket is None


def test_an_address_of_another_kind_is_not_taken_for_a_path(environ: dict[str, str]) -> None:
    address = "https://example.com/inventory.yaml"
    assert load_settings({}, environ | {"DBADMIN_INVENTORY": address}).inventory == address

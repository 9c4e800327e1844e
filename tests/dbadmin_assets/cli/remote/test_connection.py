"""What is sent to whom, and what an answer that is none is called."""

import json
import ssl
import subprocess
import sys
from pathlib import Path

import pytest
import trustme

from dbadmin_assets import __version__
from dbadmin_assets.cli.remote import preflight
from dbadmin_assets.cli.remote.address import Address, address_of
from dbadmin_assets.cli.remote.connection import Connection, DagsterRefusedError, DagsterSilentError
from dbadmin_assets.config import Settings, load_settings
from dbadmin_assets.errors import ConfigurationError
from tests.dbadmin_assets.cli.conftest import Machine
from tests.deployed_dagster import DeployedDagster, free_port, gate

SECRET = "user:s3cr3t-token"


def settings(url: str, **more: str) -> Settings:
    return load_settings({}, {"HOME": "/nonexistent", "DBADMIN_DAGSTER_URL": url, **more})


def address(url: str, token: str | None = None, **more: str) -> Address:
    return address_of(settings(url, **more), {"DBADMIN_DAGSTER_TOKEN": token} if token else {})


@pytest.mark.parametrize(
    ("url", "graphql"),
    [
        ("https://dagster.example.com", "https://dagster.example.com/graphql"),
        ("https://dagster.example.com:8443/team/", "https://dagster.example.com:8443/team/graphql"),
        ("https://dagster.example.com/graphql", "https://dagster.example.com/graphql"),
        ("https://acme.dagster.cloud/prod", "https://acme.dagster.cloud/prod/graphql"),
        ("http://127.0.0.1:3000", "http://127.0.0.1:3000/graphql"),
        ("http://[::1]:3000", "http://[::1]:3000/graphql"),
        ("http://localhost:3000", "http://localhost:3000/graphql"),
    ],
)
def test_the_address_of_the_ui_is_enough(url: str, graphql: str) -> None:
    assert address(url).graphql == graphql


@pytest.mark.parametrize(
    "url",
    ["dagster.example.com", "ftp://x", "https://", "https://h:x", "https://h/?a=b", "https://h/#x", "https://h/a b",
     "https://dagster@h", "https://[::1", "https://h\\@evil"],
)  # fmt: skip
def test_what_is_no_address_is_refused(url: str) -> None:
    with pytest.raises(ConfigurationError):
        address(url)


def test_a_password_in_the_address_is_refused_and_not_shown() -> None:
    with pytest.raises(ConfigurationError) as error:
        address("https://bob:hunter2@dagster.example.com")
    assert "hunter2" not in str(error.value) + str(error.value.hint)


@pytest.mark.parametrize("host", ["dagster.example.com", "10.0.0.1", "localhost.example.com", "127.0.0.1.nip.io"])
def test_http_is_for_this_machine_only_unless_said_otherwise(host: str) -> None:
    with pytest.raises(ConfigurationError, match="not encrypted"):
        address(f"http://{host}")
    assert address(f"http://{host}", DBADMIN_DAGSTER_ALLOW_HTTP="yes").tls is None
    with pytest.raises(ConfigurationError, match="yes or no"):
        settings(f"http://{host}", DBADMIN_DAGSTER_ALLOW_HTTP="true")


@pytest.mark.parametrize(
    ("host", "header"),
    [
        ("acme.dagster.cloud", "Dagster-Cloud-Api-Token"),
        ("acme.eu.dagster.cloud", "Dagster-Cloud-Api-Token"),
        ("dagster.example.com", "Authorization"),
        ("evildagster.cloud", "Authorization"),
        ("acme.dagster.cloud.evil.com", "Authorization"),
    ],
)
def test_the_token_goes_into_the_header_of_its_kind(host: str, header: str) -> None:
    made = address(f"https://{host}", SECRET)
    assert made.headers == {header: SECRET if header != "Authorization" else f"Bearer {SECRET}"}
    assert SECRET not in repr(made)


@pytest.mark.parametrize("token", ["a\nb", "a b", "tökén", "a\r\nX-Evil: 1"])
def test_a_token_that_would_break_the_header_is_refused_and_not_shown(token: str) -> None:
    with pytest.raises(ConfigurationError) as error:
        address("https://dagster.example.com", token)
    assert token not in str(error.value)


def test_a_token_does_not_belong_into_the_configuration_file(tmp_path: Path) -> None:
    (tmp_path / "config.toml").write_text(f'dagster_token = "{SECRET}"\n')
    with pytest.raises(ConfigurationError, match="dagster_token is not known") as error:
        load_settings({}, {"DBADMIN_CONFIG": str(tmp_path / "config.toml")})
    assert SECRET not in str(error.value)


def test_certificates_are_verified_and_a_private_authority_is_named(tmp_path: Path) -> None:
    authority = trustme.CA()
    server = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    authority.issue_cert("localhost").configure_cert(server)
    pem, other, empty = tmp_path / "ca.pem", tmp_path / "other.pem", tmp_path / "empty.pem"
    authority.cert_pem.write_to_path(str(pem))
    trustme.CA().cert_pem.write_to_path(str(other))
    empty.write_text("")
    with gate("http://127.0.0.1:9", tls=server, host="localhost") as there:
        there.answer = (200, {}, b'{"data": {"version": "1"}}')
        for more in ({}, {"DBADMIN_DAGSTER_CA_FILE": str(other)}):
            with pytest.raises(DagsterRefusedError, match="not trusted") as error:
                Connection(address(there.url, SECRET, **more)).ask_once("{ version }", {})
            assert "DBADMIN_DAGSTER_CA_FILE" in (error.value.hint or "")
        wrong_name = there.url.replace("localhost", "127.0.0.1")
        with pytest.raises(DagsterRefusedError, match="not trusted"):
            Connection(address(wrong_name, DBADMIN_DAGSTER_CA_FILE=str(pem))).ask_once("{ version }", {})
        assert there.seen == [], "whoever cannot prove who he is gets no token"
        trusting = Connection(address(there.url, SECRET, DBADMIN_DAGSTER_CA_FILE=str(pem)))
        assert trusting.ask_once("{ version }", {}) == {"version": "1"}
        assert there.seen[0]["Authorization"] == f"Bearer {SECRET}"
    with gate("http://127.0.0.1:9") as plain, pytest.raises(DagsterRefusedError, match="does not speak TLS"):
        Connection(address(plain.url.replace("http:", "https:"))).ask_once("{ version }", {})
    for file in (tmp_path / "none.pem", empty):
        with pytest.raises(ConfigurationError, match=file.name):
            address("https://h", DBADMIN_DAGSTER_CA_FILE=str(file))


HTML = {"Content-Type": "text/html"}


@pytest.mark.parametrize(
    ("answer", "message", "cure"),
    [
        ((401, {}, b"no"), "asks for a token (HTTP 401)", "DBADMIN_DAGSTER_TOKEN"),
        ((403, {}, b"no"), "asks for a token (HTTP 403)", "DBADMIN_DAGSTER_TOKEN"),
        ((200, HTML, b"<html>Grafana</html>"), "is not a Dagster webserver", "DBADMIN_DAGSTER_URL"),
        ((200, {}, b"[]"), "is not a Dagster webserver", "DBADMIN_DAGSTER_URL"),
        ((200, {}, b'{"data": null}'), "is not a Dagster webserver", "DBADMIN_DAGSTER_URL"),
        ((404, HTML, b"not here"), "is not a Dagster webserver (HTTP 404", "DBADMIN_DAGSTER_URL"),
        ((302, {"Location": "https://login.example.com/"}, b""), "sends us elsewhere", "DBADMIN_DAGSTER_TOKEN"),
        ((400, {}, b'{"errors": [{"message": "Cannot query field"}]}'), "does not understand", "Dagster version"),
    ],
)
def test_an_answer_that_is_none_is_named_with_its_cure(
    answer: tuple[int, dict[str, str], bytes], message: str, cure: str
) -> None:
    with gate("http://127.0.0.1:9") as there:
        there.answer = answer
        with pytest.raises(DagsterRefusedError) as error:
            Connection(address(there.url)).ask("{ version }", {}, patience_seconds=60)
        assert message in error.value.message
        assert cure in (error.value.hint or "")
        assert len(there.seen) == 1, "asking again changes nothing"


def test_silence_is_borne_for_as_long_as_the_patience_lasts_and_no_longer() -> None:
    url = f"http://127.0.0.1:{free_port()}"
    with pytest.raises(DagsterSilentError, match="does not answer") as error:
        Connection(address(url)).ask("{ version }", {}, patience_seconds=0.2)
    assert not error.value.sent, "nobody was there who could have read it"
    with gate("http://127.0.0.1:9") as there:
        there.answer = (503, {}, b"")
        with pytest.raises(DagsterSilentError, match="HTTP 503") as error:
            Connection(address(there.url)).ask("{ version }", {}, patience_seconds=0.2)
        assert error.value.sent
        assert len(there.seen) > 1


def answer_of(**changes: object) -> dict[str, object]:
    """What a healthy Dagster says before a launch."""
    healthy = {"__typename": "WorkspaceLocationEntry", "loadStatus": "LOADED",
               "locationOrLoadError": {"__typename": "RepositoryLocation"}}  # fmt: skip
    tags = [{"key": "db-admin-report/code_version", "value": __version__}]
    return {
        "version": "1.13.27",
        "workspaceOrError": {"locationEntries": [{"name": "etl"}]},
        "workspaceLocationEntryOrError": healthy,
        "pipelineOrError": {"__typename": "Pipeline", "tags": tags},
        **changes,
    }


LOADING = {"__typename": "WorkspaceLocationEntry", "loadStatus": "LOADING", "locationOrLoadError": None}
BROKEN = {"__typename": "WorkspaceLocationEntry", "loadStatus": "LOADED",
          "locationOrLoadError": {"__typename": "PythonError", "message": "ImportError: no boto3"}}  # fmt: skip
OLD = {"__typename": "Pipeline", "tags": [{"key": "db-admin-report/code_version", "value": "99.0.1"}]}


@pytest.mark.parametrize(
    ("changes", "message", "cure"),
    [
        ({"workspaceLocationEntryOrError": None}, "has no code location dbadmin; it has etl", "DAGSTER_LOCATION"),
        ({"workspaceLocationEntryOrError": LOADING}, "not loaded yet", "again"),
        ({"workspaceLocationEntryOrError": BROKEN}, "could not be loaded: ImportError: no boto3", "reload"),
        ({"pipelineOrError": {"__typename": "PipelineNotFoundError", "message": "none"}}, "has no job", "LOCATION"),
        ({"pipelineOrError": OLD}, f"has db-admin-report 99.0.1, this command is {__version__}", "same version"),
        ({"pipelineOrError": {"__typename": "Pipeline", "tags": []}}, "of an older version", "same version"),
    ],
)
def test_whatever_would_keep_it_from_running_is_named_before(
    changes: dict[str, object], message: str, cure: str
) -> None:
    preflight.check_answer(answer_of(), url="https://d", location="dbadmin")
    with pytest.raises(DagsterRefusedError) as error:
        preflight.check_answer(answer_of(**changes), url="https://d", location="dbadmin")
    assert message in error.value.message
    assert cure in (error.value.hint or "")


def test_the_token_is_sent_and_shown_nowhere(far: Machine, deployed: DeployedDagster) -> None:
    with gate(deployed.url) as there:
        there.token = SECRET
        far.environment["DBADMIN_DAGSTER_URL"] = there.url
        code, _, err = far.run("generate", "--verbose")
        assert (code, "asks for a token" in err) == (2, True), err
        far.environment["DBADMIN_DAGSTER_TOKEN"] = "another-" + SECRET
        code, _, err = far.run("generate", "--verbose")
        assert (code, "does not accept the token" in err) == (2, True), err
        assert SECRET not in err
        far.environment["DBADMIN_DAGSTER_TOKEN"] = SECRET
        code, out, err = far.run("generate", "--verbose", "--json")
        assert code == 3, err
        run_id = json.loads(out)["run_id"]
        assert SECRET not in out + err + far.run("config", "show")[1] + json.dumps(deployed.runs()[run_id])


def test_a_remote_command_imports_no_dagster(far: Machine, deployed: DeployedDagster) -> None:
    code = (
        "import sys; from dbadmin_assets.cli.main import cli\n"
        "try: cli.main(['generate', '--json'])\n"
        "except SystemExit as end: assert end.code == 3, end.code\n"
        "print('loaded:', *[name for name in sys.modules if name.partition('.')[0] in ('dagster', 'dagster_graphql')])"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], env=far.environment, cwd=far.home, capture_output=True, text=True, timeout=120
    )
    assert done.stdout.splitlines()[-1] == "loaded:", done.stdout[-500:] + done.stderr

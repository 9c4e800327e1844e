"""The inventory: what is read, what is refused, and that every problem is told with its place."""

import json
from dataclasses import replace
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from dbadmin_assets.errors import InventoryError, UnknownScopeError
from dbadmin_assets.inventory import Inventory, parse_inventory
from dbadmin_assets.inventory_yaml import MAX_BYTES
from worker_lambda.contract import ResultLocation, WorkerRequest

EXAMPLE = b"""\
version: 1
defaults: {secret: "db-admin-report/{account}/{region}/{database}", tls: verify-full}
accounts:
  "123456789012":
    name: payments-prod
    worker: {external_id: account-wide, timeout_seconds: 300}
    regions:
      us-east-1:
        databases:
          - {name: prod-mssql-01, engine: mssql, host: db1.example.com, port: 1433, secret: "arn:aws:x:s-AbC"}
          - {name: prod-mysql-02, engine: mysql, host: db2.example.com, auth: iam, username: reader, owner: me}
          - {name: scratch, engine: mysql, host: db3.example.com, exclude: "no production data, ticket 123"}
      eu-west-1:
        worker: {role_name: other-role}
        databases: [{name: only, engine: mysql}]
  "012345678901":
    regions: {us-east-1: {databases: [{name: ledger, engine: mysql, host: 10.0.0.1}]}}
worker: {role_name: general-role, external_id: general}
network: {us-east-1: {vpc_id: vpc-1, subnet_ids: [subnet-1]}}
tags: {cost-center: "42"}
"""


def problems(text: bytes | str | dict[str, Any]) -> list[str]:
    if isinstance(text, dict):
        text = json.dumps(text)
    with pytest.raises(InventoryError) as error:
        parse_inventory(text.encode() if isinstance(text, str) else text, "inventory.yaml")
    return error.value.problems


def one_database(**database: Any) -> dict[str, Any]:
    values = {"name": "a", "engine": "mysql", "host": "h", "secret": "s"} | database
    values = {key: value for key, value in values.items() if value is not None}
    return {"version": 1, "accounts": {"123456789012": {"regions": {"us-east-1": {"databases": [values]}}}}}


def parsed(document: dict[str, Any]) -> Inventory:
    return parse_inventory(json.dumps(document).encode(), "x")


def test_targets_come_by_account_and_region_with_defaults_filled_in() -> None:
    targets = parse_inventory(EXAMPLE, "x", "v7").targets()
    assert [t.key for t in targets] == ["012345678901|us-east-1", "123456789012|eu-west-1", "123456789012|us-east-1"]
    ledger, only, prod = targets
    assert ledger.databases[0].secret == "db-admin-report/012345678901/us-east-1/ledger"
    assert (ledger.account_name, prod.account_name) == ("012345678901", "payments-prod")
    assert (only.databases[0].host, only.databases[0].port) == (None, None)
    assert [d.name for d in prod.databases] == ["prod-mssql-01", "prod-mysql-02"]
    assert prod.databases[1].secret is None
    assert [(d.name, d.exclude) for d in prod.excluded] == [("scratch", "no production data, ticket 123")]
    assert ledger.network is not None
    assert only.network is None


def test_worker_settings_are_overridden_key_by_key() -> None:
    ledger, only, prod = (target.worker for target in parse_inventory(EXAMPLE, "x").targets())
    assert (ledger.role_name, ledger.external_id, ledger.timeout_seconds) == ("general-role", "general", 600)
    assert (prod.role_name, prod.external_id, prod.timeout_seconds) == ("general-role", "account-wide", 300)
    assert (only.role_name, only.external_id) == ("other-role", "account-wide")
    assert prod.writer_role_name == "db-admin-report-writer-123456789012"
    assert prod.function_name == "db-admin-report-worker"


def test_json_says_the_same_as_yaml() -> None:
    as_json = json.dumps(yaml.safe_load(EXAMPLE)).encode()
    assert parse_inventory(as_json, "x").targets() == parse_inventory(EXAMPLE, "x").targets()


def test_an_identity_is_the_hash_of_the_bytes() -> None:
    inventory = parse_inventory(EXAMPLE, "s3://b/k", "v7")
    assert (inventory.source, inventory.version) == ("s3://b/k", "v7")
    assert inventory.sha256 != parse_inventory(EXAMPLE + b"\n", "s3://b/k").sha256


def test_the_worker_accepts_every_database_of_a_valid_inventory() -> None:
    for target in parse_inventory(EXAMPLE, "x").targets():
        request = WorkerRequest(
            collection_id="c", run_id="r", attempt=1, account_id=target.account_id, region=target.region,
            result=ResultLocation("bucket", f"collections/c/{target.account_id}/{target.region}/1.json", "us-east-1",
                                  f"arn:aws:iam::209371858707:role/{target.worker.writer_role_name}"),
            databases=tuple(d.to_contract() for d in target.databases),
        )  # fmt: skip
        assert WorkerRequest.from_event(json.loads(json.dumps(request.to_event()))) == request


def test_every_field_of_a_database_reaches_the_worker() -> None:
    fields = {
        "port": 1434, "username": "reader", "tls": "require", "ca_file": "/ca.pem", "database": "payroll",
        "master_username": "dba",
    }  # fmt: skip
    (target,) = parsed(one_database(engine="mssql", **fields)).targets()
    told = target.databases[0].to_contract()
    assert {name: getattr(told, name) for name in fields} == fields


def test_every_problem_is_told_at_once_with_its_place() -> None:
    found = problems(
        """
        version: 2
        acounts: {}
        accounts:
          "1234": {regions: {us-east-1: {databases: []}}}
          "123456789012":
            regions:
              us_east:
                databases: [{name: a, engine: oracle, host: "-h", port: 70000, secret: "{db}", hots: 1}]
              eu-west-1:
                databases:
                - {name: a, engine: mysql}
                - {name: 5, engine: mysql, secret: s, port: "3306"}
        """
    )
    prefix = 'accounts."123456789012".regions'
    starts = [
        "version: ",
        "acounts: is not known",
        'accounts."1234": ',
        'accounts."1234".regions.us-east-1.databases: is empty',
        f"{prefix}.us_east: ",
        f"{prefix}.us_east.databases[0].engine: ",
        f"{prefix}.us_east.databases[0].host: ",
        f"{prefix}.us_east.databases[0].port: ",
        f"{prefix}.us_east.databases[0].secret: the placeholder {{db}} is not known",
        f"{prefix}.us_east.databases[0].hots: is not known",
        f"{prefix}.eu-west-1.databases[0]: has no secret",
        f"{prefix}.eu-west-1.databases[1].name: is 5, but input should be a valid string: write it in quotes",
        f"{prefix}.eu-west-1.databases[1].port: ",
    ]
    assert [s for s in starts if not any(p.startswith(s) for p in found)] == []
    assert len(found) == len(starts)


def test_an_account_id_without_quotes_is_explained() -> None:
    for written in ("123456789012", "012345670123"):
        found = problems(f"version: 1\naccounts:\n  {written}: {{regions: {{}}}}\n")
        assert f'accounts."{written}": write the account id in quotes' in found[0]
        assert "leading zeros" in found[0]


@pytest.mark.parametrize("key", ["name", "host"])
def test_a_key_given_twice_is_refused_in_yaml_and_json(key: str) -> None:
    place = f'accounts."123456789012".regions.us-east-1.databases[0].{key}: the key is there twice'
    text = json.dumps(one_database())
    value = one_database()["accounts"]["123456789012"]["regions"]["us-east-1"]["databases"][0][key]
    doubled = text.replace(f'"{key}": "{value}"', f'"{key}": "other", "{key}": "{value}"')
    assert problems(doubled) == [place]
    assert problems("# YAML\n" + doubled) == [place]


def test_duplicate_databases_of_one_target_are_refused() -> None:
    document = one_database()
    databases = document["accounts"]["123456789012"]["regions"]["us-east-1"]["databases"]
    databases += [databases[0] | {"host": "other"}, databases[0] | {"name": "b", "host": "H", "port": 3306}]
    found = problems(document)
    assert len(found) == 2
    assert "databases[1].name" in found[0]
    assert "databases[2].host: h:3306" in found[1]


def test_two_accounts_may_use_one_private_address() -> None:
    document = one_database(host="10.0.0.1")
    document["accounts"]["999999999999"] = document["accounts"]["123456789012"]
    assert len(parsed(document).targets()) == 2


@pytest.mark.parametrize(
    ("database", "text"),
    [
        ({"secret": None}, "has no secret"),
        ({"auth": "iam", "secret": None}, "needs a username"),
        ({"auth": "iam", "engine": "mssql"}, "not available for SQL Server"),
        ({"auth": "iam", "tls": "off"}, "needs TLS"),
        ({"name": "with space", "secret": "x/{database}"}, "which no secret can be called"),
        ({"exclude": ""}, "exclude"),
        ({"port": True}, "port"),
        ({"name": "a\u202eb"[:2] + "\n"}, "name"),
    ],
)
def test_a_database_that_cannot_be_read_like_that_is_refused(database: dict[str, Any], text: str) -> None:
    found = problems(one_database(**database))
    assert len(found) == 1
    assert text in found[0]


@pytest.mark.parametrize(
    ("text", "says"),
    [
        (b"", "empty"),
        (b"# only a comment\n", "empty"),
        (b"\xff\xfev", "not UTF-8"),
        (b"<!DOCTYPE html><html>", "web page"),
        (b"<?xml version='1.0'?><Error/>", "web page"),
        (b"accounts: [", "not valid YAML"),
        (b'{"version": 1,', "not valid JSON"),
        (b"just text", "must be a mapping"),
        (b"a: 1\n---\nb: 2\n", "not valid YAML"),
        (b"a: &a [*a]\n", "contains itself"),
        (b"[" * 100_000, "nested more than"),
        (b"- " * 10_000, "nested more than"),
        (b'{"a":' * 100_000, "nested more than"),
        (b"a: !!python/object/apply:os.system [x]\n", "the tag !!python/object/apply:os.system is not allowed"),
    ],
)
def test_what_is_no_inventory_at_all_is_refused_in_one_sentence(text: bytes, says: str) -> None:
    assert says in problems(text)[0]


def test_aliases_that_expand_to_gigabytes_are_refused() -> None:
    lines = ["a0: &a0 [" + "x," * 10 + "]"]
    lines += [f"a{i}: &a{i} [" + f"*a{i - 1}," * 10 + "]" for i in range(1, 10)]
    assert "aliases expand to more than" in problems("\n".join(lines))[0]


def test_a_text_that_is_too_long_is_refused_unread() -> None:
    assert "bytes, more than" in problems(b" " * (MAX_BYTES + 1))[0]


def test_merge_keys_share_settings_between_databases() -> None:
    text = """
    version: 1
    accounts:
      "123456789012":
        regions:
          us-east-1:
            databases:
              - &first {name: a, engine: mysql, host: h1, secret: s, owner: me}
              - {<<: *first, name: b, host: h2}
    """
    a, b = parse_inventory(text.encode(), "x").targets()[0].databases
    assert replace(a, name="b", host="h2") == b


def test_an_unknown_scope_is_refused_and_names_what_is_known() -> None:
    inventory = parse_inventory(EXAMPLE, "x")
    with pytest.raises(UnknownScopeError, match="account 12345678901 not in the inventory") as error:
        inventory.targets(["12345678901"])
    assert error.value.known == ("012345678901", "123456789012")
    with pytest.raises(UnknownScopeError, match="region mars-1"):
        inventory.targets([], ["mars-1", "us-east-1"])


def test_a_name_that_selects_nothing_beside_the_others_is_refused() -> None:
    inventory = parse_inventory(EXAMPLE, "x")
    assert [t.key for t in inventory.targets(["123456789012"], ["eu-west-1"])] == ["123456789012|eu-west-1"]
    with pytest.raises(UnknownScopeError, match="account 012345678901 without a database in eu-west-1"):
        inventory.targets(["012345678901", "123456789012"], ["eu-west-1"])


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.text(), lambda x: st.lists(x) | st.dictionaries(st.text(), x)
    )
)
def test_any_document_is_read_or_refused_and_nothing_else(document: Any) -> None:
    for text in (json.dumps(document).encode(), yaml.safe_dump(document).encode()):
        with pytest.raises(InventoryError):
            parse_inventory(text, "x")


def test_looking_is_off_unless_said_and_may_be_on_for_one_account_only() -> None:
    text = EXAMPLE.replace(
        b"external_id: account-wide,", b"external_id: account-wide, discover: true, discover_tag: Engine,"
    )
    assert text != EXAMPLE
    found = {(t.account_id, t.worker.discover, t.worker.discover_tag) for t in parse_inventory(text, "x").targets()}
    assert len({account for account, on, _ in found if on}) == 1
    assert {tag for _, on, tag in found if on} == {"Engine"}
    assert {tag for _, on, tag in found if not on} == {"db-admin-report:engine"}


@pytest.mark.parametrize("value", ["discover: yes please", "discover: 1", 'discover_tag: "a*"', 'discover_tag: ""'])
def test_a_wrong_word_about_looking_is_refused(value: str) -> None:
    with pytest.raises(InventoryError) as caught:
        parse_inventory(EXAMPLE.replace(b"external_id: general", value.encode()), "x")
    assert "worker.discover" in str(caught.value)

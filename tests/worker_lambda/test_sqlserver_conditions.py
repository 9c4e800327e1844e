"""Each condition of the SQL Server rules, dropped in turn, changes a row of the table of expected rows: what keeps a
rule from naming too many, or makes it see far enough, is tested."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from tests.worker_lambda import sqlserver_expected
from tests.worker_lambda.sqlserver_expected import changed
from worker_lambda.privileges import sqlserver_databases, sqlserver_holdings
from worker_lambda.privileges import sqlserver_rules as rules
from worker_lambda.privileges.sqlserver_catalogue import Server
from worker_lambda.privileges.sqlserver_tiers import Tiers


def _every_deny_ignored(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(sqlserver_holdings, "_is_denied", lambda right, on, denied: False)


def _every_condition_ignored(patch: pytest.MonkeyPatch) -> None:
    original = Tiers._counting
    patch.setattr(
        Tiers, "_counting", lambda self, held, who: original(self, [replace(h, depends_on=None) for h in held], who)
    )


def _nobody_protected_from_a_new_password(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(Tiers, "_protected", lambda self, principal: False)


def _readers_taken_for_managers(patch: pytest.MonkeyPatch) -> None:
    original = rules.server_role_rule
    patch.setattr(
        rules, "server_role_rule", lambda n: rules.RULES["mssql.fixed-server-role"] if "##MS_" in n else original(n)
    )


def _only_direct_memberships(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(sqlserver_holdings, "reachable", lambda start, held: {role: (role,) for role in held.get(start, ())})


def _server_changed(change: Callable[[Server], None]) -> Callable[[pytest.MonkeyPatch], None]:
    def apply(patch: pytest.MonkeyPatch) -> None:
        original = sqlserver_expected.parse

        def spoilt(output: dict[str, Any]) -> Server:
            server = original(output)
            change(server)
            return server

        patch.setattr(sqlserver_expected, "parse", spoilt)

    return apply


def _class_ignored(server: Server) -> None:
    server.permissions[:] = [replace(p, on=None) for p in server.permissions]


def _every_database_trustworthy(server: Server) -> None:
    for database in server.databases:
        database.is_trustworthy = True


def _roles_fixed_by_name(server: Server) -> None:
    for role in server.principals.values():
        server.principals[role.id] = replace(role, is_fixed=role.is_fixed or role.name.startswith("##MS_"))


def _guest_always_in(patch: pytest.MonkeyPatch) -> None:
    original = sqlserver_databases.DatabaseRights.__init__

    def spoilt(self: sqlserver_databases.DatabaseRights, database: Any) -> None:
        original(self, database)
        self._guest_may_enter = True

    patch.setattr(sqlserver_databases.DatabaseRights, "__init__", spoilt)


@pytest.mark.parametrize(
    "mutation",
    [
        _every_deny_ignored,
        _every_condition_ignored,
        _nobody_protected_from_a_new_password,
        _readers_taken_for_managers,
        _only_direct_memberships,
        _guest_always_in,
        pytest.param(_server_changed(_class_ignored), id="_class_ignored"),
        pytest.param(_server_changed(_every_database_trustworthy), id="_every_database_trustworthy"),
        pytest.param(_server_changed(_roles_fixed_by_name), id="_roles_fixed_by_name"),
    ],
)
def test_a_condition_that_is_dropped_changes_a_row(
    mutation: Callable[[pytest.MonkeyPatch], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    mutation(monkeypatch)

    assert changed()

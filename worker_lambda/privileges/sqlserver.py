"""The SQL Server evaluation as a whole: catalogue facts in, report rows and warnings out. Pure."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from typing import Any

from worker_lambda.privileges import sqlserver_accounts as accounts
from worker_lambda.privileges.sqlserver_catalogue import DatabasePrincipal, Principal, Server
from worker_lambda.privileges.sqlserver_databases import DatabaseRights
from worker_lambda.privileges.sqlserver_gaps import gaps
from worker_lambda.privileges.sqlserver_rules import RULES, RULES_VERSION
from worker_lambda.privileges.sqlserver_tiers import Tiers, Verdict, is_rds
from worker_lambda.privileges.wording import quoted, role_name
from worker_lambda.result_object import WARNING_EXCLUDED_ADMIN, WARNING_NO_ACCOUNTS, AdminUser, DatabaseWarning


@dataclass(frozen=True, slots=True)
class Evaluation:
    """Rows, excluded accounts among them (`excluded_by_policy`), and the sentences for the WARNING row."""

    users: list[AdminUser]
    warnings: list[DatabaseWarning]

    @property
    def is_partial(self) -> bool:
        """Whether something could not be seen."""
        return any(w["text"].startswith("Incomplete:") for w in self.warnings)


def evaluate(server: Server, database_name: str, collected_at: str, master_username: str | None = None) -> Evaluation:
    """Judge every principal of one server.

    Args:
        database_name: the inventory's name of this server; stands in every row.
        collected_at: UTC ISO 8601, when the facts were complete.
        master_username: the RDS master user, where the inventory declares it.
    """
    tiers = Tiers(server, master_username)
    rows = _Rows(server, tiers, database_name, collected_at)
    users = rows.logins() + rows.without_login()
    users.sort(key=lambda u: (u["username"], u["principal_type"]))
    incomplete = gaps(tiers, database_name)
    warnings = incomplete + rows.excluded_administrators
    if not incomplete and all(u["excluded_by_policy"] for u in users):  # behind a gap there may be many
        warnings.append({"database_name": database_name, "order": WARNING_NO_ACCOUNTS, "text": "No accounts to list"})
    return Evaluation(users, warnings)


class _Rows:
    def __init__(self, server: Server, tiers: Tiers, database_name: str, collected_at: str) -> None:
        self._server, self._tiers = server, tiers
        self._database_name, self._collected_at = database_name, collected_at
        self._rds = is_rds(server)
        self._roles: defaultdict[int, list[str]] = defaultdict(list)
        for role, member in server.members:
            if role in server.principals:
                self._roles[member].append(server.principals[role].name)
        self.excluded_administrators: list[DatabaseWarning] = []

    def logins(self) -> list[AdminUser]:
        """One row per login; roles, public among them, are none."""
        rows = [self._login(p) for p in self._server.principals.values() if p.type != "R"]
        alarming = sorted(
            quoted(row["username"])
            for row in rows
            if row["excluded_by_policy"]
            and row["principal_class"] != "aws-managed"
            and row["tier"] == "0"
            and row["account_details"]["type"] not in ("C", "K")
            and "Disabled" not in row["user_status"]
        )
        if alarming:
            text = f"Excluded account is an enabled administrator: {', '.join(alarming)}"
            self.excluded_administrators.append(
                {"database_name": self._database_name, "order": WARNING_EXCLUDED_ADMIN, "text": text}
            )
        return rows

    def without_login(self) -> list[AdminUser]:
        """One row per contained user, and per Windows or Entra user that only a group lets in."""
        sids = {p.sid for p in self._server.principals.values() if p.sid}
        return [
            self._contained(rights, user) for rights in self._tiers.databases for user in rights.without_login(sids)
        ]

    def _login(self, principal: Principal) -> AdminUser:
        server = self._server
        verdict = self._tiers.of_principal(principal)
        in_sysadmin = any(h.rule.id == "mssql.sysadmin" for h in verdict.holdings)
        excluded = accounts.exclusion(principal, rds=self._rds, in_sysadmin=in_sysadmin)
        state = server.login_states.get(principal.id)
        details: dict[str, Any] = {
            "principal_id": principal.id,
            "type": principal.type,
            "sid": principal.sid,
            "created_at": principal.created_at,
            "modified_at": principal.modified_at,
            "server_roles": sorted(self._roles[principal.id]),
            "is_policy_checked": state.is_policy_checked if state else None,
            "is_expiration_checked": state.is_expiration_checked if state else None,
        }
        row = self._row(principal.name, principal, verdict, details)
        row["user_status"] = accounts.login_status(principal, server, self._tiers.rights)
        row["principal_class"] = accounts.principal_class(principal, excluded)
        row["excluded_by_policy"] = excluded
        row["password_changed_at"] = state.password_changed_at if state else None
        row["last_login_date"], row["last_login_source"] = accounts.last_login(server, principal.sid, principal.name)
        return row

    def _contained(self, rights: DatabaseRights, user: DatabasePrincipal) -> AdminUser:
        database = rights.database
        name = f"{user.name} [{database.name}]"
        details = {"type": user.type, "sid": user.sid, "created_at": user.created_at, "database": database.name}
        row = self._row(name, user, self._tiers.of_contained(rights, user.id, name), details)
        row["user_status"] = accounts.contained_status(user, rights.cannot_connect(user.id))
        row["principal_class"] = accounts.principal_class(user)
        row["last_login_date"], row["last_login_source"] = accounts.last_login(
            self._server, user.sid, user.name, database.id
        )
        return row

    def _row(
        self, username: str, principal: Principal | DatabasePrincipal, verdict: Verdict, details: dict[str, Any]
    ) -> AdminUser:
        role_name, rule_id = _wording(principal.type, verdict)
        details["rules_version"] = RULES_VERSION
        details["access_paths"] = [h.access_path for h in verdict.holdings]
        return {
            "username": username,
            "role_name": role_name,
            "permission_level": verdict.permission_level(),
            "last_login_date": accounts.UNKNOWN,
            "user_status": accounts.UNKNOWN,
            "account_details": details,
            "database_name": self._database_name,
            "database_type": "MSSQL",
            "collection_timestamp": self._collected_at,
            "tier": verdict.tier,
            "rule_id": rule_id,
            "access_path": verdict.access_path or f"{quoted(username)}: {role_name}",
            "principal_type": principal.type_desc,
            "principal_class": "human",
            "last_login_source": "",
            "password_changed_at": None,
            "auth_plugin": None,
            "excluded_by_policy": None,
        }


_WITHOUT_TIER = {"mssql.group": "group not expanded", "mssql.certificate-or-key": "certificate or key"}


def _wording(kind: str, verdict: Verdict) -> tuple[str, str]:
    """Role Name and rule id of a principal of that type."""
    is_group = kind in ("G", "X")
    if verdict.rule_id is not None:
        return verdict.role_name("group not expanded" if is_group else ""), verdict.rule_id
    rule = RULES["mssql.group" if is_group else "mssql.certificate-or-key" if kind in ("C", "K") else "mssql.user"]
    return role_name(rule.label, (), _WITHOUT_TIER.get(rule.id, "")), rule.id

"""Which MySQL principals are rows of the report, which are left out by policy, and what their status is. Pure."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from worker_lambda.privileges.mysql_catalogue import PUBLIC, Account, Catalogue, Platform, Principal

PrincipalClass = Literal["human", "service", "engine", "aws-managed"]

_SECONDS_A_DAY = 86_400
# The operating system or a directory knows the password, if there is one.
_WITHOUT_PASSWORD_OF_ITS_OWN = frozenset({"unix_socket", "auth_socket", "pam", "auth_pam", "gssapi", "named_pipe"})


def _default_names() -> dict[Principal, PrincipalClass]:
    return {
        Principal("mysql.session", "localhost"): "engine",
        Principal("mysql.sys", "localhost"): "engine",
        Principal("mysql.infoschema", "localhost"): "engine",
        Principal("mariadb.sys", "localhost"): "engine",
        Principal("rdsadmin", "localhost"): "aws-managed",
        Principal("rdsrepladmin", "%"): "aws-managed",
        Principal("debian-sys-maint", "localhost"): "service",
    }


@dataclass(frozen=True, slots=True)
class ExclusionPolicy:
    """The accounts that are no rows, by exact identity, never by pattern.

    Attributes:
        accounts: identity -> who owns it; see `owned_by_provider` for when that is believed.
        anonymous: whether accounts with an empty user name are left out.
    """

    accounts: Mapping[Principal, PrincipalClass] = field(default_factory=_default_names)
    anonymous: bool = True

    def reason(self, principal: Principal) -> str | None:
        """Why an account is no row, or None if it is one."""
        if not principal.user:
            return "anonymous account" if self.anonymous else None
        return f"{self.accounts[principal]} account" if principal in self.accounts else None

    def principal_class(self, principal: Principal) -> PrincipalClass:
        """Who stands behind an account, as far as its name proves it; `human` where nothing does."""
        return self.accounts.get(principal, "human")

    def owned_by_provider(self, account: Account, platform: Platform) -> bool:
        """Whether the engine or AWS made the account and still keeps it.

        AWS owns accounts on its own servers only, and the engines lock theirs: one seen open is somebody's.
        """
        owner = self.principal_class(account.principal)
        if owner == "aws-managed":
            return platform != "self-managed"
        return owner == "engine" and account.locked is not False


def policy_from_json(text: str) -> ExclusionPolicy:
    """The default policy plus the `user@host` names of a JSON list.

    Raises:
        ValueError: not a list of such names.
    """
    names = json.loads(text)
    if not isinstance(names, list) or not all(isinstance(n, str) and "@" in n for n in names):
        raise ValueError('excluded MySQL accounts must be a JSON list of "user@host"')
    extra: dict[Principal, PrincipalClass] = {Principal(*name.rsplit("@", 1)): "service" for name in names}
    return ExclusionPolicy(_default_names() | extra)


# Roles that only AWS's builds have, granted to somebody or not (AWS, Aurora MySQL: role-based privilege model).
AWS_ROLES = frozenset(
    Principal(name, "%")
    for name in (
        "rds_superuser_role",
        "AWS_BEDROCK_ACCESS",
        "AWS_COMPREHEND_ACCESS",
        "AWS_LAMBDA_ACCESS",
        "AWS_LOAD_S3_ACCESS",
        "AWS_SAGEMAKER_ACCESS",
        "AWS_SELECT_S3_ACCESS",
    )
)


def is_role(account: Account, catalogue: Catalogue, granted: frozenset[Principal]) -> bool:
    """Whether a row of mysql.user is a role and so no row of the report. In doubt it is an account.

    MySQL has no flag: locked, expired, and granted to somebody, mandatory, or one of AWS's. MariaDB has is_role.

    Args:
        granted: every principal that was granted to another as a role.
    """
    if catalogue.flavour == "mariadb":
        return bool(account.is_role) or account.principal == PUBLIC
    if not (account.locked and account.password_expired):
        return False
    if catalogue.platform != "self-managed" and account.principal in AWS_ROLES:
        return True
    return account.principal in granted or account.principal in catalogue.named_mandatory_roles


def user_status(account: Account, catalogue: Catalogue) -> str:
    """`Disabled`, `Locked`, `Password Expired` joined with `; `, else `Active`; `Unknown` where it cannot be told."""
    expired = _password_expired(account, catalogue)
    found = [
        name
        for name, holds in (
            ("Disabled", account.plugin == "mysql_no_login"),
            ("Locked", account.locked),
            ("Password Expired", expired),
        )
        if holds
    ]
    if found:
        return "; ".join(found)
    unknown = None in (account.locked, expired) or account.plugin is None
    return "Unknown" if unknown else "Active"


def can_log_in(account: Account) -> bool:
    """Whether an account is enabled: not locked and not of a plugin that refuses every login. In doubt it is."""
    return account.plugin != "mysql_no_login" and not account.locked


def _password_expired(account: Account, catalogue: Catalogue) -> bool | None:
    if account.password_expired:
        return True
    if account.password_expired is None or not account.lifetime_known:
        return None
    days = account.password_lifetime_days
    if days is None:
        days = int(catalogue.variables.get("default_password_lifetime", "0"))
    if days <= 0:
        return False
    if account.plugin in _WITHOUT_PASSWORD_OF_ITS_OWN:
        return False
    if account.password_changed_at is None:
        # MySQL keeps no date for accounts whose password cannot expire (error 3671 of ALTER USER).
        return False if catalogue.flavour == "mysql" else None
    if catalogue.server_time is None:
        return None
    return account.password_changed_at + days * _SECONDS_A_DAY < catalogue.server_time

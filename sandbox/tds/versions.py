"""What tells one version of SQL Server from another in its catalogue: numbers, fixed roles, rights that exist.

Sources: Microsoft's build lists, "Server-level roles", "Permissions (Database Engine)", sys.server_principals and
sys.database_principals.
"""

from __future__ import annotations

from dataclasses import dataclass

_FIXED_ROLES = (
    "sysadmin", "securityadmin", "serveradmin", "setupadmin", "processadmin", "diskadmin", "dbcreator", "bulkadmin",
)  # fmt: skip
# In the order of their ids, 11 to 20.
ROLES_OF_2022 = (
    "##MS_ServerStateReader##", "##MS_ServerStateManager##", "##MS_DefinitionReader##", "##MS_DatabaseConnector##",
    "##MS_DatabaseManager##", "##MS_LoginManager##", "##MS_SecurityDefinitionReader##",
    "##MS_PerformanceDefinitionReader##", "##MS_ServerSecurityStateReader##", "##MS_ServerPerformanceStateReader##",
)  # fmt: skip
DATABASE_ROLES = {
    "db_owner": 16384, "db_accessadmin": 16385, "db_securityadmin": 16386, "db_ddladmin": 16387,
    "db_backupoperator": 16389, "db_datareader": 16390, "db_datawriter": 16391, "db_denydatareader": 16392,
    "db_denydatawriter": 16393,
}  # fmt: skip
SERVER_TYPES = {
    "S": "SQL_LOGIN", "U": "WINDOWS_LOGIN", "G": "WINDOWS_GROUP", "R": "SERVER_ROLE", "C": "CERTIFICATE_MAPPED_LOGIN",
    "K": "ASYMMETRIC_KEY_MAPPED_LOGIN", "E": "EXTERNAL_LOGIN", "X": "EXTERNAL_GROUP",
}  # fmt: skip
DATABASE_TYPES = {
    "S": "SQL_USER", "U": "WINDOWS_USER", "G": "WINDOWS_GROUP", "R": "DATABASE_ROLE", "E": "EXTERNAL_USER",
    "X": "EXTERNAL_GROUPS",
}  # fmt: skip
# authentication_type of a user that has a login, or that a group lets in, by the user's type.
AUTHENTICATION = {"S": 1, "U": 3, "G": 3, "E": 4, "X": 4}
# Logins that setup makes: certificates cannot log in, the two SQL logins are disabled.
ENGINE_LOGINS = (
    ("##MS_SQLResourceSigningCertificate##", "C"), ("##MS_SQLReplicationSigningCertificate##", "C"),
    ("##MS_SQLAuthenticatorCertificate##", "C"), ("##MS_PolicySigningCertificate##", "C"),
    ("##MS_SmoExtendedSigningCertificate##", "C"), ("##MS_PolicyEventProcessingLogin##", "S"),
    ("##MS_PolicyTsqlExecutionLogin##", "S"), ("##MS_AgentSigningCertificate##", "C"),
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Version:
    """One version.

    Attributes:
        number: SERVERPROPERTY('ProductVersion').
        title: how @@VERSION begins.
        edition: SERVERPROPERTY('Edition').
        fixed_roles: in the order of their ids, from 3.
        has_security_rights: VIEW (ANY) SECURITY DEFINITION exists; HAS_PERMS_BY_NAME says NULL where it does not.
    """

    number: str
    title: str
    edition: str = "Enterprise Edition (64-bit)"
    fixed_roles: tuple[str, ...] = _FIXED_ROLES
    has_security_rights: bool = False

    @property
    def text(self) -> str:
        """@@VERSION, shortened."""
        return f"{self.title} - {self.number} (X64) {self.edition} on Windows Server"


SQL_2014 = Version("12.0.6024.0", "Microsoft SQL Server 2014 (SP3)")
SQL_2016 = Version("13.0.6300.2", "Microsoft SQL Server 2016 (SP3)")
SQL_2019 = Version("15.0.4375.4", "Microsoft SQL Server 2019 (RTM)")
SQL_2022 = Version(
    "16.0.4125.3", "Microsoft SQL Server 2022 (RTM)", fixed_roles=_FIXED_ROLES + ROLES_OF_2022, has_security_rights=True
)
# Calls itself 12.0 whatever it can do.
MANAGED_INSTANCE = Version("12.0.2000.8", "Microsoft SQL Azure (RTM)", "SQL Azure", has_security_rights=True)

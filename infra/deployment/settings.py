"""The file that a deployment reads: the stacks' configuration, and in its section `deployment` how they are brought up.

All other keys are those of infra/configuration_schema.py (docs/infrastructure.md), for every stack alike.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, StringConstraints, ValidationError

from dbadmin_assets.inventory_schema import ExternalId, RoleName, explain
from dbadmin_assets.inventory_yaml import UnreadableError, place, read_document
from infra.deployment.errors import DeploymentError

DEFAULT_FILE = "infrastructure.yaml"
_SECTION = "deployment"


class DeploymentSettings(BaseModel):
    """The section `deployment`.

    Attributes:
        role_name: role that is assumed in each account; the central account has one, too.
        external_id: what that role's trust asks for; None where it asks for none.
        backend: URL of Pulumi's state; None: where this machine is logged in (`pulumi login`, PULUMI_BACKEND_URL).
        secrets_provider: what encrypts secrets in the state; None: the backend's own way.
    """

    model_config = ConfigDict(strict=True, extra="forbid", frozen=True)

    role_name: RoleName = "db-admin-report-deployment"
    external_id: ExternalId | None = None
    backend: Annotated[str, StringConstraints(pattern=r"^(s3|gs|azblob|file|https)://\S+$")] | None = None
    secrets_provider: Annotated[str, StringConstraints(pattern=r"^(awskms|gcpkms|azurekeyvault|hashivault)://\S+$")] | (
        None
    ) = None


def read_settings(path: Path) -> tuple[DeploymentSettings, dict[str, Any]]:
    """The section `deployment`, and every other key as it stands.

    Raises:
        DeploymentError: the file is not there, not YAML, or the section is not valid.
    """
    try:
        data, problems = read_document(path.read_bytes())
    except OSError as error:
        hint = f"--configuration names it; without it, it is {DEFAULT_FILE} in the working directory"
        raise DeploymentError(f"{path}: {error.strerror or type(error).__name__}", hint=hint) from error
    except UnreadableError as error:
        raise DeploymentError(f"{path}: {error}") from error
    if not isinstance(data, dict):
        raise DeploymentError(f"{path} is not a mapping")
    lines = [f"{place(where)}: {what}" for where, what in problems]
    try:
        settings = DeploymentSettings.model_validate(data.pop(_SECTION, {}))
    except ValidationError as error:
        lines += [
            f"{place((_SECTION, *item['loc']))}: {explain(dict(item))}" for item in error.errors(include_url=False)
        ]
    if lines:
        raise DeploymentError(f"{path} is not valid:\n" + "\n".join(f"  {line}" for line in lines))
    return settings, data

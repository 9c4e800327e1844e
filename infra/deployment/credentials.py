"""Whose rights a stack is deployed with: a deployment role in its account, assumed with an ExternalId.

Each role is assumed here once before Pulumi starts: a role that is missing, or lets nobody in, is a plain message for
that account instead of an error from the depths of a provider, and AWS says which account it belongs to. The AWS
provider then assumes the same role by itself, from the caller's credentials: a deployment may outlive an hour's
session, no credential lands in the state, and the state's own bucket is reached with the caller's rights.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from infra.deployment.errors import DeploymentError, StackError
from infra.deployment.stacks import Stack

if TYPE_CHECKING:
    from mypy_boto3_sts.client import STSClient

SESSION_NAME = "db-admin-report-deploy"


@dataclass(frozen=True, slots=True)
class DeploymentRole:
    """Name and ExternalId of the role that deploys; the same in every account.

    Attributes:
        external_id: None where the role's trust asks for none.
    """

    name: str
    external_id: str | None
    partition: str = "aws"

    def arn(self, account_id: str) -> str:
        """The role of one account."""
        return f"arn:{self.partition}:iam::{account_id}:role/{self.name}"

    def provider_configuration(self, stack: Stack) -> dict[str, str]:
        """Pulumi configuration, by path, of the AWS provider of one stack.

        `allowedAccountIds` makes the provider refuse any other account, whatever the credentials turn out to be.
        """
        values = {
            "aws:region": stack.region,
            "aws:allowedAccountIds[0]": stack.account_id,
            "aws:assumeRoles[0].roleArn": self.arn(stack.account_id),
            "aws:assumeRoles[0].sessionName": SESSION_NAME,
        }
        if self.external_id:
            values["aws:assumeRoles[0].externalId"] = self.external_id
        return values

    def try_out(self, sts: STSClient, account_id: str) -> None:
        """Assume the role of one account and look whose it is.

        Raises:
            StackError: it cannot be assumed, or belongs to another account.
            DeploymentError: there are no credentials to assume it with.
        """
        from botocore.exceptions import BotoCoreError, ClientError, NoCredentialsError

        extra = {"ExternalId": self.external_id} if self.external_id else {}
        try:
            answer = sts.assume_role(RoleArn=self.arn(account_id), RoleSessionName=SESSION_NAME, **extra)  # type: ignore[arg-type]
        except NoCredentialsError as error:
            raise DeploymentError("there are no AWS credentials", hint="set AWS_PROFILE, or log in") from error
        except ClientError as error:
            code = error.response["Error"]["Code"]
            raise StackError(f"cannot assume {self.arn(account_id)}: {code}") from error
        except BotoCoreError as error:
            raise StackError(f"cannot assume {self.arn(account_id)}: {error}") from error
        became = answer["AssumedRoleUser"]["Arn"].split(":")[4]
        if became != account_id:
            raise StackError(f"{self.arn(account_id)} led into account {became}")

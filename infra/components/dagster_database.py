"""Dagster's Postgres on RDS: encrypted, private, TLS only, its password made, kept and rotated by RDS."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import pulumi
import pulumi_aws as aws

from infra.components.base import Component, kept

IDENTIFIER = "db-admin-report-dagster"
DATABASE = "dagster"
ROTATION = "cron(0 2 ? * SUN *)"  # the services start anew at RESTART, with the password of then
RESTART = "cron(30 3 ? * SUN *)"
_BACKUP_DAYS = 14


@dataclass(frozen=True, slots=True)
class DagsterDatabaseArgs:
    """The database.

    Attributes:
        security_group_id: lets Dagster's containers in, and nobody else.
        key_arn: encrypts storage, snapshots and the password.
    """

    subnet_ids: Sequence[str]
    security_group_id: pulumi.Input[str]
    key_arn: pulumi.Input[str]
    instance_class: str
    multi_az: bool


class DagsterDatabase(Component):
    """The instance. It holds the run history, no evidence; it is protected all the same.

    Attributes:
        host: its name in the VPC.
        secret_arn: of the secret with `username` and `password`.
    """

    def __init__(self, name: str, args: DagsterDatabaseArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__(name, opts)
        subnets = aws.rds.SubnetGroup(name, subnet_ids=list(args.subnet_ids), opts=self.child())
        tls = aws.rds.ParameterGroupParameterArgs(name="rds.force_ssl", value="1")
        parameters = aws.rds.ParameterGroup(name, family="postgres17", parameters=[tls], opts=self.child())
        instance = aws.rds.Instance(
            name,
            identifier=IDENTIFIER,
            engine="postgres",
            engine_version="17",
            instance_class=args.instance_class,
            allocated_storage=20,
            max_allocated_storage=100,
            storage_type="gp3",
            storage_encrypted=True,
            kms_key_id=args.key_arn,
            db_name=DATABASE,
            username="dagster",
            manage_master_user_password=True,
            master_user_secret_kms_key_id=args.key_arn,
            db_subnet_group_name=subnets.name,
            vpc_security_group_ids=[args.security_group_id],
            parameter_group_name=parameters.name,
            publicly_accessible=False,
            multi_az=args.multi_az,
            ca_cert_identifier="rds-ca-rsa2048-g1",
            backup_retention_period=_BACKUP_DAYS,
            copy_tags_to_snapshot=True,
            auto_minor_version_upgrade=True,
            deletion_protection=True,
            delete_automated_backups=False,
            skip_final_snapshot=False,
            final_snapshot_identifier=f"{IDENTIFIER}-final",
            opts=kept(self),
        )
        self.host: pulumi.Output[str] = instance.address
        self.identifier: pulumi.Output[str] = instance.identifier
        self.secret_arn: pulumi.Output[str] = instance.master_user_secrets.apply(
            lambda secrets: str(secrets[0].secret_arn)
        )
        rules = aws.secretsmanager.SecretRotationRotationRulesArgs(schedule_expression=ROTATION, duration="1h")
        aws.secretsmanager.SecretRotation(
            f"{name}-rotation",
            secret_id=self.secret_arn,
            rotate_immediately=False,
            rotation_rules=rules,
            opts=self.child(),
        )
        self.register_outputs({"host": self.host, "secret": self.secret_arn})

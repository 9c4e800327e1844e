"""Where alarms arrive: the central event bus that worker accounts send theirs to, and the topic that tells people."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import pulumi
import pulumi_aws as aws

from infra.components.base import Component, as_json
from infra.event_patterns import forwarded
from infra.policies import Estate
from infra.policies.resources import bus_policy, topic_policy

TOPIC = "db-admin-report-alerts"


@dataclass(frozen=True, slots=True)
class AlertTopicArgs:
    """Topic and bus.

    Attributes:
        addresses: e-mail addresses; each gets a message that asks to confirm.
        bus_arn: of the bus that is made here, by name, so that workers need not wait for it.
        key_arn: of the key that messages are encrypted with.
    """

    estate: Estate
    key_arn: pulumi.Input[str]
    bus_arn: str
    addresses: Sequence[str]


class AlertTopic(Component):
    """One topic for the whole organization.

    CloudWatch alarms act in their own region only, and a topic per account and region would have to be confirmed
    in as many messages: so worker accounts forward their alarms through EventBridge.
    """

    def __init__(self, name: str, args: AlertTopicArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__(name, opts)
        topic = aws.sns.Topic(name, name=TOPIC, kms_master_key_id=args.key_arn, signature_version=2, opts=self.child())
        self.arn: pulumi.Output[str] = topic.arn
        aws.sns.TopicPolicy(
            f"{name}-policy",
            arn=topic.arn,
            policy=topic.arn.apply(lambda arn: as_json(topic_policy(args.estate, arn))),
            opts=self.child(),
        )
        for index, address in enumerate(args.addresses):
            aws.sns.TopicSubscription(
                f"{name}-email-{index}", topic=topic.arn, protocol="email", endpoint=address, opts=self.child()
            )
        self._bus(name, args)
        self.register_outputs({"arn": self.arn, "bus": args.bus_arn})

    def _bus(self, name: str, args: AlertTopicArgs) -> None:
        bus = aws.cloudwatch.EventBus(
            f"{name}-bus",
            name=args.bus_arn.rsplit("/", 1)[1],
            description="Alarms and access events of the worker accounts",
            opts=self.child(),
        )
        aws.cloudwatch.EventBusPolicy(
            f"{name}-bus-policy",
            event_bus_name=bus.name,
            policy=as_json(bus_policy(args.estate, args.bus_arn)),
            opts=self.child(),
        )
        rule = aws.cloudwatch.EventRule(
            f"{name}-arrived",
            event_bus_name=bus.name,
            description="What worker accounts forward goes to the topic",
            event_pattern=as_json(forwarded()),
            opts=self.child(),
        )
        aws.cloudwatch.EventTarget(
            f"{name}-arrived-to-topic", event_bus_name=bus.name, rule=rule.name, arn=self.arn, opts=self.child()
        )

"""docs/costs.md reckons with what the stacks declare: keys, alarms, endpoints, services, the database."""

from __future__ import annotations

from docs import costs
from tests.infra import demo
from tests.infra.recording import Stack

HOURLY = (
    "rds/instance:Instance",
    "lb/loadBalancer:LoadBalancer",
    "ec2/natGateway:NatGateway",
    "ec2/vpcEndpoint:VpcEndpoint",
)


def quantity(items: tuple[costs.Item, ...], price: str) -> float:
    return sum(item.quantity for item in items if item.price == price)


def counted(stack: Stack) -> tuple[int, int, int]:
    kinds = ("kms/key:Key", "cloudwatch/metricAlarm:MetricAlarm", "cloudwatch/dashboard:Dashboard")
    keys, alarms, dashboards = (len(stack.of(kind)) for kind in kinds)
    return keys, alarms, dashboards


def reckoned(items: tuple[costs.Item, ...]) -> tuple[float, float, float]:
    return quantity(items, "key"), quantity(items, "alarm"), quantity(items, "dashboard")


def test_each_kind_of_stack_has_the_keys_alarms_and_dashboards_that_are_reckoned(
    worker: Stack, central: Stack, agent_stack: Stack, bare_stack: Stack
) -> None:
    assert counted(worker) == reckoned(costs.WORKER)
    assert counted(central) == reckoned((*costs.CENTRAL, *costs.ECS))
    assert counted(agent_stack) == reckoned((*costs.CENTRAL, *costs.AGENT))
    assert counted(bare_stack) == reckoned(costs.CENTRAL)


def test_nothing_that_is_paid_by_the_hour_is_left_out(worker: Stack, central: Stack, bare_stack: Stack) -> None:
    assert {kind: len(worker.of(kind)) for kind in HOURLY} == dict.fromkeys(HOURLY, 0)
    assert {kind: len(bare_stack.of(kind)) for kind in HOURLY} == dict.fromkeys(HOURLY, 0)
    assert [len(central.of(kind)) for kind in HOURLY] == [1, 1, 0, 0]


def test_the_services_and_the_database_have_the_size_that_is_reckoned(central: Stack) -> None:
    services = [s.inputs["name"] for s in central.of("ecs/service:Service")]
    tasks = {t.inputs["family"]: t.inputs for t in central.of("ecs/taskDefinition:TaskDefinition")}
    running = [tasks[f"db-admin-report-{name}"] for name in services]
    assert len(running) == costs.SERVICES
    assert sum(int(t["cpu"]) / 1024 for t in running) * costs.HOURS == quantity(costs.ECS, "vcpu")
    assert sum(int(t["memory"]) / 1024 for t in running) * costs.HOURS == quantity(costs.ECS, "gb")
    assert {t["runtimePlatform"]["cpuArchitecture"] for t in running} == {"ARM64"}
    database = central.one("rds/instance:Instance").inputs
    assert (database["instanceClass"], database["allocatedStorage"]) == ("db.t4g.small", quantity(costs.ECS, "storage"))
    assert database["multiAz"] is False


def test_every_endpoint_stands_in_every_subnet(full_stacks: list[Stack]) -> None:
    worker = next(s for s in full_stacks if s.name.startswith("worker-"))
    made = [e.inputs for e in worker.of("ec2/vpcEndpoint:VpcEndpoint") if e.inputs["vpcEndpointType"] == "Interface"]
    places = sum(len(endpoint["subnetIds"]) for endpoint in made)
    assert places * costs.HOURS == costs.endpoints(7).quantity


def test_the_organization_that_is_reckoned_is_the_one_that_is_rendered(demo_stacks: list[Stack]) -> None:
    document = demo.inventory()
    assert len(demo_stacks) - 1 == costs.ACCOUNTS * costs.REGIONS
    accounts = document["accounts"].values()
    assert {len(r["databases"]) for a in accounts for r in a["regions"].values()} == {costs.DATABASES}


def test_a_total_is_the_sum_of_what_stands_in_its_table() -> None:
    items = (costs.Item("two keys", "key", 2), costs.Item("ten alarms", "alarm", 10))
    assert costs.total(items) == 3.0

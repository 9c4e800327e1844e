"""docs/costs.md: what a deployment costs by the month, reckoned from what the stacks declare and a list of unit prices.

The quantities are checked against the rendered stacks by tests/infra/test_costs.py; the prices are assumptions.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

HOURS = 730  # of a month, as AWS's own calculator reckons
ACCOUNTS, REGIONS, DATABASES, ZONES = 8, 2, 2, 2
SERVICE_VCPU, SERVICE_GB, SERVICES = 0.5, 1.0, 3
DATABASE_GB = 20
AGENT_VCPU, AGENT_GB = 0.25 + 0.5, 0.5 + 1.0  # the agent as Dagster's template has it, and its code server


@dataclass(frozen=True, slots=True)
class Price:
    """A unit price in USD, us-east-1, on demand. `as_of` is when it was looked up."""

    what: str
    unit: str
    usd: float
    as_of: str


PRICES = {
    "endpoint": Price("interface endpoint", "hour and zone", 0.01, "2026-06"),
    "nat": Price("NAT gateway", "hour", 0.045, "2026-06"),
    "vcpu": Price("Fargate, arm64", "vCPU-hour", 0.03238, "2026-03"),
    "gb": Price("Fargate, arm64", "GB-hour", 0.00356, "2026-03"),
    "database": Price("RDS for PostgreSQL, db.t4g.small, one zone", "hour", 0.032, "2026-06"),
    "storage": Price("RDS storage, gp3", "GB and month", 0.115, "2026-06"),
    "balancer": Price("Application Load Balancer", "hour", 0.0225, "2026-05"),
    "key": Price("KMS key", "month", 1.00, "2026-03"),
    "secret": Price("secret", "month", 0.40, "undated"),
    "alarm": Price("CloudWatch alarm", "month", 0.10, "undated"),
    "metric": Price("CloudWatch metric of Container Insights", "month", 0.30, "2026-02"),
    "dashboard": Price("CloudWatch dashboard", "month", 3.00, "2026-06"),
    "name": Price("Cloud Map: private zone and one instance", "month", 0.60, "undated"),
}


@dataclass(frozen=True, slots=True)
class Item:
    """So many units of one price."""

    what: str
    price: str
    quantity: float

    @property
    def usd(self) -> float:
        """By the month."""
        return self.quantity * PRICES[self.price].usd


# One stack of one account and region.
WORKER = (
    Item("key of the log group", "key", 1),
    Item("alarms", "alarm", 6),
    Item(f"readers' secrets, {DATABASES} databases with one each", "secret", DATABASES),
)
CENTRAL = (
    Item("keys: evidence, operations, signing", "key", 3),
    Item("dashboard", "dashboard", 1),
)
ECS = (
    Item(f"{SERVICES} services, {SERVICE_VCPU} vCPU each", "vcpu", SERVICES * SERVICE_VCPU * HOURS),
    Item(f"{SERVICES} services, {SERVICE_GB:g} GB each", "gb", SERVICES * SERVICE_GB * HOURS),
    Item("database", "database", HOURS),
    Item("its storage", "storage", DATABASE_GB),
    Item("its password", "secret", 1),
    Item("load balancer, its capacity units left out", "balancer", HOURS),
    Item("Container Insights, about 90 metrics, without which nobody sees that a service is down", "metric", 90),
    Item("name of the code location", "name", 1),
    Item("alarms", "alarm", 6),
)
AGENT = (
    Item("agent and code server", "vcpu", AGENT_VCPU * HOURS),
    Item("their memory", "gb", AGENT_GB * HOURS),
)
NAT = Item("one NAT gateway", "nat", HOURS)


def endpoints(services: int, zones: int = ZONES) -> Item:
    """Interface endpoints of one worker stack: one per service, in each of its subnets."""
    return Item(f"{services} endpoints in {zones} zones", "endpoint", services * zones * HOURS)


def total(items: Iterable[Item]) -> float:
    """USD by the month."""
    return sum(item.usd for item in items)


PAGE = """\
# What it costs by the month

{notice}

For {accounts} accounts in {regions} regions with {databases} databases each, in USD, at the list prices below; taxes, discounts and
free tiers left out. Prices change and differ by region: check them at aws.amazon.com/SERVICE/pricing before you rely on this.

| Dagster | central account | + {stacks} worker stacks | = a month | each further account |
|---|---|---|---|---|
{ways}

What Dagster+ itself charges is not in it: that is a contract with Dagster. Nor is what is paid by use (Lambda, logs, metrics of a run,
requests to S3, STS, KMS and SNS, events of the trail): a report a week comes to less than a dollar.

## The way out of the VPC is what costs

A worker must reach Secrets Manager, STS and S3. Where its VPC has a NAT gateway already, as most have, that costs nothing more: leave
`endpoints` out, as it is by default. Otherwise, for each VPC, and for all {stacks}:

| Way out | a VPC | {stacks} VPCs |
|---|---|---|
{network}

- Endpoints are made in every subnet of the target: name one subnet in the inventory's `network` and they cost half. The worker then
  stands in one zone.
- Two endpoints and the S3 gateway (`route_tables`, free) are a whole way out in the bucket's region only. In other regions S3 is reached
  through NAT anyway; endpoints beside it cost and save nothing but the way of the secrets over NAT.
- A NAT gateway also takes {nat_gb} USD a GB, an endpoint 0.01; a report's results are some megabytes.
- Dagster on ECS, and the agent, need a way out, too: another NAT gateway in the central account ({nat} USD) where there is none.

## Item by item

{tables}
KMS keeps old versions of a rotated key: each symmetric key costs a dollar more from its second year, and another from its third.
`dagster_multi_az: true` doubles the database. Who stops Dagster's services at night saves their Fargate hours, and gets alarms
(`webserver-down`); a report can be made without them.

## Prices assumed

On demand, us-east-1, from AWS's pages or what others published of them, as of the month given.

| What | Unit | USD | As of |
|---|---|---|---|
{prices}
"""


def page(notice: str) -> str:
    """The whole document."""
    stacks = ACCOUNTS * REGIONS
    workers = total(WORKER) * stacks
    ways = {
        "on ECS (`ecs`)": [*CENTRAL, *ECS],
        "Dagster+ agent (`dagster_plus_agent`)": [*CENTRAL, *AGENT],
        "on a laptop (`none`)": [*CENTRAL],
    }
    rows = [
        (name, _usd(total(items)), _usd(workers), f"**{_usd(total(items) + workers)}**", _usd(total(WORKER) * REGIONS))
        for name, items in ways.items()
    ]
    network = {
        "NAT gateway that is there": 0.0,
        "`endpoints: [secretsmanager, sts]`": endpoints(2).usd,
        "the same in one subnet": endpoints(2, 1).usd,
        "all seven endpoints": endpoints(7).usd,
        "a NAT gateway of its own": NAT.usd,
    }
    tables = {"A worker stack": WORKER, "Central, in any case": CENTRAL, "Dagster on ECS": ECS, "Dagster+ agent": AGENT}
    return PAGE.format(
        notice=notice,
        accounts=ACCOUNTS,
        regions=REGIONS,
        databases=DATABASES,
        stacks=stacks,
        ways=_rows(rows),
        network=_rows((way, _usd(usd), _usd(usd * stacks)) for way, usd in network.items()),
        nat=_usd(NAT.usd),
        nat_gb="0.045",
        tables="\n".join(_table(name, items) for name, items in tables.items()),
        prices=_rows((p.what, p.unit, f"{p.usd:g}", p.as_of) for p in PRICES.values()),
    )


def _table(name: str, items: Sequence[Item]) -> str:
    rows = [(item.what, f"{item.quantity:g}", PRICES[item.price].unit, _usd(item.usd)) for item in items]
    head = f"| {name} | Quantity | Unit | USD |\n|---|---|---|---|\n"
    return f"{head}{_rows(rows)}\n| **together** | | | **{_usd(total(items))}** |\n"


def _rows(rows: Iterable[Sequence[str]]) -> str:
    return "\n".join(f"| {' | '.join(row)} |" for row in rows)


def _usd(amount: float) -> str:
    return f"{amount:,.2f}"

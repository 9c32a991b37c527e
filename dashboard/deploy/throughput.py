"""Warm throughput: the write units per second that the tables serve at once.

A new table serves 4,000 write units a second, and scales to double its previous peak every half
hour; requests beyond that are throttled. The value can be raised in advance, for a one-time charge
per added unit, and never lowered.
https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/warm-throughput.html
"""

import json
import math
from collections.abc import Mapping
from typing import Any

from msgspec import Struct

from chalicelib.errors import CommandError
from dashboard.costs.prices import WARM_WRITE_UNIT
from dashboard.deploy.stack import Outputs
from dashboard.paths import PROJECT

NEW_TABLE = 4000
"""Write units per second of a new on-demand table."""

# Parameter of the stack by the output with the table's name.
PARAMETERS = {"EventsTable": "WarmWriteUnits", "StatsTable": "WarmStatsWriteUnits"}

# More than the average of a campaign: opens and clicks take twice the write units of a send.
_HEADROOM = 1.5
_STEP = 100
_MEASURED = PROJECT / "dashboard" / "costs" / "measured.json"


class TableThroughput(Struct, frozen=True):
    """The warm throughput of a table, in write units per second.

    Attributes:
        output: name of the stack's output, such as `EventsTable`.
        current: what the table serves now; NEW_TABLE if it does not exist yet.
        indexes: what each of its secondary indexes with warm throughput serves now.
        needed: what the rate requires.
    """

    output: str
    current: int
    indexes: tuple[int, ...]
    needed: int

    @property
    def added(self) -> int:
        """Units that are charged once: those of the table, and those of its indexes."""
        served = (self.current, *self.indexes)
        return sum(max(0, self.needed - one) for one in served) if self.is_raised else 0

    @property
    def is_raised(self) -> bool:
        """Whether the table serves less than the rate requires."""
        return self.needed > self.current


def write_units_per_event(rate: float) -> dict[str, float]:
    """Return the measured write units per event of each table, by the output with its name.

    Those of the measured campaign with the highest rate that is not above the given one: the more
    events share a batch, the fewer writes of the stats table each of them takes.

    Args:
        rate: events per second.
    """
    measured = json.loads(_MEASURED.read_text())["campaigns"]
    slower = [one for one in measured if _events_per_second(one) <= rate] or measured[:1]
    roles = max(slower, key=_events_per_second)["roles"]
    units = {"EventsTable": roles["ingest"], "StatsTable": roles["aggregate"]}
    events = roles["source"]["events"]
    return {table: role[f"write units {table}"] / events for table, role in units.items()}


def needed_units(rate: int) -> dict[str, int]:
    """Return the write units per second that a rate of events requires of each table."""
    return {
        table: max(NEW_TABLE, _STEP * math.ceil(rate * units * _HEADROOM / _STEP))
        for table, units in write_units_per_event(rate).items()
    }


def events_served(units: Mapping[str, int]) -> int:
    """Return the events per second that tables serve at once, from their write units per second."""
    found = min(units.values())
    for _ in range(len(units) + 1):  # the units per event depend on the rate
        per_event = write_units_per_event(found)
        found = int(min(units[table] / (per_event[table] * _HEADROOM) for table in units))
    return found


def measure(dynamodb: Any, outputs: Outputs, rate: int) -> list[TableThroughput]:
    """Return what the tables serve, and what a rate requires.

    Args:
        dynamodb: the boto3 client.
        outputs: the outputs of the stack; empty before the first deployment.
        rate: events per second.

    Raises:
        CommandError: the account's quota does not allow the rate.
    """
    needed = needed_units(rate)
    table, most = max(needed, key=lambda one: needed[one]), max(needed.values())
    quota = dynamodb.describe_limits()["TableMaxWriteCapacityUnits"]
    if most > quota:
        raise CommandError(
            f"--for-rate {rate} requires {most:,} write units a second of {table}, but the "
            f"account's quota is {quota:,} per table: request a higher one (Service Quotas, "
            "DynamoDB, Table-level write throughput limit), or use a lower rate"
        )
    found = {one: _served(dynamodb, outputs.get(one)) for one in needed}
    return [TableThroughput(one, *found[one], needed[one]) for one in needed]


def parameters(tables: list[TableThroughput]) -> dict[str, str]:
    """Return the parameters of the stack that raise the tables' warm throughput.

    A table that serves more than the rate requires keeps its parameter: DynamoDB rejects a lower
    value than the current one, which grows with the table's use.
    """
    return {
        PARAMETERS[one.output]: str(max((one.needed, *one.indexes)))
        for one in tables
        if one.is_raised
    }


def describe(tables: list[TableThroughput], rate: int) -> str:
    """Return what will be raised, and what it costs once."""
    raised = [one for one in tables if one.is_raised]
    if not raised:
        return (
            f"The tables already serve {rate:,} events a second; their warm throughput is unchanged"
        )
    price = WARM_WRITE_UNIT
    return (
        f"Warm throughput for {rate:,} events a second: "
        + ", ".join(
            f"{one.output} {one.needed:,} write units a second instead of {one.current:,}"
            for one in raised
        )
        + f". DynamoDB charges once, about ${price.of(sum(one.added for one in raised)):.2f} in "
        f"us-east-1 (${price.usd:g} per unit: {price.source}, {price.seen}). It cannot be lowered"
    )


def _events_per_second(campaign: Mapping[str, Any]) -> float:
    """Return the events per second while a measured campaign was sent, at its rate of sends."""
    events: float = campaign["roles"]["source"]["events"]
    return events * float(campaign["rate"]) / float(campaign["recipients"])


def _served(dynamodb: Any, table: str | None) -> tuple[int, tuple[int, ...]]:
    """Return the write units of a table, and those of the index that shares its parameter."""
    if table is None:
        return NEW_TABLE, ()
    found = dynamodb.describe_table(TableName=table)["Table"]
    indexes = found.get("GlobalSecondaryIndexes", [])
    return write_units(found), tuple(
        write_units(one) for one in indexes if one["IndexName"] == "activity"
    )


def write_units(described: Mapping[str, Any]) -> int:
    """Return the warm throughput of a table or an index, from DynamoDB's description of it.

    Emulators report none, or 0; in AWS, a table on demand serves at least NEW_TABLE.
    """
    warm = described.get("WarmThroughput", {})
    return max(NEW_TABLE, int(warm.get("WriteUnitsPerSecond", 0)))

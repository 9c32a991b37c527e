"""Count a batch of the events table's stream; each aggregate counts each record exactly once."""

import time
from collections.abc import Callable, Mapping, Sequence
from functools import cache
from typing import Any

from msgspec import Struct

from chalicelib.aws.client import Services, TimeLimit
from chalicelib.aws.client import services as aws_services
from chalicelib.config import Config, load
from chalicelib.errors import ConfigError
from chalicelib.log import log
from chalicelib.stats.counters import SUMMARY
from chalicelib.stats.grouping import group
from chalicelib.stats.table import StatsTable
from chalicelib.stats.update import shard_attribute_of


class Aggregator(Struct, frozen=True):
    """The aggregate function: counts changes of the events table."""

    stats_table: StatsTable
    clock: Callable[[], float] = time.time

    def batch(self, records: Sequence[Mapping[str, Any]], *, shard: str) -> None:
        """Count the records of one shard, in stream order.

        Raises:
            AwsError: a counter could not be written. Lambda retries the batch; the retry counts
                nothing twice.
        """
        batch = group(records)
        attribute = shard_attribute_of(records[0]["eventSourceARN"], shard)
        now = int(self.clock())
        for reason in batch.quarantined:
            log("quarantined", reason=reason)
        for campaign, sample in batch.subjects.items():
            subject = self.stats_table.add_subjects(campaign, sample)
            if subject is not None:
                batch.pending[campaign, SUMMARY].move(subject)
        for key, pending in batch.in_writing_order():
            self.stats_table.apply(key, pending, attribute=attribute, now=now)
        last = records[-1]["dynamodb"]
        self.stats_table.put_read_position(
            attribute,
            shard,
            last["SequenceNumber"],
            created=int(last["ApproximateCreationDateTime"]),
        )
        log("count", records=len(records), items=len(batch.pending))


def build(
    config: Config, *, services: Services | None = None, clock: Callable[[], float] = time.time
) -> Aggregator:
    """Build the function and its AWS clients."""
    dynamo = (services or aws_services(config, TimeLimit()))("dynamodb")
    return Aggregator(StatsTable(dynamo, config.stats_table, clock=clock), clock)


@cache
def function() -> Aggregator:
    """Return this process's function, configured from the environment."""
    return build(load())


def handler(event: Mapping[str, Any]) -> dict[str, Any]:
    """Count a batch of the events table's stream.

    Args:
        event: the Lambda event.

    Returns:
        The state that a tumbling window requires, which is not used.
        https://docs.aws.amazon.com/lambda/latest/dg/services-ddb-windows.html

    Raises:
        ConfigError: the event has no shard id; the batch stays in the stream.
        AwsError: a counter could not be written. Lambda retries the batch; the retry counts nothing
            twice.
    """
    if event["Records"]:  # empty when a tumbling window ends
        function().batch(event["Records"], shard=_shard(event))
    return {"state": {}}


def _shard(event: Mapping[str, Any]) -> str:
    shard = event.get("shardId")
    if not shard:
        raise ConfigError(
            "the event has no shard ID, which is required to count it exactly once: set a "
            "tumbling window on the event source mapping of the events stream "
            "(TumblingWindowInSeconds=900)"
        )
    return str(shard)

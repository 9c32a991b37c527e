"""A batch of the events table's stream → the counters, each record once in each aggregate."""

import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from msgspec import Struct

from chalicelib.log import log
from chalicelib.stats.grouping import group
from chalicelib.stats.table import StatsTable
from chalicelib.stats.update import lane


class Count(Struct, frozen=True):
    """Counts what has changed in the events table."""

    stats_table: StatsTable
    clock: Callable[[], float] = time.time

    def batch(self, records: Sequence[Mapping[str, Any]], *, shard: str) -> None:
        """Count records of one shard, in the stream's order.

        Raises:
            AwsError: a counter could not be written; the batch comes again, without harm.
        """
        batch = group(records)
        of_lane = lane(records[0]["eventSourceARN"], shard)
        now = int(self.clock())
        for reason in batch.quarantined:
            log("quarantined", reason=reason)
        for key, touched in batch.in_writing_order():
            self.stats_table.apply(key, touched, lane=of_lane, now=now)
        last = records[-1]["dynamodb"]
        self.stats_table.put_read_position(
            of_lane,
            shard,
            last["SequenceNumber"],
            created=int(last["ApproximateCreationDateTime"]),
        )
        log("count", records=len(records), items=len(batch.touched))

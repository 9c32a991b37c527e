"""The shards of a stream counted by `Count`, over DynamoDB in memory, in a time of our own.

Each shard has a reader as Lambda has it: it polls, hands over a batch, and waits for its end. What
runs is chalicelib's own; a call takes CALL_SECONDS, and meanwhile the other shards go on, so that
they get in each other's way as they would.
"""

import heapq
import itertools
import sys
import zlib
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import redirect_stdout
from dataclasses import dataclass, field
from io import StringIO
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[1]
sys.path[:0] = [str(ROOT), str(ROOT / "tests")]

from greenlet import getcurrent, greenlet
from support.memory import MemoryDynamo
from support.world import START

from bench.calls import item_size, units
from chalicelib.errors import ConditionFailed
from chalicelib.functions.aggregate import Aggregator
from chalicelib.stats.table import StatsTable
from dashboard.costs.model import CALL_SECONDS

POLL_SECONDS = 0.25
BATCH = 1000  # of app.py
ITEM_UNITS_A_SECOND = 1000  # what a partition takes, and so an item
SUMMARY = ("spring", "summary")

Record = Mapping[str, Any]


@dataclass
class Seen:
    """What happened.

    Attributes:
        batches: records in each.
        calls: updates asked for, by item.
        refused: those whose condition did not hold.
        touched: items that the batches touched.
        written: write units, by item; what is refused costs as much.
        throttled: updates that had to wait for their item.
        lags: seconds from a record's creation to its batch's summary.
        changes: of the stats table: when, which item, and the bytes of its record in the stream.
    """

    batches: list[int] = field(default_factory=list)
    calls: Counter[tuple[str, str]] = field(default_factory=Counter)
    refused: Counter[tuple[str, str]] = field(default_factory=Counter)
    written: Counter[tuple[str, str]] = field(default_factory=Counter)
    throttled: int = 0
    lags: list[float] = field(default_factory=list)
    changes: list[tuple[float, tuple[str, str], int]] = field(default_factory=list)


class Shards:
    """A number of shards and their readers.

    Args:
        records: of the events table's stream, in order.
        number: of shards.
        seconds: how long; readers that are late stay late.
        record_seconds: what a function needs for each record, without its calls.
    """

    def __init__(
        self, records: Sequence[Record], number: int, seconds: float, record_seconds: float
    ) -> None:
        self.seen = Seen()
        self.dynamo = MemoryDynamo(lambda: self.now)
        self.now = 0.0
        self.left = 0
        self._seconds = seconds
        self._record_seconds = record_seconds
        self._free_at: dict[tuple[str, str], float] = {}
        self._due: list[tuple[float, int, greenlet]] = []
        self._ids = itertools.count()
        self._lanes: list[list[Record]] = [[] for _ in range(number)]
        for record in records:
            message = record["dynamodb"]["Keys"]["message_id"]["S"]
            self._lanes[zlib.crc32(message.encode()) % number].append(record)

    def run(self) -> Seen:
        """Let the time pass."""
        for number, lane in enumerate(self._lanes):
            reader = greenlet(lambda number=number, lane=lane: self._read(number, lane))
            # Readers do not poll in step.
            start = START + POLL_SECONDS * (number * 0.618 % 1)
            heapq.heappush(self._due, (start, next(self._ids), reader))
        with redirect_stdout(StringIO()):
            while self._due:
                self.now, _, reader = heapq.heappop(self._due)
                if self.now > START + self._seconds:
                    break
                reader.switch()
        return self.seen

    def late(self) -> float:
        """Give the share of the records that came and were not read."""
        read = sum(self.seen.batches)
        return 1 - read / sum(map(len, self._lanes))

    def _read(self, number: int, lane: list[Record]) -> None:
        role = Aggregator(StatsTable(self, "StatsTable"), lambda: self.now)  # type: ignore[arg-type]  # stands for DynamoDB
        at = 0
        while at < len(lane):
            polled = self.now
            batch = list(_come(lane, at, self.now))
            if batch:
                self._wait(len(batch) * self._record_seconds)
                role.batch(batch, shard=f"shard-{number}")
                self.seen.batches.append(len(batch))
                self.seen.lags += [
                    self.now - one["dynamodb"]["ApproximateCreationDateTime"] for one in batch
                ]
                at += len(batch)
            if len(batch) < BATCH:
                self._wait(max(0.0, polled + POLL_SECONDS - self.now))

    def call(self, operation: str, **parameters: Any) -> dict[str, Any]:
        """Make one call to DynamoDB, as chalicelib.aws.client.Service does."""
        table = self.dynamo.tables[parameters["TableName"]]
        key = table.key(parameters["Key"])
        self._wait(CALL_SECONDS)
        needs = units(item_size(table.get(key)), 1024) / ITEM_UNITS_A_SECOND
        if (free := self._free_at.get(key, 0.0)) > self.now:
            self.seen.throttled += 1
        self._free_at[key] = max(free, self.now) + needs
        self._wait(max(0.0, free - self.now))
        self.seen.calls[key] += 1
        old = table.get(key)
        try:
            return self.dynamo.call(operation, **parameters)
        except ConditionFailed:
            self.seen.refused[key] += 1
            raise
        finally:
            new = table.get(key)
            self.seen.written[key] += units(max(item_size(old), item_size(new)), 1024)
            if new is not old:
                self.seen.changes.append((self.now, key, item_size(new)))

    def _wait(self, seconds: float) -> None:
        heapq.heappush(self._due, (self.now + seconds, next(self._ids), getcurrent()))
        getcurrent().parent.switch()


def _come(lane: Sequence[Record], at: int, now: float) -> Iterator[Record]:
    """Give the records that have come by now, as many as a batch takes."""
    for record in itertools.islice(lane, at, at + BATCH):
        if record["dynamodb"]["ApproximateCreationDateTime"] > now:
            return
        yield record

"""Simulate the counting of the shards of a stream, with DynamoDB in memory and simulated time.

Each shard has a reader as in Lambda: it polls, invokes the function with a batch, and waits for it
to end. The code is chalicelib's own. A call takes CALL_SECONDS, during which the other shards
continue, so that they conflict as in AWS.
"""

import heapq
import itertools
import math
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
from chalicelib.errors import AwsError, ConditionFailed
from chalicelib.functions.aggregate import Aggregator
from chalicelib.recipients.table import RecipientsIndex
from chalicelib.stats.table import StatsTable
from chalicelib.stats.update import CLOSED_SECONDS, checkpoint_bytes, shard_attribute_of
from dashboard.costs.model import CALL_SECONDS

POLL_SECONDS = 0.25
RETRY_SECONDS = 1.0  # until Lambda retries a failed batch
BATCH = 1000  # of app.py
ITEM_UNITS_A_SECOND = 1000  # limit of a partition, and therefore of an item
SUMMARY = ("spring", "summary")

Record = Mapping[str, Any]


@dataclass
class Seen:
    """The results.

    Attributes:
        batches: the number of records of each batch.
        calls: updates by item.
        refused: updates whose condition failed.
        failed: batches whose invocation failed; Lambda retries them.
        written: write units by item, including refused updates.
        throttled: updates that had to wait for their item.
        lags: seconds from a record's creation to its batch's summary, in the second half.
        changes: changes of the stats table: the time, the item, and the bytes of its stream record.
    """

    batches: list[int] = field(default_factory=list)
    calls: Counter[tuple[str, str]] = field(default_factory=Counter)
    refused: Counter[tuple[str, str]] = field(default_factory=Counter)
    written: Counter[tuple[str, str]] = field(default_factory=Counter)
    throttled: int = 0
    failed: int = 0
    lags: list[float] = field(default_factory=list)
    changes: list[tuple[float, tuple[str, str], int]] = field(default_factory=list)


class Shards:
    """Shards and their readers.

    Args:
        records: of the stream of the events table, in order.
        number: the number of shards.
        seconds: the duration; readers do not catch up afterwards.
        record_seconds: the CPU time of a function per record, without calls.
        closed: how many closed shards have checkpoints in the campaign's items.
        filled: the first seconds, which are counted before the simulation begins.
    """

    def __init__(  # noqa: PLR0913 - of a simulation
        self,
        records: Sequence[Record],
        number: int,
        seconds: float,
        record_seconds: float,
        *,
        closed: int = 0,
        filled: float = 0.0,
    ) -> None:
        self.seen = Seen()
        self.dynamo = MemoryDynamo(lambda: self.now)
        self.now = 0.0
        self.left = 0
        self._start = START + filled
        self._end = self._start + seconds
        self._record_seconds = record_seconds
        self._free_at: dict[tuple[str, str], float] = {}
        self._due: list[tuple[float, int, greenlet]] = []
        self._ids = itertools.count()
        self._lanes: list[list[Record]] = [[] for _ in range(number)]
        self._close(closed)
        for record in self._fill(records):
            message = record["dynamodb"]["Keys"]["message_id"]["S"]
            self._lanes[zlib.crc32(message.encode()) % number].append(record)

    def _close(self, number: int) -> None:
        """Store the checkpoints of shards that were closed in the last hour."""
        checkpoints = {
            shard_attribute_of("arn", f"closed-{one}"): {
                "B": checkpoint_bytes(one, START - CLOSED_SECONDS * one / number)
            }
            for one in range(number)
        }
        for part in ("summary", "hour#2026-11-23T21", "day#2026-11-23") if number else ():
            key = {"campaign": {"S": SUMMARY[0]}, "part": {"S": part}}
            self.dynamo.call("put_item", TableName="StatsTable", Item={**key, **checkpoints})

    def _fill(self, records: Sequence[Record]) -> Sequence[Record]:
        """Count the first seconds at once; return the other records."""
        first = [
            one for one in records if one["dynamodb"]["ApproximateCreationDateTime"] < self._start
        ]
        dynamo: Any = self.dynamo  # a fake
        self.now = self._start
        role = self._aggregator(dynamo)
        with redirect_stdout(StringIO()):
            for at in range(0, len(first), BATCH):
                role.batch(first[at : at + BATCH], shard="first")
        return records[len(first) :]

    def _aggregator(self, dynamo: Any) -> Aggregator:
        return Aggregator(
            StatsTable(dynamo, "StatsTable", clock=lambda: self.now, sleep=self._wait),
            RecipientsIndex(dynamo, "StatsTable", retention_days=90),
            lambda _images: None,
            math.inf,  # a campaign that is being sent is never idle
            lambda: self.now,
        )

    def run(self) -> Seen:
        """Run the simulation."""
        for number, lane in enumerate(self._lanes):
            reader = greenlet(lambda number=number, lane=lane: self._read(number, lane))
            # Readers do not poll at the same time.
            start = self._start + POLL_SECONDS * (number * 0.618 % 1)
            heapq.heappush(self._due, (start, next(self._ids), reader))
        with redirect_stdout(StringIO()):
            while self._due:
                self.now, _, reader = heapq.heappop(self._due)
                if self.now > self._end:
                    break
                reader.switch()
        return self.seen

    def late(self) -> float:
        """Return the share of the records that were not read."""
        read = sum(self.seen.batches)
        return 1 - read / sum(map(len, self._lanes))

    def _read(self, number: int, lane: list[Record]) -> None:
        role = self._aggregator(self)
        at = 0
        while at < len(lane):
            polled = self.now
            batch = list(_come(lane, at, self.now))
            if batch:
                self._wait(len(batch) * self._record_seconds)
                try:
                    role.batch(batch, shard=f"shard-{number}")
                except AwsError:
                    self.seen.failed += 1
                    self._wait(RETRY_SECONDS)
                    continue
                self.seen.batches.append(len(batch))
                if self.now > (self._start + self._end) / 2:
                    self.seen.lags += [
                        self.now - one["dynamodb"]["ApproximateCreationDateTime"] for one in batch
                    ]
                at += len(batch)
            if len(batch) < BATCH:
                self._wait(max(0.0, polled + POLL_SECONDS - self.now))

    def call(self, operation: str, **parameters: Any) -> dict[str, Any]:
        """Make one call to DynamoDB, as chalicelib.aws.client.Service does."""
        if operation in {"get_item", "query"}:
            self._wait(CALL_SECONDS)
            return self.dynamo.call(operation, **parameters)
        table = self.dynamo.tables[parameters["TableName"]]
        key = table.key(parameters.get("Key") or parameters["Item"])
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
    """Return the available records, up to the size of a batch."""
    for record in itertools.islice(lane, at, at + BATCH):
        if record["dynamodb"]["ApproximateCreationDateTime"] > now:
            return
        yield record

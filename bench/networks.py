"""Measure what a large network costs: jobs, settlements, read and write units, and computing.

    python bench/networks.py [--emails 100000] [--rate 100]

One network clicks one link of each email, with AWS in memory. `scanner`: three of four clicks are a
bot's by the email alone, as of a security scanner; `balanced`: all of every other second, so that
each second moves the evidence across a threshold, which is the worst case. Ingest and aggregate run
once a second, and each job as soon as its delay has ended, to its end, in pages.
"""

import resource
import sys
import time
from bisect import bisect_right
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import redirect_stdout
from io import StringIO
from pathlib import Path
from typing import Any

import click

ROOT = Path(__file__).parents[1]
sys.path[:0] = [str(ROOT), str(ROOT / "tests")]

from support import ses
from support.world import START, World

from bench.calls import Meter, units
from chalicelib.facts import settle as settling
from chalicelib.functions import ingest
from chalicelib.stats.networks import PARTITION

NETWORK = "203.0.113.9"
# Whether a click is made within half a minute, which shows a bot, by its number and second.
MIXES: dict[str, Callable[[int, int], bool]] = {
    "scanner": lambda number, _: number % 4 > 0,
    "balanced": lambda _, second: second % 2 == 0,
}
_EARLY, _LATE = "2026-11-23T10:00:30.000Z", "2026-11-23T11:00:00.000Z"


class Network:
    """A world in which one network clicks, and whose jobs wait for their delays.

    Attributes:
        meter: counts the calls of `ingest`, `count` and `job`.
        jobs: number of jobs.
        settled: number of emails that jobs have settled.
        job_seconds: seconds of computing in jobs.
    """

    def __init__(self) -> None:
        self.world = World()
        self.meter = Meter(self.world)
        self.jobs = self.settled = 0
        self.job_seconds = 0.0
        self._waiting: list[tuple[float, str]] = []
        self._sorted: dict[str, list[str]] = {}
        self._call = self.world.dynamo.call
        self.world.dynamo.call = self._call_quickly
        self.world.send = self._send

    def run(self, bodies: Iterator[str], rate: int) -> None:
        """Process clicks at a rate, and the jobs to the last."""
        clicks = iter(bodies)
        while True:
            some = [body for _, body in zip(range(rate), clicks, strict=False)]
            if not some and not self._waiting:
                return
            self.world.now += 1 if some else self._waiting[0][0] - self.world.now
            if some:
                self.world.arrive(*some)
                self._invoke("ingest")
                self._count()
            due = [one for one in self._waiting if one[0] <= self.world.now]
            self._waiting = [one for one in self._waiting if one[0] > self.world.now]
            for _, body in due:
                self._job(body)

    def _job(self, body: str) -> None:
        self.jobs += 1
        began = time.process_time()
        before = ingest.settle_message

        def counted(*arguments: Any) -> int:
            self.settled += 1
            return before(*arguments)

        ingest.settle_message = counted
        try:
            self.world.arrive(body)
            self._invoke("job")
        finally:
            ingest.settle_message = before
        self.job_seconds += time.process_time() - began
        self._count()

    def _count(self) -> None:
        self.meter.start("count")
        for lane in self.world.readable():
            if "/EventsTable/" in lane.stream.arn:
                while lane.unread:
                    self.world.read(lane, 1000)
                    self._end()
            else:
                lane.read = lane.given = len(lane.shard.records)  # there are no viewers
        self.world.forget_read(0)

    def _invoke(self, role: str) -> None:
        self.meter.start(role)
        self.world.ingest(*self.world.queue)
        self._end()

    def _end(self) -> None:
        with redirect_stdout(StringIO()):
            while self.world.running:
                self.world.running[0].step()
        assert not self.world.raised, self.world.raised

    def _send(self, messages: list[tuple[str, int]]) -> None:
        self._waiting += [(self.world.now + seconds, body) for body, seconds in messages]

    def _call_quickly(self, operation: str, **parameters: Any) -> dict[str, Any]:
        """Make a call; read a page of the index without sorting all of it."""
        values = parameters.get("ExpressionAttributeValues", {})
        partition = values.get(":network", {}).get("S", "")
        if operation != "query" or not partition.startswith(PARTITION):
            return self._call(operation, **parameters)
        items = self.world.dynamo.tables[parameters["TableName"]].partitions[partition]
        if len(self._sorted.get(partition, ())) != len(items):
            self._sorted[partition] = sorted(one for one in items if one.startswith("email#"))
        order = self._sorted[partition]
        after = parameters.get("ExclusiveStartKey", {}).get("part", {}).get("S", "")
        start, most = bisect_right(order, after), parameters["Limit"]
        page: dict[str, Any] = {"Items": [items[one] for one in order[start : start + most]]}
        self.meter.add("calls")
        self.meter.add("read units StatsTable", units(100 * len(page["Items"]), 4096))
        if start + most <= len(order):
            page["LastEvaluatedKey"] = {"part": {"S": order[start + most - 1]}}
        return page


def bodies(emails: int, rate: int, mix: str) -> Iterator[str]:
    """Yield a click of each email."""
    for number in range(emails):
        at = _EARLY if MIXES[mix](number, number // rate) else _LATE
        yield ses.raw(ses.a_click(f"m-{number:07}", at=at, address=NETWORK))


def require_settled(network: Network) -> None:
    """Require that settling any email again changes nothing; check each hundredth."""
    process = network.world.new_process()
    messages = list(network.world.dynamo.tables["EventsTable"].partitions)
    for message_id in messages[::100]:
        changes = ingest.settle_message(
            process.events_table, process.networks, message_id, process.suppressions.read()
        )
        assert changes == 0, message_id


@click.command()
@click.option("--emails", default=100_000)
@click.option("--rate", default=100, help="Clicks per second.")
def main(*, emails: int, rate: int) -> None:
    """Measure a network of each mix."""
    print(f"rules {settling.RULES_VERSION}, {emails:,} emails, {rate} clicks a second")
    for mix in MIXES:
        network = Network()
        network.world.now = START
        network.run(bodies(emails, rate, mix), rate)
        require_settled(network)
        job = network.meter.counts.get("job", Counter())
        used = {name: round(number) for name, number in job.items() if "units" in name}
        print(
            f"{mix}: {network.jobs} jobs, {network.settled:,} settlements, "
            f"{network.job_seconds:.0f} s of computing in jobs"
        )
        for name, number in sorted(used.items()):
            print(f"    {name}: {number:,}, {number / max(1, network.settled):.2f} a settlement")
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
    print(f"peak memory with the tables: {peak} MB")


if __name__ == "__main__":
    main()

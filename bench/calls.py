"""Measure the AWS usage of a campaign: requests, write and read units, invocations, messages.

    python bench/calls.py [--recipients 100000] [--rate 100] [--write]

A simulated campaign (python -m dashboard simulate, in real time: two days) runs through the
functions, with AWS in memory. One viewer watches it for eight hours with the page's requests:
a ping every minute, and the latest activity at most every three seconds after a change. Prints the
usage; --write saves it in dashboard/costs/measured.json for `python -m dashboard cost`.

The batching of events determines how often aggregates are written. As in Lambda and DynamoDB
without congestion, events that arrive within a second are ingested together, at most 100; each
shard of the facts is read four times a second; each table has four shards; a batch of pushes ends
after a second.
"""

import json
import math
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from itertools import groupby
from pathlib import Path
from typing import Any

import click

ROOT = Path(__file__).parents[1]
sys.path[:0] = [str(ROOT), str(ROOT / "tests")]

from support.world import START, Viewer, World

from chalicelib.errors import ConditionFailed
from chalicelib.stats.health import Findings
from dashboard.simulation.arrivals import arrivals
from dashboard.simulation.campaign import Behaviour, Campaign

BATCH = 100
POLLS = 4
VIEWER_HOURS = 8
ASKS_EVERY = 3
# API Gateway closes a connection after two hours; the page opens another one before that.
CONNECTS_EVERY = 105
CAMPAIGN = "spring"
TOPIC = f"stats/email-campaign/{CAMPAIGN}"
MEASURED = ROOT / "dashboard" / "costs" / "measured.json"


def size(value: dict[str, Any]) -> int:
    """Return the size of an attribute value in bytes, as DynamoDB counts it.

    https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/CapacityUnitCalculations.html
    """
    [(kind, content)] = value.items()
    return _SIZES[kind](content)


_SIZES: dict[str, Callable[[Any], int]] = {
    "S": lambda text: len(text.encode()),
    "N": lambda number: math.ceil(len(number.strip("-0.")) / 2) + 1,
    "B": len,
    "BOOL": lambda _: 1,
    "NULL": lambda _: 1,
    "SS": lambda texts: sum(len(one.encode()) for one in texts),
    "L": lambda values: 3 + sum(1 + size(one) for one in values),
    "M": lambda members: 3 + sum(1 + len(name) + size(one) for name, one in members.items()),
}
_sizes: dict[int, tuple[dict[str, Any], int]] = {}


def item_size(item: dict[str, Any] | None) -> int:
    """Return the size of an item in bytes, 0 for None. Items are replaced, never modified."""
    if item is None:
        return 0
    known, found = _sizes.get(id(item), (None, 0))
    if known is not item:
        found = sum(len(name) + size(value) for name, value in item.items())
        if len(_sizes) > 1_000_000:
            _sizes.clear()
        _sizes[id(item)] = item, found
    return found


def units(count: int, unit: int) -> int:
    """Convert bytes to units, rounded up; the minimum is one."""
    return max(1, math.ceil(count / unit))


class Meter:
    """Counts DynamoDB calls by caller.

    Attributes:
        counts: by role and name: `calls`, `write units TABLE`, `read units TABLE`.
        role: the function that is running.
    """

    def __init__(self, world: World) -> None:
        self.counts: dict[str, Counter[str]] = {}
        self.role = ""
        self._dynamo = world.dynamo
        self._call = world.dynamo.call
        self._old: dict[str, Any] | None = None
        self._factor = 1
        world.dynamo.call = self.call
        world.dynamo.before_call = lambda *_: None
        world.dynamo.between_writes = lambda: None
        world.dynamo.before_write = self._before
        world.dynamo.after_write = self._after

    def add(self, name: str, number: float = 1) -> None:
        """Add to a count of the current role."""
        self.counts.setdefault(self.role, Counter())[name] += number

    def call(self, operation: str, **parameters: Any) -> dict[str, Any]:
        """Make and count a call."""
        self.add("calls")
        self._factor = 2 if operation == "transact_write_items" else 1
        try:
            answer = self._call(operation, **parameters)
        except ConditionFailed:
            # A rejected write costs as much as a successful one.
            self.add(f"write units {parameters['TableName']}")
            raise
        self._read(operation, parameters, answer)
        return answer

    def _read(self, operation: str, parameters: dict[str, Any], answer: dict[str, Any]) -> None:
        match operation:
            case "get_item":
                table, items = parameters["TableName"], [answer.get("Item")]
                consistent = parameters.get("ConsistentRead", False)
            case "batch_get_item":
                [(table, asked)] = parameters["RequestItems"].items()
                items, consistent = answer["Responses"][table], asked.get("ConsistentRead", False)
            case "query" | "scan":
                table, consistent = parameters["TableName"], parameters.get("ConsistentRead", False)
                read = units(sum(map(item_size, answer["Items"])), 4096)
                self.add(f"read units {table}", read if consistent else read / 2)
                return
            case _:
                return
        read = sum(units(item_size(item), 4096) for item in items)
        self.add(f"read units {table}", read if consistent else read / 2)

    def _before(self, table: str, key: tuple[str, str]) -> None:
        self._old = self._dynamo.tables[table].get(key)

    def _after(self, table: str, key: tuple[str, str]) -> None:
        old, new = self._old, self._dynamo.tables[table].get(key)
        written = units(max(item_size(old), item_size(new)), 1024) * self._factor
        self.add(f"write units {table}", written)
        for name, keys in self._dynamo.tables[table].indexes.items():
            keys_only = name in self._dynamo.tables[table].keys_only
            was, is_now = (_projected(one, keys, keys_only=keys_only) for one in (old, new))
            if was == is_now:
                continue
            moved = was and is_now and any(was[one] != is_now[one] for one in keys)
            self.add(
                f"write units {table}/{name}",
                units(max(item_size(was), item_size(is_now)), 1024) * (2 if moved else 1),
            )


def _projected(
    item: dict[str, Any] | None, keys: tuple[str, str], *, keys_only: bool
) -> dict[str, Any] | None:
    """Return the projection of an item in an index; None if the item is not in the index."""
    if item is None or not all(one in item for one in keys):
        return None
    return {one: item[one] for one in keys} if keys_only else item


class Run:
    """A campaign that is processed second by second."""

    def __init__(self, campaign: Campaign) -> None:
        self.world = World()
        for table in self.world.dynamo.tables.values():
            if table.stream is not None:
                table.stream.split(table.stream.shards[0])
                for half in table.stream.shards[1:3]:
                    table.stream.split(half)
        self.meter = Meter(self.world)
        self.campaign = campaign
        self.hours: list[Counter[str]] = [Counter() for _ in range(VIEWER_HOURS)]
        self._asked_at = -math.inf
        self._seen = -1
        self._viewer: Viewer | None = None

    def run(self) -> None:
        """Run the campaign to its end."""
        self._viewer = self._connect(0)
        minute = 0
        for second, group in groupby(arrivals(self.campaign), lambda one: int(one.due)):
            while (minute + 1) * 60 <= second:
                minute += 1
                self._minute(minute)
            self.world.now = START + second + 1
            texts = [one.text for one in group]
            self.meter.role = "source"
            self.meter.add("events", len(texts))
            self._flow(texts)
            self._look(second)

    def _connect(self, second: int) -> Viewer:
        viewer = self.world.subscribe()
        for topic in ("stats/health", TOPIC):
            self._ask(viewer, second, "subscribe", id=topic)
        return viewer

    def _leave(self) -> None:
        self.meter.role = "session"
        assert self._viewer is not None
        self.world.new_process().subscriptions.forget(self._viewer.connection.id)
        self._viewer = None

    def _flow(self, texts: list[str]) -> None:
        self.world.arrive(*texts)
        ids = list(self.world.queue)
        batches = [ids[at : at + BATCH] for at in range(0, len(ids), BATCH)]
        per_poll = math.ceil(len(batches) / POLLS)
        for number, batch in enumerate(batches, 1):
            self._invoke("ingest", lambda batch=batch: self.world.ingest(*batch))
            if number % per_poll == 0 or number == len(batches):
                self._read("EventsTable", "aggregate")
        self._push()

    def _read(self, table: str, role: str) -> None:
        for lane in self.world.readable():
            if f"/{table}/" in lane.stream.arn:
                self._invoke(role, lambda lane=lane: self.world.read(lane, 1000))
        self.world.forget_read(0)

    def _push(self) -> None:
        before = len(self._viewer.frames) if self._viewer else 0
        self._read("StatsTable", "publish")
        if self._viewer:
            pushed = self._viewer.frames[before:]
            self._of_hour("pushes", len(pushed))
            self._of_hour("bytes", sum(map(_length, pushed)))

    def _invoke(self, role: str, start: Any) -> None:
        self.meter.role = role
        self.meter.add("invocations")
        start()
        while self.world.running:
            self.world.running[0].step()
        if role == "ingest" and self.world.queue:
            assert not any(one.startswith("failed") for one in self.world.queue)

    def _minute(self, minute: int) -> None:
        """Run watch and send the viewer's ping, once a minute."""
        self.world.now = START + minute * 60
        self.meter.role = "watch"
        self.meter.add("invocations")
        parts = self.world.new_process()
        parts.stats_table.read_positions()
        parts.stats_table.campaigns(25, None)
        at = datetime.fromtimestamp(self.world.now, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
        parts.stats_table.put_findings(Findings(at, 0, 0, 0, 0, ()))
        self._push()
        if self._viewer and minute % CONNECTS_EVERY == 0:
            self._leave()
            self._viewer = self._connect(minute * 60)
        if self._viewer and minute * 60 < VIEWER_HOURS * 3600:
            self._ask(self._viewer, minute * 60, "ping")

    def _look(self, second: int) -> None:
        """Request the latest activity after a change, as the page does."""
        if self._viewer is None or second >= VIEWER_HOURS * 3600:
            if self._viewer is not None:
                self._leave()
            return
        frames = len(self._viewer.frames)
        if second - self._asked_at >= ASKS_EVERY and frames != self._seen:
            self._asked_at = second
            self._ask(self._viewer, second, "listActivity", id=TOPIC, limit=8)
            self._seen = len(self._viewer.frames)

    def _ask(self, viewer: Viewer, second: int, action: str, **fields: Any) -> None:
        self.meter.role = "session"
        before = Counter(self.meter.counts.get("session", {}))
        frames = len(viewer.frames)
        viewer.ask(action, **fields)
        hour = self.hours[min(second // 3600, VIEWER_HOURS - 1)]
        hour["requests"] += 1
        hour["answers"] += len(viewer.frames) - frames
        hour["bytes"] += sum(map(_length, viewer.frames[frames:]))
        for name, number in self.meter.counts.get("session", {}).items():
            kind = " ".join(name.split()[:2])
            hour[kind] += number - before.get(name, 0)

    def _of_hour(self, name: str, number: int) -> None:
        hour = int(self.world.now - START - 1) // 3600
        if hour < VIEWER_HOURS:
            self.hours[hour][name] += number


def _length(frame: dict[str, Any]) -> int:
    """Return the length of a frame in bytes."""
    return len(json.dumps(frame, ensure_ascii=False, separators=(",", ":")).encode())


def events_by_hour(campaign: Campaign) -> list[int]:
    """Count the events in each hour of viewing."""
    hours = Counter(int(one.due) // 3600 for one in arrivals(campaign))
    return [hours[hour] for hour in range(VIEWER_HOURS)]


def measure(recipients: int, rate: float) -> dict[str, Any]:
    """Run a campaign and return the counts."""
    campaign = Campaign(
        CAMPAIGN,
        datetime.fromtimestamp(START, UTC),
        recipients=recipients,
        rate=rate,
        behaviour=Behaviour(speed=1.0),
    )
    run = Run(campaign)
    run.run()
    for number, events in enumerate(events_by_hour(campaign)):
        run.hours[number]["events"] = events
    return {
        "recipients": recipients,
        "rate": rate,
        "roles": {
            role: dict(sorted(run.meter.counts[role].items())) for role in sorted(run.meter.counts)
        },
        "viewer_hours": [dict(sorted(hour.items())) for hour in run.hours],
    }


def lines(found: dict[str, Any]) -> Iterator[tuple[str, str]]:
    """Return the counts as lines with a name and the number per event."""
    events = found["roles"]["source"]["events"]
    for role, counts in found["roles"].items():
        for name, number in counts.items():
            yield f"{role}: {name}", f"{number:,.0f}   {number / events:.3f} per event"
    for number, hour in enumerate(found["viewer_hours"], 1):
        told = ", ".join(f"{name} {count:,.0f}" for name, count in hour.items())
        yield f"viewer, hour {number}", told


@click.command()
@click.option("--recipients", default=100_000)
@click.option("--rate", default=100.0, help="Emails sent per second.")
@click.option("--write", is_flag=True, help="Save the result in dashboard/costs/measured.json.")
def main(*, recipients: int, rate: float, write: bool) -> None:
    """Measure the AWS usage of a campaign."""
    began = time.monotonic()
    found = measure(recipients, rate)
    for name, told in lines(found):
        print(f"{name:<44}{told}")
    print(f"took {time.monotonic() - began:.0f} s")
    if write:
        kept = json.loads(MEASURED.read_text()) if MEASURED.exists() else {"campaigns": []}
        others = [one for one in kept["campaigns"] if one["recipients"] != recipients]
        kept["campaigns"] = sorted([*others, found], key=lambda one: one["recipients"])
        MEASURED.write_text(json.dumps(kept, indent=1) + "\n")


if __name__ == "__main__":
    main()

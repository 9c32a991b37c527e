"""Measure the AWS usage of a campaign: requests, units, invocations, messages, and storage.

    python bench/calls.py [--recipients 100000] [--rate 100] [--write]

A simulated campaign (python -m dashboard simulate, in real time: two days) runs through the
functions, with AWS in memory. Pages watch it for eight hours (bench/watching.py). Of a large
campaign, only samples in time are processed (bench/sampling.py). Prints the usage; --write saves it
in dashboard/costs/measured.json for `python -m dashboard cost`.

The batching of events determines how often aggregates are written. As in Lambda and DynamoDB
without congestion, each of five pollers of the queue collects the messages of a second, at most
100; each shard of the facts is read four times a second; each table has four shards; a batch of
pushes ends after a second.

MAILPULSE_CODE=<checkout> measures the code of another checkout, on the same arrivals.
"""

import json
import math
import os
import sys
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator
from contextlib import redirect_stdout
from datetime import UTC, datetime
from io import StringIO
from pathlib import Path
from random import Random
from typing import TYPE_CHECKING, Any

import click
from msgspec.structs import replace

ROOT = Path(__file__).parents[1]
CODE = Path(os.environ.get("MAILPULSE_CODE", ROOT)).resolve()
sys.path[:0] = [str(CODE), str(CODE / "tests"), str(ROOT)]

from support.world import CONFIG, START, Lane, World

from bench.sampling import Counts, Sample, Weighing, Window, sample_for, windows
from bench.watching import Page
from chalicelib.errors import ConditionFailed
from chalicelib.functions.watch import HealthMonitor
from chalicelib.live.subscriptions import Subscriptions
from chalicelib.stats import counters
from dashboard.simulation.arrivals import Arrival, arrivals
from dashboard.simulation.campaign import Behaviour, Campaign
from dashboard.simulation.payloads import Mail, event_text, timestamp

if TYPE_CHECKING:
    from dashboard.simulation.mail_life import Happening

BATCH = 100
# https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-scaling.html
POLLERS = 5
POLLS = 4
SHARDS = 4
PUSH_SECONDS = 1.0
VIEWER_HOURS = 8
HAS_LEVELS = hasattr(Subscriptions, "attend")
LEVELS = ("active", "visible", "hidden") if HAS_LEVELS else ("active",)
# The batching windows of the readers of the stats table's stream, in seconds (app.py).
WINDOWS = {"publish": 1, "publish_visible": 3}
# The parts whose records these readers receive (dashboard/deploy/event_sources.py).
SHOWN = (
    *(counters.SHOWN_PARTS if hasattr(counters, "SHOWN_PARTS") else counters.PARTS),
    *("activity", "pace", counters.HEALTH, "reconciliation", "recount#"),
)
KINDS = ("push", "health", "activity", "ping", "connect")
# API Gateway closes a connection after two hours; the page opens another one before that.
CONNECTS_EVERY = 105 * 60
IDLE_MINUTES = 60
IDLE_AFTER_DAYS = 30
# After a month in which it did not run here, watch first builds the directory of campaigns again.
SETTLING_MINUTES = 30
# Facts are kept for 90 days, and the bill of a campaign includes its counters for as long.
KEPT_DAYS = 90
# DynamoDB adds this to the size of each item of a table and of an index.
# https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/CapacityUnitCalculations.html
ITEM_BYTES = 100
CAMPAIGN = "spring"
TOPIC = f"stats/email-campaign/{CAMPAIGN}"
MEASURED = ROOT / "dashboard" / "costs" / "measured.json"
PUBLISHERS = ("publish", "watch publish")
BY = {
    "ingest": "events",
    "watch": "minutes",
    "watch publish": "minutes",
    **{f"{level} ping": "seconds" for level in LEVELS},
    **{f"{level} health": "minutes" for level in LEVELS},
    **{f"{level} connect": "once" for level in LEVELS},
}
"""What the counts of a role grow with, other than seconds with events."""


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
        counts: by role and name: `calls`, `write units TABLE`, `read units TABLE`, and
            `stored byte-days TABLE`, where an index is `TABLE/INDEX`.
        role: the function that is running.
    """

    def __init__(self, world: World) -> None:
        self.counts: dict[str, Counter[str]] = {}
        self.role = ""
        self._world = world
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

    def add_to(self, role: str, name: str, number: float) -> None:
        """Add to a count of a role."""
        self.counts.setdefault(role, Counter())[name] += number

    def start(self, role: str) -> None:
        """Count the following calls for this role."""
        self.role = role

    def take(self) -> Counts:
        """Return the counts, and begin anew."""
        counts, self.counts = self.counts, {}
        return counts

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
        self._stored(table, self._byte_days(old, old), self._byte_days(new, new))
        for name, keys in self._dynamo.tables[table].indexes.items():
            keys_only = name in self._dynamo.tables[table].keys_only
            was, is_now = (_projected(one, keys, keys_only=keys_only) for one in (old, new))
            if was == is_now:
                continue
            self._stored(f"{table}/{name}", self._byte_days(old, was), self._byte_days(new, is_now))
            moved = was and is_now and any(was[one] != is_now[one] for one in keys)
            self.add(
                f"write units {table}/{name}",
                units(max(item_size(was), item_size(is_now)), 1024) * (2 if moved else 1),
            )

    def _stored(self, name: str, before: float, after: float) -> None:
        if after != before:
            self.add(f"stored byte-days {name}", after - before)

    def _byte_days(self, item: dict[str, Any] | None, stored: dict[str, Any] | None) -> float:
        """Return the bytes that are stored of an item, times the days for which it is kept."""
        if item is None or stored is None:
            return 0.0
        days = float(KEPT_DAYS)
        if "expires" in item:
            days = min(days, max(0.0, (int(item["expires"]["N"]) - self._world.now) / 86400))
        return (item_size(stored) + ITEM_BYTES) * days


def _projected(
    item: dict[str, Any] | None, keys: tuple[str, str], *, keys_only: bool
) -> dict[str, Any] | None:
    """Return the projection of an item in an index; None if the item is not in the index."""
    if item is None or not all(one in item for one in keys):
        return None
    return {one: item[one] for one in keys} if keys_only else item


class Probes:
    """What watch asks outside of DynamoDB; counts the requests."""

    def __init__(self, meter: Meter, send: Callable[[str, int], None]) -> None:
        self._meter = meter
        self._send = send

    def send(self, messages: list[tuple[str, int]]) -> None:
        """Send jobs, ten a request; they are received when their delay has ended."""
        self._meter.add("SQS requests", math.ceil(len(messages) / 10))
        self._meter.add("jobs", len(messages))
        for body, seconds in messages:
            self._send(body, seconds)

    def waiting(self) -> int:
        """Return the number of messages in the queue."""
        self._meter.add("SQS requests")
        return 0

    dead_letters = waiting

    def depths(self) -> tuple[int, int]:
        """Return the numbers of waiting messages and of messages in flight."""
        return self.waiting(), 0

    def failing(self, _now: float) -> tuple[str, ...]:
        """Return the functions that fail; the region's metrics are read, and each stream's age."""
        self._meter.add("CloudWatch requests", 4)
        return ()

    def oldest_seconds(self, _now: float) -> int:
        """Return the age of the oldest message."""
        self._meter.add("CloudWatch requests")
        return 0

    def oldest_unread(self, *_: Any) -> None:
        """Return the time of the oldest record that was not counted."""
        self._meter.add("stream reads", SHARDS)


class SesProbe:
    """SES's metrics in CloudWatch, which has none; counts the metrics that are read."""

    def __init__(self, meter: Meter) -> None:
        self._meter = meter

    def read(self, metrics: list[str], *_: int) -> dict[str, Any]:
        """Return no values."""
        self._meter.add("CloudWatch metrics", len(metrics))
        return {}

    newest = read


class Run:
    """A campaign, of which samples are processed second by second."""

    def __init__(self, campaign: Campaign, sample: Sample) -> None:
        sleeps = "push_interval" in CONFIG.__struct_fields__
        self.world = World(replace(CONFIG, push_interval=PUSH_SECONDS) if sleeps else CONFIG)
        for table in self.world.dynamo.tables.values():
            if table.stream is not None:
                table.stream.split(table.stream.shards[0])
                for half in table.stream.shards[1:3]:
                    table.stream.split(half)
        self.meter = Meter(self.world)
        self.campaign = campaign
        self.weighing = Weighing(BY)
        self.idle: Counts = {}
        self._sample = sample
        self._rng = Random(campaign.seed)
        self._jobs: dict[int, list[str]] = defaultdict(list)
        self._new_process = self.world.new_process
        self.world.new_process = self._process
        self._pages = [
            Page(self.world, level, TOPIC, self.meter.start, self.meter.add_to) for level in LEVELS
        ]
        self._history = History()
        self._watching = self._new_process()  # one process, which remembers its last check
        probes = Probes(self.meter, self._send)
        self._watching.queues = self._watching.events_stream = probes
        if "day_check" in HealthMonitor.__struct_fields__:
            self._watching.ses_metrics = SesProbe(self.meter)
        if "functions" in HealthMonitor.__struct_fields__:
            self._watching.watch.functions = Probes(self.meter, self._send)
        invoke = self.world.invoke
        self.world.invoke = lambda event: (
            self.meter.add_to("publish", "invocations", 1),
            invoke(event),
        )

    def run(self) -> None:
        """Run the campaign to its end, and a few minutes of the following month."""
        incoming = Incoming(self.campaign)
        connect_at = 0
        sending = self.campaign.recipients / self.campaign.rate
        for window in windows(sending, self.campaign.seconds, self._sample):
            before = incoming.until(window.start)
            self._history.add(before)
            if window.hour >= VIEWER_HOURS:
                for page in self._pages:
                    page.leave()
            elif window.start >= connect_at:
                connect_at += CONNECTS_EVERY
                for page in self._pages:
                    page.connect()
            inside = incoming.until(window.end)
            self._restore(window, inside)
            self._process_window(window, inside)
            after = incoming.until(window.period_end)
            self._history.add(after)
            self.weighing.add(
                window,
                self.meter.take(),
                [one.due for one in inside],
                [one.due for one in (*before, *after)],
            )
        for page in self._pages:
            page.leave()
        self.meter.take()
        for minute in range(SETTLING_MINUTES + IDLE_MINUTES):
            if minute == SETTLING_MINUTES:
                self.meter.take()
            self._watch(IDLE_AFTER_DAYS * 86400 + minute * 60)
        self.idle = self.meter.take()

    def _send(self, body: str, seconds: int) -> None:
        """Keep a job until its delay has ended."""
        self._jobs[int(self.world.now) + seconds].append(body)

    def _process(self) -> Any:
        """Return a new process whose probes and pauses are counted."""
        parts = self._new_process()
        parts.queues = parts.events_stream = Probes(self.meter, self._send)
        if "pause" in parts.publish.__struct_fields__:
            parts.publish = replace(
                parts.publish, pause=lambda seconds: self.meter.add("slept seconds", seconds)
            )
        return parts

    def _process_window(self, window: Window, inside: list[Arrival]) -> None:
        by_second: dict[int, list[str]] = defaultdict(list)
        for one in inside:
            by_second[int(one.due)].append(one.text)
        self._watch(window.start)
        for second in range(window.start, window.end):
            self.world.now = START + second + 1
            due = [at for at in self._jobs if at <= self.world.now]
            bodies = [body for at in due for body in self._jobs.pop(at)]
            if bodies or second in by_second:
                self._flow([*by_second.pop(second, ()), *bodies])
            for page in self._pages:
                page.second()

    def _restore(self, window: Window, inside: list[Arrival]) -> None:
        """Store what the emails of a window were reported to be before it, without counting."""
        self.world.now = START + window.start
        texts = list(self._history.missing(inside))
        for at in range(0, len(texts), BATCH):
            self.world.arrive(*texts[at : at + BATCH])
            self._invoke("restored", lambda: self.world.ingest(*self.world.queue))
        assert not self.world.queue, "events were not stored"
        for lane in self.world.lanes():
            if "/EventsTable/" in lane.stream.arn:
                lane.read = lane.given = len(lane.shard.records)
        self.world.forget_read(0)

    def _flow(self, texts: list[str]) -> None:
        self.world.arrive(*texts)
        collected: list[list[str]] = [[] for _ in range(POLLERS)]
        for one in self.world.queue:
            collected[self._rng.randrange(POLLERS)].append(one)
        batches = [ids[at : at + BATCH] for ids in collected for at in range(0, len(ids), BATCH)]
        per_poll = math.ceil(len(batches) / POLLS)
        for number, batch in enumerate(batches, 1):
            self._invoke("ingest", lambda batch=batch: self.world.ingest(*batch))
            if number % per_poll == 0 or number == len(batches):
                self._read("EventsTable", "aggregate")
        assert not self.world.queue, "events were not stored"
        self._push("publish", "push")

    def _read(self, table: str, role: str) -> None:
        for lane in self.world.readable():
            if f"/{table}/" in lane.stream.arn and self._is_due(lane):
                self._invoke(role, lambda lane=lane: self.world.read(lane, 1000))
        self.world.forget_read(0)

    def _is_due(self, lane: Lane) -> bool:
        """Return whether a shard has records for its reader, and its batching window has ended."""
        if not HAS_LEVELS or lane.reader not in WINDOWS:
            return True
        if int(self.world.now) % WINDOWS[lane.reader]:
            return False
        if any(map(_is_shown, lane.shard.records[lane.read :])):
            return True
        # The mapping's filter skips these records, without an invocation.
        lane.read = lane.given = len(lane.shard.records)
        return False

    def _push(self, role: str, kind: str) -> None:
        self._read("StatsTable", role)
        for page in self._pages:
            page.received(kind)

    def _watch(self, second: int) -> None:
        """Run watch, which pushes the pipeline's health."""
        self.world.now = START + second
        self.meter.role = "watch"
        self.meter.add("invocations")
        with redirect_stdout(StringIO()):
            self._watching.watch.check()
        self._push("watch publish", "health")

    def _invoke(self, role: str, start: Any) -> None:
        self.meter.role = role
        self.meter.add("invocations")
        start()
        while self.world.running:
            self.world.running[0].step()
        assert not self.world.raised, self.world.raised


def _is_shown(record: dict[str, Any]) -> bool:
    """Return whether the event source mapping of publish passes a record (event_sources.py)."""
    return record["dynamodb"]["Keys"]["part"]["S"].startswith(SHOWN)


class Incoming:
    """The arrivals of a campaign, in order."""

    def __init__(self, campaign: Campaign) -> None:
        self._arrivals = arrivals(campaign)
        self._next = next(self._arrivals, None)

    def until(self, second: int) -> list[Arrival]:
        """Return the arrivals before a second that were not returned before."""
        found = []
        while self._next is not None and self._next.due < second:
            found.append(self._next)
            self._next = next(self._arrivals, None)
        return found


class History:
    """What was reported outside of the windows, from which an email's items are restored.

    Sends and deliveries are not kept, but made again.
    """

    _MADE_AGAIN = ("Send", "Delivery")

    def __init__(self) -> None:
        self._kept: dict[str, list[Happening]] = defaultdict(list)
        self._stored: set[str] = set()

    def add(self, unprocessed: list[Arrival]) -> None:
        """Keep arrivals that are not processed."""
        for one in unprocessed:
            if one.happening.type not in self._MADE_AGAIN and not one.copy:
                self._kept[one.happening.mail.message_id].append(one.happening)

    def missing(self, inside: list[Arrival]) -> Iterator[str]:
        """Yield the events to store before a window: earlier ones of its emails, and originals."""
        here: set[int] = set()
        for one in inside:
            happening = one.happening
            if happening.type == "Send":
                self._stored.add(happening.mail.message_id)
            if one.copy and id(happening) not in here:
                yield one.text
            here.add(id(happening))
        for mail in {one.happening.mail.message_id: one.happening.mail for one in inside}.values():
            if mail.message_id not in self._stored:
                self._stored.add(mail.message_id)
                yield from _sent_and_delivered(mail)
            for earlier in self._kept.pop(mail.message_id, ()):
                yield event_text(earlier.type, earlier.mail, earlier.own)


def _sent_and_delivered(mail: Mail) -> Iterator[str]:
    yield event_text("Send", mail, {})
    own = {
        "timestamp": timestamp(mail.at),
        "processingTimeMillis": 700,
        "recipients": [mail.recipient],
        "smtpResponse": "250 2.0.0 OK",
        "reportingMTA": mail.mta,
    }
    yield event_text("Delivery", mail, own)


def measure(recipients: int, rate: float, sample: Sample, **behaviour: Any) -> dict[str, Any]:
    """Run a campaign and return the counts."""
    campaign = Campaign(
        CAMPAIGN,
        datetime.fromtimestamp(START, UTC),
        recipients=recipients,
        rate=rate,
        behaviour=Behaviour(speed=1.0, **behaviour),
    )
    run = Run(campaign, sample)
    run.run()
    weighing = run.weighing
    roles = weighing.totals()
    roles["source"] = Counter(events=sum(one.events for one in weighing.strata.values()))
    roles |= {f"idle {role}": counts for role, counts in run.idle.items()}
    hours = [weighing.totals(hour) for hour in range(VIEWER_HOURS)]
    return {
        "recipients": recipients,
        "rate": rate,
        "processed_events": sum(one.processed_events for one in weighing.strata.values()),
        "roles": {role: _rounded(roles[role]) for role in sorted(roles) if role not in _PAGES},
        "events_by_hour": [weighing.events(hour) for hour in range(VIEWER_HOURS)],
        "slept_by_hour": [
            round(sum(hour[role]["slept seconds"] for role in PUBLISHERS), 1) for hour in hours
        ],
        "viewers": {
            level: [{kind: _rounded(hour[f"{level} {kind}"]) for kind in KINDS} for hour in hours]
            for level in LEVELS
        },
    }


_PAGES = {f"{level} {kind}" for level in LEVELS for kind in KINDS} | {"restored"}


def _rounded(counts: Counter[str]) -> dict[str, float]:
    return {name: round(number, 1) for name, number in sorted(counts.items())}


def lines(found: dict[str, Any]) -> Iterator[tuple[str, str]]:
    """Return the counts as lines with a name and the number per event."""
    events = found["roles"]["source"]["events"]
    for role, counts in found["roles"].items():
        for name, number in counts.items():
            yield f"{role}: {name}", f"{number:,.0f}   {number / events:.3f} per event"
    for level, hours in found["viewers"].items():
        for number, hour in enumerate(hours, 1):
            told = ", ".join(
                f"{kind} {name} {count:,.0f}"
                for kind, counts in hour.items()
                for name, count in counts.items()
            )
            yield f"{level} viewer, hour {number}", told


@click.command()
@click.option("--recipients", default=100_000)
@click.option("--rate", default=100.0, help="Emails sent per second.")
@click.option(
    "--sample-of",
    type=int,
    help="Use the sample of a campaign to this many recipients; 1 processes every second.",
)
@click.option("--variants", type=int, help="Variants of the emails, 0 for none (default: two).")
@click.option("--output", type=click.Path(path_type=Path), help="Save the result in this file.")
@click.option("--write", is_flag=True, help="Save the result in dashboard/costs/measured.json.")
def main(  # noqa: PLR0913 - one for each option
    *,
    recipients: int,
    rate: float,
    sample_of: int | None,
    variants: int | None,
    output: Path | None,
    write: bool,
) -> None:
    """Measure the AWS usage of a campaign."""
    began = time.monotonic()
    behaviour = {} if variants is None else {"variants": variants}
    found = measure(recipients, rate, sample_for(sample_of or recipients), **behaviour)
    for name, told in lines(found):
        print(f"{name:<44}{told}")
    print(f"took {time.monotonic() - began:.0f} s")
    if output:
        output.write_text(json.dumps(found, indent=1) + "\n")
    if write:
        kept = json.loads(MEASURED.read_text()) if MEASURED.exists() else {"campaigns": []}
        others = [one for one in kept["campaigns"] if one["recipients"] != recipients]
        kept["campaigns"] = sorted([*others, found], key=lambda one: one["recipients"])
        MEASURED.write_text(json.dumps(kept, indent=1) + "\n")


if __name__ == "__main__":
    main()

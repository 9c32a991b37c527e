"""Measure a running `up`: events per second, lag, and CPU time.

    python bench/live.py [--state-dir .mailpulse] [--rate 500] [--seconds 30] [--viewers 20]
                         [--samples 50]

Publishes events of one campaign to the SNS topic at a steady rate, while viewers watch the campaign
over WebSockets. Then publishes single events, with pauses. The lag of an event is the time from its
publication to the first push that includes it. CPU time is that of each process of `up`, per event
(Linux only). The exit status is 1 if a count is not exact. On a busy machine, compare CPU times,
which depend less on other processes.
"""

import asyncio
import json
import os
import random
import statistics
import sys
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import uuid4

import click
from websockets.asyncio.client import ClientConnection, connect
from websockets.typing import Subprotocol

sys.path.insert(0, str(Path(__file__).parents[1]))

from dashboard.installation import find_topic
from dashboard.local.running import read_running
from dashboard.paths import StateDir
from dashboard.sqs.topic import Topic

SUBPROTOCOL = Subprotocol("mailpulse.v1")
QUIET_SECONDS = 20.0
BATCH = 50  # `Topic` sends it in parallel requests of ten messages
COUNTERS = {"Send": "sends", "Delivery": "deliveries", "Open": "opens", "Click": "clicks"}


def event(kind: str, campaign: str, message: str, number: int) -> str:
    """Return an SES event with the current time; `number` selects the link."""
    at = f"{datetime.now(UTC):%Y-%m-%dT%H:%M:%S}.{number % 1000:03}Z"
    own = {"timestamp": at}
    if kind == "Delivery":
        own |= {"recipients": [f"{message}@example.com"]}
    elif kind in ("Open", "Click"):
        own |= {"userAgent": "Mozilla/5.0 (X11; Linux x86_64) Firefox/130.0"}
        own |= {"link": f"https://example.com/{number % 7}"} if kind == "Click" else {}
    mail = {
        "timestamp": f"{datetime.now(UTC) - timedelta(minutes=1):%Y-%m-%dT%H:%M:%S}.000Z",
        "messageId": message,
        "source": "news@example.com",
        "destination": [f"{message}@example.com"],
        "tags": {"campaign": [campaign]},
        "commonHeaders": {"subject": "A measurement"},
    }
    return json.dumps({"eventType": kind, "mail": mail, kind.lower(): own})


def kinds_and_messages(count: int) -> list[tuple[str, str, int]]:
    """Return events: for each message a Send, a Delivery, often an Open, sometimes a Click."""
    events: list[tuple[str, str, int]] = []
    number = 0
    while len(events) < count:
        message = f"{number:08}-{uuid4().hex[:8]}"
        kinds = ["Send", "Delivery"]
        kinds += ["Open"] if number % 5 < 2 else []
        kinds += ["Click"] if number % 20 == 0 else []
        events += [(kind, message, number) for kind in kinds]
        number += 1
    events = events[:count]
    random.shuffle(events)
    return events


@dataclass
class Steady:
    """Publishes events at a steady rate in a thread.

    Attributes:
        times: when each batch was published.
        ended: when the last batch was accepted; 0 until then.
    """

    topic: Topic
    campaign: str
    events: list[tuple[str, str, int]]
    rate: float
    times: list[float] = field(default_factory=list)
    ended: float = 0.0

    def __call__(self) -> None:
        """Publish all events."""
        began = time.monotonic()
        for start in range(0, len(self.events), BATCH):
            time.sleep(max(0.0, began + start / self.rate - time.monotonic()))
            batch = self.events[start : start + BATCH]
            messages = [event(kind, self.campaign, *rest) for kind, *rest in batch]
            self.times.append(time.monotonic())
            self.topic.publish_batch(messages)
        self.ended = time.monotonic()


@dataclass
class Viewer:
    """A viewer of a campaign.

    Attributes:
        pushes: the number of pushes received.
        totals: (time, events counted) of each push, if the viewer decodes them.
        latest: the counts of the last push, if the viewer decodes them.
    """

    socket: ClientConnection
    topic_id: str
    pushes: int = 0
    totals: list[tuple[float, int]] = field(default_factory=list)
    latest: dict[str, int] = field(default_factory=dict)

    async def subscribe(self) -> dict[str, int]:
        """Subscribe, and return the counts of the snapshot."""
        await self.socket.send(json.dumps({"action": "subscribe", "id": self.topic_id}))
        while True:
            answer = json.loads(await asyncio.wait_for(self.socket.recv(), QUIET_SECONDS))
            if "snapshot" in answer:
                counts: dict[str, int] = answer["snapshot"]["counts"]
                return counts

    async def watch(self, *, reads: bool) -> None:
        """Receive pushes until canceled."""
        async for text in self.socket:
            self.pushes += 1
            if reads:
                changes = json.loads(text).get("changes", {})
                if "counts" in changes:
                    self.latest = changes["counts"]
                    total = sum(self.latest[name] for name in COUNTERS.values())
                    self.totals.append((time.monotonic(), total))


def lags(published: list[float], totals: list[tuple[float, int]]) -> list[float]:
    """Compute, for each batch of events, the time until a push included as many events."""
    found: list[float] = []
    pushes = iter(totals)
    at, total = 0.0, 0
    for number, began in enumerate(published, 1):
        while total < number * BATCH:
            try:
                at, total = next(pushes)
            except StopIteration:
                return found
        found.append(at - began)
    return found


class CpuTimes:
    """CPU seconds of the processes of `up`, by role; empty without /proc."""

    def __init__(self, pid: int) -> None:
        self._pid = pid
        self._before = self._now()

    def passed(self) -> dict[str, float]:
        """Return the CPU seconds since the object was built."""
        now = self._now()
        return {name: now[name] - self._before.get(name, 0.0) for name in now}

    def _now(self) -> dict[str, float]:
        times: dict[str, float] = {}
        for pid in _descendants(self._pid) if Path("/proc").is_dir() else ():
            with suppress(FileNotFoundError, ProcessLookupError):  # the process has exited
                name = _role(pid)
                times[name] = times.get(name, 0.0) + _cpu_seconds(pid)
        return times


def _descendants(pid: int) -> Iterator[int]:
    yield pid
    for children in Path(f"/proc/{pid}/task").glob("*/children"):
        for child in children.read_text().split():
            yield from _descendants(int(child))


def _role(pid: int) -> str:
    environment = Path(f"/proc/{pid}/environ").read_bytes().split(b"\0")
    prefix = b"AWS_LAMBDA_FUNCTION_NAME="
    for one in environment:
        if one.startswith(prefix):
            return one.removeprefix(prefix).decode().rpartition("-")[2]
    command = Path(f"/proc/{pid}/cmdline").read_bytes()
    return "emulator" if b"dashboard.local.emulator.main" in command else "up"


def _cpu_seconds(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    user, system = int(fields[11]), int(fields[12])
    return (user + system) / os.sysconf("SC_CLK_TCK")


@dataclass(frozen=True)
class Load:
    """The load: events and viewers."""

    rate: float
    seconds: float
    viewers: int

    @property
    def events(self) -> int:
        """The number of events, in whole batches."""
        return int(self.rate * self.seconds) // BATCH * BATCH


async def measure_flood(url: str, pid: int, topic: Topic, load: Load) -> bool:
    """Publish at a steady rate and print the results; return whether all counts are exact."""
    campaign = f"flood-{uuid4().hex[:6]}"
    steady = Steady(topic, campaign, kinds_and_messages(load.events), load.rate)
    expected = Counter(COUNTERS[kind] for kind, *_ in steady.events)
    # Count one event first, because the first invocation of each function is the slowest.
    topic.publish_batch([event("Send", f"first-{campaign}", "first", 0)])
    await asyncio.sleep(2)
    watching = [
        Viewer(await connect(url, subprotocols=[SUBPROTOCOL]), f"stats/email-campaign/{campaign}")
        for _ in range(load.viewers)
    ]
    for viewer in watching:
        await viewer.subscribe()
    tasks = [asyncio.create_task(viewer.watch(reads=viewer is watching[0])) for viewer in watching]
    cpu = CpuTimes(pid)
    own = time.process_time()
    thread = threading.Thread(target=steady)
    thread.start()
    began = time.monotonic()
    first = watching[0]
    while True:
        await asyncio.sleep(0.05)
        last = max(steady.ended, first.totals[-1][0] if first.totals else began)
        if first.totals and first.totals[-1][1] >= len(steady.events):
            break
        if steady.ended and time.monotonic() - last > QUIET_SECONDS:
            break
    took = first.totals[-1][0] - began
    own = time.process_time() - own
    times = cpu.passed()
    for task in tasks:
        task.cancel()
    exact = all(first.latest[name] == number for name, number in expected.items())
    found = lags(steady.times, first.totals)
    row("viewers", str(load.viewers))
    row("events", f"{len(steady.events):,}")
    row("events published per second", f"{len(steady.events) / (steady.ended - began):,.0f}")
    row("events counted per second", f"{first.totals[-1][1] / took:,.0f}")
    row("lag, p50", f"{statistics.median(found):.2f} s")
    row("lag, max", f"{max(found):.2f} s")
    pushes = sum(viewer.pushes for viewer in watching) / load.viewers
    row("pushes per second and viewer", f"{pushes / took:.2f}")
    row("counts are exact", str(exact))
    for name, spent in sorted(times.items(), key=lambda pair: -pair[1]):
        if spent > 0:
            row(f"CPU time per event: {name}", f"{spent / len(steady.events) * 1e6:,.0f} µs")
    row("CPU time per event: sum", f"{sum(times.values()) / len(steady.events) * 1e6:,.0f} µs")
    row("CPU time per event: this benchmark", f"{own / len(steady.events) * 1e6:,.0f} µs")
    for viewer in watching:
        await viewer.socket.close()
    return exact


async def measure_latency(url: str, topic: Topic, samples: int) -> None:
    """Publish single events with pauses; print the time from publication to push."""
    campaign = f"latency-{uuid4().hex[:6]}"
    times: list[float] = []
    async with connect(url, subprotocols=[SUBPROTOCOL]) as socket:
        await Viewer(socket, f"stats/email-campaign/{campaign}").subscribe()
        for number in range(samples):
            await asyncio.sleep(random.uniform(0.3, 0.8))
            began = time.monotonic()
            message = event("Send", campaign, uuid4().hex, number)
            await asyncio.to_thread(topic.publish_batch, [message])
            while True:
                changes = json.loads(await asyncio.wait_for(socket.recv(), 20))["changes"]
                if changes.get("counts", {}).get("sends", 0) > number:
                    break
            times.append(time.monotonic() - began)
    times.sort()
    row("single events: lag, p50", f"{statistics.median(times) * 1000:,.0f} ms")
    row("single events: lag, p95", f"{times[int(len(times) * 0.95)] * 1000:,.0f} ms")


def row(name: str, value: str) -> None:
    """Print a line of the table."""
    print(f"{name:<48}{value:>12}", flush=True)


@click.command()
@click.option("--state-dir", type=click.Path(path_type=Path), default=Path(".mailpulse"))
@click.option("--rate", default=500.0, help="Events per second.")
@click.option("--seconds", default=30.0)
@click.option("--viewers", default=20)
@click.option("--samples", default=50, help="Single events.")
def main(state_dir: Path, rate: float, seconds: float, viewers: int, samples: int) -> None:
    """Measure the `up` with this state folder."""
    running = read_running(StateDir(state_dir))
    topic = find_topic(state_dir, None, None, None)
    exact = asyncio.run(
        measure_flood(
            running["websocket"], int(running["pid"]), topic, Load(rate, seconds, viewers)
        )
    )
    if samples:
        asyncio.run(measure_latency(running["websocket"], topic, samples))
    sys.exit(0 if exact else 1)


if __name__ == "__main__":
    main()

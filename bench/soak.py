"""Count many events with duplicates and faults, and check that the drift is 0.

    python bench/soak.py memory   [--events 1000000]   the functions, with AWS in memory
    python bench/soak.py emulator [--events 100000]    a running `up`, through a faulty proxy

Prints a table; the exit status is 1 if a counter differs from a naive count over the events.
"""

import gc
import os
import random
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter, defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click

ROOT = Path(__file__).parents[1]
sys.path[:0] = [str(ROOT), str(ROOT / "tests")]

from support import live, reference, ses
from support.faults import FaultyProxy
from support.world import World

CAMPAIGNS = 5
CHUNK = 20_000
DUPLICATES = 0.05

Stats = dict[str, dict[str, Counter[str]]]


def messages(count: int) -> Iterator[list[dict[str, Any]]]:
    """Yield events in chunks of whole messages."""
    number, made, chunk = 0, 0, []
    while made < count:
        chunk += events_of(number)
        number += 1
        if len(chunk) >= min(CHUNK, count - made):
            chunk = chunk[: count - made]
            made += len(chunk)
            yield chunk
            chunk = []


def events_of(number: int) -> list[dict[str, Any]]:
    """Return the events of one email: two in five are opened, one in ten clicked, some scanned."""
    campaign = f"soak-{number % CAMPAIGNS}"
    minute = number // 1000
    at = f"2026-11-{23 + minute // 1440:02}T{minute // 60 % 24:02}:{minute % 60:02}"
    mail = {"campaign": campaign, "variant": "abc"[number % 3]}
    message = f"soak-{number}"
    found = [
        ses.a_send(message, **mail, to=["ada@example.com"]),
        ses.a_delivery(message, **mail, at=f"{at}:01Z"),
    ]
    if number % 5 < 2:
        agent = ses.APPLE_MAIL_PRIVACY if number % 3 else ses.BROWSER
        found.append(ses.an_open(message, **mail, at=f"{at}:09Z", agent=agent))
    links = 4 if number % 40 == 0 else 1 if number % 10 == 0 else 0
    found += [
        ses.a_click(
            message,
            **mail,
            link=f"https://example.com/{(number + link) % 60}",
            at=f"{at}:{20 + link}Z",
        )
        for link in range(links)
    ]
    if number % 50 == 0:
        found.append(ses.a_bounce(message, **mail, at=f"{at}:30Z"))
    for event in found:
        event["mail"]["timestamp"] = f"{at}:00.000Z"
    return found


def add(total: Stats, stats: dict[str, dict[str, dict[str, int]]]) -> None:
    """Add the counters of a chunk; no message is in two chunks."""
    for campaign, parts in stats.items():
        for part, counts in parts.items():
            total[campaign][part].update(counts)


def drift(expected: Stats, counted: dict[str, dict[str, dict[str, int]]]) -> int:
    """Return the number of wrong counters."""
    wrong = 0
    for campaign in {*expected, *counted}:
        for part in {*expected.get(campaign, {}), *counted.get(campaign, {})}:
            one = +Counter(expected.get(campaign, {}).get(part, {}))
            other = +Counter(counted.get(campaign, {}).get(part, {}))
            wrong += sum(one[name] != other[name] for name in {*one, *other})
    return wrong


def empty() -> Stats:
    """Return counters that are all 0."""
    return defaultdict(lambda: defaultdict(Counter))


def row(name: str, value: str) -> None:
    """Print a line of the table."""
    print(f"{name:<44}{value:>14}", flush=True)


@click.group()
def main() -> None:
    """Run a soak test of counting."""


@main.command()
@click.option("--events", "count", default=1_000_000)
@click.option("--seed", default=1)
def memory(count: int, seed: int) -> None:
    """Run the functions, with AWS in memory."""
    rng = random.Random(seed)
    world, expected = World(), empty()
    happened: Counter[str] = Counter()
    began = time.monotonic()
    done = 0
    for chunk in messages(count):
        arriving = chunk + rng.choices(chunk, k=int(len(chunk) * DUPLICATES))
        rng.shuffle(arriving)
        world.arrive(*arriving)
        happened["events received"] += len(arriving)
        work_off(world, rng, happened)
        add(expected, reference.stats(chunk))
        world.forget_read(keep=1000)
        gc.freeze()  # long-lived objects need no garbage collection
        done += len(chunk)
        click.echo(f"{done:,} events after {time.monotonic() - began:,.0f} s", err=True)
    world.drain()
    row("memory: distinct events", f"{count:,}")
    for name, number in sorted(happened.items()):
        row(f"memory: {name}", f"{number:,}")
    counted = world.counted()
    wrong = drift(expected, counted)
    row(
        "memory: counters compared",
        f"{sum(len(c) for p in counted.values() for c in p.values()):,}",
    )
    row("memory: drift", f"{wrong}")
    row("memory: seconds", f"{time.monotonic() - began:,.0f}")
    sys.exit(1 if wrong else 0)


def work_off(world: World, rng: random.Random, happened: Counter[str]) -> None:
    """Ingest and count all events, while processes end and shards split and are read again."""
    while world.queue or world.running or world.readable():
        if world.queue and len(world.running) < 4:
            ids = [one for _, one in zip(range(rng.randint(1, 100)), world.queue, strict=False)]
            world.ingest(*ids)
        for lane in world.readable():
            world.read(lane, rng.randint(1, min(1000, lane.unread)))
        for invocation in list(world.running):
            if rng.random() < 0.01:
                invocation.crash()
                happened["crashes"] += 1
                continue
            for _ in range(rng.randint(1, 60)):
                if invocation in world.running:
                    invocation.step()
        if rng.random() < 0.01:
            lane = rng.choice([one for one in world.lanes() if one.given])
            start = max(0, lane.read - rng.randint(1, 500))
            if start < lane.given:
                world.read_again(lane, start, lane.given)
                happened["suffixes read again"] += 1
    lane = rng.choice([one for one in world.lanes() if one.shard.is_open])
    if len(world.lanes()) < 200:
        lane.stream.split(lane.shard)
        happened["splits"] += 1


@main.command()
@click.option("--events", "count", default=100_000)
@click.option("--seed", default=1)
def emulator(count: int, seed: int) -> None:
    """Run `up` on the emulator."""
    rng = random.Random(seed)
    expected = empty()
    began = time.monotonic()
    with tempfile.TemporaryDirectory() as folder:
        running = live.Live(Path(folder) / "state", "--no-demo")
        try:
            with FaultyProxy(running.info["endpoint_url"]) as proxy:
                through(running, proxy)
                proxy.plan = lambda call: fault(call.operation, rng)
                done = 0
                for chunk in messages(count):
                    arriving = chunk + rng.choices(chunk, k=int(len(chunk) * DUPLICATES))
                    rng.shuffle(arriving)
                    running.publish(*arriving)
                    add(expected, reference.stats(chunk))
                    while running.queued() > 1000:
                        kill_one(running, rng)
                        time.sleep(2)
                    done += len(chunk)
                    click.echo(f"{done:,} events after {time.monotonic() - began:,.0f} s", err=True)
                proxy.plan = lambda _: None
                running.wait_until_ingested(timeout=900)
                met = proxy.met
            recounted = recount(running)
            wrong = drift(summaries(expected), snapshots(running))
        finally:
            running.stop()
    row("emulator: distinct events", f"{count:,}")
    row("emulator: faults", f"{met.total():,}")
    row("emulator: drift of the summaries", str(wrong))
    row("emulator: recount --all", recounted)
    row("emulator: seconds", f"{time.monotonic() - began:,.0f}")
    sys.exit(1 if wrong else 0)


def through(running: live.Live, proxy: FaultyProxy) -> None:
    """Route the DynamoDB calls of the functions through the proxy."""
    client = running.aws("lambda")
    for function in ("ingest", "aggregate"):
        name = f"mailpulse-local-{function}"
        environment = client.get_function_configuration(FunctionName=name)["Environment"]
        environment["Variables"]["AWS_ENDPOINT_URL_DYNAMODB"] = proxy.url
        client.update_function_configuration(FunctionName=name, Environment=environment)


def fault(operation: str, rng: random.Random) -> str | None:
    """Return the fault of a call, for one call in fifty."""
    if not operation or rng.random() > 0.02:
        return None
    if operation == "BatchWriteItem":
        return "unprocessed"
    return rng.choice(["throttled", "500", "answer lost", "cut off"])


def kill_one(running: live.Live, rng: random.Random) -> None:
    """Kill a Lambda worker."""
    found = subprocess.run(
        ["pgrep", "-f", f"{running.state_dir}/tmp/"],
        capture_output=True,
        text=True,
        check=False,
    ).stdout.split()
    if found and rng.random() < 0.2:
        try:
            os.kill(int(rng.choice(found)), signal.SIGKILL)
        except ProcessLookupError:
            return


def summaries(stats: Stats) -> Stats:
    """Return only the summaries."""
    return {campaign: {"summary": parts["summary"]} for campaign, parts in stats.items()}


def snapshots(running: live.Live) -> dict[str, dict[str, dict[str, int]]]:
    """Request the snapshots that a new viewer gets."""
    with running.client() as client:
        names = [f"soak-{number}" for number in range(CAMPAIGNS)]
        topics = {name: client.snapshot(f"stats/email-campaign/{name}") for name in names}
    return {name: {"summary": topic.counts} for name, topic in topics.items()}


def recount(running: live.Live) -> str:
    """Run `recount --all`."""
    command = [sys.executable, "-m", "dashboard", "recount", "--all"]
    finished = subprocess.run(
        [*command, "--state-dir", str(running.state_dir)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    return "agrees" if finished.returncode == 0 else finished.stdout[-300:] + finished.stderr[-300:]


if __name__ == "__main__":
    main()

"""How fast, and how exact, is a running `up`? Events in by SNS, numbers out by WebSocket.

    python bench/live.py [--state-dir .mailpulse] [--events 10000] [--campaigns 5] [--samples 100]

Two measurements: a flood (events published as fast as one process can; exact counts, events a
second, pushes a second and viewer), and single events with a pause between (time from publish to
push). Prints a table; exit status 1 when a count is not exact.
"""

import json
import random
import statistics
import sys
import time
from collections import Counter
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import uuid4

import boto3
import click
from websockets.sync.client import ClientConnection, connect

sys.path.insert(0, str(Path(__file__).parents[1]))

from dashboard.topic import Topic

QUIET_SECONDS = 5.0


def event(kind: str, campaign: str, message: str, number: int) -> str:
    """Write one SES event of now; `number` chooses the link."""
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


def flood(count: int, campaigns: list[str]) -> tuple[list[str], dict[str, Counter[str]]]:
    """Make events: of each message a Send, a Delivery, often an Open, seldom a Click."""
    events: list[str] = []
    expected: dict[str, Counter[str]] = {campaign: Counter() for campaign in campaigns}
    number = 0
    while len(events) < count:
        campaign = campaigns[number % len(campaigns)]
        message = f"{number:08}-{uuid4().hex[:8]}"
        kinds = ["Send", "Delivery"]
        kinds += ["Open"] if number % 5 < 2 else []
        kinds += ["Click"] if number % 20 == 0 else []
        for kind in kinds[: count - len(events)]:
            events.append(event(kind, campaign, message, number))
            counter = {"Send": "sends", "Delivery": "deliveries"}.get(kind, f"{kind.lower()}s")
            expected[campaign][counter] += 1
        number += 1
    random.shuffle(events)
    return events, expected


def subscribe(socket: ClientConnection, campaign: str) -> None:
    """Subscribe to a campaign and read the snapshot."""
    topic = f"stats/email-campaign/{campaign}"
    socket.send(json.dumps({"action": "subscribe", "id": topic}))
    socket.recv(timeout=20)


def measure_flood(websocket: str, topic: Topic, count: int, names: list[str]) -> bool:
    """Publish a flood and read pushes until it is quiet; tell whether all counts are exact."""
    events, expected = flood(count, names)
    last: dict[str, dict[str, int]] = {}
    pushes: Counter[str] = Counter()
    with connect(websocket, subprotocols=["mailpulse.v1"]) as socket:
        for name in names:
            subscribe(socket, name)
        started = time.monotonic()
        for start in range(0, len(events), 10):
            topic.publish_batch(events[start : start + 10])
        published = time.monotonic()
        row("flood: events published a second", f"{len(events) / (published - started):,.0f}")
        arrived = published
        while True:
            try:
                push = json.loads(socket.recv(timeout=QUIET_SECONDS))
            except TimeoutError:
                break
            arrived = time.monotonic()
            pushes[push["id"]] += 1
            if "counts" in push["changes"]:
                last[push["id"].rsplit("/", 1)[1]] = push["changes"]
        fresh = {}
        for name in names:
            socket.send(json.dumps({"action": "get", "id": f"stats/email-campaign/{name}"}))
            fresh[name] = json.loads(socket.recv(timeout=20))["snapshot"]
    exact = all(
        fresh[name]["counts"][counter] == number
        for name in names
        for counter, number in expected[name].items()
    )
    same = all(last[name]["counts"] == fresh[name]["counts"] for name in names)
    took = arrived - started
    row("flood: events counted a second", f"{len(events) / took:,.0f}")
    row("flood: pushes a second, viewer and topic", f"{pushes.total() / len(names) / took:.2f}")
    row("flood: events a push", f"{len(events) / pushes.total():,.0f}")
    row("flood: counts are exact", str(exact))
    row("flood: last push equals a fresh snapshot", str(same))
    return exact and same


def measure_latency(websocket: str, topic: Topic, samples: int) -> None:
    """Publish single events with pauses; print the time from publish to push."""
    campaign = f"latency-{uuid4().hex[:6]}"
    times: list[float] = []
    with connect(websocket, subprotocols=["mailpulse.v1"]) as socket:
        subscribe(socket, campaign)
        for number in range(samples):
            time.sleep(random.uniform(0.3, 0.8))
            started = time.monotonic()
            topic.publish_batch([event("Send", campaign, uuid4().hex, number)])
            while True:
                changes = json.loads(socket.recv(timeout=20))["changes"]
                if changes.get("counts", {}).get("sends", 0) > number:
                    break
            times.append(time.monotonic() - started)
    times.sort()
    row("single events: publish to push, p50", f"{statistics.median(times) * 1000:,.0f} ms")
    row("single events: publish to push, p95", f"{times[int(len(times) * 0.95)] * 1000:,.0f} ms")


def row(name: str, value: str) -> None:
    """Print a line of the table."""
    print(f"{name:<48}{value:>12}", flush=True)


@click.command()
@click.option("--state-dir", type=click.Path(path_type=Path), default=Path(".mailpulse"))
@click.option("--events", "count", default=10_000)
@click.option("--campaigns", default=5)
@click.option("--samples", default=100)
def main(state_dir: Path, count: int, campaigns: int, samples: int) -> None:
    """Measure the `up` that uses the state folder."""
    running = json.loads((state_dir / "running.json").read_text())
    client = boto3.client(
        "sns",
        endpoint_url=running["endpoint_url"],
        region_name="us-east-1",
        aws_access_key_id="test",
        aws_secret_access_key="test",
    )
    topic = Topic(client, running["topic_arn"])
    names = [f"flood-{uuid4().hex[:6]}" for _ in range(campaigns)]
    exact = measure_flood(running["websocket"], topic, count, names)
    measure_latency(running["websocket"], topic, samples)
    sys.exit(0 if exact else 1)


if __name__ == "__main__":
    main()

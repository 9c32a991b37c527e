"""Measure the list of campaigns on the local emulator, with and without the directory.

    python bench/campaigns.py [--campaigns 10000] [--repeats 5]

Starts a dashboard of its own, and stores the summaries of campaigns. A viewer then requests lists
and searches, first without the directory, so that all summaries are read, and then with it. *First*
is a request for which the process has to read them again; *then* is the next one. Prints seconds
from the request to the last frame of the reply, and their ratio in the same run.
"""

import json
import random
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import click
from websockets.sync.client import connect
from websockets.typing import Subprotocol

ROOT = Path(__file__).parents[1]
sys.path[:0] = [str(ROOT), str(ROOT / "tests")]

from support.live import Live

from chalicelib.stats.counters import COUNTERS, CURRENT_UPDATES, LISTED, SUMMARY
from chalicelib.stats.directory import FORMAT
from chalicelib.stats.directory_table import Directory
from dashboard.aws_session import services
from dashboard.installation import find

SENTENCE = """
    spring summer autumn winter sale offer news weekly product launch shop member reward winner gift
    holiday travel garden kitchen fashion shoes update invitation webinar survey
"""
WORDS = SENTENCE.split()
REQUESTS: dict[str, dict[str, Any]] = {
    "newest first": {"action": "listCampaigns", "limit": 100},
    "by a rate, with totals": {
        "action": "listCampaigns",
        "limit": 100,
        "sort": "human_open",
        "totals": True,
    },
    "by sender and date": {
        "action": "listCampaigns",
        "limit": 100,
        "sort": "sends",
        "sender": "garden",
        "from": "2026-03-01",
    },
    "by tag, with totals": {
        "action": "listCampaigns",
        "limit": 100,
        "sort": "sends",
        "tag": "variant=b",
        "totals": True,
    },
    "by words, with totals": {
        "action": "listCampaigns",
        "limit": 100,
        "sort": "sends",
        "query": "garden",
        "totals": True,
    },
    "search": {"action": "searchCampaigns", "query": "garden invitation", "limit": 100},
    "search with a typing error": {
        "action": "searchCampaigns",
        "query": "gardne invitatoin",
        "limit": 100,
    },
}
BATCH = 25


def summary(number: int, rng: random.Random) -> dict[str, Any]:
    """Return a summary in DynamoDB JSON."""
    sends = rng.randint(100, 200_000)
    began = datetime(2026, 1, 1, tzinfo=UTC) + timedelta(minutes=40 * number)
    one, two, three = rng.choices(WORDS, k=3)
    shares = (1, 0.98, 0.01, 0.7, 0.5, 0.4, 0.3, 0.3, 0.05, 0.04, 0.03, 0.02, 0.01)
    counts = dict(zip(COUNTERS.values(), (int(sends * share) for share in shares), strict=False))
    return {
        "campaign": {"S": f"{one}-{two}-2026-{number:05}"},
        "part": {"S": SUMMARY},
        "listed": {"S": LISTED},
        "first_event_at": {"S": f"{began:%Y-%m-%dT%H:%M:%SZ}"},
        "last_event_at": {"S": f"{began + timedelta(days=2):%Y-%m-%dT%H:%M:%SZ}"},
        "subject": {"S": f"{one.title()} {two}: your {three} is here"},
        "sender": {"S": f"{two.title()} Shop"},
        "tags": {"SS": ["variant=a", "variant=b"] if number % 2 else ["variant=a"]},
        "v": {"N": "1000"},
        CURRENT_UPDATES: {"N": "1000"},
        **{name: {"N": str(count)} for name, count in counts.items()},
    }


def fill(live: Live, table: str, campaigns: int) -> None:
    """Store the summaries."""
    rng = random.Random(0)
    items = [summary(number, rng) for number in range(campaigns)]
    for start in range(0, len(items), BATCH):
        requests = [{"PutRequest": {"Item": item}} for item in items[start : start + BATCH]]
        live.aws("dynamodb").batch_write_item(RequestItems={table: requests})


class Viewer:
    """A connection that measures its requests."""

    def __init__(self, url: str) -> None:
        protocols = [Subprotocol("mailpulse.v1")]
        self._stack = ExitStack()
        self._socket = self._stack.enter_context(
            connect(url, subprotocols=protocols, max_size=None)
        )

    def seconds(self, request: dict[str, Any]) -> float:
        """Return how long a request takes, up to the last frame of its reply."""
        began = time.perf_counter()
        self._socket.send(json.dumps(request))
        while True:
            reply = json.loads(self._socket.recv(timeout=60))
            if reply.get("action") == request["action"] and not reply.get("more"):
                assert "error" not in reply, reply
                assert reply["results"], request
                return time.perf_counter() - began

    def close(self) -> None:
        """Close the connection."""
        self._stack.close()


def measured(
    viewer: Viewer, repeats: int, before_each: Callable[[], None]
) -> dict[str, tuple[float, float]]:
    """Return the medians of each request's first and next duration, in seconds."""
    found = {}
    for name, request in REQUESTS.items():
        pairs = []
        for _ in range(repeats):
            before_each()
            pairs.append((viewer.seconds(request), viewer.seconds(request)))
        first, then = (statistics.median(column) for column in zip(*pairs, strict=True))
        found[name] = first, then
    return found


def lines(
    summaries: dict[str, tuple[float, float]], directory: dict[str, tuple[float, float]]
) -> Iterator[str]:
    """Return a table of both, with their ratio."""
    yield f"{'':<28}{'all summaries':>20}{'directory':>20}{'ratio':>14}"
    yield f"{'':<28}{'first':>11}{'then':>9}{'first':>11}{'then':>9}{'first':>8}{'then':>6}"
    for name, before in summaries.items():
        after = directory[name]
        ratios = [one / other for one, other in zip(after, before, strict=True)]
        yield (
            f"{name:<28}{before[0]:>9.2f} s{before[1]:>7.2f} s{after[0]:>9.2f} s{after[1]:>7.2f} s"
            f"{ratios[0]:>8.2f}{ratios[1]:>6.2f}"
        )


@click.command()
@click.option("--campaigns", default=10_000)
@click.option("--repeats", default=5)
def main(campaigns: int, repeats: int) -> None:
    """Measure the list of campaigns."""
    with tempfile.TemporaryDirectory() as folder:
        live = Live(Path(folder) / "state", "--no-demo", python=sys.executable)
        try:
            print("\n".join(measure(live, Path(folder) / "state", campaigns, repeats)))
        finally:
            live.stop()


def measure(live: Live, state_dir: Path, campaigns: int, repeats: int) -> Iterator[str]:
    """Fill the dashboard's table, and yield the measurements."""
    installation = find(state_dir, None, None)
    table = installation.config.stats_table
    dynamo = services(installation.clients)("dynamodb")
    fill(live, table, campaigns)
    stats_table = installation.stats_table
    directory = Directory(dynamo, table, stats_table)
    state = {"campaign": {"S": " pipeline"}, "part": {"S": "directory"}}

    def change(update: str, to: str | None = None) -> None:
        values = {":one": {"N": "1"}, **({":format": {"S": to}} if to else {})}
        live.aws("dynamodb").update_item(
            TableName=table,
            Key=state,
            UpdateExpression=update,
            ExpressionAttributeNames={"#format": "format"},
            ExpressionAttributeValues=values,
        )

    # The process forgets the summaries that it keeps when it reads the directory.
    def with_changed_directory() -> None:
        change("ADD v :one SET #format = :format", FORMAT)

    def without_directory() -> None:
        with_changed_directory()
        viewer.seconds(REQUESTS["search"])
        change("ADD v :one REMOVE #format")

    stats_table.pipeline.pause("2026-12-31T00:00:00Z")
    stats_table.pipeline.resume("2026-12-31T00:00:00Z")
    began = time.perf_counter()
    runs = 0
    while runs == 0 or stats_table.pipeline.get().directory.left:
        directory.update(stats_table.pipeline.get(), datetime.now(UTC))
        runs += 1
    took = time.perf_counter() - began
    assert len(directory.entries() or ()) >= campaigns
    viewer = Viewer(live.info["websocket"])
    with_summaries = measured(viewer, repeats, without_directory)
    with_directory = measured(viewer, repeats, with_changed_directory)
    viewer.close()
    yield f"{campaigns:,} campaigns; the directory was built in {runs} runs and {took:.1f} s"
    yield from lines(with_summaries, with_directory)


if __name__ == "__main__":
    main()

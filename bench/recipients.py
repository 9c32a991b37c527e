"""Measure the recipients index: write units per send, and the time and memory of a list.

    python bench/recipients.py [--recipients 100000] [--batch 400] [--emulator]

The records of a burst are appended in batches of this size: sends to the index, opens to the pages
of activity. Then a viewer lists the campaign. AWS is in memory, so the time is that of the
function's own code.

With --emulator, the pages are stored in the tables of a dashboard of its own (`up`), and the time
is that of a WebSocket client, from the request for a streamed list to its last frame.
"""

import json
import random
import statistics
import sys
import tempfile
import time
import tracemalloc
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import click
from websockets.sync.client import connect
from websockets.typing import Subprotocol

ROOT = Path(__file__).parents[1]
sys.path[:0] = [str(ROOT), str(ROOT / "tests")]

from support.live import Live
from support.world import START, World

from bench.calls import item_size, units
from bench.live import CpuTimes
from chalicelib.facts.fact import Fact
from chalicelib.facts.forgotten import NOBODY
from chalicelib.facts.items import to_item
from chalicelib.live.frames import frames
from chalicelib.recipients.audience import merge
from chalicelib.recipients.pages import sent_by_campaign
from chalicelib.recipients.table import PARTITION, RecipientsIndex
from chalicelib.stats.activity import entry_of
from chalicelib.stats.activity import pages as activity_pages
from chalicelib.stats.table import StatsTable
from dashboard.installation import find

CAMPAIGN = "spring"
TOPIC = f"stats/email-campaign/{CAMPAIGN}"
REQUEST = {"action": "listRecipients", "stream": True, "id": TOPIC}
WRITE_UNIT = 1024
AT = "2026-11-23T10:00:00.000Z"
OPENED = 0.4  # the share of emails whose state is stored


@click.command()
@click.option("--recipients", default=100_000)
@click.option("--batch", default=400, help="Records per batch of the stream.")
@click.option("--emulator", is_flag=True, help="List them over a WebSocket of the local emulator.")
@click.option("--repeats", default=5, help="Number of lists with --emulator.")
def main(recipients: int, batch: int, *, emulator: bool, repeats: int) -> None:
    """Append the pages of a campaign, list it, and print what it took."""
    if emulator:
        on_emulator(recipients, batch, repeats)
    else:
        in_memory(recipients, batch)


def facts(recipients: int) -> list[Fact]:
    """Return a send to each recipient, and the opens of some."""
    rng = random.Random(0)
    stored: list[Fact] = []
    for number in range(recipients):
        message_id = f"0100019{rng.randbytes(26).hex()}-000000"
        name = f"{rng.randbytes(5).hex()}.{number}@example.com"
        stored.append(
            Fact(
                message_id, f"Send#{AT}", "Send", CAMPAIGN, AT, AT,
                recipient=name, domain="example.com", isp="Gmail", generation=2,
            )
        )  # fmt: skip
        if rng.random() < OPENED:
            stored.append(
                Fact(
                    message_id, f"Open#{AT}", "Open", CAMPAIGN, AT, AT,
                    engager="human", reason="browser", settled=2_000_001, generation=2,
                )
            )  # fmt: skip
    return stored


def append(
    stored: Sequence[Fact], batch: int, index: RecipientsIndex, stats_table: StatsTable, now: float
) -> None:
    """Append the pages of facts, as aggregate does with batches of the stream."""
    images = [{"dynamodb": {"NewImage": to_item(one, int(now))}} for one in stored]
    for start in range(0, len(images), batch):
        [entries] = sent_by_campaign(images[start : start + batch], NOBODY).values()
        index.append(CAMPAIGN, entries, f"shard#{start}")
        opens = [entry_of(one) for one in stored[start : start + batch] if one.type == "Open"]
        for page in activity_pages(opens, f"shard#{start}", int(now) * 2):
            stats_table.activity.put(CAMPAIGN, page)


def in_memory(recipients: int, batch: int) -> None:
    """Measure write units, and the function's own code."""
    world = World()
    process = world.new_process()
    index, stats_table = process.recipients, process.stats_table
    append(facts(recipients), batch, index, stats_table, START)
    pages = world.dynamo.tables["StatsTable"].partitions[PARTITION + CAMPAIGN].values()
    written = sum(units(item_size(page), WRITE_UNIT) for page in pages)
    print(f"{len(pages)} pages of {sum(map(item_size, pages)) / len(pages):,.0f} bytes on average")
    print(f"{written / recipients:.3f} write units per send")
    session = world.new_process().session
    viewer = world.subscribe()
    began = time.perf_counter()
    text = json.dumps(REQUEST)
    sent = [frame for answer in session.answer(viewer.connection, text) for frame in frames(answer)]
    took = time.perf_counter() - began
    tracemalloc.start()
    merge(index.sent(CAMPAIGN), (fact for _, fact in stats_table.activity.entries(CAMPAIGN)))
    memory = tracemalloc.get_traced_memory()[1] / 2**20
    print(f"{len(sent):,} frames in {took:.2f} s; {memory:.0f} MiB to merge the list")


def on_emulator(recipients: int, batch: int, repeats: int) -> None:
    """Measure a streamed list over a WebSocket of a local dashboard."""
    with tempfile.TemporaryDirectory() as folder:
        state_dir = Path(folder) / "state"
        live = Live(state_dir, "--no-demo", python=sys.executable)
        try:
            installation = find(state_dir, None, None)
            tables = installation.recipients, installation.stats_table
            append(facts(recipients), batch, *tables, time.time())
            cpu = CpuTimes(live.process.pid)
            found = [listed(live.info["websocket"], recipients) for _ in range(repeats)]
            times = cpu.passed()
        finally:
            live.stop()
    seconds = [one for one, _ in found]
    print(
        f"{recipients:,} recipients in {found[0][1]:,} frames: {statistics.median(seconds):.1f} s "
        f"({min(seconds):.1f} to {max(seconds):.1f} s)"
    )
    busy = {role: passed / repeats for role, passed in times.items() if passed >= repeats / 10}
    print(f"CPU time of a list: {', '.join(f'{role} {one:.1f} s' for role, one in busy.items())}")


def listed(url: str, recipients: int) -> tuple[float, int]:
    """Return the seconds of a streamed list of all recipients, and its number of frames."""
    names: set[str] = set()
    reply: dict[str, Any] = {}
    number = 0
    with connect(url, subprotocols=[Subprotocol("mailpulse.v1")], max_size=None) as socket:
        began = time.perf_counter()
        socket.send(json.dumps(REQUEST))
        while not reply.get("done"):
            reply = json.loads(socket.recv(timeout=120))
            assert "error" not in reply, reply
            names.update(one["recipient"] for one in reply.get("results", ()))
            number += 1
        took = time.perf_counter() - began
    assert len(names) == recipients, f"{len(names)} of {recipients} recipients"
    return took, number


if __name__ == "__main__":
    main()

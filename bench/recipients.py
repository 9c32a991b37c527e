"""Measure the recipients index: write units per send, and the time and memory of a list.

    python bench/recipients.py [--recipients 100000] [--batch 400]

The records of a burst are appended in batches of this size: sends to the index, opens to the pages
of activity. Then a viewer lists the campaign. AWS is in memory, so the time is that of the
function's own code.
"""

import json
import random
import sys
import time
import tracemalloc
from pathlib import Path

import click

ROOT = Path(__file__).parents[1]
sys.path[:0] = [str(ROOT), str(ROOT / "tests")]

from support.world import START, World

from bench.calls import item_size, units
from chalicelib.facts.fact import Fact
from chalicelib.facts.forgotten import NOBODY
from chalicelib.facts.items import to_item
from chalicelib.live.frames import frames
from chalicelib.recipients.audience import merge
from chalicelib.recipients.pages import sent_by_campaign
from chalicelib.recipients.table import PARTITION
from chalicelib.stats.activity import entry_of
from chalicelib.stats.activity import pages as activity_pages

CAMPAIGN = "spring"
TOPIC = f"stats/email-campaign/{CAMPAIGN}"
WRITE_UNIT = 1024
AT = "2026-11-23T10:00:00.000Z"
OPENED = 0.4  # the share of emails whose state is stored


@click.command()
@click.option("--recipients", default=100_000)
@click.option("--batch", default=400, help="Records per batch of the stream.")
def main(recipients: int, batch: int) -> None:
    """Append the pages of a campaign, list it, and print what it took."""
    rng = random.Random(0)
    world = World()
    process = world.new_process()
    index, stats_table = process.recipients, process.stats_table
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
    images = [{"dynamodb": {"NewImage": to_item(one, int(START))}} for one in stored]
    for start in range(0, len(images), batch):
        [entries] = sent_by_campaign(images[start : start + batch], NOBODY).values()
        index.append(CAMPAIGN, entries, f"shard#{start}")
        opens = [entry_of(one) for one in stored[start : start + batch] if one.type == "Open"]
        for page in activity_pages(opens, f"shard#{start}", int(START) * 2):
            stats_table.put_page(CAMPAIGN, page)
    pages = world.dynamo.tables["StatsTable"].partitions[PARTITION + CAMPAIGN].values()
    written = sum(units(item_size(page), WRITE_UNIT) for page in pages)
    print(f"{len(pages)} pages of {sum(map(item_size, pages)) / len(pages):,.0f} bytes on average")
    print(f"{written / recipients:.3f} write units per send")
    session = world.new_process().session
    viewer = world.subscribe()
    began = time.perf_counter()
    text = json.dumps({"action": "listRecipients", "stream": True, "id": TOPIC})
    sent = [frame for answer in session.answer(viewer.connection, text) for frame in frames(answer)]
    took = time.perf_counter() - began
    tracemalloc.start()
    merge(index.sent(CAMPAIGN), (fact for _, fact in stats_table.activity(CAMPAIGN)))
    memory = tracemalloc.get_traced_memory()[1] / 2**20
    print(f"{len(sent):,} frames in {took:.2f} s; {memory:.0f} MiB to merge the list")


if __name__ == "__main__":
    main()

"""Simulate a campaign of ten million sends at 5,000 events per second, to find the limits.

    python bench/simulate_scale.py [--seconds 6] [--rate 5000] [--shards 16]… [--ceiling 5000]
        [--json]

Nothing runs on AWS. chalicelib ingests a simulated campaign, with DynamoDB in memory; the records
of its stream are then counted by 1 to 256 shards in simulated time (bench/shards.py). This measures
updates, failed conditions, item sizes, write units, lag, and the frames of a push. The rest is
computed; the assumptions are printed.
"""

import gc
import itertools
import json
import math
import statistics
import sys
import time
from collections.abc import Sequence
from contextlib import redirect_stdout
from datetime import UTC, datetime
from io import StringIO
from pathlib import Path
from typing import Any

import click

ROOT = Path(__file__).parents[1]
sys.path[:0] = [str(ROOT), str(ROOT / "tests")]

from support.world import START, World

from bench.calls import item_size
from bench.shards import BATCH, ITEM_UNITS_A_SECOND, POLL_SECONDS, SUMMARY, Record, Shards
from chalicelib.config import DEFAULT_MESSAGES_PER_SECOND
from chalicelib.facts.forgotten import NOBODY
from chalicelib.functions.publish import FREE_MESSAGES, Publisher
from chalicelib.live.batches import MOST_VIEWERS
from chalicelib.live.frames import MAX_FRAME_BYTES
from chalicelib.live.permissions import Connection
from chalicelib.stats.grouping import group
from chalicelib.stats.update import CLOSED_SECONDS
from dashboard.costs.model import CALL_SECONDS, LOG_BYTES, VCPU_MB
from dashboard.costs.prices import PRICES
from dashboard.functions import FUNCTIONS
from dashboard.simulation.arrivals import arrivals
from dashboard.simulation.campaign import Campaign

SENDS = 10_000_000
SHARDS = (1, 4, 10, 16, 32, 64, 128, 256)
VIEWERS = (1, 10, 100, 1000, 10_000)
FILLED_SECONDS = 4.0  # counted before the simulation begins
WARM_SECONDS = 15  # until opens have reached their usual rate
EVENTS_A_SEND = 2.85  # of such a campaign, after warm-up
POSTS_A_SECOND = 10_000  # account quota of API Gateway
SHARD_HOURS = 4  # lifetime of a shard, as observed in practice
CLOSED_HOURS = CLOSED_SECONDS / 3600
INTERVAL = 1.0
# An invocation of publish, without the batches that others push.
PUSH_SECONDS = 0.05
MESSAGE_SECONDS = 66e-6  # CPU time: 4.3 KB, to the stub of bench/rows/wire.py
ROW_BYTES = 120  # of a subscription
READ_BYTES = 4096  # a read unit, consistent


def records_of(rate: float, seconds: float) -> tuple[list[Record], int]:
    """Ingest a part of a campaign; return its stream records and the number of events."""
    sends = rate / EVENTS_A_SEND
    recipients = int(sends * (WARM_SECONDS + seconds + 5))
    start = datetime.fromtimestamp(START - WARM_SECONDS, UTC)
    world, events = World(), 0
    campaign = Campaign("spring", start, recipients=recipients, rate=sends)
    come = itertools.takewhile(lambda one: one.due < WARM_SECONDS + seconds, arrivals(campaign))
    warm = itertools.dropwhile(lambda one: one.due < WARM_SECONDS, come)
    while batch := list(itertools.islice(warm, 100)):
        events += len(batch)
        world.now = START + batch[-1].due - WARM_SECONDS
        world.arrive(*(one.text for one in batch))
        world.ingest(*world.queue)
        while world.running:
            world.running[0].step()
    stream = world.dynamo.tables["EventsTable"].stream
    assert stream is not None
    return [record for shard in stream.shards for record in shard.records], events


def seconds_a_record(records: Sequence[Record]) -> float:
    """Return the time to decode a record in a function, with its share of a vCPU."""
    some = records[:BATCH]
    times = []
    for _ in range(9):
        began = time.process_time()
        group(some, NOBODY)
        times.append(time.process_time() - began)
    share = FUNCTIONS["aggregate"][1] / VCPU_MB
    return statistics.median(times) / len(some) / min(1.0, share)


def count(  # noqa: PLR0913 - of a simulation
    records: list[Record],
    number: int,
    seconds: float,
    of_a_record: float,
    *,
    closed: int = 0,
    filled: float = FILLED_SECONDS,
) -> dict[str, Any]:
    """Count the records with a number of shards; return the results, and check them.

    Args:
        records: of the stream.
        number: of shards.
        seconds: to simulate.
        of_a_record: CPU time in seconds.
        closed: closed shards that have checkpoints.
        filled: seconds of the campaign that were counted before.
    """
    shards = Shards(records, number, seconds, of_a_record, closed=closed, filled=filled)
    seen = shards.run()
    item = shards.dynamo.tables["StatsTable"].get(SUMMARY)
    assert item is not None
    calls, batches = seen.calls, len(seen.batches)
    campaign = [change for change in seen.changes if change[1][0] == SUMMARY[0]]
    # A campaign is one partition, and therefore one shard of the stream of the stats table.
    done = {key: calls[key] - seen.refused[key] for key in calls}
    assert done[SUMMARY] <= batches + number, "more than one write of the summary per batch"
    assert max(seen.batches) <= BATCH
    lags = sorted(seen.lags) or [math.inf]
    hottest, hottest_units = seen.written.most_common(1)[0]
    return {
        "shards": number,
        "batches_a_second": batches / seconds,
        "records_a_batch": statistics.median(seen.batches),
        "updates_a_second": calls.total() / seconds,
        "hottest": "/".join(hottest),
        "hottest_updates_a_second": calls[hottest] / seconds,
        "hottest_write_units_a_second": hottest_units / seconds,
        "summary_bytes": item_size(item),
        "summary_refused": seen.refused[SUMMARY] / calls[SUMMARY],
        "failed_batches": seen.failed,
        "throttled": seen.throttled / calls.total(),
        "write_units_a_second": seen.written.total() / seconds,
        "lag_p50": statistics.median(lags),
        "lag_p95": lags[int(len(lags) * 0.95)],
        "unread": shards.late(),
        "stats_records_a_second": len(campaign) / seconds,
    }


def closed_shards(number: int) -> int:
    """Return how many closed shards have checkpoints; they are removed after an hour."""
    return round(number * CLOSED_HOURS / SHARD_HOURS)


class _Everybody:
    """A fake of subscriptions and connections, with one subscriber to all topics."""

    def __init__(self) -> None:
        self.frames: dict[str, list[int]] = {}

    def subscribers(self, topic: str) -> list[Connection]:
        return [Connection(topic, "api/stage", 0)]

    def to_all(self, group: list[Connection], frames: list[str], *, until: float) -> list[Any]:
        del until
        self.frames[group[0].id] = [len(frame.encode()) for frame in frames]
        return [(group[0], "sent")]


def pushed(records: list[Record], of_a_record: float) -> tuple[dict[str, list[int]], float]:
    """Build the push of a batch; return its frames by topic, and the seconds per record."""
    shards = Shards(records, 4, 3.0, of_a_record)
    shards.run()
    table = shards.dynamo.tables["StatsTable"]
    assert table.stream is not None
    everybody = _Everybody()
    publish = Publisher(everybody, everybody, None, None)  # type: ignore[arg-type]  # a fake of both
    changed = [one for shard in table.stream.shards for one in shard.records][-BATCH:]
    with redirect_stdout(StringIO()):
        publish.batch(changed)
        began = time.process_time()
        publish.batch(changed)
    took = time.process_time() - began
    return everybody.frames, took / len(changed) / min(1.0, FUNCTIONS["publish"][1] / VCPU_MB)


def fan_out(viewers: int, frames: dict[str, list[int]], ceiling: float) -> dict[str, Any]:
    """Compute the load of the campaign's viewers, with the page's requests."""
    messages = viewers * len(frames[f"stats/email-campaign/{SUMMARY[0]}"])
    cycle = max(INTERVAL, messages / ceiling)
    chunks = math.ceil(viewers / MOST_VIEWERS) if viewers > MOST_VIEWERS else 0
    turns = 0 if messages <= FREE_MESSAGES else max(1, chunks)
    cycles = 3600 / cycle  # an hour
    memory = FUNCTIONS["publish"][1]
    by_chunks = messages * MESSAGE_SECONDS / min(1.0, memory / VCPU_MB) if chunks else 0
    beside = {  # not billed by API Gateway, per hour
        "DynamoDB read": cycles * math.ceil(viewers * ROW_BYTES / READ_BYTES),
        "DynamoDB write": cycles * turns,
        "Lambda request": cycles * (1 + chunks),
        "Lambda arm64": cycles * (PUSH_SECONDS + by_chunks) * memory / 1024,
        "CloudWatch Logs": cycles * (1 + chunks) * LOG_BYTES / 1e9,
    }
    return {
        "viewers": viewers,
        "messages_a_cycle": messages,
        "cycle_seconds": cycle,
        "messages_a_second": messages / cycle,
        "invocations_a_second": (1 + chunks) / cycle,
        "cycle_seconds_at_quota": max(INTERVAL, messages / POSTS_A_SECOND),
        "usd_an_hour": PRICES["WebSocket message"].of(messages / cycle * 3600)
        + PRICES["WebSocket minute"].of(viewers * 60),
        "usd_an_hour_beside": sum(PRICES[name].of(number) for name, number in beside.items()),
    }


def usd(row: dict[str, Any], rate: float) -> float:
    """Compute the cost of counting the whole campaign at the rate of this second."""
    seconds = SENDS * EVENTS_A_SEND / rate
    writes = PRICES["DynamoDB write"].of(row["write_units_a_second"] * seconds)
    return writes + PRICES["Lambda request"].of(row["batches_a_second"] * seconds)


ASSUMED = {
    "duration of a call to DynamoDB, seconds": CALL_SECONDS,
    "write units per second of an item, and of a partition": ITEM_UNITS_A_SECOND,
    "polling interval of a shard, seconds": POLL_SECONDS,
    "throttled updates wait in order": True,
    "vCPU share of aggregate": FUNCTIONS["aggregate"][1] / VCPU_MB,
    "lifetime of a shard, hours": SHARD_HOURS,
    "posts per second to API Gateway": POSTS_A_SECOND,
    "CPU time of a message, seconds": MESSAGE_SECONDS,
    "viewers subscribe to the campaign; health is pushed once a minute": True,
    "prices": "us-east-1, no free tier",
}


@click.command()
@click.option(
    "--seconds", default=6.0, show_default=True, help="Seconds of the campaign to simulate."
)
@click.option("--rate", default=5000.0, show_default=True, help="Events per second.")
@click.option(
    "--ceiling",
    default=float(DEFAULT_MESSAGES_PER_SECOND),
    show_default=True,
    help="Messages per second, MESSAGES_PER_SECOND.",
)
@click.option(
    "--shards", type=int, multiple=True, default=SHARDS, help="Number of shards; can be repeated."
)
@click.option("--json", "as_json", is_flag=True, help="Print one line of JSON.")
def main(
    *, seconds: float, rate: float, ceiling: float, shards: tuple[int, ...], as_json: bool
) -> None:
    """Simulate, compute, and print tables."""
    records, events = records_of(rate, FILLED_SECONDS + seconds)
    gc.freeze()  # objects that a function would not have
    of_a_record = seconds_a_record(records)
    frames, of_a_change = pushed(records, of_a_record)
    counted = [count(records, number, seconds, of_a_record) for number in shards]
    later = [
        count(records, number, seconds, of_a_record, closed=closed_shards(number))
        for number in shards
    ]
    for row in (*counted, *later):
        row["usd_of_counting"] = usd(row, rate)
    assert max(itertools.chain(*frames.values())) <= MAX_FRAME_BYTES
    result = {
        "bench": "simulate_scale",
        "events_a_second": events / (FILLED_SECONDS + seconds),
        "records_a_second": len(records) / (FILLED_SECONDS + seconds),
        "record_ms": of_a_record * 1000,
        "change_ms": of_a_change * 1000,
        "assumed": ASSUMED,
        "counted": counted,
        "a_day_later": later,
        "frames": frames,
        "fan_out": [fan_out(viewers, frames, ceiling) for viewers in VIEWERS],
    }
    if as_json:
        print(json.dumps(result))
        return
    print_tables(result)


def print_tables(result: dict[str, Any]) -> None:
    """Print the results and the assumptions."""
    for name in ("events_a_second", "records_a_second", "record_ms", "change_ms"):
        print(f"{name.replace('_', ' ')}: {result[name]:,.3g}")
    for name, value in ASSUMED.items():
        print(f"assumed: {name}: {value}")
    print(f"frames of a push, bytes: {result['frames']}")
    for name in ("counted", "a_day_later", "fan_out"):
        rows = result[name]
        print(f"\n{name.replace('_', ' ')}")
        width = max(map(len, rows[0]))
        for key in rows[0]:
            print(f"  {key:<{width}}" + "".join(f"{_told(row[key]):>15}" for row in rows))


def _told(value: Any) -> str:
    if isinstance(value, float):
        return f"{value:,.0f}" if value >= 100 else f"{value:.3g}"
    return str(value).removeprefix("spring/")[:14]


if __name__ == "__main__":
    main()

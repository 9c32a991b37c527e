"""Checkpoints of closed shards are removed after an hour, and no record counts twice."""

import itertools
import random
import zlib
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support import reference, ses
from support.chaos import chaos
from support.generate import events
from support.previous import PreviousRelease
from support.rules import CURRENT, Rules
from support.world import World

from chalicelib.errors import ConditionFailed
from chalicelib.facts.rules import RULES_VERSION
from chalicelib.stats.counters import PIPELINE
from chalicelib.stats.table import StatsTable
from chalicelib.stats.update import CHECKPOINT_SECONDS

PREVIOUS = PreviousRelease()
LONGEST_INVOCATION = 900  # seconds, in Lambda
HOURS = [0, 0, 1200, 3700, 3 * 3600]
seeds = st.integers(0, 2**32)


@pytest.fixture(autouse=True)
def any_item_has_many_checkpoints(monkeypatch):
    monkeypatch.setattr("chalicelib.stats.table._FEW_CHECKPOINTS", -1)
    monkeypatch.setattr("chalicelib.stats.table._FINISHED_SECONDS", 0)


class _TableBefore(StatsTable):
    """The stats table of a release that removes checkpoints after 25 hours only."""

    def _finished_shards(self, observed, now):
        return {}

    def read_position(self, attribute):
        return -1

    def put_read_position(self, attribute, shard, sequence, *, created, campaigns=(), delays=None):
        with suppress(ConditionFailed):
            self._dynamo.call(
                "update_item",
                TableName=self._name,
                Key={"campaign": {"S": PIPELINE}, "part": {"S": f"shard#{attribute}"}},
                UpdateExpression="SET #shard = :shard, #read = :read, #given = :given, expires = :e",
                ConditionExpression="attribute_not_exists(#read) OR #read < :read",
                ExpressionAttributeNames={"#shard": "shard", "#read": "read", "#given": "given"},
                ExpressionAttributeValues={
                    ":shard": {"S": shard},
                    ":read": {"S": sequence.zfill(40)},
                    ":given": {"S": sequence},
                    ":e": {"N": str(created + CHECKPOINT_SECONDS)},
                },
            )


class _Before(Rules):
    """The release before checkpoints of closed shards were removed, with the current rules."""

    def new_process(self, world):
        parts = world.new_process()
        parts.__dict__["stats_table"] = _TableBefore(
            world.dynamo, world.config.stats_table, clock=lambda: world.now
        )
        for dependent in ("count", "publish"):
            parts.__dict__.pop(dependent, None)
        return parts


BEFORE = _Before(RULES_VERSION)


def later(world, seconds):
    """Advance the clock while invocations run."""
    world.now += seconds


def happen(world, happened, seed, **faults):
    """Process events with faults; some invocations take as long as Lambda allows."""
    rng = random.Random(seed)
    world.arrive(*happened, *rng.choices(happened, k=2))
    seconds = rng.choice([0, 60, LONGEST_INVOCATION])
    chaos(world, seed, meanwhile=[lambda: later(world, seconds)], **faults)


def redeliver_everything(world):
    """Read all records of all shards again, as a new event source mapping does."""
    for lane in [one for one in world.lanes() if one.reader == "count" and one.given]:
        world.read_again(lane, 0, lane.given)
        while world.running:
            world.running[0].step()


def summary_checkpoints(world):
    summary = world.dynamo.tables["StatsTable"].get(("spring", "summary"))
    return {name for name, value in summary.items() if "B" in value}


@given(st.lists(events, min_size=2, max_size=4), seeds)
def test_no_record_counts_twice_hours_after_its_shard_was_closed(rounds, seed):
    rng = random.Random(seed)
    world = World()
    for number, happened in enumerate(rounds):
        happen(world, happened, seed + number)
        later(world, rng.choice(HOURS))

    redeliver_everything(world)

    assert world.counted() == reference.stats([one for happened in rounds for one in happened])


@given(events, events, events, seeds)
def test_an_upgrade_at_any_moment_counts_each_record_once(before, during, after, seed):
    """Both releases run at once, then the current one, hours later."""
    rng = random.Random(seed)
    world = World(releases=(BEFORE,))
    happen(world, before, seed)
    later(world, rng.choice(HOURS))
    world.releases = (BEFORE, CURRENT)
    happen(world, during, seed + 1)
    world.releases = (CURRENT,)
    later(world, rng.choice(HOURS))
    happen(world, after, seed + 2)
    later(world, rng.choice(HOURS))

    redeliver_everything(world)

    assert world.counted() == reference.stats([*before, *during, *after])


@given(events, events, seeds)
def test_a_rollback_counts_each_record_once(before, after, seed):
    """The earlier release gets what is not acknowledged, but nothing that was an hour ago."""
    rng = random.Random(seed)
    world = World(releases=(CURRENT,))
    happen(world, before, seed)
    later(world, rng.choice(HOURS))
    world.releases = (BEFORE,)

    happen(world, after, seed + 1, repeats=0)

    assert world.counted() == reference.stats([*before, *after])


def counted_by_a_closed_shard(world):
    """Count an open with a shard, close it, and count another one with its children."""
    world.arrive(ses.an_open("m-1"))
    world.drain()
    [lane] = [one for one in world.lanes() if one.reader == "count"]
    lane.stream.split(lane.shard)
    return lane


def test_the_checkpoint_of_a_closed_shard_is_removed_after_an_hour():
    world = World()
    counted_by_a_closed_shard(world)
    [closed] = summary_checkpoints(world)

    for seconds, is_kept in ((3500, True), (200, False)):
        later(world, seconds)
        for number in range(3):  # a process removes what it has read before
            world.arrive(ses.an_open(f"m-{seconds}-{number}"))
            world.drain()
        assert (closed in summary_checkpoints(world)) == is_kept


def test_records_of_a_closed_shard_are_not_counted_again_hours_later():
    """Its checkpoint is gone, and all its records are delivered again."""
    world = World()
    lane = counted_by_a_closed_shard(world)
    later(world, 2 * 3600)
    for number in range(3):
        world.arrive(ses.an_open(f"m-{number}-later"))
        world.drain()
    before = world.counted()

    world.read_again(lane, 0, lane.given)
    finish(world)

    assert world.counted() == before
    assert before["spring"]["summary"]["opens"] == 4


def ingested(world, *happened):
    """Store facts, without counting them."""
    world.arrive(*happened)
    world.ingest(*world.queue)
    finish(world)


def run(world, invocation):
    while invocation in world.running:
        invocation.step()


def finish(world):
    while world.running:
        world.running[0].step()


def opens_of(lane):
    """Yield opens that go to a shard."""
    for number in itertools.count():
        event = ses.an_open(f"m-{lane.shard.id}-{number}")
        hashed = zlib.crc32(event["mail"]["messageId"].encode()) / 2**32
        if lane.shard.low <= hashed < lane.shard.high:
            yield event


@pytest.fixture
def two_shards():
    """Return a world whose stream was split, and its two shards with the opens that they get."""
    world = World()
    counted_by_a_closed_shard(world)
    lanes = [one for one in world.lanes() if one.reader == "count" and one.shard.is_open]
    return world, *((lane, opens_of(lane)) for lane in lanes)


def test_the_checkpoint_of_a_batch_that_was_not_acknowledged_is_kept(two_shards):
    """Its shard has acknowledged earlier ones; another shard counts hours later, before a retry."""
    world, (lane, opens), (other, others) = two_shards
    ingested(world, next(opens))
    run(world, world.read(lane, lane.unread))
    later(world, 1300)
    ingested(world, next(opens))
    reader, before = world.read(lane, lane.unread), opened(world)
    while opened(world) == before:
        reader.step()
    reader.crash()  # it is counted in the summary, but not acknowledged

    later(world, 3 * 3600)
    for _ in range(2):  # the second time, its process knows all checkpoints
        ingested(world, next(others))
        run(world, world.read(other, other.unread))
    world.drain()

    assert opened(world) == 5


def test_the_checkpoint_of_a_batch_that_an_invocation_may_still_count_is_kept(two_shards):
    """An old batch is counted by two invocations at once, and acknowledged by the faster one."""
    world, (lane, opens), (other, others) = two_shards
    ingested(world, next(opens))
    later(world, 2 * 3600)
    slow = world.read_again(lane, 0, lane.unread)
    for _ in range(2):
        slow.step()  # it has read the position
    run(world, world.read(lane, lane.unread))

    assert slow in world.running
    world.arrive(next(others))
    run(world, world.ingest(*world.queue))
    run(world, world.read(other, other.unread))
    finish(world)
    world.drain()

    assert opened(world) == 3


def test_a_position_that_an_earlier_release_has_advanced_is_not_finished():
    """It leaves the time at which the position was stored before."""
    world = World()
    current, earlier = (
        table(world.dynamo, "StatsTable", clock=lambda: world.now)
        for table in (StatsTable, _TableBefore)
    )
    current.positions.put("k1", "shard-1", "5", created=int(world.now))
    later(world, 3 * 3600)
    assert current._finished_shards({}, int(world.now)) == {"k1": 5}

    earlier.positions.put("k1", "shard-1", "9", created=int(world.now))

    assert current._finished_shards({}, int(world.now)) == {}


def opened(world):
    return world.counted()["spring"]["summary"]["opens"]

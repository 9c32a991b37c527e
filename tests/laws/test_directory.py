"""Laws of the directory of campaigns: after all work is done, it equals the summaries.

Watch runs at any moment, several at once, and dies at any of its calls; aggregate counts meanwhile.
"""

import random
from contextlib import contextmanager
from unittest.mock import patch

from hypothesis import given
from hypothesis import strategies as st
from laws.test_upgrade import PREVIOUS, after_previous_release
from support import ses
from support.chaos import chaos
from support.generate import events
from support.world import World

from chalicelib.stats import directory, directory_table, positions
from chalicelib.stats.counters import SUMMARY, aggregate_from_item
from chalicelib.stats.directory import entry_of
from chalicelib.stats.pace_table import Paces

seeds = st.integers(0, 2**32)
# A build with one campaign a run passes 1,024 buckets in at most as many runs as there are campaigns.
MOST_RUNS = 20
LONGEST_INVOCATION_SECONDS = 900


def summaries(world):
    """Return the entries of all summaries, newest campaign first."""
    items = world.dynamo.tables["StatsTable"].items()
    found = [aggregate_from_item(item) for item in items if item["part"]["S"] == SUMMARY]
    entries = [entry for one in found if (entry := entry_of(one)) is not None]
    return sorted(entries, key=lambda one: (one.first_event_at, one.campaign), reverse=True)


def entries(world):
    """Return the directory as a new process reads it; None if it is not complete."""
    world.dynamo.before_call = lambda *_: None
    found = world.new_process().directory.entries()
    world.dynamo.before_call = lambda *_: world._hold()
    return found


def watch_to_the_end(world):
    """Check once a minute until no check has anything to do, now or 15 minutes later."""
    has_waited = False
    for _ in range(2 * MOST_RUNS):
        world.drain()
        world.now += 60
        before = state(world)
        world.watch()
        world.drain()
        if state(world) != before:
            continue
        if has_waited:
            return
        # An invocation of an earlier release may have written after the last trace of it.
        has_waited = True
        world.now += LONGEST_INVOCATION_SECONDS
    raise AssertionError("the directory never settles")


def state(world):
    table = world.dynamo.tables["StatsTable"]
    return table.get((" pipeline", "directory")), dict(table.partitions[directory.DIRECTORY])


@contextmanager
def small():
    """Use few buckets, which campaigns share, and runs and positions of few campaigns."""
    with (
        patch.object(directory, "BUCKETS", 2),
        patch.object(directory_table, "BUCKETS", 2),
        patch.object(directory_table, "MOST_CAMPAIGNS", 1),
        patch.object(positions, "MOST_NOTED", 2),
    ):
        yield


@given(events, seeds, st.booleans())
def test_the_directory_equals_the_summaries_whatever_fails(happened, seed, is_small):
    with small() if is_small else patch.object(directory, "BUCKETS", directory.BUCKETS):
        world = World()
        world.arrive(*happened)

        chaos(world, seed, crashes=6, meanwhile=[world.watch] * 8)
        watch_to_the_end(world)

        assert entries(world) == summaries(world)


@given(events, events, seeds)
def test_a_check_that_dies_at_any_call_loses_no_campaign(before, after, seed):
    """The directory is complete before the second events are counted.

    No pace is computed, because entries are updated with it, too.
    """
    with patch.object(Paces, "update", lambda *_: False):
        rng = random.Random(seed)
        world = World()
        world.arrive(*before)
        watch_to_the_end(world)
        world.arrive(*after)
        world.drain()

        for _ in range(5):
            check = world.watch()
            for _ in range(rng.randint(1, 30)):
                if check in world.running:
                    check.step()
            if check in world.running:
                check.crash()
            world.arrive(*rng.choices(after, k=1))
            world.drain()
        watch_to_the_end(world)

        assert entries(world) == summaries(world)


@given(events, seeds)
def test_two_checks_at_once_lose_no_campaign(happened, seed):
    rng = random.Random(seed)
    with small():
        world = World()
        watch_to_the_end(world)
        for event in happened:
            world.arrive(event)
            world.ingest(*world.queue)
            for _ in range(rng.randint(0, 60)):
                if world.running and rng.random() < 0.9:
                    rng.choice(world.running).step()
                elif readable := world.readable():
                    world.read(readable[0], rng.randint(1, readable[0].unread))
                elif len(world.running) < 3:
                    world.watch()

        watch_to_the_end(world)

        assert entries(world) == summaries(world)


@given(events, events, seeds)
def test_after_an_upgrade_the_directory_equals_the_summaries(before, after, seed):
    world = after_previous_release(before, random.Random(seed))
    assert entries(world) is None
    world.arrive(*after)

    chaos(world, seed, meanwhile=[world.watch] * 4)
    watch_to_the_end(world)

    assert entries(world) == summaries(world)


@given(events, events, seeds)
def test_what_an_earlier_release_counts_after_a_rollback_is_in_the_directory(before, after, seed):
    """The earlier release notes no campaigns, and both count at once when it is replaced."""
    world = World()
    world.arrive(*before)
    watch_to_the_end(world)
    current, world.releases = world.releases, (PREVIOUS,)
    world.arrive(ses.a_send("sent-after-the-rollback"))
    world.drain()
    world.releases = (PREVIOUS, *current)
    world.arrive(*after)

    chaos(world, seed, meanwhile=[world.watch] * 4)
    watch_to_the_end(world)

    assert entries(world) == summaries(world)

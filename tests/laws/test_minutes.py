"""A minute counts exactly the events that were stored within two days of it.

Events arrive in rounds, hours apart and in any order; counting lags behind by up to the day that a
stream keeps its records; DynamoDB may delete expired items at any later time. The oracle knows only
which events had arrived when each minute expired.
"""

import random
from datetime import datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support import reference, ses
from support.generate import engagements, events
from support.world import START, World

from chalicelib.facts.forgotten import NOBODY
from chalicelib.stats.counters import aggregate_from_item
from dashboard.recount.comparison import Facts, differences

HOUR = 3600
KEPT = 48 * HOUR
seeds = st.integers(0, 2**32)
pauses = st.sampled_from([0, 1, 3, 11, 23, 30, 47, 49, 120]).map(lambda hours: hours * HOUR)
rounds = st.lists(
    st.tuples(pauses, st.lists(engagements, min_size=1, max_size=5)), min_size=1, max_size=5
)


MINUTES = ("minute#", "undelivered#")


def kept_until(part):
    return datetime.fromisoformat(f"{part.partition('#')[2]}:00+00:00").timestamp() + KEPT


def stored_minutes(world):
    return {
        (one.campaign, one.part): dict(one.counts)
        for one in map(aggregate_from_item, world.dynamo.tables["StatsTable"].items())
        if one.part.startswith(MINUTES)
    }


def expected_minutes(arrived):
    """Return the counters of each minute, from the events that had arrived when it expired."""
    happened = [event for _, event in arrived]
    expected = {}
    for campaign, parts in reference.stats(happened).items():
        for part in parts:
            if part.startswith(MINUTES):
                in_time = [event for at, event in arrived if at < kept_until(part)]
                counts = reference.stats(in_time).get(campaign, {}).get(part)
                if counts is not None:
                    expected[campaign, part] = counts
    return expected


def without_minutes(counted):
    return {
        campaign: {part: counts for part, counts in parts.items() if not part.startswith(MINUTES)}
        for campaign, parts in counted.items()
    }


def require_no_negative_minute(world):
    """Check after each write that no minute is negative."""

    def look(table, key):
        if table == "StatsTable" and key[1].startswith(MINUTES):
            item = world.dynamo.tables[table].get(key)
            if item is not None:  # otherwise it has just been deleted
                assert min(aggregate_from_item(item).counts.values(), default=0) >= 0

    world.dynamo.after_write = look


@given(rounds, seeds)
def test_late_events_neither_recreate_an_expired_minute_nor_make_it_negative(rounds, seed):
    rng = random.Random(seed)
    world = World()
    require_no_negative_minute(world)
    arrived, behind_since = [], None
    for pause, happened in rounds:
        if behind_since is not None and world.now + pause - behind_since >= 24 * HOUR:
            world.drain()
            behind_since = None
        world.now += pause
        if rng.random() < 0.5:
            world.dynamo.expire()
        arrived += [(world.now, event) for event in happened]
        world.arrive(*happened)
        world.ingest(*world.queue)
        while world.running:
            world.running[0].step()
        if rng.random() < 0.5:
            world.drain()
            behind_since = None
        elif behind_since is None:
            behind_since = world.now
    world.drain()

    expected = expected_minutes(arrived)
    stored = {key: counts for key, counts in stored_minutes(world).items() if counts}
    assert stored.items() <= expected.items()
    deleted = expected.keys() - stored
    assert all(kept_until(part) + 25 * HOUR <= world.now for _, part in deleted)
    happened = [event for _, event in arrived]
    assert without_minutes(world.counted()) == without_minutes(reference.stats(happened))


@given(events, st.integers(49, 24 * 60))
def test_events_stored_after_two_days_count_only_in_hours_and_days(happened, hours):
    world = World()
    world.now += hours * HOUR
    world.arrive(*happened)
    world.drain()

    assert stored_minutes(world) == {}
    assert world.counted() == without_minutes(reference.stats(happened))


@given(events, st.integers(0, 80), st.booleans())
def test_readers_leave_out_expired_minutes(happened, hours, deleted):
    """It does not matter whether DynamoDB has already deleted the item."""
    world = World()
    world.arrive(*happened)
    world.drain()
    world.now += hours * HOUR
    if deleted:
        world.dynamo.expire()
    table = world.new_process().stats_table

    for campaign in ("spring", "autumn"):
        minutes = [one.part for one in table.shown(campaign) if one.part.startswith("minute#")]
        kept = {
            part
            for part in reference.stats(happened).get(campaign, {})
            if part.startswith("minute#") and kept_until(part) > world.now
        }
        assert set(minutes) == kept


@pytest.mark.parametrize("hours", [0, 36, 37, 38, 62, 63, 64, 80])
def test_a_timeline_in_minutes_covers_the_whole_campaign(hours):
    """Its minutes expire and are deleted one by one: from then on it shows hours."""
    world = World()
    happened = [ses.an_open(at=f"2026-11-23T{at}:00.000Z") for at in ("10:05", "10:45", "11:30")]
    world.arrive(*happened)
    world.drain()
    world.now += hours * HOUR
    world.dynamo.expire()

    resolution, buckets = world.new_process().stats_table.timeline("spring")

    assert resolution == ("minute" if hours <= 37 else "hour")
    assert sum(one.counts["opens"] for one in buckets) == 3


@given(rounds)
def test_recount_agrees_with_the_counters_after_late_events(rounds):
    world = World()
    for pause, happened in rounds:
        world.now += pause
        world.dynamo.expire()
        world.arrive(*happened)
        world.drain()
    parts = world.new_process()
    facts = Facts(NOBODY)
    for _, items in parts.events_table.scan():
        for item in items:
            facts.add(item)

    for campaign in facts.campaigns():
        stored = parts.stats_table.aggregates(campaign)
        assert list(differences(campaign, facts.of(campaign, world.now), stored, world.now)) == []


def test_a_late_reclassification_does_not_touch_an_expired_minute():
    """The third link makes a sweep: the first two clicks were human before."""
    world = World()
    require_no_negative_minute(world)
    clicks = [
        ses.a_click(link=f"https://example.com/{number}", at=f"2026-11-23T10:06:0{number}.000Z")
        for number in range(3)
    ]
    world.arrive(*clicks[:2])
    world.drain()
    assert {part for _, part in stored_minutes(world)} == {"minute#2026-11-23T10:06"}

    world.now = START + 100 * HOUR
    world.dynamo.expire()
    assert stored_minutes(world) == {}
    world.arrive(clicks[2])
    world.drain()

    assert stored_minutes(world) == {}
    assert world.counted() == without_minutes(reference.stats(clicks))

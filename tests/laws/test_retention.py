"""Facts expire and totals stay; late events count correctly, and duplicates do not count."""

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support import reference, ses
from support.generate import events
from support.world import World

DAY = 24 * 3600


def without_minutes(counted):
    """Return the stats without minutes, which are kept for two days."""
    return {
        campaign: {
            part: counts
            for part, counts in parts.items()
            if not part.startswith(("minute#", "undelivered#"))
        }
        for campaign, parts in counted.items()
    }


def arrive(world, *happened):
    world.arrive(*happened)
    world.drain()


@given(events)
def test_expired_facts_change_no_totals(happened):
    world = World()
    arrive(world, *happened)
    before = without_minutes(world.counted())

    world.now += 92 * DAY
    assert world.dynamo.expire() > 0
    world.drain()

    assert list(world.dynamo.tables["EventsTable"].items()) == []
    assert without_minutes(world.counted()) == before


@given(events, st.integers(1, 89))
def test_duplicates_within_the_retention_period_count_once(happened, days):
    world = World()
    arrive(world, *happened)

    world.now += days * DAY
    world.dynamo.expire()
    arrive(world, *happened)

    assert without_minutes(world.counted()) == without_minutes(reference.stats(happened))


@pytest.mark.parametrize("days", [1, 59, 60, 74])
def test_an_open_weeks_later_is_counted_but_not_as_unique(days):
    world = World()
    arrive(world, ses.a_send("m-1"), ses.an_open("m-1"))

    world.now += days * DAY
    world.dynamo.expire()
    at = f"{datetime.fromtimestamp(world.now, UTC):%Y-%m-%dT%H:%M:%S}.000Z"
    again, other = ses.an_open("m-1", at=at), ses.an_open("m-2", at=at)
    arrive(world, again, other, again)

    summary = world.counted()["spring"]["summary"]
    assert (summary["opens"], summary["unique_opens"]) == (3, 2)


def test_events_of_emails_sent_years_ago_are_kept_as_long_as_others():
    """Their time to live starts when they are written, not when they happened."""
    world = World()
    old = [
        ses.a_send("m-1", at="2019-05-01T10:00:00.000Z"),
        ses.an_open("m-1", at="2019-05-02T10:00:00.000Z"),
    ]
    arrive(world, *old)

    world.now += 89 * DAY
    world.dynamo.expire()
    arrive(world, *old)

    assert without_minutes(world.counted()) == without_minutes(reference.stats(old))


def test_a_campaigns_summary_has_the_expiry_of_its_first_fact():
    world = World()
    arrive(world, ses.a_send("m-1"))
    first = world.now
    world.now += 10 * DAY
    arrive(world, ses.a_send("m-2"), ses.a_send("m-1"))

    summary = world.new_process().stats_table.summary("spring")

    assert first + 90 * DAY <= summary.facts_until <= first + 91 * DAY

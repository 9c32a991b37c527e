"""Counters by age: each email counts in the bucket of its age at its first human open and click.

The laws of all counters (test_laws.py, test_crashes.py) include them; these are their own.
"""

import random

from hypothesis import given
from hypothesis import strategies as st
from support import reference, ses
from support.chaos import chaos
from support.generate import engagements
from support.sums import require_sums_of_items
from support.world import World

from chalicelib.facts.forgotten import NOBODY
from chalicelib.functions.ingest import settle_message
from chalicelib.stats.counters import AGES

seeds = st.integers(0, 2**32)


def unhooked(world, work):
    """Work outside of any invocation, then process what it changes."""
    held, world.dynamo.before_call = world.dynamo.before_call, lambda *_: None
    work()
    world.dynamo.before_call = held
    world.drain()


def forget_times_of_sending(world, rng):
    """Make some states those of a release that did not store when an email was sent."""
    for item in list(world.dynamo.tables["EventsTable"].items()):
        if item["fact"]["S"].startswith("~state#") and rng.random() < 0.7:
            world.dynamo.call(
                "update_item",
                TableName="EventsTable",
                Key={"message_id": item["message_id"], "fact": item["fact"]},
                UpdateExpression="REMOVE m",
            )


def reclassify(world):
    """Settle all messages, as `recount --apply --reclassify` does."""
    process = world.new_process()
    for message_id in list(world.dynamo.tables["EventsTable"].partitions):
        settle_message(process.events_table, process.networks, message_id, NOBODY)


@given(st.lists(engagements, max_size=8), st.lists(engagements, max_size=8), seeds)
def test_emails_of_an_earlier_release_count_by_age_once_they_are_settled_again(before, after, seed):
    rng = random.Random(seed)
    world = World()
    world.arrive(*before)
    chaos(world, seed)
    unhooked(world, lambda: forget_times_of_sending(world, rng))
    require_sums_of_items(world)
    world.arrive(*after, *rng.choices(before, k=min(2, len(before))))
    chaos(world, seed)
    require_sums_of_items(world)

    unhooked(world, lambda: reclassify(world))

    require_sums_of_items(world)
    assert world.counted() == reference.stats([*before, *after])


def first_open(bucket):
    """Return the counters of a first human open by a browser, in a bucket of ages."""
    return {f"unique_human_opens_by_age_{bucket}": 1, "unique_human_opens@dch": 1}


def test_a_first_open_that_is_reclassified_leaves_its_bucket():
    """A bot follows five links at once, after an open by the same browser."""
    world = World()
    at = "2026-11-23T10:05:{:06.3f}Z".format
    world.arrive(ses.an_open(at=at(0)), ses.an_open(at="2026-11-23T11:30:00.000Z"))
    world.drain()
    assert world.counted()["spring"][AGES] == first_open(5)

    links = (f"https://example.com/{number}" for number in range(5))
    world.arrive(*(ses.a_click(at=at(1 + n / 10), link=one) for n, one in enumerate(links)))
    world.drain()

    assert world.counted()["spring"][AGES] == first_open(17)

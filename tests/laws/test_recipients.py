"""Laws of the recipients index: the list is what the stored facts and states say, whatever failed.

The oracle reads the events table: it knows neither pages nor batches.
"""

import random

from hypothesis import given
from hypothesis import strategies as st
from support import reference
from support.chaos import chaos
from support.generate import events
from support.world import World

from chalicelib.facts.fact import Fact, is_settled
from chalicelib.facts.items import from_item
from chalicelib.facts.state import State
from chalicelib.recipients.table import PARTITION

SPRING = "stats/email-campaign/spring"
seeds = st.integers(0, 2**32)


def naive(world):
    """Return the recipients of each campaign: campaign, name and message → state."""
    stored = [from_item(item) for item in world.dynamo.tables["EventsTable"].items()]
    states = {(one.campaign, one.message_id): one for one in stored if isinstance(one, State)}
    facts = [one for one in stored if isinstance(one, Fact)]
    bounced = {
        (one.campaign, one.recipient, one.message_id)
        for one in facts
        if one.type == "Bounce" and is_settled(one)
    }
    found = {}
    for fact in facts:
        if fact.type == "Send":
            state = states.get((fact.campaign, fact.message_id))
            for name in fact.recipients or [fact.recipient]:
                key = fact.campaign, name, fact.message_id
                found[key] = "not_opened"
                if state is not None and state.human_engaged_at:
                    found[key] = "opened"
                if state is not None and state.human_clicked_at:
                    found[key] = "clicked"
                if key in bounced:
                    found[key] = "bounced"
    return found


def listed(world):
    campaigns = {campaign for campaign, _, _ in naive(world)}
    return {
        (campaign, one["recipient"], one["message_id"]): one["state"]
        for campaign in campaigns
        for frame in ask(
            world, action="listRecipients", id=f"stats/email-campaign/{campaign}", stream=True
        )[:-1]
        for one in frame["results"]
    }


def ask(world, **fields):
    viewer = world.subscribe()
    viewer.ask(**fields)
    return viewer.frames


@given(events, seeds)
def test_the_list_is_that_of_the_facts_under_duplicates_and_crashes(happened, seed):
    world = World()
    world.arrive(*happened)
    chaos(world, seed)

    assert listed(world) == naive(world)


@given(events, seeds)
def test_a_shorter_redelivery_removes_no_recipient_from_the_list(happened, seed):
    rng = random.Random(seed)
    world = World()
    world.arrive(*happened)
    world.drain()

    for lane in world.lanes():
        world.read_again(lane, 0, rng.randint(1, lane.read))
        world.drain()

    assert listed(world) == naive(world)


@given(events, seeds)
def test_a_crash_after_a_page_loses_and_repeats_nothing(happened, seed):
    world = World()
    world.arrive(*happened)
    ids = list(world.queue)
    world.ingest(*ids)
    while world.running:
        world.running[0].step()
    [lane] = [one for one in world.readable() if one.reader == "count"]
    reading = world.read(lane, lane.unread)
    is_page = world.dynamo.tables["StatsTable"].partitions
    while reading in world.running and not any(key.startswith(PARTITION) for key in is_page):
        reading.step()
    if reading in world.running:
        reading.crash()
        assert world.counted() == {}

    chaos(world, seed)

    assert world.counted() == reference.stats(happened)
    assert listed(world) == naive(world)


@given(events, st.integers(1, 4))
def test_the_pages_of_a_list_are_the_streamed_list(happened, limit):
    world = World()
    world.arrive(*happened)
    world.drain()
    streamed = ask(world, action="listRecipients", id=SPRING, stream=True)
    whole = [one for frame in streamed[:-1] for one in frame["results"]]

    paged, cursor = [], {}
    while True:
        [reply] = ask(world, action="listRecipients", id=SPRING, limit=limit, **cursor)
        paged += reply["results"]
        if "cursor" not in reply:
            break
        cursor = {"cursor": reply["cursor"]}

    assert streamed[-1]["done"]
    assert paged == whole
    assert all(frame["total"] == len(whole) for frame in streamed[:-1])

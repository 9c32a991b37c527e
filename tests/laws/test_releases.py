"""Two releases with different rules run concurrently: in the end the newest rules apply.

Each event is ingested by functions of either release, which are interleaved, crash, and receive
duplicates. After the deployment, only the newer release retries events that could not be stored.
"""

import random
from collections import defaultdict

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support import reference, ses
from support.chaos import chaos
from support.generate import engagements
from support.rules import FIRST, NEWER, OLDER, OLDER_IN_PART
from support.world import World

from chalicelib.facts.fact import ENGAGEMENTS
from chalicelib.facts.settle import settle

seeds = st.integers(0, 2**32)
older_rules = st.sampled_from([OLDER, OLDER_IN_PART])


def require_newest_rules(world, happened):
    """Assert that counters, classes and states follow the newest rules for all facts."""
    assert world.counted() == reference.stats(happened)
    table = world.new_process().events_table
    partitions = world.dynamo.tables["EventsTable"].partitions
    with NEWER.applied():
        for message_id in partitions:
            for message in table.message(message_id).values():
                settled = settle(message.facts, message.state)
                assert (settled.facts, settled.state) == ([], None)
    assert not world.queue
    assert world.dead == []


def arrive(world, happened, rng):
    """Put events into the queue; the newer release ingests one of each message, either one the
    rest.

    A message that the newer release never sees keeps its class until `recount --reclassify`.
    """
    world.arrive(*happened)
    by_message = defaultdict(list)
    for one, event in zip(world.queue, happened, strict=True):
        if event["eventType"] in ENGAGEMENTS:
            by_message[event["mail"]["messageId"]].append(one)
    world.held_back = {rng.choice(ids) for ids in by_message.values()}


@given(st.lists(engagements, min_size=2, max_size=6), seeds, older_rules)
def test_concurrent_ingests_of_two_releases_end_with_the_newer_rules(happened, seed, older):
    """Each event is ingested once, by its own invocation: no later one corrects it."""
    rng = random.Random(seed)
    world = World(releases=(older, NEWER))
    arrive(world, happened, rng)
    for one in list(world.queue):
        world.deployed = NEWER if one in world.held_back else rng.choice(world.releases)
        world.ingest(one)

    while world.running:
        rng.choice(world.running).step()
    world.drain()

    require_newest_rules(world, happened)


@given(st.lists(engagements, min_size=2, max_size=10), seeds, older_rules)
def test_duplicates_and_crashes_in_two_releases_end_with_the_newer_rules(happened, seed, older):
    rng = random.Random(seed)
    world = World(releases=(older, NEWER))
    arrive(world, happened + rng.choices(happened, k=3), rng)

    chaos(world, seed)

    require_newest_rules(world, happened)


@given(st.lists(engagements, min_size=2, max_size=8), st.data())
def test_facts_without_a_rank_are_settled_by_the_newer_rules(happened, data):
    """Releases with the first rules stored a class without its rank."""
    world = World(releases=(FIRST, NEWER))
    early = data.draw(st.integers(1, len(happened) - 1))
    world.deployed = FIRST
    for event in happened[:early]:
        world.arrive(event)
        world.ingest(*world.queue)
        while world.running:
            world.running[0].step()
    table = world.dynamo.tables["EventsTable"]
    for item in table.items():
        if "k" in item and data.draw(st.booleans()):
            table.put(table.key(item), {name: item[name] for name in item if name != "z"})

    world.arrive(*happened)
    world.drain()

    require_newest_rules(world, happened)


@pytest.mark.parametrize("crash", [False, True])
def test_an_older_ingest_leaves_an_event_to_the_newer_release(crash):
    """It stores the event but fails its message, at every redelivery."""
    world = World(releases=(OLDER, NEWER))
    world.arrive(ses.an_open("m-1"))
    [newer] = world.queue
    world.deployed = NEWER
    first = world.ingest(newer)
    while world.running and not (crash and world.dynamo.tables["EventsTable"].partitions):
        first.step()
    if crash:  # the open is stored, but its message is not settled
        first.crash()
        del world.queue[newer]
    second = ses.a_click("m-1")
    world.arrive(second)
    world.deployed = OLDER

    for _ in range(3):
        [older] = world.queue
        world.ingest(older)
        while world.running:
            world.running[0].step()
        assert list(world.queue) == [older]

    world.drain()
    require_newest_rules(world, [ses.an_open("m-1"), second])

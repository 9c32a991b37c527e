"""The laws of counting, for generated sequences of SES events under all behavior that AWS permits.

The oracle is reference.py: sets and sums over the plain events.
"""

import random
from functools import partial

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support import reference, ses
from support.chaos import chaos, single_viewer_batches
from support.generate import engagements, events
from support.world import World

SPRING = "stats/email-campaign/spring"
seeds = st.integers(0, 2**32)


def cut(rng, items, most):
    """Split a list into pieces of random sizes."""
    items = list(items)
    while items:
        size = rng.randint(1, most)
        yield items[:size]
        items = items[size:]


def ingest_all(world, rng=None):
    for ids in cut(rng or random.Random(0), world.queue, 10):
        world.ingest(*ids)
        while world.running:
            world.running[0].step()


def read_all(world, rng):
    """Read the available records in batches of any size, with one reader per shard."""
    while readable := world.readable():
        lane = rng.choice(readable)
        world.read(lane, rng.randint(1, lane.unread))
        while world.running:
            world.running[0].step()


@given(events, seeds)
def test_order_duplicates_and_batches_change_no_counter(happened, seed):
    rng = random.Random(seed)
    arriving = happened + rng.choices(happened, k=rng.randint(0, len(happened)))
    rng.shuffle(arriving)
    world = World()

    world.arrive(*arriving)
    ingest_all(world, rng)
    read_all(world, rng)

    assert world.counted() == reference.stats(happened)


@given(events, seeds)
def test_a_redelivered_suffix_of_a_shard_changes_no_counter(happened, seed):
    rng = random.Random(seed)
    world = World()
    world.arrive(*happened)
    ingest_all(world)
    read_all(world, rng)

    for lane in world.lanes():
        for _ in range(2):
            start = rng.randrange(lane.read)
            for size in (len(piece) for piece in cut(rng, range(lane.read - start), 9)):
                world.read_again(lane, start, start + size)
                world.drain()
                start += size

    assert world.counted() == reference.stats(happened)


@given(st.lists(events, min_size=2, max_size=5), seeds)
def test_splitting_shards_changes_no_counter(rounds, seed):
    rng = random.Random(seed)
    world = World()
    for happened in rounds:
        world.arrive(*happened)
        ingest_all(world, rng)
        lane = rng.choice([one for one in world.lanes() if one.shard.is_open])
        lane.stream.split(lane.shard)
    shards = {lane.shard for lane in world.lanes()}
    assert len(shards) == 2 + 2 * len(rounds)

    read_all(world, rng)

    assert world.counted() == reference.stats([event for one in rounds for event in one])


@given(st.lists(engagements, min_size=2, max_size=6), seeds)
def test_concurrent_ingests_of_one_message_agree_in_any_interleaving(happened, seed):
    """Each event is ingested once, by its own invocation: no later one corrects it."""
    rng = random.Random(seed)
    world = World()
    world.arrive(*happened)
    for one in list(world.queue):
        world.ingest(one)

    while world.running:
        rng.choice(world.running).step()
    world.drain()

    assert world.counted() == reference.stats(happened)


@given(st.lists(engagements, min_size=3, max_size=12), seeds)
def test_reclassifications_end_at_the_classes_that_all_events_imply(happened, seed):
    """Each event is settled and counted alone, so that later ones change earlier classes."""
    world = World()
    for event in happened:
        world.arrive(event)
        world.drain()

    assert world.counted() == reference.stats(happened)


@given(events, seeds)
def test_counters_are_exact_under_any_faults_and_interleaving(happened, seed):
    rng = random.Random(seed)
    world = World()
    world.arrive(*happened, *rng.choices(happened, k=5))

    chaos(world, seed)

    assert world.counted() == reference.stats(happened)
    assert world.dead == []


@given(events, seeds)
def test_a_subscribed_viewer_ends_with_the_state_of_a_fresh_snapshot(happened, seed):
    rng = random.Random(seed)
    world = World()
    half = rng.randint(0, len(happened))
    world.arrive(*happened[:half])
    chaos(world, seed)
    viewers = [world.subscribe(SPRING, "stats/email-campaigns"), world.subscribe(SPRING)]
    viewers[0].refuses = rng.randint(0, 12)
    world.arrive(*happened[half:])

    def attend(viewer, level):
        world.now += 1
        viewer.ask("attend", level=level)

    levels = rng.choices(["active", "visible", "hidden"], k=3)
    moments = [partial(attend, viewers[1], level) for level in (*levels, "visible")]
    chaos(world, seed + 1, meanwhile=moments)
    viewers[1].ask("attend", level="active")
    viewers[0].refuses = 0
    viewers[0].ask("ping")

    for viewer in viewers:
        for topic in viewer.topics:
            assert viewer.topics[topic].shown == world.snapshot(topic).shown


@pytest.mark.parametrize("misses", ["hidden", "until a ping", "until the next push"])
def test_a_viewer_who_missed_that_a_minute_became_empty_does_not_show_it(misses):
    """Of two complaints of a recipient about one email, the earlier one counts."""
    world = World()
    world.arrive(ses.a_send("m-1", campaign="spring"), complaint("12:51"))
    chaos(world, 0)
    viewer = world.subscribe(SPRING)
    assert ("minute", "2026-11-23T12:51:00Z") in viewer.topics[SPRING].shown

    if misses == "hidden":
        viewer.ask("attend", level="hidden")
    viewer.refuses = 12
    world.arrive(complaint("12:00"))
    chaos(world, 1)
    viewer.refuses = 0
    match misses:
        case "hidden":
            viewer.ask("attend", level="visible")
        case "until a ping":
            viewer.ask("ping")
        case "until the next push":
            world.arrive(ses.a_send("m-2", campaign="spring"))
            chaos(world, 2)

    assert viewer.topics[SPRING].shown == world.snapshot(SPRING).shown
    assert ("minute", "2026-11-23T12:51:00Z") not in viewer.topics[SPRING].shown


def complaint(clock):
    return ses.a_complaint("m-1", campaign="spring", at=f"2026-11-23T{clock}:00.000Z")


@given(events, seeds)
def test_viewers_of_a_large_topic_end_with_the_state_of_a_fresh_snapshot(happened, seed):
    """Each viewer is a batch of its own, whose invocation may crash."""
    rng = random.Random(seed)
    world = World()
    viewers = [world.subscribe(SPRING, "stats/email-campaigns") for _ in range(4)]
    viewers[0].refuses = rng.randint(0, 12)
    world.arrive(*happened)

    with single_viewer_batches():
        chaos(world, seed, crashes=2)
    viewers[0].refuses = 0

    for viewer in viewers:
        viewer.ask("ping")
        for topic in viewer.topics:
            assert viewer.topics[topic].shown == world.snapshot(topic).shown


@given(events, seeds)
def test_subscribing_while_events_arrive_misses_none(happened, seed):
    world = World()
    viewers = [world.subscribe() for _ in range(5)]
    world.arrive(*happened)

    chaos(
        world,
        seed,
        meanwhile=[partial(viewer.ask_meanwhile, "subscribe", id=SPRING) for viewer in viewers],
    )

    for viewer in viewers:
        assert viewer.topics[SPRING].shown == world.snapshot(SPRING).shown


@given(events, seeds)
def test_a_snapshot_and_pushes_in_any_order_merge_into_a_fresh_snapshot(happened, seed):
    rng = random.Random(seed)
    world = World()
    early = world.subscribe(SPRING)
    world.arrive(*happened[: len(happened) // 2])
    chaos(world, seed)
    early.ask("get", id=SPRING)
    world.arrive(*happened[len(happened) // 2 :])
    chaos(world, seed + 1)

    late = world.subscribe()
    arriving = early.frames + rng.choices(early.frames, k=3)
    rng.shuffle(arriving)
    for frame in arriving:
        late.merge(frame)

    assert late.topics[SPRING].shown == world.snapshot(SPRING).shown

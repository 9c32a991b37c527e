"""Classes depend on all opens and clicks of an email, and on nothing else."""

import random

from hypothesis import given
from hypothesis import strategies as st
from support import reference, ses
from support.chaos import chaos
from support.generate import engagements
from support.world import World

from chalicelib.facts.settle import settle

seeds = st.integers(0, 2**32)


def at(seconds):
    return f"2026-11-23T10:{seconds // 60:02}:{seconds % 60:02}.000Z"


SWEEP = [
    ses.a_click(link=f"https://example.com/{number}", at=at(400 + 10 * number))
    for number in range(3)
]
OPEN = ses.an_open(at=at(390), agent=ses.GMAIL_PROXY)


def require_classes_of_all_facts(world):
    """Assert that settling any email again changes nothing."""
    table = world.new_process().events_table
    for message_id in world.dynamo.tables["EventsTable"].partitions:
        for message in table.message(message_id).values():
            settled = settle(message.facts, message.state)
            assert (settled.facts, settled.state) == ([], None)


def test_a_slow_ingest_does_not_undo_what_another_saw_in_more_facts():
    """It takes three clicks for a sweep; meanwhile, another stores the open before them.

    The other one confirms the classes of the clicks, for which it writes nothing.
    """
    world = World()
    world.arrive(*SWEEP[:2])
    world.drain()
    called = []

    def hold(operation, _):
        called.append(operation)
        world._hold()

    world.dynamo.before_call = hold
    world.arrive(SWEEP[2])
    slow = world.ingest(*world.queue)
    while called[-1:] != ["update_item"]:
        slow.step()
    world.arrive(OPEN)
    other = world.ingest(*world.queue)
    while other in world.running:
        other.step()

    world.drain()

    assert world.counted() == reference.stats([*SWEEP, OPEN])
    assert world.counted()["spring"]["summary"]["human_clicks"] == 3
    require_classes_of_all_facts(world)


@given(st.lists(engagements, min_size=2, max_size=14), seeds)
def test_classes_are_those_of_the_set_of_facts_however_they_arrived(happened, seed):
    rng = random.Random(seed)
    world = World()
    world.arrive(*happened, *rng.choices(happened, k=3))

    chaos(world, seed)

    assert world.counted() == reference.stats(happened)
    require_classes_of_all_facts(world)

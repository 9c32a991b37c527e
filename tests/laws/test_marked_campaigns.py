"""Laws of test campaigns: lists agree with the settings that say which campaigns are tests.

Requests that mark campaigns are concurrent, repeated, and die at any call; watch runs at any moment.
"""

import json
import random
from functools import partial

import pytest
from hypothesis import given
from hypothesis import strategies as st
from laws.test_directory import entries, summaries, watch_to_the_end
from laws.test_upgrade import PREVIOUS
from support import ses
from support.chaos import chaos
from support.generate import events
from support.world import World

from chalicelib.stats.counters import PIPELINE, SUMMARY
from chalicelib.stats.incident_item import SETTINGS, settings_from_item
from chalicelib.stats.marked_tests import NOTED_FOR

LIST = "stats/email-campaigns"
CAMPAIGNS = ("spring", "summer", "begins-later")
# Before the note, the settings and the summary, and after all of them.
CALLS = 4
# More calls than a check makes.
MOST_CALLS = 1000

seeds = st.integers(0, 2**32)
marks = st.lists(st.tuples(st.sampled_from(CAMPAIGNS), st.booleans()), min_size=1, max_size=6)


def topic(campaign):
    return f"stats/email-campaign/{campaign}"


def mark(world, campaign, test):
    """Return a request that marks a campaign, for a random moment."""
    viewer = world.subscribe()
    return partial(viewer.ask_meanwhile, "setAlarms", id=topic(campaign), test=test)


def mark_and_die(world, campaign, calls, test=True):
    """Mark a campaign with a request that dies after a number of calls, and is not repeated."""
    started = begin_to_mark(world, campaign, calls, test=test)
    if started in world.running:
        started.crash()


def begin_to_mark(world, campaign, calls, *, test=True):
    """Start a request that marks a campaign, and suspend it after a number of calls."""
    text = json.dumps({"action": "setAlarms", "id": topic(campaign), "test": test})
    viewer = world.subscribe()
    started = world._start("session", lambda: world._serve(world.process, viewer, text), ignored)
    step(world, started, calls)
    return started


def step(world, invocation, calls):
    """Continue an invocation for a number of calls, or to its end."""
    for _ in range(calls):
        if invocation in world.running:
            invocation.step()


def with_a_campaign(*names):
    """Return a world with campaigns, and nothing left to do."""
    world = World()
    world.arrive(*(ses.a_send(f"sent-{one}", campaign=one) for one in names))
    watch_to_the_end(world)
    return world


def ignored(*, succeeded):
    """Do nothing after a request."""


def settings(world):
    """Return the campaigns whose settings say that they are tests."""
    items = world.dynamo.tables["StatsTable"].items()
    return {
        item["campaign"]["S"]
        for item in items
        if item["part"]["S"] == SETTINGS and settings_from_item(item).settings.test
    }


def shown(world):
    """Return the test campaigns in summaries."""
    items = world.dynamo.tables["StatsTable"].items()
    return {
        item["campaign"]["S"]
        for item in items
        if item["part"]["S"] == SUMMARY and item.get("is_test") == {"BOOL": True}
    }


def require_agreement(world):
    """Require that lists agree with the settings, once watch has repeated the marks."""
    world.now += NOTED_FOR.total_seconds()
    watch_to_the_end(world)
    assert shown(world) == settings(world)
    assert entries(world) == summaries(world)
    listed = {one.campaign for one in summaries(world)}
    assert {one.campaign for one in entries(world) if one.is_test} == settings(world) & listed
    marked = world.dynamo.tables["StatsTable"].get((PIPELINE, "marked tests")) or {}
    assert "marked" not in marked, "watch has nothing left to repeat"


@given(events, marks, seeds)
def test_lists_agree_with_the_settings_whatever_fails(happened, marked, seed):
    world = World()
    viewer = world.subscribe(LIST)
    world.arrive(*happened)

    requests = [mark(world, campaign, test) for campaign, test in marked]
    chaos(world, seed, crashes=6, meanwhile=[*requests, *[world.watch] * 6])
    world.arrive(ses.a_send("sent-later", campaign="begins-later"))

    require_agreement(world)
    snapshot = world.snapshot(LIST).parts
    assert viewer.topics[LIST].parts == snapshot, "pushes showed each change"


@given(marks, seeds)
def test_a_request_that_dies_at_any_call_leaves_lists_that_agree(marked, seed):
    """Checks run between its calls, and it is not repeated."""
    rng = random.Random(seed)
    world = World()
    world.arrive(*(ses.a_send(f"sent-{one}", campaign=one) for one in CAMPAIGNS[:2]))
    watch_to_the_end(world)

    for campaign, test in marked:
        world.watch()
        mark_and_die(world, campaign, rng.randint(0, CALLS), test)
        for _ in range(rng.randint(0, 20)):
            if world.running:
                rng.choice(world.running).step()
        world.now += rng.choice([1, 60, 600])

    require_agreement(world)


@pytest.mark.parametrize("calls", range(CALLS + 1))
def test_a_change_of_the_settings_reaches_the_lists_without_its_request(calls):
    world = World()
    world.arrive(ses.a_send("sent", campaign="spring"))
    watch_to_the_end(world)

    mark_and_die(world, "spring", calls)

    require_agreement(world)


@pytest.mark.parametrize(
    ("before", "after"), [(one, other) for one in range(CALLS) for other in range(CALLS - one)]
)
def test_a_check_between_the_calls_of_a_request_that_dies_leaves_lists_that_agree(before, after):
    world = with_a_campaign("spring")

    request = begin_to_mark(world, "spring", before)
    for _ in range(2):
        step(world, world.watch(), MOST_CALLS)
        world.now += 60
    step(world, request, after)
    if request in world.running:
        request.crash()

    require_agreement(world)


def test_a_campaign_that_is_marked_while_others_are_forgotten_stays_noted():
    """At each call of the check that forgets them; the request dies before it marks the summary."""
    for calls in range(MOST_CALLS):
        world = with_a_campaign("spring", "summer")
        table = world.new_process().stats_table
        table.remarks.change_alarm_settings({"test": True}, "spring")
        world.now += NOTED_FOR.total_seconds()
        check = world.watch()
        step(world, check, calls)
        if check not in world.running:
            break
        mark_and_die(world, "summer", CALLS - 1)
        step(world, check, MOST_CALLS)

        require_agreement(world)
    assert calls > 3


@given(st.permutations([1, 2, 3]))
def test_an_older_mark_never_replaces_a_newer_one(order):
    world = World()
    world.arrive(ses.a_send("sent", campaign="spring"))
    world.drain()
    table = world.new_process().stats_table
    versions = [
        table.remarks.change_alarm_settings({"test": test}, "spring")
        for test in (True, False, True)
    ]

    for number in order:
        table.remarks.put_test("spring", versions[number - 1])

    assert shown(world) == {"spring"}


@given(events, seeds)
def test_an_earlier_release_that_counts_at_once_keeps_the_marks(happened, seed):
    world = World()
    current = world.releases
    world.releases = (PREVIOUS, *current)
    world.arrive(*happened)
    table = world.new_process().stats_table
    table.remarks.change_alarm_settings({"test": True}, "spring")

    chaos(world, seed, meanwhile=[world.watch] * 4)
    world.releases = current

    require_agreement(world)

"""Upgrading from the previous release: what it stored and counted, and what is new, add up.

The previous release runs from the archive of its code. It has stored facts of generation 1, counted
by its definitions, when the current one takes over in the middle of its work.
"""

import random

from hypothesis import given
from hypothesis import strategies as st
from support import reference
from support.activity import campaigns, expected, listed
from support.chaos import chaos
from support.generate import CAMPAIGNS, events
from support.previous import PreviousRelease
from support.sums import aggregates, require_sums_of_items
from support.world import World

from chalicelib.facts.fact import GENERATION
from chalicelib.facts.forgotten import NOBODY
from chalicelib.functions.ingest import settle_message
from chalicelib.stats.counters import SUMMARY

PREVIOUS = PreviousRelease()
seeds = st.integers(0, 2**32)


def after_previous_release(happened, rng):
    """Return a world in which the previous release was stopped while it processed these events."""
    world = World()
    current, world.releases = world.releases, (PREVIOUS,)
    world.deployed = PREVIOUS
    world.arrive(*happened, *rng.choices(happened, k=2))
    for _ in range(rng.randint(0, 400)):
        if world.running:
            rng.choice(world.running).step()
        elif world.queue and rng.random() < 0.5:
            world.ingest(*rng.sample([*world.queue], rng.randint(1, min(4, len(world.queue)))))
        elif readable := world.readable():
            world.read(readable[0], rng.randint(1, readable[0].unread))
    world.releases = current
    return world


def upgrade_facts(world):
    """Settle all messages by the current definitions, as `recount --apply` does."""
    world.dynamo.before_call = lambda *_: None
    process = world.new_process()
    for message_id in list(world.dynamo.tables["EventsTable"].partitions):
        settle_message(process.events_table, process.networks, message_id, NOBODY)
    world.dynamo.before_call = lambda *_: world._hold()
    world.drain()


def plain(parts):
    """Return the counters without links, variants, mailbox providers and replies.

    Facts of generation 1 lack the queries of their links, and what the others need.
    """
    left_out = ("link#", "variant#", "provider#", "reply#", "undelivered#")
    return {part: counts for part, counts in parts.items() if not part.startswith(left_out)}


def is_preserved(event):
    """Return whether generation 1 stored all that the current definitions read of an event."""
    own = event.get("complaint") or event.get("subscription") or event.get("bounce") or {}
    is_auto_reply = (own.get("bounceType"), own.get("bounceSubType")) == ("Transient", "General")
    old = own.get("oldTopicPreferences", {}).get("topicSubscriptionStatus", [])
    opted_out = any(topic["subscriptionStatus"] == "OptOut" for topic in old)
    return not (own.get("complaintSubType") or opted_out or is_auto_reply)


@given(events, events, seeds)
def test_after_an_upgrade_the_counters_are_the_sums_over_old_and_new_items(before, after, seed):
    """Events in flight and old events redelivered afterwards included."""
    rng = random.Random(seed)
    world = after_previous_release(before, rng)
    world.arrive(*after, *before)

    chaos(world, seed)

    require_sums_of_items(world)
    assert world.dead == []


@given(st.lists(st.one_of(events).map(lambda some: some[0]), min_size=1, max_size=12), seeds)
def test_once_its_facts_are_upgraded_a_campaign_counts_by_the_current_definitions(before, seed):
    rng = random.Random(seed)
    before = [event for event in before if is_preserved(event)]
    if not before:
        return
    world = after_previous_release(before, rng)
    chaos(world, seed)

    upgrade_facts(world)

    require_sums_of_items(world)
    counted, expected = world.counted(), reference.stats(before)
    assert {name: plain(parts) for name, parts in counted.items()} == {
        name: plain(parts) for name, parts in expected.items()
    }


@given(events, events, seeds)
def test_only_campaigns_begun_after_the_upgrade_count_by_the_current_definitions(
    before, after, seed
):
    rng = random.Random(seed)
    before = [event for event in before if reference.campaign_of(event) == "spring"] or before[:1]
    begun = {reference.campaign_of(event) for event in before}
    world = after_previous_release(before, rng)
    while world.running:  # the last invocations of the previous release
        world.running[0].step()
    world.drain()
    world.arrive(*after)

    world.drain()

    counted = world.counted()
    for campaign in {*CAMPAIGNS.values()} - begun:
        assert counted.get(campaign, {}) == reference.stats(after).get(campaign, {})
    for campaign, parts in aggregates(world).items():
        [summary] = [one for one in parts if one.part == SUMMARY]
        assert summary.is_current or campaign in begun
        if campaign not in begun:
            assert summary.is_current


@given(events, seeds)
def test_a_summary_that_both_releases_counted_does_not_pass_for_current(happened, seed):
    """Both count, as after a rollback: what does not add up is marked until a recount.

    Bounces and complaints are left out: if the previous release counts nothing but the state that
    the current one has stored of them, it writes nothing that could be noticed. So are opt-outs
    from topics, of which the previous release did not store enough to tell.
    """
    left_out = ("Bounce", "Complaint")
    happened = [one for one in happened if one["eventType"] not in left_out and is_preserved(one)]
    world = World(releases=(PREVIOUS, *World().releases))
    world.arrive(*happened)

    chaos(world, seed)

    expected = reference.stats(happened)
    for campaign, parts in aggregates(world).items():
        [summary] = [one for one in parts if one.part == SUMMARY] or [None]
        if summary is not None and summary.is_current:
            counted = world.counted().get(campaign, {})
            assert counted.get(SUMMARY) == expected.get(campaign, {}).get(SUMMARY)


def test_the_archive_is_of_the_generation_before():
    assert GENERATION == 2
    assert not hasattr(PREVIOUS["functions.ingest"], "GENERATION")


@given(events, events, seeds)
def test_the_list_of_activity_has_what_the_previous_release_stored(before, happened, seed):
    world = after_previous_release(before, random.Random(seed))
    world.arrive(*happened)

    chaos(world, seed)

    for campaign in campaigns(world):
        assert listed(world, campaign, limit=100) == expected(world, campaign)

"""Laws of the counters by mailbox provider and by class of SMTP replies.

The laws of all counters (test_laws.py, test_crashes.py, test_upgrade.py) include them; these are
their own.
"""

import random
from collections import Counter
from unittest.mock import patch

from hypothesis import given
from hypothesis import strategies as st
from laws.test_ages import reclassify, unhooked
from laws.test_upgrade import PREVIOUS, after_previous_release
from support import client, reference
from support.chaos import chaos
from support.generate import events
from support.sums import require_sums_of_items
from support.world import World

from chalicelib.facts.forgotten import NOBODY
from chalicelib.live import deliverability
from chalicelib.stats.counters import (
    PROVIDER,
    PROVIDER_COUNTERS,
    REPLY,
    SUMMARY,
    UNDELIVERED,
)
from dashboard.recount.comparison import Facts

SPRING = "stats/email-campaign/spring"
KINDS = (PROVIDER, REPLY, UNDELIVERED)
seeds = st.integers(0, 2**32)


def of_kind(parts, kind):
    return {part: counts for part, counts in parts.items() if part.startswith(f"{kind}#")}


def total(parts, kind):
    """Return the sums over the items of a kind; counters of providers without their names."""
    found = Counter()
    for counts in of_kind(parts, kind).values():
        for name, count in counts.items():
            found[name.partition("@")[0]] += count
    return found


def of_summary(parts):
    """Return the counters of the summary that providers have."""
    return Counter(
        {name: count for name, count in parts[SUMMARY].items() if name in PROVIDER_COUNTERS}
    )


@given(events, seeds)
def test_the_providers_of_a_campaign_add_up_to_its_counters(happened, seed):
    world = World()
    world.arrive(*happened)

    chaos(world, seed, crashes=4)

    counted = world.counted()
    assert counted == reference.stats(happened)
    for parts in counted.values():
        summary, undelivered = of_summary(parts), total(parts, UNDELIVERED)
        assert total(parts, PROVIDER) == summary
        assert undelivered["delivery_delays"] == summary["delivery_delays"]
        assert undelivered["bounces"] == sum(
            summary[f"{kind}_bounces"] for kind in ("hard", "soft", "undetermined")
        )


def forget_providers(world, rng):
    """Make some items those of a release that stored neither providers nor classes of replies."""
    for item in list(world.dynamo.tables["EventsTable"].items()):
        if rng.random() < 0.6:
            world.dynamo.call(
                "update_item",
                TableName="EventsTable",
                Key={"message_id": item["message_id"], "fact": item["fact"]},
                UpdateExpression="REMOVE mp, mn, bc",
            )


@given(events, events, seeds)
def test_a_change_subtracts_at_a_provider_only_what_was_added(before, after, seed):
    """Old items have no provider. Settling them again, or counting more of their emails, adds up."""
    rng = random.Random(seed)
    world = World()
    world.arrive(*before)
    chaos(world, seed)
    unhooked(world, lambda: forget_providers(world, rng))
    world.arrive(*after, *rng.choices(before, k=2))
    chaos(world, seed)

    unhooked(world, lambda: reclassify(world))

    require_sums_of_items(world)


@given(events, seeds)
def test_what_the_previous_release_stored_counts_at_no_provider(before, seed):
    world = after_previous_release(before, random.Random(seed))
    world.releases = (PREVIOUS,)
    chaos(world, seed)
    world.releases = World().releases

    unhooked(world, lambda: reclassify(world))

    require_sums_of_items(world)
    for parts in world.counted().values():
        assert not any(of_kind(parts, kind) for kind in KINDS)


@given(events, seeds)
def test_a_recount_restores_and_removes_counters_of_providers(happened, seed):
    rng = random.Random(seed)
    world = World()
    world.arrive(*happened)
    world.drain()
    table = world.dynamo.tables["StatsTable"]
    for item in list(table.items()):
        if not item["part"]["S"].startswith(tuple(f"{kind}#" for kind in KINDS)):
            continue
        if rng.random() < 0.5:
            table.put(table.key(item), None)
        elif not item["part"]["S"].startswith(PROVIDER):
            table.put(table.key(item), {**item, "r@Nowhere": {"N": "3"}})
    facts = Facts(NOBODY)
    for item in world.dynamo.tables["EventsTable"].items():
        facts.add(item)

    unhooked(world, lambda: restate(world, facts))

    assert world.counted() == reference.stats(happened)


def restate(world, facts):
    """Restate the items of providers and replies, as `recount --apply` does."""
    process = world.new_process()
    positions = process.stats_table.positions.by_attribute(int(world.now))
    for campaign in facts.campaigns():
        stored = {one.part: one for one in process.stats_table.aggregates(campaign)}
        for part, pending in facts.of(campaign, world.now).items():
            if not part.startswith(KINDS):
                continue
            before = stored.get(part)
            process.stats_table.restate(
                (campaign, part),
                pending.over(before.counts if before else {}),
                version=before.version if before else 0,
                positions=positions,
                now=int(world.now),
            )


@given(events, events, seeds)
def test_a_viewer_who_keeps_the_first_replies_sees_what_a_snapshot_shows(before, after, seed):
    world = World()
    with (
        patch.object(deliverability, "MAX_REPLIES", 1),
        patch.object(client, "MOST_REPLIES", 1),
    ):
        world.arrive(*before)
        chaos(world, seed)
        viewer = world.subscribe(SPRING)
        world.arrive(*after)
        chaos(world, seed)

        fresh = world.snapshot(SPRING)
        assert viewer.topics[SPRING].shown == fresh.shown
        assert len([part for part in fresh.shown if part[0] == "reply"]) <= 1

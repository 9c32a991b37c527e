"""Laws of variants: the emails with one value of a message tag count as a campaign of their own.

The laws of all counters (test_laws.py, test_crashes.py, test_upgrade.py) include them; these are
their own.
"""

import random
from collections import Counter, defaultdict
from unittest.mock import patch

from hypothesis import given
from hypothesis import strategies as st
from laws.test_ages import reclassify, unhooked
from laws.test_upgrade import PREVIOUS, after_previous_release
from support import client, reference
from support.chaos import chaos
from support.generate import CAMPAIGNS, engagements, events
from support.sums import require_sums_of_items
from support.world import World

from chalicelib.facts.forgotten import NOBODY
from chalicelib.facts.state import ATTRIBUTES
from chalicelib.stats import tags
from chalicelib.stats.counters import COUNTERS, SUMMARY, VARIANT
from dashboard.recount.comparison import Facts

SPRING = "stats/email-campaign/spring"
VALUES = ("a", "b", "other", "z")
seeds = st.integers(0, 2**32)


def with_variants(happened, rng, values=VALUES):
    """Return events of emails that all have a variant."""
    of_email = {message: rng.choice(values) for message in CAMPAIGNS}
    for event in happened:
        event["mail"]["tags"]["variant"] = [of_email[event["mail"]["messageId"]]]
    return happened


def variants(parts):
    return {part: counts for part, counts in parts.items() if part.startswith(f"{VARIANT}#")}


def total(parts):
    """Return the sum over the variants of a campaign."""
    found = Counter()
    for counts in variants(parts).values():
        found.update(counts)
    return dict(found)


def of_summary(parts):
    """Return the counters of the summary that variants have."""
    return {name: count for name, count in parts[SUMMARY].items() if name in COUNTERS}


@given(events, seeds)
def test_the_variants_of_a_campaign_add_up_to_its_counters(happened, seed):
    world = World()
    happened = with_variants(happened, random.Random(seed))
    world.arrive(*happened)

    chaos(world, seed, crashes=4)

    counted = world.counted()
    assert counted == reference.stats(happened)
    for parts in counted.values():
        assert total(parts) == of_summary(parts)


def forget_tags(world, rng):
    """Make some states those of a release that did not store the tags of an email."""
    for item in list(world.dynamo.tables["EventsTable"].items()):
        if item["fact"]["S"].startswith("~state#") and rng.random() < 0.7:
            world.dynamo.call(
                "update_item",
                TableName="EventsTable",
                Key={"message_id": item["message_id"], "fact": item["fact"]},
                UpdateExpression=f"REMOVE {ATTRIBUTES['tags']}",
            )


@given(st.lists(engagements, max_size=8), st.lists(engagements, max_size=8), seeds)
def test_emails_of_an_earlier_release_are_unique_in_variants_once_settled_again(
    before, after, seed
):
    rng = random.Random(seed)
    happened = with_variants([*before, *after], rng)
    world = World()
    world.arrive(*before)
    chaos(world, seed)
    unhooked(world, lambda: forget_tags(world, rng))
    require_sums_of_items(world)
    world.arrive(*after, *rng.choices(before, k=min(2, len(before))))
    chaos(world, seed)
    require_sums_of_items(world)

    unhooked(world, lambda: reclassify(world))

    require_sums_of_items(world)
    assert world.counted() == reference.stats(happened)


@given(events, seeds)
def test_what_the_previous_release_stored_counts_in_no_variant(before, seed):
    """Settled by the current release, it still has no tags: variants count what follows."""
    rng = random.Random(seed)
    world = after_previous_release(with_variants(before, rng), rng)
    world.releases = (PREVIOUS,)
    chaos(world, seed)
    world.releases = World().releases

    unhooked(world, lambda: reclassify(world))

    require_sums_of_items(world)
    assert not any(map(variants, world.counted().values()))


@given(events, seeds)
def test_events_that_are_delivered_again_after_an_upgrade_add_up(before, seed):
    rng = random.Random(seed)
    before = with_variants(before, rng)
    world = after_previous_release(before, rng)
    world.arrive(*before)

    chaos(world, seed)

    require_sums_of_items(world)
    for parts in world.counted().values():
        counted = of_summary(parts)
        assert all(number <= counted.get(name, 0) for name, number in total(parts).items())


@given(events, seeds)
def test_a_recount_adds_the_variants_that_an_earlier_release_did_not_count(happened, seed):
    world = World()
    happened = with_variants(happened, random.Random(seed))
    world.arrive(*happened)
    world.drain()
    table = world.dynamo.tables["StatsTable"]
    for item in [one for one in table.items() if one["part"]["S"].startswith(f"{VARIANT}#")]:
        table.put(table.key(item), None)
    facts = Facts(NOBODY)
    for item in world.dynamo.tables["EventsTable"].items():
        facts.add(item)
    now = world.now

    def restate():
        process = world.new_process()
        positions = process.stats_table.positions.by_attribute(int(now))
        for campaign in facts.campaigns():
            for part, pending in variants(facts.of(campaign, now)).items():
                key = campaign, part
                process.stats_table.restate(
                    key, pending, version=0, positions=positions, now=int(now)
                )

    unhooked(world, restate)
    for lane in world.lanes():
        world.read_again(lane, 0, lane.given)
    world.drain()

    assert world.counted() == reference.stats(happened)


@given(events, events, seeds)
def test_a_viewer_who_keeps_the_first_values_sees_what_a_snapshot_shows(before, after, seed):
    """Of each tag, two values are shown; pushes have the first two of those that changed."""
    rng = random.Random(seed)
    happened = with_variants([*before, *after], rng)
    world = World()
    with patch.object(tags, "MAX_VALUES", 2), patch.object(client, "MOST_VARIANTS", 2):
        world.arrive(*happened[: len(before)])
        chaos(world, seed)
        viewer = world.subscribe(SPRING)
        world.arrive(*happened[len(before) :])
        chaos(world, seed)

        fresh = world.snapshot(SPRING)
        assert viewer.topics[SPRING].shown == fresh.shown
        assert len([part for part in fresh.shown if part[0] == "variant"]) <= 2


@given(events, seeds)
def test_the_rest_of_a_snapshot_is_what_its_variants_do_not_count(happened, seed):
    happened = with_variants(happened, random.Random(seed))
    world = World()
    world.arrive(*happened)
    with patch.object(tags, "MAX_VALUES", 1):
        world.drain()
        snapshot = world.subscribe(SPRING).frames[0]["snapshot"]

    rows = defaultdict(list)
    for row in snapshot["variants"]:
        rows[row.get("rest", False)].append(row)
    assert len(rows[False]) <= 1
    if rows[False]:
        added = Counter()
        for row in snapshot["variants"]:
            added.update(row["counts"])
        assert added == snapshot["counts"]
    assert [row["value"] for row in rows[True]] in ([], ["other"])

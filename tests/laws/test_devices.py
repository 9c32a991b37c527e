"""Laws of the counters by device and mail program.

The laws of all counters (test_laws.py, test_crashes.py, test_upgrade.py) include them; these are
their own.
"""

import random
from collections import Counter

from hypothesis import given
from hypothesis import strategies as st
from laws.test_ages import reclassify, unhooked
from support import reference, ses
from support.chaos import chaos
from support.generate import engagements, events
from support.sums import require_sums_of_items
from support.world import World

from chalicelib.stats.counters import AGES, DEVICE_METRICS, SUMMARY

SPRING = "stats/email-campaign/spring"
seeds = st.integers(0, 2**32)


def by_metric(counts):
    """Return the sums over all classes of devices."""
    found = Counter()
    for name, count in counts.items():
        metric, at, _ = name.partition("@")
        if at:
            found[metric] += count
    return found


@given(events, seeds)
def test_the_devices_of_a_campaign_add_up_to_its_unique_human_opens_and_clicks(happened, seed):
    world = World()
    world.arrive(*happened)

    chaos(world, seed, crashes=4)

    counted = world.counted()
    assert counted == reference.stats(happened)
    for parts in counted.values():
        summary = {name: parts[SUMMARY].get(name, 0) for name in DEVICE_METRICS}
        assert by_metric(parts.get(AGES, {})) == Counter(summary)


def forget_devices(world, rng):
    """Make some states those of a release that stored no devices."""
    for item in list(world.dynamo.tables["EventsTable"].items()):
        if item["fact"]["S"].startswith("~state#") and rng.random() < 0.7:
            world.dynamo.call(
                "update_item",
                TableName="EventsTable",
                Key={"message_id": item["message_id"], "fact": item["fact"]},
                UpdateExpression="REMOVE ow, cw",
            )


@given(st.lists(engagements, max_size=8), st.lists(engagements, max_size=8), seeds)
def test_emails_of_an_earlier_release_have_a_device_once_settled_again(before, after, seed):
    rng = random.Random(seed)
    world = World()
    world.arrive(*before)
    chaos(world, seed)
    unhooked(world, lambda: forget_devices(world, rng))
    require_sums_of_items(world)
    world.arrive(*after, *rng.choices(before, k=min(2, len(before))))
    chaos(world, seed)
    require_sums_of_items(world)

    unhooked(world, lambda: reclassify(world))

    require_sums_of_items(world)
    assert world.counted() == reference.stats([*before, *after])


@given(events, events, seeds)
def test_a_viewer_sees_the_devices_that_a_snapshot_shows(before, after, seed):
    world = World()
    world.arrive(*before)
    chaos(world, seed)
    viewer = world.subscribe(SPRING)
    world.arrive(*after)
    chaos(world, seed)

    assert viewer.topics[SPRING].parts["devices"] == world.snapshot(SPRING).parts["devices"]


def test_a_device_whose_last_email_turns_out_a_bots_disappears_for_viewers():
    """A bot follows five links at once, after an open by the same browser."""
    world = World()
    viewer = world.subscribe(SPRING)
    world.arrive(ses.an_open(at="2026-11-23T10:05:00.000Z", agent=ses.TELEPHONE))
    world.drain()
    devices = viewer.topics[SPRING].parts["devices"]
    assert [(one["device"], one["client"]) for one in devices["classes"]] == [("phone", "Safari")]

    at = "2026-11-23T10:05:{:06.3f}Z".format
    links = [f"https://example.com/{number}" for number in range(5)]
    clicks = (
        ses.a_click(at=at(1 + number / 10), link=one, agent=ses.TELEPHONE)
        for number, one in enumerate(links)
    )
    world.arrive(*clicks)
    world.drain()

    assert viewer.topics[SPRING].parts["devices"]["classes"] == []

"""Compared with an SES that counts the same events, nothing is unexplained once facts are read."""

from collections import Counter, defaultdict
from datetime import date
from random import Random

from hypothesis import given
from hypothesis import strategies as st
from support import ses
from support.chaos import chaos
from support.generate import events
from support.world import World

from chalicelib.insight.day_counts import METRICS, Known, TheirDay
from chalicelib.insight.reconciliation import reconcile
from chalicelib.stats import daily
from dashboard.reconcile import emails

FIRST, LAST = date(2026, 11, 23), date(2026, 11, 24)
DAYS = [FIRST.isoformat(), LAST.isoformat()]
TYPES = {
    "Send": ("sends", None),
    "Delivery": ("deliveries", "delivery"),
    "Bounce": ("bounces", "bounce"),
    "Complaint": ("complaints", "complaint"),
    "Reject": ("rejects", None),
    "Rendering Failure": ("rendering_failures", None),
    "Open": ("opens", "open"),
    "Click": ("clicks", "click"),
}
seeds = st.integers(0, 2**32)


def counted_by_ses(happened):
    """Return what SES counts: events, however many recipients they name."""
    found = defaultdict(Counter)
    identities = set()
    for event in happened:
        if event["eventType"] in TYPES:
            metric, name = TYPES[event["eventType"]]
            about = event[name] if name else {}
            at = about.get("timestamp", event["mail"]["timestamp"])
            what = about.get("link"), about.get("feedbackId")
            identities.add((metric, event["mail"]["messageId"], at, what))
    for metric, _, at, _ in identities:
        found[at[:10]][metric] += 1
    return {day: TheirDay(dict(counts)) for day, counts in found.items()}


def read(world):
    """Return our counts by day, and what the facts tell."""
    world.dynamo.before_call = lambda *_: None
    process = world.new_process()
    counts = daily.read(process.stats_table, FIRST, LAST, last_hours=DAYS)
    return counts, emails.read(process.events_table.scan(), lambda _: None)


@given(events, seeds)
def test_with_the_facts_our_counts_are_the_number_of_ses_events(happened, seed):
    rng = Random(seed)
    world = World()
    world.arrive(*happened, *rng.choices(happened, k=rng.randint(0, len(happened))))
    chaos(world, seed)

    counts, told = read(world)

    theirs = counted_by_ses(happened)
    for day in DAYS:
        for metric in METRICS["cloudwatch"]:
            ours = metric.ours(counts.days[day].counts)
            ours -= told.extra.get(day, {}).get(metric.name, 0)
            ours += told.repeated.get(day, {}).get(metric.name, 0)
            assert ours == theirs.get(day, TheirDay()).counts.get(metric.name, 0), metric.name


@given(events, seeds)
def test_with_the_facts_no_difference_is_unexplained(happened, seed):
    world = World()
    world.arrive(*happened)
    chaos(world, seed)

    counts, told = read(world)

    theirs = {"cloudwatch": counted_by_ses(happened)}
    compared = reconcile(DAYS, Known(counts.days, theirs, emails=told))
    assert [one for one in compared if one.unexplained] == []


@given(st.integers(1, 20), st.integers(1, 20), seeds)
def test_events_that_were_lost_are_unexplained(lost, sent, seed):
    world = World()
    world.arrive(*[ses.a_send(f"m-{number}") for number in range(sent)])
    chaos(world, seed)

    counts, told = read(world)

    theirs = {"cloudwatch": {DAYS[0]: TheirDay({"sends": sent + lost})}}
    compared = reconcile(DAYS, Known(counts.days, theirs, emails=told))
    [total] = [one for one in compared if one.metric == "sends" and one.day is None]
    assert total.unexplained == -lost

"""How long events take from SES to the counters, measured from their own times."""

from collections import Counter
from datetime import UTC, datetime
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.stats.delays import (
    NAMES,
    WINDOW_SECONDS,
    Reading,
    added,
    delays,
    delays_in,
    kept,
)
from chalicelib.stats.health import Findings, findings_to_item, health_from_item

AT = 1_795_467_600  # 2026-11-23T21:00:00Z


def record(*, kind="Open", at=0.0, queued=1.0, stored=2, name="INSERT", **image):
    """Return a stream record of a fact; times are in seconds after AT."""
    happened = datetime.fromtimestamp(AT + at, UTC).isoformat(timespec="milliseconds")
    return {
        "eventName": name,
        "dynamodb": {
            "ApproximateCreationDateTime": AT + stored,
            "NewImage": {
                "e": {"S": kind},
                "t": {"S": happened.replace("+00:00", "Z")},
                "sq": {"N": str(round((AT + queued) * 1000))},
                **image,
            },
        },
    }


def measured(*records, now):
    return {one.hop: one for one in delays(delays_in(records, AT + now))}


def test_each_hop_is_measured_from_the_times_of_the_event():
    # DynamoDB rounds 4.5 s down to 4 s.
    found = measured(record(at=0, queued=1, stored=4), now=12.5)

    assert {hop: one.p50 for hop, one in found.items()} == pytest.approx(
        {"ses": 1, "queue": 3.5, "count": 8, "total": 12.5}, rel=0.2
    )
    assert {one.events for one in found.values()} == {1}


def test_median_and_p99_are_those_of_the_events():
    quick = [record(queued=0.5)] * 98
    slow = [record(queued=30, stored=31)] * 2

    ses = measured(*quick, *slow, now=40)["ses"]

    assert ses.p50 == pytest.approx(0.5, rel=0.2)
    assert ses.p99 == pytest.approx(30, rel=0.2)
    assert ses.events == 100


@given(st.floats(0.2, 80_000))
def test_a_delay_is_right_within_a_fifth(seconds):
    queue = measured(record(queued=-seconds, stored=0), now=0)["queue"]

    assert queue.p50 == pytest.approx(seconds + 0.5, rel=0.21)


def test_only_new_facts_with_a_time_of_arrival_are_measured():
    unknown = record()
    del unknown["dynamodb"]["NewImage"]["sq"]

    found = delays_in([unknown, record(name="MODIFY"), {"eventName": "REMOVE"}], AT)

    assert not found


@pytest.mark.parametrize(
    "image",
    [{"t": {"S": "soon"}}, {"t": {"N": "1"}}, {"sq": {"S": "soon"}}, {"sq": {"N": "x"}}, {"e": {}}],
)
def test_a_malformed_record_is_not_measured(image):
    assert not delays_in([record(**image)], AT)


@pytest.mark.parametrize("kind", ["Bounce", "Complaint"])
def test_times_of_other_servers_are_no_delay_of_ses(kind):
    assert measured(record(kind=kind), now=3).keys() == {"queue", "count"}


def test_replayed_events_are_not_late():
    assert measured(record(at=-3601, queued=0), now=3).keys() == {"queue", "count"}


def test_a_clock_that_is_ahead_gives_the_shortest_delay():
    assert measured(record(at=5, queued=1), now=3)["ses"].p99 == 0.06


records = st.builds(
    record,
    at=st.floats(-4000, 10),
    queued=st.floats(-20, 10),
    stored=st.integers(-10, 4000),
    kind=st.sampled_from(["Open", "Bounce", "Send"]),
)


@given(st.lists(records), st.lists(st.integers(0, 20)), st.randoms())
def test_the_sums_are_the_same_in_any_order_and_in_any_batches(found, cuts, random):
    whole = delays_in(found, AT)
    random.shuffle(found)
    parts, start = Counter(), 0
    for size in [*cuts, len(found)]:
        parts += delays_in(found[start : start + size], AT)
        start += size

    assert parts == whole
    assert whole.keys() <= NAMES


sums = st.dictionaries(st.sampled_from(sorted(NAMES)), st.integers(0, 99), max_size=5)
shards = st.dictionaries(st.sampled_from("abc"), sums)


@given(st.lists(shards, min_size=2, max_size=6))
def test_differences_of_readings_add_up(increments):
    total = Counter()
    readings = []
    held = {}
    for number, increment in enumerate(increments):
        held = {
            shard: dict(Counter(held.get(shard, {})) + Counter(increment.get(shard, {})))
            for shard in held.keys() | increment.keys()
        }
        readings.append(Reading(60.0 * number, held))
    for before, after in pairwise(readings):
        total += added(before, after)

    assert total == added(readings[0], readings[-1])


def test_a_shard_that_has_expired_is_not_subtracted():
    before = Reading(0, {"old": {"q1": 9}, "kept": {"q1": 5}})
    after = Reading(60, {"kept": {"q1": 7}, "new": {"q1": 1}})

    assert added(before, after) == {"q1": 3}


@given(st.lists(st.integers(1, 200), max_size=20))
def test_the_kept_readings_cover_the_window_and_no_more(steps):
    now, readings = 0.0, []
    for step in steps:
        now += step
        readings = [*kept(readings, now), Reading(now, {})]

    assert len([one for one in readings if one.at <= now - WINDOW_SECONDS]) <= 1
    if now - (steps[0] if steps else 0) >= WINDOW_SECONDS:
        assert readings[0].at <= now - WINDOW_SECONDS


def test_no_events_have_no_delays():
    assert delays({}) == ()


def test_delays_are_stored_with_the_findings():
    found = delays(delays_in([record()], AT + 3))
    item = findings_to_item(Findings("2026-11-23T21:00:00Z", delays=found))

    assert health_from_item(item).findings.delays == found
    later = {**item, "delays": {"S": '[["a later hop", 1, 2, 3]]'}}
    assert health_from_item(later).findings.delays is None

"""What the pace of a campaign is computed from."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.insight.curves import SendBucket
from chalicelib.stats.counters import SUMMARY, Aggregate
from chalicelib.stats.directory import entry_of
from chalicelib.stats.pace import ENDED, YOUNG, earlier_entries, is_due, send_buckets
from chalicelib.stats.pace_item import (
    PaceNow,
    StoredPace,
    pace_from_item,
    pace_now,
    pace_now_from_summary,
    pace_now_to_text,
)

START = datetime(2026, 11, 23, 10, tzinfo=UTC)


def sent(part, sends):
    return Aggregate("spring", part, 1, {"sends": sends})


def test_each_send_is_in_one_bucket_the_finest_that_is_known():
    """The minute 10:01 is not read, and neither is the hour 9."""
    found = send_buckets(
        [
            sent("day#2026-11-23", 1000),
            sent("hour#2026-11-23T10", 600),
            sent("minute#2026-11-23T10:00", 250),
            sent("minute#2026-11-23T10:02", 150),
        ]
    )

    assert sorted(found) == [
        SendBucket(START.replace(hour=0), timedelta(days=1), 400),
        SendBucket(START, timedelta(minutes=1), 250),
        SendBucket(START, timedelta(hours=1), 200),
        SendBucket(START.replace(minute=2), timedelta(minutes=1), 150),
    ]


minutes = st.dictionaries(st.integers(0, 4000), st.integers(1, 50), max_size=20)


@given(minutes, st.sets(st.integers(0, 4000)), st.sets(st.integers(0, 70)))
def test_all_sends_are_in_the_buckets_whatever_is_not_read(sends, lost_minutes, lost_hours):
    totals = {}
    for minute, number in sends.items():
        at = (START + timedelta(minutes=minute)).strftime("%Y-%m-%dT%H:%M")
        for part in (f"minute#{at}", f"hour#{at[:13]}", f"day#{at[:10]}"):
            totals[part] = totals.get(part, 0) + number
    lost = {
        *(
            (START + timedelta(minutes=one)).strftime("minute#%Y-%m-%dT%H:%M")
            for one in lost_minutes
        ),
        *((START + timedelta(hours=one)).strftime("hour#%Y-%m-%dT%H") for one in lost_hours),
    }

    found = send_buckets(sent(part, total) for part, total in totals.items() if part not in lost)

    assert sum(one.emails for one in found) == sum(sends.values())
    assert all(one.emails > 0 for one in found)


@pytest.mark.parametrize(
    ("age", "computed_before", "due"),
    [
        (timedelta(0), None, True),
        (YOUNG - timedelta(minutes=1), timedelta(minutes=1), True),
        (YOUNG, timedelta(minutes=1), False),
        (YOUNG, timedelta(hours=1), True),
        (YOUNG, None, True),
        (ENDED - timedelta(minutes=1), None, True),
        (ENDED, None, False),
        (ENDED, timedelta(hours=1), False),
    ],
)
def test_a_pace_is_computed_each_minute_then_each_hour_and_no_more(age, computed_before, due):
    now = START + age + timedelta(minutes=30)
    first = START + timedelta(minutes=30)

    assert is_due(first, computed_before and now - computed_before, now) == due


@pytest.mark.parametrize(
    "item",
    [{}, {"v": {"N": "1"}, "pace": {"S": "3"}}, {"v": {"N": "1"}, "pace": {"S": "{"}}, {"v": 1}],
)
def test_a_malformed_item_is_no_pace(item):
    with pytest.raises(ValueError, match="not a pace"):
        pace_from_item(item)


OPENS, CLICKS = (200, 134, 119, 153), (21, 18, 11, 27)


@pytest.mark.parametrize(
    ("pace", "ratio"),
    [
        (PaceNow(1, OPENS, CLICKS), 200 / 134),
        (PaceNow(1, None, CLICKS), 21 / 18),
        (PaceNow(1, (3, 0, 0, 1), CLICKS), 21 / 18),
        (PaceNow(1, (0, 9, 5, 14), CLICKS), 0),
        (PaceNow(1), None),
    ],
)
def test_the_ratio_is_that_of_opens_or_else_of_clicks(pace, ratio):
    assert pace.ratio == ratio


@pytest.mark.parametrize(
    "content",
    [
        {"campaigns": 3, "needed": 5},
        {"campaigns": 9, "at": "2026-11-23T10:42:00Z", "forecast": []},
        {"human_opens": dict(zip(("actual", "expected", "low", "high"), OPENS, strict=True))},
        {"human_clicks": dict(zip(("actual", "expected", "low", "high"), CLICKS, strict=True))},
    ],
)
def test_the_pace_in_a_summary_is_read_as_it_was_written(content):
    pace = pace_now(StoredPace(content, 7))
    item = {"pace_v": {"N": "7"}, "pace_now": {"S": pace_now_to_text(pace)}}

    assert pace_now_from_summary(item) == pace
    assert pace.metrics() == {
        name: one for name, one in content.items() if name in ("human_opens", "human_clicks")
    }


@pytest.mark.parametrize(
    "item",
    [
        {},
        {"pace_v": {"N": "7"}},
        {"pace_now": {"S": "[null,null]"}},
        {"pace_v": {"N": "7"}, "pace_now": {"S": "[["}},
        {"pace_v": {"N": "7"}, "pace_now": {"S": '{"opens":[1,2]}'}},
    ],
)
def test_a_summary_without_a_readable_pace_has_none(item):
    assert pace_now_from_summary(item) is None


def test_a_campaign_is_not_compared_with_earlier_tests():
    def summary(name, day, *, is_test=False):
        return Aggregate(
            name,
            SUMMARY,
            counts={"deliveries": 1000, "unique_human_opens": 300},
            first_event_at=f"2026-11-{day}T10:00:00Z",
            sender="Green Shop",
            is_test=is_test,
        )

    entries = [entry_of(summary("draft", 10, is_test=True)), entry_of(summary("winter", 11))]

    assert [one.campaign for one in earlier_entries(entries, summary("spring", 23))] == ["winter"]

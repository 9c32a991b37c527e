"""The daily comparison with SES: when it is due, and how its result is stored."""

from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.insight.difference_causes import Cause
from chalicelib.insight.reconciliation import Comparison, explain
from chalicelib.insight.runway import Runway
from chalicelib.stats.reconciled import (
    Metric,
    Reconciled,
    Stored,
    due,
    metrics_of,
    result_to_text,
    stored_from_item,
    to_message,
)

DAY = "2026-11-28"


def at(time):
    return datetime.fromisoformat(f"2026-11-29T{time}:00+00:00")


def stored(day=DAY, state="compared", tried="00:00"):
    return Stored(int(at(tried).timestamp()), Reconciled(day, f"{day}T23:59:59Z", state), 1)


@pytest.mark.parametrize(
    ("time", "day"),
    [("00:10", date(2026, 11, 27)), ("01:29", date(2026, 11, 27)), ("01:30", date(2026, 11, 28))],
)
def test_a_day_is_compared_when_the_metrics_of_ses_are_complete(time, day):
    assert due(Stored(), at(time)) == day


def test_a_day_is_compared_once():
    assert due(stored(), at("01:30")) is None
    assert due(stored("2026-11-27"), at("01:30")) == date(2026, 11, 28)


@pytest.mark.parametrize("state", ["unpublished", "too_many"])
def test_what_the_same_day_cannot_change_is_not_repeated(state):
    assert due(stored(state=state), at("12:00")) is None


@pytest.mark.parametrize("state", ["denied", "failed"])
def test_a_failed_comparison_is_repeated_after_an_hour(state):
    before = stored(state=state, tried="02:00")

    assert due(before, at("02:59")) is None
    assert due(before, at("03:00")) == date(2026, 11, 28)


def test_a_comparison_that_did_not_end_is_repeated_after_an_hour():
    before = Stored(int(at("01:30").timestamp()))

    assert due(before, at("02:29")) is None
    assert due(before, at("02:30")) == date(2026, 11, 28)


@given(st.lists(st.integers(1, 7 * 1440), max_size=20))
def test_no_day_is_compared_twice_and_none_before_it_is_over(minutes):
    now, held, compared = at("00:00"), Stored(), []
    for step in minutes:
        now += timedelta(minutes=step)
        if (day := due(held, now)) is not None:
            compared.append(day)
            held = Stored(int(now.timestamp()), Reconciled(day.isoformat(), "", "compared"))
            assert datetime(day.year, day.month, day.day, tzinfo=UTC) + timedelta(days=1) < now

    assert compared == sorted(set(compared))


def test_a_result_is_read_as_it_was_stored():
    result = Reconciled(
        DAY,
        "2026-11-29T01:30:00Z",
        "compared",
        (Metric("sends", 3, None, 0),),
        (Runway("bounces", 0.01, 0.05, 7, 5, 9),),
        0.5,
        60,
    )
    item = {"tried": {"N": "7"}, "v": {"N": "2"}, "result": {"S": result_to_text(result)}}

    assert stored_from_item(item) == Stored(7, result, 2)


def test_a_result_of_a_later_release_is_unknown():
    item = {"tried": {"N": "7"}, "result": {"S": '{"day": "2026-11-28", "state": "later"}'}}

    assert stored_from_item(item) == Stored(7)
    assert stored_from_item({}) == Stored()


def test_only_causes_in_the_direction_of_the_difference_are_shown():
    causes = [Cause("around_midnight", -2, 5), Cause("waiting", -9, 0)]
    more = explain(Comparison("cloudwatch", "sends", DAY, 13, 10), causes)
    less = explain(Comparison("cloudwatch", "opens", DAY, 10, 33), causes)
    same = explain(Comparison("cloudwatch", "clicks", DAY, 10, 10), causes)
    total = Comparison("cloudwatch", "sends", None, 1, 1)

    shown = to_message(Reconciled(DAY, "", "compared", metrics_of([total, more, less, same], DAY)))

    assert [
        (one["metric"], one["explained"], one["unexplained"], one["causes"])
        for one in shown["metrics"]
    ] == [
        ("sends", 3, 0, [{"name": "around_midnight", "most": 5}]),
        (
            "opens",
            -11,
            -12,
            [{"name": "around_midnight", "most": 2}, {"name": "waiting", "most": 9}],
        ),
        ("clicks", 0, 0, []),
    ]

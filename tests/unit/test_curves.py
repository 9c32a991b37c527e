"""Response curves: emails by their age at the first human open or click."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.insight.curves import (
    AGE_EDGES_SECONDS,
    BUCKETS,
    Curve,
    SendBucket,
    Sent,
    bucket,
    curve,
    mean_count,
    sending,
)

MINUTE, HOUR, DAY = 60, 3600, 86_400
NINE = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)

ages = st.floats(-HOUR, 80 * DAY)
curves = st.lists(st.integers(0, 1000), min_size=BUCKETS, max_size=BUCKETS).map(
    lambda counts: Curve(tuple(counts))
)


def curve_of(ages_seconds):
    counts = dict.fromkeys(range(BUCKETS), 0)
    for age in ages_seconds:
        counts[bucket(age)] += 1
    return curve(counts)


def test_there_are_forty_buckets_from_a_minute_to_sixty_days():
    assert BUCKETS == 40
    assert AGE_EDGES_SECONDS[0] == MINUTE
    assert AGE_EDGES_SECONDS[-1] == 60 * DAY
    assert sorted(set(AGE_EDGES_SECONDS)) == list(AGE_EDGES_SECONDS)


@pytest.mark.parametrize("age", [15 * MINUTE, HOUR, 4 * HOUR, DAY, 7 * DAY])
def test_ages_that_people_ask_for_are_edges(age):
    assert age in AGE_EDGES_SECONDS


@pytest.mark.parametrize(
    ("age", "number"),
    [
        pytest.param(0, 0, id="at once"),
        pytest.param(59.999, 0, id="below a minute"),
        pytest.param(60, 1, id="a minute"),
        pytest.param(-5, 0, id="clocks that disagree"),
        pytest.param(60 * DAY - 0.001, 39, id="below sixty days"),
        pytest.param(61 * DAY, 39, id="more than sixty days"),
    ],
)
def test_an_age_belongs_to_the_bucket_below_whose_edge_it_is(age, number):
    assert bucket(age) == number


@given(st.permutations([30, 70, 400, 3000, 90_000, 90_000]))
def test_a_curve_does_not_depend_on_the_order_of_the_opens(order):
    assert curve_of(order) == curve_of(sorted(order))


@given(st.lists(ages, max_size=50), st.sampled_from(AGE_EDGES_SECONDS[:-1]))
def test_a_curve_is_exact_at_the_edges(opened_at, edge):
    assert curve_of(opened_at).at(edge) == sum(age < edge for age in opened_at)


@given(curves, ages, ages)
def test_a_curve_never_falls(response, one, other):
    lower, higher = sorted([one, other])
    assert response.at(lower) <= response.at(higher) + 1e-9


@given(curves, ages)
def test_a_curve_lies_between_nothing_and_its_total(response, age):
    assert 0 <= response.at(age) <= response.total


def test_between_two_edges_a_curve_grows_with_the_logarithm_of_the_age():
    response = curve({bucket(1.5 * HOUR - 1): 100})
    assert response.at(HOUR) == 0
    assert response.at((HOUR * 1.5 * HOUR) ** 0.5) == pytest.approx(50)
    assert response.at(1.5 * HOUR) == 100


def test_a_bucket_that_is_negative_for_a_moment_counts_as_empty():
    assert curve({0: 5, 3: -2, 4: 1}).at(DAY) == 6


def test_a_curve_with_another_number_of_buckets_is_rejected():
    with pytest.raises(ValueError, match="40 counts, not 2"):
        Curve((1, 2))


def test_a_bucket_that_does_not_exist_is_rejected():
    with pytest.raises(ValueError, match="no bucket has the number 40; the last is 39"):
        curve({40: 1})


def test_emails_have_the_mean_age_of_their_minute():
    buckets = [SendBucket(NINE, timedelta(minutes=1), 10)]
    assert sending(buckets, NINE + timedelta(minutes=5)) == [Sent(4.5 * MINUTE, 10)]


def test_emails_of_the_current_minute_have_half_the_time_since_it_began():
    buckets = [SendBucket(NINE, timedelta(minutes=1), 10)]
    assert sending(buckets, NINE + timedelta(seconds=20)) == [Sent(10, 10)]


@pytest.mark.parametrize(
    ("at", "emails"),
    [
        (timedelta(0), []),
        (timedelta(minutes=15), [(7.5, 25, 14)]),
        (timedelta(minutes=60), [(30, 100, 59)]),
        (timedelta(minutes=75), [(45, 100, 59), (7.5, 30, 14)]),
        (timedelta(minutes=90), [(60, 100, 59), (15, 60, 29)]),
        (timedelta(minutes=150), [(120, 100, 59), (75, 60, 29)]),
    ],
)
def test_emails_of_another_moment_are_spread_evenly_over_their_buckets(at, emails):
    """The buckets were read at half past ten, in the second hour of sending."""
    hour = timedelta(hours=1)
    buckets = [SendBucket(NINE, hour, 100), SendBucket(NINE + hour, hour, 60)]

    assert sending(buckets, NINE + at, NINE + timedelta(minutes=90)) == [
        Sent(age * MINUTE, number, lasted * MINUTE) for age, number, lasted in emails
    ]


def test_empty_and_future_minutes_are_left_out():
    minute = timedelta(minutes=1)
    buckets = [SendBucket(NINE, minute, 0), SendBucket(NINE + 9 * minute, minute, 3)]
    assert sending(buckets, NINE + minute) == []


def test_a_curve_is_averaged_over_the_ages_of_the_emails():
    response = curve({bucket(HOUR - 1): 60, bucket(DAY - 1): 40})
    emails = [Sent(HOUR, 300), Sent(DAY, 100)]
    assert mean_count(response, emails) == pytest.approx((300 * 60 + 100 * 100) / 400)
    assert mean_count(response, emails, most_seconds=HOUR) == pytest.approx(60)

"""How a campaign does for its age, compared with earlier campaigns, and what it will count."""

import math
from collections import Counter
from datetime import UTC, datetime, timedelta
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from chalicelib.insight.curves import AGE_EDGES_SECONDS, SendBucket, Sent, bucket, curve, sending
from chalicelib.insight.hierarchy import Component, Count, levels, observed, quantile, rates
from chalicelib.insight.history import Campaign, Running, Silence, comparable
from chalicelib.insight.pace import (
    Forecast,
    Moment,
    Pace,
    course,
    forecast,
    pace,
    track_record,
)

MINUTE, HOUR, DAY = 60, 3600, 86_400
NOW = datetime(2026, 11, 23, 10, 0, tzinfo=UTC)
OPENS, CLICKS = "unique_human_opens", "unique_human_clicks"
# Of the emails that are opened, how many are so before each age.
SPEED = {15 * MINUTE: 0.10, HOUR: 0.27, 4 * HOUR: 0.52, DAY: 0.83, 7 * DAY: 0.97, 60 * DAY: 1.0}


def response(opens, until=60 * DAY):
    """Return a curve of emails that are opened at the usual speed, known up to an age."""
    counts, before = {}, 0
    for age, share in SPEED.items():
        if age <= until:
            counts[bucket(age - 1)] = round(opens * share) - before
            before = round(opens * share)
    return curve(counts)


def earlier(number, opens, *, deliveries=2000, weeks=None, group="news", clicks=None):
    """Return a campaign that was sent some weeks ago, at once."""
    sent = NOW - timedelta(weeks=weeks or number)
    curves = {OPENS: response(opens), CLICKS: response(opens // 10 if clicks is None else clicks)}
    return Campaign(f"news-{number:02}", group, sent, sent, deliveries, curves)


def weeks_of(*opens, deliveries=2000):
    """Return one campaign a week, the latest first, with these opens."""
    return [
        earlier(number, count, deliveries=deliveries) for number, count in enumerate(opens, start=2)
    ]


HISTORY = weeks_of(500, 480, 520, 450, 550, 510, 490, 505, 530, 470)


def today(opens, *, age=HOUR, deliveries=2000, clicks=0, sent=None):
    """Return a campaign that was sent an hour ago, or at other ages."""
    emails = sent or [Sent(age, deliveries)]
    first = NOW - timedelta(seconds=max(one.age_seconds for one in emails))
    last = NOW - timedelta(seconds=min(one.age_seconds for one in emails))
    counted = {bucket(age - 1): opens} if isinstance(opens, int) else opens
    curves = {OPENS: curve(counted), CLICKS: curve({bucket(age - 1): clicks})}
    return Running(Campaign("today", "news", first, last, deliveries, curves), NOW, emails)


def pace_of(running, past=HISTORY):
    return pace(running, comparable(running.campaign, past), OPENS)


def forecast_of(running, past=HISTORY, age=DAY):
    return forecast(running, comparable(running.campaign, past), OPENS, age)


histories = st.lists(st.integers(20, 1900), min_size=5, max_size=25).map(lambda o: weeks_of(*o))


# Which campaigns are comparable.


def ids(campaigns):
    return [one.id for one in campaigns]


def test_the_twenty_latest_campaigns_are_compared_in_order():
    past = weeks_of(*range(400, 430))
    assert ids(comparable(today(0).campaign, past)) == [
        f"news-{number:02}" for number in range(21, 1, -1)
    ]


@given(st.permutations(HISTORY))
def test_the_order_in_which_campaigns_are_read_does_not_matter(order):
    assert comparable(today(0).campaign, order) == comparable(today(0).campaign, HISTORY)


@pytest.mark.parametrize(
    "other",
    [
        pytest.param(earlier(1, 500, deliveries=499), id="fewer than 500 deliveries"),
        pytest.param(earlier(1, 500, group="sales"), id="another sender"),
        pytest.param(earlier(1, 0), id="no tracking"),
        pytest.param(today(90).campaign, id="itself"),
        pytest.param(earlier(1, 500, weeks=-1), id="later"),
    ],
)
def test_other_campaigns_are_not_compared(other):
    assert comparable(today(0).campaign, [*HISTORY, other]) == comparable(
        today(0).campaign, HISTORY
    )


def test_campaigns_that_began_at_once_are_ordered_by_id():
    first = earlier(2, 500)
    other = replace(first, id="news-03")
    assert ids(comparable(other, [first])) == ["news-02"]
    assert comparable(first, [other]) == []


# Silence.


@pytest.mark.parametrize(
    ("running", "past", "silence"),
    [
        pytest.param(
            today(90), HISTORY[:4], Silence("too_few_campaigns", 4, 5), id="four campaigns"
        ),
        pytest.param(
            today(9, deliveries=199), HISTORY, Silence("too_few_deliveries", 199, 200), id="199"
        ),
        pytest.param(
            today(0, sent=[Sent(5, 0)]), HISTORY, Silence("nothing_sent", 0, 1), id="nothing sent"
        ),
        pytest.param(
            today(0, deliveries=200),
            weeks_of(*[100] * 9),
            Silence("too_early", 2, 5),
            id="less than five opens are usual by now",
        ),
    ],
)
def test_nothing_is_said_of_the_pace_with_too_little_data(running, past, silence):
    assert pace_of(running, past) == silence


def test_nothing_is_forecast_with_too_little_data():
    assert forecast_of(today(90), HISTORY[:4]) == Silence("too_few_campaigns", 4, 5)
    assert forecast_of(today(9, deliveries=199)) == Silence("too_few_deliveries", 199, 200)
    assert forecast_of(today(0, deliveries=200), weeks_of(*[10] * 9)) == Silence(
        "no_response_expected", 0, 5
    )


def test_nothing_is_said_before_anything_is_sent():
    empty = replace(today(0), emails=[])
    assert pace_of(empty) == Silence("nothing_sent", 0, 1)
    assert forecast_of(empty) == Silence("nothing_sent", 0, 1)


def test_campaigns_that_have_not_reached_the_age_are_left_out():
    """Their emails have had less time, so their curves would be too low."""
    three_days_ago = [
        replace(
            earlier(number, 500),
            first_event_at=NOW - timedelta(days=3),
            last_accepted_at=NOW - timedelta(days=3),
        )
        for number in range(20, 24)
    ]
    past = [*HISTORY[:1], *three_days_ago]
    assert isinstance(forecast_of(today(130), past, DAY), Forecast)
    assert forecast_of(today(130), past, 7 * DAY) == Silence("too_few_campaigns", 1, 5)


def test_campaigns_that_are_still_being_sent_are_left_out():
    """Their last emails are younger than this campaign's first."""
    half_an_hour_ago = NOW - timedelta(minutes=30)
    sending = [replace(earlier(20, 500), last_accepted_at=half_an_hour_ago)]
    assert pace_of(today(135), [*HISTORY[:5], *sending]).expected.campaigns == 5
    assert pace_of(today(135), [*HISTORY[:4], *sending]) == Silence("too_few_campaigns", 4, 5)


@given(histories, st.integers(0, 199))
def test_the_minimum_of_deliveries_holds_for_any_history(past, deliveries):
    running = today(0, deliveries=deliveries, sent=[Sent(HOUR, 300)])
    for found in (pace_of(running, past), forecast_of(running, past)):
        assert found == Silence("too_few_deliveries", deliveries, 200)


# Pace.


def test_a_campaign_that_does_as_usual_is_usual():
    found = pace_of(today(135))
    assert found.actual == 135
    assert is_usual(found)
    assert found.expected.expected == pytest.approx(135, rel=0.05)
    assert found.expected.campaigns == 10


def is_usual(found):
    return found.expected.low <= found.actual <= found.expected.high


@pytest.mark.parametrize("opens", [200, 70])
def test_a_campaign_with_many_or_few_opens_is_not_usual(opens):
    assert not is_usual(pace_of(today(opens)))


def test_expected_is_the_usual_share_at_the_age_of_each_email():
    """Half of the emails are an hour old, half are a quarter of an hour."""
    sent = [Sent(HOUR, 1000), Sent(15 * MINUTE, 1000)]
    found = pace_of(today(90, sent=sent), weeks_of(*[500] * 20))
    assert found.expected.expected == pytest.approx((135 + 50) / 2, rel=0.02)


def test_expected_follows_the_deliveries_so_far():
    small, large = (pace_of(today(50, deliveries=some)).expected.expected for some in (1000, 4000))
    assert large == pytest.approx(4 * small, rel=0.02)


def test_the_more_campaigns_differ_the_wider_is_what_is_usual():
    alike, different = (
        pace_of(today(135), weeks_of(*opens)).expected
        for opens in ([500] * 10, [250, 1000, 400, 600, 300, 800, 350, 700, 500, 500])
    )
    assert different.high / different.low > 1.5 * alike.high / alike.low


def test_what_is_usual_follows_a_rate_that_falls_but_not_the_whole_way():
    falling = weeks_of(*(round(5000 * 1.01**number) for number in range(20)), deliveries=20_000)
    found = pace_of(today(1300, deliveries=20_000), falling).expected.expected
    assert 0.27 * 5000 * 0.97 < found < 0.27 * 5000 * 1.03


def test_the_trend_depends_on_the_order_of_the_campaigns():
    opens = [round(500 * 1.03**number) for number in range(10)]
    falling, rising = (
        pace_of(today(135), weeks_of(*some)).expected.expected for some in (opens, opens[::-1])
    )
    assert falling < rising


@pytest.mark.parametrize("opens", [0, 2000, 2600])
@pytest.mark.parametrize("past", [weeks_of(*[2000] * 6), weeks_of(*[2600] * 6), weeks_of(*[1] * 6)])
def test_counts_of_nothing_of_all_and_before_their_deliveries_do_not_fail(opens, past):
    """SES may report an open before the delivery of its email."""
    found = forecast_of(today(opens), past)
    if isinstance(found, Forecast):
        assert opens <= found.estimate.low <= found.estimate.expected <= found.estimate.high
    paced = pace_of(today(opens), past)
    if isinstance(paced, Pace):
        assert paced.actual == opens


def test_fewer_campaigns_make_a_wider_interval():
    few, many = (pace_of(today(135), past).expected for past in (HISTORY[:5], HISTORY))
    assert few.high / few.low > many.high / many.low


def test_smaller_campaigns_have_a_wider_interval():
    small, large = (pace_of(today(20, deliveries=some)).expected for some in (400, 40_000))
    assert small.high / small.low > large.high / large.low


@given(histories, st.integers(0, 2000))
def test_the_intervals_of_the_pace_contain_its_estimates(past, opens):
    found = pace_of(today(opens), past)
    if isinstance(found, Pace):
        assert 0 <= found.expected.low <= found.expected.expected <= found.expected.high <= 2000


@given(histories, st.integers(10, 1000))
def test_a_pace_does_not_depend_on_the_order_of_the_campaigns(past, opens):
    assert pace_of(today(opens), past) == pace_of(today(opens), list(reversed(past)))


@given(st.lists(st.integers(100, 800), min_size=6, max_size=20), st.integers(50, 300))
def test_the_pace_of_large_campaigns_does_not_depend_on_their_size(opens, own):
    """Chance, and the halves that make a logarithm of nothing, are all that depends on it."""
    found, larger = (
        pace_of(
            today(own * scale, deliveries=2000 * scale),
            weeks_of(*(one * scale for one in opens), deliveries=2000 * scale),
        )
        for scale in (100, 1000)
    )
    assert larger.expected.expected == pytest.approx(10 * found.expected.expected, rel=0.02)
    assert larger.expected.high == pytest.approx(10 * found.expected.high, rel=0.05)


@given(histories, st.integers(0, 1999))
def test_what_is_usual_does_not_depend_on_the_campaign_s_own_opens(past, opens):
    less, more = pace_of(today(opens), past), pace_of(today(opens + 1), past)
    if isinstance(less, Pace):
        assert more == replace(less, actual=opens + 1)


# Forecast.


def test_a_campaign_that_does_as_usual_ends_as_usual():
    found = forecast_of(today(135))
    assert found.estimate.expected == pytest.approx(415, rel=0.05)
    assert found.so_far == 135


def test_a_campaign_that_is_ahead_ends_higher():
    estimates = [forecast_of(today(opens)).estimate.expected for opens in (100, 135, 200)]
    assert sorted(estimates) == estimates
    assert estimates[2] > 1.2 * estimates[0]


def test_a_campaign_that_has_what_is_usual_in_the_end_is_still_expected_to_grow():
    """Whether it is better or only faster, some of its emails are opened later than others."""
    found = forecast_of(today(500), weeks_of(*[500] * 10)).estimate
    assert found.low > 500
    assert found.expected > 520


def test_the_interval_of_a_forecast_narrows_with_time():
    widths = []
    for age, opens in [(15 * MINUTE, 50), (HOUR, 135), (4 * HOUR, 260)]:
        past = weeks_of(*(round(500 * 1.2**power) for power in (-2, -1, 0, 1, 2, -1, 0, 1)))
        found = forecast_of(today(opens, age=age), past).estimate
        widths.append(found.high / found.low)
    assert widths == sorted(widths, reverse=True)


def test_a_few_early_opens_move_a_forecast_less_than_many():
    """Twice the usual opens: of 4 it is mostly chance, of 400 it is not."""
    few, many = (
        forecast_of(
            today(2 * round(135 * scale), deliveries=round(2000 * scale)), HISTORY
        ).estimate.expected
        / (415 * scale)
        for scale in (0.1, 100)
    )
    assert 1 < few < many


def test_a_forecast_is_final_once_all_emails_have_reached_the_age():
    found = forecast_of(today({0: 300, bucket(30 * HOUR): 50}, age=2 * DAY))
    assert found.final
    assert found.estimate == (300, 300, 300, 0)


def test_opens_at_a_greater_age_are_not_counted():
    """The oldest emails are two days old, and were opened after a day and a half."""
    sent = [Sent(2 * DAY, 1000), Sent(HOUR, 1000)]
    assert forecast_of(today({0: 30, bucket(1.6 * DAY): 9}, sent=sent)).so_far == 30


@given(
    histories,
    st.integers(0, 2000),
    st.sampled_from([15 * MINUTE, HOUR, 4 * HOUR]),
    st.sampled_from([DAY, 7 * DAY]),
)
def test_the_interval_of_a_forecast_contains_it_and_no_less_than_so_far(past, opens, age, ahead):
    found = forecast_of(today(opens, age=age), past, ahead)
    if isinstance(found, Forecast):
        expected, low, high, _ = found.estimate
        assert opens <= low <= expected <= high <= 2000


@given(histories, st.integers(0, 1999))
def test_one_more_open_hardly_ever_lowers_a_forecast(past, opens):
    """It may by little, where it makes the model believe in larger differences."""
    less, more = (forecast_of(today(one), past) for one in (opens, opens + 1))
    if isinstance(less, Forecast) and isinstance(more, Forecast):
        assert more.estimate.expected >= less.estimate.expected * 0.98


def drawn(rng, level=0.3, speed=0.2):
    """Return the opens of a campaign by an hour and by a day, of 20,000 emails."""
    by_a_day = min(4000 * rng.lognormvariate(0, level), 19_000)
    return min(round(by_a_day * 0.3 * rng.lognormvariate(0, speed)), round(by_a_day)), round(
        by_a_day
    )


def campaign_of(number, by_an_hour, by_a_day):
    counts = {bucket(HOUR - 1): by_an_hour, bucket(DAY - 1): by_a_day - by_an_hour}
    whole = earlier(number, 0, deliveries=20_000)
    return replace(whole, curves={OPENS: curve(counts)})


@pytest.mark.parametrize("number", [5, 15])
def test_four_of_five_campaigns_are_inside_the_intervals_of_pace_and_forecast(number):
    rng = Random(number)
    inside = Counter()
    for _ in range(400):
        past = [campaign_of(one, *drawn(rng)) for one in range(2, number + 2)]
        by_an_hour, by_a_day = drawn(rng)
        running = today(by_an_hour, deliveries=20_000)
        inside["pace"] += is_usual(pace_of(running, past))
        ahead = forecast_of(running, past).estimate
        inside["forecast"] += ahead.low <= by_a_day <= ahead.high
    assert inside["pace"] / 400 == pytest.approx(0.8, abs=0.05)
    assert inside["forecast"] / 400 == pytest.approx(0.8, abs=0.05)


# What is usual at each age of a campaign.


def course_of(running, past=HISTORY, sends=None, ages=(0, *AGE_EDGES_SECONDS[:35])):
    """Return what is usual at these ages, and now."""
    start = running.campaign.first_event_at
    sends = sends or [SendBucket(start, timedelta(0), running.campaign.deliveries)]
    at = {one: start + timedelta(seconds=one) for one in ages}
    at[round((running.now - start).total_seconds())] = running.now
    moments = [Moment(one, sending(sends, at[one], running.now)) for one in sorted(at)]
    return course(running, comparable(running.campaign, past), OPENS, moments)


def estimates_of(found):
    return {one.age_seconds: one.estimate for one in found}


@given(histories, st.integers(MINUTE, 9 * DAY))
def test_what_is_usual_now_is_what_the_pace_compares_with(past, age):
    running = today(900, age=age)
    now = pace_of(running, past)
    found = course_of(running, past)

    if isinstance(found, Silence) or isinstance(now, Silence):
        assert isinstance(now, Silence)
    else:
        assert estimates_of(found)[age] == now.expected


def test_during_sending_what_is_usual_now_is_what_the_pace_compares_with():
    start = NOW - timedelta(minutes=90)
    hour = timedelta(hours=1)
    sends = [SendBucket(start, hour, 1400), SendBucket(start + hour, hour, 600)]
    running = today(150, sent=sending(sends, NOW))
    running = replace(running, campaign=replace(running.campaign, first_event_at=start))

    assert estimates_of(course_of(running, sends=sends))[90 * MINUTE] == pace_of(running).expected


@given(histories, st.integers(MINUTE, 9 * DAY))
def test_what_is_usual_never_falls_and_is_in_its_interval(past, age):
    found = course_of(today(900, age=age), past)
    if isinstance(found, Silence):
        return
    for name in ("low", "expected", "high"):
        values = [getattr(one.estimate, name) for one in found]
        assert values == sorted(values)
    assert all(one.low <= one.expected <= one.high for _, one in found)
    assert [one.age_seconds for one in found] == sorted({one.age_seconds for one in found})


def test_what_is_usual_depends_on_the_emails_of_then_before_now():
    """2,000 emails are sent within an hour: half of them in the first 30 minutes."""
    sends = [SendBucket(NOW - timedelta(hours=1), timedelta(hours=1), 2000)]
    running = today(100, sent=sending(sends, NOW))
    running = replace(running, campaign=replace(running.campaign, first_event_at=sends[0].start))
    found = estimates_of(course_of(running, sends=sends))

    quarter = estimates_of(course_of(today(100)))[15 * MINUTE].expected
    assert found[30 * MINUTE].expected == pytest.approx(quarter / 2, rel=0.02)
    assert found[60 * MINUTE].expected == pytest.approx(quarter, rel=0.02)
    at_once = estimates_of(course_of(today(100)))[7 * DAY]
    assert found[7 * DAY].expected == pytest.approx(at_once.expected, rel=0.01)


def test_what_is_usual_at_the_end_is_what_earlier_campaigns_counted():
    found = course_of(today(100))

    assert (found[0].age_seconds, found[0].estimate.expected) == (0, 0)
    assert found[0].estimate.high < 2
    assert (found[-1].age_seconds, len(found)) == (7 * DAY, 36)
    assert found[-1].estimate.expected == pytest.approx(500 * SPEED[7 * DAY], rel=0.03)


def test_what_is_usual_ends_where_fewer_than_five_campaigns_are_as_old():
    past = [earlier(number, 500, weeks=number / 4) for number in range(1, 10)]

    found = course_of(today(100), past)

    assert found[-1].age_seconds == 7 * DAY
    found = course_of(today(100), past[:6])
    assert found[-1].age_seconds == 3 * DAY
    assert found[-1].estimate.campaigns == 5


def test_what_is_usual_now_bounds_it_before_and_after():
    """Of five higher campaigns, the last emails are only two hours old."""
    two_hours_ago = NOW - timedelta(hours=2)
    young = [
        replace(earlier(2 + n, 1500), id=f"x{n}", last_accepted_at=two_hours_ago) for n in range(5)
    ]
    running = today(100, age=3 * HOUR)

    found = course_of(running, [*HISTORY, *young])

    estimates = estimates_of(found)
    assert estimates[3 * HOUR] == pace_of(running, [*HISTORY, *young]).expected
    assert estimates[2 * HOUR].expected == estimates[3 * HOUR].expected
    assert estimates[2 * HOUR].campaigns == 15
    assert [one.estimate.expected for one in found] == sorted(
        one.estimate.expected for one in found
    )


def test_nothing_is_usual_without_enough_to_compare_with():
    assert course_of(today(100), HISTORY[:4]) == Silence("too_few_campaigns", 4, 5)
    assert course_of(today(9, deliveries=199)).reason == "too_few_deliveries"


# The record of earlier forecasts.


def test_the_record_judges_forecasts_by_what_earlier_campaigns_counted():
    past = weeks_of(*[500, 495, 505, 500] * 5)
    found = track_record(today(135), past, OPENS, DAY)
    assert found == (10, 10)


def test_a_campaign_that_went_otherwise_counts_as_a_miss():
    """The latest campaign was read late: after a day, it had nearly all of its opens."""
    *before, last = sorted(weeks_of(*[500] * 12), key=lambda one: one.first_event_at)
    late = replace(last, curves={OPENS: curve({bucket(HOUR - 1): 135, bucket(DAY - 1): 900})})
    found = track_record(today(135), [*before, late], OPENS, DAY)
    assert found == (found.judged - 1, found.judged)


def test_campaigns_with_too_little_before_them_are_not_judged():
    assert track_record(today(135), HISTORY[:5], OPENS, DAY) == (0, 0)
    assert track_record(today(135), HISTORY[:7], OPENS, DAY).judged == 2


def test_an_earlier_forecast_knows_only_what_had_become_true_by_then():
    """Campaigns of six successive days: none had reached a week before the next ones began."""
    sent = [NOW - timedelta(weeks=5, days=one) for one in range(6)]
    past = [
        replace(earlier(number, 500), first_event_at=one, last_accepted_at=one)
        for number, one in enumerate(sent)
    ]
    assert track_record(today(135), past, OPENS, 7 * DAY) == (0, 0)


# The model.


def test_what_differs_between_campaigns_is_found_beside_their_chance():
    rng = Random(3)
    some = []
    for _ in range(20):
        rate = 0.1 * rng.lognormvariate(0, 0.3)
        some.append(Count(sum(rng.random() < rate for _ in range(1000)), 1000))
    found = levels(rates(some))
    tau = sum(one.weight * one.variance for one in found) ** 0.5
    assert tau == pytest.approx(0.3, rel=0.35)


def test_campaigns_that_differ_by_chance_alone_differ_by_little_more():
    rng = Random(4)
    some = [Count(sum(rng.random() < 0.02 for _ in range(1000)), 1000) for _ in range(20)]
    found = levels(rates(some))
    assert sum(one.weight * one.variance for one in found) ** 0.5 < 0.2


def test_low_counts_weigh_as_much_as_high_ones():
    """Otherwise, what is usual would be too high where counts are small."""
    rng = Random(6)
    logs = []
    for _ in range(40):
        some = [Count(sum(rng.random() < 0.004 for _ in range(1000)), 1000) for _ in range(15)]
        logs += [one.weight * one.mean for one in levels(rates(some))]
    assert math.exp(sum(logs) / 40) == pytest.approx(0.004, rel=0.06)


def test_the_quantiles_of_a_mixture_are_those_of_its_draws():
    rng = Random(5)
    parts = [Component(0.3, -1, 0.5), Component(0.7, 2, 1.5)]
    draws = sorted(
        rng.gauss(one.mean, one.deviation)
        for one in rng.choices(parts, [one.weight for one in parts], k=20_000)
    )
    for share in (0.1, 0.5, 0.9):
        assert quantile(parts, share) == pytest.approx(draws[int(share * 20_000)], abs=0.06)


@given(st.integers(0, 500), st.floats(-6, -0.1), st.floats(0.01, 4))
def test_a_count_draws_an_expectation_towards_its_own_rate(count, mean, variance):
    own = Count(count, 500)
    found = observed(own, mean, variance)
    gain = variance / (variance + found.noise)
    posterior = mean + gain * (found.log - mean)
    low, high = sorted([mean, own.log])
    assert low - 0.8 <= posterior <= high + 0.8
    assert found.noise > 0

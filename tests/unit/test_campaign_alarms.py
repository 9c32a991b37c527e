"""Which troubles of a campaign raise an alarm, when it is over, and that it is raised once."""

import math
from datetime import UTC, datetime, timedelta
from statistics import NormalDist

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chalicelib.insight.alarms import OVER_AFTER, State, judge
from chalicelib.insight.causes import (
    ALPHAS,
    MOST_PROVIDERS,
    Observation,
    expected_opens,
    has_usual_hours,
    part_of_provider,
    share_by_age,
)
from chalicelib.insight.curves import AGE_EDGES_SECONDS, Curve, SendBucket, Sent, curve, sending
from chalicelib.insight.history import Campaign, Running
from chalicelib.insight.marks import BEGINNING, CAMPAIGN, Mark, Row, marked, rows_of, since_mark
from chalicelib.stats.counters import rates

OPENS = "unique_human_opens"
START = datetime(2026, 11, 23, 10, 0, tzinfo=UTC)
FIRST = round(START.timestamp()) // 60
HOUR = 60
FINE = {"sends": 10_000, "deliveries": 9800, "opens": 900, OPENS: 400, "hard_bounces": 100}


def observe(minute=10, counts=FINE, **known):
    return Observation(minute=FIRST + minute, counts=counts, late_seconds=0, **known)


def after(*observations, state=None):
    """Return the state after some minutes, and all changes as text: `raised complaints`."""
    state, changes = state or State(), []
    for one in observations:
        state, some = judge(one, state)
        changes += [f"{change.kind} {change.key}" for change in some]
    return state, changes


def raised(*observations):
    return after(*observations)[1]


def at_providers(gmail=(), minute=10, others=9000, **rest):
    """Return an observation of a campaign at Gmail, and at GMX where all is well."""
    good = {"sends": others, "deliveries": round(others * 0.99), "delivery_delays": others // 200}
    providers = {"gmail": dict(gmail), "gmx": good}
    names = {name for row in providers.values() for name in row}
    totals = {name: sum(row.get(name, 0) for row in providers.values()) for name in names}
    return observe(minute, {"opens": 100, **totals}, providers=providers, **rest)


# Healthy campaigns.


def test_a_campaign_in_which_all_is_well_raises_no_alarm():
    assert raised(*(observe(minute) for minute in range(60))) == []


def test_a_campaign_of_which_nothing_is_known_raises_no_alarm():
    assert raised(Observation(minute=0, counts={}), Observation(minute=1, counts={})) == []


def test_all_tests_together_raise_a_false_alarm_in_less_than_one_percent():
    assert sum(ALPHAS.values()) < 0.01


# The numbers of an alarm are those of the page.


def numbers(one):
    """Return the numbers of the alarm that an observation raises."""
    [change] = judge(one, State()).changes
    return change.trouble.affected, change.trouble.total


@pytest.mark.parametrize(
    ("rate", "counts"),
    [("complaint", {"complaints": 90}), ("bounce", {"hard_bounces": 900, "prevented": 700})],
)
def test_the_numbers_of_a_campaign_are_those_of_its_rate_on_the_page(rate, counts):
    one = observe(counts=FINE | counts)

    affected, total = numbers(one)

    assert affected / total == rates(one.counts)[rate]


@pytest.mark.parametrize(
    ("gmail", "expected"),
    [
        ({"deliveries": 350, "delivery_delays": 720}, (650, 1000)),
        ({"deliveries": 350, "hard_bounces": 80, "soft_bounces": 570}, (650, 1000)),
    ],
)
def test_the_numbers_of_a_provider_are_of_the_emails_that_ses_tried_to_send_to_it(gmail, expected):
    gmail = {"sends": 1040, "prevented": 40} | gmail

    assert numbers(at_providers(gmail)) == expected


def test_emails_that_fail_to_render_are_compared_with_all_that_were_to_be_sent():
    counts = FINE | {"prevented": 30, "rendering_failures": 400}

    assert numbers(observe(counts=counts)) == (400, 10_370)


def test_sending_that_has_stopped_has_the_emails_that_the_page_shows_as_sent():
    one = quiet(6000, intended=10_000)
    counts = {**one.counts, "rendering_failures": 8, "rejects": 1}

    assert numbers(msgspec.structs.replace(one, counts=counts)) == (6000, 10_000)


# Complaints and bounces of the campaign.


@pytest.mark.parametrize(
    ("complaints", "deliveries", "is_raised"),
    [
        pytest.param(9, 9000, False, id="on the line"),
        pytest.param(14, 9000, False, id="above it, but by chance in one of twenty campaigns"),
        pytest.param(30, 9000, True, id="three times the line"),
        pytest.param(3, 199, False, id="too few emails"),
        pytest.param(3, 400, False, id="too few complaints"),
    ],
)
def test_complaints_raise_an_alarm_if_their_rate_is_above_the_line(
    complaints, deliveries, is_raised
):
    counts = {**FINE, "deliveries": deliveries, "complaints": complaints}
    assert raised(observe(counts=counts)) == (["raised complaints"] if is_raised else [])


@pytest.mark.parametrize(
    ("complaints", "minutes", "is_raised"),
    [
        pytest.param(14, 10, True, id="most complaints of these emails are not reported yet"),
        pytest.param(14, 360, False, id="all complaints are reported"),
        pytest.param(9, 1, False, id="the rate is at most the line so far"),
    ],
)
def test_complaints_are_compared_with_those_that_are_reported_so_early(
    complaints, minutes, is_raised
):
    counts = {**FINE, "deliveries": 9000, "complaints": complaints}
    one = observe(counts=counts, emails=[Sent(60 * minutes, 9200)])
    assert raised(one) == (["raised complaints"] if is_raised else [])


def test_an_alarm_contains_its_numbers():
    _, [change] = judge(observe(counts={**FINE, "complaints": 40}), State())
    assert change.trouble == ("complaints", "", 40, 9800, 0)
    assert change.minute == FIRST + 10


@pytest.mark.parametrize(
    ("bounces", "is_raised"), [(400, False), (530, False), (700, True), (2000, True)]
)
def test_hard_bounces_raise_an_alarm_above_five_percent(bounces, is_raised):
    counts = {**FINE, "hard_bounces": bounces}
    assert raised(observe(counts=counts)) == (["raised bounces"] if is_raised else [])


def test_bounces_of_emails_that_ses_did_not_send_are_left_out():
    counts = {"sends": 10_000, "prevented": 9000, "hard_bounces": 200, "deliveries": 800}
    assert raised(observe(counts=counts)) == ["raised bounces"]


def test_bounces_without_sends_raise_no_alarm():
    assert raised(observe(counts={"hard_bounces": 900, "deliveries": 100})) == []


def late_bounces(count):
    """Return a campaign of which 50,000 emails were fine, and some of the next 2000 bounce."""
    fine = {"sends": 50_000, "deliveries": 49_900, "opens": 10, "hard_bounces": 100}
    bad = {
        **fine,
        "sends": 52_000,
        "deliveries": 51_900 - count,
        "hard_bounces": 100 + count,
    }
    return [observe(10, fine), observe(12, fine), observe(14, bad)]


def test_a_bad_part_of_the_list_raises_an_alarm_though_the_total_is_low():
    assert raised(*late_bounces(600)) == ["raised bounces"]


def test_a_part_of_the_list_with_more_bounces_than_usual_raises_none():
    assert raised(*late_bounces(150)) == []


# Templates.


def test_a_template_that_breaks_raises_an_alarm_after_few_emails():
    counts = {"sends": 20_000, "deliveries": 20_000, "opens": 5}
    broken = {**counts, "rendering_failures": 12}
    assert raised(observe(8, counts), observe(10, counts), observe(12, broken)) == [
        "raised template_errors"
    ]


def test_few_emails_that_do_not_render_raise_no_alarm():
    assert raised(observe(counts={**FINE, "rendering_failures": 60})) == []
    assert raised(observe(counts={"sends": 0, "rendering_failures": 4})) == []


def test_the_alarm_is_over_when_emails_render_again():
    broken = {**FINE, "rendering_failures": 500}
    state, changes = after(observe(10, broken))
    assert changes == ["raised template_errors"]
    repaired = [
        observe(20 + minute, {**broken, "sends": 10_000 + 500 * minute}) for minute in range(20)
    ]
    _, changes = after(*repaired, state=state)
    assert changes == ["over template_errors"]


# One provider.


def deferred(waiting, sends=2000, minute=10, **rest):
    row = {"sends": sends, "deliveries": sends - waiting, "delivery_delays": waiting}
    return at_providers(row, minute, **rest)


@pytest.mark.parametrize(("waiting", "is_raised"), [(900, False), (1020, False), (1500, True)])
def test_a_provider_that_defers_more_than_half_raises_an_alarm(waiting, is_raised):
    assert raised(deferred(waiting)) == (["raised provider_delays:gmail"] if is_raised else [])


def test_emails_of_the_last_minute_do_not_hide_that_a_provider_defers():
    """Of 2000 emails, 60 are delivered, 240 delayed, and nothing is reported of the others."""
    row = {"sends": 2000, "deliveries": 60, "delivery_delays": 240}
    assert raised(at_providers(row)) == ["raised provider_delays:gmail"]
    assert raised(at_providers({**row, "deliveries": 200})) == []


def test_delays_that_are_over_raise_no_alarm():
    """Each email was delayed twice, and is delivered."""
    row = {"sends": 2000, "deliveries": 2000, "delivery_delays": 4000}
    assert raised(at_providers(row)) == []


def test_emails_of_which_nothing_is_reported_yet_are_not_delayed():
    assert raised(at_providers({"sends": 2000, "deliveries": 0})) == []


def test_delays_at_all_providers_are_not_those_of_one():
    row = {"sends": 2000, "deliveries": 100, "delivery_delays": 1900}
    names = {name: 4 * count for name, count in row.items()}
    providers = dict.fromkeys(("gmail", "gmx", "yahoo", "web"), row)
    assert raised(observe(counts={"opens": 1, **names}, providers=providers)) == []


def test_a_provider_that_has_all_the_mail_cannot_be_compared():
    row = {"sends": 2000, "deliveries": 100, "delivery_delays": 1900}
    assert raised(observe(counts={"opens": 1, **row}, providers={"gmail": row})) == []


def test_a_provider_that_begins_to_defer_late_raises_an_alarm():
    fine = {"sends": 40_000, "deliveries": 39_900, "delivery_delays": 300}
    later = {"sends": 40_100, "deliveries": 39_905, "delivery_delays": 395}
    minutes = [at_providers(fine, 10), at_providers(fine, 12)]
    assert raised(*minutes, at_providers(later, 13, 9500)) == ["raised provider_delays:gmail"]
    # Without emails to others since then, it may be all of them.
    assert raised(*minutes, at_providers(later, 13)) == []


def test_other_providers_taken_together_are_no_provider():
    row = {"sends": 2000, "deliveries": 100, "delivery_delays": 1900}
    one = at_providers(row)
    moved = {"other": one.providers["gmail"], "gmx": one.providers["gmx"]}
    assert raised(msgspec.structs.replace(one, providers=moved)) == []


@pytest.mark.parametrize(
    ("bounces", "is_raised"), [({"hard_bounces": 150}, False), ({"soft_bounces": 400}, True)]
)
def test_a_provider_that_rejects_emails_raises_an_alarm(bounces, is_raised):
    row = {"sends": 2000, "deliveries": 2000 - sum(bounces.values()), **bounces}
    assert raised(at_providers(row, others=30_000)) == (
        ["raised provider_bounces:gmail"] if is_raised else []
    )


def test_bounces_that_are_usual_in_this_campaign_are_not_those_of_one_provider():
    rows = {
        provider: {"sends": 5000, "deliveries": 4000, "soft_bounces": 1000}
        for provider in ("gmail", "gmx", "yahoo")
    }
    counts = {"sends": 15_000, "deliveries": 12_000, "soft_bounces": 3000, "opens": 9}
    assert raised(observe(counts=counts, providers=rows)) == []


def test_each_provider_has_an_alarm_of_its_own():
    row = {"sends": 2000, "deliveries": 100, "delivery_delays": 1900}
    one = at_providers(row, others=30_000)
    providers = {**one.providers, "yahoo": row}
    counts = {name: count + row.get(name, 0) for name, count in one.counts.items()}
    assert raised(observe(counts=counts, providers=providers)) == [
        "raised provider_delays:gmail",
        "raised provider_delays:yahoo",
    ]


def test_delays_are_over_once_few_emails_wait():
    state, _ = after(deferred(1500))
    still = [deferred(600, minute=20 + minute) for minute in range(OVER_AFTER + 5)]
    _, changes = after(*still, state=state)
    assert changes == []
    calm = [deferred(100, minute=20 + minute) for minute in range(OVER_AFTER)]
    _, changes = after(*calm, state=state)
    assert changes == ["over provider_delays:gmail"]


def test_an_alarm_is_not_over_while_trouble_returns():
    state, _ = after(deferred(1500))
    returning = [
        deferred(1500 if minute % OVER_AFTER == 0 else 100, minute=20 + minute)
        for minute in range(1, 4 * OVER_AFTER)
    ]
    assert after(*returning, state=state)[1] == []


def test_the_parts_of_an_alpha_of_all_providers_add_up_to_one_at_most():
    rows = {CAMPAIGN: Row(sent=1000), **{f"p{one}": Row(sent=one * one) for one in range(50)}}
    for mark in (BEGINNING, Mark(3, 3, rows), Mark(4, 4, {CAMPAIGN: Row(sent=9)})):
        parts = [part_of_provider(mark, f"p{one}") for one in range(MOST_PROVIDERS)]
        assert math.fsum(parts) == pytest.approx(1)
        assert min(parts) >= 0.25 / MOST_PROVIDERS


# Opens.


def curve_of(total, slow=1):
    """Return a curve by age: a quarter of its opens within an hour."""
    counts = [0] * len(AGE_EDGES_SECONDS)
    for number, edge in enumerate(AGE_EDGES_SECONDS):
        counts[number] = round(total * min(1.0, 0.25 * edge / 3600)) - sum(counts)
    return Curve(tuple(counts))


def past_of(*opens, deliveries=10_000, minutes=20):
    found = []
    for week, total in enumerate(reversed(opens), start=1):
        began = START - timedelta(weeks=week)
        ended = began + timedelta(minutes=minutes)
        curves = {OPENS: curve_of(total)}
        found.append(Campaign(f"news-{week}", "news", began, ended, deliveries, curves))
    return found[::-1]


PAST = past_of(2000, 2200, 1800, 2100, 1900, 2050)


def opened(human, minute=60, past=PAST, everyone=None, deliveries=10_000, emails=None):
    ages = emails or [Sent(60 * minute, deliveries)]
    campaign = Campaign("today", "news", START, START, deliveries, {OPENS: curve({0: human})})
    running = Running(campaign, START + timedelta(minutes=minute), ages)
    counts = {
        "sends": deliveries,
        "deliveries": deliveries,
        OPENS: human,
        "opens": human + 50 if everyone is None else everyone,
    }
    return observe(minute, counts, running=running, past=past, emails=ages)


@pytest.mark.parametrize(("human", "is_raised"), [(500, False), (250, False), (60, True)])
def test_opens_far_below_the_usual_raise_an_alarm(human, is_raised):
    assert raised(opened(human)) == (["raised low_opens"] if is_raised else [])


def test_the_numbers_of_low_opens_are_those_of_the_rate_on_the_page():
    one = opened(20)

    affected, total = numbers(one)

    assert affected / total == rates(one.counts)["human_open"]


def test_nothing_is_said_of_opens_in_the_first_half_hour():
    assert raised(opened(1, minute=29)) == []
    assert raised(opened(1, minute=30)) == ["raised low_opens"]


@pytest.mark.parametrize("past", [[], PAST[:4]], ids=["none", "four"])
def test_nothing_is_said_of_low_opens_without_earlier_campaigns(past):
    assert raised(opened(1, past=past)) == []


def test_what_varies_much_is_not_called_low():
    varied = past_of(300, 2000, 900, 2500, 600, 200)
    assert raised(opened(130, past=varied)) == []


def test_low_opens_are_over_once_they_are_usual():
    state, _ = after(opened(60))
    later = [opened(900, minute=120 + minute) for minute in range(OVER_AFTER)]
    assert after(*later, state=state)[1] == ["over low_opens"]


def test_low_opens_are_not_over_because_nothing_is_known_any_more():
    state, _ = after(opened(60))
    unknown = [opened(60, minute=120 + minute, past=[]) for minute in range(2 * OVER_AFTER)]
    assert after(*unknown, state=state)[1] == []


def test_a_campaign_sent_over_hours_is_compared_once_sending_has_ended():
    past = past_of(*[2000] * 6, minutes=300)
    early = opened(0, 60, past, deliveries=2000, emails=[Sent(3600, 1000), Sent(30, 1000)])
    assert not has_usual_hours(early.running, past)
    ended = opened(0, 60, past, deliveries=2000, emails=[Sent(3600, 1000), Sent(1000, 1000)])
    assert has_usual_hours(ended.running, past)
    later = opened(0, 180, past, deliveries=2000, emails=[Sent(10_800, 1000), Sent(30, 1000)])
    assert has_usual_hours(later.running, past)


def test_no_opens_at_all_raise_an_alarm_without_earlier_campaigns():
    assert raised(opened(0, 30, [], everyone=0)) == ["raised no_opens"]


def test_no_opens_of_few_emails_take_longer():
    few = {"past": [], "everyone": 0, "deliveries": 120}
    assert raised(opened(0, 30, **few)) == []
    assert raised(opened(0, 90, **few)) == ["raised no_opens"]
    assert raised(opened(0, 900, [], everyone=0, deliveries=50)) == []


def test_the_share_by_age_is_that_of_the_published_time_to_reading():
    reading = NormalDist(math.log(2.5), 2)  # of the logarithm of hours
    ratios = [
        reading.cdf(math.log(hours)) / share_by_age([Sent(3600 * hours, 1)], 4 * 3600)
        for hours in (0.5, 1, 2, 4)
    ]
    assert max(ratios) < 1.1 * min(ratios)


def test_the_share_by_age_is_the_mean_of_all_emails():
    emails = [Sent(0, 100), Sent(900, 200), Sent(3600, 100), Sent(90_000, 100)]
    assert share_by_age(emails, 3600) == pytest.approx((0 + 100 + 100 + 100) / 500)
    assert share_by_age(emails[:1], 3600) == share_by_age([], 3600) == 0


def test_opens_are_expected_of_emails_that_are_half_an_hour_old():
    emails = [Sent(1799, 5000), Sent(1800, 4000), Sent(7200, 1000)]
    assert expected_opens(emails, 10_000) == pytest.approx(0.1 * (4000 / 2 + 1000))
    assert expected_opens(emails, 5000) == pytest.approx(0.05 * (4000 / 2 + 1000))
    assert expected_opens(emails[:1], 10_000) == expected_opens([], 10_000) == 0


def test_one_open_of_anyone_shows_that_tracking_is_on():
    assert raised(opened(0, 30, [], everyone=1)) == []
    state, _ = after(opened(0, 30, [], everyone=0))
    later = [opened(3, 40 + minute, []) for minute in range(OVER_AFTER)]
    assert after(*later, state=state)[1] == ["over no_opens"]


# Sending.


def quiet(sends, minutes_ago=16, gap=1, past=(), **known):
    """Return a campaign that was sent in ten bursts, the last some minutes ago."""
    emails = [Sent(60 * (minutes_ago + gap * one), sends // 10) for one in range(10)]
    counts = {"sends": sends, "deliveries": sends, "opens": 100}
    return observe(counts=counts, emails=emails, past=past, **known)


ALIKE = past_of(*[2000] * 12)


@pytest.mark.parametrize(
    ("one", "is_raised"),
    [
        pytest.param(quiet(6000, past=ALIKE), True, id="well below the usual size"),
        pytest.param(quiet(9900, past=ALIKE), False, id="as usual"),
        pytest.param(quiet(2000, past=ALIKE), False, id="perhaps the first part of a test"),
        pytest.param(quiet(6000, past=ALIKE[:9]), False, id="few earlier campaigns"),
        pytest.param(quiet(6000, 14, past=ALIKE), False, id="a short pause"),
        pytest.param(quiet(6000, 22, gap=15, past=ALIKE), False, id="a usual pause"),
        pytest.param(quiet(6000, 23, gap=15, past=ALIKE), True, id="longer than usual pauses"),
        pytest.param(quiet(6000, intended=10_000), True, id="fewer than intended"),
        pytest.param(quiet(6000, intended=6100), False, id="nearly all that were intended"),
        pytest.param(quiet(6000, past=ALIKE, intended=6000), False, id="all, but of a part"),
    ],
)
def test_sending_that_stops_midway_raises_an_alarm(one, is_raised):
    assert raised(one) == (["raised stopped"] if is_raised else [])


@pytest.mark.parametrize(("minutes", "is_raised"), [(29, False), (30, True)])
def test_a_single_pause_may_be_followed_by_one_up_to_three_times_as_long(minutes, is_raised):
    emails = [Sent(60 * (minutes + after), 2000) for after in (0, 1, 11, 12)]
    counts = {"sends": 8000, "deliveries": 8000, "opens": 100}
    one = observe(counts=counts, emails=emails, past=ALIKE)
    assert raised(one) == (["raised stopped"] if is_raised else [])


@pytest.mark.parametrize("hours", [1, 4, 5, 8, 11])
@pytest.mark.parametrize(("minutes", "is_raised"), [(14, False), (16, True)])
def test_hours_of_which_the_minutes_are_not_read_are_no_pauses(hours, minutes, is_raised):
    """Minutes of sending are read of the last four hours with sends, and before that, hours."""
    now = datetime(2026, 11, 23, 20, 10, tzinfo=UTC)
    last, minute = now - timedelta(minutes=minutes + 1), timedelta(minutes=1)
    emails = sending(
        [
            *(SendBucket(last - one * minute, minute, 20) for one in range(60 * min(hours, 4))),
            *(
                SendBucket(last - timedelta(hours=one) + minute, timedelta(hours=1), 1200)
                for one in range(5, hours + 1)
            ),
        ],
        now,
    )
    counts = {"sends": 6000, "deliveries": 6000, "opens": 100}
    one = observe(counts=counts, emails=emails, past=ALIKE)

    assert raised(one) == (["raised stopped"] if is_raised else [])


def test_sizes_that_differ_say_nothing_about_the_next():
    parts = [
        msgspec.structs.replace(one, deliveries=size)
        for one, size in zip(ALIKE, [10_000, 3000, 6000, 9000] * 3, strict=True)
    ]
    assert raised(quiet(4000, past=parts)) == []


def test_it_is_over_when_sending_goes_on():
    state, _ = after(quiet(6000, past=ALIKE))
    later = [
        msgspec.structs.replace(quiet(7000, 1, past=ALIKE), minute=FIRST + 20 + minute)
        for minute in range(OVER_AFTER)
    ]
    assert after(*later, state=state)[1] == ["over stopped"]


# The pipeline.


def late(minute, seconds, one=None):
    return msgspec.structs.replace(one or observe(), minute=FIRST + minute, late_seconds=seconds)


def test_events_counted_late_raise_an_alarm_at_the_second_check():
    assert raised(late(1, 130)) == []
    assert raised(late(1, 130), late(2, 60), late(3, 130)) == []
    assert raised(late(1, 130), late(2, 190)) == ["raised pipeline_late"]


def test_it_is_over_once_events_are_counted_in_time():
    state, _ = after(late(1, 130), late(2, 190))
    on_time = [late(10 + minute, 5) for minute in range(OVER_AFTER)]
    assert after(*on_time, state=state)[1] == ["over pipeline_late"]


@pytest.mark.parametrize("seconds", [61, None])
@pytest.mark.parametrize("one", [opened(60), quiet(6000, past=ALIKE)], ids=["opens", "sends"])
def test_what_is_missing_is_no_evidence_while_events_are_late(one, seconds):
    assert raised(late(60, seconds, one)) == []
    assert len(raised(late(60, 60, one))) == 1


# Marks.


def test_marks_are_kept_the_closer_together_the_later_they_are():
    marks = ()
    for minute in range(200):
        marks = marked(marks, {"": Row(sent=minute + 1)}, minute)
    assert [199 - one.minute for one in marks] == [28, 16, 10, 7, 4, 1]
    assert [one.number for one in marks] == sorted({one.number for one in marks})


def test_no_mark_is_set_while_nothing_is_sent():
    marks = marked((), {"": Row(sent=100)}, 1)
    assert marked(marks, {"": Row(sent=100)}, 60) == marks
    assert marked((), {"": Row()}, 1) == ()


def test_marks_leave_out_small_providers():
    [mark] = marked((), {"": Row(sent=30), "gmx": Row(sent=19), "web": Row(sent=20)}, 1)
    assert set(mark.rows) == {"", "web"}


def test_a_bounce_may_be_of_an_email_that_was_sent_before_the_mark():
    before = Row(sent=100, settled=60, delivered=60)
    now = Row(sent=110, settled=110, delivered=80, bounced=30)
    since = since_mark(before, now)
    assert (since.sent, since.open, since.bounced, since.delivered) == (10, 50, 30, 0)


def test_emails_that_wait_since_a_mark_are_more_than_before_it():
    before = Row(sent=100, settled=60, delayed=40)
    assert since_mark(before, Row(sent=200, settled=160, delayed=90)).waiting == 0
    assert since_mark(before, Row(sent=200, settled=100, delayed=90)).waiting == 50
    assert since_mark(before, Row(sent=200, settled=100, delayed=110)).waiting == 60


def test_emails_of_which_nothing_is_reported_since_a_mark_are_not_known():
    before = Row(sent=100, settled=90, delayed=10)
    now = Row(sent=200, settled=120, delayed=40)  # 20 or more of the 80 pending ones are unknown
    since = since_mark(before, now)
    assert (since.sent, since.waiting, since.known) == (100, 30, 60)
    assert since_mark(before, Row(sent=200, settled=190, delayed=40)).known == 100


def test_counters_that_a_correction_has_lowered_are_no_evidence():
    assert since_mark(Row(500, 400, 300, 50, 20, 9), Row()) == (0, 100, 0, 0, 0, 0, 0, 0)
    assert rows_of({"sends": -3, "hard_bounces": -1}, {})[""] == Row()


# Once, and whatever happens to the function.


rows = st.fixed_dictionaries(
    {
        "sends": st.integers(0, 3000),
        "deliveries": st.integers(0, 3000),
        "delivery_delays": st.integers(0, 3000),
        "hard_bounces": st.integers(0, 500),
        "complaints": st.integers(0, 40),
        "rendering_failures": st.integers(0, 40),
        "opens": st.integers(0, 3),
    }
)


@st.composite
def lives(draw):
    """Return minutes of a campaign in which anything may happen."""
    minute, found = FIRST, []
    totals, providers = {}, {"gmail": {}, "gmx": {}}
    for _ in range(draw(st.integers(1, 25))):
        minute += draw(st.integers(1, 5))
        for row in providers.values():
            for name, count in draw(rows).items():
                row[name] = row.get(name, 0) + count
                totals[name] = totals.get(name, 0) + count
        known = {name: dict(row) for name, row in providers.items()}
        emails = [Sent(draw(st.floats(0, 9000)), 1000)]
        seconds = draw(st.sampled_from([0, 100, 200, None]))
        found.append(
            Observation(
                minute, dict(totals), known, emails=emails, past=ALIKE, late_seconds=seconds
            )
        )
    return found


def stored(state):
    return msgspec.json.decode(msgspec.json.encode(state), type=State)


@settings(max_examples=20)
@given(lives(), st.data())
def test_a_minute_that_is_judged_again_changes_nothing(life, data):
    """Two invocations of a minute, retries and late ones: the state and the alarms are the same."""
    once, changes = after(*life)
    state, again = State(), []
    for number, one in enumerate(life):
        for _ in range(data.draw(st.integers(1, 3))):
            state, some = judge(one, stored(state))
            again += [f"{change.kind} {change.key}" for change in some]
        if number and data.draw(st.booleans()):
            assert judge(life[number - 1], state) == (state, ())
    assert (state, again) == (once, changes)


@settings(max_examples=20)
@given(lives())
def test_an_alarm_is_raised_once_and_over_once_after_it(life):
    _, changes = after(*life, *(late(9000 + one, 0, life[-1]) for one in range(20)))
    for key in {change.split(" ")[1] for change in changes}:
        own = [change.split(" ")[0] for change in changes if change.split(" ")[1] == key]
        assert own in (["raised"], ["raised", "over"])


@settings(max_examples=20)
@given(lives(), st.integers(0, 24))
def test_a_crash_before_the_state_is_stored_raises_the_same_alarms(life, at):
    """The retry of the minute computes the same from the state of the minute before."""
    at = min(at, len(life) - 1)
    state, _ = after(*life[:at])
    assert judge(life[at], state) == judge(life[at], stored(state))


def test_the_state_of_many_providers_stays_small():
    row = {"sends": 90_000, "deliveries": 89_000, "delivery_delays": 900, "hard_bounces": 99}
    state = State()
    for minute in range(200):
        providers = {
            f"provider-{one}.example": {name: count + minute for name, count in row.items()}
            for one in range(MOST_PROVIDERS)
        }
        counts = {name: MOST_PROVIDERS * (count + minute) for name, count in row.items()}
        state, _ = judge(observe(minute, {"opens": 1, **counts}, providers=providers), state)
    assert len(msgspec.json.encode(state)) < 20_000


def test_the_beginning_is_the_mark_with_the_greatest_weight():
    assert Mark() == BEGINNING
    assert BEGINNING.number == 0

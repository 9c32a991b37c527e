"""When a campaign is done, and what the message about it says."""

from datetime import UTC, datetime, timedelta

import pytest

from chalicelib.insight.curves import SendBucket
from chalicelib.insight.done import (
    DONE_AFTER,
    DONE_UNTIL,
    LEAST_DELIVERIES,
    QUIET_AFTER_SENDING,
    RETRIED_FOR,
    is_done,
)
from chalicelib.stats.alarm_texts import alarm_when_done
from chalicelib.stats.counters import SUMMARY, Aggregate, rates
from chalicelib.stats.done_report import DoneReport, done_report
from chalicelib.stats.pace_item import PaceNow

NOW = datetime(2026, 11, 24, 10, 30, tzinfo=UTC)
ALL_OUT = {"sends": 1000, "deliveries": 980, "hard_bounces": 12, "prevented": 8}
WAITING = ALL_OUT | {"prevented": 3}
MINUTE = timedelta(minutes=1)


def judged(counts, *, age=DONE_AFTER, idle=DONE_AFTER):
    sends = [SendBucket(NOW - idle - MINUTE, MINUTE, 1000)]
    return is_done(counts, age, sends, NOW)


def test_a_campaign_is_done_a_day_after_its_first_event():
    assert not judged(ALL_OUT, age=DONE_AFTER - MINUTE)
    assert judged(ALL_OUT)
    assert judged(ALL_OUT, age=DONE_UNTIL - MINUTE)
    assert not judged(ALL_OUT, age=DONE_UNTIL)


def test_a_campaign_is_not_done_within_an_hour_after_a_send():
    assert not judged(ALL_OUT, idle=QUIET_AFTER_SENDING - MINUTE)
    assert judged(ALL_OUT, idle=QUIET_AFTER_SENDING)


def test_emails_without_an_outcome_are_waited_for_while_ses_retries_them():
    assert not judged(WAITING, idle=RETRIED_FOR - MINUTE)
    assert judged(WAITING, idle=RETRIED_FOR)


def test_emails_that_fail_to_render_are_no_outcome_of_those_that_were_sent():
    assert not judged(WAITING | {"rendering_failures": 100}, idle=RETRIED_FOR - MINUTE)
    assert judged(ALL_OUT | {"rendering_failures": 100}, idle=RETRIED_FOR - MINUTE)


def test_a_small_campaign_is_not_reported():
    assert not judged(ALL_OUT | {"deliveries": LEAST_DELIVERIES - 1, "sends": 110})
    assert judged(ALL_OUT | {"deliveries": LEAST_DELIVERIES, "sends": 110})


def summary(pace):
    counts = ALL_OUT | {"unique_human_opens": 210, "unique_human_clicks": 31}
    return Aggregate("spring", SUMMARY, 9, counts, pace=pace)


def lines(report):
    alarm = alarm_when_done("spring sale", report, "https://page.example/")
    head, _, *found, _, link = alarm.text.split("\n")
    assert (alarm.subject, head) == ("Your campaign is done: spring sale", "Campaign: spring sale")
    assert link == "https://page.example/#/campaign/spring%20sale"
    return found


def test_the_message_has_what_was_delivered_read_and_clicked():
    pace = PaceNow(7, (210, 180, 150, 200), (31, 30, 20, 40))

    delivered, read, clicked = lines(done_report(summary(pace), NOW))

    assert delivered == "Delivered: 980 of 992 emails (98.8%)."
    assert read == (
        "Opened: 210 emails opened by people, 21.4% of delivered; "
        "more than usual after this time (150 to 200)."
    )
    assert clicked == (
        "Clicked: 31 emails clicked by people, 3.2% of delivered; "
        "as many as usual after this time (20 to 40)."
    )


@pytest.mark.parametrize("pace", [None, PaceNow(7)])
def test_without_earlier_campaigns_the_message_has_no_verdict(pace):
    assert lines(done_report(summary(pace), NOW))[1:] == [
        "Opened: 210 emails opened by people, 21.4% of delivered.",
        "Clicked: 31 emails clicked by people, 3.2% of delivered.",
    ]


def test_fewer_than_usual_is_a_verdict_even_if_it_is_none():
    report = DoneReport(0, 1000, 980, 0, 0, usual_opened=(150, 200))

    assert "Opened: 0 emails" in lines(report)[1]
    assert "fewer than usual" in lines(report)[1]


def test_the_rates_of_the_message_are_those_of_the_page():
    done = summary(None)
    delivered, opened, clicked = lines(done_report(done, NOW))

    shown = {name: f"{rate:.1%}" for name, rate in rates(done.counts).items() if rate is not None}
    assert delivered.endswith(f"({shown['delivery']}).")
    assert opened.endswith(f" {shown['human_open']} of delivered.")
    assert clicked.endswith(f" {shown['human_click']} of delivered.")


@pytest.mark.parametrize("sends", [0, 300])
def test_without_all_sends_the_message_has_no_rate_of_delivered_emails(sends):
    counts = {"sends": sends, "deliveries": 980}
    report = done_report(Aggregate("spring", SUMMARY, 9, counts), NOW)

    assert lines(report)[0] == f"Delivered: 980 of {sends} emails (-)."


@pytest.mark.parametrize(
    ("delivered", "shown"),
    [(0, "0.0%"), (1, "<0.1%"), (2, "0.1%"), (3997, "99.9%"), (3998, ">99.9%"), (4000, "100.0%")],
)
def test_only_none_and_all_are_0_and_100_percent(delivered, shown):
    report = DoneReport(0, 4000, delivered, 0, 0, None, None)

    assert lines(report)[0] == f"Delivered: {delivered:,} of 4,000 emails ({shown})."

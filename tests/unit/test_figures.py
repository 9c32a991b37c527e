"""The figures of reports and terminals follow the rules of the page."""

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.snapshots import NOW, example, example_reading, reading

from chalicelib.stats.counters import RATES, Aggregate, rate
from dashboard.figures import campaign, formats, pipeline, rates


@pytest.mark.parametrize(
    ("fraction", "shown"),
    [
        (None, formats.DASH),
        (0, "0.0%"),
        (0.0004, "<0.1%"),
        (0.27, "27.0%"),
        (1999 / 2000, ">99.9%"),
        (0.9999, ">99.9%"),
        (1, "100.0%"),
    ],
)
def test_only_exactly_none_and_all_are_shown_as_0_and_100_percent(fraction, shown):
    assert formats.percent(fraction) == shown


@pytest.mark.parametrize(
    ("fraction", "digits", "shown"),
    [(1 / 16, 1, "6.3%"), (1 / 8, 0, "13%"), (801 / 2000, 1, "40.1%"), (3 / 2000, 1, "0.2%")],
)
def test_a_half_is_rounded_up_as_on_the_page(fraction, digits, shown):
    assert formats.percent(fraction, digits) == shown


@given(st.text())
def test_a_text_from_an_email_cannot_control_the_terminal(text):
    assert formats.plain(text).isprintable()


@given(st.fixed_dictionaries({name: st.integers(0, 1000) for name in reading().stats["counts"]}))
def test_a_rate_is_its_part_of_its_denominator(counts):
    for name, (part, _) in RATES.items():
        whole = rates.denominator(name, counts)
        expected = counts[part] / whole if whole and counts[part] <= whole else None
        assert rate(name, counts.__getitem__) == expected


def test_a_bounce_rate_is_an_alarm_only_if_the_sample_supports_it():
    def level(**counts):
        return rates.verdict("bounce", reading(**counts).stats["counts"]).level

    assert level(sends=51, deliveries=40, hard_bounces=3) == "watch"
    assert level(sends=1000, deliveries=900, hard_bounces=100) == "bad"
    assert level(sends=1000, deliveries=990, hard_bounces=10) == "ok"
    assert level(deliveries=990, hard_bounces=10) == "ok", "SES reported no sends"


def test_more_complaints_than_deliveries_are_judged_without_an_error():
    counts = reading(complaints=3, deliveries=1).stats["counts"]

    assert rates.verdict("complaint", counts).text == "3 of 1, too few to judge"


def test_tiles_name_the_events_that_ses_did_not_report():
    tiles = {one.label: one for one in campaign.tiles(reading(deliveries=9, hard_bounces=1).stats)}

    assert tiles["Delivered"].value == formats.DASH
    assert tiles["Hard bounce rate"].lines[-1].startswith("No rate: SES reported no Send events")


def test_soft_bounces_are_shown_without_out_of_office_replies():
    [bounced] = [
        one for one in campaign.tiles(example_reading().stats) if one.label == "Hard bounce rate"
    ]

    assert bounced.lines == (
        *("18 hard bounces", "5 soft, 3 of unknown type"),
        "4 out-of-office replies",
    )


def test_numbers_that_an_earlier_release_did_not_count_are_dashes():
    stats = reading(sends=9, deliveries=8, human_opens=3, is_current=False).stats
    tiles = {one.label: one for one in campaign.tiles(stats)}

    assert tiles["Read rate"].value == formats.DASH
    assert tiles["Read rate"].lines[0] == f"{formats.DASH} of 8 delivered"
    assert tiles["Sent"].lines[0] == f"{formats.DASH} not sent: suppressed"
    assert [one.whole for one in campaign.all_rates(stats) if one.name == "bounce"] == [None]
    assert "recount spring-sale --apply" in campaign.notices(stats)[0]


def test_links_are_ranked_by_humans_with_unsubscribing_last():
    links = campaign.links(example_reading().stats)

    assert [(one.kind, one.humans) for one in links] == [
        *(("link", 64), ("link", 31), ("other", None)),
        ("unsubscribe", 15),
    ]
    assert links[0].rate == 64 / 1170


def test_bounces_are_in_plain_words_with_emails_that_were_not_sent_last():
    bounces = campaign.bounces(example_reading().stats)

    assert bounces[0].meaning == "Recipient address missing from the bounce message"
    assert [one.kind for one in bounces[-2:]] == [
        "Soft · AutoReply",
        "Not a bounce · OnAccountSuppressionList",
    ]


def test_a_subtype_that_ses_adds_is_shown_by_its_name():
    assert campaign.bounce_meaning("Permanent", "NewReason") == "NewReason"


def test_the_timeline_has_empty_buckets_between_events():
    timeline = campaign.buckets(example_reading().stats, "minute")

    assert len(timeline) == 66
    assert sum(bucket.get("human_clicks", 0) for _, bucket in timeline) == 126


def test_the_timeline_has_the_finest_buckets_that_cover_the_campaign():
    def part(name):
        return Aggregate("spring-sale", name, version=1, counts={"sends": 1})

    days = part("day#2026-11-20"), part("day#2026-11-23")
    hours = part("hour#2026-11-23T10"), part("hour#2026-11-21T10")
    lasting = {"first_event_at": "2026-11-21T10:00:00Z"}

    assert campaign.resolution(reading(*days, *hours, sends=2, summary=lasting).stats) == "hour"
    lasting = {"first_event_at": "2026-11-20T10:00:00Z"}
    assert campaign.resolution(reading(*days, *hours, sends=2, summary=lasting).stats) == "day"
    assert campaign.resolution(reading().stats) == "day"


def test_a_delay_of_the_pipeline_comes_before_what_only_needs_attention():
    health = example("reply-snapshot-health")["snapshot"]
    health |= {"dead_letters": 2, "stream_lag_seconds": 90, "untracked": ["spring-sale"]}

    found = pipeline.state(health, NOW)

    assert (found.level, found.text) == ("late", "Numbers are delayed")
    assert [one.text.split(".")[0] for one in found.problems] == [
        "Stored events are counted with a delay of 90 s",
        "Messages in the dead-letter queue: 2",
        "Delivered but never opened: spring-sale",
    ]


def test_a_pipeline_whose_checks_have_stopped_is_late():
    health = example("reply-snapshot-health")["snapshot"]

    assert pipeline.state(health, NOW).level == "ok"
    assert pipeline.state(health, NOW + timedelta(minutes=9)).level == "late"
    assert pipeline.state(reading().health, NOW).level == "none"

"""The simulated campaign: reproducible, in the SES format, and as irregular as real events."""

import json
import re
from collections import Counter, defaultdict
from datetime import UTC, datetime, timedelta
from itertools import islice

import pytest
from msgspec.structs import replace

from chalicelib.facts.classify import classify
from chalicelib.facts.fact import FactSettings, facts_of
from chalicelib.ses.parse import parse
from dashboard.simulation.arrivals import arrivals
from dashboard.simulation.campaign import Behaviour, Campaign
from dashboard.simulation.payloads import OBJECT_KEYS
from dashboard.simulation.player import Tally

START = datetime(2026, 11, 23, 10, tzinfo=UTC)
RESERVED = {"example.com", "example.net", "example.org", "mail.example", "post.example"}


def a_campaign(**settings):
    return Campaign(**{"id": "spring-sale", "start": START, "recipients": 600} | settings)


@pytest.fixture(scope="module")
def played():
    # Rates are higher than in reality, so that a small campaign has every kind of event.
    behaviour = Behaviour(
        rendering_failures=0.01,
        rejects=0.01,
        bounces=0.2,
        complaints=0.02,
        unsubscribes=0.1,
        duplicates=0.1,
    )
    return list(arrivals(a_campaign(recipients=1000, behaviour=behaviour)))


@pytest.fixture(scope="module")
def texts(played):
    return [arrival.text for arrival in played]


@pytest.fixture(scope="module")
def events(texts):
    return [json.loads(text) for text in texts]


def facts(texts):
    return [
        fact
        for text in texts
        for fact in facts_of(
            parse(text, campaign_tag="campaign"), FactSettings("key", store_addresses=True)
        )
    ]


def own(event):
    return event[OBJECT_KEYS[event["eventType"]]]


def test_the_same_options_generate_the_same_events():
    first = [(arrival.due, arrival.text) for arrival in arrivals(a_campaign())]
    second = [(arrival.due, arrival.text) for arrival in arrivals(a_campaign())]

    assert first == second


@pytest.mark.parametrize("change", [{"seed": 2}, {"start": START + timedelta(seconds=1)}])
def test_another_seed_or_start_generates_other_emails(change):
    first = {arrival.happening.mail.message_id for arrival in arrivals(a_campaign())}
    second = {arrival.happening.mail.message_id for arrival in arrivals(a_campaign(**change))}

    assert not first & second


def test_the_start_only_shifts_the_campaign_in_time():
    moved = a_campaign(start=START + timedelta(hours=1))

    assert [(one.due, one.happening.type) for one in arrivals(a_campaign())] == [
        (one.due, one.happening.type) for one in arrivals(moved)
    ]


def test_every_message_is_an_event_of_the_campaign(played, texts):
    for arrival, text in zip(played, texts, strict=True):
        event = parse(text, campaign_tag="campaign")
        assert (event.campaign, event.tagged) == ("spring-sale", True)
        assert event.type == arrival.happening.type


def test_every_kind_of_event_is_generated(events):
    assert {event["eventType"] for event in events} == set(OBJECT_KEYS)
    assert {own(event)["bounceType"] for event in events if event["eventType"] == "Bounce"} == {
        "Permanent",
        "Transient",
        "Undetermined",
    }


def test_an_email_with_a_rendering_failure_has_no_other_events(events):
    by_mail = defaultdict(set)
    for event in events:
        by_mail[event["mail"]["messageId"]].add(event["eventType"])

    assert {"Rendering Failure"} in by_mail.values()
    assert all(len(types) == 1 for types in by_mail.values() if "Rendering Failure" in types)
    assert {"Send", "Reject"} in by_mail.values()
    assert all(len(types) == 2 for types in by_mail.values() if "Reject" in types)


def test_the_tally_is_the_naive_count_of_the_distinct_facts(played, texts):
    tally = Tally()
    tally.add(played)
    distinct = {(fact.message_id, fact.key): fact for fact in facts(texts)}.values()
    by_type = Counter(fact.type for fact in distinct)
    bounces = Counter(fact.bounce_type for fact in distinct)
    prevented = sum(fact.detail == "OnAccountSuppressionList" for fact in distinct)

    assert tally.published == len(played)
    assert tally.copies == len(played) - len(distinct)
    assert tally.counts == {
        "sends": by_type["Send"],
        "deliveries": by_type["Delivery"],
        "delivery_delays": by_type["DeliveryDelay"],
        "hard_bounces": bounces["Permanent"] - prevented,
        "soft_bounces": bounces["Transient"],
        "undetermined_bounces": bounces["Undetermined"],
        "prevented": prevented,
        "opens": by_type["Open"],
        "unique_opens": len({fact.message_id for fact in distinct if fact.type == "Open"}),
        "clicks": by_type["Click"],
        "unique_clicks": len({fact.message_id for fact in distinct if fact.type == "Click"}),
        "unsubscribes": sum(fact.opts_out for fact in distinct),
        "complaints": by_type["Complaint"],
        "rejects": by_type["Reject"],
        "rendering_failures": by_type["Rendering Failure"],
    }


def test_each_event_is_published_one_to_eight_times_unchanged(played, texts):
    times = Counter(texts)
    seen = set()
    for arrival, text in zip(played, texts, strict=True):
        assert arrival.copy == (text in seen)
        seen.add(text)

    assert 3 < max(times.values()) <= 9
    assert 0.05 < sum(count > 1 for count in times.values()) / len(times) < 0.15


def test_duplicates_can_be_disabled():
    assert not any(one.copy for one in arrivals(a_campaign(behaviour=Behaviour(duplicates=0))))


def test_events_arrive_when_due_rather_than_in_order_of_their_timestamps(played):
    dues = [arrival.due for arrival in played]
    types = defaultdict(list)
    for arrival in played:
        types[arrival.happening.mail.message_id].append(arrival.happening.type)

    assert dues == sorted(dues)
    assert all(arrival.due >= arrival.happening.after for arrival in played)
    assert any(
        "Delivery" in one and one.index("Delivery") < one.index("Send")
        for one in types.values()
        if "Send" in one
    )


def test_emails_are_sent_at_the_given_rate():
    sent = [
        one.happening.after for one in arrivals(a_campaign(rate=20)) if one.happening.type == "Send"
    ]

    assert max(sent) == pytest.approx(600 / 20, abs=1)
    assert sum(second < 10 for second in sent) == pytest.approx(200, abs=10)


def test_the_duration_ends_the_campaign():
    short = a_campaign(duration=7.5)

    assert short.seconds == 7.5
    assert 7 < max(arrival.due for arrival in arrivals(short)) <= 7.5


def test_a_campaign_can_end_at_a_given_time():
    campaign = a_campaign().ending(START)

    assert campaign.start + timedelta(seconds=campaign.seconds) == START
    assert all(
        datetime.fromisoformat(json.loads(arrival.text)["mail"]["timestamp"]) < START
        for arrival in arrivals(campaign)
    )


def test_a_large_campaign_is_generated_lazily():
    assert len(list(islice(arrivals(a_campaign(recipients=10**9)), 1000))) == 1000


def test_a_higher_speed_makes_opens_earlier():
    def median(speed):
        delays = sorted(
            one.happening.after
            for one in arrivals(a_campaign(rate=1000, behaviour=Behaviour(speed=speed)))
            if one.happening.type == "Open"
        )
        return delays[len(delays) // 2]

    assert median(100) > 5 * median(10_000)


@pytest.mark.parametrize("speed", [1, 1200, 1_000_000])
def test_humans_never_look_like_bots_at_any_speed(speed):
    behaviour = Behaviour(speed=speed, bots=0, opens=1, clicks=0.5)
    played = facts(one.text for one in arrivals(a_campaign(recipients=300, behaviour=behaviour)))
    clicked = defaultdict(dict)

    for fact in played:
        if fact.type in {"Open", "Click"}:
            assert classify(replace(fact, is_bot=None))[0] != "machine"
        if fact.type == "Click":
            clicked[fact.message_id][fact.link] = datetime.fromisoformat(fact.at)
    assert clicked
    for links in clicked.values():
        times = sorted(links.values())
        assert all(
            third - first > timedelta(seconds=10)
            for first, third in zip(times, times[2:], strict=False)
        )


def test_bots_of_every_kind_are_generated():
    played = facts(one.text for one in arrivals(a_campaign(behaviour=Behaviour(bots=1, opens=0))))
    reasons = {
        classify(replace(fact, is_bot=None))[1] for fact in played if fact.type in {"Open", "Click"}
    }
    clicks, opens = defaultdict(dict), defaultdict(list)
    for fact in played:
        if fact.type == "Click":
            clicks[fact.message_id][fact.link] = datetime.fromisoformat(fact.at)
        if fact.type == "Open":
            opens[fact.message_id].append(datetime.fromisoformat(fact.at))

    assert reasons >= {"apple_mail_privacy", "prefetch", "scanner_agent"}
    assert clicks
    for message, links in clicks.items():
        first, last = min(links.values()), max(links.values())
        assert len(links) >= 3
        assert last - first < timedelta(seconds=10)
        assert any(abs(at - first) < timedelta(seconds=10) for at in opens[message])


def test_only_some_opens_have_a_verdict_of_ses(events):
    opinions = Counter(own(event).get("isBotEvent") for event in events if "open" in event)

    assert set(opinions) == {None, "Likely", "Unlikely"}
    assert min(opinions.values()) > 5


def test_some_user_agents_are_missing_and_some_link_tags_are_null(events):
    engaged = [own(event) for event in events if event["eventType"] in {"Open", "Click"}]

    assert any("userAgent" not in one for one in engaged)
    assert any(one.get("linkTags", "absent") is None for one in engaged)


def test_an_out_of_office_reply_is_a_bounce_of_a_delivered_email(events):
    delivered = {one["mail"]["messageId"] for one in events if one["eventType"] == "Delivery"}
    replies = [
        event
        for event in events
        if event["eventType"] == "Bounce"
        and "status" not in event["bounce"]["bouncedRecipients"][0]
    ]

    assert replies
    assert {event["mail"]["messageId"] for event in replies} <= delivered


def test_an_email_has_the_shape_that_ses_documents(events):
    for event in events:
        mail, kind = event["mail"], event["eventType"]
        headers = kind not in {"DeliveryDelay", "Rendering Failure"}
        assert ("sourceArn" in mail) == (kind not in {"Open", "Click"})
        assert ("headers" in mail) == ("commonHeaders" in mail) == headers
        assert ("ses:outgoing-ip" in mail["tags"]) == (kind == "Delivery")
        assert all(isinstance(values, list) for values in mail["tags"].values())
        assert mail["tags"]["campaign"] == ["spring-sale"]
        assert mail["tags"]["variant"] in (["a"], ["b"])
        assert ("timestamp" in own(event)) == (kind not in {"Send", "Reject", "Rendering Failure"})


def clicks_by_variant(**behaviour):
    """Return the emails with a click by a person, by variant, of 3,000."""
    campaign = Campaign("sale", START, recipients=3000, behaviour=Behaviour(**behaviour))
    clicked = defaultdict(set)
    for one in arrivals(campaign):
        if one.happening.type == "Click":
            mail = one.happening.mail
            clicked[mail.tags.get("variant")].add(mail.message_id)
    return {variant: len(emails) for variant, emails in clicked.items()}


def test_people_click_more_often_in_a_variant_with_a_lift():
    even = clicks_by_variant(bots=0, clicks=0.3)
    lifted = clicks_by_variant(bots=0, clicks=0.3, lift=2, variants=3)

    assert 0.8 < even["b"] / even["a"] < 1.25
    assert lifted["a"] * 1.5 < lifted["b"]
    assert lifted["b"] * 1.2 < lifted["c"]


def test_emails_without_variants_have_no_such_tag():
    assert clicks_by_variant(variants=0).keys() == {None}


def test_a_message_id_begins_with_the_time_of_the_email(events):
    for event in events:
        mail = event["mail"]
        assert re.fullmatch(
            r"0100[0-9a-f]{12}-[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}-000000", mail["messageId"]
        )
        at = datetime.fromisoformat(mail["timestamp"])
        assert int(mail["messageId"][4:16], 16) == round(at.timestamp() * 1000)


def test_no_real_addresses_or_domains_are_used(events):
    recipients = {address for event in events for address in event["mail"]["destination"]}

    assert {address.rpartition("@")[2] for address in recipients} <= RESERVED
    assert len(recipients) == 1000


def test_a_message_ends_like_one_of_raw_delivery(texts):
    assert all(text.endswith("}\n") for text in texts)

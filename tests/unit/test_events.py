"""A queue message is an SES event, the SES validation message, or invalid."""

import json

import pytest
from support import ses

from chalicelib.errors import NotAnEvent
from chalicelib.ses.parse import parse


def parsed(event):
    return parse(ses.raw(event), campaign_tag="campaign")


def reason_of(body):
    with pytest.raises(NotAnEvent) as caught:
        parse(body, campaign_tag="campaign")
    assert str(caught.value), "a reason has an explanation"
    return caught.value.reason


@pytest.mark.parametrize(
    ("event", "event_type", "at"),
    [
        (ses.a_send(), "Send", "2026-11-23T10:00:00.000Z"),
        (ses.a_delivery(), "Delivery", "2026-11-23T10:00:01.000Z"),
        (ses.a_delay(), "DeliveryDelay", "2026-11-23T10:10:00.000Z"),
        (ses.a_bounce(), "Bounce", "2026-11-23T10:00:02.000Z"),
        (ses.a_complaint(), "Complaint", "2026-11-23T11:00:00.000Z"),
        (ses.a_reject(), "Reject", "2026-11-23T10:00:00.000Z"),
        (ses.a_rendering_failure(), "Rendering Failure", "2026-11-23T10:00:00.000Z"),
        (ses.a_subscription(), "Subscription", "2026-11-23T11:30:00.000Z"),
        (ses.an_open(), "Open", "2026-11-23T10:05:00.000Z"),
        (ses.a_click(), "Click", "2026-11-23T10:06:00.000Z"),
    ],
)
def test_each_type_has_its_own_time_or_that_of_the_email(event, event_type, at):
    result = parsed(event)

    assert (result.type, result.at) == (event_type, at)
    assert result.recipients == ("ada@example.com",)


@pytest.mark.parametrize(
    "wrap",
    [
        ses.raw,
        json.dumps,
        lambda event: ses.in_sns_envelope(ses.raw(event)),
        ses.in_eventbridge,
        lambda event: ses.in_sns_envelope(ses.in_eventbridge(event)),
        lambda event: json.dumps(ses.in_sqs_event(ses.raw(event))),
        lambda event: json.dumps({"Records": [{"Sns": {"Message": ses.raw(event)}}]}),
    ],
    ids=["raw", "bare", "SNS", "EventBridge", "EventBridge in SNS", "SQS record", "SNS record"],
)
def test_every_envelope_contains_the_same_event(wrap):
    event = ses.a_click()

    assert parse(wrap(event), campaign_tag="campaign") == parsed(event)


@pytest.mark.parametrize("wrap", [str, lambda text: text + "\n", ses.in_sns_envelope])
def test_the_validation_message_of_ses_is_acknowledged(wrap):
    assert parse(wrap(ses.VALIDATION), campaign_tag="campaign") is None


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        ("", "bad_json"),
        ("Hello", "bad_json"),
        ("[" * 100_000, "bad_json"),
        ("[1, 2]", "not_an_object"),
        ('{"hello": "world"}', "no_event_type"),
        ('{"notificationType": "Bounce", "bounce": {}, "mail": {}}', "legacy_notification"),
        ('{"Type": "SubscriptionConfirmation", "Message": "You have…"}', "sns_confirmation"),
        ('{"eventType": "Send"}', "bad_event"),
        ('{"eventType": 7, "mail": {}}', "bad_event"),
        ('{"eventType": "~state", "mail": {}}', "bad_event"),
        ('{"Type": "Notification", "Message": "\\u0000hello"}', "bad_json"),
        (
            ses.in_sns_envelope(
                ses.in_sns_envelope(ses.in_sns_envelope(ses.in_sns_envelope("{}")))
            ),
            "wrapped_too_often",
        ),
    ],
)
def test_an_invalid_event_is_rejected_with_a_reason(body, reason):
    assert reason_of(body) == reason


@pytest.mark.parametrize(
    ("broken", "complaint"),
    [
        (
            {"mail": {"timestamp": "yesterday"}},
            "timestamp should be an RFC 3339 time, but is a text of",
        ),
        (
            {"mail": {"timestamp": "9999-12-31T23:59:59Z"}},
            "timestamp should be an RFC 3339 time, but is a text of",
        ),
        (
            {"mail": {"timestamp": "0001-01-01T00:00:00Z"}},
            "timestamp should be an RFC 3339 time, but is a text of",
        ),
        (
            {"mail": {"timestamp": "1970-01-01T00:00:00Z"}},
            "timestamp should be an RFC 3339 time, but is a text of",
        ),
        ({"mail": {"tags": {"campaign": ["🌱" * 65]}}}, "256 bytes"),
        ({"mail": {"destination": ["x" * 321]}}, r"mail\.destination\[0\]"),
        ({"mail": {"messageId": ""}}, "messageId"),
        ({"mail": {"messageId": "x" * 257}}, "256 bytes"),
        ({"mail": {"tags": {"campaign": "spring"}}}, "a list"),
        ({"mail": {"tags": {"campaign": ["x" * 257]}}}, "256 bytes"),
        ({"mail": {"destination": []}}, "mail.destination"),
        ({"mail": {"destination": "ada@example.com"}}, "mail.destination"),
    ],
)
def test_a_field_in_use_must_be_valid(broken, complaint):
    event = ses.a_send()
    event["mail"] |= broken["mail"]

    with pytest.raises(NotAnEvent, match=complaint):
        parsed(event)


@pytest.mark.parametrize(
    "body",
    [
        "ada@example.com",
        '"ada@example.com"',
        '{"ada@example.com": "ada@example.com"}',
        '{"eventType": "ada@example.com"}',
        ses.raw(ses.a_send(at="ada@example.com")),
        ses.raw({**ses.a_send(), "mail": "ada@example.com"}),
        ses.raw({**ses.a_send(), "mail": {**ses.mail(), "destination": "ada@example.com"}}),
        ses.in_sns_envelope(ses.in_sns_envelope(ses.in_sns_envelope(ses.in_sns_envelope("ada@")))),
    ],
)
def test_a_reason_names_the_field_and_its_type_and_quotes_no_content(body):
    with pytest.raises(NotAnEvent) as caught:
        parse(body, campaign_tag="campaign")

    assert "ada@" not in str(caught.value)


def test_an_unused_field_may_have_any_value():
    event = ses.an_open()
    event["mail"]["headers"] = 7
    event["open"]["newMember"] = {"from": "SES"}
    event["open"]["isBotEvent"] = "Perhaps"

    assert parsed(event).is_bot is None


def test_the_campaign_is_the_tag_or_the_configuration_set_or_untagged():
    assert parsed(ses.a_send(campaign="spring")).campaign == "spring"
    assert parsed(ses.a_send(campaign=None)).campaign == "newsletters"
    assert parsed(ses.a_send(campaign=" ")).campaign == "newsletters"
    assert parsed(ses.a_send(campaign=None, configuration_set=None)).campaign == "untagged"
    assert parsed(ses.a_send(campaign="spring")).tagged
    assert not parsed(ses.a_send(campaign=None)).tagged


def test_times_are_converted_to_utc_with_milliseconds():
    assert parsed(ses.a_send(at="2026-11-23T12:00:00+02:00")).at == "2026-11-23T10:00:00.000Z"


def test_a_repeated_address_is_one_recipient():
    event = ses.a_delivery(to=["ada@example.com", "bob@example.com", "ada@example.com"])

    assert parsed(event).recipients == ("ada@example.com", "bob@example.com")


@pytest.mark.parametrize(
    "event",
    [
        ses.a_send(at="3000-01-01T00:00:00Z"),
        ses.an_open(at="2026-11-25T00:00:00.001Z"),
        ses.an_open() | {"mail": ses.mail(at="2026-11-25T00:00:00.001Z")},
    ],
)
def test_an_event_in_the_future_is_rejected(event):
    with pytest.raises(NotAnEvent) as caught:
        parse(ses.raw(event), campaign_tag="campaign", not_after="2026-11-25T00:00:00.000Z")

    assert caught.value.reason == "future_time"


def test_an_unknown_event_type_keeps_its_name():
    event = {"eventType": "Archived", "mail": ses.mail(), "archived": {"to": "vault"}}

    assert parsed(event).type == "Archived"
    assert parsed(event).feedback_id != parsed(event | {"archived": {"to": "tape"}}).feedback_id


def test_lone_surrogates_do_not_reach_the_tables():
    event = ses.a_send(subject="Hi \ud83d there")

    assert parsed(event).subject == "Hi ? there"


@pytest.mark.parametrize(
    ("preferences", "opts_out"),
    [
        ({"unsubscribeAll": True, "topicSubscriptionStatus": []}, True),
        (
            {
                "unsubscribeAll": False,
                "topicSubscriptionStatus": [{"subscriptionStatus": "OptOut"}],
            },
            True,
        ),
        (
            {"unsubscribeAll": False, "topicSubscriptionStatus": [{"subscriptionStatus": "OptIn"}]},
            False,
        ),
        ({"unsubscribeAll": False}, False),
    ],
)
def test_a_subscription_event_opts_out_of_a_topic_or_of_all(preferences, opts_out):
    event = ses.a_subscription()
    event["subscription"]["newTopicPreferences"] = preferences

    assert parsed(event).opts_out is opts_out


def test_a_reason_has_no_addresses_and_no_characters_that_sqs_rejects():
    event = ses.a_send(to=["ada@example.com", ""])
    with pytest.raises(NotAnEvent) as caught:
        parsed(event)
    assert "ada" not in str(caught.value)

    with pytest.raises(NotAnEvent) as caught:
        parse("\x00\ufffe", campaign_tag="campaign")
    assert "\x00" not in str(caught.value)
    assert "\ufffe" not in str(caught.value)


def test_an_unknown_event_type_that_is_nested_too_deeply_is_rejected():
    deep = "[" * 900 + "]" * 900
    body = (
        json.dumps({"eventType": "Archived", "mail": ses.mail()})[:-1] + f', "archived": {deep}}}'
    )

    def nested(levels):
        if levels:
            return nested(levels - 1)
        try:
            return parse(body, campaign_tag="campaign")
        except NotAnEvent as error:
            return error.reason

    assert nested(40) is not None

"""Parse SES events from queue messages, or raise NotAnEvent with the reason.

Every envelope in which an event reaches a queue or a function is removed: raw SNS delivery (with
its trailing newline), the SNS envelope, EventBridge, and Lambda's own records.
Parsing is strict about the fields that are used, and ignores everything that SES adds.

Formats: https://docs.aws.amazon.com/ses/latest/dg/event-publishing-retrieving-sns-contents.html
"""

import hashlib
import json
import re
from collections.abc import Mapping
from datetime import UTC, datetime
from functools import cache
from typing import Any

from chalicelib.errors import NotAnEvent, shape
from chalicelib.ses.event import (
    CONFIGURATION_SET_TAG,
    FIRST_YEAR,
    LAST_YEAR,
    MAX_ADDRESS,
    MAX_ID,
    MAX_TEXT,
    UNTAGGED,
    Event,
)
from chalicelib.ses.usual_events import Reader, usual_events

# SES publishes this as plain text whenever an SNS event destination is created.
VALIDATION_MESSAGE = "Successfully validated SNS topic for Amazon SES event publishing."

# Each SES event type, and the key of its own object. The last two are irregular.
OBJECT_KEYS = {
    "Send": "send",
    "Delivery": "delivery",
    "Bounce": "bounce",
    "Complaint": "complaint",
    "Reject": "reject",
    "Open": "open",
    "Click": "click",
    "Subscription": "subscription",
    "DeliveryDelay": "deliveryDelay",
    "Rendering Failure": "failure",
}
# Types without a time and recipients of their own, which use those of the email.
_OF_THE_MAIL = {"Send", "Reject", "Rendering Failure"}
_RECIPIENT_KEYS = {
    "Bounce": "bouncedRecipients",
    "Complaint": "complainedRecipients",
    "DeliveryDelay": "delayedRecipients",
}

_MAX_WRAPPINGS = 4
_TYPE = r"[A-Za-z][A-Za-z ]{0,49}"
_END_OF_TIME = f"{LAST_YEAR + 1}"


def parse(body: str, *, campaign_tag: str, not_after: str = _END_OF_TIME) -> Event | None:
    """Parse one queue message; see `reader`."""
    return reader(campaign_tag)(body, not_after)


@cache
def reader(campaign_tag: str) -> Reader:
    """Return a parser of queue messages.

    Args:
        campaign_tag: the message tag with the campaign's id.

    Returns:
        A function that takes a message and the latest plausible time, in the format of `Event.at`.
        It returns the event, or None for SES's validation message, which is to be acknowledged. It
        raises NotAnEvent, with a `reason`, if the message is not an SES event or is dated later.
    """
    usual = usual_events(campaign_tag, lambda _text, _not_after: None)

    def unusual(body: str, not_after: str) -> Event | None:
        """Remove envelopes; parse the event inside, or raise NotAnEvent with the reason."""
        text = body
        for _ in range(_MAX_WRAPPINGS):
            if text.strip() == VALIDATION_MESSAGE:
                return None
            content = _unwrapped(_json_object(text))
            if not isinstance(content, str):
                return _not_after(not_after, _event(content, campaign_tag))
            if (event := usual(content, not_after)) is not None:
                return event
            text = content
        raise NotAnEvent("wrapped_too_often", f"more than {_MAX_WRAPPINGS} envelopes")

    return usual_events(campaign_tag, unusual)


def _not_after(latest: str, event: Event) -> Event:
    """Reject an event in the future, which would stay the campaign's last event for ever."""
    for at in (event.at, event.mail_at):
        if at > latest:
            raise NotAnEvent("future_time", f"the event's time, {at}, has yet to come")
    return event


def _json_object(text: str) -> dict[str, Any]:
    try:
        value = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise NotAnEvent("bad_json", f"not JSON ({error}): {shape(text)}") from error
    if not isinstance(value, dict):
        raise NotAnEvent("not_an_object", f"JSON, but no object: {shape(value)}")
    return value


def _unwrapped(value: dict[str, Any]) -> dict[str, Any] | str:
    """Remove one envelope; return the text inside it, or the object if it is no envelope."""
    match value:
        case {"Records": [{"Sns": {"Message": str(text)}}]} | {"Records": [{"body": str(text)}]}:
            return text
        case {"Type": "Notification", "Message": str(text)}:
            return text
        case {"Type": "SubscriptionConfirmation" | "UnsubscribeConfirmation" as kind}:
            raise NotAnEvent("sns_confirmation", f"an SNS {kind}, meant for HTTP endpoints")
        case {"source": "aws.ses", "detail": dict(detail)}:
            return detail
        case _:
            return value


def _event(value: Mapping[str, Any], campaign_tag: str) -> Event:
    if "eventType" not in value:
        if "notificationType" in value:
            raise NotAnEvent(
                "legacy_notification",
                "an identity's feedback notification, which has no tags: publish events "
                "through a configuration set instead",
            )
        raise NotAnEvent("no_event_type", f"no eventType in {shape(value)}")
    event_type = _string(value, "eventType")
    if not re.fullmatch(_TYPE, event_type):
        raise _wrong("eventType", "a few English words, as SES's types are", event_type)
    mail = _object(value, "mail")
    mail_at = _time(mail, "timestamp")
    campaign = _campaign(mail, campaign_tag)
    common_headers = _optional_object(mail, "commonHeaders")
    details = _details(event_type, value, mail)
    return Event(
        type=event_type,
        message_id=_identifier(mail, "messageId"),
        mail_at=mail_at,
        campaign=campaign or _campaign(mail, CONFIGURATION_SET_TAG) or UNTAGGED,
        tagged=campaign is not None,
        subject=_text(common_headers, "subject"),
        sender=_text(mail, "source"),
        **{"at": mail_at, **details},
    )


def _details(event_type: str, value: Mapping[str, Any], mail: Mapping[str, Any]) -> dict[str, Any]:
    """Parse the object of the event's type."""
    key = OBJECT_KEYS.get(event_type)
    if key is None:  # a type that SES has added: stored under its own name
        return {"recipients": _recipients(event_type, {}, mail), "feedback_id": _digest(value)}
    own = _optional_object(value, key) if event_type in _OF_THE_MAIL else _object(value, key)
    details: dict[str, Any] = {"recipients": _recipients(event_type, own, mail)}
    if event_type not in _OF_THE_MAIL:
        details["at"] = _time(own, "timestamp")
    match event_type:
        case "Open" | "Click":
            details["agent"] = _text(own, "userAgent")
            details["is_bot"] = _is_bot(own)
            if event_type == "Click":
                details["link"] = _string(own, "link")
        case "Bounce":
            details["bounce_type"] = _string(own, "bounceType")
            details["feedback_id"] = _optional_identifier(own, "feedbackId")
            details["detail"] = _text(own, "bounceSubType")
        case "Complaint":
            details["feedback_id"] = _optional_identifier(own, "feedbackId")
            details["detail"] = _text(own, "complaintFeedbackType")
        case "DeliveryDelay":
            details["detail"] = _text(own, "delayType")
        case "Reject":
            details["detail"] = _text(own, "reason")
        case "Rendering Failure":
            details["detail"] = _text(own, "errorMessage")
        case "Subscription":
            details["opts_out"] = _opts_out(_object(own, "newTopicPreferences"))
            details["detail"] = _text(own, "source")
    return details


def _digest(value: Mapping[str, Any]) -> str:
    try:
        content = json.dumps(value, sort_keys=True)
    except RecursionError as error:
        raise _wrong("the event", "nested less deeply", value) from error
    return hashlib.sha256(content.encode()).hexdigest()


def _campaign(mail: Mapping[str, Any], tag: str) -> str | None:
    """Return a tag's first value that is not blank; SES has a list of values per tag."""
    values = _optional_object(mail, "tags").get(tag) or []
    if not isinstance(values, list):
        raise _wrong(f"mail.tags[{tag!r}]", "a list", values)
    for value in values:
        if isinstance(value, str) and value.strip():
            return _checked(f"mail.tags[{tag!r}]", value.strip())
    return None


def _recipients(
    event_type: str, own: Mapping[str, Any], mail: Mapping[str, Any]
) -> tuple[str, ...]:
    if event_type == "Delivery":
        return _addresses("delivery.recipients", own.get("recipients"))
    if event_type in _RECIPIENT_KEYS:
        key = _RECIPIENT_KEYS[event_type]
        named = own.get(key)
        if not isinstance(named, list) or not all(isinstance(one, dict) for one in named):
            raise _wrong(key, "a list of objects", named)
        return _addresses(key, [one.get("emailAddress") for one in named])
    if event_type in _OF_THE_MAIL or mail.get("destination"):
        return _addresses("mail.destination", mail.get("destination"))
    return ()


def _addresses(name: str, values: Any) -> tuple[str, ...]:
    if not isinstance(values, list) or not values:
        raise _wrong(name, "a list of addresses", values)
    for value in values:
        if not isinstance(value, str) or not 0 < len(value) <= MAX_ADDRESS:
            raise _wrong(name, "a list of addresses", values)
    return tuple(dict.fromkeys(_clean(value) for value in values))


def _is_bot(own: Mapping[str, Any]) -> str | None:
    # Reported since August 2026; values that SES may add later are ignored.
    value = own.get("isBotEvent")
    return value if value in ("Likely", "Unlikely") else None


def _opts_out(preferences: Mapping[str, Any]) -> bool:
    topics = preferences.get("topicSubscriptionStatus") or []
    if not isinstance(topics, list):
        raise _wrong("newTopicPreferences.topicSubscriptionStatus", "a list", topics)
    return preferences.get("unsubscribeAll") is True or any(
        isinstance(topic, dict) and topic.get("subscriptionStatus") == "OptOut" for topic in topics
    )


def _object(value: Mapping[str, Any], key: str) -> Mapping[str, Any]:
    found = value.get(key)
    if not isinstance(found, dict):
        raise _wrong(key, "an object", found)
    return found


def _optional_object(value: Mapping[str, Any], key: str) -> Mapping[str, Any]:
    return _object(value, key) if value.get(key) is not None else {}


def _string(value: Mapping[str, Any], key: str) -> str:
    found = value.get(key)
    if not isinstance(found, str) or not found:
        raise _wrong(key, "a text", found)
    return _clean(found)


def _identifier(value: Mapping[str, Any], key: str) -> str:
    return _checked(key, _string(value, key))


def _optional_identifier(value: Mapping[str, Any], key: str) -> str | None:
    return _identifier(value, key) if value.get(key) is not None else None


def _checked(name: str, identifier: str) -> str:
    identifier = _clean(identifier)
    if len(identifier.encode()) > MAX_ID:
        raise _wrong(name, f"at most {MAX_ID} bytes", identifier)
    return identifier


def _text(value: Mapping[str, Any], key: str) -> str | None:
    """Return a display text, truncated to MAX_TEXT; None if it is missing or malformed."""
    found = value.get(key)
    return _clean(found)[:MAX_TEXT] if isinstance(found, str) and found else None


def _clean(text: str) -> str:
    """Replace lone surrogates, which JSON can represent and UTF-8 cannot."""
    return text.encode("utf-8", "replace").decode("utf-8")


def _time(value: Mapping[str, Any], key: str) -> str:
    text: Any = value.get(key)
    try:
        moment = datetime.fromisoformat(text)  # raises TypeError if it is not a string
        if moment.tzinfo is None:
            moment = moment.replace(tzinfo=UTC)
        moment = moment.astimezone(UTC)
        if not FIRST_YEAR <= moment.year <= LAST_YEAR:
            raise OverflowError(text)  # noqa: TRY301 - handled like other invalid times
    except (TypeError, ValueError, OverflowError) as error:
        raise _wrong(key, "an RFC 3339 time", text) from error
    return moment.replace(tzinfo=None).isoformat(timespec="milliseconds") + "Z"


def _wrong(name: str, expected: str, found: Any) -> NotAnEvent:
    return NotAnEvent("bad_event", f"{name} should be {expected}, but is {shape(found)}")

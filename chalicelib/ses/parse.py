"""Parse SES events from queue messages, or raise NotAnEvent with the reason.

Every envelope in which an event reaches a queue or a function is removed: raw SNS delivery (with
its trailing newline), the SNS envelope, EventBridge, and Lambda's own records.
The types in this module declare the fields that are used, under SES's names in Python's spelling.
Parsing is strict about them and ignores everything that SES adds.

Formats: https://docs.aws.amazon.com/ses/latest/dg/event-publishing-retrieving-sns-contents.html
"""

import hashlib
import json
import re
from collections.abc import Callable
from typing import Annotated, Any

import msgspec

from chalicelib.errors import NotAnEvent, shape
from chalicelib.ses.event import (
    CONFIGURATION_SET_TAG,
    LAST_YEAR,
    MAX_ADDRESS,
    MAX_ID,
    MAX_TEXT,
    UNTAGGED,
    Event,
    Reply,
    tag_value,
)
from chalicelib.ses.headers import decoded, mailbox
from chalicelib.ses.other_messages import is_email_event, is_validation, recognized
from chalicelib.ses.times import to_utc

# SES publishes this as plain text whenever an SNS event destination is created. The validation of
# an identity's notifications is JSON: see is_validation.
VALIDATION_MESSAGE = "Successfully validated SNS topic for Amazon SES event publishing."

_MAX_WRAPPINGS = 4
_TYPE = r"[A-Za-z][A-Za-z ]{0,49}"
_END_OF_TIME = f"{LAST_YEAR + 1}"

_Text = Annotated[str, msgspec.Meta(min_length=1)]
_Address = Annotated[str, msgspec.Meta(min_length=1, max_length=MAX_ADDRESS)]
_Addresses = Annotated[tuple[_Address, ...], msgspec.Meta(min_length=1)]


class _Object(msgspec.Struct, gc=False, rename="camel"):
    """An object of an event. Fields of type Any are shown only: if malformed, they are omitted."""


class _CommonHeaders(_Object):
    subject: Any = None


class _Header(_Object):
    name: str
    value: str


class _Mail(_Object, kw_only=True):
    # In SES's order, which decodes fastest.
    timestamp: str
    source: Any = None
    message_id: _Text
    destination: tuple[_Address, ...] | None = None
    headers: msgspec.Raw = msgspec.Raw(b"null")  # long, and rarely needed
    common_headers: _CommonHeaders | None = None
    tags: dict[str, Any] | None = None


class _Recipient(_Object):
    email_address: _Address
    status: Any = None
    diagnostic_code: Any = None


_Recipients = Annotated[list[_Recipient], msgspec.Meta(min_length=1)]


class _DeliveryObject(_Object):
    timestamp: str
    recipients: _Addresses


class _OpenObject(_Object):
    timestamp: str
    user_agent: Any = None
    ip_address: Any = None
    is_bot_event: Any = None  # since August 2026


class _ClickObject(_OpenObject, kw_only=True):
    link: _Text
    link_tags: Any = None


class _BounceObject(_Object):
    timestamp: str
    bounce_type: _Text
    bounced_recipients: _Recipients
    bounce_sub_type: Any = None
    reporting_m_t_a: Any = msgspec.field(default=None, name="reportingMTA")
    feedback_id: _Text | None = None


class _ComplaintObject(_Object):
    timestamp: str
    complained_recipients: _Recipients
    complaint_feedback_type: Any = None
    complaint_sub_type: Any = None
    feedback_id: _Text | None = None


class _DeliveryDelayObject(_Object):
    timestamp: str
    delayed_recipients: _Recipients
    delay_type: Any = None


class _RejectObject(_Object):
    reason: Any = None


class _FailureObject(_Object):
    error_message: Any = None


class _TopicPreferences(_Object):
    unsubscribe_all: Any = None
    topic_subscription_status: list[Any] | None = None


class _SubscriptionObject(_Object):
    timestamp: str
    new_topic_preferences: _TopicPreferences
    old_topic_preferences: _TopicPreferences | None = None
    source: Any = None


class _Event(_Object, tag_field="eventType"):
    """An SES event of one type."""

    mail: _Mail

    def event(self, campaign_tag: str) -> Event:
        """Return the event, including the fields that its type adds to the email's."""
        raise NotImplementedError


class _Send(_Event, tag="Send"):
    send: _Object | None = None

    def event(self, campaign_tag: str) -> Event:
        return _event("Send", self.mail, campaign_tag, _destination(self.mail))


class _Delivery(_Event, tag="Delivery"):
    delivery: _DeliveryObject

    def event(self, campaign_tag: str) -> Event:
        own = self.delivery
        return _event("Delivery", self.mail, campaign_tag, own.recipients, own.timestamp)


class _Open(_Event, tag="Open"):
    open: _OpenObject

    def event(self, campaign_tag: str) -> Event:
        return _engagement("Open", self.mail, campaign_tag, self.open)


class _Click(_Event, tag="Click"):
    click: _ClickObject

    def event(self, campaign_tag: str) -> Event:
        own = self.click
        link_tags = own.link_tags if isinstance(own.link_tags, dict) else None
        return _engagement(
            "Click", self.mail, campaign_tag, own, link=own.link, link_tags=link_tags
        )


class _Bounce(_Event, tag="Bounce"):
    bounce: _BounceObject

    def event(self, campaign_tag: str) -> Event:
        own = self.bounce
        return _event(
            "Bounce",
            self.mail,
            campaign_tag,
            _addresses(own.bounced_recipients),
            own.timestamp,
            bounce_type=own.bounce_type,
            replies=_replies(own.bounced_recipients),
            reporting_mta=_shown(own.reporting_m_t_a),
            auto_reply=_is_auto_reply(own),
            feedback_id=_identifier("bounce.feedbackId", own.feedback_id),
            detail=_shown(own.bounce_sub_type),
        )


class _Complaint(_Event, tag="Complaint"):
    complaint: _ComplaintObject

    def event(self, campaign_tag: str) -> Event:
        own = self.complaint
        return _event(
            "Complaint",
            self.mail,
            campaign_tag,
            _addresses(own.complained_recipients),
            own.timestamp,
            feedback_id=_identifier("complaint.feedbackId", own.feedback_id),
            detail=_shown(own.complaint_feedback_type),
            subtype=_shown(own.complaint_sub_type),
        )


class _DeliveryDelay(_Event, tag="DeliveryDelay"):
    delivery_delay: _DeliveryDelayObject

    def event(self, campaign_tag: str) -> Event:
        own = self.delivery_delay
        return _event(
            "DeliveryDelay",
            self.mail,
            campaign_tag,
            _addresses(own.delayed_recipients),
            own.timestamp,
            replies=_replies(own.delayed_recipients),
            detail=_shown(own.delay_type),
        )


class _Reject(_Event, tag="Reject"):
    reject: _RejectObject | None = None

    def event(self, campaign_tag: str) -> Event:
        detail = _shown(self.reject.reason) if self.reject else None
        return _event("Reject", self.mail, campaign_tag, _destination(self.mail), detail=detail)


class _RenderingFailure(_Event, tag="Rendering Failure"):
    failure: _FailureObject | None = None

    def event(self, campaign_tag: str) -> Event:
        detail = _shown(self.failure.error_message) if self.failure else None
        return _event(
            "Rendering Failure", self.mail, campaign_tag, _destination(self.mail), detail=detail
        )


class _Subscription(_Event, tag="Subscription"):
    subscription: _SubscriptionObject

    def event(self, campaign_tag: str) -> Event:
        own = self.subscription
        return _event(
            "Subscription",
            self.mail,
            campaign_tag,
            self.mail.destination or (),
            own.timestamp,
            opts_out=_opts_out(own.new_topic_preferences, own.old_topic_preferences),
            old_preferences=_preferences(own.old_topic_preferences),
            new_preferences=_preferences(own.new_topic_preferences),
            detail=_shown(own.source),
        )


_KnownEvent = (
    _Send
    | _Delivery
    | _Open
    | _Click
    | _Bounce
    | _Complaint
    | _DeliveryDelay
    | _Reject
    | _RenderingFailure
    | _Subscription
)
_TYPES = {kind.__struct_config__.tag for kind in _KnownEvent.__args__}
_decode: Callable[[str], _Event] = msgspec.json.Decoder(_KnownEvent).decode


def parse(body: str, *, campaign_tag: str, not_after: str = _END_OF_TIME) -> Event | None:
    """Parse a queue message.

    Args:
        body: the message.
        campaign_tag: the message tag with the campaign's id.
        not_after: the latest plausible time of an event, in the format of `Event.at`.

    Returns:
        The event, or None for SES's validation messages, which are to be acknowledged.

    Raises:
        NotAnEvent: the message is not an SES event, or is dated later; it has a `reason`.
    """
    text = body
    for _ in range(_MAX_WRAPPINGS):
        event = _decoded(text, campaign_tag)
        if event is None:
            if text.strip() == VALIDATION_MESSAGE:
                return None
            value = _json_object(text)
            if is_validation(value):
                return None
            content = _unwrapped(value)
            if isinstance(content, str):
                text = content
                continue
            event = _converted(content, campaign_tag)
        for at in (event.at, event.mail_at):
            # An event in the future would stay the campaign's last event forever.
            if at > not_after:
                raise NotAnEvent("future_time", f"the event's time, {at}, is in the future")
        return event
    raise NotAnEvent("wrapped_too_often", f"more than {_MAX_WRAPPINGS} envelopes")


def _decoded(text: str, campaign_tag: str) -> Event | None:
    """Return the event of a bare, valid SES event; otherwise None.

    An error of msgspec may quote the message, so no later error may have it as its context.
    """
    try:
        return _decode(text).event(campaign_tag)
    except (msgspec.DecodeError, UnicodeEncodeError, RecursionError):
        return None


def _json_object(text: str) -> dict[str, Any]:
    """Parse JSON; lone surrogates, which JSON can represent and UTF-8 cannot, become `?`."""
    try:
        value = json.loads(text)
        value = json.loads(json.dumps(value, ensure_ascii=False).encode("utf-8", "replace"))
    except (ValueError, RecursionError) as error:
        raise NotAnEvent("bad_json", f"not JSON ({error}): {shape(text)}") from None
    if not isinstance(value, dict):
        raise NotAnEvent("not_an_object", f"JSON, but not an object: {shape(value)}")
    return value


def _unwrapped(value: dict[str, Any]) -> dict[str, Any] | str:
    """Remove one envelope; return the text inside it, or the object if it is not an envelope."""
    match value:
        case {"Records": [{"Sns": {"Message": str(text)}}]} | {"Records": [{"body": str(text)}]}:
            return text
        case {"Type": "Notification", "Message": str(text)}:
            return text
        case {"Type": "SubscriptionConfirmation" | "UnsubscribeConfirmation" as kind}:
            raise NotAnEvent("sns_confirmation", f"an SNS {kind}, meant for HTTP endpoints")
        case {"source": "aws.ses", "detail": dict(detail)} if is_email_event(value):
            return detail
    if other := recognized(value):
        raise other
    return value


def _converted(value: dict[str, Any], campaign_tag: str) -> Event:
    """Return the event of a JSON object, or raise NotAnEvent with the field at fault."""
    if "eventType" not in value:
        raise NotAnEvent("no_event_type", f"no eventType in {shape(value)}")
    event_type = value["eventType"]
    if not isinstance(event_type, str) or not re.fullmatch(_TYPE, event_type):
        raise _wrong("eventType", "a few English words, as SES's types are", event_type)
    try:
        if event_type in _TYPES:
            return _decode(json.dumps(value)).event(campaign_tag)
        # A type that SES has added is stored under its own name.
        mail = msgspec.json.decode(json.dumps(value.get("mail")), type=_Mail)
        digest = hashlib.sha256(json.dumps(value, sort_keys=True).encode()).hexdigest()
        return _event(event_type, mail, campaign_tag, mail.destination or (), feedback_id=digest)
    except (msgspec.DecodeError, RecursionError) as error:
        raise NotAnEvent("bad_event", str(error)) from error


def _event(
    event_type: str,
    mail: _Mail,
    campaign_tag: str,
    recipients: tuple[str, ...],
    timestamp: str | None = None,
    **details: Any,
) -> Event:
    """Build an event; without a timestamp of its own, it has the email's."""
    mail_at = _time("mail.timestamp", mail.timestamp)
    tags = mail.tags or {}
    campaign = _tag(tags, campaign_tag)
    return Event(
        type=event_type,
        message_id=_checked("mail.messageId", mail.message_id),
        at=mail_at if timestamp is None else _time("timestamp", timestamp),
        mail_at=mail_at,
        campaign=campaign or _tag(tags, CONFIGURATION_SET_TAG) or UNTAGGED,
        tagged=campaign is not None,
        recipients=tuple(dict.fromkeys(recipients)),
        destinations=len(set(mail.destination or ())),
        subject=_subject(mail),
        sender=_sender(mail.source),
        tags=tags,
        **details,
    )


def _engagement(
    event_type: str, mail: _Mail, campaign_tag: str, own: _OpenObject, **details: Any
) -> Event:
    # Values of isBotEvent that SES may add later are ignored.
    is_bot = own.is_bot_event if own.is_bot_event in ("Likely", "Unlikely") else None
    return _event(
        event_type,
        mail,
        campaign_tag,
        mail.destination or (),
        own.timestamp,
        agent=_shown(own.user_agent),
        address=_shown(own.ip_address),
        is_bot=is_bot,
        **details,
    )


def _destination(mail: _Mail) -> tuple[str, ...]:
    """Return the email's addresses, for types that count them."""
    if not mail.destination:
        raise _wrong("mail.destination", "a list of addresses", mail.destination)
    return mail.destination


def _addresses(recipients: list[_Recipient]) -> tuple[str, ...]:
    return tuple(one.email_address for one in recipients)


def _subject(mail: _Mail) -> str | None:
    """Return the subject, decoded: from the common headers, else from the headers."""
    subject = mail.common_headers.subject if mail.common_headers else None
    if not isinstance(subject, str):
        try:
            headers = msgspec.json.decode(mail.headers, type=list[_Header] | None) or []
        except msgspec.ValidationError:  # shown only, so omitted if malformed
            headers = []
        subject = next((one.value for one in headers if one.name.lower() == "subject"), None)
    return None if subject is None else decoded(subject)[:MAX_TEXT] or None


def _sender(source: object) -> str | None:
    """Return the sender's display name, else the address."""
    if not isinstance(source, str):
        return None
    name, address = mailbox(source)
    return (name or address)[:MAX_TEXT] or None


def _replies(recipients: list[_Recipient]) -> dict[str, Reply]:
    """Return the reply to each recipient; the first one, if a recipient is named twice."""
    replies: dict[str, Reply] = {}
    for one in recipients:
        status, diagnostic = _shown(one.status), _shown(one.diagnostic_code)
        if status or diagnostic:
            replies.setdefault(one.email_address, Reply(status, diagnostic))
    return replies


def _is_auto_reply(bounce: _BounceObject) -> bool:
    """Return whether a bounce is an automatic reply: a general notice without a failed delivery.

    SES classifies out-of-office notices as Transient/General; they have no delivery status
    notification, or one whose status is a success (2.x.x).
    """
    return (bounce.bounce_type, bounce.bounce_sub_type) == ("Transient", "General") and all(
        one.status.startswith("2.") if isinstance(one.status, str) else not one.diagnostic_code
        for one in bounce.bounced_recipients
    )


def _tag(tags: dict[str, Any], name: str) -> str | None:
    """Return a tag's first value, checked."""
    values = tags.get(name)
    if not values:
        return None
    if not isinstance(values, list):
        raise _wrong(f"mail.tags[{name!r}]", "a list", values)
    value = tag_value(tags, name)
    return None if value is None else _checked(f"mail.tags[{name!r}]", value)


def _opts_out(new: _TopicPreferences, old: _TopicPreferences | None) -> bool:
    """Return whether preferences opt out of something that the old ones did not opt out of."""
    before = _opted_out(old) if old else set()
    return "all" not in before and not _opted_out(new) <= before


def _opted_out(preferences: _TopicPreferences) -> set[str]:
    """Return the topics opted out of; `all` for all of them."""
    if preferences.unsubscribe_all is True:
        return {"all"}
    return {
        f"topic {topic.get('topicName')}"
        for topic in preferences.topic_subscription_status or ()
        if isinstance(topic, dict) and topic.get("subscriptionStatus") == "OptOut"
    }


def _preferences(preferences: _TopicPreferences | None) -> str | None:
    if preferences is None:
        return None
    return _shown(", ".join(sorted(_opted_out(preferences))) or "none")


def _identifier(name: str, value: str | None) -> str | None:
    return None if value is None else _checked(name, value)


def _checked(name: str, identifier: str) -> str:
    if len(identifier) > MAX_ID // 4 and len(identifier.encode()) > MAX_ID:
        raise _wrong(name, f"at most {MAX_ID} bytes", identifier)
    return identifier


def _shown(value: object) -> str | None:
    """Return a display text, truncated to MAX_TEXT; None if it is missing or malformed."""
    return value[:MAX_TEXT] if isinstance(value, str) and value else None


def _time(name: str, text: str) -> str:
    try:
        return to_utc(text)
    except ValueError:  # which quotes the text
        raise _wrong(name, "an RFC 3339 time", text) from None


def _wrong(name: str, expected: str, found: Any) -> NotAnEvent:
    return NotAnEvent("bad_event", f"{name} should be {expected}, but is {shape(found)}")

"""SES JSON of the usual kinds and shapes → Event, in one pass that skips what is not read.

Nearly all that arrives is a send, a delivery, an open, a click or a bounce, in the form that SES
documents. The types here are that form. What does not fit them is left to the explicit checks of
events.py, which accept it or say what is wrong: so everything here is at least as strict as they
are, and tests/laws/test_decoding.py holds that both give the same event. (What they do not share
are a parser's own limits: an integer of more than 4,300 digits that nobody reads stops json.)

Names are SES's, in Python's spelling.
"""

from collections.abc import Callable
from functools import cache
from typing import Annotated, Any, Generic, Literal, TypeVar, Union

import msgspec

from chalicelib.event import (
    CONFIGURATION_SET_TAG,
    MAX_ADDRESS,
    MAX_ID,
    MAX_TEXT,
    UNTAGGED,
    Event,
)
from chalicelib.times import MILLISECONDS, is_second

_Text = Annotated[str, msgspec.Meta(min_length=1)]
_Shown = Annotated[str, msgspec.Meta(max_length=MAX_TEXT)]
_Identifier = Annotated[str, msgspec.Meta(min_length=1, max_length=MAX_ID)]
_Address = Annotated[str, msgspec.Meta(min_length=1, max_length=MAX_ADDRESS)]


class _Read(msgspec.Struct, gc=False, rename="camel"):
    """What is read of an object."""


class _Tags(_Read):
    """What is read of a mail's tags; _decode says by which tag the campaign is named."""

    campaign: list[str] | None = None
    configuration_set: list[str] | None = None


_NO_TAGS = _Tags()
Tags = TypeVar("Tags", bound=_Tags)


class _CommonHeaders(_Read):
    subject: _Shown | None = None


class _Mail(_Read, Generic[Tags], kw_only=True):
    # In SES's order, which is decoded fastest.
    timestamp: str
    source: _Shown | None = None
    message_id: _Identifier
    destination: tuple[_Address, ...] | None = None
    common_headers: _CommonHeaders | None = None
    tags: Tags | None = None


class _Told(_Read):
    """What an event tells of itself: the object that its type names."""

    timestamp: str


class _DeliveryTold(_Told):
    recipients: tuple[_Address, ...]


class _OpenTold(_Told):
    user_agent: _Shown | None = None
    is_bot_event: Literal["Likely", "Unlikely"] | None = None


class _ClickTold(_OpenTold, kw_only=True):
    link: _Text


class _BouncedRecipient(_Read):
    email_address: _Address


class _BounceTold(_Told):
    bounce_type: _Text
    bounced_recipients: tuple[_BouncedRecipient, ...]
    bounce_sub_type: _Shown | None = None
    feedback_id: _Identifier | None = None


class _Kind(_Read, Generic[Tags], tag_field="eventType"):
    mail: _Mail[Tags]

    def event(self, not_after: str) -> Event | None:
        raise NotImplementedError


class _Send(_Kind[Tags], tag="Send"):
    send: _Read | None = None

    def event(self, not_after: str) -> Event | None:
        mail = self.mail
        if not mail.destination:
            return None
        return _event("Send", mail, mail.timestamp, mail.destination, not_after)


class _Delivery(_Kind[Tags], tag="Delivery"):
    delivery: _DeliveryTold

    def event(self, not_after: str) -> Event | None:
        told = self.delivery
        if not told.recipients:
            return None
        return _event("Delivery", self.mail, told.timestamp, told.recipients, not_after)


class _Open(_Kind[Tags], tag="Open"):
    open: _OpenTold

    def event(self, not_after: str) -> Event | None:
        mail, told = self.mail, self.open
        return _event(
            "Open",
            mail,
            told.timestamp,
            mail.destination or (),
            not_after,
            agent=told.user_agent,
            is_bot=told.is_bot_event,
        )


class _Click(_Kind[Tags], tag="Click"):
    click: _ClickTold

    def event(self, not_after: str) -> Event | None:
        mail, told = self.mail, self.click
        return _event(
            "Click",
            mail,
            told.timestamp,
            mail.destination or (),
            not_after,
            link=told.link,
            agent=told.user_agent,
            is_bot=told.is_bot_event,
        )


class _Bounce(_Kind[Tags], tag="Bounce"):
    bounce: _BounceTold

    def event(self, not_after: str) -> Event | None:
        told = self.bounce
        if not told.bounced_recipients or not (told.feedback_id or "").isascii():
            return None
        return _event(
            "Bounce",
            self.mail,
            told.timestamp,
            tuple(one.email_address for one in told.bounced_recipients),
            not_after,
            bounce_type=told.bounce_type,
            feedback_id=told.feedback_id,
            detail=told.bounce_sub_type,
        )


def usual_event(text: str, campaign_tag: str, not_after: str) -> Event | None:
    """Decode an event of a usual kind, in the form that SES documents.

    Args:
        text: SES's JSON, without an envelope.
        campaign_tag: the message tag that names the campaign.
        not_after: a time in the form of `Event.at`; what is said to happen later is not usual.

    Returns:
        The event, or None where it takes a closer look.
    """
    try:
        told = _decode(campaign_tag)(text)
    except (msgspec.DecodeError, UnicodeEncodeError, RecursionError):
        return None
    return told.event(not_after)


@cache
def _decode(campaign_tag: str) -> Callable[[str], _Kind[_Tags]]:
    # Where one tag is both, it is the campaign's; a blank one leaves neither.
    names = {CONFIGURATION_SET_TAG: "configuration_set"} | {campaign_tag: "campaign"}
    fields = [
        (field, list[str] | None, msgspec.field(default=None, name=tag))
        for tag, field in names.items()
    ]
    tags: Any = msgspec.defstruct("_NamedTags", fields, bases=(_Tags,), gc=False)
    kinds: Any = Union[tuple(kind[tags] for kind in (_Send, _Delivery, _Open, _Click, _Bounce))]  # noqa: UP007 - of types made here
    decode: Callable[[str], _Kind[_Tags]] = msgspec.json.Decoder(kinds).decode
    return decode


def _event(  # noqa: PLR0913 - the parts of an event
    kind: str,
    mail: _Mail[Tags],
    at: str,
    recipients: tuple[str, ...],
    not_after: str,
    *,
    link: str | None = None,
    agent: str | None = None,
    is_bot: Literal["Likely", "Unlikely"] | None = None,
    bounce_type: str | None = None,
    feedback_id: str | None = None,
    detail: str | None = None,
) -> Event | None:
    mail_at = mail.timestamp
    usual = (
        mail_at[20:] in MILLISECONDS
        and is_second(mail_at[:20])
        and mail_at <= not_after
        and (at is mail_at or (at[20:] in MILLISECONDS and is_second(at[:20]) and at <= not_after))
        and mail.message_id.isascii()
    )
    if not usual:
        return None
    tags = mail.tags or _NO_TAGS
    values = tags.campaign
    campaign = (values[0].strip() or _named(values)) if values else None
    name = campaign or _named(tags.configuration_set) or UNTAGGED
    if len(name.encode()) > MAX_ID:
        return None
    headers = mail.common_headers
    return Event(
        kind,
        mail.message_id,
        at,
        mail_at,
        name,
        campaign is not None,
        recipients if len(recipients) < 2 else tuple(dict.fromkeys(recipients)),  # noqa: PLR2004
        headers.subject or None if headers is not None else None,
        mail.source or None,
        link,
        agent or None,
        is_bot,
        bounce_type,
        feedback_id,
        False,  # noqa: FBT003 - opts_out
        detail or None,
    )


def _named(values: list[str] | None) -> str | None:
    for value in values or ():
        if name := value.strip():
            return name
    return None

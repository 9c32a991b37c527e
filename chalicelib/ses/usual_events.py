"""Parse the common types of SES events in a single pass that skips unused fields.

Nearly all events are sends, deliveries, opens, clicks or bounces in the format that SES documents.
The types in this module define that format. Events that do not match them are left to the explicit
checks of ses/parse.py, which accept them or state the error. Everything here is therefore at least
as strict as those checks, and tests/laws/test_decoding.py verifies that both return the same event.
(They differ only in the limits of their JSON parsers: json rejects an integer of more than 4,300
digits even if it is unused.)

Field names are SES's, in Python's spelling.
"""

from collections.abc import Callable
from typing import Annotated, Any, Generic, Literal, TypeVar, Union

import msgspec

from chalicelib.ses.event import (
    CONFIGURATION_SET_TAG,
    MAX_ADDRESS,
    MAX_ID,
    MAX_TEXT,
    UNTAGGED,
    Event,
)
from chalicelib.ses.times import MILLISECONDS, SECONDS

_Text = Annotated[str, msgspec.Meta(min_length=1)]
_Shown = Annotated[str, msgspec.Meta(min_length=1, max_length=MAX_TEXT)]
# A character has at most 4 bytes, so MAX_ID bytes are never exceeded and need not be counted.
_Identifier = Annotated[str, msgspec.Meta(min_length=1, max_length=MAX_ID // 4)]
_Name = Annotated[str, msgspec.Meta(max_length=MAX_ID // 4)]
_Address = Annotated[str, msgspec.Meta(min_length=1, max_length=MAX_ADDRESS)]
_Names = list[_Name]
_Addresses = Annotated[tuple[_Address, ...], msgspec.Meta(min_length=1)]


class _Read(msgspec.Struct, gc=False, rename="camel"):
    """An object of an event; fields that are not declared are ignored."""


class _Tags(_Read):
    """Tags of an email; _decoder maps the given tag to `campaign`."""

    campaign: _Names | None = None


Tags = TypeVar("Tags", bound=_Tags)


class _CommonHeaders(_Read):
    subject: _Shown | None = None


class _Mail(_Read, Generic[Tags], kw_only=True):
    # In SES's order, which decodes fastest.
    timestamp: str
    source: _Shown | None = None
    message_id: _Identifier
    common_headers: _CommonHeaders | None = None
    tags: Tags | None = None


class _MailTo(_Mail[Tags], kw_only=True):
    destination: _Addresses


class _Told(_Read):
    """The object of an event's type, with the details of that type."""

    timestamp: str


class _DeliveryTold(_Told):
    recipients: _Addresses


class _OpenTold(_Told):
    user_agent: _Shown | None = None
    is_bot_event: Literal["Likely", "Unlikely"] | None = None


class _ClickTold(_OpenTold, kw_only=True):
    link: _Text


class _BouncedRecipient(_Read):
    email_address: _Address


class _BounceTold(_Told):
    bounce_type: _Text
    bounced_recipients: Annotated[tuple[_BouncedRecipient, ...], msgspec.Meta(min_length=1)]
    bounce_sub_type: _Shown | None = None
    feedback_id: _Identifier | None = None


_Parts = tuple[Any, ...]
"""Type, mail, time, recipients, link, agent, is_bot, bounce_type, feedback_id and detail."""


class _Kind(_Read, Generic[Tags], tag_field="eventType"):
    """An event of one type, as decoded."""

    def parts(self) -> _Parts:
        raise NotImplementedError


_NO_MORE = (None, None, None, None, None, None)


class _Send(_Kind[Tags], tag="Send"):
    mail: _MailTo[Tags]
    send: _Read | None = None

    def parts(self) -> _Parts:
        mail = self.mail
        return "Send", mail, mail.timestamp, mail.destination, *_NO_MORE


class _Delivery(_Kind[Tags], tag="Delivery"):
    mail: _Mail[Tags]
    delivery: _DeliveryTold

    def parts(self) -> _Parts:
        told = self.delivery
        return "Delivery", self.mail, told.timestamp, told.recipients, *_NO_MORE


class _Open(_Kind[Tags], tag="Open"):
    mail: _MailTo[Tags]
    open: _OpenTold

    def parts(self) -> _Parts:
        mail, told = self.mail, self.open
        more = (None, told.user_agent, told.is_bot_event, None, None, None)
        return "Open", mail, told.timestamp, mail.destination, *more


class _Click(_Kind[Tags], tag="Click"):
    mail: _MailTo[Tags]
    click: _ClickTold

    def parts(self) -> _Parts:
        mail, told = self.mail, self.click
        more = (told.link, told.user_agent, told.is_bot_event, None, None, None)
        return "Click", mail, told.timestamp, mail.destination, *more


class _Bounce(_Kind[Tags], tag="Bounce"):
    mail: _Mail[Tags]
    bounce: _BounceTold

    def parts(self) -> _Parts:
        told = self.bounce
        bounced = tuple([one.email_address for one in told.bounced_recipients])
        more = (None, None, None, told.bounce_type, told.feedback_id, told.bounce_sub_type)
        return "Bounce", self.mail, told.timestamp, bounced, *more


Reader = Callable[[str, str], Event | None]
"""Parses an event from a text, given the latest plausible time; see usual_events."""


def usual_events(campaign_tag: str, otherwise: Reader) -> Reader:
    """Return a parser of the common types of events, in the format that SES documents.

    Args:
        campaign_tag: the message tag with the campaign's id.
        otherwise: parser of all other messages.

    Returns:
        A function that takes SES's JSON, without an envelope, and the latest plausible time, in the
        format of `Event.at`. It leaves events that are dated later to `otherwise`.
    """
    decode, decode_by_set = _decoder(campaign_tag), _decoder(CONFIGURATION_SET_TAG)

    def read(text: str, not_after: str) -> Event | None:
        try:
            kind, mail, at, recipients, link, agent, is_bot, bounce, feedback, detail = decode(
                text
            ).parts()
            mail_at = mail.timestamp
            second, _, rest = at.partition(".")
            usual = rest in MILLISECONDS and SECONDS[second] and at <= not_after
            if usual and mail_at is not at:
                second, _, rest = mail_at.partition(".")
                usual = rest in MILLISECONDS and SECONDS[second] and mail_at <= not_after
            if not usual:
                return otherwise(text, not_after)
            tags = mail.tags
            values = None if tags is None else tags.campaign
            # Usually there is a single value, which is not blank.
            campaign = (values[0].strip() or _named(values)) if values else None
            name = campaign or _set_of(decode_by_set(text)) or UNTAGGED
        except (msgspec.DecodeError, UnicodeEncodeError, RecursionError):
            return otherwise(text, not_after)
        headers = mail.common_headers
        return Event(
            kind,
            mail.message_id,
            at,
            mail_at,
            name,
            campaign is not None,
            recipients if len(recipients) == 1 else tuple(dict.fromkeys(recipients)),
            None if headers is None else headers.subject,
            mail.source,
            link,
            agent,
            is_bot,
            bounce,
            feedback,
            False,  # noqa: FBT003 - opts_out
            detail,
        )

    return read


def _decoder(campaign_tag: str) -> Callable[[str], _Kind[_Tags]]:
    field = ("campaign", _Names | None, msgspec.field(default=None, name=campaign_tag))
    tags: Any = msgspec.defstruct("_NamedTags", [field], bases=(_Tags,), gc=False)
    kinds: Any = Union[tuple(kind[tags] for kind in (_Send, _Delivery, _Open, _Click, _Bounce))]  # noqa: UP007 - types created at run time
    decode: Callable[[str], _Kind[_Tags]] = msgspec.json.Decoder(kinds).decode
    return decode


def _set_of(told: _Kind[_Tags]) -> str | None:
    """Return the configuration set, given an event decoded with that tag as the campaign's."""
    tags = told.parts()[1].tags
    return None if tags is None else _named(tags.campaign)


def _named(values: list[str] | None) -> str | None:
    """Return a tag's first value that is not blank, or None."""
    for value in values or ():
        if name := value.strip():
            return name
    return None

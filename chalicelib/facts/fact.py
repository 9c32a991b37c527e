"""Facts: the stored parts of events, each with an identity that duplicates share.

A fact is stored under its message id and its identity, so writing it is idempotent. The identity
consists of what SES reports about the event itself (type, event time, recipient, link or feedback
id), never of delivery details such as an SNS message id.
"""

import hashlib
import hmac
from typing import Annotated, Literal
from urllib.parse import urlsplit, urlunsplit

from msgspec import Meta, Struct

from chalicelib.ses.event import MAX_ID, Event

Class = Literal["human", "machine", "unknown"]

# Types that count once per address. If the event itself names its recipients, each recipient is a
# fact; otherwise the event is a single fact that counts the addresses of the email.
_COUNTED_BY_DESTINATION = {"Send", "Reject", "Rendering Failure"}
_ONE_FACT_A_RECIPIENT = {"Delivery", "DeliveryDelay", "Bounce", "Complaint"}
ENGAGEMENTS = {"Open", "Click"}
# Types in the activity index: actions of recipients, and failures. Sends and deliveries, the bulk
# of all facts, are excluded to save a second write.
ACTIVITY_TYPES = (
    "Open",
    "Click",
    "Bounce",
    "Complaint",
    "DeliveryDelay",
    "Reject",
    "Rendering Failure",
    "Subscription",
)

OTHER_LINK = "other"
MAX_URL = 2000
MAX_COUNT = 100_000  # far above the 50 recipients that SES allows per email

# Limits of values that become keys and texts of aggregates; they are checked when items are read.
Name = Annotated[str, Meta(min_length=1, max_length=MAX_ID)]
LinkId = Annotated[str, Meta(pattern=rf"\A([0-9a-f]{{16}}|{OTHER_LINK})\Z")]
_Text = Annotated[str, Meta(max_length=MAX_URL)]

# Attributes of the events table; names are short, because each item is read again from the stream.
ATTRIBUTES = {
    "message_id": "message_id",
    "key": "fact",
    "type": "e",
    "campaign": "c",
    "at": "t",
    "mail_at": "m",
    "count": "n",
    "tagged": "g",
    "recipient": "r",
    "subject": "s",
    "sender": "f",
    "link": "l",
    "link_id": "h",
    "agent": "a",
    "is_bot": "i",
    "engager": "k",
    "reason": "w",
    "bounce_type": "b",
    "opts_out": "o",
    "detail": "d",
    "settled": "z",
}


class Fact(Struct, frozen=True, gc=False, rename=ATTRIBUTES, omit_defaults=True):
    """A stored fact. Times are RFC 3339, UTC, with milliseconds.

    Attributes:
        key: the fact's identity within its email.
        count: number that the fact counts: the addresses of a Send, otherwise 1.
        recipient: an address or a pseudonym; None if SES does not report the recipient.
        link: the URL without its fragment (and without its query, unless configured).
        link_id: a short hash of `link`, or `other` if the campaign has too many links.
        engager: Class of an open or click; None for other types.
        reason: the reason for `engager`.
        settled: rank of the rules and facts that determined `engager` (settle.rank); 0 if it was
            stored before classes had a rank, and for other types.
    """

    message_id: str
    key: str
    type: Name
    campaign: Name
    at: str
    mail_at: str
    count: Annotated[int, Meta(ge=1, le=MAX_COUNT)] = 1
    tagged: bool = True
    recipient: str | None = None
    subject: _Text | None = None
    sender: _Text | None = None
    link: _Text | None = None
    link_id: LinkId | None = None
    agent: str | None = None
    is_bot: str | None = None
    engager: str | None = None
    reason: str | None = None
    bounce_type: str | None = None
    opts_out: bool = False
    detail: str | None = None
    settled: int = 0


def facts_of(
    event: Event, *, pseudonym_key: str, store_addresses: bool, keep_link_query: bool
) -> list[Fact]:
    """Return the facts of an event: one per recipient if its type names recipients, else one."""
    if event.type in _ONE_FACT_A_RECIPIENT:
        facts = []
        for address in event.recipients:
            name = pseudonym(address, pseudonym_key)
            facts.append(_fact(event, name, address if store_addresses else name))
        return facts
    count = len(event.recipients) if event.type in _COUNTED_BY_DESTINATION else 1
    # SES does not name the recipient here; it is known only if the email has a single address.
    recipient = None
    if len(event.recipients) == 1:
        [address] = event.recipients
        recipient = address if store_addresses else pseudonym(address, pseudonym_key)
    link = _link(event.link, keep_query=keep_link_query) if event.link is not None else None
    return [_fact(event, None, recipient, count, link)]


def _fact(
    event: Event,
    pseudonym: str | None,
    recipient: str | None,
    count: int = 1,
    link: str | None = None,
) -> Fact:
    """Build a fact; a pseudonym is part of its identity if the event names its recipients."""
    return Fact(
        event.message_id,
        _key(event, pseudonym),
        event.type,
        event.campaign,
        event.at,
        event.mail_at,
        count,
        event.tagged,
        recipient,
        event.subject,
        event.sender,
        link,
        None if link is None else short_hash(link),
        event.agent,
        event.is_bot,
        bounce_type=event.bounce_type,
        opts_out=event.opts_out,
        detail=event.detail,
    )


def pseudonym(address: str, key: str) -> str:
    """Return a stable pseudonym of an address, 16 hex digits; irreversible without the key."""
    # hmac.digest is three times faster than an HMAC object, which supports updates.
    return hmac.digest(key.encode(), address.encode(), "sha256").hex()[:16]


def _key(event: Event, recipient: str | None) -> str:
    key = f"{event.type}#{event.at}"
    if recipient is not None:
        key += f"#{recipient}"
    if event.link is not None:
        key += f"#{short_hash(event.link)}"
    if event.feedback_id is not None:
        key += f"#{short_hash(event.feedback_id)}"
    return key


def _link(url: str, *, keep_query: bool) -> str:
    try:
        parts = urlsplit(url)
    except ValueError:  # not a valid URL, such as "http://[", but the click counts anyway
        return url[:MAX_URL]
    query = parts.query if keep_query else ""
    return (urlunsplit((parts.scheme, parts.netloc, parts.path, query, "")) or url)[:MAX_URL]


def short_hash(text: str) -> str:
    """Return a short hash of a text, 16 hex digits."""
    return hashlib.sha256(text.encode()).hexdigest()[:16]

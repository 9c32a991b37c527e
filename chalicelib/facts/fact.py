"""Facts: the items that an event is stored as, each with an identity that duplicates share.

A fact is stored under its message id and its identity, so writing it is idempotent. The identity
consists of what SES reports about the event itself (type, event time, recipient, link or feedback
id), never of delivery details such as an SNS message id.

Items of the events table (names are short, because each fact is read again from the stream):

    message_id  fact              e      c       t   m        n      …
    0100-abc    Click#<t>#<link>  Click  spring  at  mail_at  count  see ATTRIBUTES
    0100-abc    ~state#spring     state, written by settle: see facts/settle.py
"""

import hashlib
import hmac
import re
from collections.abc import Mapping
from typing import Any, Literal
from urllib.parse import urlsplit, urlunsplit

import msgspec

from chalicelib.errors import shape
from chalicelib.ses.event import MAX_ID, Event
from chalicelib.ses.times import is_time

Item = dict[str, dict[str, Any]]
"""An item in DynamoDB JSON, such as `{"e": {"S": "Open"}}`."""

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

ACTIVITY_LANES = 4
OTHER_LINK = "other"
MAX_URL = 2000
MAX_COUNT = 100_000  # far above the 50 recipients that SES allows per email
_LINK_ID = rf"[0-9a-f]{{16}}|{OTHER_LINK}"


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


class Fact(msgspec.Struct, frozen=True, gc=False, rename=ATTRIBUTES, omit_defaults=True):
    """A stored fact. Times are RFC 3339, UTC, with milliseconds.

    Attributes:
        key: the fact's identity within its email.
        count: number that the fact counts: the addresses of a Send, otherwise 1.
        recipient: an address or a pseudonym; None if SES does not report the recipient.
        link: the URL without its fragment (and without its query, unless configured).
        link_id: a short hash of `link`, or `other` if the campaign has too many links.
        engager: class of an open or click; None for other types.
        reason: the reason for `engager`.
        settled: rank of the rules and facts that determined `engager` (settle.rank); 0 if it was
            stored before classes had a rank, and for other types.
    """

    message_id: str
    key: str
    type: str
    campaign: str
    at: str
    mail_at: str
    count: int = 1
    tagged: bool = True
    recipient: str | None = None
    subject: str | None = None
    sender: str | None = None
    link: str | None = None
    link_id: str | None = None
    agent: str | None = None
    is_bot: str | None = None
    engager: Class | None = None
    reason: str | None = None
    bounce_type: str | None = None
    opts_out: bool = False
    detail: str | None = None
    settled: int = 0


_NO_TEXTS = {"count": int, "settled": int, "tagged": bool, "opts_out": bool}
_READ = {attribute: (name, _NO_TEXTS.get(name, str)) for name, attribute in ATTRIBUTES.items()}
_REQUIRED = ("message_id", "key", "type", "campaign", "at", "mail_at")


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
        None if link is None else _short_hash(link),
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


def to_item(fact: Fact, expires: int) -> Item:
    """Return a fact in DynamoDB JSON; attributes with default values are omitted.

    Args:
        fact: the fact.
        expires: when DynamoDB may delete the item, in epoch seconds.
    """
    item: Item = {
        attribute: {"S": value} if isinstance(value, str) else _encoded(value)
        for attribute, value in msgspec.to_builtins(fact).items()
    }
    item["expires"] = {"N": str(expires)}
    # A subscription without an opt-out has no counter, so no hour would show that it exists.
    if fact.type in ACTIVITY_TYPES and (fact.type != "Subscription" or fact.opts_out):
        distinct = _short_hash(fact.message_id + fact.key)
        item["activity"] = {
            "S": activity_partition(
                fact.campaign, fact.at[:13], int(distinct[:4], 16) % ACTIVITY_LANES
            )
        }
        item["activity_at"] = {"S": f"{fact.at}#{distinct}"}
    return item


def from_item(item: Mapping[str, Mapping[str, Any]]) -> Fact:
    """Parse a fact from DynamoDB JSON.

    Raises:
        ValueError: the item is not a valid fact; the message contains the attribute at fault.
    """
    values: dict[str, Any] = {}
    for attribute, encoded in item.items():
        if attribute in _READ:
            name, expected = _READ[attribute]
            value = _decoded(attribute, encoded)
            if type(value) is not expected:
                raise ValueError(f"attribute {attribute} of a fact is {shape(value)}")
            values[name] = value
    missing = [ATTRIBUTES[name] for name in _REQUIRED if not values.get(name)]
    if missing:
        raise ValueError(f"a fact without {', '.join(missing)}: it has {len(item)} attributes")
    fact = Fact(**values)
    for time in (fact.at, fact.mail_at):
        check_time(time)
    check_identifiers(fact.campaign, fact.link_id)
    for name, text in (("s", fact.subject), ("f", fact.sender), ("l", fact.link)):
        # These are copied into aggregates, which must stay within the limits of an item.
        if text is not None and len(text) > MAX_URL:
            raise ValueError(f"attribute {name} of a fact has {len(text)} characters")
    if not 0 < fact.count <= MAX_COUNT:
        raise ValueError(f"a fact that counts {fact.count}")
    return fact


def check_time(time: str) -> None:
    """Raise ValueError unless a time has the format that ses/parse.py returns.

    Raises:
        ValueError: the time has another format.
    """
    if not is_time(time):
        raise ValueError(f"a time of another form: {shape(time)}")


def check_identifiers(campaign: str, *link_ids: str | None) -> None:
    """Raise ValueError unless a campaign and link ids are valid in an aggregate's key.

    Raises:
        ValueError: one of them is not valid.
    """
    if not 0 < len(campaign.encode()) <= MAX_ID:
        raise ValueError(f"a campaign of {len(campaign)} characters")
    for link_id in link_ids:
        if link_id is not None and not re.fullmatch(_LINK_ID, link_id):
            raise ValueError(f"a link id of another form: {shape(link_id)}")


def activity_partition(campaign: str, hour: str, lane: int) -> str:
    """Return a partition key of the activity index: campaign, hour (`2026-11-23T10`) and lane.

    Lanes spread a busy hour over several partitions, so that no campaign throttles ingest.
    """
    return f"{campaign}#{hour}#{lane}"


def _key(event: Event, recipient: str | None) -> str:
    key = f"{event.type}#{event.at}"
    if recipient is not None:
        key += f"#{recipient}"
    if event.link is not None:
        key += f"#{_short_hash(event.link)}"
    if event.feedback_id is not None:
        key += f"#{_short_hash(event.feedback_id)}"
    return key


def _link(url: str, *, keep_query: bool) -> str:
    try:
        parts = urlsplit(url)
    except ValueError:  # not a valid URL, such as "http://[", but the click counts anyway
        return url[:MAX_URL]
    query = parts.query if keep_query else ""
    return (urlunsplit((parts.scheme, parts.netloc, parts.path, query, "")) or url)[:MAX_URL]


def _short_hash(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def _encoded(value: int | bool) -> dict[str, Any]:  # noqa: FBT001 - a value, not a switch
    return {"BOOL": value} if isinstance(value, bool) else {"N": str(value)}


def _decoded(attribute: str, value: Mapping[str, Any]) -> str | int | bool:
    kinds = dict(value)
    if isinstance(text := kinds.get("S"), str):
        return text
    if isinstance(number := kinds.get("N"), str):
        return int(number)
    if isinstance(flag := kinds.get("BOOL"), bool):
        return flag
    raise ValueError(f"attribute {attribute} is {shape(value)}")

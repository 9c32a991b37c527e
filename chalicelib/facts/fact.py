"""Facts: the stored parts of events, each with an identity that duplicates share.

A fact is stored under its message id and its identity, so writing it is idempotent. The identity
consists of what SES reports about the event itself (type, event time, recipient, link or feedback
id), never of delivery details such as an SNS message id.
"""

import hashlib
import hmac
import socket
from collections.abc import Mapping, Sequence
from typing import Annotated, Literal

from msgspec import Meta, Struct, field

from chalicelib.facts import links
from chalicelib.facts.personal import masked, masked_sender
from chalicelib.facts.providers import OTHER, by_provider
from chalicelib.facts.replies import MAX_TEXT, reply_class
from chalicelib.facts.reputation import (
    bounce_counter,
    bounce_kind,
    bounce_kind_of_generation_1,
)
from chalicelib.ses.event import MAX_ID, Event, Reply, tag_value
from chalicelib.ses.headers import domain, normalised_address

Class = Literal["human", "machine", "unknown"]

# Types that count once per address. If the event itself names its recipients, each recipient is a
# fact; otherwise the event is a single fact that counts the addresses of the email.
_COUNTED_BY_DESTINATION = {"Send", "Reject", "Rendering Failure"}
_ONE_FACT_A_RECIPIENT = {"Delivery", "DeliveryDelay", "Bounce", "Complaint"}
ENGAGEMENTS = {"Open", "Click"}
SETTLED_TYPES = {*ENGAGEMENTS, "Bounce", "Complaint"}  # all or some of which is_settled
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

# The generation of stored facts and states: how their attributes are to be counted. Items without
# one are of generation 1; the releases that wrote them are listed in docs/architecture.md.
GENERATION = 2

OTHER_LINK = "other"
MAX_URL = links.MAX_URL
MAX_LABEL = 100
MAX_DIAGNOSTIC = 300
MAX_COUNT = 100_000  # far above the 50 recipients that SES allows per email

RECIPIENT_ISP_TAG = "ses:recipient-isp"
_NO_REPLY = Reply()

# Limits of values that become keys and texts of aggregates; they are checked when items are read.
Name = Annotated[str, Meta(min_length=1, max_length=MAX_ID)]
LinkId = Annotated[str, Meta(pattern=rf"\A([0-9a-f]{{16}}|{OTHER_LINK})\Z")]
_Text = Annotated[str, Meta(max_length=MAX_URL)]
# A provider's name is part of the names of counters (stats/counters.py), which have the @.
Provider = Annotated[str, Meta(pattern=r"\A[^#@\x00-\x1f]{1,50}\Z")]
_Number = Annotated[str, Meta(pattern=r"\A[1-9][0-9]{0,4}\Z")]
_ReplyText = Annotated[str, Meta(min_length=2, max_length=MAX_TEXT + 20)]

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
    "generation": "x",
    "reported": "rr",
    "domain": "q",
    "isp": "p",
    "tags": "v",
    "label": "y",
    "network": "j",
    "status": "bs",
    "diagnostic": "bd",
    "reporting_mta": "bm",
    "auto_reply": "ba",
    "subtype": "cs",
    "old_preferences": "po",
    "new_preferences": "pn",
    "recipients": "rs",
    "provider": "mp",
    "providers": "mn",
    "reply": "bc",
}


class Fact(Struct, frozen=True, gc=False, rename=ATTRIBUTES, omit_defaults=True):
    """A stored fact. Times are RFC 3339, UTC, with milliseconds.

    Attributes:
        key: the fact's identity within its email.
        count: number that the fact counts: the addresses of a Send, otherwise 1.
        recipient: the normalised address or its pseudonym; None if SES does not report it.
        link: the normalised URL (facts/links.py).
        link_id: a short hash of the link's label, else of its URL; facts of generation 1 have
            `other` if their campaign had too many links.
        engager: Class of an open or click; None for other types.
        reason: the reason for `engager`.
        settled: rank of `engager`: the version of the rules, and a revision (facts/settle.py); 0
            if it was stored before classes had a rank, and for other types.
        generation: GENERATION when the fact was written.
        reported: the recipient as SES spells it, if addresses are stored and it differs.
        domain: the recipient's domain.
        isp: the recipient's mailbox provider, as SES names it.
        tags: values of the tags by which campaigns are broken down.
        label: the link's label, from its tags.
        network: pseudonym of the network of an open or click, different for each campaign.
        status: enhanced status code of a bounce or delay, such as `5.7.1`.
        diagnostic: the receiving server's reply, masked.
        reporting_mta: the server that reports a bounce.
        subtype: subtype of a complaint; that of a bounce is `detail`.
        old_preferences, new_preferences: as in Event.
        recipients: of a Send to several addresses, the domain of each address or pseudonym.
        provider: the mailbox provider at which the fact counts (facts/providers.py), which all of
            its addresses have, else `other`; None in a fact that an earlier release has written.
        providers: of a Send to addresses of several providers, the number of addresses at each.
        reply: the class of the reply to a bounce or delay (facts/replies.py): its status, a space
            and its text.
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
    generation: int = 1
    reported: str | None = None
    domain: str | None = None
    isp: str | None = None
    tags: Mapping[str, str] = field(default_factory=dict)
    label: _Text | None = None
    network: str | None = None
    status: str | None = None
    diagnostic: str | None = None
    reporting_mta: str | None = None
    auto_reply: bool = False
    subtype: str | None = None
    old_preferences: str | None = None
    new_preferences: str | None = None
    recipients: Mapping[str, str] = field(default_factory=dict)
    provider: Provider | None = None
    providers: Mapping[Provider, _Number] = field(default_factory=dict)
    reply: _ReplyText | None = None

    @property
    def url_hash(self) -> str:
        """A hash of a click's complete URL, as SES reported it."""
        return self.key.rpartition("#")[2]

    @property
    def recipient_id(self) -> str:
        """The pseudonym in the identity of a fact whose event names its recipients."""
        return f"{self.key}##".split("#")[2]

    @property
    def bounce_kind(self) -> tuple[str, str]:
        """Type and subtype under which a bounce is counted."""
        if self.generation == 1:
            return bounce_kind_of_generation_1(self.bounce_type, self.detail)
        return bounce_kind(self.bounce_type, self.detail, auto_reply=self.auto_reply)


def is_settled(fact: Fact) -> bool:
    """Return whether a fact counts by its email's state (facts/settle.py): only once per email.

    These are opens and clicks, complaints, and the bounces that are final for a recipient.
    """
    if fact.type == "Bounce":
        return bounce_counter(*fact.bounce_kind) in ("hard_bounces", "prevented")
    return fact.type in ENGAGEMENTS or fact.type == "Complaint"


class FactSettings(Struct, frozen=True):
    """How events become facts.

    Attributes:
        pseudonym_key: key of all pseudonyms.
        store_addresses: whether to store addresses instead of pseudonyms.
        tracking_parameters: further parameters of links that do not belong to their identity.
        label_tag: the link tag that labels a link.
        breakdown_tags: tags of emails to store.
    """

    pseudonym_key: str
    store_addresses: bool = False
    tracking_parameters: frozenset[str] = frozenset()
    label_tag: str = "link"
    breakdown_tags: Sequence[str] = ()


def facts_of(event: Event, settings: FactSettings) -> list[Fact]:
    """Return the facts of an event: one per recipient if its type names recipients, else one."""
    if event.type in _ONE_FACT_A_RECIPIENT:
        return [_fact(event, settings, one, identified=True) for one in event.recipients]
    # SES does not name the recipient here; it is known only if the email has a single address.
    return [_fact(event, settings, event.recipients[0] if len(event.recipients) == 1 else None)]


def _fact(
    event: Event, settings: FactSettings, recipient: str | None, *, identified: bool = False
) -> Fact:
    """Build a fact.

    Args:
        event: the event.
        settings: how events become facts.
        recipient: the recipient's address as SES reports it; None if it is not known.
        identified: whether the recipient is part of the fact's identity.
    """
    key = settings.pseudonym_key
    address = None if recipient is None else normalised_address(recipient)
    shown = address if settings.store_addresses or address is None else pseudonym(address, key)
    reply = event.replies.get(recipient or "", _NO_REPLY)
    providers = _providers(event, [recipient] if identified and recipient else event.recipients)
    link = label = None
    if event.link is not None:
        link = links.normalised(event.link, settings.tracking_parameters)
        label = tag_value(event.link_tags, settings.label_tag)
        label = label and masked(label[:MAX_URL])[:MAX_LABEL]
    return Fact(
        event.message_id,
        _key(event, pseudonym(recipient, key) if identified and recipient is not None else None),
        event.type,
        event.campaign,
        event.at,
        event.mail_at,
        len(event.recipients) if event.type in _COUNTED_BY_DESTINATION else 1,
        event.tagged,
        shown,
        event.subject,
        event.sender and masked_sender(event.sender),
        link,
        None if link is None else link_id(link, label),
        event.agent,
        event.is_bot,
        bounce_type=event.bounce_type,
        opts_out=event.opts_out,
        detail=event.detail and masked(event.detail),
        generation=GENERATION,
        reported=recipient if settings.store_addresses and recipient != address else None,
        domain=(address and domain(address)) or None,
        isp=(tag_value(event.tags, RECIPIENT_ISP_TAG) or "")[:MAX_ID] or None,
        tags={
            name: value[:MAX_ID]
            for name in settings.breakdown_tags
            if (value := tag_value(event.tags, name)) is not None
        },
        label=label,
        network=event.address and _network(event.address, event.campaign, key),
        status=reply.status and masked(reply.status),
        diagnostic=reply.diagnostic and masked(reply.diagnostic)[:MAX_DIAGNOSTIC],
        reporting_mta=event.reporting_mta and masked(event.reporting_mta),
        auto_reply=event.auto_reply,
        subtype=event.subtype,
        old_preferences=event.old_preferences,
        new_preferences=event.new_preferences,
        recipients=_several(event, settings) if event.type == "Send" else {},
        provider=next(iter(providers)) if len(providers) == 1 else OTHER,
        providers={
            name: str(number)
            for name, number in providers.items()
            if event.type == "Send" and len(providers) > 1
        },
        reply=_reply(reply),
    )


def _providers(event: Event, addresses: Sequence[str]) -> Mapping[str, int]:
    """Return the number of addresses at each mailbox provider.

    SES's tag names the provider of one address. Of an email to several, it is not known which.
    """
    isp = tag_value(event.tags, RECIPIENT_ISP_TAG) if event.destinations == 1 else None
    return by_provider([domain(normalised_address(one)) or "" for one in addresses], isp)


def _reply(reply: Reply) -> str | None:
    """Return the class of a reply as facts have it; None without a reply."""
    found = reply_class(reply.status, reply.diagnostic)
    return f"{found.status} {found.text}" if any(found) else None


def _several(event: Event, settings: FactSettings) -> dict[str, str]:
    """Return the domains of an email's recipients if there are several."""
    if len(event.recipients) == 1:
        return {}
    addresses = map(normalised_address, event.recipients)
    return {
        one if settings.store_addresses else pseudonym(one, settings.pseudonym_key): (
            domain(one) or ""
        )
        for one in addresses
    }


def link_id(url: str, label: str | None) -> str:
    """Return a link's id; links of one label are one link."""
    return short_hash(url if label is None else f"label {label}")


def _network(address: str, campaign: str, key: str) -> str | None:
    """Return the pseudonym of an address's network: a /24, or a /48 of IPv6.

    None if the text is not an address. Networks of different campaigns cannot be compared.
    """
    for family, prefix_bytes in ((socket.AF_INET, 3), (socket.AF_INET6, 6)):
        try:
            network = socket.inet_pton(family, address)[:prefix_bytes].hex()
        except (OSError, ValueError):  # ValueError: a null character
            continue
        return pseudonym(f"network {campaign} {network}", key)
    return None


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


def short_hash(text: str) -> str:
    """Return a short hash of a text, 16 hex digits."""
    return hashlib.sha256(text.encode()).hexdigest()[:16]

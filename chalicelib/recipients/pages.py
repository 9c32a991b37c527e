"""Pages of the recipients index: what a batch of stored facts says about a campaign's recipients.

A page is a part of a copy: each entry repeats what the events table stores. Pages overlap after a
crash, a redelivery or a recount, so readers ignore repeated entries (recipients/audience.py).
"""

import zlib
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import msgspec
from msgspec import Struct, field

from chalicelib.facts.fact import Fact, is_settled
from chalicelib.facts.items import from_item
from chalicelib.facts.state import State

# DynamoDB's limit is 400 KB an item, including the key.
MAX_PAGE_BYTES = 300 * 1000


class Sent(Struct, frozen=True, array_like=True):
    """An email that was sent.

    Attributes:
        recipients: domain by address or pseudonym; an empty text for an unknown domain.
        isp: the mailbox provider, as SES names it.
        tags: values of the tags by which campaigns are broken down.
        count: the number of addresses that the email counts in `sends`.
    """

    message_id: str
    at: str
    recipients: Mapping[str, str]
    isp: str | None
    tags: Mapping[str, str]
    count: int


class Engagement(Struct, frozen=True, array_like=True):
    """An email's first human open or click, and first human click; of the highest rank counts."""

    message_id: str
    rank: int
    engaged_at: str | None
    clicked_at: str | None


class Bounced(Struct, frozen=True, array_like=True):
    """A final bounce of a recipient."""

    message_id: str
    recipient: str
    at: str


class Page(Struct, array_like=True):
    """Entries of one campaign."""

    sent: list[Sent] = field(default_factory=list)
    engagements: list[Engagement] = field(default_factory=list)
    bounced: list[Bounced] = field(default_factory=list)

    def add(self, stored: Fact | State) -> None:
        """Add what a fact or state says about recipients; most facts say nothing."""
        if isinstance(stored, State):
            self.engagements.append(_engagement(stored))
        elif stored.type == "Send":
            recipients = stored.recipients
            if stored.recipient is not None:
                recipients = {stored.recipient: stored.domain or ""}
            if recipients:
                self.sent.append(
                    Sent(
                        stored.message_id,
                        stored.at,
                        recipients,
                        stored.isp,
                        stored.tags,
                        stored.count,
                    )
                )
        elif stored.type == "Bounce" and stored.recipient is not None and is_settled(stored):
            self.bounced.append(Bounced(stored.message_id, stored.recipient, stored.at))

    def __bool__(self) -> bool:
        """Return whether the page has entries."""
        return bool(self.sent or self.engagements or self.bounced)

    def halves(self) -> "tuple[Page, Page]":
        """Return two pages with half of the entries each."""
        first, second = Page(), Page()
        for name in self.__struct_fields__:
            entries = getattr(self, name)
            setattr(first, name, entries[: len(entries) // 2])
            setattr(second, name, entries[len(entries) // 2 :])
        return first, second


_decoder = msgspec.json.Decoder(Page)


def encoded(page: Page) -> Iterator[bytes]:
    """Yield a page compressed, in several parts if it exceeds MAX_PAGE_BYTES."""
    data = zlib.compress(msgspec.json.encode(page), 9)
    if len(data) <= MAX_PAGE_BYTES:
        yield data
        return
    for half in page.halves():
        yield from encoded(half)


def decoded(data: bytes) -> Page:
    """Return the page that `encoded` compressed.

    Raises:
        ValueError: the data is not a page.
    """
    try:
        return _decoder.decode(zlib.decompress(data))
    except (zlib.error, msgspec.MsgspecError) as error:
        raise ValueError(f"not a page of recipients: {error}") from error


def pages_of(records: Iterable[Mapping[str, Any]]) -> dict[str, Page]:
    """Return the page of each campaign that a batch of the events table's stream changed.

    Malformed records are ignored here: counting quarantines them. REMOVE records are ignored,
    because retention changes no total.
    """
    pages: dict[str, Page] = defaultdict(Page)
    for record in records:
        if record.get("eventName") == "REMOVE":
            continue
        try:
            stored = from_item(record["dynamodb"]["NewImage"])
        except (KeyError, ValueError):
            continue
        pages[stored.campaign].add(stored)
    return {campaign: page for campaign, page in pages.items() if page}


def _engagement(state: State) -> Engagement:
    # States of generation 1 have no human_engaged_at.
    engaged = (state.human_engaged_at, state.human_opened_at, state.human_clicked_at)
    return Engagement(
        state.message_id,
        state.settled,
        min((at for at in engaged if at is not None), default=None),
        state.human_clicked_at,
    )

"""Pages of the recipients index: to whom a campaign's emails were sent.

A page is a part of a copy: each entry repeats what the events table stores. Pages overlap after a
crash, a redelivery or a recount, so readers ignore repeated entries (recipients/audience.py).
"""

import zlib
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

import msgspec
from msgspec import Struct
from msgspec.structs import replace

from chalicelib.facts.fact import Fact
from chalicelib.facts.forgotten import Forgotten
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


def sent(stored: Fact | State) -> Sent | None:
    """Return the entry of a stored item; None unless it is a Send that names its recipients."""
    if isinstance(stored, State) or stored.type != "Send":
        return None
    recipients = stored.recipients
    if stored.recipient is not None:
        recipients = {stored.recipient: stored.domain or ""}
    if not recipients:
        return None
    return Sent(stored.message_id, stored.at, recipients, stored.isp, stored.tags, stored.count)


_decoder = msgspec.json.Decoder(list[Sent])


def without(entries: Iterable[Sent], forgotten: Forgotten) -> list[Sent]:
    """Return entries with the tokens of forgotten recipients instead of their names."""
    return [
        replace(one, recipients={forgotten.name(name): of for name, of in one.recipients.items()})
        for one in entries
    ]


def packed(entries: Sequence[Sent]) -> bytes:
    """Return a page: the entries compressed, whatever their size."""
    return zlib.compress(msgspec.json.encode(entries), 9)


def encoded(entries: Sequence[Sent]) -> Iterator[bytes]:
    """Yield pages: the entries compressed, in several parts if they exceed MAX_PAGE_BYTES."""
    data = packed(entries)
    if len(data) <= MAX_PAGE_BYTES:
        yield data
        return
    middle = len(entries) // 2
    yield from encoded(entries[:middle])
    yield from encoded(entries[middle:])


def decoded(page: bytes) -> list[Sent]:
    """Return the entries of a page.

    Raises:
        ValueError: the data is not a page.
    """
    try:
        return _decoder.decode(zlib.decompress(page))
    except (zlib.error, msgspec.MsgspecError) as error:
        raise ValueError(f"not a page of recipients: {error}") from error


def sent_by_campaign(
    records: Iterable[Mapping[str, Any]], forgotten: Forgotten
) -> dict[str, list[Sent]]:
    """Return the entries of a batch of the events table's stream.

    Malformed records are ignored here: counting quarantines them. REMOVE records are ignored,
    because retention changes no total. Pages do not name forgotten recipients.
    """
    entries: dict[str, list[Sent]] = defaultdict(list)
    for record in records:
        if record.get("eventName") == "REMOVE":
            continue
        try:
            stored = forgotten.stored(from_item(record["dynamodb"]["NewImage"]))
        except (KeyError, ValueError):
            continue
        if entry := sent(stored):
            entries[stored.campaign].append(entry)
    return entries

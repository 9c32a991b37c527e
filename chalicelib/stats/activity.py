"""Pages of activity: what recipients of a campaign did, packed by minute, in the stats table.

Before aggregate counts a batch, it appends a page for each campaign and minute with activity. Pages
are an index, not a source: a batch that is delivered again, with other boundaries, repeats entries,
and a fact that is reclassified has several. Readers keep one entry per fact, the one of the highest
rank (rank_of). One page has the entries of many facts, whereas an index of the events table
would write each fact a second time.

    campaign  part                                                   packed          expires
    spring    activity#2026-11-23T10:05#k<hash>#<sequence number>#0  entries, below
"""

import base64
import zlib
from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

import msgspec
from msgspec import Struct
from msgspec.structs import replace

from chalicelib.dynamodb import Item
from chalicelib.facts.fact import ACTIVITY_TYPES, Fact, short_hash

ACTIVITY = "activity"
_TO_THE_MINUTE = len("2026-11-23T10:05")
# An item has at most 400 KB.
_MOST_BYTES = 200_000
_FACTS = list[Fact]


class Entries(Struct, frozen=True):
    """The entries of a page that has just been written; a page never changes."""

    entries: list[Fact]
    version: int = 0


class Page(NamedTuple):
    """A page: its sort key, its packed entries, and its expiry in epoch seconds."""

    part: str
    packed: bytes
    expires: int


def is_activity(fact: Fact) -> bool:
    """Return whether a fact is listed as activity.

    A subscription without an opt-out has no counter, so no hour would show that it exists.
    """
    return fact.type in ACTIVITY_TYPES and (fact.type != "Subscription" or fact.opts_out)


def entry_of(fact: Fact) -> Fact:
    """Return a fact without the attributes that no list shows."""
    return replace(
        fact,
        mail_at=fact.at,
        subject=None,
        sender=None,
        agent=None,
        is_bot=None,
        isp=None,
        tags={},
        network=None,
        old_preferences=None,
        new_preferences=None,
    )


def position_of(fact: Fact) -> str:
    """Return a fact's position in the order of a campaign's activity, which identifies it."""
    return f"{fact.at}#{short_hash(fact.message_id + fact.key)}"


def pages(entries: Iterable[Fact], source: str, expires: int) -> Iterator[Page]:
    """Yield the pages of a campaign's entries.

    Args:
        entries: the entries, in any order.
        source: distinguishes the pages of this batch from others of the same minutes.
        expires: when the last of the facts expires, in epoch seconds.
    """
    minutes: dict[str, list[Fact]] = {}
    for entry in entries:
        minutes.setdefault(entry.at[:_TO_THE_MINUTE], []).append(entry)
    for minute, some in minutes.items():
        for number, packed in enumerate(_packed(some)):
            yield Page(f"{ACTIVITY}#{minute}#{source}#{number}", packed, expires)


def page_to_item(campaign: str, page: Page) -> Item:
    """Return a page in DynamoDB JSON."""
    return {
        "campaign": {"S": campaign},
        "part": {"S": page.part},
        "packed": {"B": page.packed},
        "expires": {"N": str(page.expires)},
    }


def minute_of(item: Item) -> str:
    """Return the minute of a page, such as `2026-11-23T10:05`."""
    return item["part"]["S"].split("#")[1]


def entries_in(item: Item) -> list[Fact]:
    """Return the entries of a page.

    Raises:
        ValueError: the item is not a page.
    """
    try:
        packed: bytes | str = item["packed"]["B"]
        # Lambda's events contain JSON.
        data = base64.b64decode(packed) if isinstance(packed, str) else packed
        return msgspec.json.decode(zlib.decompress(data), type=_FACTS)
    except (KeyError, TypeError, zlib.error, msgspec.MsgspecError) as error:
        raise ValueError(f"not a page of activity: {type(error).__name__}") from error


def rank_of(fact: Fact) -> tuple[int, int]:
    """Return the rank of an entry among those of one fact: the highest is the newest."""
    return fact.settled, fact.generation


def newest_first(entries: Iterable[Fact]) -> list[tuple[str, Fact]]:
    """Return each fact once, with its position, newest first."""
    found: dict[str, Fact] = {}
    for entry in entries:
        position = position_of(entry)
        if position not in found or rank_of(found[position]) < rank_of(entry):
            found[position] = entry
    # A fact may have been listed before its current form, which is not.
    return sorted(((at, one) for at, one in found.items() if is_activity(one)), reverse=True)


def _packed(entries: Sequence[Fact]) -> Iterator[bytes]:
    data = zlib.compress(msgspec.json.encode(entries))
    if len(data) <= _MOST_BYTES or len(entries) == 1:
        yield data
        return
    middle = len(entries) // 2
    yield from _packed(entries[:middle])
    yield from _packed(entries[middle:])

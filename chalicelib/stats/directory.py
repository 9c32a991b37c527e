"""The directory of campaigns: what lists sort, filter, search and sum, packed into few items.

An entry repeats what lists use of a campaign's summary. The entries of about ten campaigns share an
item, a bucket, which the campaign's id determines. A reader of 10,000 campaigns reads 1.3 MB in a
few requests instead of 10,000 summaries. The directory is an index, not a source: no counter is
derived from it, and replies show the summaries themselves.

    campaign      part         v        format  entries
    " directory"  bucket#0007  version  FORMAT  compressed list of Entry
    " pipeline"   directory    version  FORMAT  …: see State
"""

import zlib
from collections import defaultdict
from collections.abc import Iterable

import msgspec
from msgspec import Struct

from chalicelib.dynamodb import Item
from chalicelib.facts.personal import masked, masked_sender
from chalicelib.stats.counters import COUNTERS, Aggregate
from chalicelib.stats.pace_item import PaceNow

DIRECTORY = " directory"
"""The partition of the buckets; no campaign id begins with a space."""

STATE = "directory"
"""The part of the directory's state, under the campaign ` pipeline`."""

# An entry has about 125 bytes: a bucket of 10,000 campaigns has 1.3 KB, and one of 100,000 11 KB.
BUCKETS = 1024
_LAYOUT = 4  # changes with the meaning of an entry, for example when other texts are masked
FORMAT = f"{_LAYOUT}-{zlib.crc32(' '.join(COUNTERS).encode()):08x}"
"""The format of the entries. A directory in another format is built again."""


class Entry(Struct, frozen=True, array_like=True, gc=False):
    """What lists use of a campaign's summary.

    Attributes:
        subject, sender: as shown, without personal parts.
        is_current: whether no recount is needed (Aggregate.is_current).
        counts: the counters as shown, in the order of COUNTERS.
        tags: the tags of its emails, such as `variant=b`.
        pace: its last known pace.
        is_test: whether it is marked as a test.
    """

    campaign: str
    subject: str | None
    sender: str | None
    first_event_at: str
    last_event_at: str | None
    is_current: bool
    counts: tuple[int, ...]
    tags: tuple[str, ...] = ()
    pace: PaceNow | None = None
    is_test: bool = False

    def count(self, counter: str) -> int:
        """Return a counter."""
        return self.counts[_PLACES[counter]]


_PLACES = {name: place for place, name in enumerate(COUNTERS)}
_decoder = msgspec.json.Decoder(list[Entry])


class State(Struct, frozen=True):
    """The state of the directory.

    Attributes:
        version: rises with each change of the buckets.
        format: the format of all buckets; None while campaigns may be missing from them.
        builds: number of builds that were requested.
        next_bucket: the bucket with which a build continues; after the last bucket follows 0.
        left: number of buckets that remain to be built; 0 if no build is due.
        again_at: when to build again, in epoch seconds, because an earlier release may still have
            been running; None if not.
        recounted_at: the last recount whose corrections a build was requested for.
    """

    version: int = 0
    format: str | None = None
    builds: int = 0
    next_bucket: int = 0
    left: int = 0
    again_at: int | None = None
    recounted_at: str | None = None

    @property
    def is_complete(self) -> bool:
        """Whether every campaign is in the directory, in the current format."""
        return self.format == FORMAT


def state_from_item(item: Item) -> State:
    """Parse the directory's state from DynamoDB JSON; an empty item is that of no directory."""

    def number(attribute: str) -> int:
        return int(item.get(attribute, {"N": "0"})["N"])

    def text(attribute: str) -> str | None:
        return item.get(attribute, {}).get("S")

    return State(
        version=number("v"),
        format=text("format"),
        builds=number("builds"),
        next_bucket=number("next_bucket"),
        left=number("left"),
        again_at=number("again_at") or None,
        recounted_at=text("recounted_at"),
    )


def entry_of(summary: Aggregate) -> Entry | None:
    """Return the entry of a campaign; None before its first event, until which no list has it."""
    if summary.first_event_at is None:
        return None
    return Entry(
        summary.campaign,
        summary.subject and masked(summary.subject),
        summary.sender and masked_sender(summary.sender),
        summary.first_event_at,
        summary.last_event_at,
        summary.is_current,
        tuple(max(0, summary.counts.get(name, 0)) for name in COUNTERS),
        summary.tags,
        summary.pace,
        summary.is_test,
    )


def bucket_of(campaign: str) -> int:
    """Return the number of a campaign's bucket."""
    return zlib.crc32(campaign.encode()) % BUCKETS


def by_bucket(campaigns: Iterable[str]) -> dict[int, set[str]]:
    """Return campaigns by the number of their bucket."""
    found: dict[int, set[str]] = defaultdict(set)
    for campaign in campaigns:
        found[bucket_of(campaign)].add(campaign)
    return found


def bucket_part(number: int) -> str:
    """Return the part of a bucket."""
    return f"bucket#{number:04}"


def bucket_number(item: Item) -> int:
    """Return the number of a stored bucket."""
    return int(item["part"]["S"].partition("#")[2])


def packed(entries: Iterable[Entry]) -> bytes:
    """Compress the entries of a bucket, in the order of their campaigns."""
    ordered = sorted(entries, key=lambda one: one.campaign)
    return zlib.compress(msgspec.json.encode(ordered), 9)


def entries_in(item: Item) -> list[Entry]:
    """Return the entries of a bucket.

    Raises:
        ValueError: the item is not a bucket in the current format.
    """
    found = item.get("format", {}).get("S")
    if found != FORMAT:
        raise ValueError(f"not a bucket of the directory in format {FORMAT}: its format is {found}")
    try:
        entries = _decoder.decode(zlib.decompress(item["entries"]["B"]))
    except (KeyError, zlib.error, msgspec.MsgspecError) as error:
        raise ValueError(f"not a bucket of the directory: {type(error).__name__}") from error
    if any(len(one.counts) != len(COUNTERS) for one in entries):
        raise ValueError(f"not a bucket of the directory: entries without {len(COUNTERS)} counters")
    return entries

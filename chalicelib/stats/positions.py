"""The read positions of the events table's stream, and the campaigns whose summaries have changed.

With each batch, aggregate stores up to which sequence number it has counted a shard. The same write
notes the campaigns of the batch, for the directory (stats/directory.py):

    " pipeline"  shard#<hash>  shard: id  read: sequence number, padded  given: unpadded  expires
                               noted: `read` of the last batch whose campaigns were noted
                               stored: `read`, and when it was stored, in epoch seconds
                               touched: campaigns  pending, moves, unnoted, full: see Position
                               s0 … t39: see stats/delays.py
"""

from collections.abc import Collection
from typing import Any, NamedTuple

from msgspec import Struct

from chalicelib.dynamodb import Item
from chalicelib.stats.delays import NAMES, NOTHING, Sums
from chalicelib.stats.update import CHECKPOINT_SECONDS

SHARD = "shard#"
_SEQUENCE_DIGITS = 40  # zero-padded text sorts numerically

# An item has at most 400 KB. Each of its two sets has at most this many ids, of at most 256 bytes,
# and then those of another batch.
MOST_NOTED = 300
_MOST_BYTES_OF_BATCH = 60_000


class Position(Struct, frozen=True):
    """The read position of a shard.

    Attributes:
        part: the item's sort key.
        shard: the shard's id.
        read: sequence number of the last counted record, padded.
        given: the same, unpadded.
        is_noted: whether the campaigns of the last batch were noted. Those of release 0.1.0 were
            not.
        stored_at: when the position was stored, in epoch seconds; 0 if release 0.1.0 stored it.
        touched: campaigns that have been counted since watch last moved them to `pending`.
        pending: campaigns whose entries watch is updating.
        moves: number of times that campaigns were moved to `pending`.
        unnoted: a batch before which a release counted that noted no campaigns; None if none did.
        full: a batch whose campaigns were not noted, because they are too many; None if none was.
    """

    part: str
    shard: str
    read: str
    given: str
    is_noted: bool = False
    stored_at: int = 0
    touched: frozenset[str] = frozenset()
    pending: frozenset[str] = frozenset()
    moves: int = 0
    unnoted: str | None = None
    full: str | None = None


def position_from_item(item: Item) -> Position:
    """Parse a read position from DynamoDB JSON."""

    def text(attribute: str) -> str | None:
        return item.get(attribute, {}).get("S")

    read = item["read"]["S"]
    stored, _, stored_at = (text("stored") or "").partition(" ")
    return Position(
        part=item["part"]["S"],
        shard=item["shard"]["S"],
        read=read,
        given=text("given") or read,  # a past version stored only the padded one
        is_noted=text("noted") == read,
        # An earlier release leaves the attribute of the position that it replaces.
        stored_at=int(stored_at) if stored == read else 0,
        touched=frozenset(item.get("touched", {}).get("SS", ())),
        pending=frozenset(item.get("pending", {}).get("SS", ())),
        moves=int(item.get("moves", {"N": "0"})["N"]),
        unnoted=text("unnoted"),
        full=text("full"),
    )


def delays_from_item(item: Item) -> Sums:
    """Return what has been measured of all events of a shard, from its position's DynamoDB JSON."""
    return {name: int(item[name]["N"]) for name in item.keys() & NAMES}


class CountedBatch(NamedTuple):
    """A counted batch: its shard's id, and its last record's number and time in epoch seconds.

    Attributes:
        delays: what was measured of its events.
    """

    shard: str
    sequence: str
    created: int
    delays: Sums = NOTHING


def advance(batch: CountedBatch, campaigns: Collection[str], now: int) -> dict[str, Any]:
    """Build the update that advances a position, and notes the campaigns of a batch.

    Its condition fails if a later record is counted already, if an earlier release has counted the
    batch before, or if too many campaigns are noted; `advance_without_campaigns` continues.

    Args:
        batch: the counted batch.
        campaigns: its campaigns.
        now: epoch seconds.

    Returns:
        Arguments of UpdateItem, without key and table.
    """
    if sum(len(one.encode()) for one in campaigns) > _MOST_BYTES_OF_BATCH:
        return _advance(batch, now, "full")
    update = _advance(batch, now, None)
    update["ConditionExpression"] = (
        "attribute_not_exists(#read) OR (#read < :read AND #noted = #read "
        "AND (attribute_not_exists(touched) OR size(touched) < :most))"
    )
    update["ExpressionAttributeValues"][":most"] = {"N": str(MOST_NOTED)}
    if campaigns:
        adds = "touched :touched"
        update["UpdateExpression"] += f", {adds}" if batch.delays else f" ADD {adds}"
        update["ExpressionAttributeValues"][":touched"] = {"SS": sorted(campaigns)}
    return update


def advance_without_campaigns(batch: CountedBatch, stored: Item, now: int) -> dict[str, Any] | None:
    """Build the update that follows one of `advance` whose condition has failed.

    Args:
        batch: the counted batch.
        stored: the item that did not meet the condition.
        now: epoch seconds.

    Returns:
        Arguments of UpdateItem, without key and table; None if a later record is counted already.
        The batches up to that one included these records, and their campaigns are noted.
    """
    position = position_from_item(stored)
    if position.read >= batch.sequence.zfill(_SEQUENCE_DIGITS):
        return None
    return _advance(batch, now, "full" if position.is_noted else "unnoted")


def _advance(batch: CountedBatch, now: int, reason: str | None) -> dict[str, Any]:
    read = batch.sequence.zfill(_SEQUENCE_DIGITS)
    names = {f"#{name}": name for name in ("shard", "read", "given", "noted", "stored")}
    update = (
        "SET #shard = :shard, #read = :read, #given = :given, #noted = :read, #stored = :stored, "
        "expires = :until"
    )
    if reason is not None:
        names["#reason"] = reason
        update += ", #reason = :read"
    if batch.delays:
        update += " ADD " + ", ".join(f"{name} :{name}" for name in sorted(batch.delays))
    return {
        "UpdateExpression": update,
        "ConditionExpression": "attribute_not_exists(#read) OR #read < :read",
        "ExpressionAttributeNames": names,
        "ExpressionAttributeValues": {
            ":shard": {"S": batch.shard},
            ":read": {"S": read},
            ":given": {"S": batch.sequence},
            ":stored": {"S": f"{read} {now}"},
            ":until": {"N": str(_expiry(batch.created, now))},
            **{f":{name}": {"N": str(count)} for name, count in batch.delays.items()},
        },
        "ReturnValuesOnConditionCheckFailure": "ALL_OLD",
    }


def _expiry(created: int, now: int) -> int:
    """Return when a position expires, in epoch seconds.

    A stream keeps records for 24 hours, and watch moves the campaigns within a minute.

    Args:
        created: when the last counted record was written, in epoch seconds.
        now: epoch seconds.
    """
    return max(created, now) + CHECKPOINT_SECONDS

"""Increments and an aggregate item as last seen → one update that counts each record once.

Each aggregate item carries, for each shard of the stream (a lane), the sequence number up to
which that lane is counted in it. One conditional UpdateItem adds the increments and moves this
checkpoint, so that a batch may come again, cut anywhere, and each record still counts once in
each item. https://docs.aws.amazon.com/lambda/latest/dg/with-ddb.html promises a shard's order
the first time, and at least once; no more is needed.

A checkpoint is a top-level attribute: 18 bytes of sequence number, which sort as the numbers do,
then the time of its record in 4 bytes, so that the checkpoints of ended shards can be removed.
"""

import hashlib
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import islice
from math import inf
from typing import Any

from msgspec import Struct, field

from chalicelib.stats.counters import COUNTERS, ON_DISK, REGISTERS, SUMMARY, kept_until

# A stream keeps its records for 24 hours: a checkpoint older than that guards nothing.
CHECKPOINT_SECONDS = 25 * 3600

_SEQUENCE_BYTES = 18  # sequence numbers have up to 40 decimal digits
_TIME_BYTES = 4
_MOST_REMOVED = 20  # an expression has at most 4 KB; the rest goes with the next update


class Change(Struct, frozen=True, gc=False):
    """What some records of one shard add to one item, each of them the same.

    Attributes:
        records: what the stream says of each (`dynamodb` in Lambda's event), in its order.
        counts: increments by counter that each of them brings, never 0.
    """

    records: Sequence[Mapping[str, Any]]
    counts: Mapping[str, int]

    def after(self, sequence: int) -> "Change | None":
        """Give what remains without the records up to a sequence number; None if nothing does."""
        records = [record for record in self.records if _sequence(record) > sequence]
        return Change(records, self.counts) if records else None

    def before(self, end: float) -> "Change | None":
        """Return what was written before a time, in epoch seconds; None if nothing was."""
        records = [one for one in self.records if one["ApproximateCreationDateTime"] < end]
        return Change(records, self.counts) if records else None


class ConditionalField(Struct, frozen=True, gc=False):
    """A value that only ever moves one way, so that writing it again does no harm.

    Attributes:
        guard: the attribute whose value decides.
        rank: its value, compared as text.
        keep_lowest: whether the lowest rank wins, else the highest.
        values: the attributes that are set together.
    """

    guard: str
    rank: str
    keep_lowest: bool
    values: Mapping[str, str]

    def beats(self, other: str | None) -> bool:
        """Tell whether it moves the value that stands."""
        if other is None:
            return True
        return self.rank < other if self.keep_lowest else self.rank > other

    def breaks_tie(self, other: "ConditionalField") -> bool:
        """Tell whether it is to be preferred to one of its rank, whatever came first."""
        return self.rank == other.rank and (*self.values.items(),) < (*other.values.items(),)


class PendingUpdate(Struct):
    """All that a batch brings to one aggregate item."""

    changes: list[Change] = field(default_factory=list)
    registers: dict[str, ConditionalField] = field(default_factory=dict)
    url: str | None = None

    def move(self, register: ConditionalField) -> None:
        """Keep the register if it beats the one so far."""
        so_far = self.registers.get(register.guard)
        if so_far is None or register.beats(so_far.rank) or register.breaks_tie(so_far):
            self.registers[register.guard] = register


def lane(stream_arn: str, shard_id: str) -> str:
    """Name the attribute that holds a shard's checkpoint."""
    return "k" + hashlib.sha256(f"{stream_arn}/{shard_id}".encode()).hexdigest()[:12]


def checkpoint_bytes(sequence: int, written: float) -> bytes:
    """Write a checkpoint: up to which record, and when that was written, in epoch seconds."""
    return sequence.to_bytes(_SEQUENCE_BYTES, "big") + int(written).to_bytes(_TIME_BYTES, "big")


def sequence_of(checkpoint: bytes) -> int:
    """Return the sequence number of the last record that a checkpoint covers."""
    return int.from_bytes(checkpoint[:_SEQUENCE_BYTES], "big")


def _sequence(record: Mapping[str, Any]) -> int:
    return int(record["SequenceNumber"])


def plan(
    touched: PendingUpdate,
    observed: Mapping[str, Mapping[str, Any]],
    *,
    part: str,
    lane: str,
    now: int,
) -> dict[str, Any] | None:
    """Plan the update that brings an item up to date with a batch.

    Args:
        touched: what the batch brings.
        observed: the item as last seen, in DynamoDB JSON; may be out of date or empty, because
            the update's condition holds only if nothing that matters has changed since.
        part: the item's sort key.
        lane: the attribute of this shard's checkpoint.
        now: epoch seconds.

    Returns:
        Arguments of UpdateItem (but key and table), or None when there is nothing to do.
    """
    counted_up_to = sequence_of(observed[lane]["B"]) if lane in observed else -1
    fresh: Sequence[Change] = touched.changes
    first = min([_sequence(one.records[0]) for one in fresh], default=0)
    if first <= counted_up_to:
        fresh = [change for one in fresh if (change := one.after(counted_up_to)) is not None]
        first = min([_sequence(one.records[0]) for one in fresh], default=0)
    registers = [
        register
        for register in touched.registers.values()
        if register.beats(observed.get(register.guard, {}).get("S"))
    ]
    if not fresh and not registers:
        return None
    update = _Update()
    update.add("v", 1)
    if fresh:
        last = max([change.records[-1] for change in fresh], key=_sequence)
        update.set(
            lane,
            {"B": checkpoint_bytes(_sequence(last), last["ApproximateCreationDateTime"])},
        )
        update.require_absent_or(lane, "<", {"B": first.to_bytes(_SEQUENCE_BYTES, "big")})
        for counter, amount in _sums(fresh).items():
            update.add(ON_DISK[counter], amount)
    for register in registers:
        update.require_absent_or(
            register.guard, ">" if register.keep_lowest else "<", {"S": register.rank}
        )
        update.move(register)
    update.describe(touched, part=part)
    for outdated, written in islice(_outdated(observed, lane, now), _MOST_REMOVED):
        update.remove_if(outdated, written)
    return update.arguments()


def restatement(
    touched: PendingUpdate, *, part: str, version: int, lanes: Mapping[str, str], now: int
) -> dict[str, Any]:
    """Plan the update that sets an item's counters and registers, whatever they were.

    Its checkpoints are not touched: what they keep from being counted again still is not. An item
    that is made has none, and is given those of what has been counted so far.

    Args:
        touched: all that the item is to hold.
        part: the item's sort key.
        version: the item's as it was seen; 0 where there was none.
        lanes: sequence number up to which each lane is counted.
        now: epoch seconds.

    Returns:
        Arguments of UpdateItem (but key and table); its condition is that version.
    """
    update = _Update()
    update.add("v", 1)
    counts = _sums(touched.changes)
    for counter, attribute in COUNTERS.items():
        if counter in counts:
            update.set(attribute, {"N": str(counts[counter])})
        else:
            update.remove(attribute)
    known = set()
    for register in touched.registers.values():
        update.move(register)
        known |= {register.guard, *register.values}
    if part == SUMMARY:
        for name in sorted(REGISTERS - known):
            update.remove(name)
    update.describe(touched, part=part)
    if version:
        update.require("v", "=", {"N": str(version)})
    else:
        update.require_absent("v")
        for lane, sequence in lanes.items():
            update.set(lane, {"B": checkpoint_bytes(int(sequence), now)})
    return update.arguments()


def _sums(changes: Iterable[Change]) -> dict[str, int]:
    sums: dict[str, int] = defaultdict(int)
    for change in changes:
        for counter, amount in change.counts.items():
            sums[counter] += amount * len(change.records)
    return {counter: amount for counter, amount in sums.items() if amount}


def _outdated(
    observed: Mapping[str, Mapping[str, Any]], lane: str, now: int
) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """List the checkpoints of shards that have long ended."""
    for name, value in observed.items():
        if "B" in value and name != lane:
            written = int.from_bytes(value["B"][_SEQUENCE_BYTES:], "big")
            if written < now - CHECKPOINT_SECONDS:
                yield name, value


class _Update:
    """Builds the expressions of one UpdateItem."""

    def __init__(self) -> None:
        self._clauses: dict[str, list[str]] = defaultdict(list)
        self._conditions: list[str] = []
        self._names: dict[str, str] = {}
        self._values: dict[str, Mapping[str, Any]] = {}

    def add(self, name: str, amount: int) -> None:
        self._clauses["ADD"].append(f"{self._name(name)} {self._value({'N': str(amount)})}")

    def set(self, name: str, value: Mapping[str, Any]) -> None:
        self._clauses["SET"].append(f"{self._name(name)} = {self._value(value)}")

    def move(self, register: ConditionalField) -> None:
        self.set(register.guard, {"S": register.rank})
        for name, value in register.values.items():
            self.set(name, {"S": value})

    def describe(self, touched: PendingUpdate, *, part: str) -> None:
        if touched.url is not None:
            self.set("url", {"S": touched.url})
        if (until := kept_until(part)) < inf:
            # By then, the last record that counts has left the stream: an item that DynamoDB has
            # deleted is never made again, and its checkpoint guards all that it has counted.
            self.set("expires", {"N": str(int(until) + CHECKPOINT_SECONDS)})

    def remove(self, name: str) -> None:
        self._clauses["REMOVE"].append(self._name(name))

    def remove_if(self, name: str, value: Mapping[str, Any]) -> None:
        self.remove(name)
        self.require(name, "=", value)

    def require(self, name: str, operator: str, value: Mapping[str, Any]) -> None:
        self._conditions.append(f"{self._name(name)} {operator} {self._value(value)}")

    def require_absent(self, name: str) -> None:
        self._conditions.append(f"attribute_not_exists({self._name(name)})")

    def require_absent_or(self, name: str, operator: str, value: Mapping[str, Any]) -> None:
        name = self._name(name)
        self._conditions.append(
            f"(attribute_not_exists({name}) OR {name} {operator} {self._value(value)})"
        )

    def arguments(self) -> dict[str, Any]:
        arguments: dict[str, Any] = {
            "UpdateExpression": " ".join(
                f"{clause} {', '.join(parts)}" for clause, parts in self._clauses.items()
            ),
            "ExpressionAttributeNames": self._names,
            "ExpressionAttributeValues": self._values,
        }
        if self._conditions:
            arguments["ConditionExpression"] = " AND ".join(self._conditions)
        return arguments

    def _name(self, name: str) -> str:
        self._names[f"#{name}"] = name
        return f"#{name}"

    def _value(self, value: Mapping[str, Any]) -> str:
        placeholder = f":{len(self._values)}"
        self._values[placeholder] = value
        return placeholder

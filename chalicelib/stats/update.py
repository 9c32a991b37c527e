"""Build the conditional update of an aggregate item that counts each stream record exactly once.

Each aggregate item has a checkpoint for each shard of the stream: the sequence number up to which
the shard's records are counted in the item. One conditional UpdateItem adds the increments and
advances the checkpoint. A batch may therefore be delivered again, with different boundaries, and
each record still counts once in each item. This relies only on Lambda's guarantees that a shard's
records are delivered in order at first, and at least once:
https://docs.aws.amazon.com/lambda/latest/dg/with-ddb.html

A checkpoint is a top-level attribute, the shard attribute. It contains the sequence number in 18
bytes, which sort numerically, then the time of its record in 4 bytes.

Each update is billed for the whole item, so checkpoints of closed shards are removed (decision 29):

- after CHECKPOINT_SECONDS, when the stream no longer has the shard's records; or
- after CLOSED_SECONDS, if the shard's read position has covered them for longer than an invocation
  can run. From then on, only an invocation that started later could receive these records again. It
  compares records of that age with the read position (`is_compared`), and skips them.
"""

import hashlib
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import islice
from math import inf
from typing import Any

from msgspec import Struct, field

from chalicelib.dynamodb import Item
from chalicelib.stats.counters import (
    CONDITIONAL_FIELDS,
    COUNTED,
    CURRENT_UPDATES,
    SUMMARY,
    attribute_of,
    kept_until,
)
from chalicelib.stats.tags import TAGS, kept

# A stream keeps records for 24 hours, so an older checkpoint has no effect.
CHECKPOINT_SECONDS = 25 * 3600
# Ages of records, in seconds. In between is room for clocks that differ.
CLOSED_SECONDS = 3600
COMPARED_SECONDS = 1800
# The longest that an invocation can run in Lambda, and room for clocks that differ.
INVOCATION_SECONDS = 20 * 60

_SEQUENCE_BYTES = 18  # sequence numbers have up to 40 decimal digits
_TIME_BYTES = 4
_MOST_REMOVED = 20  # an expression has at most 4 KB; the next update removes the rest


class Change(Struct, frozen=True, gc=False):
    """Records of one shard with the same contribution to one item.

    Attributes:
        records: the `dynamodb` member of each record in Lambda's event, in stream order.
        counts: increment of each counter per record, never 0.
    """

    records: Sequence[Mapping[str, Any]]
    counts: Mapping[str, int]

    def after(self, sequence: int) -> "Change | None":
        """Return the change without records up to a sequence number; None if none remain."""
        records = [record for record in self.records if _sequence(record) > sequence]
        return Change(records, self.counts) if records else None

    def before(self, end: float) -> "Change | None":
        """Return the change with records written before `end`, in epoch seconds, or None."""
        records = [one for one in self.records if one["ApproximateCreationDateTime"] < end]
        return Change(records, self.counts) if records else None


class ConditionalField(Struct, frozen=True, gc=False):
    """A value that only moves in one direction, so that writing it again is idempotent.

    Attributes:
        guard: the attribute that the write's condition compares.
        rank: the new value of `guard`, compared as text.
        keep_lowest: whether the lowest rank wins; otherwise the highest.
        values: attributes that are set together with `guard`.
    """

    guard: str
    rank: str
    keep_lowest: bool
    values: Mapping[str, str]

    def beats(self, other: str | None) -> bool:
        """Return whether this value replaces one with the given rank, or None."""
        if other is None:
            return True
        return self.rank < other if self.keep_lowest else self.rank > other

    def breaks_tie(self, other: "ConditionalField") -> bool:
        """Return whether this is preferred to another of equal rank, regardless of their order."""
        return self.rank == other.rank and (*self.values.items(),) < (*other.values.items(),)


class PendingUpdate(Struct):
    """All changes that a batch makes to one aggregate item.

    Attributes:
        outdated: whether the changes come from items of an earlier generation.
        tags: the tags of a campaign's emails, for its summary.
    """

    changes: list[Change] = field(default_factory=list)
    fields: dict[str, ConditionalField] = field(default_factory=dict)
    outdated: bool = False
    tags: Sequence[str] = ()

    def uncounted(self, observed: Item, attribute: str) -> Sequence[Change]:
        """Return the changes without the records that an item already counts.

        Args:
            observed: the item, in DynamoDB JSON.
            attribute: the shard attribute.
        """
        if attribute not in observed:
            return self.changes
        counted_up_to = sequence_of(observed[attribute]["B"])
        if _first_sequence(self.changes) > counted_up_to:
            return self.changes
        return [rest for one in self.changes if (rest := one.after(counted_up_to)) is not None]

    def over(self, counts: Mapping[str, int]) -> "PendingUpdate":
        """Return the complete contents of an item, for `restatement`, that has these counters.

        Those that it is to lose are 0. Counters of providers are known by the item alone.
        """
        lost = Change([], dict.fromkeys(counts, 0))
        return PendingUpdate([*self.changes, lost], self.fields, self.outdated, self.tags)

    def move(self, value: ConditionalField) -> None:
        """Keep a conditional field if it beats the current one."""
        so_far = self.fields.get(value.guard)
        if so_far is None or value.beats(so_far.rank) or value.breaks_tie(so_far):
            self.fields[value.guard] = value


def shard_attribute_of(stream_arn: str, shard_id: str) -> str:
    """Return the shard attribute: the name of the attribute with the shard's checkpoint."""
    return "k" + hashlib.sha256(f"{stream_arn}/{shard_id}".encode()).hexdigest()[:12]


def checkpoint_bytes(sequence: int, written: float) -> bytes:
    """Encode a checkpoint: a record's sequence number, and its write time in epoch seconds."""
    return sequence.to_bytes(_SEQUENCE_BYTES, "big") + int(written).to_bytes(_TIME_BYTES, "big")


def sequence_of(checkpoint: bytes) -> int:
    """Return the sequence number of the last record that a checkpoint covers."""
    return int.from_bytes(checkpoint[:_SEQUENCE_BYTES], "big")


def without_checkpoints(item: Item) -> Item:
    """Return an aggregate item without its checkpoints."""
    return {name: value for name, value in item.items() if "B" not in value}


def counted_at(item: Item, *, besides: str) -> int:
    """Return when an item last counted records of other shards, in epoch seconds; 0 if never.

    Args:
        item: the item.
        besides: attribute of the shard to ignore.
    """
    others = (value["B"] for name, value in item.items() if "B" in value and name != besides)
    return max(map(_written, others), default=0)


def checkpoints(item: Item) -> int:
    """Return the number of an item's checkpoints."""
    return sum(1 for value in item.values() if "B" in value)


def is_compared(records: Sequence[Mapping[str, Any]], now: float) -> bool:
    """Return whether a batch must be compared with its shard's read position before it counts.

    Args:
        records: records in Lambda's format.
        now: epoch seconds.
    """
    oldest = min(one["dynamodb"]["ApproximateCreationDateTime"] for one in records)
    return bool(oldest < now - COMPARED_SECONDS)


def _written(checkpoint: bytes) -> int:
    return int.from_bytes(checkpoint[_SEQUENCE_BYTES:], "big")


def _first_sequence(changes: Iterable[Change]) -> int:
    return min([_sequence(one.records[0]) for one in changes], default=0)


def _sequence(record: Mapping[str, Any]) -> int:
    return int(record["SequenceNumber"])


def plan(  # noqa: PLR0913 - all but one describe the batch
    pending: PendingUpdate,
    observed: Item,
    *,
    part: str,
    attribute: str,
    now: int,
    finished: Mapping[str, int] | None = None,
) -> dict[str, Any] | None:
    """Build the update that applies a batch to an item.

    Args:
        pending: the changes of the batch.
        observed: the item as last read, in DynamoDB JSON. It may be stale or empty: the update's
            condition fails if a relevant attribute has changed since.
        part: the item's sort key.
        attribute: the shard attribute.
        now: epoch seconds.
        finished: sequence number up to which no running invocation may count records, by shard
            attribute.

    Returns:
        Arguments of UpdateItem (without key and table), or None if there is nothing to update.
    """
    fresh = pending.uncounted(observed, attribute)
    fields = [
        value
        for value in pending.fields.values()
        if value.beats(observed.get(value.guard, {}).get("S"))
    ]
    stored = observed.get(TAGS, {}).get("SS", [])
    tags = kept({*stored, *pending.tags}) if pending.tags else ()
    has_new_tags = not {*tags} <= {*stored}
    if not fresh and not fields and not has_new_tags:
        return None
    update = _Update()
    update.add("v", 1)
    if part == SUMMARY and not pending.outdated:
        update.add(CURRENT_UPDATES, 1)
    if fresh:
        last = max([change.records[-1] for change in fresh], key=_sequence)
        update.set(
            attribute,
            {"B": checkpoint_bytes(_sequence(last), last["ApproximateCreationDateTime"])},
        )
        first = _first_sequence(fresh).to_bytes(_SEQUENCE_BYTES, "big")
        update.require_absent_or(attribute, "<", {"B": first})
        for counter, amount in sums(fresh).items():
            update.add(attribute_of(counter), amount)
    for value in fields:
        update.require_absent_or(value.guard, ">" if value.keep_lowest else "<", {"S": value.rank})
        update.move(value)
    if has_new_tags:
        update.set_tags(tags)
        update.require_unchanged(TAGS, observed.get(TAGS))
    update.expire(part)
    outdated = _outdated(observed, attribute, now, finished or {})
    for name, checkpoint in islice(outdated, _MOST_REMOVED):
        update.remove_if(name, checkpoint)
    return update.arguments()


def restatement(
    pending: PendingUpdate, *, part: str, version: int, positions: Mapping[str, str], now: int
) -> dict[str, Any]:
    """Build the update that sets an item's counters and conditional fields unconditionally.

    Its checkpoints stay, so that records already counted are not counted again. An item that does
    not exist yet has none, and gets the checkpoints of the records counted so far.

    Args:
        pending: the complete contents of the item, over those that it has (PendingUpdate.over).
        part: the item's sort key.
        version: the item's version when read; 0 if there was no item.
        positions: sequence number up to which records are counted, by shard attribute.
        now: epoch seconds.

    Returns:
        Arguments of UpdateItem (without key and table), on the condition of that version.
    """
    update = _Update()
    update.add("v", 1)
    counts = sums(pending.changes)
    named = {counter for change in pending.changes for counter in change.counts}
    for counter in dict.fromkeys((*COUNTED, *sorted(named))):
        if counter in counts:
            update.set(attribute_of(counter), {"N": str(counts[counter])})
        else:
            update.remove(attribute_of(counter))
    known = set()
    for value in pending.fields.values():
        update.move(value)
        known |= {value.guard, *value.values}
    if part == SUMMARY:
        for name in sorted(CONDITIONAL_FIELDS - known):
            update.remove(name)
        if pending.tags:
            update.set_tags(pending.tags)
        else:
            update.remove(TAGS)
        if not pending.outdated:
            update.set(CURRENT_UPDATES, {"N": str(version + 1)})
    update.expire(part)
    if version:
        update.require("v", "=", {"N": str(version)})
    else:
        update.require_absent("v")
        for attribute, sequence in positions.items():
            update.set(attribute, {"B": checkpoint_bytes(int(sequence), now)})
    return update.arguments()


def sums(changes: Iterable[Change]) -> dict[str, int]:
    """Return the increments of changes, without those that are 0."""
    totals: dict[str, int] = defaultdict(int)
    for change in changes:
        for counter, amount in change.counts.items():
            totals[counter] += amount * len(change.records)
    return {counter: amount for counter, amount in totals.items() if amount}


def _outdated(
    observed: Item, attribute: str, now: int, finished: Mapping[str, int]
) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """Yield the checkpoints that protect against nothing any more."""
    for name, value in observed.items():
        if "B" not in value or name == attribute:
            continue
        age = now - _written(value["B"])
        is_finished = sequence_of(value["B"]) <= finished.get(name, -1)
        if age > CHECKPOINT_SECONDS or (age > CLOSED_SECONDS and is_finished):
            yield name, value


class _Update:
    """Builder of the expressions of one UpdateItem."""

    def __init__(self) -> None:
        self._clauses: dict[str, list[str]] = defaultdict(list)
        self._conditions: list[str] = []
        self._names: dict[str, str] = {}
        self._values: dict[str, Mapping[str, Any]] = {}

    def add(self, name: str, amount: int) -> None:
        self._clauses["ADD"].append(f"{self._name(name)} {self._value({'N': str(amount)})}")

    def set(self, name: str, value: Mapping[str, Any]) -> None:
        self._clauses["SET"].append(f"{self._name(name)} = {self._value(value)}")

    def move(self, value: ConditionalField) -> None:
        self.set(value.guard, {"S": value.rank})
        for name, text in value.values.items():
            self.set(name, {"S": text})

    def set_tags(self, tags: Sequence[str]) -> None:
        self.set(TAGS, {"SS": list(tags)})

    def expire(self, part: str) -> None:
        if (until := kept_until(part)) < inf:
            # By then the stream has dropped the last record that counts. An item that DynamoDB has
            # deleted is therefore never created again, and its checkpoints last long enough.
            self.set("expires", {"N": str(int(until) + CHECKPOINT_SECONDS)})

    def remove(self, name: str) -> None:
        self._clauses["REMOVE"].append(self._name(name))

    def remove_if(self, name: str, value: Mapping[str, Any]) -> None:
        self.remove(name)
        self.require(name, "=", value)

    def require(self, name: str, operator: str, value: Mapping[str, Any]) -> None:
        self._conditions.append(f"{self._name(name)} {operator} {self._value(value)}")

    def require_unchanged(self, name: str, before: Mapping[str, Any] | None) -> None:
        if before is None:
            self.require_absent(name)
        else:
            self.require(name, "=", before)

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
        # Counters of providers have characters that a placeholder must not have.
        placeholder = f"#{name}" if name.isidentifier() else f"#_{len(self._names)}"
        self._names[placeholder] = name
        return placeholder

    def _value(self, value: Mapping[str, Any]) -> str:
        placeholder = f":{len(self._values)}"
        self._values[placeholder] = value
        return placeholder

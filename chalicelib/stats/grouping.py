"""Stream records of the events table → what to add to which aggregate item.

Counters are the sum over the items of the events table: a record adds
contribution(new image) - contribution(old image). An INSERT adds; a changed class moves one
from human to machine; a changed expiry adds nothing. REMOVE is ignored: retention never moves a
total. A minute counts only what is stored while it is kept (metrics.kept_until): a later change of
one of its facts neither adds to it nor subtracts from it.

How the additions come to count exactly once stands in stats/update.py.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, datetime
from operator import itemgetter
from typing import Any

from msgspec import Struct, field

from chalicelib.errors import trace
from chalicelib.stats.contributions import (
    NOT_UNDERSTOOD,
    Contribution,
    GroupingKey,
    Key,
    conditional_fields,
    contribution,
    grouping_key,
)
from chalicelib.stats.counters import HEALTH, PIPELINE, SUMMARY, kept_until
from chalicelib.stats.update import Change, ConditionalField, PendingUpdate

_created = itemgetter("ApproximateCreationDateTime")

StreamRecord = Mapping[str, Any]
"""What the stream says of a change: `dynamodb` in Lambda's event."""


class Batch(Struct):
    """A batch of records, by the item that each touches.

    Attributes:
        quarantined: records that could not be understood, each with the reason.
    """

    touched: dict[Key, PendingUpdate] = field(default_factory=lambda: defaultdict(PendingUpdate))
    quarantined: list[str] = field(default_factory=list)

    def in_writing_order(self) -> Iterator[tuple[Key, PendingUpdate]]:
        """List the items, the summaries last: a summary never runs ahead of its parts."""
        return iter(
            sorted(self.touched.items(), key=lambda entry: (entry[0][1] == SUMMARY, entry[0]))
        )


def group(records: Iterable[Mapping[str, Any]]) -> Batch:
    """Read a batch of stream records, in Lambda's shape. Never raises for what a record holds.

    Records that are worth the same are taken together: what they are worth is found out once.
    """
    batch = Batch()
    facts: dict[str, list[Mapping[str, Any]]] = defaultdict(list)
    created = 0
    for (campaign, kind, *_), alike in _sorted(records):
        latest = max(map(_created, alike))
        created = max(created, latest)
        try:
            worth = _worth(alike[-1])
        except NOT_UNDERSTOOD as error:
            reason = trace(error)
            batch.quarantined += [f"{reason}; message {_message_id(record)}" for record in alike]
            batch.touched[PIPELINE, HEALTH].changes.append(Change(alike, {"quarantined": 1}))
            continue
        for keys, counts, url in worth:
            change = Change(alike, counts)
            for key in keys:
                until = kept_until(key[1])
                counted = change if latest < until else change.before(until)
                if counted is None:
                    continue
                batch.touched[key].changes.append(counted)
                if url is not None:
                    batch.touched[key].url = url
        if kind is not None:
            facts[campaign] += [record["NewImage"] for record in alike]
    for campaign, images in facts.items():
        for register in conditional_fields(images):
            batch.touched[campaign, SUMMARY].move(register)
    if created:
        # To the minute: each batch would else write the pipeline's health, and push it.
        arrived = datetime.fromtimestamp(int(created), UTC).strftime("%Y-%m-%dT%H:%M:00Z")
        batch.touched[PIPELINE, HEALTH].move(
            ConditionalField("last_event_at", arrived, keep_lowest=False, values={})
        )
    return batch


def _sorted(
    records: Iterable[Mapping[str, Any]],
) -> Iterable[tuple[GroupingKey, list[StreamRecord]]]:
    """Sort records by what they are worth; one that has no signature lies alone."""
    found: dict[GroupingKey, list[StreamRecord]] = defaultdict(list)
    for record in records:
        change = record["dynamodb"]
        try:
            worth = grouping_key(change["NewImage"])
            if "OldImage" in change:
                worth = (*worth, grouping_key(change["OldImage"]))
            found[worth].append(change)
        except NOT_UNDERSTOOD:
            if record.get("eventName") != "REMOVE":
                found["", None, id(change)].append(change)
    return found.items()


def _message_id(record: StreamRecord) -> Any:
    return record.get("Keys", {}).get("message_id", {}).get("S")


def _worth(change: StreamRecord) -> list[Contribution]:
    """List what a change adds to each item: what the new image is worth, without the old one's.

    Raises:
        NOT_UNDERSTOOD: they are no facts or states.
    """
    new = contribution(change["NewImage"])
    if "OldImage" not in change:
        return new
    sums: dict[Key, dict[str, int]] = defaultdict(lambda: defaultdict(int))
    urls = {key: url for keys, _, url in new for key in keys}
    for sign, contributions in ((1, new), (-1, contribution(change["OldImage"]))):
        for keys, counts, _ in contributions:
            for key in keys:
                for counter, amount in counts.items():
                    sums[key][counter] += sign * amount
    differences = (
        (key, {counter: amount for counter, amount in counts.items() if amount})
        for key, counts in sums.items()
    )
    return [([key], counts, urls.get(key)) for key, counts in differences if counts]

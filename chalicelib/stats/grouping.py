"""Convert stream records of the events table to pending updates of aggregate items.

Counters are the sum over the items of the events table, so a record adds
contribution(new image) - contribution(old image). An INSERT adds, a reclassification moves one from
human to bot counters, and a changed expiry adds nothing. REMOVE is ignored, because retention never
changes a total. A minute counts only changes that are stored while it is kept
(counters.kept_until): a later change to one of its facts does not alter it.

stats/update.py explains how each record counts exactly once.
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
"""A change in the stream: the `dynamodb` member of a record in Lambda's event."""


class Batch(Struct):
    """A batch of records, grouped by the aggregate item that they update.

    Attributes:
        quarantined: the reason for each malformed record.
    """

    touched: dict[Key, PendingUpdate] = field(default_factory=lambda: defaultdict(PendingUpdate))
    quarantined: list[str] = field(default_factory=list)

    def in_writing_order(self) -> Iterator[tuple[Key, PendingUpdate]]:
        """Return the items with summaries last, so that a summary is never ahead of its parts."""
        return iter(
            sorted(self.touched.items(), key=lambda entry: (entry[0][1] == SUMMARY, entry[0]))
        )


def group(records: Iterable[Mapping[str, Any]]) -> Batch:
    """Group a batch of stream records, in Lambda's format. Malformed records raise no error.

    The contribution is computed once for all records with the same grouping key.
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
        # To the minute: otherwise each batch would write and push the pipeline's health.
        arrived = datetime.fromtimestamp(int(created), UTC).strftime("%Y-%m-%dT%H:%M:00Z")
        batch.touched[PIPELINE, HEALTH].move(
            ConditionalField("last_event_at", arrived, keep_lowest=False, values={})
        )
    return batch


def _sorted(
    records: Iterable[Mapping[str, Any]],
) -> Iterable[tuple[GroupingKey, list[StreamRecord]]]:
    """Group records by their grouping key; a record without a key forms its own group."""
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
    """Return a change's contributions: those of the new image minus those of the old image.

    Raises:
        NOT_UNDERSTOOD: an image is neither a fact nor a state.
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

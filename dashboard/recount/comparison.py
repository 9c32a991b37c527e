"""Sum the stored facts, and compare the sums with the counters."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from chalicelib.dynamodb import Item
from chalicelib.facts.fact import Fact
from chalicelib.facts.forgotten import Forgotten
from chalicelib.facts.items import expiry, from_item
from chalicelib.facts.settle import needs_upgrade
from chalicelib.recipients.pages import Sent, sent
from chalicelib.stats.contributions import Named, contributions
from chalicelib.stats.counters import (
    COUNTED,
    PIPELINE,
    SUMMARY,
    Aggregate,
    is_of_campaigns,
    kept_until,
)
from chalicelib.stats.first_and_last import FirstAndLast
from chalicelib.stats.grouping import name_field
from chalicelib.stats.subjects import SubjectSample
from chalicelib.stats.tags import TAGS, TagSet
from chalicelib.stats.update import Change, PendingUpdate

_TIMES = ("first_event_at", "last_event_at")
_TEXTS = (*_TIMES, "subject", "sender")
_CLOCKS_DIFFER_BY = 3600  # seconds of clock skew between this machine and DynamoDB


@dataclass(frozen=True, slots=True)
class Difference:
    """A counter or text of an aggregate that differs from the stored facts.

    Attributes:
        counted: value of the aggregate; 0 or None if it has none.
        stored: value according to the facts.
    """

    campaign: str
    part: str
    name: str
    counted: int | str | None
    stored: int | str | None


class Facts:
    """Running totals of stored items.

    Attributes:
        read: number of facts and states.
        subjects: sample of the subjects of each campaign's emails.
        sent: entries of the recipients index, by campaign and by when their facts expire, in epoch
            seconds; empty unless requested.
        not_understood: number of items that are neither facts nor states; they are quarantined and
            not counted.
    """

    def __init__(self, forgotten: Forgotten, *, indexes: bool = False) -> None:
        self._forgotten = forgotten
        self._indexes = indexes
        self.read = 0
        self.not_understood = 0
        self._counts: dict[str, dict[str, dict[str, int]]] = defaultdict(
            lambda: defaultdict(lambda: defaultdict(int))
        )
        self._names: dict[str, dict[str, Named]] = defaultdict(dict)
        self._firsts: dict[str, FirstAndLast] = defaultdict(FirstAndLast)
        self._outdated: set[str] = set()
        self._tags: dict[str, TagSet] = defaultdict(TagSet)
        self.subjects: dict[str, SubjectSample] = defaultdict(SubjectSample)
        self.sent: dict[str, dict[int | None, list[Sent]]] = defaultdict(lambda: defaultdict(list))

    def add(self, item: Item) -> None:
        """Add one item of the events table to the totals."""
        try:
            stored, expires = self._forgotten.stored(from_item(item)), expiry(item)
        except ValueError:
            self.not_understood += 1
            return
        self.read += 1
        if self._indexes and (entry := sent(stored)):
            self.sent[stored.campaign][expires].append(entry)
        for keys, counts, name in contributions(stored):
            for campaign, part in keys:
                for counter, amount in counts.items():
                    self._counts[campaign][part][counter] += amount
                if name is not None:
                    names = self._names[campaign]
                    names[part] = min(name, names.get(part, name))
        if needs_upgrade(stored):
            self._outdated.add(stored.campaign)
        if isinstance(stored, Fact):
            self._firsts[stored.campaign].add(stored, expires)
            if stored.tags:
                self._tags[stored.campaign].add(stored.tags)
            if stored.subject:
                self.subjects[stored.campaign].add(stored.message_id, stored.subject)

    def campaigns(self) -> set[str]:
        """Return the campaigns that have facts."""
        return {*self._counts} - {PIPELINE}

    def of(self, campaign: str, now: float) -> dict[str, PendingUpdate]:
        """Return the expected content of a campaign's aggregates, by part.

        Minutes that are no longer compared are left out.
        """
        expected = {
            part: PendingUpdate([Change([{}], dict(counts))])
            for part, counts in self._counts[campaign].items()
            if is_compared(part, now)
        }
        for part, name in self._names[campaign].items():
            expected[part].move(name_field(name))
        if campaign in self._firsts:
            summary = expected.setdefault(SUMMARY, PendingUpdate())
            for value in self._firsts[campaign].fields():
                summary.move(value)
            if campaign in self.subjects:
                sample = self.subjects[campaign].merged(SubjectSample())
                summary.move(sample.field())
            if campaign in self._tags:
                summary.tags = self._tags[campaign].tags()
            summary.outdated = campaign in self._outdated
        return expected


def differences(
    campaign: str, facts: Mapping[str, PendingUpdate], aggregates: Iterable[Aggregate], now: float
) -> Iterator[Difference]:
    """Yield the differences between a campaign's aggregates and its facts.

    Args:
        campaign: its ID.
        facts: the expected content of each aggregate, by part.
        aggregates: as they are stored.
        now: epoch seconds.
    """
    stored = {one.part: one for one in aggregates if is_compared(one.part, now)}
    for part in sorted({*facts, *stored}):
        aggregate = stored.get(part) or Aggregate(campaign, part)
        pending = facts.get(part, PendingUpdate())
        counts = pending.changes[0].counts if pending.changes else {}
        for name in dict.fromkeys((*COUNTED, *sorted({*aggregate.counts, *counts}))):
            counted, said = aggregate.counts.get(name, 0), counts.get(name, 0)
            if counted != said:
                yield Difference(campaign, part, name, counted, said)
        if part == SUMMARY:
            said_texts = _texts(pending)
            for name in _TEXTS:
                text = getattr(aggregate, name)
                if name in _TIMES and text is not None:
                    text = f"{text[:19]}Z"  # earlier versions stored milliseconds
                if text != said_texts.get(name):
                    yield Difference(campaign, part, name, text, said_texts.get(name))
            if aggregate.tags != tuple(pending.tags):
                before, after = (", ".join(one) or None for one in (aggregate.tags, pending.tags))
                yield Difference(campaign, part, TAGS, before, after)


def counters_compared(
    facts: Mapping[str, PendingUpdate], aggregates: Iterable[Aggregate], now: float
) -> int:
    """Return the number of counters of a campaign that are not 0 in its aggregates or its facts.

    Args:
        facts: the expected content of each aggregate, by part.
        aggregates: as they are stored.
        now: epoch seconds.
    """
    counted = {
        (one.part, name)
        for one in aggregates
        if is_compared(one.part, now)
        for name in filter(is_of_campaigns, one.counts)
    }
    said = {
        (part, name)
        for part, pending in facts.items()
        for change in pending.changes
        for name, count in change.counts.items()
        if count
    }
    return len(counted | said)


def drift(found: Iterable[Difference]) -> int:
    """Return the sum of the differences of counters, without signs and without texts."""
    return sum(
        abs(one.counted - one.stored)
        for one in found
        if isinstance(one.counted, int) and isinstance(one.stored, int)
    )


def _texts(pending: PendingUpdate) -> dict[str, str]:
    texts: dict[str, str] = {}
    for value in pending.fields.values():
        texts |= {value.guard: value.rank, **value.values}
    return texts


def is_compared(part: str, now: float) -> bool:
    """Return whether a part counts all of its facts; an expired minute counts no late ones."""
    return kept_until(part) > now + _CLOCKS_DIFFER_BY

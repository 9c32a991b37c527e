"""Find in the stored facts what explains differences from SES's metrics, but no counter has.

Pure functions of the items of the events table.
"""

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import groupby
from typing import NamedTuple

from chalicelib.dynamodb import Item
from chalicelib.facts.fact import Fact
from chalicelib.facts.items import from_item
from chalicelib.facts.state import State
from chalicelib.insight.day_counts import METRICS, Emails, Metric
from chalicelib.stats.contributions import contributions
from chalicelib.stats.counters import bucket_part

# https://docs.aws.amazon.com/ses/latest/dg/send-an-email-from-console.html
SIMULATOR = "simulator.amazonses.com"
_DAY = len("2026-11-28")
_DAY_PREFIX = bucket_part("day", "")
# Types with a fact for each recipient of an event, and types of which only the first report counts.
_METRIC_OF_TYPE = {
    "Send": "sends",
    "Delivery": "deliveries",
    "Bounce": "bounces",
    "Complaint": "complaints",
    "Reject": "rejects",
    "Rendering Failure": "rendering_failures",
}
_FEEDBACK = {"Bounce", "Complaint"}
_METRICS: dict[str, Metric] = {one.name: one for one in METRICS["cloudwatch"]}

Days = defaultdict[str, Counter[str]]
"""Counts by day."""


class Progress(NamedTuple):
    """How far the facts were read."""

    items: int
    not_understood: int


def read(
    pages: Iterable[tuple[int, Sequence[Item]]], progress: Callable[[Progress], None]
) -> Emails:
    """Return what the facts tell of the emails of each day.

    Only one email is in memory at a time: DynamoDB returns the items of an email together.

    Args:
        pages: number of items that were read, and the items, in the order of the table.
        progress: is called with each page.
    """
    several, simulator, automatic = _days(), _days(), _days()
    extra, repeated = _days(), _days()
    for email in _emails(pages, progress):
        counts, events = _counts(email), _events(email)
        if _has_several_recipients(email):
            _add(several, counts)
        elif _is_to_simulator(email):
            _add(simulator, counts)
        _add(automatic, _counts(_automatic_replies(email)))
        for day in counts.keys() | events.keys():
            for metric in _METRIC_OF_TYPE.values():
                beyond = _METRICS[metric].ours(counts[day]) - events[day][metric]
                if beyond:
                    (extra if beyond > 0 else repeated)[day][metric] += abs(beyond)
    return Emails(several, simulator, automatic, extra, repeated)


def _emails(
    pages: Iterable[tuple[int, Sequence[Item]]], progress: Callable[[Progress], None]
) -> Iterator[list[Fact | State]]:
    """Yield the facts and states of each email."""
    read = not_understood = 0

    def stored() -> Iterator[Fact | State]:
        nonlocal read, not_understood
        for scanned, items in pages:
            for item in items:
                try:
                    yield from_item(item)
                except ValueError:
                    not_understood += 1
            read += scanned
            progress(Progress(read, not_understood))

    for _, email in groupby(stored(), key=lambda one: one.message_id):
        yield list(email)


def _days() -> Days:
    return defaultdict(Counter)


def _add(total: Days, counts: Days) -> None:
    for day, of_day in counts.items():
        total[day].update(of_day)


def _counts(email: Iterable[Fact | State]) -> Days:
    """Return what facts and states contribute to the counters of each day."""
    found = _days()
    for stored in email:
        for keys, counts, _ in contributions(stored):
            for _, part in keys:
                if part.startswith(_DAY_PREFIX):
                    found[part.removeprefix(_DAY_PREFIX)].update(counts)
    return found


def _events(email: Iterable[Fact | State]) -> Days:
    """Return the number of SES's events of each day by metric, however many recipients they name.

    Facts of one event have one time, and one feedback id if it is a bounce or a complaint.
    """
    identities = {
        (one.type, one.at, one.key.rpartition("#")[2] if one.type in _FEEDBACK else "")
        for one in email
        if isinstance(one, Fact) and one.type in _METRIC_OF_TYPE
    }
    found = _days()
    for kind, at, _ in identities:
        found[at[:_DAY]][_METRIC_OF_TYPE[kind]] += 1
    return found


def _has_several_recipients(email: Sequence[Fact | State]) -> bool:
    """Return whether an email was sent to several addresses."""
    facts = [one for one in email if isinstance(one, Fact)]
    named = {one.recipient_id for one in facts if one.type in {"Delivery", *_FEEDBACK}}
    return len(named) > 1 or any(one.type == "Send" and one.count > 1 for one in facts)


def _is_to_simulator(email: Sequence[Fact | State]) -> bool:
    return any(isinstance(one, Fact) and one.domain == SIMULATOR for one in email)


def _automatic_replies(email: Sequence[Fact | State]) -> Iterator[Fact]:
    return (one for one in email if isinstance(one, Fact) and one.auto_reply)

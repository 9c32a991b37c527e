"""Measure how long events take from SES to the counters, as distributions that add up.

A distribution is a counter for each range of delays. Distributions of a hop are added, in any
order. `aggregate` adds those of a batch to the shard's read position (stats/positions.py), in the
write that it makes anyway; they never decrease. `watch` reads them each minute, and the difference
between two readings is the distribution of the time in between.

    ses    from the event to its arrival in the queue
    queue  from the queue until it is stored
    count  from storing until it is counted
    total  from the event until it is counted

This is a measurement, not a counter of a campaign: a batch that is repeated with other boundaries
may count its events again, and an event whose record is not understood is not measured.
"""

import math
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from itertools import accumulate
from typing import Any, Literal, get_args

from msgspec import Struct

from chalicelib.facts.items import queued_at

Hop = Literal["ses", "queue", "count", "total"]
HOPS: Sequence[Hop] = get_args(Hop)
WINDOW_SECONDS = 300
"""The time whose delays are shown."""

_LETTERS: Mapping[Hop, str] = {"ses": "s", "queue": "q", "count": "c", "total": "t"}

# Each range ends at the square root of 2 times the end of the one before, from 1/8 s to a day.
_FIRST_SECONDS = 0.125
_RANGES_PER_DOUBLING = 2
_LAST_RANGE = 39

# The times of these types are those of the receiving server or mailbox provider.
_REPORTED_BY_OTHERS = {"Bounce", "Complaint"}
# An event that is older when it arrives was replayed from an archive: its age is no delay.
_REPLAYED_SECONDS = 3600
# DynamoDB rounds the time of a record down to a second: half a second is missing on average.
_ROUNDED_SECONDS = 0.5

Sums = Mapping[str, int]
"""Numbers of events by range, each named by its hop and number, such as `q12`."""
NOTHING: Sums = {}


class Delay(Struct, frozen=True, array_like=True):
    """How long a hop took in the last minutes.

    Attributes:
        p50, p99: the times within which half and 99% of the events took the hop, in seconds.
        events: number of events that were measured.
    """

    hop: Hop
    p50: float
    p99: float
    events: int


def delays_in(records: Iterable[Mapping[str, Any]], now: float) -> Counter[str]:
    """Return the delays of the facts that a batch of the events table's stream has added.

    Changed facts, states, and facts without a time of arrival are skipped.

    Args:
        records: records in Lambda's format.
        now: when they were counted, in epoch seconds.
    """
    found: Counter[str] = Counter()
    for record in records:
        if record.get("eventName") != "INSERT":
            continue
        try:
            change = record["dynamodb"]
            image = change["NewImage"]
            queued = queued_at(image)
            if queued is None:
                continue
            happened = datetime.fromisoformat(image["t"]["S"]).timestamp()
            stored = int(change["ApproximateCreationDateTime"]) + _ROUNDED_SECONDS
            is_ours = image["e"]["S"] not in _REPORTED_BY_OTHERS
        except (KeyError, TypeError, ValueError):
            continue  # counted as quarantined (stats/grouping.py)
        found[_range("queue", stored - queued)] += 1
        found[_range("count", now - stored)] += 1
        if is_ours and queued - happened < _REPLAYED_SECONDS:
            found[_range("ses", queued - happened)] += 1
            found[_range("total", now - happened)] += 1
    return found


def _range(hop: Hop, seconds: float) -> str:
    """Return the name of the range of a delay; clocks may differ, so it may be negative."""
    number = 0
    if seconds > _FIRST_SECONDS:
        number = math.ceil(_RANGES_PER_DOUBLING * math.log2(seconds / _FIRST_SECONDS))
    return f"{_LETTERS[hop]}{min(number, _LAST_RANGE)}"


NAMES = frozenset(
    f"{letter}{number}" for letter in _LETTERS.values() for number in range(_LAST_RANGE + 1)
)
"""The names of all ranges."""


class Reading(Struct, frozen=True):
    """The sums of each shard at a time.

    Attributes:
        at: epoch seconds.
        shards: sums by the part of the read position.
    """

    at: float
    shards: Mapping[str, Sums]


def added(before: Reading, after: Reading) -> Counter[str]:
    """Return what was measured between two readings.

    A shard that the earlier reading does not have began in between.
    """
    found: Counter[str] = Counter()
    for shard, sums in after.shards.items():
        earlier = before.shards.get(shard, {})
        for name, count in sums.items():
            found[name] += max(0, count - earlier.get(name, 0))
    return +found


def kept(readings: Sequence[Reading], now: float) -> list[Reading]:
    """Return the readings that the next ones are compared with, oldest first.

    They are those of the window, and the last one before it.
    """
    before = [one for one in readings if one.at <= now - WINDOW_SECONDS]
    return [*before[-1:], *(one for one in readings if one.at > now - WINDOW_SECONDS)]


def delays(sums: Sums) -> tuple[Delay, ...]:
    """Return the delays of the hops that events have taken."""
    found = []
    for hop in HOPS:
        counts = [sums.get(f"{_LETTERS[hop]}{number}", 0) for number in range(_LAST_RANGE + 1)]
        if events := sum(counts):
            found.append(Delay(hop, _quantile(counts, 0.5), _quantile(counts, 0.99), events))
    return tuple(found)


def _quantile(counts: Sequence[int], share: float) -> float:
    """Return the middle of the range that has a quantile, in seconds: within a fifth of it."""
    rank = math.ceil(share * sum(counts))
    number = next(place for place, total in enumerate(accumulate(counts)) if total >= rank)
    if number == 0:
        return round(_FIRST_SECONDS / 2, 2)
    middle = _FIRST_SECONDS * 2 ** ((number - 0.5) / _RANGES_PER_DOUBLING)
    return round(middle, 2 - math.floor(math.log10(middle)) - 1)

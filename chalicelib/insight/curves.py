"""Response curves: how many emails were read or clicked by their age.

An email's age is the time since SES accepted it (`mail.timestamp`). Curves by age are comparable
between a campaign that is sent in a minute and one that is sent over hours. Each email counts once,
in the bucket of the age of its first human open or click, so a curve does not depend on the order
of events, and a first open that is reclassified leaves its bucket.
"""

import math
from bisect import bisect_right
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from itertools import accumulate
from typing import NamedTuple

from msgspec import Struct
from msgspec.structs import force_setattr

_MINUTE, _HOUR, _DAY = 60, 3600, 86_400

# Round ages, so that counts at a quarter of an hour, an hour, a day or a week need no
# interpolation. Neighbours differ by at most half, except for the first and the last two.
AGE_EDGES_SECONDS = (
    *(round(_MINUTE * one) for one in (1, 2, 3, 4, 5, 6, 8, 10, 12, 15, 20, 25, 30, 40, 50)),
    *(round(_HOUR * one) for one in (1, 1.5, 2, 2.5, 3, 4, 5, 6, 8, 10, 12, 16, 20)),
    *(round(_DAY * one) for one in (1, 1.5, 2, 3, 4, 5, 7, 10, 14, 21, 30, 60)),
)
"""The upper edges of the buckets, exclusive; the last bucket also has all greater ages."""

BUCKETS = len(AGE_EDGES_SECONDS)


def bucket(age_seconds: float) -> int:
    """Return the number of the bucket of an age, from 0 on.

    A negative age, which clocks that disagree produce, belongs to the first bucket; an age of more
    than 60 days belongs to the last.
    """
    return min(bisect_right(AGE_EDGES_SECONDS, age_seconds), BUCKETS - 1)


class Curve(Struct, frozen=True):
    """A cumulative count of emails by their age at the first open or click.

    Attributes:
        counts: emails in each bucket; see `bucket`.
        cumulative: emails below the upper edge of each bucket.
    """

    counts: tuple[int, ...]
    cumulative: tuple[int, ...] = ()  # computed from the counts

    def __post_init__(self) -> None:
        """Add up the counts.

        Raises:
            ValueError: there is not one count for each bucket.
        """
        if len(self.counts) != BUCKETS:
            raise ValueError(f"a curve has {BUCKETS} counts, not {len(self.counts)}")
        # A stored count is negative while a contribution is missing, and shown as 0 everywhere.
        shown = accumulate(max(one, 0) for one in self.counts)
        force_setattr(self, "cumulative", tuple(shown))

    @property
    def total(self) -> int:
        """The emails of all ages."""
        return self.cumulative[-1]

    def at(self, age_seconds: float) -> float:
        """Return how many emails were opened or clicked before an age.

        Exact at the edges. Between two edges, the count is interpolated linearly in the logarithm
        of the age, because delays of readers are close to log-normal; in the first bucket, linearly
        in the age.
        """
        if age_seconds <= 0:
            return 0.0
        number = bisect_right(AGE_EDGES_SECONDS, age_seconds)
        if number == BUCKETS:
            return float(self.total)
        upper = AGE_EDGES_SECONDS[number]
        if number == 0:
            return self.cumulative[0] * age_seconds / upper
        lower = AGE_EDGES_SECONDS[number - 1]
        share = math.log(age_seconds / lower) / math.log(upper / lower)
        before = self.cumulative[number - 1]
        return before + share * (self.cumulative[number] - before)


def curve(counts: Mapping[int, int]) -> Curve:
    """Return the curve of the stored buckets, by number; a bucket that is missing is 0.

    Raises:
        ValueError: there is no bucket of such a number.
    """
    unknown = [number for number in counts if not 0 <= number < BUCKETS]
    if unknown:
        raise ValueError(f"no bucket has the number {unknown[0]}; the last is {BUCKETS - 1}")
    return Curve(tuple(counts.get(number, 0) for number in range(BUCKETS)))


class Sent(NamedTuple):
    """Emails that SES accepted at about the same time.

    Attributes:
        age_seconds: their age at a moment.
        emails: their number; a fraction where a moment divides the emails of a bucket.
        lasted_seconds: how much longer than a minute it took to send them, where only the hour or
            the day is known.
    """

    age_seconds: float
    emails: float
    lasted_seconds: float = 0.0


class SendBucket(NamedTuple):
    """The sends of a minute or an hour, by the time at which SES accepted the email."""

    start: datetime
    length: timedelta
    emails: int


def sending(
    buckets: Iterable[SendBucket], at: datetime, known_at: datetime | None = None
) -> list[Sent]:
    """Return the emails that a campaign had sent at a moment by their age at that moment.

    The emails of a bucket have the mean age of the part of the bucket that has passed, as if they
    were sent evenly. No further emails are sent after the buckets were read.

    Args:
        buckets: the campaign's sends by minute or hour.
        at: the moment.
        known_at: when the buckets were read; by default, at that moment.
    """
    known_at = known_at or at
    return [
        found
        for one in buckets
        if one.start <= at and one.start <= known_at and (found := _sent(one, at, known_at)).emails
    ]


def _sent(one: SendBucket, at: datetime, known_at: datetime) -> Sent:
    end = min(one.start + one.length, known_at)
    until = min(end, at)
    lasted = until - one.start
    is_complete = until == end
    return Sent(
        (at - one.start - lasted / 2).total_seconds(),
        one.emails if is_complete else one.emails * (lasted / (end - one.start)),
        max(0.0, lasted.total_seconds() - _MINUTE),
    )


def mean_count(response: Curve, emails: Sequence[Sent], most_seconds: float = math.inf) -> float:
    """Return the count of a curve at the ages of a campaign's emails, averaged over the emails.

    It is the sum of emails * at(min(age, most)) over the ages, divided by all emails: what the
    campaign of the curve would count if its emails had these ages.

    Args:
        response: the curve of another campaign.
        emails: the ages of this campaign's emails; at least one.
        most_seconds: greater ages count as this one.
    """
    total = sum(one.emails for one in emails)
    return (
        sum(one.emails * response.at(min(one.age_seconds, most_seconds)) for one in emails) / total
    )

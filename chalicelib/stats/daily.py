"""Read what all campaigns together counted on each UTC day, and what SES counted."""

from collections import Counter, defaultdict
from collections.abc import Collection, Iterator, Sequence
from datetime import UTC, date, datetime, timedelta
from itertools import islice
from typing import NamedTuple

from msgspec import Struct

from chalicelib.aws.ses_metrics import SesMetrics
from chalicelib.insight.day_counts import METRICS, OurDay, TheirDay, days_between, their_days
from chalicelib.insight.runway import RATES, Kind
from chalicelib.stats.counters import Aggregate, Key, bucket_part
from chalicelib.stats.table import StatsTable

DOCTOR = "mailpulse-doctor"
"""The campaign of the emails that `doctor` sends to SES's mailbox simulator."""

DENIED = frozenset({"AccessDenied", "AccessDeniedException"})
"""The codes of CloudWatch's errors if the permission is missing."""

_DAY = len("2026-11-28")
_LAST_HOUR = "T23"
# How many days of campaigns are in memory at a time.
_IN_MEMORY = 1000


class Daily(Struct, frozen=True):
    """What was counted.

    Attributes:
        days: the counts of each day of all campaigns, and of its last hour if it was asked for.
        apart: the counts of each day of the campaigns that were asked for apart.
        first_day: the day of the first event of all; None if there is none.
        outdated: number of campaigns that an earlier release has counted, by its definitions.
    """

    days: dict[str, OurDay]
    apart: dict[str, Counter[str]]
    first_day: str | None
    outdated: int


class Span(NamedTuple):
    """A campaign, and the days of its first and last event."""

    campaign: str
    first: str
    last: str


class Spans(Struct, frozen=True):
    """When campaigns had events.

    Attributes:
        campaigns: the campaigns that had any.
        outdated: number of campaigns that an earlier release has counted.
    """

    campaigns: Sequence[Span]
    outdated: int

    def keys(self, days: Sequence[str], last_hours: Collection[str] = ()) -> Iterator[Key]:
        """Yield the keys of the days on which campaigns may have events, and of last hours."""
        for campaign, since, until in self.campaigns:
            for day in days:
                if since <= day <= until:
                    yield campaign, bucket_part("day", day)
                    if day in last_hours:
                        yield campaign, bucket_part("hour", day + _LAST_HOUR)


def read_spans(stats_table: StatsTable) -> Spans:
    """Read when campaigns had events; consistent reads. Only one page of summaries is in memory.

    Raises:
        AwsError: the table could not be read.
    """
    outdated = 0
    found = []
    for one in stats_table.campaigns.all():
        outdated += not one.is_current
        if (span := _span(one)) is not None:
            found.append(span)
    return Spans(found, outdated)


def _span(summary: Aggregate) -> Span | None:
    first, last = summary.first_event_at, summary.last_event_at
    if first is None:
        return None
    return Span(summary.campaign, first[:_DAY], (last or first)[:_DAY])


def read(  # noqa: PLR0913 - all but three have defaults
    stats_table: StatsTable,
    first: date,
    last: date,
    *,
    last_hours: Collection[str] = (),
    apart: Collection[str] = (),
    spans: Spans | None = None,
) -> Daily:
    """Read the counts of some days; consistent reads.

    Args:
        stats_table: the stats table.
        first: the first day.
        last: the last day.
        last_hours: the days whose last hour to read as well.
        apart: campaigns whose counts to return by themselves, too.
        spans: when campaigns had events, if that was read.

    Raises:
        AwsError: the table could not be read.
    """
    days = days_between(first, last)
    spans = spans or read_spans(stats_table)
    counts: defaultdict[str, Counter[str]] = defaultdict(Counter)
    of_apart: defaultdict[str, Counter[str]] = defaultdict(Counter)
    keys = spans.keys(days, last_hours)
    while some := list(islice(keys, _IN_MEMORY)):
        for one in stats_table.parts(some):
            part = one.part.partition("#")[2]
            counts[part].update(one.counts)
            if one.campaign in apart:
                of_apart[part].update(one.counts)
    return Daily(
        {day: OurDay(counts[day], counts[day + _LAST_HOUR]) for day in days},
        {day: of_apart[day] for day in days},
        min((one.first for one in spans.campaigns), default=None),
        spans.outdated,
    )


def read_theirs(metrics: SesMetrics, first: date, last: date, now: datetime) -> dict[str, TheirDay]:
    """Return SES's counts in CloudWatch, including the days before the first and after the last.

    Raises:
        AwsError: the metrics could not be read.
    """
    start = midnight(first - timedelta(days=1))
    end = min(midnight(last + timedelta(days=2)), now)
    names = [one.ses for one in METRICS["cloudwatch"]]
    return their_days(metrics.read(names, int(start.timestamp()), int(end.timestamp())))


def read_rates(metrics: SesMetrics, now: datetime) -> dict[Kind, float]:
    """Return the newest reputation rates of the account, as fractions, that SES has published.

    Raises:
        AwsError: the metrics could not be read.
    """
    found = metrics.newest(list(RATES.values()), int(now.timestamp()))
    return {kind: found[name] for kind, name in RATES.items() if name in found}


def midnight(day: date) -> datetime:
    """Return the beginning of a UTC day."""
    return datetime(day.year, day.month, day.day, tzinfo=UTC)

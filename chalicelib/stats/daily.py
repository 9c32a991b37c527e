"""Read what all campaigns together counted on each UTC day."""

from collections import Counter, defaultdict
from collections.abc import Collection, Iterator, Sequence
from datetime import date

from msgspec import Struct

from chalicelib.insight.day_counts import OurDay, days_between
from chalicelib.stats.counters import Aggregate, Key, bucket_part
from chalicelib.stats.table import StatsTable

_DAY = len("2026-11-28")
_LAST_HOUR = "T23"


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


def read(
    stats_table: StatsTable,
    first: date,
    last: date,
    *,
    last_hours: Collection[str] = (),
    apart: Collection[str] = (),
) -> Daily:
    """Read the counts of some days; consistent reads.

    Args:
        stats_table: the stats table.
        first: the first day.
        last: the last day.
        last_hours: the days whose last hour to read as well.
        apart: campaigns whose counts to return by themselves, too.

    Raises:
        AwsError: the table could not be read.
    """
    days = days_between(first, last)
    summaries = list(stats_table.all_campaigns())
    keys = [key for summary in summaries for key in _keys(summary, days, last_hours)]
    counts: defaultdict[str, Counter[str]] = defaultdict(Counter)
    of_apart: defaultdict[str, Counter[str]] = defaultdict(Counter)
    for one in stats_table.parts(keys):
        part = one.part.partition("#")[2]
        counts[part].update(one.counts)
        if one.campaign in apart:
            of_apart[part].update(one.counts)
    firsts = [one.first_event_at[:_DAY] for one in summaries if one.first_event_at]
    return Daily(
        {day: OurDay(counts[day], counts[day + _LAST_HOUR]) for day in days},
        {day: of_apart[day] for day in days},
        min(firsts, default=None),
        sum(not one.is_current for one in summaries),
    )


def _keys(summary: Aggregate, days: Sequence[str], last_hours: Collection[str]) -> Iterator[Key]:
    """Yield the keys of a campaign's days, and of some last hours, if it had events then."""
    if summary.first_event_at is None:
        return
    since = summary.first_event_at[:_DAY]
    until = (summary.last_event_at or summary.first_event_at)[:_DAY]
    for day in days:
        if since <= day <= until:
            yield summary.campaign, bucket_part("day", day)
            if day in last_hours:
                yield summary.campaign, bucket_part("hour", day + _LAST_HOUR)

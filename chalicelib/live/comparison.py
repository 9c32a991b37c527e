"""Compare campaigns: their counts, rates and curves, and how much their rates differ."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime

from chalicelib.insight.curves import AGE_EDGES_SECONDS
from chalicelib.insight.variants import Variant, differences
from chalicelib.live import messages
from chalicelib.live.frames import Message
from chalicelib.stats.counters import (
    AGE_METRICS_ON_THE_WIRE,
    SUMMARY,
    AgeMetric,
    Aggregate,
    curve_of,
)
from chalicelib.stats.table import StatsTable

# Rates of deliveries, by their names in the protocol.
_RATES: dict[str, AgeMetric] = {
    "human_open": "unique_human_opens",
    "human_click": "unique_human_clicks",
}


def compare(stats_table: StatsTable, campaigns: Sequence[str], now: datetime) -> Message:
    """Return the members of the reply to `compare`.

    A campaign without events counts nothing.

    Args:
        stats_table: the counters.
        campaigns: two to six campaigns.
        now: the current time, in UTC.

    Raises:
        AwsError: the counters could not be read.
    """
    found = {one.campaign: one for one in stats_table.summaries(campaigns)}
    summaries = [found.get(one) or Aggregate(one, SUMMARY) for one in campaigns]
    ages = stats_table.ages(campaigns)
    return {
        "campaigns": [
            messages.compared(summary, _curve(summary, counts, now))
            for summary, counts in zip(summaries, ages, strict=True)
        ],
        "differences": [one for rate in _RATES for one in _differences(rate, summaries)],
    }


def _curve(summary: Aggregate, ages: Mapping[str, int], now: datetime) -> Message:
    """Return a campaign's curve up to the age that its first email has reached."""
    reached = 0
    if summary.first_event_at is not None:
        age = (now - datetime.fromisoformat(summary.first_event_at)).total_seconds()
        reached = sum(edge <= age for edge in AGE_EDGES_SECONDS)
    return {
        "ages": list(AGE_EDGES_SECONDS[:reached]),
        **{
            name: list(curve_of(ages, metric).cumulative[:reached])
            for name, metric in AGE_METRICS_ON_THE_WIRE.items()
        },
    }


def _differences(rate: str, summaries: Sequence[Aggregate]) -> Iterator[Message]:
    variants = [
        Variant(
            one.campaign,
            max(0, one.counts.get("deliveries", 0)),
            max(0, one.counts.get(_RATES[rate], 0)),
        )
        for one in summaries
    ]
    for a, b, difference, low, high in differences(variants):
        yield {"rate": rate, "ids": [a, b], "difference": difference, "low": low, "high": high}

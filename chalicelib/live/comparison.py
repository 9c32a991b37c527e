"""Compare campaigns, or the variants of one: how much their rates differ, and which is better."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from heapq import nlargest

from chalicelib.errors import InvalidRequest
from chalicelib.insight.curves import AGE_EDGES_SECONDS
from chalicelib.insight.variants import FEWEST, MOST, Variant, differences, judge
from chalicelib.live import messages
from chalicelib.live.frames import Message
from chalicelib.stats.counters import (
    AGE_METRICS_ON_THE_WIRE,
    SUMMARY,
    AgeMetric,
    Aggregate,
    curve_of,
    rates,
    tag_of,
)
from chalicelib.stats.last_sends import sent_until
from chalicelib.stats.table import StatsTable
from chalicelib.stats.tags import name_of, value_of

# Rates of deliveries, by their names in the protocol.
_RATES: dict[str, AgeMetric] = {
    "human_open": "unique_human_opens",
    "human_click": "unique_human_clicks",
}
_CURVES = {metric: name for name, metric in AGE_METRICS_ON_THE_WIRE.items()}
# The rate by which variants are judged.
_JUDGED = "human_click"


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
    compared = [
        messages.compared(summary, _curve(summary, counts, now))
        for summary, counts in zip(summaries, ages, strict=True)
    ]
    age = _same_age(
        _youngest(stats_table, one, now) for one in summaries if one.counts.get("deliveries", 0) > 0
    )
    return {
        "campaigns": compared,
        "same_age": age,
        "differences": [one for rate in _RATES for one in _differences(rate, compared, age)],
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


def _youngest(stats_table: StatsTable, summary: Aggregate, now: datetime) -> float:
    """Return the age in seconds that all emails of a campaign have reached.

    If SES reports no sends, it is the age of the campaign.
    """
    until = sent_until(stats_table, summary.campaign)
    if until is None:
        until = datetime.fromisoformat(summary.first_event_at) if summary.first_event_at else now
    return (now - until).total_seconds()


def _same_age(ages: Iterable[float]) -> int | None:
    """Return the greatest edge of a curve that all of these ages have reached; None below 60."""
    youngest = min(ages, default=0.0)
    return max((edge for edge in AGE_EDGES_SECONDS if edge <= youngest), default=None)


def _differences(rate: str, compared: Sequence[Message], age: int | None) -> Iterator[Message]:
    """Yield the differences of the totals, each with that at the same age."""
    totals = differences([_variant(one["id"], one["counts"], rate) for one in compared])
    at_age = differences([_variant_at(one, rate, age) for one in compared])
    for (a, b, *total), (_, _, *same_age) in zip(totals, at_age, strict=True):
        yield {
            "rate": rate,
            "ids": [a, b],
            **_interval(total),
            "at_same_age": None if age is None else _interval(same_age),
        }


def _interval(values: Iterable[float]) -> dict[str, float]:
    return dict(zip(("difference", "low", "high"), values, strict=True))


def _variant_at(compared: Message, rate: str, age: int | None) -> Variant:
    """Return a campaign's emails that were opened or clicked before an age."""
    curve = compared["curve"]
    counts = dict(zip(curve["ages"], curve[_CURVES[_RATES[rate]]], strict=True))
    # Only campaigns without deliveries have not reached the age, and these differ from none.
    return Variant(compared["id"], compared["counts"]["deliveries"], counts.get(age, 0))


def compare_variants(stats_table: StatsTable, campaign: str, tag: str) -> Message:
    """Return the members of the reply to `compareVariants`.

    Of more than six variants, compare the six with the most deliveries, in the order of text.

    Args:
        stats_table: the counters.
        campaign: the campaign.
        tag: the name of the message tag.

    Raises:
        InvalidRequest: there are fewer than two variants.
        AwsError: the counters could not be read.
    """
    summary = stats_table.summary(campaign)
    tags = summary.tags if summary else ()
    found = {
        tag_of(one.part): one.counts
        for one in stats_table.variants(campaign, [one for one in tags if name_of(one) == tag])
        if any(count > 0 for count in one.counts.values())
    }
    if len(found) < FEWEST:
        raise InvalidRequest("invalid_request", _too_few(campaign, tag, [*found], tags))
    most_delivered = nlargest(MOST, sorted(found), key=lambda one: found[one].get("deliveries", 0))
    compared = {value_of(one): found[one] for one in sorted(most_delivered)}
    variants = [_variant(value, counts, _JUDGED) for value, counts in compared.items()]
    verdict, best, probabilities = judge(variants)
    return {
        "tag": tag,
        "verdict": verdict,
        "best": best if verdict == "decided" else None,
        "variants": [
            {
                "value": one.name,
                "deliveries": one.deliveries,
                "unique_human_clicks": one.count,
                "rate": rates(compared[one.name])[_JUDGED],
                "probability": probabilities[number] if probabilities else None,
            }
            for number, one in enumerate(variants)
        ],
        "differences": [
            {"rate": _JUDGED, "values": [a, b], "difference": difference, "low": low, "high": high}
            for a, b, difference, low, high in differences(variants)
        ],
    }


def _variant(name: str, counts: Mapping[str, int], rate: str) -> Variant:
    return Variant(name, max(0, counts.get("deliveries", 0)), max(0, counts.get(_RATES[rate], 0)))


def _too_few(campaign: str, tag: str, counted: Sequence[str], tags: Sequence[str]) -> str:
    """Return why variants cannot be compared: what the campaign has instead."""
    names = sorted({*map(name_of, tags)})
    if counted:
        have = f"only {value_of(counted[0])!r}"
    elif tag in names:
        have = "counted none of its values yet, which `recount --apply` does"
    else:
        have = f"none, but the tags: {', '.join(names)}" if names else "none, and no other tag"
    return f"two values of the tag {tag!r} are needed: {campaign!r} has {have}"

"""Compute the pace of a campaign from its counters and those of earlier campaigns."""

import math
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from chalicelib.facts.personal import masked_sender
from chalicelib.insight.curves import AGE_EDGES_SECONDS, Curve, SendBucket, sending
from chalicelib.insight.history import (
    FEWEST_CAMPAIGNS,
    LEAST_DELIVERIES_OF_EARLIER,
    LEAST_EXPECTED,
    MOST_CAMPAIGNS,
    Campaign,
    Metric,
    Running,
    Silence,
    comparable,
    complete,
)
from chalicelib.insight.pace import (
    FORECASTS_SECONDS,
    Estimate,
    Forecast,
    Moment,
    Pace,
    course,
    forecast,
    pace,
)
from chalicelib.stats.counters import (
    AGE_METRICS,
    AGE_METRICS_ON_THE_WIRE,
    RESOLUTIONS,
    Aggregate,
    bucket_start,
    curve_of,
)
from chalicelib.stats.directory import Entry
from chalicelib.stats.pace_item import Content

# While a campaign is young, its pace is computed each minute; then each hour, until it has ended.
YOUNG = timedelta(hours=48)
ENDED = timedelta(days=7)

_LENGTHS = {"minute": timedelta(minutes=1), "hour": timedelta(hours=1), "day": timedelta(days=1)}
# The least share of a campaign's human opens and clicks that its curves must have.
_LEAST_KNOWN = 0.95


def is_due(first_event_at: datetime, computed_at: datetime | None, now: datetime) -> bool:
    """Return whether a campaign's pace is to be computed.

    Args:
        first_event_at: the campaign's.
        computed_at: when this process last computed it; None if it has not.
        now: the current time.
    """
    age = now - first_event_at
    if age < YOUNG or (age < ENDED and computed_at is None):
        return True
    return age < ENDED and computed_at is not None and hour_of(computed_at) != hour_of(now)


def hour_of(at: datetime) -> str:
    """Return the hour of a time, such as `2026-11-23T10`."""
    return at.strftime("%Y-%m-%dT%H")


def earlier_entries(entries: Iterable[Entry], summary: Aggregate) -> list[Entry]:
    """Return the campaigns with which a campaign may be compared, oldest first.

    These are the 20 latest of the same sender before it with 500 deliveries or more, and with any
    human open or click; see insight.history.comparable, which selects them in the same way. Test
    campaigns are left out.
    """
    if summary.sender is None:
        return []
    sender = masked_sender(summary.sender)
    position = (summary.first_event_at or "", summary.campaign)
    found = [
        one
        for one in entries
        if one.sender == sender
        and not one.is_test
        and (one.first_event_at, one.campaign) < position
        and one.count("deliveries") >= LEAST_DELIVERIES_OF_EARLIER
        and any(one.count(metric) for metric in AGE_METRICS)
    ]
    found.sort(key=lambda one: (one.first_event_at, one.campaign))
    return found[-MOST_CAMPAIGNS:]


def earlier_campaign(
    entry: Entry, ages: Mapping[str, int], last_sent_hour: str | None, known_at: datetime
) -> Campaign | None:
    """Return an earlier campaign; None if too little is known of it.

    Args:
        entry: its entry in the directory.
        ages: the counters of its ages.
        last_sent_hour: the part of the last hour with sends; None if SES reported no sends.
        known_at: when the counters of its ages were read.
    """
    curves = curves_of(ages)
    if last_sent_hour is None or not _are_known(curves, entry.count):
        return None
    return Campaign(
        entry.campaign,
        entry.sender or "",
        datetime.fromisoformat(entry.first_event_at),
        _start(last_sent_hour) + _LENGTHS["hour"],
        entry.count("deliveries"),
        curves,
        known_at,
    )


def running_campaign(
    summary: Aggregate, ages: Mapping[str, int], sends: Sequence[SendBucket], now: datetime
) -> Running | None:
    """Return a campaign at this moment; None if too little is known of it.

    Args:
        summary: its summary, after its first event.
        ages: the counters of its ages.
        sends: see `send_buckets`.
        now: the current time.
    """
    curves = curves_of(ages)
    if not _are_known(curves, lambda name: summary.counts.get(name, 0)):
        return None
    campaign = Campaign(
        summary.campaign,
        masked_sender(summary.sender or ""),
        datetime.fromisoformat(summary.first_event_at or ""),
        max((one.start + one.length for one in sends), default=now),
        max(0, summary.counts.get("deliveries", 0)),
        curves,
    )
    return Running(campaign, now, sending(sends, now))


def curves_of(ages: Mapping[str, int]) -> dict[Metric, Curve]:
    """Return the response curves in the counters of a campaign's ages."""
    return {metric: curve_of(ages, metric) for metric in AGE_METRICS}


def _are_known(curves: Mapping[Metric, Curve], count: Callable[[str], int]) -> bool:
    """Return whether nearly all of a campaign's human opens and clicks are in its curves.

    Otherwise an earlier release has counted some of them, which had no counters by age.
    """
    return all(curves[metric].total >= _LEAST_KNOWN * count(metric) for metric in AGE_METRICS)


def send_buckets(buckets: Iterable[Aggregate]) -> list[SendBucket]:
    """Return a campaign's sends in the finest buckets that are known.

    What an hour counts besides its known minutes, or a day besides its known hours, is a bucket of
    that length, so that each send is in exactly one.

    Args:
        buckets: days, hours and minutes of the campaign, in any order.
    """
    found: dict[str, dict[str, int]] = {resolution: {} for resolution in RESOLUTIONS}
    for one in buckets:
        resolution, _, prefix = one.part.partition("#")
        found[resolution][prefix] = max(0, one.counts.get("sends", 0))
    result: list[SendBucket] = []
    finer: Mapping[str, int] = {}
    for resolution, counts in found.items():
        length = RESOLUTIONS[resolution][0]
        inside: dict[str, int] = defaultdict(int)
        for prefix, sends in finer.items():
            inside[prefix[:length]] += sends
        for prefix, sends in counts.items():
            if sends > inside[prefix]:
                start = _start(f"{resolution}#{prefix}")
                result.append(SendBucket(start, _LENGTHS[resolution], sends - inside[prefix]))
        finer = {
            prefix: max(inside[prefix], counts.get(prefix, 0)) for prefix in {*inside, *counts}
        }
    return result


def _start(part: str) -> datetime:
    return datetime.fromisoformat(bucket_start(part))


def content_of(running: Running, others: Iterable[Campaign]) -> Content:
    """Return the pace of a campaign. A metric of which nothing can be said is left out.

    Args:
        running: the campaign at this moment.
        others: other campaigns; those that are comparable are selected from them.
    """
    past = comparable(running.campaign, others)
    content = _compared(running, past)
    if "needed" in content:
        return content
    for name, metric in AGE_METRICS_ON_THE_WIRE.items():
        now = pace(running, past, metric)
        if isinstance(now, Pace):
            content[name] = {"actual": now.actual, **_shown(now.expected)}
    content["forecast"] = []
    for seconds in FORECASTS_SECONDS:
        ahead = {
            name: forecast(running, past, one, seconds)
            for name, one in AGE_METRICS_ON_THE_WIRE.items()
        }
        said = {
            name: _shown(one.estimate) for name, one in ahead.items() if isinstance(one, Forecast)
        }
        if said:
            content["forecast"].append({"hours": seconds // 3600, **said})
    return content


def _compared(running: Running, past: Sequence[Campaign]) -> dict[str, Any]:
    """Return with how many campaigns a campaign is compared now, and if too few, what is needed."""
    oldest = running.oldest_seconds if running.emails else 0.0
    campaigns = len(complete(past, running.now, oldest))
    if campaigns < FEWEST_CAMPAIGNS:
        return {"campaigns": campaigns, "needed": FEWEST_CAMPAIGNS}
    return {"campaigns": campaigns, "at": running.now.strftime("%Y-%m-%dT%H:%M:%SZ")}


def usual_content(
    running: Running, others: Iterable[Campaign], sends: Sequence[SendBucket]
) -> Content:
    """Return what earlier campaigns would count at each age of a campaign, up to seven days.

    A metric of which nothing can be said, or fewer than five emails are expected, is left out.

    Args:
        running: the campaign at this moment.
        others: other campaigns; those that are comparable are selected from them.
        sends: the campaign's; see `send_buckets`.
    """
    past = comparable(running.campaign, others)
    content = _compared(running, past)
    if "needed" in content:
        return content
    moments = _moments(running, sends)
    content["started_at"] = running.campaign.first_event_at.strftime("%Y-%m-%dT%H:%M:%SZ")
    content["ages"] = []
    for name, metric in AGE_METRICS_ON_THE_WIRE.items():
        found = course(running, past, metric, moments)
        if isinstance(found, Silence) or found[-1].estimate.expected < LEAST_EXPECTED:
            continue
        content["ages"] = [one.age_seconds for one in found]
        content[name] = {
            "low": [round(one.estimate.low, 1) for one in found],
            "expected": [round(one.estimate.expected, 1) for one in found],
            "high": [round(one.estimate.high, 1) for one in found],
        }
    return content


def _moments(running: Running, sends: Sequence[SendBucket]) -> list[Moment]:
    """Return the start of a campaign, the edges of ages up to seven days, and now."""
    start = running.campaign.first_event_at
    age = math.floor((running.now - start).total_seconds())
    last = round(ENDED.total_seconds())
    at = {one: start + timedelta(seconds=one) for one in (0, *AGE_EDGES_SECONDS) if one <= last}
    if 0 <= age <= last:
        at[age] = running.now
    return [Moment(one, sending(sends, at[one], running.now)) for one in sorted(at)]


def says_the_same(one: Content, other: Content) -> bool:
    """Return whether two contents differ in nothing but the moment they are of."""
    return {**one, "at": None} == {**other, "at": None}


def _shown(estimate: Estimate) -> dict[str, int]:
    """Return an estimate in whole emails: finer differences are no news."""
    return {
        "expected": round(estimate.expected),
        "low": round(estimate.low),
        "high": round(estimate.high),
    }

"""Compare a campaign with earlier ones of the same age, and forecast it.

Campaigns differ by factors, so the logarithms of their rates are compared. An earlier campaign with
n deliveries that would have counted y emails if its emails had this campaign's ages has the rate

    x = ln((y + 1/2) / (n + 1/2)),    with the noise 1/y - 1/n

the empirical logarithm with its variance (Cox and Snell, Analysis of Binary Data, 1989, 2.1.6).
Chance makes this noise; hierarchy.py describes what else differs between campaigns. This campaign
has the same differences, and the noise of its own size.
"""

import math
from collections.abc import Callable, Iterable, Sequence
from datetime import datetime, timedelta
from functools import partial
from itertools import accumulate
from typing import NamedTuple

from msgspec import Struct

from chalicelib.insight.curves import Sent, mean_count
from chalicelib.insight.hierarchy import (
    Component,
    Count,
    Rate,
    levels,
    next_rate,
    normalized,
    observed,
    quantile,
    rates,
)
from chalicelib.insight.history import (
    FEWEST_CAMPAIGNS,
    LEAST_EXPECTED,
    Campaign,
    Metric,
    Running,
    Silence,
    comparable,
    complete,
    silence,
)

LEVEL = 0.8
"""The share of campaigns that an interval contains: from 10 to 90% of what is usual."""

FORECASTS_SECONDS = (86_400, 7 * 86_400)

_TAILS = ((1 - LEVEL) / 2, (1 + LEVEL) / 2)
_JUDGED_CAMPAIGNS = 10
_NEGLIGIBLE = 1e-4


class Estimate(NamedTuple):
    """A count of emails with an interval that contains it with a probability of LEVEL.

    Attributes:
        campaigns: the number of earlier campaigns on which it is based.
    """

    expected: float
    low: float
    high: float
    campaigns: int


class Pace(Struct, frozen=True):
    """How a campaign does for the age of its emails.

    Attributes:
        actual: emails opened or clicked so far.
        expected: what earlier campaigns would count by now; low and high contain `actual` in 80%
            of campaigns that are like them.
    """

    metric: Metric
    actual: int
    expected: Estimate


class Forecast(Struct, frozen=True):
    """What a campaign will count when each of its emails has reached an age.

    It is of the emails that SES has accepted so far.

    Attributes:
        age_seconds: that age.
        so_far: what it counts already of it.
        final: whether all emails have reached the age, so that nothing can be added.
    """

    metric: Metric
    age_seconds: int
    so_far: int
    estimate: Estimate
    final: bool


class Moment(NamedTuple):
    """A moment in the course of a campaign, before or after the one at which it is known.

    Attributes:
        age_seconds: of the campaign.
        emails: the emails that it has sent by then, by their age; see curves.sending.
    """

    age_seconds: int
    emails: Sequence[Sent]


class Expectation(NamedTuple):
    """What earlier campaigns would count at an age of this campaign."""

    age_seconds: int
    estimate: Estimate


def pace(running: Running, past: Iterable[Campaign], metric: Metric) -> Pace | Silence:
    """Return how a campaign does for its age, or why nothing can be said.

    Expected is the median of what one more campaign like the earlier ones counts by now, and its
    interval has 80% of them: the logarithm of the rate is normal, with the variance tau^2 between
    campaigns, that of their mean, and this campaign's noise, summed over tau (Gelman et al.,
    Bayesian Data Analysis, 2013, 5.4).

    Args:
        running: the campaign.
        past: the earlier campaigns, from history.comparable. Those whose emails have not all
            reached the age of this campaign's first email are left out.
        metric: what to compare.
    """
    reason, counts = counts_of_earlier(running, past, metric)
    if reason:
        return reason
    estimate = _usual(counts, running.campaign.deliveries)
    if estimate.expected < LEAST_EXPECTED:
        return Silence("too_early", math.floor(estimate.expected), LEAST_EXPECTED)
    return Pace(metric, running.campaign.curves[metric].total, estimate)


def forecast(
    running: Running, past: Iterable[Campaign], metric: Metric, age_seconds: int
) -> Forecast | Silence:
    """Return what a campaign will count when its emails have an age, or why nothing can be said.

    A campaign has a level, the rate y at the age, and a speed, the share s of it that it has by
    now; in logarithms, x = y + s. Both vary between campaigns, independently. This campaign's count
    by now is an observation of x with noise. The forecast is y given x: its normal regression,

        mean(y) + C/V * (x - mean(x)),    variance C * (1 - C/V)

    with C the variance of y, and V that of x with its noise, summed over both deviations between
    campaigns, weighted by how well they explain x. Early, V is mostly noise and speed, and the
    forecast is what is usual; later, V approaches C, and the campaign's own count decides.

    Args:
        running: the campaign.
        past: the earlier campaigns, from history.comparable. Those whose emails have not all
            reached the age are left out.
        metric: what to forecast.
        age_seconds: an age, preferably an edge of curves.AGE_EDGES_SECONDS.
    """
    so_far = running.campaign.curves[metric]
    counted = math.floor(so_far.at(age_seconds))
    if running.emails and running.youngest_seconds >= age_seconds:
        estimate = Estimate(counted, counted, counted, 0)
        return Forecast(metric, age_seconds, counted, estimate, final=True)
    usable = complete(past, running.now, age_seconds)
    reason = silence(running, len(usable))
    if reason:
        return reason
    own = Count(counted, running.campaign.deliveries)
    estimate = _forecast(running, usable, metric, age_seconds, own)
    if estimate.expected < LEAST_EXPECTED:
        return Silence("no_response_expected", math.floor(estimate.expected), LEAST_EXPECTED)
    return Forecast(metric, age_seconds, counted, estimate, final=False)


def _forecast(
    running: Running, past: Sequence[Campaign], metric: Metric, age_seconds: int, own: Count
) -> Estimate:
    """Return the forecast of a campaign that has counted `own` at the ages of the running one."""
    now = [Count(_so_far(one, running, metric, age_seconds), one.deliveries) for one in past]
    later = [Count(one.curves[metric].at(age_seconds), one.deliveries) for one in past]
    # What is counted already cannot become less; the half is that of a whole number's interval.
    least = Count(own.count - 0.5, own.deliveries).log if own.count >= 1 else -math.inf
    found = _estimate(_predicted(now, later, own), own.deliveries, len(past), least)
    return Estimate(
        max(own.count, found.expected),
        max(own.count, found.low),
        max(own.count, found.high),
        found.campaigns,
    )


def course(
    running: Running, past: Iterable[Campaign], metric: Metric, moments: Sequence[Moment]
) -> list[Expectation] | Silence:
    """Return what earlier campaigns would count at each age of this campaign.

    At each moment, it is what `pace` expects: now exactly, before now of the emails and deliveries
    of then, after now without further sends. Deliveries are the same share of sends at all moments.
    Moments that fewer than five earlier campaigns have reached are left out. As no count falls, a
    later estimate is at least an earlier one; the one of now remains as it is.

    Args:
        running: the campaign now.
        past: the earlier campaigns, from history.comparable.
        metric: what to expect.
        moments: in the order of age.
    """
    known = list(past)
    reason = silence(running, len(_reached(known, running.now, running.emails)))
    if reason:
        return reason
    sent = sum(one.emails for one in running.emails)
    found: list[Expectation] = []
    for age_seconds, emails in moments:
        by_then = sum(one.emails for one in emails)
        if by_then == 0:
            found.append(Expectation(age_seconds, Estimate(0.0, 0.0, 0.0, 0)))
            continue
        usable = _reached(known, running.now, emails)
        if len(usable) >= FEWEST_CAMPAIGNS:
            deliveries = running.campaign.deliveries * (by_then / sent)
            estimate = _usual(_counts_at(emails, usable, metric), deliveries)
            found.append(Expectation(age_seconds, estimate))
    now = sum(one.age_seconds <= _age_now(running) for one in found)
    earlier = list(accumulate(reversed(found[:now]), partial(_bounded, min)))
    later = list(accumulate(found[max(now - 1, 0) :], partial(_bounded, max)))
    return [*reversed(earlier[1:]), *later]


def _bounded(
    bound: Callable[[float, float], float], nearer: Expectation, one: Expectation
) -> Expectation:
    """Return an expectation bounded by the one that is nearer to now."""
    near, far = nearer.estimate, one.estimate
    estimate = Estimate(
        bound(near.expected, far.expected),
        bound(near.low, far.low),
        bound(near.high, far.high),
        far.campaigns,
    )
    return Expectation(one.age_seconds, estimate)


def _age_now(running: Running) -> float:
    return (running.now - running.campaign.first_event_at).total_seconds()


def counts_of_earlier(
    running: Running, past: Iterable[Campaign], metric: Metric
) -> tuple[Silence | None, list[Count]]:
    """Return the earlier campaigns' counts at this campaign's ages, or why there are not enough."""
    usable = _reached(past, running.now, running.emails)
    reason = silence(running, len(usable))
    return (reason, []) if reason else (None, _counts_at(running.emails, usable, metric))


def _reached(past: Iterable[Campaign], now: datetime, emails: Sequence[Sent]) -> list[Campaign]:
    """Return the earlier campaigns that have reached the age of the oldest of these emails."""
    return complete(past, now, max((one.age_seconds for one in emails), default=0.0))


def _counts_at(emails: Sequence[Sent], past: Iterable[Campaign], metric: Metric) -> list[Count]:
    return [Count(mean_count(one.curves[metric], emails), one.deliveries) for one in past]


def _count(log: float, deliveries: float) -> float:
    """Return the count of a rate's logarithm: the inverse of Count.log."""
    return max(0.0, min(math.exp(log) * (deliveries + 0.5) - 0.5, float(deliveries)))


def _estimate(
    components: Sequence[Component], deliveries: float, campaigns: int, least: float = -math.inf
) -> Estimate:
    low, expected, high = (
        _count(quantile(components, share, least), deliveries)
        for share in (_TAILS[0], 0.5, _TAILS[1])
    )
    return Estimate(expected, low, high, campaigns)


def _usual(counts: Sequence[Count], deliveries: float) -> Estimate:
    """Return the count of one more campaign like those of the counts; see pace."""
    own = Count(0, deliveries)
    components = [
        one._replace(deviation=math.hypot(one.deviation, math.sqrt(own.noise(one.mean))))
        for one in next_rate(counts)
    ]
    return _estimate(components, deliveries, len(counts))


def _growth(now: Sequence[Count], later: Sequence[Count]) -> list[Rate]:
    """Return the logarithms of the shares of later counts that were counted by now.

    The later count contains the earlier one, so that the noise of the share is the difference of
    theirs, and independent of the noise of the later count.
    """
    return [
        Rate(x.log - y.log, max(x.noise - y.noise, 1e-6))
        for x, y in zip(rates(now), rates(later), strict=True)
    ]


def _predicted(now: Sequence[Count], later: Sequence[Count], own: Count) -> list[Component]:
    """Return the distribution of the logarithm of the later rate, given this campaign's by now."""
    of_rate = levels(rates(later))
    of_share = levels(_growth(now, later))
    mean = sum(one.weight * one.mean for one in of_rate) + sum(
        one.weight * one.mean for one in of_share
    )
    variance = sum(one.weight * (one.variance + one.mean_variance) for one in (*of_rate, *of_share))
    x = observed(own, mean, variance)
    logs: list[float] = []
    found: list[Component] = []
    for rate in of_rate:
        chance = own.noise(rate.mean)
        later_variance = rate.variance + rate.mean_variance + chance
        for share in of_share:
            between = rate.variance + rate.mean_variance + share.variance + share.mean_variance
            total = between + max(x.noise, chance)
            away = x.log - rate.mean - share.mean
            logs.append(
                math.log(rate.weight * share.weight) - (math.log(total) + away * away / total) / 2
            )
            slope = later_variance / total
            left = max(later_variance * (1 - slope), 1e-12)
            found.append(Component(0.0, rate.mean + slope * away, math.sqrt(left)))
    return [
        one._replace(weight=weight)
        for one, weight in zip(found, normalized(logs), strict=True)
        if weight > _NEGLIGIBLE
    ]


class TrackRecord(NamedTuple):
    """How many of the forecasts of earlier campaigns contained what they counted in the end."""

    inside: int
    judged: int


def track_record(
    running: Running, others: Iterable[Campaign], metric: Metric, age_seconds: int
) -> TrackRecord:
    """Return how right the forecasts of the latest ten earlier campaigns were.

    Each is forecast as it was when its emails had the ages of this campaign's, from the campaigns
    before it that had reached the age by then.

    Args:
        running: the campaign.
        others: all campaigns, not only those that are comparable with this one.
        metric: what to forecast.
        age_seconds: as of the forecast.
    """
    known = list(others)
    inside = judged = 0
    usable = complete(comparable(running.campaign, known), running.now, age_seconds)
    for one in usable[-_JUDGED_CAMPAIGNS:]:
        then = one.first_event_at + timedelta(seconds=running.oldest_seconds)
        before = complete(comparable(one, known), then, age_seconds)
        if silence(running, len(before)):
            continue
        so_far = Count(_so_far(one, running, metric, age_seconds), one.deliveries)
        found = _forecast(running, before, metric, age_seconds, so_far)
        truth = one.curves[metric].at(age_seconds)
        judged += 1
        inside += found.low <= truth <= found.high
    return TrackRecord(inside, judged)


def _so_far(one: Campaign, running: Running, metric: Metric, age_seconds: int) -> float:
    """Return what a campaign counted when its emails had the ages of the running one's."""
    return mean_count(one.curves[metric], running.emails, age_seconds)

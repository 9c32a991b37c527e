"""Judge whether a campaign counts or sends far less than what is usual for its sender.

Earlier campaigns say what is usual, and how much campaigns differ (hierarchy.py). The evidence of a
shortfall is a sequential one: the ratio of the likelihoods of the count if the campaign were only
a part of a usual one, and if it were usual. What a campaign counts by now contains all that it
counted before, so the ratio is an e-value as in sequential.py, as far as the model is right.
"""

import math
from collections.abc import Iterable, Sequence
from functools import lru_cache

from chalicelib.insight.hierarchy import Component, Count, Rate, levels, next_rate, quantile
from chalicelib.insight.history import LEAST_EXPECTED, Campaign, Metric, Running
from chalicelib.insight.pace import counts_of_earlier

# What a campaign in trouble counts, relative to a usual one: all are equally probable.
_PARTS = (0.5, 0.25, 0.1, 0.02)
_LEAST_PART = 0.7
# A normal distribution in steps of a quarter of its deviation.
_STEPS = tuple(step / 4 for step in range(-24, 25))

FEWEST_SIZES = 10
"""The campaigns from which a usual size is known."""

# Sizes are exact. This variance, of half a percent, keeps the model's weights finite.
_NOISE_OF_SIZES = 0.005**2


def evidence_of_shortfall(
    running: Running, past: Iterable[Campaign], metric: Metric
) -> float | None:
    """Return the evidence that a campaign counts far less than usual, as a natural logarithm.

    It is 0 or less where the count is usual.

    Args:
        running: the campaign.
        past: the earlier campaigns, from history.comparable.
        metric: what to judge.

    Returns:
        None if nothing can be said: there are fewer than 200 deliveries, 5 earlier campaigns that
        have reached the age, or 5 expected opens or clicks.
    """
    reason, counts = counts_of_earlier(running, past, metric)
    if reason:
        return None
    actual = running.campaign.curves[metric].total
    deliveries = running.campaign.deliveries
    usual = next_rate(counts)
    expected = deliveries * sum(one.weight * math.exp(one.mean) for one in usual)
    if expected < LEAST_EXPECTED:
        return None
    if actual >= _LEAST_PART * expected:
        return 0.0
    return _log_ratio(actual, Count(actual, deliveries), usual)


def _log_ratio(actual: int, own: Count, usual: Sequence[Component]) -> float:
    """Return the logarithm of the likelihood of a part of what is usual, relative to all of it.

    The count has a Poisson distribution, whose mean is log-normal.
    """
    means = [
        (
            math.log(one.weight) - step * step / 2,
            math.exp(one.mean + step * one.deviation) * (own.total + 0.5),
        )
        for one in usual
        for step in _STEPS
    ]
    parts = [_log_likelihood(actual, means, part) for part in _PARTS]
    return _log_sum(parts) - math.log(len(_PARTS)) - _log_likelihood(actual, means, 1.0)


def _log_likelihood(actual: int, means: Sequence[tuple[float, float]], part: float) -> float:
    return _log_sum([log + actual * math.log(part * mean) - part * mean for log, mean in means])


def _log_sum(logs: Sequence[float]) -> float:
    highest = max(logs)
    return highest + math.log(sum(math.exp(one - highest) for one in logs))


def least_usual_size(past: Sequence[Campaign], share: float) -> tuple[float, float] | None:
    """Return the size below which a share of the next campaigns is, and the usual one, in emails.

    Args:
        past: the earlier campaigns, from history.comparable.
        share: such as 0.001.

    Returns:
        None if there are fewer than 10 earlier campaigns.
    """
    if len(past) < FEWEST_SIZES:
        return None
    return _least_usual_size(tuple(one.deliveries for one in past), share)


@lru_cache(maxsize=100)  # earlier campaigns change once an hour
def _least_usual_size(sizes: Sequence[int], share: float) -> tuple[float, float]:
    found = levels([Rate(math.log(one), _NOISE_OF_SIZES) for one in sizes])
    components = [
        Component(one.weight, one.mean, math.sqrt(one.variance + one.mean_variance))
        for one in found
    ]
    return math.exp(quantile(components, share)), math.exp(quantile(components, 0.5))

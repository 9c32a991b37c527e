"""Judge whether a campaign counts or sends far less than what is usual for its sender.

Earlier campaigns say what is usual, and how much campaigns differ (hierarchy.py). The evidence of a
shortfall is a sequential one: the ratio of the likelihoods of the count if the campaign were only
a part of a usual one, and if it were usual. What a campaign counts by now contains all that it
counted before, so the ratio is an e-value as in sequential.py, as far as the model is right.
"""

import math
from collections.abc import Iterable, Sequence
from functools import lru_cache
from statistics import median

from chalicelib.insight.hierarchy import Component, Count, Rate, levels, next_rate, quantile
from chalicelib.insight.history import LEAST_EXPECTED, Campaign, Metric, Running
from chalicelib.insight.pace import counts_of_earlier

PARTS = (0.2, 0.05)
"""What a campaign in trouble counts, relative to a usual one; equally probable."""

_USUAL_PART = 0.7
# The hour and the weekday, which the model does not know, make early counts differ, as a deviation
# of the logarithm. After some hours, they do less and less.
_DEVIATION_OF_HOURS = 0.3
_HOURS_SECONDS = 3 * 3600
# A normal distribution in steps of a quarter of its deviation.
_STEPS = tuple(step / 4 for step in range(-24, 25))

FEWEST_SIZES = 10
"""The campaigns from which a usual size is known."""

# Sizes are exact. This variance, of half a percent, keeps the model's weights finite.
_NOISE_OF_SIZES = 0.005**2


def evidence_of_shortfall(
    running: Running, past: Iterable[Campaign], metric: Metric, parts: Sequence[float] = PARTS
) -> float | None:
    """Return the evidence that a campaign counts far less than usual, as a natural logarithm.

    It is 0 or less where the count is usual.

    Args:
        running: the campaign.
        past: the earlier campaigns, from history.comparable.
        metric: what to judge.
        parts: what a campaign in trouble counts, relative to a usual one; equally probable.

    Returns:
        None if nothing can be said: there are fewer than 200 deliveries, 5 earlier campaigns that
        have reached the age, or 5 expected opens or clicks.
    """
    reason, counts = counts_of_earlier(running, past, metric)
    if reason:
        return None
    own = Count(running.campaign.curves[metric].total, running.campaign.deliveries)
    expected = own.total * median((one.count + 0.5) / (one.total + 0.5) for one in counts)
    if expected < LEAST_EXPECTED:
        return None
    if own.count >= _USUAL_PART * expected:
        return 0.0
    hours = _DEVIATION_OF_HOURS * min(1.0, _HOURS_SECONDS / running.oldest_seconds)
    usual = [one._replace(deviation=math.hypot(one.deviation, hours)) for one in next_rate(counts)]
    if_part = _log_sum([_log_likelihood(own, usual, one) for one in parts])
    return if_part - math.log(len(parts)) - _log_likelihood(own, usual, 1.0)


def _log_likelihood(own: Count, usual: Sequence[Component], part: float) -> float:
    """Return the logarithm of the likelihood of a count, without the terms that cancel.

    The count has a Poisson distribution, whose mean is log-normal.
    """
    logs = []
    for one in usual:
        for step in _STEPS:
            log_mean = one.mean + step * one.deviation + math.log(part * (own.total + 0.5))
            log_weight = math.log(one.weight) - step * step / 2
            logs.append(log_weight + own.count * log_mean - math.exp(log_mean))
    return _log_sum(logs)


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

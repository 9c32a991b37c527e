"""What campaigns like the earlier ones will do: a normal model of the logarithms of their rates.

The logarithm of a campaign's rate is normal about its sender's mean with the deviation tau, and is
observed with a noise of known variance, the chance of small counts. The mean has a flat prior,
and a normal slope from each campaign to the next. Tau has a half-Cauchy prior (Gelman, Prior
distributions for variance parameters in hierarchical models, Bayesian Analysis 1, 2006), and is
summed over on a grid. With five campaigns, tau is known badly; a single estimate would make
intervals too narrow.
"""

import math
from collections.abc import Sequence
from statistics import NormalDist, fmean
from typing import NamedTuple

from msgspec import Struct

# Deviations between campaigns of one sender: a factor of 1.01 to one of 20.
_TAUS = tuple(0.01 * 300 ** (step / 17) for step in range(18))
# Deviation of the change of the mean from a campaign to the next: lists tire by a percent or so.
_TREND = 0.01
_PRIOR_SCALE = 0.6  # tuned with bench/pace.py --seeds tune
_NEGLIGIBLE = 1e-4
_HALVINGS = 40
_SHARE_STEP = 1e-12
_ROUNDS = 3
_NEWTON_STEPS = 25
_NORMAL = NormalDist()


class Rate(NamedTuple):
    """The logarithm of a rate, and the variance of its noise."""

    log: float
    noise: float


class Level(NamedTuple):
    """One value of tau.

    Attributes:
        weight: its probability.
        variance: tau squared, of campaigns about their mean.
        mean: the mean of the logarithm of the next campaign.
        mean_variance: the variance of that mean.
    """

    weight: float
    variance: float
    mean: float
    mean_variance: float


class Component(NamedTuple):
    """A normal distribution of a mixture."""

    weight: float
    mean: float
    deviation: float


def levels(rates: Sequence[Rate]) -> list[Level]:
    """Return the probable values of tau, and the mean of the next campaign with each.

    Args:
        rates: those of earlier campaigns, in the order of their start.
    """
    found = [_level(rates, tau) for tau in _TAUS]
    weights = normalized([one.weight for one in found])
    return [
        one._replace(weight=weight)
        for one, weight in zip(found, weights, strict=True)
        if weight > _NEGLIGIBLE
    ]


def _level(rates: Sequence[Rate], tau: float) -> Level:
    """Return the mean of the next campaign for one tau; its weight is a logarithm.

    The weighted regression of the logarithms on the number of campaigns until the next one, with a
    normal prior for the slope (Gelman et al., Bayesian Data Analysis, 2013, 14.8).
    """
    campaigns = list(zip(range(len(rates), 0, -1), rates, strict=True))
    weights = [1 / (tau * tau + one.noise) for one in rates]
    total = sum(weights)
    lag = sum(w * until for w, (until, _) in zip(weights, campaigns, strict=True)) / total
    log = sum(w * one.log for w, one in zip(weights, rates, strict=True)) / total
    lags, product, squares = 1 / _TREND**2, 0.0, 0.0
    for weight, (until, one) in zip(weights, campaigns, strict=True):
        lags += weight * (until - lag) ** 2
        product += weight * (until - lag) * (one.log - log)
        squares += weight * (one.log - log) ** 2
    slope = product / lags
    likelihood = sum(map(math.log, weights)) - math.log(total * lags) - squares + slope * product
    # The grid is geometric, so each of its values stands for a range as wide as itself.
    prior = math.log(tau) - math.log1p((tau / _PRIOR_SCALE) ** 2)
    mean_variance = 1 / total + lag * lag / lags
    return Level(likelihood / 2 + prior, tau * tau, log - slope * lag, mean_variance)


def normalized(logs: Sequence[float]) -> list[float]:
    """Return weights that add up to 1, from their logarithms."""
    highest = max(logs)
    weights = [math.exp(one - highest) for one in logs]
    total = sum(weights)
    return [one / total for one in weights]


def quantile(components: Sequence[Component], share: float, least: float = -math.inf) -> float:
    """Return the point below which a share of a mixture lies.

    Args:
        components: the mixture.
        share: between 0 and 1, both excluded.
        least: the mixture is known to be no less than this.
    """
    total = sum(one.weight for one in components)
    excluded = _below(components, least)
    target = excluded + share * (total - excluded)
    within = min(max(target / total, _SHARE_STEP), 1 - _SHARE_STEP)
    at = [one.mean + one.deviation * _NORMAL.inv_cdf(within) for one in components]
    low, high = min(at), max(at)
    for _ in range(_HALVINGS):
        middle = (low + high) / 2
        if _below(components, middle) < target:
            low = middle
        else:
            high = middle
    return max((low + high) / 2, least)


def _below(components: Sequence[Component], point: float) -> float:
    if point == -math.inf:
        return 0.0
    return sum(one.weight * _NORMAL.cdf((point - one.mean) / one.deviation) for one in components)


class Count(Struct, frozen=True):
    """Emails that were opened or clicked, of those that were delivered."""

    count: float
    deliveries: float

    @property
    def log(self) -> float:
        """The logarithm of the rate, defined for a count of 0, too."""
        return math.log((self.count + 0.5) / (self.total + 0.5))

    @property
    def total(self) -> float:
        """The deliveries; more may be opened than are reported as delivered so far."""
        return max(self.count, self.deliveries)

    def noise(self, log: float) -> float:
        """Return the variance by chance of the logarithm of the rate, if the true one is `log`."""
        expected = math.exp(min(log, 0.0)) * self.total
        return 1 / (expected + 0.5) - 1 / (self.total + 1)


def rates(counts: Sequence[Count]) -> list[Rate]:
    """Return the rates of campaigns, with the noise of their counts.

    The noise is not that of the count itself, with which low counts would weigh less than high ones
    and the mean would be too high, but that of the rate drawn to the mean by its noise.
    """
    logs = [one.log for one in counts]
    mean = fmean(logs)
    drawn = logs
    noise: list[float] = []
    for _ in range(_ROUNDS):
        noise = [one.noise(log) for one, log in zip(counts, drawn, strict=True)]
        squares = sum((log - mean) ** 2 for log in logs) / max(len(logs) - 1, 1)
        between = max(squares - fmean(noise), 0.01 * squares)
        drawn = [
            mean + (log - mean) * between / (between + one) if between else mean
            for log, one in zip(logs, noise, strict=True)
        ]
    return [Rate(*one) for one in zip(logs, noise, strict=True)]


def observed(own: Count, mean: float, variance: float) -> Rate:
    """Return this campaign's rate as a normal observation.

    The observation with which a normal prior has its posterior mode and curvature where a Poisson
    count has them, found by Newton's method.

    Args:
        own: its count.
        mean: the mean of the logarithm before it was counted.
        variance: the variance of that logarithm.
    """
    log = mean
    for _ in range(_NEWTON_STEPS):
        expected = math.exp(log) * own.total
        step = (own.count - expected - (log - mean) / variance) / (expected + 1 / variance)
        log += max(-1.0, min(step, 1.0))
    expected = max(math.exp(log) * own.total, 1e-9)
    # As for a binomial count, the noise vanishes where every delivered email was opened.
    noise = max(1 / expected - 1 / (own.total + 1), 1e-9)
    return Rate(log + (own.count - expected) / expected, noise)


def next_rate(counts: Sequence[Count]) -> list[Component]:
    """Return the distribution of the logarithm of the next campaign's rate, without chance.

    Args:
        counts: those of earlier campaigns, in the order of their start.
    """
    return [
        Component(one.weight, one.mean, math.sqrt(one.variance + one.mean_variance))
        for one in levels(rates(counts))
    ]

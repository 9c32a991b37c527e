"""Distributions of proportions, with the standard library only."""

import math
from functools import lru_cache
from statistics import NormalDist

_TINY = 1e-300
_PRECISION = 1e-14
_MOST_TERMS = 10_000


def beta_cdf(x: float, a: float, b: float) -> float:
    """Return the share of a beta distribution below x, the regularized incomplete beta function.

    A continued fraction (https://dlmf.nist.gov/8.17#v), evaluated by the modified Lentz method.

    Args:
        x: 0 to 1; less counts as 0, more as 1.
        a: the first parameter, above 0.
        b: the second parameter, above 0.
    """
    if x <= 0:
        return 0.0
    if x >= 1:
        return 1.0
    if x > (a + 1) / (a + b + 2):  # where the fraction of the other tail converges faster
        return 1 - beta_cdf(1 - x, b, a)
    logarithm = a * math.log(x) + b * math.log1p(-x) - _log_beta(a, b) - math.log(a)
    return math.exp(logarithm) / _fraction(x, a, b)


@lru_cache(maxsize=1000)
def _log_beta(a: float, b: float) -> float:
    return math.lgamma(a) + math.lgamma(b) - math.lgamma(a + b)


def _fraction(x: float, a: float, b: float) -> float:
    """Return 1 + d1/(1 + d2/(1 + ...)), with the coefficients of DLMF 8.17.22."""
    value, c, d = 1.0, 1.0, 0.0
    for term in range(1, _MOST_TERMS):
        m = term // 2
        if term % 2:
            coefficient = -(a + m) * (a + b + m) * x / ((a + 2 * m) * (a + 2 * m + 1))
        else:
            coefficient = m * (b - m) * x / ((a + 2 * m - 1) * (a + 2 * m))
        d = 1 / _not_zero(1 + coefficient * d)
        c = _not_zero(1 + coefficient / c)
        value *= c * d
        if abs(c * d - 1) < _PRECISION:
            break
    return value


def _not_zero(value: float) -> float:
    return value if abs(value) > _TINY else _TINY


def wilson(count: int, total: int, level: float) -> tuple[float, float]:
    """Return the Wilson score interval of a proportion.

    https://en.wikipedia.org/wiki/Binomial_proportion_confidence_interval#Wilson_score_interval

    Args:
        count: 0 to the total.
        total: above 0.
        level: the confidence, such as 0.95.
    """
    z = normal_quantile((1 + level) / 2)
    rate = count / total
    middle = (rate + z * z / (2 * total)) / (1 + z * z / total)
    half = z * math.sqrt(rate * (1 - rate) / total + (z / (2 * total)) ** 2) / (1 + z * z / total)
    low, high = max(0.0, middle - half), min(1.0, middle + half)
    # Rounding must not exclude the rate itself.
    return min(low, rate), max(high, rate)


@lru_cache(maxsize=100)
def normal_quantile(share: float) -> float:
    """Return the point below which a share of the standard normal distribution lies."""
    return NormalDist().inv_cdf(share)

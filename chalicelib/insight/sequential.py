"""Sequential tests of a rate: valid at each moment, however often one looks.

A test that is right in 95% of cases is right in 95% of cases at one look. Repeated each minute, it
is wrong some time in most campaigns. An e-value has another guarantee: if the hypothesis is true,
the probability that it ever reaches 1/alpha, at any of all looks, is at most alpha (Ville, Étude
critique de la notion de collectif, 1939). It is the ratio of two likelihoods, that of the counts
under a mixture of rates above the line, and that under the line (Robbins, Statistical methods
related to the law of the iterated logarithm, Annals of Mathematical Statistics 41, 1970; Howard,
Ramdas, McAuliffe and Sekhon, Time-uniform, nonparametric, nonasymptotic confidence sequences,
Annals of Statistics 49, 2021; Waudby-Smith and Ramdas, Estimating means of bounded random variables
by betting, Journal of the Royal Statistical Society B 86, 2024).

The hypothesis is that each email is affected with a probability of at most the line, given all
emails before it. It need not be the same for each, nor independent, so bursts that stay below the
line are covered. The e-value is a function of the two counts alone, so it depends neither on the
order of events nor on the looks before. It increases with the count: what is reported late, or
never, makes it lower and never wrong.

Events that take hours until they are reported have another e-value, that of a Poisson process whose
expected count grows with the age of the emails. It suffices that each email has been affected, by
any age, with a probability of at most the expected one: if the event of each email is reported
earlier, the e-value is never lower, and then it is that of exactly this process.

E-values are returned as natural logarithms.
"""

import math
from functools import lru_cache

from chalicelib.insight.distributions import beta_cdf

NONE = 0.0
"""The logarithm of an e-value of 1, which is no evidence."""

# The mean of the mixture of rates above a small line, relative to the line: complaints and bounces
# that endanger an account are some times the line. A rate near 1 has a uniform mixture.
_MEAN_OF_MIXTURE = 2

# Terms of a Poisson distribution farther from its mean than this many deviations are negligible.
_NEGLIGIBLE_DEVIATIONS = 40

# The shares of an alpha: see weight.
_FIRST = 0.25
_SLOWLY = 10


def above(count: int, total: int, line: float) -> float:
    """Return the evidence that a rate is above a line.

    The mixture is a beta distribution with the parameters 1 and b, restricted to rates above the
    line, so its integral is an incomplete beta function.

    Args:
        count: emails that are affected.
        total: emails that may be; less than `count` counts as `count`.
        line: 0 to 1, both excluded.
    """
    total = max(total, count)
    if count <= line * total:
        return NONE
    b = _second_parameter(line)
    a_after, b_after = 1 + count, b + total - count
    mixture = (
        _log_beta(a_after, b_after)
        + math.log1p(-beta_cdf(line, a_after, b_after))
        - _log_beta(1, b)
        - b * math.log1p(-line)
    )
    under_line = count * math.log(line) + (total - count) * math.log1p(-line)
    # Barely above the line, the likelihood under it may be the higher one, which is no evidence.
    return max(NONE, mixture - under_line)


def above_expected(count: int, expected: float) -> float:
    """Return the evidence that more events occur than a process of at most some intensity explains.

    It is the ratio of the likelihoods of a Poisson process. The mixture of intensities, relative to
    the greatest of the hypothesis, is an exponential distribution above 1, so its integral is a
    probability of a Poisson distribution.

    Args:
        count: events so far.
        expected: the greatest number that the hypothesis expects so far.
    """
    if count <= expected:
        return NONE
    rate = 1 / _MEAN_OF_MIXTURE
    scale = rate + expected
    mixture = (
        math.log(rate)
        + rate
        + math.lgamma(count + 1)
        - (count + 1) * math.log(scale)
        + math.log(_poisson_cdf(count, scale))
    )
    return max(NONE, mixture + expected)


def below(count: int, total: int, line: float) -> float:
    """Return the evidence that a rate is below a line: that the rate of the others is above it."""
    return above(max(0, total - count), total, 1 - line)


def needed(alpha: float) -> float:
    """Return the evidence at which a hypothesis is rejected.

    Args:
        alpha: the probability, over all looks, of rejecting one that is true.
    """
    return -math.log(alpha)


def weight(number: int) -> float:
    """Return the share of an alpha for the test with a number, from 0 on, of any number of tests.

    The first has a quarter of it. The shares of the others, 1/15, 1/18, 1/21, …, add up to the
    rest, and fall slowly, because there are tens of them while a campaign is sent for an hour.
    """
    if number == 0:
        return _FIRST
    return (1 - _FIRST) * _SLOWLY / ((number + _SLOWLY - 1) * (number + _SLOWLY))


@lru_cache(maxsize=100)
def _second_parameter(line: float) -> float:
    return max(1.0, 1 / (_MEAN_OF_MIXTURE * line))


def _poisson_cdf(count: int, mean: float) -> float:
    """Return the probability of a count of at most this, which is not much below the mean."""
    far = _NEGLIGIBLE_DEVIATIONS * (1 + math.sqrt(mean))
    terms = range(max(0, math.floor(mean - far)), min(count, math.ceil(mean + far)) + 1)
    log = math.log(mean)
    return math.fsum(math.exp(one * log - mean - math.lgamma(one + 1)) for one in terms)


def _log_beta(a: float, b: float) -> float:
    return math.lgamma(a) + math.lgamma(b) - math.lgamma(a + b)

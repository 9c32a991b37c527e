"""Compare two to six variants of a campaign, or campaigns, by a rate of their deliveries.

The counts must be of unique emails, and of the same age: an email that was sent an hour later has
had an hour less to be clicked.
"""

import math
from collections.abc import Sequence
from itertools import combinations, pairwise
from typing import Literal, NamedTuple

from msgspec import Struct

from chalicelib.insight.distributions import beta_cdf, wilson

FEWEST, MOST = 2, 6
LEAST_DELIVERIES = 200
SURE = 0.99
"""The probability of being the best from which a variant is called the best.

Above the customary 95%, because pages are looked at again and again: see docs/pace.md.
"""

LEVEL = 0.95
_DEVIATIONS = 9  # of a posterior; what is outside is below 1e-15
_STEPS = 120


class Variant(Struct, frozen=True):
    """Emails that were delivered, and how many of them were opened or clicked."""

    name: str
    deliveries: int
    count: int

    @property
    def rate(self) -> float:
        """The rate; 0 without deliveries."""
        return self.count / self.deliveries if self.deliveries else 0.0


class Difference(NamedTuple):
    """The rate of a minus the rate of b, with an interval that holds for all pairs at once."""

    a: str
    b: str
    difference: float
    low: float
    high: float


Verdict = Literal["too_few", "too_early", "decided"]


class Judgement(NamedTuple):
    """Which variant is best.

    Attributes:
        verdict: `too_few` if a variant has fewer than 200 deliveries, `too_early` if none is the
            best with a probability of SURE.
        best: the variant that is most probably the best; the first of several.
        probabilities: that each variant is the best, in their order; empty if there are too few
            deliveries.
    """

    verdict: Verdict
    best: str
    probabilities: tuple[float, ...]


def judge(variants: Sequence[Variant]) -> Judgement:
    """Return which of the variants is best, or that it is too early to tell.

    Raises:
        ValueError: there are fewer than two variants, or more than six.
    """
    _check(variants)
    if min(one.deliveries for one in variants) < LEAST_DELIVERIES:
        best = max(variants, key=lambda one: one.rate)
        return Judgement("too_few", best.name, ())
    probabilities = probabilities_best(variants)
    highest = max(probabilities)
    verdict: Verdict = "decided" if highest >= SURE else "too_early"
    best = variants[probabilities.index(highest)]
    return Judgement(verdict, best.name, tuple(probabilities))


def probabilities_best(variants: Sequence[Variant]) -> list[float]:
    """Return the probability of each variant that its true rate is the highest.

    The rates have uniform priors, so that the posterior of a variant is Beta(count + 1, deliveries
    - count + 1). The probability that i is the best is the integral of the product of the others'
    distribution functions over the distribution of i. For two variants this is the closed form of
    https://www.evanmiller.org/bayesian-ab-testing.html, whose sum would have as many terms as there
    are clicks.
    """
    posteriors = [(one.count + 1, max(one.deliveries - one.count, 0) + 1) for one in variants]
    grid = sorted({x for a, b in posteriors for x in _support(a, b)})
    functions = [[beta_cdf(x, a, b) for x in grid] for a, b in posteriors]
    integrals = []
    for number, own in enumerate(functions):
        others = [
            math.prod(values)
            for values in zip(*functions[:number], *functions[number + 1 :], strict=True)
        ]
        integrals.append(
            sum(
                (after - before) * (left + right) / 2
                for (before, after), (left, right) in zip(
                    pairwise(own), pairwise(others), strict=True
                )
            )
        )
    total = sum(integrals)
    return [one / total for one in integrals]


def _support(a: float, b: float) -> list[float]:
    """Return points that cover a beta distribution."""
    mean = a / (a + b)
    deviation = math.sqrt(mean * (1 - mean) / (a + b + 1))
    low, high = max(0.0, mean - _DEVIATIONS * deviation), min(1.0, mean + _DEVIATIONS * deviation)
    return [low + (high - low) * step / _STEPS for step in range(_STEPS + 1)]


def differences(variants: Sequence[Variant], level: float = LEVEL) -> list[Difference]:
    """Return the differences of all pairs with deliveries, each with its interval.

    Newcombe's hybrid score interval (method 10 in Interval estimation for the difference between
    independent proportions, Statistics in Medicine 17, 1998), with Bonferroni's correction: with
    the probability `level`, all intervals hold at once. For campaigns, the interval has the chance
    of the draw only, not what else differs, such as the audience or the weekday.

    Raises:
        ValueError: there are fewer than two variants, or more than six.
    """
    _check(variants)
    pairs = [(a, b) for a, b in combinations(variants, 2) if a.deliveries > 0 and b.deliveries > 0]
    return [_difference(a, b, 1 - (1 - level) / len(pairs)) for a, b in pairs]


def _difference(a: Variant, b: Variant, level: float) -> Difference:
    # A late delivery may be reported after its open.
    low_a, high_a = wilson(min(a.count, a.deliveries), a.deliveries, level)
    low_b, high_b = wilson(min(b.count, b.deliveries), b.deliveries, level)
    rate_a, rate_b = min(a.rate, 1.0), min(b.rate, 1.0)
    difference = rate_a - rate_b
    return Difference(
        a.name,
        b.name,
        difference,
        difference - math.hypot(rate_a - low_a, high_b - rate_b),
        difference + math.hypot(high_a - rate_a, rate_b - low_b),
    )


def _check(variants: Sequence[Variant]) -> None:
    if not FEWEST <= len(variants) <= MOST:
        raise ValueError(f"compare {FEWEST} to {MOST} variants, not {len(variants)}")

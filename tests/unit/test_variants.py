"""Which of several variants is best, and how much their rates differ."""

import math
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.insight.distributions import beta_cdf, wilson
from chalicelib.insight.variants import Variant, differences, judge, probabilities_best


@st.composite
def variants(draw, least=0):
    deliveries = draw(st.integers(max(least, 1), 20_000))
    return Variant(draw(st.text("ab", min_size=1)), deliveries, draw(st.integers(0, deliveries)))


def closed_form(a, b):
    """The probability that b is better, as the sum of evanmiller.org/bayesian-ab-testing.html."""
    a1, b1 = a.count + 1, a.deliveries - a.count + 1
    a2, b2 = b.count + 1, b.deliveries - b.count + 1

    def log_beta(x, y):
        return math.lgamma(x) + math.lgamma(y) - math.lgamma(x + y)

    return sum(
        math.exp(
            log_beta(a1 + i, b1 + b2) - math.log(b2 + i) - log_beta(1 + i, b2) - log_beta(a1, b1)
        )
        for i in range(a2)
    )


def simulated(some, draws, seed=1):
    rng = Random(seed)
    wins = [0] * len(some)
    for _ in range(draws):
        rates = [rng.betavariate(one.count + 1, one.deliveries - one.count + 1) for one in some]
        wins[rates.index(max(rates))] += 1
    return [one / draws for one in wins]


@pytest.mark.parametrize(
    ("x", "a", "b", "share"),
    [
        pytest.param(0.3, 1, 1, 0.3, id="uniform"),
        pytest.param(0.5, 7, 7, 0.5, id="symmetric"),
        pytest.param(0.2, 1, 4, 1 - 0.8**4, id="one of four"),
        pytest.param(0.9, 3, 1, 0.9**3, id="all of three"),
        pytest.param(-1, 2, 2, 0, id="below"),
        pytest.param(2, 2, 2, 1, id="above"),
    ],
)
def test_the_beta_distribution_has_its_known_values(x, a, b, share):
    assert beta_cdf(x, a, b) == pytest.approx(share)


@given(st.integers(1, 60), st.integers(0, 60), st.floats(0.01, 0.99))
def test_the_beta_distribution_is_the_tail_of_the_binomial(successes, failures, x):
    total = successes + failures
    tail = sum(
        math.comb(total, k) * x**k * (1 - x) ** (total - k) for k in range(successes, total + 1)
    )
    assert beta_cdf(x, successes, failures + 1) == pytest.approx(tail, abs=1e-9)


def test_the_wilson_interval_has_the_published_values():
    """Newcombe, Two-sided confidence intervals for the single proportion, 1998, table I."""
    assert wilson(81, 263, 0.95) == pytest.approx((0.2553, 0.3662), abs=5e-5)
    assert wilson(0, 20, 0.95) == pytest.approx((0, 0.1611), abs=5e-5)


@given(variants(), st.sampled_from([0.8, 0.95, 0.99]))
def test_an_interval_contains_the_rate(one, level):
    low, high = wilson(one.count, one.deliveries, level)
    assert 0 <= low <= one.rate <= high <= 1


@pytest.mark.parametrize(
    "counts",
    [
        pytest.param([(1000, 50), (1000, 65)], id="similar"),
        pytest.param([(200, 0), (200, 3)], id="few clicks"),
        pytest.param([(300, 30), (20_000, 1900)], id="one is much smaller"),
        pytest.param([(500, 500), (500, 499)], id="nearly all"),
    ],
)
def test_the_better_of_two_has_the_probability_of_the_closed_form(counts):
    a, b = (Variant("", *one) for one in counts)
    assert probabilities_best([a, b])[1] == pytest.approx(closed_form(a, b), abs=1e-3)


def test_the_best_of_four_has_the_probability_of_the_simulation():
    some = [Variant("", 2000, clicks) for clicks in (40, 52, 48, 30)]
    assert probabilities_best(some) == pytest.approx(simulated(some, 40_000), abs=0.01)


@given(st.lists(variants(), min_size=2, max_size=6))
def test_the_probabilities_add_up_to_one(some):
    found = probabilities_best(some)
    assert sum(found) == pytest.approx(1)
    assert min(found) >= 0


@given(st.lists(variants(), min_size=2, max_size=6), st.randoms())
def test_the_order_of_the_variants_does_not_matter(some, rng):
    order = rng.sample(range(len(some)), len(some))
    found = probabilities_best(some)
    assert probabilities_best([some[one] for one in order]) == pytest.approx(
        [found[one] for one in order], abs=1e-9
    )


@given(variants(), st.integers(1, 100))
def test_more_clicks_never_make_a_variant_less_probable(one, more):
    other = Variant("b", 5000, 100)
    clicked = Variant("a", one.deliveries + more, one.count)
    better = Variant("a", one.deliveries + more, one.count + more)
    assert probabilities_best([better, other])[0] >= probabilities_best([clicked, other])[0] - 1e-6


def test_equal_variants_are_too_early_to_tell():
    found = judge([Variant("a", 5000, 100), Variant("b", 5000, 100)])
    assert found.verdict == "too_early"
    assert found.probabilities == pytest.approx((0.5, 0.5))


def test_a_clear_difference_is_decided():
    found = judge([Variant("a", 5000, 100), Variant("b", 5000, 160)])
    assert (found.verdict, found.best) == ("decided", "b")


def test_a_variant_of_fewer_than_200_deliveries_is_not_judged():
    found = judge([Variant("a", 199, 0), Variant("b", 5000, 4000)])
    assert (found.verdict, found.probabilities) == ("too_few", ())


@pytest.mark.parametrize("number", [1, 7])
@pytest.mark.parametrize("compare", [judge, differences])
def test_other_than_two_to_six_variants_are_rejected(compare, number):
    with pytest.raises(ValueError, match=f"compare 2 to 6 variants, not {number}"):
        compare([Variant("a", 500, 5)] * number)


def test_the_difference_of_two_has_the_published_interval():
    """Newcombe, Interval estimation for the difference …, 1998, table II, method 10, (a), (e)."""
    [found] = differences([Variant("a", 70, 56), Variant("b", 80, 48)])
    assert found[2:] == pytest.approx((0.2, 0.0524, 0.3339), abs=5e-5)
    [found] = differences([Variant("a", 10, 10), Variant("b", 20, 0)])
    assert found[2:] == pytest.approx((1, 0.6791, 1), abs=5e-5)


@given(st.lists(variants(), min_size=2, max_size=6))
def test_the_interval_of_a_difference_contains_it(some):
    for one in differences(some):
        assert -1 - 1e-9 <= one.low <= one.difference <= one.high <= 1 + 1e-9


def test_intervals_become_wider_with_the_number_of_variants():
    """All of them hold at once, so each has to hold with a higher probability."""
    two = [Variant("a", 1000, 50), Variant("b", 1000, 70)]
    six = [*two, *(Variant(name, 1000, 60) for name in "cdef")]
    assert len(differences(six)) == 15
    assert differences(six)[0].low < differences(two)[0].low


def test_all_intervals_hold_at_once_as_often_as_they_claim():
    rng = Random(7)
    rates = (0.02, 0.03, 0.05)
    held = 0
    for _ in range(400):
        some = [
            Variant(str(rate), 400, sum(rng.random() < rate for _ in range(400))) for rate in rates
        ]
        held += all(one.low <= float(one.a) - float(one.b) <= one.high for one in differences(some))
    assert held / 400 >= 0.93  # 95%, less two standard errors


def test_variants_without_deliveries_have_no_differences():
    assert differences([Variant("a", 0, 0), Variant("b", 10, 1)]) == []


def test_opens_that_are_reported_before_their_deliveries_do_not_fail():
    [found] = differences([Variant("a", 10, 12), Variant("b", 10, 5)])
    assert found.difference == 0.5

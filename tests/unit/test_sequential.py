"""Sequential tests of a rate: how often they err, and what they find."""

import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chalicelib.insight.sequential import NONE, above, above_expected, below, needed, weight

LINES = (0.001, 0.01, 0.05, 0.5)
counts = st.tuples(st.integers(0, 300), st.integers(0, 5000)).map(
    lambda pair: (min(pair), max(pair))
)


def probability_of_alarm(rates, line, alpha):
    """Return the exact probability that the evidence is enough after any of the emails.

    Args:
        rates: the probability of each email that it is affected, in order.
    """
    silent, alarm = {0: 1.0}, 0.0
    for total, rate in enumerate(rates, start=1):
        after = {}
        for count, probability in silent.items():
            for one, share in ((count + 1, rate), (count, 1 - rate)):
                if above(one, total, line) >= needed(alpha):
                    alarm += probability * share
                else:
                    after[one] = after.get(one, 0.0) + probability * share
        silent = after
    return alarm


@pytest.mark.parametrize("line", [0.05, 0.5])
@pytest.mark.parametrize("alpha", [0.1, 0.01])
def test_a_rate_on_the_line_is_rejected_at_any_look_with_at_most_alpha(line, alpha):
    assert 0 < probability_of_alarm([line] * 150, line, alpha) <= alpha


@settings(max_examples=20)
@given(st.lists(st.floats(0, 0.2), min_size=1, max_size=60), st.sampled_from([0.2, 0.1, 0.05]))
def test_rates_that_vary_below_the_line_are_rejected_no_more_often(rates, alpha):
    assert probability_of_alarm(rates, 0.2, alpha) <= alpha


def test_a_test_of_95_percent_that_is_repeated_errs_far_more_often():
    """The reason for e-values: the same stream, looked at after each email."""
    once = 0.05
    silent, alarm = {0: 1.0}, 0.0
    for total in range(1, 151):
        after = {}
        for count, probability in silent.items():
            for one in (count, count + 1):
                z = (one - total / 2) / math.sqrt(total / 4)
                if z > 1.645 and total >= 10:
                    alarm += probability / 2
                else:
                    after[one] = after.get(one, 0.0) + probability / 2
        silent = after
    assert alarm > 4 * once


@pytest.mark.parametrize("line", LINES)
@given(counts)
def test_one_more_affected_email_is_never_less_evidence(line, pair):
    count, total = pair
    assert above(count + 1, total + 1, line) >= above(count, total + 1, line) - 1e-9


@pytest.mark.parametrize("line", LINES)
@given(counts)
def test_one_more_email_that_is_not_affected_is_never_more_evidence(line, pair):
    count, total = pair
    assert above(count, total + 1, line) <= above(count, total, line) + 1e-9


@pytest.mark.parametrize("line", LINES)
@pytest.mark.parametrize("total", [0, 1, 100, 1_000_000])
def test_a_rate_up_to_the_line_is_no_evidence(line, total):
    assert above(math.floor(line * total), total, line) == NONE


def test_more_affected_emails_than_emails_count_as_all_of_them():
    """A complaint may be counted before its delivery."""
    assert above(7, 3, 0.01) == above(7, 7, 0.01)


def test_evidence_is_that_of_the_integral_over_the_mixture():
    """The closed form, compared with a sum over rates above the line."""
    count, total, line, b = 9, 100, 0.05, 10
    steps = 20_000
    width = (1 - line) / steps
    rates = [line + (step + 0.5) * width for step in range(steps)]
    weights = [(1 - rate) ** (b - 1) for rate in rates]
    ratios = [
        (rate / line) ** count * ((1 - rate) / (1 - line)) ** (total - count) for rate in rates
    ]
    expected = sum(map(math.prod, zip(weights, ratios, strict=True))) / sum(weights)
    assert above(count, total, line) == pytest.approx(math.log(expected), abs=1e-3)


@pytest.mark.parametrize("alpha", [0.1, 0.01])
@pytest.mark.parametrize("step", [0.02, 0.5])
def test_a_process_with_the_expected_count_is_rejected_with_at_most_alpha(step, alpha):
    """At any look: the exact probability, with the events between two looks."""
    silent, alarm = {0: 1.0}, 0.0
    between = [math.exp(-step) * step**one / math.factorial(one) for one in range(20)]
    for look in range(1, 201):
        after = {}
        for count, probability in silent.items():
            for more, share in enumerate(between):
                if above_expected(count + more, look * step) >= needed(alpha):
                    alarm += probability * share
                else:
                    after[count + more] = after.get(count + more, 0.0) + probability * share
        silent = after
    assert 0 < alarm <= alpha


def test_evidence_of_a_process_is_that_of_the_integral_over_the_mixture():
    """The closed form, compared with a sum over intensities above the expected one."""
    count, expected = 11, 3.5
    width = 0.001
    excess = [(step + 0.5) * width for step in range(60_000)]
    ratios = [(1 + one) ** count * math.exp(-one * expected) * math.exp(-one / 2) for one in excess]
    assert above_expected(count, expected) == pytest.approx(
        math.log(sum(ratios) * width / 2), abs=1e-3
    )


@given(st.integers(0, 3000), st.floats(0, 2000))
def test_evidence_of_a_process_grows_with_its_count_and_falls_with_the_expected_one(count, most):
    found = above_expected(count, most)
    assert 0 <= found < math.inf
    assert above_expected(count + 1, most) >= found - 1e-9
    assert above_expected(count, most + 1) <= found + 1e-9
    if count <= most:
        assert found == NONE


@pytest.mark.parametrize("expected", [0.001, 100, 1_000_000])
def test_large_counts_of_a_process_are_finite(expected):
    assert 0 < above_expected(math.ceil(expected * 1.5) + 5, expected) < math.inf
    assert 0 < above_expected(1_000_000 + 3 * math.ceil(expected), expected) < math.inf


def test_below_is_the_evidence_that_the_others_are_above():
    assert below(3, 100, 0.1) == above(97, 100, 0.9)
    assert below(20, 100, 0.1) == NONE


@pytest.mark.parametrize("total", [100_000, 10_000_000])
def test_large_counts_are_finite(total):
    for line in LINES:
        assert 0 < above(round(total * line * 1.5), total, line) < math.inf
        assert above(total, total, line) < math.inf


def test_the_shares_of_all_tests_add_up_to_one_at_most():
    assert math.fsum(weight(number) for number in range(10_000)) == pytest.approx(1, abs=1e-3)
    assert needed(0.001 * weight(0)) < needed(0.001 * weight(1))

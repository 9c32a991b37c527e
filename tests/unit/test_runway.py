"""How many more bounces and complaints bring an account to SES's lines."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.insight.runway import SentDay, remaining, runway


def days(count, sends=1000, bounces=10, complaints=0, accountable=None):
    return [SentDay(sends, bounces, complaints, accountable)] * count


@given(st.floats(0, 0.0999), st.integers(1, 10**7))
def test_the_last_of_the_remaining_events_reaches_the_line(rate, volume):
    line = 0.1
    more = remaining(rate, line, volume)

    assert (rate * volume + more) / volume >= line - 1e-6
    assert more == 0 or (rate * volume + more - 1) / volume < line + 1e-6


def test_a_known_volume_gives_the_exact_number():
    # 59 complaints of 100,000 emails: the hundredth is the line.
    assert remaining(0.00059, 0.001, 100_000) == 41


def test_all_windows_that_have_the_rate_of_ses_are_plausible():
    found = runway("bounces", 0.01, days(60))

    assert (found.line, found.is_matched) == (0.05, True)
    assert (found.low, found.high) == (280, 2400), "from 7,000 to 60,000 emails"
    assert found.low < found.remaining < found.high


def test_windows_with_another_rate_are_not_plausible():
    # The last ten days had 4% bounces, and the earlier ones none.
    sent = [*days(10, bounces=40), *days(50, bounces=0)]

    found = runway("bounces", 0.01, sent)

    assert found.is_matched
    # 400 bounces are 1% of 40,000 emails, 10% more or less.
    assert found.low >= math.ceil(0.04 * 36_000)
    assert found.high <= math.ceil(0.04 * 45_000)


def test_without_a_plausible_window_all_are_used_and_the_result_says_so():
    found = runway("bounces", 0.03, days(60, bounces=0))

    assert not found.is_matched
    assert (found.low, found.high) == (140, 1200)


def test_above_the_first_line_the_second_one_is_next():
    assert runway("bounces", 0.05, days(60, bounces=50)).line == 0.10
    assert runway("complaints", 0.001, days(60, complaints=1)).line == 0.005


@pytest.mark.parametrize(("kind", "rate"), [("bounces", 0.10), ("complaints", 0.006)])
def test_above_both_lines_nothing_remains_to_be_estimated(kind, rate):
    found = runway(kind, rate, days(60))

    assert (found.line, found.remaining) == (None, None)


def test_without_emails_nothing_is_estimated():
    assert runway("bounces", 0.01, days(60, sends=0, bounces=0)).remaining is None
    assert runway("bounces", 0.01, []).remaining is None


def test_the_rate_of_complaints_shows_how_many_emails_count():
    """Half of the emails are to providers that report complaints: SES's rate is twice ours."""
    found = runway("complaints", 0.0004, days(60, sends=10_000, complaints=2))

    assert found.is_matched
    # 5,000 emails of each day count.
    assert (found.low, found.high) == (math.ceil(0.0006 * 35_000), math.ceil(0.0006 * 300_000))


def test_vdm_knows_how_many_emails_count_for_complaints():
    found = runway("complaints", 0.0, days(7, sends=10_000, accountable=4000))

    assert (found.remaining, found.is_most) == (28, False)


def test_without_complaints_the_number_is_an_upper_bound():
    found = runway("complaints", 0.0, days(7, sends=10_000))

    assert (found.remaining, found.is_most) == (70, True)


def test_a_window_has_at_least_a_week_if_there_is_one():
    sent = [SentDay(100, 1, 0), *days(59)]

    assert runway("bounces", 0.01, sent).low == math.ceil(0.04 * 6100)
    assert runway("bounces", 0.01, sent[:2]).low == math.ceil(0.04 * 1100)

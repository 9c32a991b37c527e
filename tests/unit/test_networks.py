"""What the networks of a campaign show about the emails that were clicked from them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.facts.networks import Bits, Evidence, Reputation, may_change, reputation

NONE = Bits()
SEEN = Bits(seen=True)
QUIET = Bits(seen=True, quiet=True)
SURE = Bits(seen=True, sure=True)
BOTH = Bits(seen=True, quiet=True, sure=True)

emails = st.lists(st.sampled_from([NONE, SEEN, QUIET, SURE, BOTH]), max_size=12)


def evidence(found):
    total = Evidence()
    for bits in found:
        total = total.plus(bits)
    return total


def reputations(found):
    """Return the reputation that each of some emails sees."""
    total = evidence(found)
    return [reputation(total.without(bits)) for bits in found]


@pytest.mark.parametrize(
    ("quiet", "seen", "is_quiet"),
    [(4, 4, False), (5, 5, True), (5, 6, True), (5, 7, False), (4, 5, True), (0, 0, False)],
)
def test_a_network_is_quiet_if_there_are_five_and_80_percent_of_the_other_emails_are(
    quiet, seen, is_quiet
):
    assert reputation(Evidence(seen, quiet=quiet)).is_quiet is is_quiet


@pytest.mark.parametrize(
    ("sure", "seen", "is_scanner"),
    [(0, 0, False), (0, 1, False), (1, 1, True), (1, 2, True), (1, 3, False), (2, 3, True)],
)
def test_a_network_is_scanner_if_half_of_the_other_emails_have_a_bots_click(sure, seen, is_scanner):
    assert reputation(Evidence(seen, sure=sure)).is_scanner is is_scanner


def test_a_network_without_other_emails_has_no_reputation():
    assert reputation(Evidence()) == Reputation()
    assert reputations([BOTH]) == [Reputation()]


def test_an_email_that_is_not_counted_yet_sees_no_reputation_of_its_own():
    assert reputation(Evidence().without(BOTH)) == Reputation()


@given(emails, st.sampled_from([NONE, SEEN, QUIET, SURE, BOTH]))
def test_an_email_sees_the_evidence_of_the_others(others, own):
    assert evidence([*others, own]).without(own) == evidence(others)


@given(emails, st.randoms())
def test_the_order_of_emails_does_not_matter(found, rng):
    assert evidence(rng.sample(found, len(found))) == evidence(found)


@given(emails, st.data())
def test_reputations_change_only_if_may_change_says_so(found, data):
    number = data.draw(st.integers(0, len(found)))
    replaced = data.draw(st.sampled_from([NONE, SEEN, QUIET, SURE, BOTH]))
    before = [*found[:number], NONE, *found[number:]]
    after = [*found[:number], replaced, *found[number:]]

    if not may_change(evidence(before), evidence(after)):
        theirs = [index for index in range(len(before)) if index != number]
        assert [reputations(before)[one] for one in theirs] == [
            reputations(after)[one] for one in theirs
        ]


@given(emails, emails, st.sampled_from([NONE, SEEN, QUIET, SURE, BOTH]))
def test_reputations_stay_however_many_emails_change_unless_may_change(before, after, own):
    """Also for an email whose own bits are not counted yet."""
    if not may_change(evidence(before), evidence(after)):
        assert reputation(evidence(before).without(own)) == reputation(evidence(after).without(own))


@pytest.mark.parametrize(
    ("before", "after", "may"),
    [
        ([], [SURE], True),
        ([], [SEEN], False),
        ([QUIET] * 4, [QUIET] * 5, True),  # an email that is not counted yet sees five
        ([QUIET] * 5, [QUIET] * 6, True),  # each of them sees five
        ([QUIET] * 6, [QUIET] * 7, False),
        ([SURE] * 100, [*[SURE] * 100, SEEN], False),
        ([SURE] * 100, [*[SURE] * 100, *[SEEN] * 100], True),
    ],
)
def test_a_change_matters_if_some_email_sees_another_reputation(before, after, may):
    assert may_change(evidence(before), evidence(after)) is may
    assert may_change(evidence(after), evidence(before)) is may

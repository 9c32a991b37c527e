"""The unique opens and clicks of a message, and their classes, from all of its facts."""

from itertools import permutations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace
from support import ses
from support.rules import NEWER, OLDER, Rules

from chalicelib.facts.classify import classify
from chalicelib.facts.fact import FactSettings, facts_of
from chalicelib.facts.items import from_item, to_item
from chalicelib.facts.networks import Evidence
from chalicelib.facts.settle import judged_alone, next_rank, settle
from chalicelib.ses.parse import parse


def facts(*events):
    return [
        judged_alone(fact)
        for event in events
        for fact in facts_of(parse(ses.raw(event), campaign_tag="campaign"), FactSettings("key"))
    ]


def at(second):
    return f"2026-11-23T10:05:{second:06.3f}Z"


def bots(settlement):
    return {(fact.type, fact.at) for fact in settlement.facts if fact.engager == "machine"}


def test_only_the_first_open_and_click_are_unique():
    state = settle(
        facts(
            ses.an_open(at=at(9)),
            ses.an_open(at=at(5), agent=ses.APPLE_MAIL_PRIVACY),
            ses.a_click(at=at(30)),
            ses.a_click(at=at(20)),
        ),
        None,
    ).state

    assert (state.opened_at, state.human_opened_at) == (at(5), at(9))
    assert (state.clicked_at, state.human_clicked_at) == (at(20), at(20))
    assert list(state.links.values()) == [at(20)]


def test_a_recipient_bounces_once_however_many_reports_name_it():
    reports = [
        ses.a_bounce(to=["Ada <ada@example.com>"], at=at(9), feedback="f-1"),
        ses.a_bounce(to=["ADA@example.com"], at=at(5), feedback="f-2", subtype="NoEmail"),
        ses.a_bounce(to=["bob@example.com"], at=at(7), feedback="f-3"),
    ]

    state = settle(facts(*reports), None).state

    assert sorted(state.bounces.values()) == [
        f"{at(5)}#Permanent#NoEmail",
        f"{at(7)}#Permanent#General",
    ]


def test_a_message_has_one_complaint_of_each_kind_the_earliest():
    complaints = [
        ses.a_complaint(at=at(9)),
        ses.a_complaint(at=at(5), to=["bob@example.com", "cyd@example.com"]),
        ses.a_complaint(at=at(7), feedback_type="not-spam"),
        ses.a_complaint(at=at(8), feedback_type=None, subtype="OnTenantSuppressionList"),
    ]

    state = settle(facts(*complaints), None).state

    assert state.complaints == {
        "complaints": at(5),
        "complaints_not_spam": at(7),
        "complaints_prevented": at(8),
    }


def test_a_click_proves_a_reader_even_on_an_unsubscribe_link():
    click = ses.a_click(link="https://example.com/unsubscribe/x", at=at(5))

    state = settle(facts(click), None).state

    assert (state.human_engaged_at, state.human_clicked_at) == (at(5), None)


def test_soft_bounces_leave_no_state():
    assert settle(facts(ses.a_bounce(kind="Transient")), None).state is None


def test_a_class_that_depends_on_another_event_is_stored():
    found = facts(ses.a_click(at=at(20)), ses.a_click(at=at(20.1), link="https://example.com/2"))

    assert bots(settle(found, None)) == {("Click", at(20)), ("Click", at(20.1))}


def test_an_open_that_arrives_late_makes_an_early_click_human():
    events = [
        ses.a_click(at="2026-11-23T10:00:40.000Z"),
        ses.an_open(at="2026-11-23T10:00:20.000Z", agent=ses.GMAIL_PROXY),
    ]
    click, open_ = facts(*events)

    [changed] = settle([click, open_], None).facts

    assert (click.engager, changed.key, changed.engager) == ("machine", click.key, "human")


def test_a_message_without_opens_and_clicks_has_no_state():
    assert settle(facts(ses.a_send(), ses.a_delivery()), None).state is None


def test_settling_the_same_facts_again_changes_nothing():
    found = facts(ses.an_open(), ses.a_click())
    state = settle(found, None).state

    again = settle(found, state)

    assert (again.facts, again.state) == ([], None)


def test_a_state_that_changes_has_a_higher_rank_than_the_one_that_was_read():
    found = facts(ses.an_open(at=at(1)), ses.an_open(at=at(2)))
    state = settle(found[1:], None).state

    changed = settle(found, state).state

    assert changed.opened_at == at(1)
    assert (state.settled, changed.settled) == (next_rank(), next_rank() + 1)


def test_a_class_that_changes_has_a_higher_rank_than_the_one_that_was_read():
    """By it, lists know the newest of several entries of one fact."""
    click, open_ = facts(
        ses.a_click(at="2026-11-23T10:00:40.000Z"),
        ses.an_open(at="2026-11-23T10:00:20.000Z", agent=ses.GMAIL_PROXY),
    )

    [human] = settle([click, open_], None).facts
    [bot] = settle([human], None).facts

    assert [one.engager for one in (click, human, bot)] == ["machine", "human", "machine"]
    assert [one.settled for one in (click, human, bot)] == [next_rank() + n for n in range(3)]


def test_another_open_that_changes_no_result_costs_no_write():
    found = facts(ses.an_open(at=at(1)), ses.an_open(at=at(2)))
    state = settle(found[:1], None).state

    again = settle(found, state)

    assert (again.facts, again.state) == ([], None)


def test_evidence_changes_classes_but_not_what_the_email_shows():
    found = facts(ses.a_click(at="2026-11-23T11:00:00.000Z", address="203.0.113.9"))
    alone = settle(found, None).state
    [network] = alone.networks

    settled = settle(found, alone, evidence={network: Evidence(seen=3, quiet=3, sure=2)})

    assert bots(settled) == {("Click", "2026-11-23T11:00:00.000Z")}
    assert alone.networks == settled.state.networks == {network: "sq"}


def test_the_evidence_of_an_email_itself_changes_none_of_its_classes():
    found = facts(
        ses.a_click(at="2026-11-23T10:00:30.000Z", address="203.0.113.9"),
        ses.a_click(at="2026-11-23T11:00:00.000Z", address="203.0.113.9"),
    )
    [network] = settle(found, None).state.networks

    settled = settle(found, None, evidence={network: Evidence(seen=1, quiet=1, sure=1)})

    assert settled == settle(found, None)


def test_a_state_has_the_networks_of_clicks_and_of_opens_by_browsers():
    found = facts(
        ses.an_open(address="203.0.113.9"),
        ses.an_open(address="203.0.114.9", agent=ses.GMAIL_PROXY, at=at(1)),
        ses.a_click(address="203.0.115.9", at=at(2)),
        ses.a_click(address="203.0.116.9", at="2026-11-23T10:00:01.000Z"),
    )

    assert sorted(settle(found, None).state.networks.values()) == ["-", "s", "sqb"]


def test_a_state_has_the_tags_of_its_facts_whichever_is_first():
    first, second, third = facts(ses.an_open(), ses.a_click(), ses.a_bounce())
    some = [
        first,
        replace(second, tags={"variant": "b", "region": "eu"}),
        replace(third, tags={"variant": "a"}),
    ]

    for order in permutations(some):
        assert settle(order, None).state.tags == {"variant": "a", "region": "eu"}


def test_a_state_of_an_earlier_release_gets_the_tags_of_its_facts():
    [fact] = facts(ses.an_open())
    state = settle([replace(fact, tags={"variant": "b"})], None).state

    upgraded = settle([replace(fact, tags={"variant": "b"})], replace(state, tags={})).state

    assert upgraded == replace(state, settled=state.settled + 1)


def test_a_stored_state_is_read_unchanged():
    state = settle(facts(ses.an_open(agent=None), ses.a_click()), None).state

    assert from_item(to_item(state, expires=1)) == state


def test_newer_rules_confirm_a_class_with_their_rank():
    """Otherwise an ingest with older rules could still replace it."""
    with OLDER.applied():
        [fact] = facts(ses.an_open())
    with NEWER.applied():
        engager, reason = classify(fact)
        confirmed = replace(fact, engager=engager, reason=reason)

        settlement = settle([confirmed], None)

        assert settlement.facts == [replace(confirmed, settled=next_rank())]


def test_a_class_confirmed_by_the_same_rules_costs_no_write():
    assert not settle(facts(ses.an_open(), ses.a_click()), None).facts


@pytest.mark.parametrize("engagement", [ses.an_open(), ses.a_click()])
def test_older_rules_settle_nothing_if_newer_rules_classified_a_fact(engagement):
    with NEWER.applied():
        newer = facts(engagement)
    with OLDER.applied():
        older = facts(ses.an_open(at=at(1)))

        with pytest.raises(ValueError, match="the newer code must settle it"):
            settle([*older, *newer], None)


def test_older_rules_settle_nothing_after_newer_rules():
    with NEWER.applied():
        state = settle(facts(ses.an_open()), None).state
    with OLDER.applied(), pytest.raises(ValueError, match=f"version {NEWER.version} of the rules"):
        settle(facts(ses.an_open()), state)


@pytest.mark.parametrize("age", [0, 1])
def test_a_class_without_a_rank_counts_as_one_of_the_first_rules(age):
    """Earlier releases stored classes without a rank."""
    without = [replace(fact, settled=0) for fact in facts(ses.an_open())]
    with Rules(1 + age).applied():
        assert len(settle(without, None).facts) == age


engagements = st.lists(
    st.one_of(
        st.builds(
            ses.an_open,
            at=st.integers(0, 59).map(at),
            agent=st.sampled_from([ses.BROWSER, ses.APPLE_MAIL_PRIVACY, None]),
        ),
        st.builds(
            ses.a_click,
            at=st.integers(0, 59).map(at),
            link=st.integers(0, 4).map("https://example.com/{}".format),
        ),
    ),
    min_size=1,
    max_size=12,
)


@given(engagements, st.randoms())
def test_the_order_of_facts_does_not_matter(events, random):
    found = list({fact.key: fact for fact in facts(*events)}.values())
    shuffled = random.sample(found, len(found))

    assert settle(shuffled, None).state == settle(found, None).state
    assert bots(settle(shuffled, None)) == bots(settle(found, None))

"""Which bots opened and clicked, how SES's label compares, and what may still change."""

from datetime import UTC, datetime, timedelta
from functools import partial

import pytest
from msgspec.structs import replace
from support import ses

from chalicelib.facts.bots import kind_of_bot, label_agreement
from chalicelib.facts.fact import FactSettings, facts_of
from chalicelib.facts.settle import settle
from chalicelib.live.messages import campaign_snapshot, campaign_stats
from chalicelib.ses.parse import parse
from chalicelib.stats.contributions import contributions, difference
from chalicelib.stats.counters import SUMMARY, Aggregate

LATER = "2026-11-23T12:00:00.000Z"
NOW = datetime(2026, 11, 23, 12, 20, tzinfo=UTC)


def settled(*events):
    found = [
        fact
        for event in events
        for fact in facts_of(parse(ses.raw(event), campaign_tag="campaign"), FactSettings("key"))
    ]
    return list(settle(found, None).facts)


def opened(agent=ses.BROWSER, **more):
    return ses.an_open(at=LATER, agent=agent, **more)


@pytest.mark.parametrize(
    ("event", "kind"),
    [
        (opened(ses.APPLE_MAIL_PRIVACY), "privacy_proxy"),
        (opened(ses.GMAIL_PREFETCH), "prefetch"),
        (opened(ses.CRAWLER), "declared_bot"),
        (ses.a_click(at=LATER, agent=ses.OUTDATED_BROWSER), "security_scanner"),
        (opened(is_bot="Likely"), None),
        (ses.a_click(at=LATER, agent=ses.APPLE_MAIL_PRIVACY, is_bot="Likely"), None),
        (opened(), None),
        (opened(None), None),
    ],
)
def test_the_reason_tells_the_kind_of_bot(event, kind):
    [fact] = settled(event)

    assert kind_of_bot(fact) == kind


@pytest.mark.parametrize("label", ["Likely", "Unlikely", None])
@pytest.mark.parametrize(
    ("event", "kind"),
    [
        (partial(opened, ses.APPLE_MAIL_PRIVACY), "privacy_proxy"),
        (partial(opened, ses.GMAIL_PREFETCH), "prefetch"),
        (partial(ses.an_open, at="2026-11-23T10:00:01.000Z"), "prefetch"),
        (partial(ses.a_click, at="2026-11-23T10:00:01.000Z"), "prefetch"),
        (partial(opened, ses.CRAWLER), "declared_bot"),
        (partial(ses.a_click, at=LATER, agent=ses.CRAWLER), "declared_bot"),
    ],
)
def test_what_agent_or_time_show_has_the_same_kind_whatever_the_label_of_ses(event, kind, label):
    [fact] = settled(event(is_bot=label))

    assert (fact.engager, kind_of_bot(fact)) == ("machine", kind)


def test_a_label_that_hid_the_kind_is_replaced_when_the_email_is_settled_again():
    [fact] = settled(opened(ses.APPLE_MAIL_PRIVACY, is_bot="Likely"))
    by_earlier_rules = replace(fact, reason="ses_likely", settled=4_000_000)

    [again] = settle([by_earlier_rules], None).facts

    changes = difference(again, by_earlier_rules)
    assert [(one.keys, one.counts) for one in changes] == [
        ([("spring", SUMMARY)], {"privacy_proxy_opens": 1})
    ]


@pytest.mark.parametrize(
    ("agent", "label", "agreement"),
    [
        (ses.BROWSER, "Unlikely", "agrees"),
        (ses.BROWSER, "Likely", "agrees"),  # the rules follow the label
        (ses.CRAWLER, "Unlikely", "differs"),
        (None, "Unlikely", "differs"),
        (ses.BROWSER, None, "absent"),
        (ses.BROWSER, "Unknown", "absent"),
    ],
)
def test_the_label_of_ses_is_compared_with_the_class(agent, label, agreement):
    [fact] = settled(opened(agent, is_bot=label))

    assert label_agreement(fact) == agreement


def test_what_earlier_rules_have_classified_has_no_kind():
    [fact] = settled(opened(ses.APPLE_MAIL_PRIVACY))
    earlier = replace(fact, settled=3_000_001)

    def counters(one):
        return {name for contribution in contributions(one) for name in contribution.counts}

    assert counters(fact) - counters(earlier) == {"privacy_proxy_opens", "label_absent"}


def test_the_kinds_add_up_to_all_bots():
    counts = {
        *("machine_opens", "machine_clicks"),
        *("privacy_proxy_opens", "security_scanner_opens", "security_scanner_clicks"),
    }
    summary = Aggregate("spring", SUMMARY, 7, dict.fromkeys(counts, 3) | {"machine_opens": 10})

    kinds = campaign_stats([summary])["bots"]["kinds"]

    assert kinds["other"] == {"opens": 4, "clicks": 0}
    assert sum(kind["opens"] for kind in kinds.values()) == 10
    assert sum(kind["clicks"] for kind in kinds.values()) == 3


def test_opens_and_clicks_of_the_last_15_minutes_may_still_be_reclassified():
    minutes = [
        Aggregate(
            "spring",
            f"minute#{NOW - timedelta(minutes=age):%Y-%m-%dT%H:%M}",
            1,
            {"opens": 1, "clicks": 2},
        )
        for age in (0, 14, 15, 16)
    ]

    snapshot = campaign_snapshot("spring", None, minutes, NOW)

    assert snapshot["bots"]["unsettled"] == {"opens": 2, "clicks": 4}

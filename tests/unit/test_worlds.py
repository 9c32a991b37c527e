"""bench/worlds: the labelled campaigns on which rules for opens and clicks are measured."""

import json
from collections import Counter, defaultdict
from itertools import groupby, pairwise

import pytest

from bench.worlds import networks
from bench.worlds.campaign import generate
from bench.worlds.email import BOT_CLICKS, BOT_OPENS, HUMAN_CLICKS, HUMAN_OPENS, KINDS
from bench.worlds.parameters import (
    AUDIENCES,
    PERTURBATIONS,
    SEEDS,
    SOURCES,
    Assumed,
    Parameters,
    parameters,
    sources,
)
from chalicelib.ses.parse import parse

SEED = SEEDS["tune"][0]


def labelled_hits(campaign):
    return [one for email in campaign.emails for one in email.hits]


def share_of_bots(campaigns, type_="Click"):
    labels = [
        label
        for campaign in campaigns
        for hit, label in labelled_hits(campaign)
        if hit.type == type_
    ]
    return sum(not label.human for label in labels) / len(labels)


@pytest.fixture(scope="module")
def campaigns():
    return {
        audience: [generate(SEED + number, audience, 10, emails=1500) for number in range(6)]
        for audience in AUDIENCES
    }


@pytest.fixture(scope="module")
def by_kind(campaigns):
    kinds = defaultdict(list)
    for campaign in [*campaigns["consumer"], *campaigns["business"]]:
        for email in campaign.emails:
            for hit, label in email.hits:
                kinds[label.kind].append((email, hit, label))
    return kinds


def test_the_same_seed_yields_the_same_events():
    first, second = (
        [one.text for one in generate(SEED, "business", 5, emails=50).events()] for _ in range(2)
    )
    other = [one.text for one in generate(SEED + 1, "business", 5, emails=50).events()]
    assert first == second
    assert first != other


def test_rules_are_tuned_and_reported_on_different_seeds():
    assert not set(SEEDS["tune"]) & set(SEEDS["report"])


def test_every_kind_of_open_and_click_occurs(by_kind):
    assert set(by_kind) == set(KINDS)


@pytest.mark.parametrize(
    ("kinds", "type_", "human"),
    [
        (HUMAN_OPENS, "Open", True),
        (HUMAN_CLICKS, "Click", True),
        (BOT_OPENS, "Open", False),
        (BOT_CLICKS, "Click", False),
    ],
)
def test_each_kind_has_one_type_and_one_label(by_kind, kinds, type_, human):
    for kind in kinds:
        assert {(hit.type, label.human) for _, hit, label in by_kind[kind]} == {(type_, human)}


def test_the_project_reads_each_event_as_it_was_generated():
    campaign = generate(SEED, "consumer", 5, labelled=True, emails=60)
    for email, events in zip(
        campaign.emails,
        (
            list(group)
            for _, group in groupby(
                campaign.events(), lambda one: json.loads(one.text)["mail"]["messageId"]
            )
        ),
        strict=True,
    ):
        send, delivery, *rest = [parse(one.text, campaign_tag="campaign") for one in events]
        assert (send.type, delivery.type) == ("Send", "Delivery")
        assert send.message_id == email.message_id
        assert send.recipients == email.recipients
        assert [one.label for one in events[2:]] == [label for _, label in email.hits]
        assert [(one.type, one.agent, one.address, one.link, one.is_bot) for one in rest] == [
            (hit.type, hit.agent, hit.address, hit.link, hit.is_bot) for hit, _ in email.hits
        ]


def test_no_two_events_of_an_email_are_the_same_fact(by_kind):
    hits = Counter(
        (email.message_id, hit.type, hit.after, hit.link)
        for kind in by_kind.values()
        for email, hit, _ in kind
    )
    assert set(hits.values()) == {1}


def test_opens_and_clicks_follow_the_delivery_except_those_of_gateways(by_kind):
    for kind in set(KINDS) - {"scanner_open"}:
        assert all(hit.after > email.delivered * 1000 for email, hit, _ in by_kind[kind]), kind


def test_the_label_of_ses_is_absent_or_present_and_changes_nothing_else():
    absent, present = (
        [one for one, _ in labelled_hits(generate(SEED, "business", 5, labelled=is_on, emails=200))]
        for is_on in (False, True)
    )
    assert {hit.is_bot for hit in absent} == {None}
    assert {hit.is_bot for hit in present} == {"Likely", "Unlikely"}
    assert [hit._replace(is_bot=None) for hit in present] == absent


def test_ses_labels_readings_and_preloads_through_apples_proxy_alike():
    shares = []
    for seed in range(SEED, SEED + 8):
        campaign = generate(seed, "consumer", 1, labelled=True, emails=1500)
        counts = {kind: Counter() for kind in ("apple_preload", "apple_read")}
        for hit, label in labelled_hits(campaign):
            if label.kind in counts:
                counts[label.kind][hit.is_bot] += 1
        likely = [count["Likely"] / count.total() for count in counts.values()]
        assert abs(likely[0] - likely[1]) < 0.15
        shares.append(likely[0])
    assert min(shares) == 0
    assert max(shares) > 0.9


def test_bots_make_most_clicks_of_consumers_and_three_quarters_of_businesses():
    shares = {
        audience: share_of_bots(
            [
                generate(SEED + number, audience, links, emails=1500)
                for links in (10, 5)
                for number in range(4)
            ]
        )
        for audience in AUDIENCES
    }
    assert 0.5 < shares["consumer"] < 0.85
    assert 0.7 < shares["business"] < 0.95


def test_most_opens_by_bots_are_apples_preloads(campaigns):
    labels = [
        label
        for campaign in campaigns["consumer"]
        for hit, label in labelled_hits(campaign)
        if hit.type == "Open" and not label.human
    ]
    assert sum(label.kind == "apple_preload" for label in labels) / len(labels) > 0.85


def test_half_of_the_first_readings_are_within_six_hours(by_kind):
    first = {}
    for email, hit, _ in by_kind["gmail_proxy_read"]:
        first.setdefault(email.message_id, hit.after / 3_600_000)
    within = [sum(hours < limit for hours in first.values()) / len(first) for limit in (1, 6, 24)]
    assert within == pytest.approx([0.27, 0.55, 0.78], abs=0.06)


def test_bursts_begin_as_in_the_published_distribution(by_kind):
    starts = {}
    for email, hit, _ in by_kind["scanner_burst"]:
        starts.setdefault(email.message_id, hit.after / 1000)
    assert sum(start < 20 for start in starts.values()) / len(starts) < 0.07
    assert sum(20 <= start < 60 for start in starts.values()) / len(starts) == pytest.approx(
        0.664, abs=0.08
    )


def test_the_links_of_a_burst_take_less_than_two_seconds(by_kind):
    times = defaultdict(list)
    for email, hit, _ in by_kind["scanner_burst"]:
        times[email.message_id].append(hit.after)
    assert max(max(one) - min(one) for one in times.values()) < 2000


def test_half_of_the_scanners_request_an_email_from_one_address(by_kind):
    addresses = defaultdict(set)
    for email, hit, _ in by_kind["scanner_burst"]:
        addresses[email.message_id].add(hit.address)
    share = sum(len(one) == 1 for one in addresses.values()) / len(addresses)
    assert 0.2 < share < 0.8


def test_people_take_longer_than_half_a_second_between_links(by_kind):
    times = defaultdict(list)
    for email, hit, _ in by_kind["quick_person"]:
        times[email.message_id].append(hit.after)
    gaps = [after - before for one in times.values() for before, after in pairwise(sorted(one))]
    assert min(gaps) > 500


def test_an_email_with_a_single_link_has_no_link_to_unsubscribe():
    campaign = generate(SEED, "consumer", 1, emails=1)
    assert campaign.emails[0].unsubscribe_link is None
    assert len(campaign.emails[0].links) == 1


def test_the_unsubscribe_links_of_two_recipients_differ():
    one, other = generate(SEED, "consumer", 5, emails=2).emails
    assert one.links[:-1] == other.links[:-1]
    assert one.unsubscribe_link != other.unsubscribe_link


def test_each_perturbation_changes_the_campaign():
    texts = {
        name: tuple(one.text for one in generate(SEED, "business", 10, name, emails=300).events())
        for name in PERTURBATIONS
    }
    assert len(set(texts.values())) == len(PERTURBATIONS)


def test_more_bots_and_fewer_bots_multiply_the_share_of_scanned_emails():
    own, many, few = (
        parameters("business", name).scanned for name in ("none", "many bots", "few bots")
    )
    assert few < own < many


def test_scanners_at_the_office_have_the_addresses_of_offices():
    campaign = generate(SEED, "business", 10, "scanner at the office", emails=1500)
    owners = Counter(
        networks.owner(hit.address)
        for email in campaign.emails
        for hit, label in email.hits
        if label.kind == "scanner_burst" and "company" in email.recipients[0]
    )
    assert set(owners) == {"office"}


def test_each_parameter_has_a_known_source_or_is_assumed():
    found = sources()
    assert set(found) == set(Parameters.__dataclass_fields__)
    named = [one.source for one in found.values() if not isinstance(one, Assumed)]
    assert set(", ".join(named).split(", ")) == set(SOURCES)


def test_addresses_are_of_ranges_that_the_internet_does_not_use(by_kind):
    for kind in by_kind.values():
        for _, hit, _ in kind:
            assert hit.address.startswith("2001:db8:") or int(hit.address.split(".")[0]) >= 240

"""The facts of an event: their identities, and how recipients are named."""

import pytest
from support import ses

from chalicelib.facts.fact import FactSettings, facts_of, pseudonym
from chalicelib.ses.parse import parse

BOTH = ["ada@example.com", "bob@example.com"]


def facts(event, *, store_addresses=False):
    return facts_of(
        parse(ses.raw(event), campaign_tag="campaign"),
        FactSettings("key", store_addresses=store_addresses),
    )


def test_simultaneous_clicks_on_two_links_are_two_facts():
    links = ("https://example.com/1", "https://example.com/2")
    [first], [second] = (facts(ses.a_click(link=link)) for link in links)

    assert first.key != second.key


def test_a_repeated_event_has_the_same_facts():
    assert facts(ses.a_delivery(to=BOTH)) == facts(ses.a_delivery(to=BOTH))


def test_each_recipient_of_a_delivery_is_a_fact():
    assert len({fact.key for fact in facts(ses.a_delivery(to=BOTH))}) == 2


@pytest.mark.parametrize("event", [ses.a_delivery, ses.an_open])
def test_a_recipient_is_a_pseudonym_unless_addresses_are_stored(event):
    [hidden] = facts(event(to=BOTH[:1]))
    [shown] = facts(event(to=BOTH[:1]), store_addresses=True)

    assert hidden.recipient == pseudonym(BOTH[0], "key")
    assert shown.recipient == BOTH[0]
    assert hidden.key == shown.key


def test_tags_of_any_length_leave_the_item_small():
    """DynamoDB refuses items of more than 400 KB, so a longer value would never be stored."""
    event = ses.a_send()
    event["mail"]["tags"] |= {"variant": ["v" * 500_000], "ses:recipient-isp": ["i" * 500_000]}
    settings = FactSettings("key", breakdown_tags=("variant",))

    [fact] = facts_of(parse(ses.raw(event), campaign_tag="campaign"), settings)

    assert (len(fact.tags["variant"]), len(fact.isp)) == (256, 256)

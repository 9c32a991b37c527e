"""Malformed messages and items: all others are counted exactly and nothing is blocked."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support import reference, ses
from support.generate import engagements, others
from support.world import CONFIG, World

from chalicelib.errors import InvalidRequest, NotAnEvent
from chalicelib.facts.fact import FactSettings, facts_of, short_hash
from chalicelib.facts.forgotten import NOBODY
from chalicelib.facts.items import to_item
from chalicelib.live.protocol import parse_request
from chalicelib.ses.parse import parse
from chalicelib.stats.grouping import group

GOOD = [ses.a_send("m-1"), ses.a_delivery("m-1"), ses.an_open("m-1"), ses.a_click("m-1")]


def with_member(event, *path, value):
    """Return the event with another value at a path; `...` removes the member."""
    event = json.loads(json.dumps(event))
    *outer, last = path
    inner = event
    for name in outer:
        inner = inner[name]
    if value is ...:
        del inner[last]
    else:
        inner[last] = value
    return event


POISON = {
    "not JSON": ("{", "bad_json"),
    "an empty message": ("", "bad_json"),
    "250 KB of brackets": ("[" * 250_000, "bad_json"),
    "250 KB of text": (json.dumps("x" * 250_000), "not_an_object"),
    "a list": ("[]", "not_an_object"),
    "a number as a time": (with_member(GOOD[1], "delivery", "timestamp", value=7), "bad_event"),
    "no recipients": (with_member(GOOD[1], "delivery", "recipients", value=...), "bad_event"),
    "recipients that are not a list": (
        with_member(GOOD[1], "delivery", "recipients", value="a"),
        "bad_event",
    ),
    "no mail": (with_member(GOOD[0], "mail", value=...), "bad_event"),
    "no message id": (with_member(GOOD[0], "mail", "messageId", value=...), "bad_event"),
    "tags that are not an object": (with_member(GOOD[0], "mail", "tags", value=[]), "bad_event"),
    "a link that is an object": (with_member(GOOD[3], "click", "link", value={}), "bad_event"),
    "the year 1970": (ses.a_send(at="1970-01-01T00:00:00.000Z"), "bad_event"),
    "the year 3000": (ses.a_send(at="3000-01-01T00:00:00.000Z"), "future_time"),
    "an open in the year 3000": (ses.an_open(at="3000-01-01T00:00:00.000Z"), "future_time"),
    "a campaign of 257 bytes": (ses.a_send(campaign="c" * 257), "bad_event"),
    "only NUL": ("\x00", "bad_json"),
    "only a lone surrogate": ("\ud800", "bad_json"),
}


@pytest.mark.parametrize(("poison", "reason"), POISON.values(), ids=POISON)
def test_only_invalid_messages_go_to_the_dead_letter_queue_with_their_reason(poison, reason):
    world = World()
    world.arrive(*GOOD[:2], poison, *GOOD[2:])

    world.drain()

    [(body, why)] = world.dead
    assert body == (poison if isinstance(poison, str) else ses.raw(poison))
    assert why == reason
    assert world.counted() == reference.stats(GOOD)


ODD = {
    "250 KB of unknown members": with_member(GOOD[0], "mail", "headers", value=["h" * 250_000]),
    "NUL in a subject": ses.a_send(subject="a\x00b"),
    "lone surrogates in a subject": ses.a_send(subject="\ud83d"),
    "a subject of 100 KB": ses.a_send(subject="s" * 100_000),
    "a user agent of 100 KB": ses.an_open(agent=f"{ses.BROWSER} {'x' * 100_000}"),
    "a link of 100 KB": ses.a_click(link="https://example.com/" + "x" * 100_000),
    "a link that is not a URL": ses.a_click(link="http://["),
    "fifty recipients": ses.a_delivery(to=[f"r{n}@example.com" for n in range(50)]),
    "a name in any script": ses.a_send(campaign="Früh\u200bjahr 🌷 عرض #~/\\ summary"),
    "a name with NUL": ses.a_send(campaign="a\x00b"),
    "a name that looks like a key": ses.a_send(campaign="~state#minute#2026"),
}


@pytest.mark.parametrize("odd", ODD.values(), ids=ODD)
def test_an_unusual_but_valid_event_is_counted(odd):
    campaign = odd["mail"]["tags"]["campaign"][0]
    world = World()
    world.arrive(odd, ses.a_bounce("m-7", campaign=campaign))
    world.drain()

    topic = world.snapshot(f"stats/email-campaign/{campaign}")

    assert world.dead == []
    assert topic.counts["hard_bounces"] == 1
    kind = odd["eventType"]
    counter = {"Send": "sends", "Delivery": "deliveries", "Open": "opens", "Click": "clicks"}[kind]
    assert topic.counts[counter] == (50 if kind == "Delivery" else 1)


@pytest.mark.parametrize("number", [1_000, 1_100])
def test_the_most_clicked_of_many_links_lead_however_late_they_come(number):
    world = World()
    links = [f"https://example.com/{one}" for one in range(number)]
    clicks = [ses.a_click(f"m-{one}", link=link) for one, link in enumerate(links)]
    last = min(links, key=short_hash)  # links are read in descending order of their ids
    late = [ses.a_click(f"late-{one}", link=last) for one in range(2)]
    world.arrive(*clicks, *late)

    world.drain()
    world.new_process().stats_table.put_leaders("spring")

    topic = world.snapshot("stats/email-campaign/spring")
    rows = [value for part, value in topic.shown.items() if part[0] == "link"]
    assert len(rows) == 251
    assert rows[0]["url"] == last
    assert rows[0]["unique_human_clicks"] == 3
    assert sum(row["clicks"] for row in rows) == number + 2
    assert topic.counts["unique_clicks"] == number + 2


def test_an_unknown_event_type_is_stored_and_visible():
    world = World()
    world.arrive({"eventType": "Archived", "mail": ses.mail("m-9")}, *GOOD)

    world.drain()

    assert world.snapshot("stats/health").parts["health"]["unknown_types"] == 1
    kept = [item["e"]["S"] for item in world.dynamo.tables["EventsTable"].items() if "e" in item]
    assert "Archived" in kept
    assert world.dead == []


values = st.one_of(
    st.fixed_dictionaries({"S": st.text(max_size=20)}),
    st.fixed_dictionaries({"N": st.integers(-(10**37), 10**37).map(str)}),
    st.fixed_dictionaries({"BOOL": st.booleans()}),
    st.fixed_dictionaries({"B": st.binary(max_size=5)}),
    st.fixed_dictionaries({"M": st.dictionaries(st.text(max_size=3), st.just({"S": "x"}))}),
    st.fixed_dictionaries({"S": st.just("x" * 20_000)}),
)
stored = st.fixed_dictionaries(
    {},
    optional=dict.fromkeys(("e", "c", "t", "m", "n", "g", "r", "s", "f", "l", "h", "k", "b", "o", "z", "uo"), values),
)  # fmt: skip


@given(stored, st.sampled_from(["Send#x", "~state#spring"]), st.booleans())
def test_a_malformed_item_is_quarantined_and_blocks_nothing(odd, key, replaces):
    world = World()
    good = ses.a_click("m-1")
    table = world.dynamo.tables["EventsTable"].name
    identity = {"message_id": {"S": "m-0"}, "fact": {"S": key}}
    item = {"e": {"S": "Send"}, "c": {"S": "spring"}, **identity}
    if replaces:
        world.dynamo.call("put_item", TableName=table, Item=item)
    world.dynamo.call("put_item", TableName=table, Item={**item, **odd, **identity})
    world.arrive(good)

    world.drain()

    assert world.counted()["spring"] == reference.stats([good])["spring"]
    [lane] = [one for one in world.lanes() if "EventsTable" in one.stream.arn]
    records = sum(
        one["dynamodb"]["Keys"]["message_id"] == {"S": "m-0"} for one in lane.shard.records
    )
    assert world.snapshot("stats/health").parts["health"]["quarantined"] == records > 0


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)


def paths(value, path=()):
    yield path
    if isinstance(value, dict):
        for name, inner in value.items():
            yield from paths(inner, (*path, name))


@given(st.one_of(engagements, others), json_values, st.data())
def test_aggregate_understands_every_event_that_ingest_accepts(event, value, data):
    """One member of an event has an arbitrary value."""
    path = data.draw(st.sampled_from([path for path in paths(event) if path]))
    changed = with_member(event, *path, value=value)
    try:
        parsed = parse(json.dumps(changed), campaign_tag="campaign")
    except NotAnEvent as error:
        assert error.reason
        assert str(error).encode()
        return

    settings = FactSettings(
        CONFIG.pseudonym_key,
        store_addresses=data.draw(st.booleans()),
        breakdown_tags=("campaign", "variant"),
    )
    facts = facts_of(parsed, settings)
    change = {"SequenceNumber": "1", "ApproximateCreationDateTime": 1}
    records = [
        {"eventName": "INSERT", "dynamodb": {**change, "NewImage": to_item(fact, 1)}}
        for fact in facts
    ]
    batch = group(records, NOBODY)
    assert batch.quarantined == []
    for campaign, part in batch.pending:
        assert 0 < len(campaign.encode()) <= 2048
        assert len(part.encode()) <= 1024


@given(st.text() | json_values.map(json.dumps))
def test_any_text_is_parsed_or_raises_a_declared_error(text):
    try:
        parse(text, campaign_tag="campaign")
    except NotAnEvent as error:
        assert error.reason
    try:
        parse_request(text)
    except InvalidRequest as error:
        assert error.reply["error"]["code"]

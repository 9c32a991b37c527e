"""Readers leave out expired items, which DynamoDB deletes hours to days later.

https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/ttl-expired-items.html
Nothing is deleted in these tests; only time passes.
"""

import json

import pytest
from msgspec.structs import replace
from support import ses
from support.world import CONFIG, START, World

from chalicelib.errors import InvalidRequest
from chalicelib.live import subscriptions
from chalicelib.live.permissions import Connection, Permissions
from chalicelib.live.subscriptions import ROW_SECONDS

SPRING = "stats/email-campaign/spring"
GUEST = Permissions("share/x", int(START) + 30 * 86400, (), "spring")


@pytest.fixture
def world():
    return World(replace(CONFIG, issuer="https://issuer.example.com", client_id="page"))


@pytest.fixture
def rows(world):
    return world.new_process().subscriptions


def guest(number, connected_at=0):
    return Connection(f"c-{number}", "api/stage", connected_at, GUEST)


def test_expired_connections_do_not_count_against_the_limit(world, rows, monkeypatch):
    monkeypatch.setattr(subscriptions, "MAX_GUESTS", 3)
    for number in range(3):
        rows.admit(guest(number))
    assert not rows.has_room("share/x")

    world.now += ROW_SECONDS

    assert rows.has_room("share/x")
    for number in range(3, 6):
        assert rows.has_room("share/x")
        rows.admit(guest(number))
    assert not rows.has_room("share/x")


def test_connections_are_counted_over_all_pages(world, rows, monkeypatch):
    """A page may contain only expired rows."""
    monkeypatch.setattr(subscriptions, "MAX_GUESTS", 2)
    for number in range(4):
        rows.admit(guest(number))
    world.now += ROW_SECONDS
    for number in range(4, 6):
        rows.admit(guest(number))
    call = world.dynamo.call
    monkeypatch.setattr(
        world.dynamo,
        "call",
        lambda operation, **rest: call(
            operation, **rest, **({"Limit": 2} if operation == "query" else {})
        ),
    )

    assert not rows.has_room("share/x")
    rows.forget("c-5")
    assert rows.has_room("share/x")


def test_an_expired_connection_may_see_nothing(world, rows):
    rows.admit(guest(1))
    assert rows.access("c-1") == GUEST

    world.now += ROW_SECONDS

    assert rows.access("c-1") is None


def test_a_revocation_closes_only_the_unexpired_connections(world, rows):
    rows.admit(guest(1))
    world.now += ROW_SECONDS
    rows.admit(guest(2))

    assert [one.id for one in rows.of_share("share/x")] == ["c-2"]


def test_expired_subscriptions_do_not_count_against_the_limit(world, rows, monkeypatch):
    monkeypatch.setattr(subscriptions, "MAX_SUBSCRIPTIONS", 2)
    viewer = Connection("c-1", "api/stage", 0)
    for number in range(2):
        rows.add(viewer, f"{SPRING}-{number}")
    with pytest.raises(InvalidRequest):
        rows.add(viewer, f"{SPRING}-3")

    world.now += ROW_SECONDS

    rows.add(viewer, f"{SPRING}-3")
    assert [one.id for one in rows.subscribers(f"{SPRING}-3")] == ["c-1"]


def test_expired_rows_are_removed_with_their_connection(world, rows):
    viewer = guest(1)
    rows.admit(viewer)
    rows.add(viewer, SPRING)
    world.now += 40 * 86400

    rows.forget("c-1")

    assert list(world.dynamo.tables["SubscriptionsTable"].items()) == []


def test_an_expired_share_link_is_not_listed(world):
    shares = world.new_process().shares
    shares.add("spring", int(START) + 100)
    assert [one.campaign for one in shares.all()] == ["spring"]

    world.now += 100

    assert list(shares.all()) == []


def test_the_recipients_of_expired_emails_are_not_listed_as_those_who_did_not_open():
    world = World()
    world.arrive(ses.a_send("m-1"), ses.an_open("m-1"))
    world.drain()
    request = json.dumps({"action": "listRecipients", "id": SPRING, "state": "not_opened"})
    viewer = Connection("viewer", "api/stage", 0)

    world.now += 92 * 86400
    [answer] = world.new_process().session.answer(viewer, request)

    assert (answer["total"], answer["complete"]) == (0, False)


def test_an_expired_fact_is_not_listed_as_activity():
    world = World()
    world.arrive(ses.an_open("m-1"))
    world.drain()
    request = json.dumps({"action": "listActivity", "id": SPRING})
    viewer = Connection("viewer", "api/stage", 0)

    [answer] = world.new_process().session.answer(viewer, request)
    assert len(answer["results"]) == 1
    world.now += 92 * 86400
    [answer] = world.new_process().session.answer(viewer, request)

    assert answer["results"] == []

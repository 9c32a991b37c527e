"""The recipients of a campaign, and the history of one, as a viewer receives them."""

import json
import random

import pytest
from msgspec.structs import replace
from support import ses
from support.world import CONFIG, World

from chalicelib.live import recipient_lists
from chalicelib.recipients.pages import MAX_PAGE_BYTES, Sent, decoded, encoded

SPRING = "stats/email-campaign/spring"
WITH_ADDRESSES = replace(CONFIG, store_addresses=True)


def world_of(*events):
    world = World(WITH_ADDRESSES)
    world.arrive(*events)
    world.drain()
    return world


def ask(world, action, **fields):
    viewer = world.subscribe()
    viewer.ask(action, id=SPRING, **fields)
    return viewer.frames[-1]


def names(world, state):
    return [one["recipient"] for one in ask(world, "listRecipients", state=state)["results"]]


@pytest.fixture(scope="module")
def spring():
    return world_of(
        ses.a_send("m-1", to=["ada@example.com"]),
        ses.a_send("m-2", to=["bob@example.com"]),
        ses.a_send("m-3", to=["cleo@example.com"]),
        ses.a_send("m-4", to=["dan@example.com"]),
        ses.an_open("m-2", to=["bob@example.com"]),
        ses.a_click("m-3", to=["cleo@example.com"]),
        ses.a_bounce("m-4", to=["dan@example.com"]),
    )


@pytest.mark.parametrize(
    ("state", "expected"),
    [
        ("all", "ada bob cleo dan"),
        ("not_opened", "ada dan"),
        ("opened", "bob cleo"),
        ("clicked", "cleo"),
        ("bounced", "dan"),
    ],
)
def test_a_list_is_filtered_by_state(spring, state, expected):
    reply = ask(spring, "listRecipients", state=state)

    assert names(spring, state) == [f"{one}@example.com" for one in expected.split()]
    assert reply["total"] == len(expected.split())
    assert reply["complete"]


def test_a_list_of_an_unknown_campaign_is_empty_and_complete():
    reply = ask(World(), "listRecipients")

    assert (reply["total"], reply["complete"], reply["results"]) == (0, True, [])


@pytest.mark.parametrize("config", [CONFIG, WITH_ADDRESSES])
def test_all_addresses_of_an_email_are_listed(config):
    world = World(config)
    world.arrive(ses.a_send("m-1", to=["ada@example.com", "bob@example.net"]))
    world.drain()

    reply = ask(world, "listRecipients")

    assert (reply["total"], reply["complete"]) == (2, True)
    assert {one["provider"] for one in reply["results"]} == {"example.com", "example.net"}


def test_sends_that_name_no_recipient_make_a_list_incomplete():
    world = world_of(ses.a_send("m-1", to=["ada@example.com"]))
    stats = world.dynamo.tables["StatsTable"]
    for key in [key for key in stats.partitions if key.startswith(" recipients ")]:
        stats.partitions[key].clear()

    reply = ask(world, "listRecipients")

    assert (reply["total"], reply["complete"]) == (0, False)


def test_a_history_has_sends_and_deliveries_newest_first_in_any_spelling():
    to = ["Ada@Example.com"]
    world = world_of(
        ses.a_send("m-1", to=to),
        ses.a_delivery("m-1", to=to),
        ses.an_open("m-1", to=to),
        ses.a_send("m-2", to=["bob@example.com"]),
    )

    for spelling in ("Ada@Example.com", "Ada@EXAMPLE.COM"):
        results = ask(world, "recipientHistory", recipient=spelling)["results"]
        assert [one["type"] for one in results] == ["Open", "Delivery", "Send"]


def test_a_history_omits_other_recipients_of_the_email():
    to = ["ada@example.com", "bob@example.com"]
    world = world_of(ses.a_send("m-1", to=to), ses.a_delivery("m-1", to=to))

    results = ask(world, "recipientHistory", recipient="ada@example.com")["results"]

    assert [one.get("recipient") for one in results] == ["ada@example.com", None]


def test_the_history_of_an_unknown_recipient_is_empty():
    assert ask(World(), "recipientHistory", recipient="eve@example.com")["results"] == []


def test_a_page_that_is_too_large_is_divided():
    rng = random.Random(0)
    sent = [Sent(rng.randbytes(30).hex(), "t", {"a": ""}, None, {}, 1) for _ in range(20_000)]

    pages = list(encoded(sent))

    assert len(pages) > 1
    assert all(len(one) <= MAX_PAGE_BYTES for one in pages)
    assert [one for page in pages for one in decoded(page)] == sent


def test_data_that_is_no_page_is_reported():
    with pytest.raises(ValueError, match="not a page"):
        decoded(b"x")


@pytest.mark.parametrize("config", [CONFIG, WITH_ADDRESSES])
def test_pages_have_each_recipient_once_whatever_addresses_and_message_ids_are(config):
    world = World(config)
    addresses = ["ada@example.com", "<>", " ", "ä" * 320, "😀" * 320, "a\nb@example.com", "\u2028"]
    for number, address in enumerate(addresses):
        for message in ("m", "m\n1", "m\n", "\n", "é" * 127):
            world.arrive(ses.a_send(f"{message}{number}", to=[address]))
    world.drain()
    everyone = ask(world, "listRecipients", limit=100)["results"]
    assert len(everyone) == 5 * len(addresses)

    found, more = [], {}
    while len(found) <= len(everyone):
        reply = ask(world, "listRecipients", limit=1, **more)
        found += reply["results"]
        if "cursor" not in reply:
            break
        more = {"cursor": reply["cursor"]}

    assert found == everyone


def test_a_stream_has_a_cursor_where_it_ends_early(spring, monkeypatch):
    monkeypatch.setattr(recipient_lists, "_MOST_STREAMED", 3)
    viewer = spring.subscribe()

    viewer.ask("listRecipients", id=SPRING, stream=True)
    viewer.ask("listRecipients", id=SPRING, stream=True, cursor=viewer.frames[-1]["cursor"])

    first, end, second, last = viewer.frames
    assert [len(first["results"]), len(second["results"])] == [3, 1]
    assert end["done"]
    assert "cursor" not in last


def test_a_stream_of_no_recipients_has_the_total():
    viewer = World().subscribe()

    viewer.ask("listRecipients", id=SPRING, stream=True)

    assert [frame.get("total") for frame in viewer.frames] == [0, None]


@pytest.mark.parametrize("action", ["listRecipients", "recipientHistory"])
def test_the_recipients_of_too_large_a_campaign_are_refused(spring, monkeypatch, action):
    monkeypatch.setattr(recipient_lists, "MAX_LISTED", 3)
    request = {"action": action, "id": SPRING, "recipient": "ada@example.com"}

    [reply] = spring.new_process().session.answer(
        spring.subscribe().connection, json.dumps(request)
    )

    assert reply["error"]["code"] == "too_large"
    assert "4 sends" in reply["error"]["message"]


def test_a_list_names_the_mailbox_provider_otherwise_the_domain():
    def sent(message, *to, isp):
        event = ses.a_send(message, to=list(to))
        event["mail"]["tags"]["ses:recipient-isp"] = [isp]
        return event

    world = world_of(
        sent("m-1", "ada@aol.com", isp="UNKNOWN_ISP"),
        sent("m-2", "bob@example.com", isp="UNKNOWN_ISP"),
        sent("m-3", "cleo@example.com", isp="Gmail"),
        # The tag does not say whose provider it names.
        sent("m-4", "dan@example.com", "eve@web.de", isp="Gmail"),
    )

    assert [one["provider"] for one in ask(world, "listRecipients")["results"]] == [
        *("Yahoo", "example.com", "Gmail"),
        *("example.com", "GMX and WEB.DE"),
    ]

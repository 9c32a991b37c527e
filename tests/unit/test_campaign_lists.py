"""The list of campaigns: by any column, filtered, with totals; and what of it is pushed."""

import json
import unicodedata

import pytest
from support import ses
from support.world import World

from chalicelib.live import snapshots
from chalicelib.live.campaign_lists import KEPT_SECONDS, _key_of_cursor
from chalicelib.live.protocol import Listing
from chalicelib.paging import seal
from chalicelib.stats.directory import Entry

LIST = "stats/email-campaigns"


def campaign(number, sends, opens=0):
    """Return the events of a campaign that began on a day of November."""
    name, at = f"c-{number:03}", f"2026-11-{number + 1:02}T10:00:00.000Z"
    messages = [f"{name}-{one}" for one in range(sends)]
    return [
        *(ses.a_send(one, campaign=name, at=at) for one in messages),
        *(ses.a_delivery(one, campaign=name, at=at) for one in messages),
        *(ses.an_open(one, campaign=name, at=at) for one in messages[:opens]),
    ]


@pytest.fixture
def world():
    world = World()
    for number, (sends, opens) in enumerate([(4, 1), (2, 2), (3, 0), (1, 1)]):
        world.arrive(*campaign(number, sends, opens))
    world.drain()
    return world


def listed(world, **asked):
    viewer = world.subscribe()
    viewer.ask("listCampaigns", **asked)
    return viewer.frames[-1]


def ids(reply):
    return [one["id"] for one in reply["results"]]


def test_campaigns_are_sorted_by_a_counter_or_a_rate(world):
    assert ids(listed(world, sort="sends")) == ["c-000", "c-002", "c-001", "c-003"]
    assert ids(listed(world, sort="sends", order="asc")) == ["c-003", "c-001", "c-002", "c-000"]
    assert ids(listed(world, sort="human_open"))[2:] == ["c-000", "c-002"]
    assert ids(listed(world, sort="first_event_at", order="asc"))[0] == "c-000"


@pytest.mark.parametrize("asked", [{}, {"totals": True}, {"query": "c"}])
def test_without_a_column_the_newest_or_the_oldest_campaigns_are_first(world, asked):
    newest = ["c-003", "c-002", "c-001", "c-000"]

    assert ids(listed(world, **asked)) == newest
    assert ids(listed(world, order="desc", **asked)) == newest
    assert ids(listed(world, order="asc", **asked)) == newest[::-1]


def test_unknown_values_are_last_in_both_orders(world):
    world.arrive(ses.a_bounce("m-1", campaign="c-900"))
    world.drain()

    for order in ("asc", "desc"):
        assert ids(listed(world, sort="open", order=order))[-1] == "c-900", "nothing is delivered"


def test_pages_of_a_sorted_list_have_each_campaign_once(world):
    found, more = [], {}
    while True:
        reply = listed(world, sort="human_open", limit=1, **more)
        found += ids(reply)
        assert reply["total"] == 4
        if "cursor" not in reply:
            break
        more = {"cursor": reply["cursor"]}

    assert found == ids(listed(world, sort="human_open"))


def test_a_cursor_of_a_list_in_another_order_is_refused(world):
    cursor = listed(world, sort="sends", limit=1)["cursor"]
    session, viewer = world.new_process().session, world.subscribe()
    asked = f'{{"action": "listCampaigns", "sort": "sends", "order": "asc", "cursor": "{cursor}"}}'

    [reply] = session.answer(viewer.connection, asked)

    assert reply["error"]["code"] == "invalid_request"
    assert "by sends (desc), not by sends (asc)" in reply["error"]["message"]


@pytest.mark.parametrize("value", ["007", "00.5", "٣", "-1", "1e5", "NaN", '"x"', "[]", ""])
def test_a_cursor_with_a_value_that_no_list_has_is_refused(world, value):
    assert "omit it" in refused(world, sort="sends", cursor=seal(f"sends desc {value} c-001"))


@pytest.mark.parametrize("value", [0, 7, 10**15 - 1, 1 / 3, 1e-4 / 3, 0.0001000000000000002])
def test_a_cursor_has_any_number(value):
    assert _key_of_cursor(seal(f"open desc {value!r} c"), "open", "desc")[1] == value


def test_campaigns_are_filtered_by_the_day_of_their_first_event_and_the_sender(world):
    assert ids(listed(world, **{"from": "2026-11-02", "to": "2026-11-03"})) == ["c-002", "c-001"]
    assert ids(listed(world, sender="SHOP")) == ["c-003", "c-002", "c-001", "c-000"]
    assert listed(world, sender="other") == {
        "request_id": None, "action": "listCampaigns", "results": [], "total": 0,
    }  # fmt: skip


@pytest.mark.parametrize("asked", ["NFC", "NFD"])
@pytest.mark.parametrize("stored", ["NFC", "NFD"])
def test_a_sender_is_found_however_its_accents_are_encoded(asked, stored):
    sender = unicodedata.normalize(stored, "Müller & Söhne")
    entry = Entry("c-1", None, sender, "2026-11-23T10:00:00Z", None, True, ())

    assert Listing(sender=unicodedata.normalize(asked, "MÜLLER")).matches(entry)


def refused(world, **asked):
    """Return the message of the error that a request is answered with."""
    session, viewer = world.new_process().session, world.subscribe()
    [reply] = session.answer(viewer.connection, json.dumps({"action": "listCampaigns", **asked}))
    assert reply["error"]["code"] == "invalid_request"
    return reply["error"]["message"]


@pytest.fixture
def tagged(world):
    """Return a world with two more campaigns, whose emails have variants."""
    for name, variants in (("c-800", "ab"), ("c-801", "b")):
        world.arrive(
            *(
                ses.a_send(f"{name}-{one}", campaign=name, variant=one, subject="Spring is over")
                for one in variants
            )
        )
    world.drain()
    return world


def test_campaigns_are_filtered_by_a_tag_of_their_emails(tagged):
    assert ids(listed(tagged, tag="variant=b", sort="sends")) == ["c-800", "c-801"]
    assert ids(listed(tagged, tag="variant=a", totals=True)) == ["c-800"]
    assert listed(tagged, tag="variant=c")["total"] == 0, "no campaign has it yet"


def test_a_campaign_of_a_list_has_the_tags_of_its_emails(tagged):
    tags = {one["id"]: one["tags"] for one in listed(tagged)["results"]}

    assert tags["c-800"] == ["variant=a", "variant=b"]
    assert tags["c-000"] == []


def test_a_tag_is_that_of_the_directory_once_it_is_complete(tagged):
    for _ in range(5):
        tagged.now += 1000
        tagged.watch()
        tagged.drain()
    assert tagged.new_process().directory.entries() is not None

    assert ids(listed(tagged, tag="variant=a")) == ["c-800"]


def test_the_error_for_an_unknown_tag_names_those_that_campaigns_have(tagged):
    assert refused(tagged, tag="colour=red") == (
        "no campaign has the tag 'colour': campaigns can be filtered by the tags in "
        "BREAKDOWN_TAGS (variant)"
    )


@pytest.mark.parametrize("tag", ["variant", "=b", "variant=", " = ", 3, ["variant=b"], {}])
def test_a_tag_without_a_name_or_a_value_is_refused(tagged, tag):
    assert "such as variant=b" in refused(tagged, tag=tag)


def test_a_query_is_combined_with_filters_order_and_totals(tagged):
    reply = listed(tagged, query="spring over", sort="sends", totals=True)
    assert (ids(reply), reply["total"]) == (["c-800", "c-801"], 2)
    assert reply["totals"]["counts"]["sends"] == 3

    assert ids(listed(tagged, query="spring", tag="variant=a")) == ["c-800"]
    assert ids(listed(tagged, query="spring", sender="other")) == []
    assert ids(listed(tagged, query="spring", **{"from": "2026-11-23"})) == ["c-801", "c-800"]
    assert ids(listed(tagged, query="  ")) == ids(listed(tagged))


def test_a_query_finds_more_campaigns_than_a_page_can_have(world):
    world.arrive(*(ses.a_send(f"m-{n}", campaign=f"autumn-{n:03}") for n in range(250)))
    world.drain()
    found, more = [], {}
    while True:
        reply = listed(world, query="autumn", sort="sends", limit=25, **more)
        assert reply["total"] == 250
        found += ids(reply)
        if "cursor" not in reply:
            break
        more = {"cursor": reply["cursor"]}

    assert sorted(found) == [f"autumn-{n:03}" for n in range(250)]


def test_totals_are_the_sums_of_all_campaigns_that_match(world):
    reply = listed(world, **{"from": "2026-11-02"}, totals=True, limit=1)

    assert len(reply["results"]) == 1
    assert reply["total"] == 3
    assert reply["totals"]["counts"]["sends"] == 2 + 3 + 1
    assert reply["totals"]["rates"]["human_open"] == pytest.approx(3 / 6)


def test_the_numbers_of_a_reply_are_current_although_the_order_may_be_a_minute_old(world):
    process = world.new_process()
    viewer = world.subscribe()

    def by_sends():
        asked = '{"action": "listCampaigns", "sort": "sends"}'
        [reply] = process.session.answer(viewer.connection, asked)
        return [(one["id"], one["counts"]["sends"]) for one in reply["results"]]

    by_sends()
    world.arrive(*(ses.a_send(f"n-{n}", campaign="c-003") for n in range(9)))
    world.drain()

    assert by_sends()[-1] == ("c-003", 10)
    world.now += KEPT_SECONDS
    assert by_sends()[0] == ("c-003", 10)


def test_a_snapshot_has_the_newest_campaigns_and_the_cursor_of_the_others(world, monkeypatch):
    monkeypatch.setattr(snapshots, "MOST_LISTED", 3)
    viewer = world.subscribe(LIST)
    [frame] = viewer.frames

    assert [one["id"] for one in frame["snapshot"]["campaigns"]] == ["c-003", "c-002", "c-001"]
    assert ids(listed(world, cursor=frame["snapshot"]["cursor"])) == ["c-000"]


def test_only_campaigns_on_the_screen_and_new_ones_are_pushed(world):
    viewer = world.subscribe()
    viewer.ask("subscribe", id=LIST, campaigns=["c-000"])
    viewer.frames.clear()
    world.now += 60

    world.arrive(ses.a_send("x-1", campaign="c-000"), ses.a_send("x-2", campaign="c-001"))
    world.arrive(ses.a_send("x-3", campaign="c-new", at="2026-11-23T21:00:30.000Z"))
    world.drain()

    pushed = {one["id"] for frame in viewer.frames for one in frame["changes"]["campaigns"]}
    assert pushed == {"c-000", "c-new"}


def test_a_viewer_that_returns_has_the_campaigns_on_its_screen(world, monkeypatch):
    monkeypatch.setattr(snapshots, "MOST_LISTED", 1)
    viewer = world.subscribe()
    viewer.ask("subscribe", id=LIST, campaigns=["c-000"])
    viewer.ask("attend", level="hidden")
    world.arrive(ses.a_send("x-1", campaign="c-000"))
    world.drain()
    viewer.frames.clear()

    viewer.ask("attend", level="active")

    campaigns = {one["id"]: one for one in viewer.frames[0]["snapshot"]["campaigns"]}
    assert campaigns.keys() == {"c-003", "c-000"}
    assert campaigns["c-000"]["counts"]["sends"] == 5


@pytest.fixture
def with_a_test(world):
    """Return a world in which c-002 is marked as a test."""
    world.subscribe().ask("setAlarms", id="stats/email-campaign/c-002", test=True)
    return world


def test_a_list_leaves_test_campaigns_out_unless_it_asks_for_them(with_a_test):
    assert ids(listed(with_a_test)) == ["c-003", "c-001", "c-000"]
    assert ids(listed(with_a_test, tests="hidden", sort="sends")) == ["c-000", "c-001", "c-003"]

    shown = listed(with_a_test, tests="shown")["results"]
    assert [one["test"] for one in shown] == [False, True, False, False]
    assert listed(with_a_test, tests="shown", sort="sends")["total"] == 4


def test_a_page_without_test_campaigns_is_full(with_a_test):
    first = listed(with_a_test, limit=2)
    assert ids(first) == ["c-003", "c-001"]

    last = listed(with_a_test, limit=2, cursor=first["cursor"])
    assert ids(last) == ["c-000"]
    assert "cursor" not in last


def test_totals_leave_test_campaigns_out_and_the_reply_counts_them(with_a_test):
    reply = listed(with_a_test, totals=True)
    assert (reply["total"], reply["hidden_tests"]) == (3, 1)
    assert reply["totals"]["counts"]["sends"] == 4 + 2 + 1

    reply = listed(with_a_test, totals=True, tests="shown")
    assert (reply["total"], reply["totals"]["counts"]["sends"]) == (4, 10)
    assert "hidden_tests" not in reply


def test_a_search_for_a_test_campaign_says_that_it_is_hidden(with_a_test):
    reply = listed(with_a_test, query="c-002")
    assert (ids(reply), reply["hidden_tests"]) == ([], 1)
    assert ids(listed(with_a_test, query="c-002", tests="shown")) == ["c-002"]
    assert "hidden_tests" not in listed(with_a_test, query="c-001")


def test_the_list_has_a_campaign_again_once_it_is_no_test(with_a_test):
    viewer = with_a_test.subscribe(LIST)
    viewer.ask("setAlarms", id="stats/email-campaign/c-002", test=False)
    with_a_test.drain()

    assert ids(listed(with_a_test))[1] == "c-002"
    assert [one["test"] for one in viewer.frames[-1]["changes"]["campaigns"]] == [False]


def test_a_campaign_that_is_marked_before_its_first_event_is_hidden_from_then_on(world):
    viewer = world.subscribe(LIST)
    viewer.ask("setAlarms", id="stats/email-campaign/c-900", test=True)
    world.drain()
    assert "c-900" not in str(viewer.topics[LIST].parts)
    assert "c-900" not in ids(listed(world, tests="shown")), "it has no events yet"

    world.arrive(*campaign(9, 1), ses.a_send("later", campaign="c-900"))
    world.drain()

    assert "c-900" not in ids(listed(world))
    assert "c-900" in ids(listed(world, tests="shown"))

"""Arbitrary cursors: each continues its list, or the error says to omit it."""

import base64
import json

from hypothesis import example, given
from hypothesis import strategies as st
from support import ses
from support.world import World

from chalicelib.live.permissions import Connection

VIEWER = Connection("viewer", "api/stage", connected_at=0)
SPRING = "stats/email-campaign/spring"
ASKED = {
    "listCampaigns": {"limit": 1},
    "listActivity": {"id": SPRING, "limit": 1},
    "listRecipients": {"id": SPRING, "limit": 1},
    # These ignore a cursor.
    "searchCampaigns": {"query": "spring"},
    "listTimelines": {"ids": [SPRING]},
}
AT = "2026-11-23T10:05:00.000Z"


def populated():
    world = World()
    for number in range(3):
        world.arrive(ses.an_open(f"m-{number}"), ses.a_send(f"n-{number}", campaign=f"c-{number}"))
    world.drain()
    return world


WORLD = populated()
actions = st.sampled_from(sorted(ASKED))


def sealed(place):
    return base64.urlsafe_b64encode(json.dumps(place).encode()).decode()


def ask(action, cursor):
    request = json.dumps({"action": action, "cursor": cursor, **ASKED[action]})
    [answer] = WORLD.new_process().session.answer(VIEWER, request)
    return answer


def require_an_answer(action, cursor):
    answer = ask(action, cursor)
    if "error" in answer:
        assert answer["error"]["code"] in {"invalid_request", "bad_json"}, answer
        assert "cursor" in answer["error"]["message"] or answer["error"]["code"] == "bad_json"
    else:
        assert "results" in answer


GENUINE = {action: ask(action, None).get("cursor", "") for action in ASKED}
assert GENUINE["listCampaigns"]
assert GENUINE["listActivity"]

json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=8,
)
key_names = st.sampled_from(["campaign", "part", "listed", "first_event_at", "other"])
key_values = st.one_of(
    json_values,
    st.dictionaries(st.sampled_from(["S", "N", "B", "M"]), json_values, max_size=2),
    st.sampled_from([{"S": "summary"}, {"S": "campaign"}, {"S": AT}, {"S": "x" * 3000}]),
)
KEY = {
    "campaign": {"S": "spring"},
    "part": {"S": "summary"},
    "listed": {"S": "campaign"},
    "first_event_at": {"S": AT},
}
keys = st.builds(lambda name, value: {**KEY, name: value}, key_names, key_values)
places = st.one_of(
    st.text(),
    st.builds("{}#{}".format, st.text(), st.sampled_from([AT, AT[:19] + "Z", "", "later"])),
    st.builds("{}#{}".format, st.sampled_from([AT, AT[:19] + "Z"]), st.text("0123456789abcdef")),
    st.text(st.characters(categories=["Cs"]), min_size=1).map(lambda text: f"{text}#{AT}"),
    st.sampled_from(["x" * 2900, "é" * 256 + f"#{AT}", "x" * 257 + f"#{AT}"]),
)


@given(actions, st.text(st.characters()))
@example("listActivity", "\u00e9")
@example("listCampaigns", "=")
@example("listCampaigns", "A" * 5000)
@example("listActivity", "[" * 4000)
def test_any_text_as_a_cursor_gets_a_response(action, cursor):
    require_an_answer(action, cursor)


@given(actions, json_values | st.dictionaries(key_names, key_values))
def test_a_signed_cursor_with_other_contents_is_refused(action, place):
    require_an_answer(action, sealed(place))


@given(keys)
def test_a_signed_table_key_is_refused(key):
    """Cursors once contained the key itself, so that any key could be sent to DynamoDB."""
    answer = ask("listCampaigns", sealed(key))

    assert answer["error"]["code"] == "invalid_request"


@given(actions, places)
def test_a_signed_cursor_is_a_position_or_is_refused(action, place):
    require_an_answer(action, sealed(place))


@given(actions, st.data())
def test_a_damaged_cursor_gets_a_response(action, data):
    genuine = GENUINE[action] or GENUINE["listCampaigns"]
    at = data.draw(st.integers(0, len(genuine)))
    end = data.draw(st.integers(at, len(genuine)))
    put = data.draw(st.text("abcXYZ019-_=+/ \n.", max_size=4))

    require_an_answer(action, genuine[:at] + put + genuine[end:])


@given(st.sampled_from(["listCampaigns", "listActivity"]))
def test_a_cursor_of_another_list_is_refused_with_a_remedy(action):
    [other] = {"listCampaigns", "listActivity"} - {action}

    answer = ask(action, GENUINE[other])

    assert answer["error"]["code"] == "invalid_request"
    assert "omit it" in answer["error"]["message"]

"""Requests are valid, or refused with an error that contains the remedy."""

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.errors import InvalidRequest
from chalicelib.live import protocol
from chalicelib.live.protocol import parse_request

MESSAGES = Path(__file__).parents[1] / "messages"


def refused(text):
    with pytest.raises(InvalidRequest) as caught:
        parse_request(text)
    return caught.value


def test_missing_fields_have_defaults():
    request = parse_request('{"action": "listCampaigns"}')

    assert (request.request_id, request.limit, request.cursor) == (None, 50, None)


_A = "stats/email-campaign/a"
_NO_TOPIC = "invalid_request", "topic"


@pytest.mark.parametrize(
    "path", sorted(MESSAGES.glob("request-*.json")), ids=lambda path: path.stem
)
def test_each_documented_request_is_parsed(path):
    message = json.loads(path.read_text())["message"]
    request = parse_request(json.dumps(message))

    assert request.action == message["action"]
    assert request.request_id == message.get("request_id")


def quiet(**changed):
    hours = {"from": "22:00", "to": "22:00", "zone": "Europe/Zurich", **changed}
    return json.dumps({"action": "setAlarms", "quiet": hours})


@pytest.mark.parametrize(
    ("text", "code", "says"),
    [
        ("", "bad_json", "JSON object"),
        ("hello", "bad_json", "JSON object"),
        ("[" * 20_000, "bad_json", "JSON object"),
        ("[]", "bad_json", "object"),
        ('{"action": "ping", "request_id": NaN}', "bad_json", "JSON object"),
        ('{"action": "ping", "request_id": 1e999}', "bad_json", "JSON object"),
        ('{"action": "ping", "request_id": "\\ud800"}', "bad_json", "JSON object"),
        ('{"action": "\\ud800"}', "bad_json", "JSON object"),
        ("{}", "unknown_action", "subscribe"),
        ('{"action": "fly"}', "unknown_action", '"fly"'),
        ('{"action": ["ping"]}', "unknown_action", "ping"),
        ('{"action": "ping", "request_id": {}}', "invalid_request", "request_id"),
        ('{"action": "ping", "request_id": true}', "invalid_request", "request_id"),
        ('{"action": "subscribe"}', "invalid_request", "stats/email-campaigns"),
        ('{"action": "subscribe", "id": 7}', "invalid_request", "7"),
        ('{"action": "subscribe", "id": "stats/mail"}', "not_found", "stats/mail"),
        ('{"action": "subscribe", "id": "stats/email-campaign/"}', "not_found", "campaign id"),
        ('{"action": "subscribe", "id": "stats/email-campaign/ pipeline"}', "not_found", "topic"),
        (
            '{"action": "get", "id": "stats/email-campaign/%s"}' % ("x" * 257),
            "too_large",
            "256",
        ),
        ('{"action": "listActivity", "id": "stats/health"}', "invalid_request", "campaign topic"),
        (
            '{"action": "listActivity", "id": "stats/email-campaign/a", "type": "Send"}',
            "invalid_request",
            "Open",
        ),
        (
            '{"action": "listActivity", "id": "stats/email-campaign/a", "engager": ["human"]}',
            "invalid_request",
            "machine",
        ),
        (
            '{"action": "listActivity", "id": "stats/email-campaign/a", "bounce_type": "hard"}',
            "invalid_request",
            "Permanent",
        ),
        (
            '{"action": "listActivity", "id": "stats/email-campaign/a", "link": 1}',
            "invalid_request",
            "URL",
        ),
        (
            '{"action": "listRecipients", "id": "stats/email-campaign/a", "state": "seen"}',
            "invalid_request",
            "not_opened",
        ),
        (
            '{"action": "recipientHistory", "id": "stats/email-campaign/a"}',
            "invalid_request",
            "320 characters",
        ),
        (
            '{"action": "listTimelines", "ids": ["stats/email-campaign/a"], "resolution": "day"}',
            "invalid_request",
            "resolution",
        ),
        ('{"action": "listTimelines", "ids": []}', "invalid_request", "1 to 25"),
        (
            '{"action": "listTimelines", "ids": [%s]}' % ('"x",' * 25 + '"x"'),
            "invalid_request",
            "25",
        ),
        ('{"action": "listTimelines", "ids": ["stats/health"]}', "invalid_request", "topic"),
        (
            '{"action": "compare", "ids": ["stats/email-campaign/a"]}',
            "invalid_request",
            "2 to 6",
        ),
        (
            '{"action": "compare", "ids": ["stats/email-campaign/a", "stats/email-campaign/a"]}',
            "invalid_request",
            "different",
        ),
        (
            '{"action": "compareVariants", "id": "stats/email-campaign/a"}',
            "invalid_request",
            "such as variant",
        ),
        ('{"action": "compareVariants", "tag": "variant"}', "invalid_request", "topic"),
        ('{"action": "getUsual", "id": "stats/health"}', "invalid_request", "topic"),
        ('{"action": "setAlarms", "id": "stats/health", "test": true}', "invalid_request", "topic"),
        ('{"action": "setAlarms"}', "invalid_request", "at least one of kinds, snooze_until, test"),
        ('{"action": "setAlarms", "kinds": "bounces"}', "invalid_request", "null or a list"),
        ('{"action": "setAlarms", "kinds": ["opens"]}', "invalid_request", "some of complaints, "),
        ('{"action": "setAlarms", "snooze_until": "soon"}', "invalid_request", "10:00:00Z"),
        ('{"action": "setAlarms", "test": true}', "invalid_request", "the id of a campaign"),
        ('{"action": "createShare", "id": "stats/health"}', "invalid_request", "topic"),
        (
            '{"action": "createShare", "id": "stats/email-campaign/a", "days": 0}',
            "invalid_request",
            "from 1 to 366",
        ),
        (
            '{"action": "createShare", "id": "stats/email-campaign/a", "days": 367}',
            "invalid_request",
            "but is 367",
        ),
        ('{"action": "revokeShare"}', "invalid_request", "a share link of listShares"),
        ('{"action": "revokeShare", "share": ""}', "invalid_request", "a share link of listShares"),
        ('{"action": "addNote", "at": "2026-11-23T10:00:00Z", "text": "a"}', *_NO_TOPIC),
        ('{"action": "removeNote", "id": "stats/health", "note": "a"}', *_NO_TOPIC),
        (f'{{"action": "removeNote", "id": "{_A}"}}', "invalid_request", "the id of a note"),
        ('{"action": "setAlarms", "quiet": "always"}', "invalid_request", '"22:00"'),
        (quiet(), "invalid_request", "quiet.to must be another time"),
        (
            quiet(to="7:00"),
            "invalid_request",
            'quiet.to must be a time of day such as 22:00, but is "7:00"',
        ),
        (quiet(to="24:00"), "invalid_request", "quiet.to"),
        (quiet(to="0\u0667:00"), "invalid_request", "quiet.to must be a time of day"),
        (quiet(to="07:00", zone="UTC+0\u0661:00"), "invalid_request", "quiet.zone"),
        (quiet(to="07:00", zone=None), "invalid_request", "quiet.zone"),
        (quiet(to="07:00", zone="Mars/Base"), "invalid_request", 'UTC+01:00, but is "Mars/Base"'),
        (quiet(to="07:00", zone="Europe"), "invalid_request", "quiet.zone"),
        (quiet(to="07:00", zone="UTC+25:00"), "invalid_request", "quiet.zone"),
        (quiet(to="07:00", except_critical=1), "invalid_request", "true or false"),
        ('{"action": "listCampaigns", "limit": 0}', "invalid_request", "1 to 100"),
        ('{"action": "listCampaigns", "limit": true}', "invalid_request", "1 to 100"),
        ('{"action": "listCampaigns", "cursor": 3}', "invalid_request", "cursor"),
        ('{"action": "listCampaigns", "tag": "variant"}', "invalid_request", "variant=b"),
        ('{"action": "listCampaigns", "query": 3}', "invalid_request", "query"),
        ('{"action": "listCampaigns", "query": "%s"}' % ("x" * 201), "too_large", "200"),
        ('{"action": "searchCampaigns"}', "invalid_request", "query"),
        ('{"action": "searchCampaigns", "query": "%s"}' % ("x" * 201), "too_large", "200"),
        (
            '{"action": "searchCampaigns", "query": "x", "stream": "yes"}',
            "invalid_request",
            "true or false",
        ),
        ('{"action": "ping", "padding": "%s"}' % ("x" * 32_768), "too_large", "32768"),
    ],
)
def test_an_invalid_request_is_refused_with_the_value_and_a_remedy(text, code, says):
    error = refused(text)

    assert error.code == code
    assert says in str(error)
    assert error.reply["error"] == {"code": code, "message": str(error)}


def test_a_refusal_has_the_request_id_and_action_if_readable():
    reply = refused('{"action": "fly", "request_id": "r-1"}').reply

    assert (reply["request_id"], reply["action"]) == ("r-1", "fly")
    assert refused("not JSON").reply["request_id"] is None


def answer_to(text):
    try:
        parse_request(text)
    except InvalidRequest as error:
        return json.loads(json.dumps(error.reply))
    return None


FIELDS = (
    *("id", "ids", "query", "limit", "cursor", "stream", "request_id"),
    *("type", "engager", "link", "bounce_type", "bounce_subtype"),
)
json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
)


@given(
    st.one_of(
        st.text(),
        json_values.map(json.dumps),
        st.fixed_dictionaries(
            {"action": st.sampled_from(sorted(protocol._FIELDS))},
            optional=dict.fromkeys(FIELDS, json_values),
        ).map(json.dumps),
    )
)
def test_any_text_is_parsed_or_raises_invalid_request(text):
    assert answer_to(text) is None or answer_to(text)["error"]["message"]


def note(at="2026-11-23T10:00:00Z", text="Reminder sent"):
    return json.dumps({"action": "addNote", "id": _A, "at": at, "text": text})


@pytest.mark.parametrize(
    "text", ["a", "x" * 280, "👩\u200d💻 <b>&amp;", "\u202ereversed", " Abend "]
)
def test_the_text_of_a_note_is_any_line_of_up_to_280_characters(text):
    assert parse_request(note(text=text)).text == text.strip()


@pytest.mark.parametrize(
    "text",
    ["", " \u3000", "x" * 281, "a\nb", "a\x00b", "\x1b[31mred", "a\u2028b", "\x85", None, 7, []],
)
def test_a_text_of_a_note_that_is_no_line_is_refused(text):
    with pytest.raises(InvalidRequest, match="a string of 1 to 280 characters, in one line"):
        parse_request(note(text=text))


def test_a_refused_text_of_a_note_is_not_echoed():
    with pytest.raises(InvalidRequest) as caught:
        parse_request(note(text="for colleagues\nonly"))

    assert "colleagues" not in str(caught.value)


@pytest.mark.parametrize("name", ["from", "to"])
@pytest.mark.parametrize("day", ["today", "2026-W48-1", "20261123  ", "2026-02-29", 1, None])
def test_a_day_of_a_filter_is_a_date_that_can_be_compared_as_text(name, day):
    request = json.dumps({"action": "listCampaigns", name: day})
    if day is None:
        assert parse_request(request).listing.since is None
        return
    with pytest.raises(InvalidRequest, match=f"{name} must be a date such as 2026-11-23"):
        parse_request(request)


@pytest.mark.parametrize(
    "at", ["today", "2026-11-23", "2026-2-3T10:00:00Z", "2026-02-30T10:00:00Z", 1764000000, None]
)
def test_the_moment_of_a_note_is_a_time_in_utc(at):
    with pytest.raises(InvalidRequest, match="at must be a time such as 2026-11-23T10:00:00Z"):
        parse_request(note(at=at))


def new_share(**members):
    return json.dumps({"action": "createShare", "id": _A, **members})


@pytest.mark.parametrize(
    "name", ["a", "x" * 80, "👩\u200d💻 <b>&amp;", "\u202ereversed", " Kunde ", "", " \u3000"]
)
def test_the_name_of_a_share_link_is_any_line_of_up_to_80_characters(name):
    assert parse_request(new_share(name=name)).name == name.strip()


@pytest.mark.parametrize("members", [{}, {"name": None}])
def test_a_share_link_needs_no_name(members):
    assert parse_request(new_share(**members)).name == ""


@pytest.mark.parametrize(
    ("name", "code", "problem"),
    [
        ("Ada" * 27, "too_large", "the name has 81 characters: shorten it to 80 or fewer"),
        ("Ada\nB", "invalid_request", "character 4 of the name is U+000A: remove it"),
        ("Ada\x00", "invalid_request", "character 4 of the name is U+0000: remove it"),
        ("Ada\u2028B", "invalid_request", "character 4 of the name is U+2028: remove it"),
        (7, "invalid_request", "a string of at most 80 characters, or left out"),
        (["Ada"], "invalid_request", "a string of at most 80 characters, or left out"),
    ],
)
def test_a_bad_name_of_a_share_link_is_refused_without_echoing_it(name, code, problem):
    with pytest.raises(InvalidRequest) as caught:
        parse_request(new_share(name=name))

    assert caught.value.code == code
    assert problem in str(caught.value)
    assert "Ada" not in str(caught.value)

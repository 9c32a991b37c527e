"""An event is the same in every envelope, and no other message is parsed as an event."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support import ses
from support.generate import engagements, others

from chalicelib.errors import NotAnEvent
from chalicelib.ses.event import MAX_ADDRESS, MAX_ID, MAX_TEXT
from chalicelib.ses.parse import parse
from chalicelib.ses.times import is_time

NOT_AFTER = "2026-12-24T00:00:00.000Z"
USUAL = [ses.a_send(), ses.a_delivery(), ses.an_open(), ses.a_click(), ses.a_bounce()]
TYPES = ["Send", "Delivery", "Open", "Click", "Bounce", "Rendering Failure", "Archived"]


def result(body, campaign_tag="campaign"):
    """Return the event, or the reason why the body is not an event."""
    try:
        return parse(body, campaign_tag=campaign_tag, not_after=NOT_AFTER)
    except NotAnEvent as error:
        return error.reason


def with_member(event, path, change):
    """Return the event with the value at a path replaced; `...` removes it."""
    event = json.loads(json.dumps(event))
    *outer, last = path
    inner = event
    for name in outer:
        inner = inner[name]
    changed = change(inner[last])
    if changed is ...:
        del inner[last]
    else:
        inner[last] = changed
    return event


def paths(value, path=()):
    """Yield every path in the event, including list elements."""
    yield path
    if isinstance(value, dict | list):
        for name, inner in value.items() if isinstance(value, dict) else enumerate(value):
            yield from paths(inner, (*path, name))


times = st.one_of(
    st.datetimes().map(lambda moment: moment.isoformat(timespec="milliseconds") + "Z"),
    st.from_regex(r"\A20[12]\d-[01]\d-[0-3]\dT[0-2]\d:[0-6]\d:[0-6]\d\.\d\d\dZ\Z"),
    st.from_regex(r"\A20[12]\d-W?\d\d?-?\d\d?[T ]\d\d:?\d\d:?\d\d[.,]?\d{0,7}(Z|[+-]00(:00)?)?\Z"),
    st.text("0123456789-:T.Z+W", min_size=24, max_size=24),
)
lengths = st.sampled_from([1, 2, 63, 64, 65, 128, 255, 256, 257, 320, 321, 499, 500, 501])
texts = st.one_of(
    times,
    st.text(max_size=5),
    st.builds(str.__mul__, st.sampled_from("aé€🌱 "), lengths),
    st.sampled_from([*TYPES, "\ud83d", "\x00", "Likely", "Unlikely"]),
)
values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | texts,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts, inner, max_size=3),
    max_leaves=5,
)
changes = st.one_of(
    st.just(lambda _: ...),
    values.map(lambda value: lambda _: value),
    values.map(lambda value: lambda found: [value, found]),
    values.map(lambda value: lambda found: [*found, value] if isinstance(found, list) else value),
    st.just(lambda found: [found, found]),
    st.just(lambda found: found + found if isinstance(found, list | str) else found),
)


@st.composite
def mutated(draw):
    """Draw an event with up to three values changed."""
    event = draw(st.one_of(engagements, others, st.sampled_from(USUAL)))
    for _ in range(draw(st.integers(0, 3))):
        places = [path for path in paths(event) if path]
        if places:
            event = with_member(event, draw(st.sampled_from(places)), draw(changes))
    return event


@given(mutated(), st.sampled_from(["campaign", "ses:configuration-set", "ses:source-ip"]))
def test_an_envelope_changes_nothing(event, tag):
    alone = result(json.dumps(event), tag)

    assert result(ses.in_eventbridge(event), tag) == alone
    assert result(ses.in_sns_envelope(json.dumps(event)), tag) == alone


@given(mutated())
def test_a_parsed_event_can_be_stored(event):
    try:
        parsed = parse(json.dumps(event), campaign_tag="campaign", not_after=NOT_AFTER)
    except NotAnEvent as error:
        assert error.reason in {"bad_event", "future_time", "no_event_type", "not_an_object"}
        return

    assert is_time(parsed.at)
    assert is_time(parsed.mail_at)
    assert max(parsed.at, parsed.mail_at) <= NOT_AFTER
    assert all(0 < len(one.encode()) <= MAX_ID for one in (parsed.message_id, parsed.campaign))
    assert all(0 < len(one) <= MAX_ADDRESS for one in parsed.recipients)
    assert len(set(parsed.recipients)) == len(parsed.recipients)
    for shown in (parsed.subject, parsed.sender, parsed.agent, parsed.detail):
        assert shown is None or 0 < len(shown.encode()) <= 4 * MAX_TEXT


@given(times)
def test_a_time_is_stored_in_one_format_or_refused(time):
    parsed = result(json.dumps(ses.an_open(at=time)))

    assert parsed in {"bad_event", "future_time"} if isinstance(parsed, str) else is_time(parsed.at)


@pytest.mark.parametrize(
    ("time", "stored"),
    [
        ("2026-02-29T10:00:00.000Z", "bad_event"),
        ("2026-11-23T10:00:60.000Z", "bad_event"),
        ("2010-12-31T23:59:59.999Z", "bad_event"),
        ("2026-12-24T00:00:00.001Z", "future_time"),
        ("2026-11-23T10:00:00.600+00", "2026-11-23T10:00:00.600Z"),
        ("2026-11-23T10:00:00", "2026-11-23T10:00:00.000Z"),
        ("2026-11-23T10:00:00,000Z", "2026-11-23T10:00:00.000Z"),
        ("0001-01-01T00:00:00+14:00", "bad_event"),
    ],
)
def test_a_time_in_another_format_is_converted(time, stored):
    parsed = result(json.dumps(ses.an_open(at=time)))

    assert (parsed if isinstance(parsed, str) else parsed.at) == stored


@pytest.mark.parametrize("event", USUAL, ids=TYPES[: len(USUAL)])
def test_members_that_ses_adds_change_nothing(event):
    expected = result(ses.raw(event))
    event["mail"] |= {"headers": [{"name": "From", "value": "x"}] * 9, "headersTruncated": False}
    event["mail"]["sourceArn"] = "arn:aws:ses:us-east-1:123456789012:identity/example.com"

    assert result(ses.raw(event)) == expected
    assert not isinstance(expected, str)

"""The quick way into an event and the explicit one agree, whatever arrives."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support import ses
from support.generate import engagements, others

from chalicelib.errors import NotAnEvent
from chalicelib.ses import parse
from chalicelib.ses.usual_events import usual_events

NOT_AFTER = "2026-12-24T00:00:00.000Z"
USUAL = [ses.a_send(), ses.a_delivery(), ses.an_open(), ses.a_click(), ses.a_bounce()]
USUAL_TYPES = ["Send", "Delivery", "Open", "Click", "Bounce"]


def usual_event(body, campaign_tag, not_after):
    """The event by the quick way alone; None where it leaves it to the explicit one."""
    return usual_events(campaign_tag, lambda *_: None)(body, not_after)


def explicit(body, monkeypatch, campaign_tag="campaign"):
    """The event by the explicit checks alone; None where they refuse it."""
    with monkeypatch.context() as patched:
        patched.setattr(parse, "usual_events", lambda _tag, otherwise: otherwise)
        try:
            return parse.reader.__wrapped__(campaign_tag)(body, NOT_AFTER)
        except NotAnEvent:
            return None


@pytest.fixture(scope="module")
def monkeypatch():
    with pytest.MonkeyPatch.context() as patch:
        yield patch


def with_member(event, path, change):
    """The event, with what stands at a path changed; `...` removes it."""
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
    """Every place in the event, into lists too."""
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
    st.sampled_from([*USUAL_TYPES, "Rendering Failure", "\ud83d", "\x00", "Likely", "Unlikely"]),
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
    """An event with none to three places changed."""
    event = draw(st.one_of(engagements, others, st.sampled_from(USUAL)))
    for _ in range(draw(st.integers(0, 3))):
        places = [path for path in paths(event) if path]
        if places:
            event = with_member(event, draw(st.sampled_from(places)), draw(changes))
    return event


@given(mutated(), st.sampled_from(["campaign", "ses:configuration-set", "ses:source-ip"]))
def test_what_the_quick_way_takes_the_explicit_one_reads_alike(monkeypatch, event, tag):
    body = json.dumps(event)

    quick = usual_event(body, tag, NOT_AFTER)

    assert quick is None or quick == explicit(body, monkeypatch, tag)


@given(times)
def test_a_time_that_the_quick_way_takes_is_what_the_explicit_one_makes_of_it(monkeypatch, time):
    body = json.dumps(ses.an_open(at=time))

    quick = usual_event(body, "campaign", NOT_AFTER)

    assert quick is None or quick == explicit(body, monkeypatch)


@given(st.one_of(engagements, others))
def test_what_ses_sends_mostly_goes_the_quick_way(event):
    taken = usual_event(json.dumps(event), "campaign", NOT_AFTER) is not None

    assert taken == (event["eventType"] in USUAL_TYPES)


@pytest.mark.parametrize(
    "time",
    [
        "2026-11-23T24:00:00.000Z",
        "2026-02-29T10:00:00.000Z",
        "2026-11-23T10:00:60.000Z",
        "2026-11-23T10:00:00.6+00",
        "2026-W48-1T10:00:00.000Z",
        "2026-11-23t10:00:00.000Z",
        "2026-11-23T10:00:00,000Z",
        "2026-11-23T10:00:00.00\u0660Z",
        "2010-12-31T23:59:59.999Z",
        "2026-12-24T00:00:00.001Z",
    ],
)
def test_a_time_of_another_form_is_left_to_the_explicit_way(time):
    assert usual_event(json.dumps(ses.a_send(at=time)), "campaign", NOT_AFTER) is None


@pytest.mark.parametrize(
    ("once", "twice"),
    [
        ('"eventType": "Send"', '"eventType": "Open", "eventType": "Send"'),
        ('"eventType": "Send"', '"eventType": "Send", "eventType": "Open"'),
        ('"messageId": "m-1"', '"messageId": "m-0", "messageId": "m-1"'),
        ('"messageId": "m-1"', '"messageId": 7, "messageId": "m-1"'),
        ('"messageId": "m-1"', '"message\\u0049d": "m-2", "messageId": "m-1"'),
        ('"campaign": ["spring"]', '"campaign": ["spring"], "campaign": null'),
        ('"send": {}', '"send": {}, "mail": {}'),
        ('"send": {}', '"send": {}, "x": NaN'),
        ('"send": {}', '"send": {}, "x": "\\ud83d"'),
        ('"send": {}', '"send": {}, "x": 01'),
    ],
)
def test_both_ways_agree_about_names_that_stand_twice_and_json_that_is_none(
    monkeypatch, once, twice
):
    body = json.dumps(ses.a_send())
    assert once in body

    body = body.replace(once, twice)

    assert usual_event(body, "campaign", NOT_AFTER) in (None, explicit(body, monkeypatch))


@pytest.mark.parametrize("event", USUAL, ids=USUAL_TYPES)
def test_a_usual_event_with_all_that_ses_adds_goes_the_quick_way(monkeypatch, event):
    event["mail"] |= {"headers": [{"name": "From", "value": "x"}] * 9, "headersTruncated": False}
    event["mail"]["sourceArn"] = "arn:aws:ses:us-east-1:123456789012:identity/example.com"
    body = ses.raw(event)

    assert usual_event(body, "campaign", NOT_AFTER) == explicit(body, monkeypatch) is not None

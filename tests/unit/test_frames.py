"""No frame exceeds API Gateway's limit, and all frames merge into the message."""

import json
from itertools import pairwise

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from chalicelib.facts.fact import MAX_URL, Fact
from chalicelib.live.frames import MAX_FRAME_BYTES, frames
from chalicelib.live.messages import activity, campaign_entry, campaign_list, campaign_stats, push
from chalicelib.ses.event import MAX_ADDRESS, MAX_ID, MAX_TEXT
from chalicelib.stats.counters import COUNTERS, SUMMARY, Aggregate

LISTS = ("links", "bounces", "campaigns")
RESOLUTIONS = ("minute", "hour", "day")

# One to four bytes in UTF-8, and two or six in JSON.
CHARACTERS = 'aé漢😀"\\\n\x01'


@st.composite
def texts(draw, most=9000):
    return draw(st.sampled_from(CHARACTERS)) * draw(
        st.integers(0, 40) | st.integers(0, most) | st.integers(most - 5, most)
    )


# The longest fits into a frame together with the longest other members.
ELEMENTS = st.lists(
    st.builds(
        lambda number, text: {"version": number, "url": text}, st.integers(0, 9), texts(4900)
    ),
    max_size=12,
)
HEADS = st.fixed_dictionaries(
    {}, optional={"version": st.integers(), "campaign": st.builds(lambda x: {"id": x}, texts(2000))}
)


@st.composite
def bodies(draw):
    """Draw a body with any of the lists, some of them empty."""
    lists = draw(st.fixed_dictionaries({}, optional=dict.fromkeys(LISTS, ELEMENTS)))
    buckets = st.fixed_dictionaries({}, optional=dict.fromkeys(RESOLUTIONS, ELEMENTS))
    timeline = draw(st.fixed_dictionaries({}, optional={"timeline": buckets}))
    return {"$type": "CampaignStats", **draw(HEADS), **timeline, **lists}


@st.composite
def messages(draw):
    """Draw a push or a reply."""
    body = draw(st.sampled_from(["changes", "snapshot", "results", "shares"]))
    members = {"id": "stats/email-campaign/" + draw(texts(250))}
    if body != "changes":
        members |= {"request_id": draw(texts(200) | st.integers()), "action": "get"}
    return {**members, body: draw(ELEMENTS if body in ("results", "shares") else bodies())}


def size(message):
    return len(json.dumps(message, ensure_ascii=False, separators=(",", ":")).encode())


def elements(body):
    """List the elements of a body in order, each with the path of its list."""
    if isinstance(body, list):
        return [((), one) for one in body]
    paths = [("timeline", name) for name in body.get("timeline", {})]
    paths += [(name,) for name in LISTS if name in body]
    return [(path, one) for path in paths for one in at(body, path)]


def at(body, path, *new):
    for name in path:
        body = body.setdefault(name, [] if name == path[-1] else {})
    body += new
    return body


def merged(parts, name):
    """Merge frames into a message, as a client does."""
    whole, *rest = [json.loads(one) for one in parts]
    for part in rest:
        for path, one in elements(part[name]):
            at(whole[name], path, one)
    return {key: value for key, value in whole.items() if key != "more"}


def body_of(message):
    return next(name for name in ("changes", "snapshot", "results", "shares") if name in message)


@settings(suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
@given(messages())
def test_every_frame_fits_and_the_frames_merge_into_the_message(message):
    written = frames(message)
    name = body_of(message)

    assert max(len(one.encode()) for one in written) <= MAX_FRAME_BYTES
    assert merged(written, name) == message
    more = [True] * (len(written) - 1) if name != "changes" else [None] * (len(written) - 1)
    assert [json.loads(one).get("more") for one in written] == [*more, None]


@settings(suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
@given(messages())
def test_each_frame_is_filled_before_the_next_begins(message):
    name = body_of(message)
    parts = [json.loads(one) for one in frames(message)]

    for part, following in pairwise(parts):
        path, element = elements(following[name])[0]
        at(part[name], path, element)
        assert size(part) > MAX_FRAME_BYTES


@pytest.mark.parametrize("name", ["changes", "snapshot", "results"])
@pytest.mark.parametrize("around", [0, 10_000])
def test_an_element_may_exactly_fill_a_frame(name, around):
    def message(*urls):
        found = [{"url": url} for url in urls]
        padding = {"request_id": "x" * around}
        return {**padding, name: found if name == "results" else {"$type": "X", "links": found}}

    more = {} if name == "changes" else {"more": True}
    longest = "x" * (MAX_FRAME_BYTES - size({**message(""), **more}))

    written = frames(message(longest, longest))
    assert [len(one.encode()) for one in written] == [
        MAX_FRAME_BYTES,
        MAX_FRAME_BYTES - len(',"more":true' if more else ""),
    ]

    with pytest.raises(ValueError, match=r"an element of .* bytes in .*: a frame has room for"):
        frames(message(longest, longest + "x"))


def test_an_oversized_element_is_an_error_that_does_not_quote_it():
    secret = "viewer@example.com" * 2000

    for message in (
        {"action": "ping", "padding": secret},
        {"snapshot": {"$type": "X", "padding": secret, "links": [{}, {}]}},
        {"results": [secret, ""]},
    ):
        with pytest.raises(ValueError, match="bytes") as refused:
            frames(message)
        assert "viewer" not in str(refused.value)


def test_the_longest_stored_elements_fit_into_a_frame():
    def longest(most):
        return "\x01" * most  # six bytes each

    counts = dict.fromkeys(COUNTERS, 10**12)
    campaign, text, url = longest(MAX_ID), longest(MAX_TEXT), longest(MAX_URL)
    summary = Aggregate(
        campaign, SUMMARY, 10**12, counts, subject=text, sender=text, first_event_at="x" * 30
    )
    link = Aggregate(campaign, "link#0123456789abcdef", 10**12, counts, url=url)
    fact = Fact(
        campaign=campaign,
        message_id=campaign,
        key="Click",
        mail_at="2026-11-23T10:00:00.000Z",
        type="Click",
        at="2026-11-23T10:00:00.000Z",
        recipient=longest(MAX_ADDRESS),
        link=url,
        detail=text,
    )
    topic = f"stats/email-campaign/{campaign}"

    assert frames(push(topic, campaign_stats([summary, link, link])))
    assert frames(push(topic, campaign_list([campaign_entry(summary)] * 3)))
    assert frames({"request_id": longest(200), "results": [activity(fact)] * 3})

"""A push to a large topic is split into batches that each fit an invocation."""

import json
from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.live.batches import (
    MAX_EVENT_BYTES,
    MOST_VIEWERS,
    Group,
    Push,
    decoded,
    encoded,
    split,
)
from chalicelib.live.frames import MAX_FRAME_BYTES
from chalicelib.live.permissions import Connection

# The size that Lambda bills as one request.
MAX_REQUEST_BYTES = 256 * 1024
LATER = 1_800_000_020.25


def viewers(number, name="viewer", endpoint="a1b2c3/prod"):
    return [Connection(f"{name}-{one}", endpoint, 1_800_000_000 + one) for one in range(number)]


def sent(batches):
    """Return the frames of each connection, over all batches."""
    return Counter(
        (connection.id, frame)
        for batch in batches
        for group in batch.groups
        for connection in group.connections
        for frame in group.frames
    )


frame_lists = st.lists(
    st.tuples(st.sampled_from(['"', "a", "é", "🎉", "\\"]), st.integers(1, 30_000)).map(
        lambda one: one[0] * min(one[1], MAX_FRAME_BYTES // len(one[0].encode()))
    ),
    min_size=1,
    max_size=9,
    unique=True,
)


@given(st.lists(st.tuples(frame_lists, st.integers(1, 1300)), max_size=4))
def test_batches_fit_and_send_each_viewer_the_frames_of_its_group_once(groups):
    push = Push(
        "stats/email-campaigns",
        [
            Group(frames, viewers(number, f"group-{one}"))
            for one, (frames, number) in enumerate(groups)
        ],
    )

    batches = list(split(push))

    assert sent(batches) == sent([push])
    assert set(sent(batches).values()) <= {1}
    for batch in batches:
        assert 0 < batch.viewers <= MOST_VIEWERS
        assert len(encoded(batch, LATER)) < MAX_EVENT_BYTES + 100 < MAX_REQUEST_BYTES


@pytest.mark.parametrize(
    ("number", "sizes"), [(1, [1]), (500, [500]), (501, [500, 1]), (10_000, [500] * 20)]
)
def test_a_batch_has_500_viewers(number, sizes):
    push = Push("stats/health", [Group(["{}"], viewers(number))])

    assert [batch.viewers for batch in split(push)] == sizes
    assert push.messages == number


def test_many_small_groups_share_a_batch():
    """Each agency sees its own part of the list; 600 agencies must not need 600 batches."""
    push = Push(
        "stats/email-campaigns",
        [Group([f'{{"of": {one}}}'], viewers(1, f"agency-{one}")) for one in range(600)],
    )

    assert [batch.viewers for batch in split(push)] == [500, 100]


def test_frames_too_long_for_one_batch_are_split_over_several():
    frames = [str(one) * MAX_FRAME_BYTES for one in range(10)]
    push = Push("stats/email-campaign/spring", [Group(frames, viewers(500))])

    batches = list(split(push))

    assert len(batches) > 1
    assert all(batch.viewers == 500 for batch in batches)
    assert sent(batches) == sent([push])


def test_an_event_contains_each_endpoint_once():
    mixed = viewers(300) + viewers(200, "other", "d4e5f6/prod")

    event = encoded(Push("stats/health", [Group(['{"é": 1}'], mixed)]), LATER)

    assert json.loads(event)["push"]["until"] == LATER
    assert event.count(b"a1b2c3/prod") == event.count(b"d4e5f6/prod") == 1
    assert len(event) < 500 * 32


def test_an_encoded_event_is_decoded_unchanged():
    groups = [Group(["{}", '{"é": "🎉"}'], viewers(3)), Group(["[]"], viewers(2, "guest"))]
    push = Push("stats/email-campaign/spring", groups)

    batch, until = decoded(json.loads(encoded(push, LATER)))

    assert (batch, until) == (push, LATER)

"""A push to viewers, cut into chunks, and a chunk as the event of an invocation."""

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from chalicelib.live.permissions import Connection

# What one invocation pushes to: 77 requests at once (live/fan_out.py), six or seven times.
MOST_VIEWERS = 500

# Lambda bills an event of up to 256 KB as one request, and refuses one of more than 1 MB.
# https://docs.aws.amazon.com/lambda/latest/api/API_Invoke.html
MAX_EVENT_BYTES = 240_000


class Group(NamedTuple):
    """Viewers who may see the same, and the frames that each is sent."""

    frames: Sequence[str]
    connections: Sequence[Connection]


class Push(NamedTuple):
    """What a topic's viewers are sent, or some of them: one who may see it is in one group."""

    topic: str
    groups: Sequence[Group]

    @property
    def viewers(self) -> int:
        """How many are sent something."""
        return sum(len(group.connections) for group in self.groups)

    @property
    def messages(self) -> int:
        """How many messages they are sent together."""
        return sum(len(group.frames) * len(group.connections) for group in self.groups)


def split(push: Push) -> Iterator[Push]:
    """Cut a push into chunks of at most MOST_VIEWERS viewers and MAX_EVENT_BYTES.

    Viewers whose frames are too long for one chunk are in several, with some of the frames each:
    parts of a topic have their own versions, so the order of frames says nothing.
    """
    for chunk in _of_viewers(push):
        yield from _of_bytes(chunk)


def encoded(chunk: Push, until: float) -> bytes:
    """Write a chunk as an event.

    Args:
        chunk: the push.
        until: epoch seconds after which none of its viewers is sent anything any more.

    Returns:
        {"push": {"topic", "until", "groups": [{"frames", "connections": {endpoint: [[id, epoch
        seconds when it connected], …]}}, …]}} as JSON.
    """
    groups = [
        {"frames": group.frames, "connections": _by_endpoint(group.connections)}
        for group in chunk.groups
    ]
    event = {"push": {"topic": chunk.topic, "until": until, "groups": groups}}
    return json.dumps(event, ensure_ascii=False, separators=(",", ":")).encode()


def decoded(event: Mapping[str, Any]) -> tuple[Push, float]:
    """Read the event of a chunk; give the chunk, and until when its viewers are sent something."""
    push = event["push"]
    groups = [
        Group(
            group["frames"],
            [
                Connection(connection_id, endpoint, connected_at)
                for endpoint, rows in group["connections"].items()
                for connection_id, connected_at in rows
            ],
        )
        for group in push["groups"]
    ]
    return Push(push["topic"], groups), push["until"]


def _by_endpoint(connections: Sequence[Connection]) -> dict[str, list[tuple[str, int]]]:
    rows: dict[str, list[tuple[str, int]]] = {}
    for one in connections:
        rows.setdefault(one.endpoint, []).append((one.id, one.connected_at))
    return rows


def _of_viewers(push: Push) -> Iterator[Push]:
    groups: list[Group] = []
    room = MOST_VIEWERS
    for frames, connections in push.groups:
        rest = connections
        while rest:
            groups.append(Group(frames, rest[:room]))
            rest, room = rest[room:], room - len(groups[-1].connections)
            if not room:
                yield Push(push.topic, groups)
                groups, room = [], MOST_VIEWERS
    if groups:
        yield Push(push.topic, groups)


def _of_bytes(chunk: Push) -> Iterator[Push]:
    halves = _halves(chunk.groups)
    if len(halves) == 1 or len(encoded(chunk, until=0)) <= MAX_EVENT_BYTES:
        yield chunk
        return
    for half in halves:
        yield from _of_bytes(Push(chunk.topic, half))


def _halves(groups: Sequence[Group]) -> list[Sequence[Group]]:
    """Halve the groups, the frames of the only one, or its viewers; one viewer's frame is whole."""
    if len(groups) > 1:
        middle = len(groups) // 2
        return [groups[:middle], groups[middle:]]
    [(frames, connections)] = groups
    if len(frames) > 1:
        middle = len(frames) // 2
        return [[Group(one, connections)] for one in (frames[:middle], frames[middle:])]
    if len(connections) > 1:
        middle = len(connections) // 2
        return [[Group(frames, one)] for one in (connections[:middle], connections[middle:])]
    return [groups]

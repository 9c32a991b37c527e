"""Split a push into batches of viewers, and encode a batch as a Lambda event."""

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from chalicelib.live.permissions import Connection

# Viewers per invocation: six or seven rounds of 77 concurrent requests (live/fan_out.py).
MOST_VIEWERS = 500

# Lambda bills an event of up to 256 KB as one request, and rejects one of more than 1 MB.
# https://docs.aws.amazon.com/lambda/latest/api/API_Invoke.html
MAX_EVENT_BYTES = 240_000


class Group(NamedTuple):
    """Viewers with the same permissions, and the frames that each receives."""

    frames: Sequence[str]
    connections: Sequence[Connection]


class Push(NamedTuple):
    """A push to all or some of a topic's viewers; each permitted viewer is in one group."""

    topic: str
    groups: Sequence[Group]

    @property
    def viewers(self) -> int:
        """Number of viewers."""
        return sum(len(group.connections) for group in self.groups)

    @property
    def messages(self) -> int:
        """Number of messages to all viewers together."""
        return sum(len(group.frames) * len(group.connections) for group in self.groups)


def split(push: Push) -> Iterator[Push]:
    """Split a push into batches of at most MOST_VIEWERS viewers and MAX_EVENT_BYTES.

    If the frames of a group exceed one batch, its viewers are in several batches, each with some of
    the frames. Parts of a topic have their own versions, so the order of frames does not matter.
    """
    for chunk in _of_viewers(push):
        yield from _of_bytes(chunk)


def encoded(chunk: Push, until: float) -> bytes:
    """Encode a batch as a Lambda event.

    Args:
        chunk: the batch.
        until: deadline of sending, in epoch seconds.

    Returns:
        {"push": {"topic", "until", "groups": [{"frames", "connections": {endpoint: [[id, connection
        time in epoch seconds], …]}}, …]}} as JSON.
    """
    groups = [
        {"frames": group.frames, "connections": _by_endpoint(group.connections)}
        for group in chunk.groups
    ]
    event = {"push": {"topic": chunk.topic, "until": until, "groups": groups}}
    return json.dumps(event, ensure_ascii=False, separators=(",", ":")).encode()


def decoded(event: Mapping[str, Any]) -> tuple[Push, float]:
    """Decode the event of a batch; return the batch and its deadline in epoch seconds."""
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
    """Halve the groups, or a single group's frames or viewers; one frame to one viewer is whole."""
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

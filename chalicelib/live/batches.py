"""Split a push into batches of viewers, and encode a batch as a Lambda event."""

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from chalicelib.live.permissions import Connection
from chalicelib.live.push import Group, Push

# Viewers per invocation: six or seven rounds of 77 concurrent requests (live/fan_out.py).
MOST_VIEWERS = 500

# Lambda bills an event of up to 256 KB as one request, and rejects one of more than 1 MB.
# https://docs.aws.amazon.com/lambda/latest/api/API_Invoke.html
MAX_EVENT_BYTES = 240_000


def split(push: Push) -> Iterator[Push]:
    """Split a push into batches of at most MOST_VIEWERS viewers and MAX_EVENT_BYTES.

    If the frames of a group exceed one batch, its viewers are in several batches, each with some of
    the frames. Parts of a topic have their own versions, so the order of frames does not matter.
    """
    for batch in _of_viewers(push):
        yield from _of_bytes(batch)


def encoded(batch: Push, until: float) -> bytes:
    """Encode a batch as a Lambda event.

    Args:
        batch: the batch.
        until: deadline of sending, in epoch seconds.

    Returns:
        {"push": {"topic", "until", "groups": [{"frames", "connections": {endpoint: [[id, connection
        time in epoch seconds], …]}}, …]}} as JSON.
    """
    groups = [
        {"frames": group.frames, "connections": _by_endpoint(group.connections)}
        for group in batch.groups
    ]
    event = {"push": {"topic": batch.topic, "until": until, "groups": groups}}
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


def _of_bytes(batch: Push) -> Iterator[Push]:
    halves = _halves(batch.groups)
    if len(halves) == 1 or len(encoded(batch, until=0)) <= MAX_EVENT_BYTES:
        yield batch
        return
    for half in halves:
        yield from _of_bytes(Push(batch.topic, half))


def _halves(groups: Sequence[Group]) -> list[Sequence[Group]]:
    """Halve the groups, or one group's frames or viewers, down to one frame to one viewer."""
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

"""Serialize a message as WebSocket frames within API Gateway's size limit."""

import json
from collections.abc import Iterator
from typing import Any

# API Gateway's frame limit, and the unit in which it bills messages.
# https://docs.aws.amazon.com/apigateway/latest/developerguide/apigateway-execution-service-websocket-limits-table.html
MAX_FRAME_BYTES = 32 * 1024

Message = dict[str, Any]
"""A message of the protocol, ready for JSON serialization."""


_BODIES = ("snapshot", "changes", "results", "shares")
_LISTS = (
    *("links", "bounces", "variants", "providers", "replies", "undelivered"),
    *("incidents", "notes", "activity", "campaigns"),
)

Path = tuple[str, ...]
"""Member names that lead from a body to one of its lists."""


def frames(message: Message) -> list[str]:
    """Serialize a message as one frame, or as several if it exceeds the frame limit.

    Only `results`, `shares` and the lists in `snapshot` and `changes` are split. Each frame is a
    complete message, which the client merges. All but the last frame of a reply have
    `"more": true`.

    Raises:
        ValueError: the message has no such list, or one list element or the members outside lists
            exceed a frame.
    """
    text = _text(message)
    if len(text.encode()) <= MAX_FRAME_BYTES:
        return [text]
    name = next((one for one in _BODIES if one in message), None)
    if name is None:
        raise ValueError(f"a message of {len(text.encode())} bytes that cannot be split")
    more = {} if name == "changes" else {"more": True}
    around = _size({**message, name: {}, **more}) - len("{}")
    *bodies, last = _split(message[name], MAX_FRAME_BYTES - around)
    return [
        *(_text({**message, name: body, **more}) for body in bodies),
        _text({**message, name: last}),
    ]


def _text(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def _size(value: Any) -> int:
    return len(_text(value).encode())


def _split(whole: Any, room: int) -> Iterator[Any]:
    """Split a body's lists into bodies of at most `room` bytes each.

    The first body contains all members that are not lists, and as many list elements as fit.
    """
    body = _Body(_head(whole), room)
    for path, element in _elements(whole):
        if body.add(path, element):
            continue
        yield body.value
        body = _Body({"$type": whole["$type"]} if path else [], room)
        if not body.add(path, element):
            raise ValueError(
                f"an element of {_size(element)} bytes in {'.'.join(path) or 'a list'}: "
                f"a frame has room for {room}"
            )
    yield body.value


def _head(whole: Any) -> Any:
    """Return a body without the elements of its lists; empty lists are kept."""
    if isinstance(whole, list):
        return []
    head = {name: value for name, value in whole.items() if name not in ("timeline", *_LISTS)}
    head |= {name: [] for name in _LISTS if whole.get(name) == []}
    if "timeline" in whole:
        empty = {name: buckets[:] for name, buckets in whole["timeline"].items() if not buckets}
        if empty or not whole["timeline"]:
            head["timeline"] = empty
    return head


def _elements(whole: Any) -> Iterator[tuple[Path, Any]]:
    if isinstance(whole, list):
        yield from (((), element) for element in whole)
        return
    for resolution, buckets in whole.get("timeline", {}).items():
        yield from ((("timeline", resolution), bucket) for bucket in buckets)
    for name in _LISTS:
        yield from (((name,), element) for element in whole.get(name, []))


class _Body:
    """Body of one frame; tracks the remaining room in JSON bytes as elements are added.

    Attributes:
        value: the body.
    """

    def __init__(self, head: Any, room: int) -> None:
        self.value = head
        self._left = room - _size(head)
        if self._left < 0:
            raise ValueError(f"{_size(head)} bytes beside lists: a frame has room for {room}")

    def add(self, path: Path, element: Any) -> bool:
        """Add an element to the list at a path if it fits; return whether it did."""
        size = _size(element)
        place = self.value
        for name in path:
            inner = place.get(name) if place else None
            if inner is None:
                size += _comma(place) + _size(name) + len(":[]")
            place = inner
        size += _comma(place)
        if size > self._left:
            return False
        self._left -= size
        place = self.value
        for name in path:
            place = place.setdefault(name, [] if name == path[-1] else {})
        place.append(element)
        return True


def _comma(place: Any) -> int:
    """Return the number of separator bytes before the next member or element."""
    return len(",") if place else 0

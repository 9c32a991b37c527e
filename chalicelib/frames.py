"""A message → the frames it is sent in, each at most as long as API Gateway lets through."""

import json
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

# API Gateway's frame limit, and the unit in which it bills messages.
# https://docs.aws.amazon.com/apigateway/latest/developerguide/apigateway-execution-service-websocket-limits-table.html
MAX_FRAME_BYTES = 32 * 1024

Message = dict[str, Any]
"""A message of the protocol, ready to be written as JSON."""


def frames(message: Message) -> list[str]:
    """Write a message as one frame, or as several where it is longer than a frame may be.

    Only the lists in `snapshot`, `changes` and `results` are divided; each frame is a message
    by itself, to be merged. All but the last frame of a reply say `"more": true`.
    """
    text = _text(message)
    if len(text.encode()) <= MAX_FRAME_BYTES:
        return [text]
    body = next((name for name in ("snapshot", "changes", "results") if name in message), None)
    if body is None:
        raise ValueError(f"a message of {len(text)} characters that cannot be divided")
    pieces = [{**message, body: piece} for piece in _divided(message[body], _room(message, body))]
    if body != "changes":
        for piece in pieces[:-1]:
            piece["more"] = True
    return [_text(piece) for piece in pieces]


def _text(message: Message) -> str:
    return json.dumps(message, ensure_ascii=False, separators=(",", ":"))


def _room(message: Message, body: str) -> int:
    frame = {**message, body: {}, "more": True}
    return MAX_FRAME_BYTES - len(_text(frame).encode())


def _divided(body: Any, room: int) -> Iterator[Any]:
    """Divide a body's lists over several bodies of at most `room` bytes each."""
    elements = list(_elements(body))
    rest = (
        {name: value for name, value in body.items() if name not in _LISTS}
        if isinstance(body, dict)
        else {}
    )
    fixed = {"$type": body["$type"]} if rest else {}
    piece: list[tuple[tuple[str, ...], Any]] = []
    used = len(_text(rest).encode()) + _SKELETON_BYTES
    for path, element in elements:
        size = len(_text(element).encode()) + 1
        if piece and used + size > room:
            yield _assembled(rest, piece)
            rest, piece = fixed, []
            used = len(_text(rest).encode()) + _SKELETON_BYTES
        piece.append((path, element))
        used += size
    yield _assembled(rest, piece)


_LISTS = ("timeline", "links", "bounces", "campaigns")
_SKELETON_BYTES = 100  # the names of the lists and their brackets


def _elements(body: Any) -> Iterator[tuple[tuple[str, ...], Any]]:
    if isinstance(body, list):
        yield from (((), element) for element in body)
        return
    for resolution, buckets in body.get("timeline", {}).items():
        yield from ((("timeline", resolution), bucket) for bucket in buckets)
    for name in ("links", "bounces", "campaigns"):
        yield from (((name,), element) for element in body.get(name, []))


def _assembled(rest: Mapping[str, Any], piece: Iterable[tuple[tuple[str, ...], Any]]) -> Any:
    body: dict[str, Any] = dict(rest)
    results: list[Any] = []
    for path, element in piece:
        match path:
            case ():
                results.append(element)
            case (name,):
                body.setdefault(name, []).append(element)
            case (outer, inner):
                body.setdefault(outer, {}).setdefault(inner, []).append(element)
    return results or body

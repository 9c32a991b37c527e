"""A place in a list → an opaque text that a client hands back to go on from there."""

import base64
import json
from typing import Any

from chalicelib.errors import InvalidRequest

_MAX_CURSOR = 4000


def seal(place: Any) -> str:
    """Write a place, which is JSON, as a cursor."""
    return base64.urlsafe_b64encode(json.dumps(place, sort_keys=True).encode()).decode()


def open_text(cursor: str) -> str:
    """Read a place that is a text.

    Raises:
        InvalidRequest: the cursor is none of ours.
    """
    place = _opened(cursor)
    if not isinstance(place, str) or not place:
        raise _not_ours(cursor)
    return place


def open_key(cursor: str, names: tuple[str, ...]) -> dict[str, dict[str, str]]:
    """Read a place that is a key of texts, in DynamoDB JSON.

    Raises:
        InvalidRequest: the cursor is none of ours.
    """
    match _opened(cursor):
        case dict(key) if key.keys() == set(names):
            texts = [value.get("S") for value in key.values() if isinstance(value, dict)]
            if len(texts) == len(names) and all(isinstance(one, str) and one for one in texts):
                return key
    raise _not_ours(cursor)


def _opened(cursor: str) -> Any:
    try:
        if len(cursor) > _MAX_CURSOR:
            raise _not_ours(cursor)
        return json.loads(base64.urlsafe_b64decode(cursor.encode()))
    except (ValueError, RecursionError) as error:
        raise _not_ours(cursor) from error


def _not_ours(cursor: str) -> InvalidRequest:
    return InvalidRequest(
        "invalid_request", f"cursor {cursor[:100]!r} is not from an earlier answer: leave it out"
    )

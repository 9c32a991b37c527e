"""Encode a position in a list as an opaque cursor, from which a client continues."""

import base64
import json
import re

from chalicelib.errors import InvalidRequest

_MAX_CURSOR = 4000


def seal(place: str) -> str:
    """Encode a position as a cursor."""
    return base64.urlsafe_b64encode(json.dumps(place, ensure_ascii=False).encode()).decode()


def open_place(cursor: str, form: re.Pattern[str]) -> re.Match[str]:
    """Decode a cursor, which is untrusted input.

    Args:
        cursor: the cursor as the client sent it.
        form: pattern of positions in this list. No other text reaches DynamoDB, which rejects keys
            that are too long or outside the query.

    Raises:
        InvalidRequest: the cursor does not contain a position of that pattern.
    """
    if len(cursor) > _MAX_CURSOR:
        raise _not_ours(cursor)
    try:
        place = json.loads(base64.b64decode(cursor, altchars=b"-_", validate=True))
        place.encode()  # JSON may contain lone surrogates, which a key cannot
    except (ValueError, RecursionError, AttributeError) as error:
        raise _not_ours(cursor) from error
    found = form.fullmatch(place)
    if found is None:
        raise _not_ours(cursor)
    return found


def _not_ours(cursor: str) -> InvalidRequest:
    return InvalidRequest(
        "invalid_request",
        f"cursor {cursor[:100]!r} is not the cursor of an earlier reply: omit it to start over",
    )

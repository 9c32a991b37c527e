"""A place in a list → an opaque text that a client hands back to go on from there."""

import base64
import json
import re

from chalicelib.errors import InvalidRequest

_MAX_CURSOR = 4000


def seal(place: str) -> str:
    """Write a place as a cursor."""
    return base64.urlsafe_b64encode(json.dumps(place).encode()).decode()


def open_place(cursor: str, form: re.Pattern[str]) -> re.Match[str]:
    """Read a cursor, which anybody may have made up or damaged.

    Args:
        cursor: as a client sent it.
        form: the form of the places in this list. No other text reaches DynamoDB, which refuses
            keys that are too long, or outside what is queried.

    Raises:
        InvalidRequest: the cursor holds no place of that form.
    """
    if len(cursor) > _MAX_CURSOR:
        raise _not_ours(cursor)
    try:
        place = json.loads(base64.b64decode(cursor, altchars=b"-_", validate=True))
        place.encode()  # JSON may spell lone surrogates, which no key can hold
    except (ValueError, RecursionError, AttributeError) as error:
        raise _not_ours(cursor) from error
    found = form.fullmatch(place)
    if found is None:
        raise _not_ours(cursor)
    return found


def _not_ours(cursor: str) -> InvalidRequest:
    return InvalidRequest(
        "invalid_request", f"cursor {cursor[:100]!r} is not from an earlier answer: leave it out"
    )

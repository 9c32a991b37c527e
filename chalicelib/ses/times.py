"""The format of times in events and facts: RFC 3339 in UTC with milliseconds."""

import re
from datetime import UTC, date, datetime
from functools import lru_cache

from chalicelib.ses.event import FIRST_YEAR, LAST_YEAR

_FORMAT = r"\d{4}-\d\d-\d\dT(?:[01]\d|2[0-3]):[0-5]\d:[0-5]\d\.\d{3}Z"
_has_format = re.compile(_FORMAT, re.ASCII).fullmatch


def is_time(text: str) -> bool:
    """Return whether a text is a plausible time such as 2026-11-23T10:00:00.000Z."""
    return _has_format(text) is not None and _is_date(text[:10])


def to_utc(text: str) -> str:
    """Return a time in the format that is_time accepts.

    Args:
        text: an ISO 8601 time, in UTC unless it has an offset.

    Raises:
        ValueError: the text is not such a time, or its year is implausible.
    """
    if _has_format(text) and _is_date(text[:10]):  # as SES writes it
        return text
    moment = datetime.fromisoformat(text)
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    try:
        moment = moment.astimezone(UTC)
    except OverflowError as error:  # the offset leads to a year outside 1 to 9999
        raise ValueError("year out of range") from error
    if not FIRST_YEAR <= moment.year <= LAST_YEAR:
        raise ValueError("year out of range")
    return moment.replace(tzinfo=None).isoformat(timespec="milliseconds") + "Z"


@lru_cache(maxsize=1000)  # a batch covers few days
def _is_date(text: str) -> bool:
    try:
        return FIRST_YEAR <= date.fromisoformat(text).year <= LAST_YEAR
    except ValueError:
        return False

"""Format numbers, percentages and times as the page does in English; None is shown as a dash."""

from datetime import UTC, datetime
from decimal import ROUND_HALF_UP, Decimal

DASH = "\N{EN DASH}"
_DAY, _HOUR, _MINUTE = 86_400, 3600, 60
_UNITS = ((_DAY, "d"), (_HOUR, "h"), (_MINUTE, "min"))


def count(value: int | None) -> str:
    """Return a number with thousands separators."""
    return DASH if value is None else f"{value:,}"


def percent(fraction: float | None, digits: int = 1) -> str:
    """Return a fraction of 1 as a percentage.

    Only exactly 0 and 1 are shown as 0% and 100%; values that would be rounded to them get `<` or
    `>`.

    Args:
        fraction: a fraction of 1.
        digits: number of digits after the decimal point.
    """
    if fraction is None:
        return DASH
    step = 10.0 ** -(digits + 2)
    if 0 < fraction < step / 2:
        return f"<{step:.{digits}%}"
    if 1 - step / 2 <= fraction < 1:
        return f">{1 - step:.{digits}%}"
    # JavaScript rounds the shortest decimal, and a half away from 0.
    rounded = Decimal(repr(fraction)).scaleb(2).quantize(Decimal(1).scaleb(-digits), ROUND_HALF_UP)
    return f"{rounded}%"


def parse(at: str) -> datetime:
    """Return a time of the wire contract, RFC 3339."""
    return datetime.fromisoformat(at)


def minute(at: str | None) -> str:
    """Return a time to the minute, such as `2026-11-23 10:00 UTC`."""
    return DASH if at is None else f"{parse(at).astimezone(UTC):%Y-%m-%d %H:%M} UTC"


def second(at: datetime) -> str:
    """Return a time to the second, such as `2026-11-23 10:00:05 UTC`."""
    return f"{at.astimezone(UTC):%Y-%m-%d %H:%M:%S} UTC"


def lasting(seconds: float) -> str:
    """Return a duration in its largest unit, such as `12 min`; negative ones count as 0."""
    whole = max(0, round(seconds))
    return next((f"{whole // size} {unit}" for size, unit in _UNITS if whole >= size), f"{whole} s")


def age(seconds: float) -> str:
    """Return an age in its largest unit, rounded down, such as `42 min`; hours up to two days."""
    unit = _MINUTE if seconds < _HOUR else _HOUR if seconds < 2 * _DAY else _DAY
    return f"{int(max(0, seconds) // unit)} {dict(_UNITS)[unit]}"


def ago(at: str | None, now: datetime) -> str:
    """Return how long ago a time was, such as `3 s ago`."""
    if at is None:
        return DASH
    seconds = round((now - parse(at)).total_seconds())
    return "just now" if seconds <= 0 else f"{lasting(seconds)} ago"


def plain(text: str) -> str:
    """Return a text in which characters that control a terminal or reorder text are replaced.

    Subjects, links and campaign names come from emails.
    """
    return "".join(one if one.isprintable() else "\N{REPLACEMENT CHARACTER}" for one in text)

"""Quiet hours: the times of day at which alarms wait.

A time zone is a name of the IANA database, such as `Europe/Zurich`, or an offset, such as
`UTC+05:30`. Names need the database of the system, which Lambda's runtimes have; offsets do not.
"""

import re
from datetime import UTC, datetime, time, timedelta, timezone, tzinfo

from msgspec import Struct

_TIME = re.compile(r"([01][0-9]|2[0-3]):[0-5][0-9]")
_OFFSET = re.compile(r"UTC(?:([+-])(0[0-9]|1[0-4]):([0-5][0-9]))?")
_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_+-]*(/[A-Za-z0-9_+-]+)*")


class QuietHours(Struct, frozen=True, rename={"begin": "from", "end": "to"}):
    """The hours between two times of day, in a time zone.

    Attributes:
        begin, end: such as `22:00`; if the end is not later, it is on the next day.
        zone: a time zone.
        except_critical: whether messages about critical incidents are sent all the same.
    """

    begin: str
    end: str
    zone: str
    except_critical: bool = True

    def contain(self, at: datetime) -> bool:
        """Return whether a moment is within them.

        Raises:
            ValueError: the time zone is unknown to this system.
        """
        local = at.astimezone(zone_of(self.zone)).time()
        begin, end = time.fromisoformat(self.begin), time.fromisoformat(self.end)
        return begin <= local < end if begin < end else local >= begin or local < end


def is_time_of_day(text: str) -> bool:
    """Return whether a text is a time of day, such as `07:00`."""
    return _TIME.fullmatch(text) is not None


def zone_of(name: str) -> tzinfo:
    """Return a time zone.

    Raises:
        ValueError: there is no such zone, or the system does not know it.
    """
    if found := _OFFSET.fullmatch(name):
        sign, hours, minutes = found.groups()
        if sign is None:
            return UTC
        offset = timedelta(hours=int(hours), minutes=int(minutes))
        return timezone(offset if sign == "+" else -offset)
    from zoneinfo import ZoneInfo  # noqa: PLC0415 - slow to import, and few processes need it

    try:
        if _NAME.fullmatch(name):
            return ZoneInfo(name)
    except (KeyError, OSError) as error:  # OSError: a folder of the database
        raise ValueError(f"unknown time zone {name!r}") from error
    raise ValueError(f"unknown time zone {name!r}")

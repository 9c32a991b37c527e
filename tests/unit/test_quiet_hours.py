"""Quiet hours: the times of day at which alarms wait, in a time zone."""

from datetime import UTC, datetime

import pytest

from chalicelib.stats.incidents import CRITICAL, DONE, KINDS, NO_QUIET_HOURS, Settings, effective
from chalicelib.stats.quiet_hours import QuietHours, zone_of

NIGHT = QuietHours("22:00", "07:00", "Europe/Zurich")
LUNCH = QuietHours("12:00", "13:30", "UTC+05:30")


def at(text):
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


@pytest.mark.parametrize(
    ("hours", "moment", "expected"),
    [
        (NIGHT, "2026-01-10T20:59:59", False),
        (NIGHT, "2026-01-10T21:00:00", True),  # 22:00 in winter
        (NIGHT, "2026-01-11T05:59:59", True),
        (NIGHT, "2026-01-11T06:00:00", False),
        (NIGHT, "2026-07-10T20:00:00", True),  # 22:00 in summer
        (NIGHT, "2026-07-11T05:00:00", False),
        (LUNCH, "2026-01-10T06:29:59", False),
        (LUNCH, "2026-01-10T06:30:00", True),
        (LUNCH, "2026-01-10T08:00:00", False),
    ],
)
def test_hours_are_quiet_from_their_beginning_until_before_their_end(hours, moment, expected):
    assert hours.contain(at(moment)) is expected


@pytest.mark.parametrize(("begin", "end"), [("22:00", "07:00"), ("01:00", "02:30")])
def test_each_minute_of_a_day_without_a_change_of_the_clock_is_quiet_or_not(begin, end):
    hours = QuietHours(begin, end, "America/New_York")
    minutes = [at(f"2026-05-01T{one // 60:02}:{one % 60:02}:00") for one in range(1440)]

    quiet = sum(map(hours.contain, minutes))

    assert quiet == (540 if begin == "22:00" else 90)


@pytest.mark.parametrize(
    "name",
    ["", "Europe", "Europe/", "../etc/passwd", "/etc/localtime", "UTC+15:00", "UTC+1", "Mars/X"],
)
def test_an_unknown_time_zone_is_an_error(name):
    with pytest.raises(ValueError, match="unknown time zone"):
        zone_of(name)


@pytest.mark.parametrize("kind", [*KINDS, DONE])
def test_critical_messages_do_not_wait_unless_that_is_chosen(kind):
    night = at("2026-01-10T23:00:00")

    assert Settings(quiet=NIGHT).is_quiet(kind, night) is (kind not in CRITICAL)
    strict = QuietHours("22:00", "07:00", "UTC", except_critical=False)
    assert Settings(quiet=strict).is_quiet(kind, night)


def test_a_campaign_has_the_quiet_hours_of_all_its_own_or_none():
    of_all = Settings(quiet=NIGHT)

    assert effective(Settings(), of_all).quiet == NIGHT
    assert effective(Settings(quiet=LUNCH), of_all).quiet == LUNCH
    assert effective(Settings(quiet=NO_QUIET_HOURS), of_all).quiet == NO_QUIET_HOURS
    assert not effective(Settings(quiet=NO_QUIET_HOURS), of_all).is_quiet(
        DONE, at("2026-01-10T23:00")
    )

"""Estimate how many more bounces and complaints bring an account to SES's next line.

SES reviews an account, and may pause it, by rates of a *representative volume* of its emails, whose
size it does not disclose: https://docs.aws.amazon.com/ses/latest/dg/faqs-enforcement.html
The model: this volume is what was sent in the last 7 to 60 days. Of these windows, those are
plausible in which our own counts have the rate that SES reports. Each gives an estimate, and the
range of all of them is the uncertainty. Further emails, which would raise it, are not assumed.
"""

import math
from collections.abc import Iterator, Sequence
from statistics import median_low
from typing import Literal

from msgspec import Struct

Kind = Literal["bounces", "complaints"]

# Rates from which SES reviews an account, and from which it may pause its sending.
LINES: dict[Kind, tuple[float, float]] = {"bounces": (0.05, 0.10), "complaints": (0.001, 0.005)}
RATES: dict[Kind, str] = {
    "bounces": "Reputation.BounceRate",
    "complaints": "Reputation.ComplaintRate",
}
"""SES's rates in CloudWatch, as fractions."""
LEAST_DAYS, DAYS = 7, 60
"""The shortest and the longest window: a week has the typical practices of a sender."""

# Definitions differ a little: emails to verified domains are not part of SES's rates, for example.
_AGREES_WITHIN = 0.1
_ROUNDING = 1e-9


class SentDay(Struct, frozen=True):
    """What was sent on a day, and how much of it bounced or was reported as spam.

    Attributes:
        accountable: the emails of which complaints are reported: those to providers with a feedback
            loop. None if that is not known.
    """

    sends: int
    hard_bounces: int
    complaints: int
    accountable: int | None = None


class Window(Struct, frozen=True):
    """The emails of the last days, and their bounces or complaints."""

    emails: int
    events: int


class Runway(Struct, frozen=True):
    """How far an account is from SES's next line.

    Attributes:
        kind: what the rate is of.
        rate: SES's rate, as a fraction.
        line: the next line above the rate; None above both.
        remaining: the most plausible number of further events until the line is reached; None
            if nothing was sent.
        low, high: the range of all plausible numbers.
        is_matched: whether windows were found that have SES's rate. Otherwise all are used.
        is_most: whether the numbers are upper bounds, because SES has reported no complaints, and
            how many of the emails are of providers that would report one is not known.
    """

    kind: Kind
    rate: float
    line: float | None
    remaining: int | None = None
    low: int | None = None
    high: int | None = None
    is_matched: bool = False
    is_most: bool = False


def runway(kind: Kind, rate: float, days: Sequence[SentDay]) -> Runway:
    """Estimate the number of further bounces or complaints until SES's next line.

    Args:
        kind: which.
        rate: SES's rate of the account, as a fraction.
        days: what was sent, the last day first.
    """
    line = next((one for one in LINES[kind] if rate < one), None)
    windows = list(_windows(kind, days))
    if line is None or not windows:
        return Runway(kind, rate, line)
    counts_all = kind == "bounces" or all(day.accountable is not None for day in days)
    if counts_all:
        matching = [one for one in windows if _agrees(one, rate)]
        volumes = [float(one.emails) for one in matching or windows]
    else:
        # How many emails count is not known, but that their complaints have this rate.
        matching = [one for one in windows if rate and _is_possible(one, rate)]
        volumes = [one.events / rate for one in matching] or [float(one.emails) for one in windows]
    return Runway(
        kind,
        rate,
        line,
        remaining=remaining(rate, line, median_low(volumes)),
        low=remaining(rate, line, min(volumes)),
        high=remaining(rate, line, max(volumes)),
        is_matched=bool(matching),
        is_most=not counts_all and not matching,
    )


def remaining(rate: float, line: float, volume: float) -> int:
    """Return the least number of further events with which a volume of emails reaches a line."""
    return max(0, math.ceil((line - rate) * volume - _ROUNDING))


def _windows(kind: Kind, days: Sequence[SentDay]) -> Iterator[Window]:
    """Yield the windows that have emails, from the shortest to the longest."""
    emails = events = 0
    for number, day in enumerate(days[:DAYS], start=1):
        is_counted = kind == "bounces" or day.accountable is None
        emails += day.sends if is_counted else day.accountable or 0
        events += day.hard_bounces if kind == "bounces" else day.complaints
        if emails and number >= min(LEAST_DAYS, len(days)):
            yield Window(emails, events)


def _agrees(window: Window, rate: float) -> bool:
    """Return whether a window has the rate, except for one event or a tenth."""
    expected = rate * window.emails
    return abs(window.events - expected) <= max(1.0, _AGREES_WITHIN * expected)


def _is_possible(window: Window, rate: float) -> bool:
    """Return whether a window has complaints, and enough emails for their rate."""
    return 0 < window.events <= rate * window.emails

"""Which rates are shown, what they leave open, and when one is an alarm.

The rules are those of the page: static/src/rates.js and static/src/reputation.js.
"""

import math
from collections.abc import Mapping
from typing import Any, Literal

from msgspec import Struct

from chalicelib.stats.counters import RATES
from dashboard.deploy.glossary import BOTS, CAMPAIGN, FUNNEL, PROBLEMS_OF_CAMPAIGN
from dashboard.figures import formats

Counts = Mapping[str, int | None]
"""Counters by name; None if an earlier release has counted the campaign."""

# Rates of an account from which Amazon may review it, and from which it may pause its sending.
# https://docs.aws.amazon.com/ses/latest/dg/reputationdashboardmessages.html
_LINES = {
    "bounce": ((0.1, "bounce_1"), (0.05, "bounce_05")),
    "complaint": ((0.005, "complaint_005"), (0.001, "complaint_001")),
}
# The least denominator that supports an alarm.
_ENOUGH = 200
# The 97.5th percentile of the normal distribution, for an interval of 95%.
_Z = 1.959964


class Verdict(Struct, frozen=True):
    """Whether a rate endangers the account's reputation.

    Attributes:
        level: `bad` if it is above a line of SES and the sample supports it; `watch` if it is above
            one, but too few emails support it.
        text: what the page says about it; empty if the level is `ok`.
    """

    level: Literal["ok", "watch", "bad"]
    text: str


def attempted(counts: Counts) -> int | None:
    """Return how many emails SES tried to send; None if that is unknown."""
    return difference(counts["sends"], counts["prevented"])


def denominator(rate: str, counts: Counts) -> int | None:
    """Return the denominator of a rate; None if it is unknown."""
    whole = RATES[rate][1]
    if whole == "attempted":
        return attempted(counts)
    if whole == "observable":
        return difference(counts["deliveries"], counts["unique_private_opens"])
    return counts[whole]


def difference(whole: int | None, part: int | None) -> int | None:
    """Return a difference of two counters; None if either is unknown."""
    return None if whole is None or part is None else whole - part


def missing_event(rate: str, stats: Mapping[str, Any]) -> str | None:
    """Return the kind of event that SES did not report, or not completely; None if there is none.

    Args:
        rate: a rate of sent or delivered emails.
        stats: a campaign's snapshot.
    """
    if rate == "bounce" and missing_event("delivery", stats):
        return "Send"
    part, whole = RATES[rate]
    if stats["rates"][rate] is not None or not stats["counts"][part]:
        return None
    return "Send" if whole == "attempted" else "Delivery"


def shown(rate: str, stats: Mapping[str, Any]) -> float | None:
    """Return a rate as it is shown: there is no bounce rate if sends are missing."""
    if rate == "bounce" and missing_event("delivery", stats):
        return None
    found: float | None = stats["rates"][rate]
    return found


def remarks(stats: Mapping[str, Any]) -> list[str]:
    """Return what the numbers of the funnel leave open, in sentences."""
    counts = stats["counts"]
    found = []
    if counts["prevented"]:
        found.append(FUNNEL["prevented"].format(count=formats.count(counts["prevented"])))
    read, likely, anyone = (stats["rates"][name] for name in ("read", "read_observable", "open"))
    if read is not None and anyone is not None:
        most = max(read, anyone)
        # It is unknown if a privacy proxy opened all emails.
        middle = read if likely is None else min(most, likely)
        low, middle, high = (math.floor(100 * one + 0.5) for one in (read, middle, most))
        text = BOTS["bounds" if likely is None else "range"].format(
            least=low, likely=middle, most=high
        )
        more = BOTS["of_which"].format(points=high - low, most=high) if high > low else ""
        found.append(f"{text} {more}".rstrip())
    tried = attempted(counts) if counts["prevented"] is not None else counts["sends"]
    bounced = sum(counts[f"{kind}_bounces"] for kind in ("hard", "soft", "undetermined"))
    if counts["deliveries"] <= tried < counts["deliveries"] + bounced:
        found.append(PROBLEMS_OF_CAMPAIGN["late_bounces"])
    return found


def verdict(rate: str, counts: Counts) -> Verdict:
    """Return whether a campaign's bounce or complaint rate endangers the account's reputation.

    Args:
        rate: `bounce` or `complaint`.
        counts: the campaign's counters.
    """
    part = counts[RATES[rate][0]] or 0
    if rate == "bounce":
        whole = (counts["sends"] or 0) - (counts["prevented"] or 0)
        known = (counts["deliveries"] or 0) <= whole
    else:
        whole, known = counts["deliveries"] or 0, True
    if not known or whole <= 0:
        return Verdict("ok", "")
    exceeded = [(line, key) for line, key in _LINES[rate] if part / whole > line]
    for line, key in exceeded:
        if whole >= _ENOUGH and lower_bound(part, whole) > line:
            return Verdict("bad", CAMPAIGN[key])
    if not exceeded:
        return Verdict("ok", "")
    few = CAMPAIGN["too_few"].format(count=formats.count(part), total=formats.count(whole))
    return Verdict("watch", few)


def lower_bound(part: int, whole: int) -> float:
    """Return the lower end of the Wilson score interval of a proportion, at 95%."""
    share = part / whole
    middle = share + _Z**2 / (2 * whole)
    # The variance is negative where a numerator exceeds its denominator.
    variance = max(0.0, share * (1 - share) / whole + _Z**2 / (4 * whole**2))
    return max(0.0, (middle - _Z * math.sqrt(variance)) / (1 + _Z**2 / whole))

"""How a campaign does for its age, in words: the `pace` of its snapshot.

The texts of the panel on the page are in the glossary; the sentence is for terminals and reports.
"""

from collections.abc import Mapping
from typing import Any, Literal

from msgspec import Struct

from chalicelib.insight.history import LEAST_DELIVERIES
from dashboard.deploy.glossary import LABELS, PACE
from dashboard.figures.formats import age, count, parse

Stats = Mapping[str, Any]
"""A campaign's snapshot of the wire contract."""

METRICS = ("human_opens", "human_clicks")

_TOO_FEW = "Too few deliveries to compare with earlier campaigns: {have} of {need}."
_AS_USUAL = "As many {metric} as usual after {age}"
_UNUSUAL = "{ratio} times the usual {metric} after {age}"
_SO_FAR = ": {actual}, usually {low} to {high} ({campaigns} earlier campaigns)."
_EXPECTED = "About {expected} {metric} expected within {age} ({low} to {high})."


class Now(Struct, frozen=True):
    """A metric so far, and the interval of what is usual by this age.

    Attributes:
        verdict: whether it is above, in or below that interval.
        ratio: its ratio to what is usual, such as `1.3`.
        text: the verdict in words, with the ratio if it is not usual.
    """

    actual: int
    low: int
    high: int
    verdict: Literal["above", "usual", "below"]
    ratio: str
    text: str

    @property
    def usual(self) -> str:
        """The interval of what is usual."""
        return f"{count(self.low)} to {count(self.high)}"


class Forecast(Struct, frozen=True):
    """What is expected when the emails have an age.

    Attributes:
        share: `expected` as a fraction of the delivered emails; None if that is unknown.
    """

    hours: int
    expected: int
    low: int
    high: int
    share: float | None

    @property
    def is_final(self) -> bool:
        """Whether the emails have reached the age, so that nothing can be added."""
        return self.low == self.high

    @property
    def interval(self) -> str:
        """The interval of the number."""
        return f"{count(self.low)} to {count(self.high)}"

    @property
    def text(self) -> str:
        """The number with its interval, such as `542 (460 to 610)`."""
        return count(self.expected) + ("" if self.is_final else f" ({self.interval})")


class Metric(Struct, frozen=True):
    """What is known of human opens or human clicks.

    Attributes:
        name: its name on the wire.
        label: its heading.
        now: None if it is too early to tell.
        forecasts: the nearest first; an age is left out if nothing can be said of it.
    """

    name: str
    label: str
    now: Now | None
    forecasts: tuple[Forecast, ...]

    def after(self, hours: int) -> Forecast | None:
        """Return the forecast at an age; None if there is none."""
        return next((one for one in self.forecasts if one.hours == hours), None)


class Pace(Struct, frozen=True):
    """How a campaign does for its age.

    Attributes:
        sentence: the most important of it; empty before the first event.
        metrics: human opens and human clicks; none while nothing can be said of either.
        hours: the ages of the forecasts.
        campaigns: the number of earlier campaigns that it is compared with.
        at: the moment for which it was computed; None while nothing can be said.
    """

    sentence: str
    metrics: tuple[Metric, ...] = ()
    hours: tuple[int, ...] = ()
    campaigns: int = 0
    at: str | None = None


def pace(stats: Stats) -> Pace:
    """Return how a campaign does for its age."""
    first, found = stats["campaign"]["first_event_at"], stats.get("pace")
    if first is None:
        return Pace("")
    if found is None:
        return Pace(PACE["none"])
    if "needed" in found:
        have, need = count(found["campaigns"]), count(found["needed"])
        return Pace(PACE["too_few"].format(count=have, needed=need))
    deliveries = stats["counts"]["deliveries"]
    metrics = tuple(_metric(name, found, deliveries) for name in METRICS)
    if not any(one.now or one.forecasts for one in metrics):
        few = deliveries is not None and deliveries < LEAST_DELIVERIES
        text = _TOO_FEW.format(have=count(deliveries), need=LEAST_DELIVERIES)
        return Pace(text if few else PACE["too_early"])
    seconds = (parse(found["at"]) - parse(first)).total_seconds()
    return Pace(
        _sentence(metrics, age(seconds), found["campaigns"]),
        metrics,
        tuple(one["hours"] for one in found["forecast"]),
        found["campaigns"],
        found["at"],
    )


def _metric(name: str, found: Mapping[str, Any], deliveries: int | None) -> Metric:
    forecasts = tuple(
        _forecast(one["hours"], one[name], deliveries) for one in found["forecast"] if name in one
    )
    return Metric(name, LABELS[name], _now(found[name]) if name in found else None, forecasts)


def _now(found: Mapping[str, int]) -> Now:
    actual, expected, low, high = (found[one] for one in ("actual", "expected", "low", "high"))
    ratio = f"{actual / expected:,.1f}" if expected else ""
    if low <= actual <= high:
        return Now(actual, low, high, "usual", ratio, PACE["usual"])
    verdict: Literal["above", "below"] = "above" if actual > high else "below"
    return Now(actual, low, high, verdict, ratio, PACE[verdict].format(ratio=ratio))


def _forecast(hours: int, found: Mapping[str, int], deliveries: int | None) -> Forecast:
    expected = found["expected"]
    share = min(1.0, expected / deliveries) if deliveries else None
    return Forecast(hours, expected, found["low"], found["high"], share)


def _sentence(metrics: tuple[Metric, ...], at_age: str, campaigns: int) -> str:
    """Return the sentence about the first metric that is not as usual, otherwise about the first.

    It ends with the metric's nearest forecast that is not final.
    """
    known = [one for one in metrics if one.now]
    unusual = [one for one in known if one.now and one.now.verdict != "usual"]
    chosen = next(iter([*unusual, *known, *(one for one in metrics if one.forecasts)]))
    ahead = next((one for one in chosen.forecasts if not one.is_final), None)
    parts = [_compared(chosen, at_age, campaigns)]
    if ahead is not None:
        numbers = {name: count(getattr(ahead, name)) for name in ("expected", "low", "high")}
        metric = chosen.label.lower()
        parts.append(_EXPECTED.format(metric=metric, age=age(ahead.hours * 3600), **numbers))
    return " ".join(parts)


def _compared(metric: Metric, at_age: str, campaigns: int) -> str:
    now = metric.now
    if now is None:
        return PACE["too_early"]
    head = _AS_USUAL if now.verdict == "usual" else _UNUSUAL
    words = head.format(ratio=now.ratio, metric=metric.label.lower(), age=at_age)
    numbers = {name: count(getattr(now, name)) for name in ("actual", "low", "high")}
    return words + _SO_FAR.format(campaigns=campaigns, **numbers)

"""Compare the counters of each UTC day with SES's own metrics, and explain the differences.

Mailpulse counts the events that SES publishes to its topic. SES counts by itself, by definitions
that differ in part. Each cause of a difference contributes an amount between two bounds to
ours minus SES's; what lies outside the sum of the bounds is unexplained.
"""

from collections.abc import Iterable, Sequence

from msgspec import Struct
from msgspec.structs import replace

from chalicelib.insight.day_counts import (
    METRICS,
    Known,
    Metric,
    OurDay,
    Source,
    TheirDay,
    day_after,
)
from chalicelib.insight.difference_causes import Cause, CauseName, causes_of

# Times of bounces and complaints are those of the receiving server or provider, so SES may count
# them a day later. All other times are SES's own.
_REPORTED = {"bounces", "hard_bounces", "soft_bounces", "complaints"}
# These concern the same events on each day.
_OF_ANY_DAY = {"waiting", "dead_letters", "quarantined"}


class Comparison(Struct, frozen=True):
    """Our count beside SES's.

    Attributes:
        day: such as `2026-11-28`; None for the sum of all days.
        theirs: SES's count; None if SES has not published the metric on any day.
        causes: the causes that contribute, without those that cannot.
        unexplained: the part of the difference that no cause explains; positive if we counted more.
    """

    source: Source
    metric: str
    day: str | None
    ours: int
    theirs: int | None
    causes: Sequence[Cause] = ()
    unexplained: int = 0

    @property
    def difference(self) -> int:
        """Ours minus SES's; 0 if SES has not published the metric."""
        return 0 if self.theirs is None else self.ours - self.theirs

    def is_within(self, tolerance: float) -> bool:
        """Return whether the unexplained part is at most this fraction of SES's count."""
        return abs(self.unexplained) <= tolerance * (self.theirs or 0)


def reconcile(days: Sequence[str], known: Known) -> list[Comparison]:
    """Compare all metrics of all sources: for each metric, the sum and then each day.

    Args:
        days: consecutive days that are over; at least one.
        known: what is known about them.
    """
    return [
        one
        for source in known.theirs
        for metric in METRICS[source]
        for one in _of_metric(source, metric, days, known)
    ]


def is_published(days: Sequence[str], known: Known) -> bool:
    """Return whether CloudWatch has any of SES's metrics of these days, or needs none."""
    theirs = known.theirs["cloudwatch"]
    return any(theirs.get(day, TheirDay()).counts for day in days) or not any(
        metric.ours(known.ours.get(day, OurDay()).counts)
        for metric in METRICS["cloudwatch"]
        for day in days
    )


def _of_metric(
    source: Source, metric: Metric, days: Sequence[str], known: Known
) -> list[Comparison]:
    theirs = known.theirs[source]
    # What SES counted a day later is found on the day after the last one.
    around = [day_after(days[0], -1), *days, day_after(days[-1])]
    compared = [
        Comparison(
            source,
            metric.name,
            day,
            metric.ours(known.ours.get(day, OurDay()).counts),
            theirs.get(day, TheirDay()).counts.get(metric.name),
        )
        for day in around
    ]
    inside = compared[1:-1]
    if all(one.theirs is None for one in inside):
        # CloudWatch has no values of what did not happen, such as rejects on most days.
        ours = sum(one.ours for one in inside)
        theirs_of_none = None if ours else 0
        total = Comparison(source, metric.name, None, ours, theirs_of_none)
        return [total, *(replace(one, theirs=theirs_of_none) for one in inside)]
    explained = [
        explain(
            replace(one, theirs=one.theirs or 0), causes_of(source, metric, one.day or "", known)
        )
        for one in compared
    ]
    if metric.name in _REPORTED:
        explained = balance(explained)
    return [total_of(explained[1:-1]), *explained[1:-1]]


def explain(compared: Comparison, causes: Iterable[Cause]) -> Comparison:
    """Return a comparison with the causes that can contribute, and the rest."""
    contributing = [one for one in causes if one.low or one.high]
    low = sum(one.low for one in contributing)
    high = sum(one.high for one in contributing)
    rest = compared.difference - min(max(compared.difference, low), high)
    return replace(compared, causes=contributing, unexplained=rest)


def balance(days: Sequence[Comparison]) -> list[Comparison]:
    """Explain what we counted on one day, and SES on the next one, on both days.

    Args:
        days: comparisons of consecutive days.
    """
    result = list(days)
    for today, tomorrow in zip(range(len(days)), range(1, len(days)), strict=False):
        moved = min(result[today].unexplained, -result[tomorrow].unexplained)
        if moved > 0:
            result[today] = _moved(result[today], moved)
            result[tomorrow] = _moved(result[tomorrow], -moved)
    return result


def _moved(compared: Comparison, amount: int) -> Comparison:
    cause = Cause("reported_later", amount, amount)
    return replace(
        compared,
        causes=[*compared.causes, cause],
        unexplained=compared.unexplained - amount,
    )


def total_of(days: Sequence[Comparison]) -> Comparison:
    """Return the comparison of the sums of consecutive days.

    What moved over a midnight between two of them changes no sum.
    """
    by_name: dict[CauseName, list[Cause]] = {}
    for place, day in enumerate(days):
        for cause in day.causes:
            one = cause
            if cause.name == "around_midnight":
                is_last = place == len(days) - 1
                one = replace(
                    cause, low=0 if place else cause.low, high=cause.high if is_last else 0
                )
            by_name.setdefault(one.name, []).append(one)
    total = Comparison(
        days[0].source,
        days[0].metric,
        None,
        sum(day.ours for day in days),
        sum(day.theirs or 0 for day in days),
    )
    return explain(total, [_sum(name, causes) for name, causes in by_name.items()])


def _sum(name: CauseName, causes: Sequence[Cause]) -> Cause:
    lows, highs = [one.low for one in causes], [one.high for one in causes]
    if name in _OF_ANY_DAY:
        return Cause(name, min(lows), max(highs))
    return Cause(name, sum(lows), sum(highs))

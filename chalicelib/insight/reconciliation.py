"""Compare the counters of each UTC day with SES's own metrics, and explain the differences.

Mailpulse counts the events that SES publishes to its topic. SES counts by itself, by definitions
that differ in part. Each cause of a difference contributes an amount between two bounds to
ours minus SES's; what lies outside the sum of the bounds is unexplained.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import UTC, date, datetime, time, timedelta
from typing import Literal

from msgspec import Struct, field
from msgspec.structs import replace

Source = Literal["cloudwatch", "vdm"]
"""CloudWatch's metrics of an account, or those of Virtual Deliverability Manager."""

Counts = Mapping[str, int]
ByDay = Mapping[str, Counts]
"""Counts by day, such as `2026-11-28`."""

CauseName = Literal[
    "several_recipients",
    "repeated_reports",
    "simulator",
    "suppressed",
    "not_spam",
    "automatic_replies",
    "undetermined",
    "around_midnight",
    "reported_later",
    "waiting",
    "dead_letters",
    "quarantined",
    "other_configuration_sets",
    "before_the_first_event",
]


class Metric(Struct, frozen=True):
    """What is compared.

    Attributes:
        name: `sends`, for example.
        ses: SES's name of the metric.
        counters: the counters whose sum SES's metric corresponds to.
    """

    name: str
    ses: str
    counters: tuple[str, ...]

    def ours(self, counts: Counts) -> int:
        """Return our count; a negative counter counts as 0, as it is shown."""
        return sum(max(0, counts.get(one, 0)) for one in self.counters)


BOUNCES = ("hard_bounces", "soft_bounces", "undetermined_bounces", "prevented")
COMPLAINTS = ("complaints", "complaints_not_spam", "complaints_prevented")

METRICS: Mapping[Source, Sequence[Metric]] = {
    # https://docs.aws.amazon.com/ses/latest/dg/event-publishing-retrieving-cloudwatch.html
    "cloudwatch": (
        Metric("sends", "Send", ("sends",)),
        Metric("deliveries", "Delivery", ("deliveries",)),
        Metric("bounces", "Bounce", BOUNCES),
        Metric("complaints", "Complaint", COMPLAINTS),
        Metric("rejects", "Reject", ("rejects",)),
        Metric("rendering_failures", "RenderingFailure", ("rendering_failures",)),
        Metric("opens", "Open", ("opens",)),
        Metric("clicks", "Click", ("clicks",)),
    ),
    # https://docs.aws.amazon.com/ses/latest/APIReference-V2/API_BatchGetMetricDataQuery.html
    "vdm": (
        Metric("sends", "SEND", ("sends",)),
        Metric("deliveries", "DELIVERY", ("deliveries",)),
        Metric("hard_bounces", "PERMANENT_BOUNCE", ("hard_bounces",)),
        Metric("soft_bounces", "TRANSIENT_BOUNCE", ("soft_bounces",)),
        Metric("complaints", "COMPLAINT", ("complaints",)),
        Metric("unique_opens", "OPEN", ("unique_opens",)),
        Metric("unique_clicks", "CLICK", ("unique_clicks",)),
    ),
}

ENGAGEMENT_METRICS = {"unique_opens", "unique_clicks"}
"""The metrics that VDM has only if its engagement tracking is on."""

# Times of bounces and complaints are those of the receiving server or provider, so SES may count
# them a day later. All other times are SES's own.
_REPORTED = {"bounces", "hard_bounces", "soft_bounces", "complaints"}
# VDM's metrics of the same events, by CloudWatch's.
_IN_VDM = {
    "sends": ("sends",),
    "deliveries": ("deliveries",),
    "bounces": ("hard_bounces", "soft_bounces"),
    "complaints": ("complaints",),
    "opens": ("unique_opens",),
    "clicks": ("unique_clicks",),
}
_IN_CLOUDWATCH = {one: metric for metric, names in _IN_VDM.items() for one in names}
# VDM counts only unique ones of these, so that the others of other configuration sets are unknown.
_UNIQUE_IN_VDM = {"opens", "clicks"}
# How much later than an event SES may count it, if it counts it on the next day.
_FIRST_MINUTES = time(0, 15)
# These concern the same events on each day.
_OF_ANY_DAY = {"waiting", "dead_letters", "quarantined"}


class Cause(Struct, frozen=True):
    """A cause of a difference: it contributes between `low` and `high` to ours minus SES's."""

    name: CauseName
    low: int
    high: int


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


class OurDay(Struct, frozen=True):
    """What we counted on a day, and in its last hour, by counter."""

    counts: Counts = field(default_factory=dict)
    last_hour: Counts = field(default_factory=dict)


class TheirDay(Struct, frozen=True):
    """What SES counted on a day, and in its first minutes, by metric."""

    counts: Counts = field(default_factory=dict)
    first_minutes: Counts = field(default_factory=dict)


class Emails(Struct, frozen=True):
    """What only the facts tell of the emails of each day. All counts are by counter, except events.

    Attributes:
        several: what emails to several recipients count.
        simulator: what emails to one recipient, in SES's mailbox simulator, count.
        automatic_replies: bounces that are automatic replies.
        extra: by CloudWatch's metric, what we count beyond SES's events, because an event names
            several recipients.
        repeated: by CloudWatch's metric, events that we do not count, because an earlier one has
            reported the same.
    """

    several: ByDay = field(default_factory=dict)
    simulator: ByDay = field(default_factory=dict)
    automatic_replies: ByDay = field(default_factory=dict)
    extra: ByDay = field(default_factory=dict)
    repeated: ByDay = field(default_factory=dict)


class Known(Struct, frozen=True):
    """What is known about the days to compare.

    Attributes:
        ours: what we counted, including the days before the first one and after the last one, as
            far as they are over.
        theirs: SES's counts by source, of the same days.
        emails: what the facts tell.
        elsewhere: what SES counted for other configuration sets, by VDM's metric.
        waiting: number of events in the queue.
        waiting_since: first day on which these events may have happened; None for any.
        dead_letters: number of messages in the dead-letter queue.
        quarantined: number of stored events that could not be counted.
        first_day: the day of our first event; None if there was none.
        unsettled: the first day of which SES's first minutes may not be complete yet; None if
            there is none.
    """

    ours: Mapping[str, OurDay]
    theirs: Mapping[Source, Mapping[str, TheirDay]]
    emails: Emails = Emails()
    elsewhere: ByDay = field(default_factory=dict)
    waiting: int = 0
    waiting_since: str | None = None
    dead_letters: int = 0
    quarantined: int = 0
    first_day: str | None = None
    unsettled: str | None = None


def days_between(first: date, last: date) -> list[str]:
    """Return the days from the first to the last one, both included."""
    return [
        (first + timedelta(days=number)).isoformat() for number in range((last - first).days + 1)
    ]


def day_after(day: str, days: int = 1) -> str:
    """Return the day that many days after another one."""
    return (date.fromisoformat(day) + timedelta(days=days)).isoformat()


def their_days(points: Mapping[str, Iterable[tuple[float, float]]]) -> dict[str, TheirDay]:
    """Return CloudWatch's values by day and by our names of the metrics.

    Args:
        points: by SES's name of the metric, values of at most 15 minutes by their time in epoch
            seconds.
    """
    counts: dict[str, dict[str, int]] = {}
    first: dict[str, dict[str, int]] = {}
    for metric in METRICS["cloudwatch"]:
        for at, value in points.get(metric.ses, ()):
            begins = datetime.fromtimestamp(at, UTC)
            day = begins.date().isoformat()
            _add(counts, day, metric.name, round(value))
            if begins.time() < _FIRST_MINUTES:
                _add(first, day, metric.name, round(value))
    return {day: TheirDay(found, first.get(day, {})) for day, found in counts.items()}


def _add(counts: dict[str, dict[str, int]], day: str, name: str, amount: int) -> None:
    of_day = counts.setdefault(day, {})
    of_day[name] = of_day.get(name, 0) + amount


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
        explain(one, _causes(metric, one, known))
        for one in (replace(one, theirs=one.theirs or 0) for one in compared)
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


def _causes(metric: Metric, compared: Comparison, known: Known) -> Iterator[Cause]:
    """Yield the causes of a difference on a day."""
    day = compared.day or ""
    yield from (_in_cloudwatch if compared.source == "cloudwatch" else _in_vdm)(
        metric, compared, known
    )
    yield _around_midnight(metric, compared, known)
    if known.waiting_since is None or day >= known.waiting_since:
        yield Cause("waiting", -known.waiting, 0)
    yield Cause("dead_letters", -known.dead_letters, 0)
    yield Cause("quarantined", -known.quarantined, 0)
    if known.first_day is not None and day <= known.first_day:
        yield Cause("before_the_first_event", -(compared.theirs or 0), 0)


def _in_cloudwatch(metric: Metric, compared: Comparison, known: Known) -> Iterator[Cause]:
    """Yield the causes of differences from metrics whose definition AWS does not give in detail."""
    day = compared.day or ""
    counts, emails = known.ours.get(day, OurDay()).counts, known.emails
    yield Cause("several_recipients", 0, emails.extra.get(day, {}).get(metric.name, 0))
    yield Cause("repeated_reports", -emails.repeated.get(day, {}).get(metric.name, 0), 0)
    yield Cause("simulator", 0, metric.ours(emails.simulator.get(day, {})))
    yield Cause("automatic_replies", 0, metric.ours(emails.automatic_replies.get(day, {})))
    suppressed = {"bounces": "prevented", "complaints": "complaints_prevented"}
    yield Cause("suppressed", 0, max(0, counts.get(suppressed.get(metric.name, ""), 0)))
    if metric.name == "complaints":
        yield Cause("not_spam", 0, max(0, counts.get("complaints_not_spam", 0)))
    elsewhere = known.elsewhere.get(day, {})
    others = sum(elsewhere.get(one, 0) for one in _IN_VDM.get(metric.name, ()))
    if others and metric.name in _UNIQUE_IN_VDM:
        others = compared.theirs or 0
    yield Cause("other_configuration_sets", -others, 0)


def _in_vdm(metric: Metric, compared: Comparison, known: Known) -> Iterator[Cause]:
    """Yield the causes of differences from metrics that leave out certain emails."""
    day = compared.day or ""
    counts, emails = known.ours.get(day, OurDay()).counts, known.emails
    several = metric.ours(emails.several.get(day, {}))
    yield Cause("several_recipients", several, several)
    simulator = metric.ours(emails.simulator.get(day, {}))
    yield Cause("simulator", simulator, simulator)
    yield Cause("automatic_replies", 0, metric.ours(emails.automatic_replies.get(day, {})))
    if metric.name == "complaints":
        yield Cause("not_spam", -max(0, counts.get("complaints_not_spam", 0)), 0)
    if metric.name == "soft_bounces":
        yield Cause("undetermined", -max(0, counts.get("undetermined_bounces", 0)), 0)


def _around_midnight(metric: Metric, compared: Comparison, known: Known) -> Cause:
    """Return what SES may have counted on the day after the one on which it happened."""
    before = day_after(compared.day or "", -1)
    in_cloudwatch = _IN_CLOUDWATCH.get(metric.name, metric.name)

    def moved(day: str) -> int:
        last = metric.ours(known.ours.get(day, OurDay()).last_hour)
        after = day_after(day)
        if known.unsettled is not None and after >= known.unsettled:
            return last
        first = known.theirs["cloudwatch"].get(after, TheirDay()).first_minutes
        return min(last, first.get(in_cloudwatch, 0))

    return Cause("around_midnight", -moved(before), moved(compared.day or ""))

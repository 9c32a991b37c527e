"""The counts of UTC days: ours, and SES's own, and the metrics that both have.

SES counts by itself, by definitions that differ from ours in part.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, date, datetime, time, timedelta
from typing import Literal

from msgspec import Struct, field

Source = Literal["cloudwatch", "vdm"]
"""CloudWatch's metrics of an account, or those of Virtual Deliverability Manager."""

Counts = Mapping[str, int]
ByDay = Mapping[str, Counts]
"""Counts by day, such as `2026-11-28`."""

# How much later than an event SES may count it, if it counts it on the next day.
_FIRST_MINUTES = time(0, 15)


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

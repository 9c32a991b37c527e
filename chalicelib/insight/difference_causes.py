"""The causes of differences between our counts of a day and SES's, with bounds for each."""

from collections.abc import Iterator
from typing import Literal

from msgspec import Struct

from chalicelib.insight.day_counts import Known, Metric, OurDay, Source, TheirDay, day_after

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


class Cause(Struct, frozen=True):
    """A cause of a difference: it contributes between `low` and `high` to ours minus SES's."""

    name: CauseName
    low: int
    high: int


def causes_of(source: Source, metric: Metric, day: str, known: Known) -> Iterator[Cause]:
    """Yield the causes of a difference on a day."""
    theirs = known.theirs[source].get(day, TheirDay()).counts.get(metric.name, 0)
    if source == "cloudwatch":
        yield from _in_cloudwatch(metric, day, known)
        yield Cause("other_configuration_sets", -_elsewhere(metric, day, theirs, known), 0)
    else:
        yield from _in_vdm(metric, day, known)
    yield _around_midnight(metric, day, known)
    if known.waiting_since is None or day >= known.waiting_since:
        yield Cause("waiting", -known.waiting, 0)
    yield Cause("dead_letters", -known.dead_letters, 0)
    yield Cause("quarantined", -known.quarantined, 0)
    if known.first_day is not None and day <= known.first_day:
        yield Cause("before_the_first_event", -theirs, 0)


def _in_cloudwatch(metric: Metric, day: str, known: Known) -> Iterator[Cause]:
    """Yield the causes of differences from metrics whose definition AWS does not give in detail."""
    counts, emails = known.ours.get(day, OurDay()).counts, known.emails
    yield Cause("several_recipients", 0, emails.extra.get(day, {}).get(metric.name, 0))
    yield Cause("repeated_reports", -emails.repeated.get(day, {}).get(metric.name, 0), 0)
    yield Cause("simulator", 0, metric.ours(emails.simulator.get(day, {})))
    yield Cause("automatic_replies", 0, metric.ours(emails.automatic_replies.get(day, {})))
    suppressed = {"bounces": "prevented", "complaints": "complaints_prevented"}
    yield Cause("suppressed", 0, max(0, counts.get(suppressed.get(metric.name, ""), 0)))
    if metric.name == "complaints":
        yield Cause("not_spam", 0, max(0, counts.get("complaints_not_spam", 0)))


def _elsewhere(metric: Metric, day: str, theirs: int, known: Known) -> int:
    """Return how many of SES's events are at most of other configuration sets."""
    counts = known.elsewhere.get(day, {})
    others = sum(counts.get(one, 0) for one in _IN_VDM.get(metric.name, ()))
    return theirs if others and metric.name in _UNIQUE_IN_VDM else min(theirs, others)


def _in_vdm(metric: Metric, day: str, known: Known) -> Iterator[Cause]:
    """Yield the causes of differences from metrics that leave out certain emails."""
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


def _around_midnight(metric: Metric, day: str, known: Known) -> Cause:
    """Return what SES may have counted on the day after the one on which it happened."""
    before = day_after(day, -1)
    in_cloudwatch = _IN_CLOUDWATCH.get(metric.name, metric.name)

    def moved(day: str) -> int:
        last = metric.ours(known.ours.get(day, OurDay()).last_hour)
        after = day_after(day)
        if known.unsettled is not None and after >= known.unsettled:
            return last
        first = known.theirs["cloudwatch"].get(after, TheirDay()).first_minutes
        return min(last, first.get(in_cloudwatch, 0))

    return Cause("around_midnight", -moved(before), moved(day))

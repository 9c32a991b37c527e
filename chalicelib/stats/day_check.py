"""Compare a day with SES's own metrics, once it is over, within the time of a health check.

This is `reconcile` without what takes long or needs further permissions: the facts, Virtual
Deliverability Manager, and tenants.
"""

from collections import Counter
from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from itertools import islice

from msgspec import Struct

from chalicelib.aws.ses_metrics import SesMetrics
from chalicelib.errors import AwsError, trace
from chalicelib.insight import runway
from chalicelib.insight.day_counts import (
    Counts,
    Emails,
    Known,
    OurDay,
    TheirDay,
    day_after,
    days_between,
)
from chalicelib.insight.reconciliation import is_published, reconcile
from chalicelib.insight.runway import SentDay
from chalicelib.log import log
from chalicelib.stats import daily
from chalicelib.stats.daily import Daily, Spans
from chalicelib.stats.health import LAG_SECONDS, Findings
from chalicelib.stats.reconciled import SETTLED_AFTER, Reconciled, State, metrics_of
from chalicelib.stats.table import StatsTable

# The check ends after a minute. These take about 5 s of CPU time at the function's size, and 300
# calls.
_MOST_CAMPAIGNS = 10_000
_MOST_KEYS = 20_000
# The days that runways are of, as many as can be read.
_RUNWAY_DAYS = (runway.DAYS, 30, 14, runway.LEAST_DAYS)


class Uncounted(Struct, frozen=True):
    """Events that SES has published, and that are not counted.

    Attributes:
        waiting: those in the queue, including those in flight: most that are to be stored again.
        oldest_seconds: age of the oldest of these; None if that is not known.
        dead_letters: number of messages in the dead-letter queue.
        quarantined: number of stored events that could not be counted.
    """

    waiting: int = 0
    oldest_seconds: int | None = None
    dead_letters: int = 0
    quarantined: int = 0


def uncounted_events(
    findings: Findings, in_flight: int | None, quarantined: int
) -> Uncounted | None:
    """Return the events that are not counted; None if that is not known.

    It is not known how many stored events are not counted yet, so none may wait for long.

    Args:
        findings: of the last health check.
        in_flight: messages of the queue that are in flight.
        quarantined: number of stored events that could not be counted.
    """
    waiting, dead, lag = findings.waiting, findings.dead_letters, findings.stream_lag_seconds
    if waiting is None or in_flight is None or dead is None or lag is None or lag > LAG_SECONDS:
        return None
    return Uncounted(waiting + in_flight, findings.oldest_seconds, dead, quarantined)


class DayCheck(Struct, frozen=True):
    """The comparison of a day with SES's metrics in CloudWatch."""

    stats_table: StatsTable
    metrics: SesMetrics

    def compare(self, day: date, now: datetime, uncounted: Uncounted) -> Reconciled:
        """Compare a day that is over; the result says why if that is not possible.

        Args:
            day: the day, at most two days ago.
            now: the current time.
            uncounted: the events that are not counted.
        """
        at = now.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
        state: State
        try:
            return self._compare(day, now, uncounted, at)
        except AwsError as error:
            state = "denied" if error.code in daily.DENIED else "failed"
            log("not_reconciled", detail=str(error))
        except (ArithmeticError, LookupError, ValueError) as error:
            state = "failed"
            log("not_reconciled", detail=trace(error))
        return Reconciled(day.isoformat(), at, state)

    def _compare(self, day: date, now: datetime, uncounted: Uncounted, at: str) -> Reconciled:
        named = day.isoformat()
        theirs = daily.read_theirs(self.metrics, day, day, now)
        rates = daily.read_rates(self.metrics, now)
        counted = self._counted(day, now)
        if counted is None:
            return Reconciled(named, at, "too_many")
        known = _known(counted, theirs, now, uncounted)
        if not is_published([named], known):
            return Reconciled(named, at, "unpublished")
        days = len(counted.days)
        sent = _sent_days(counted) if days >= runway.LEAST_DAYS else []
        return Reconciled(
            named,
            at,
            "compared",
            metrics_of(reconcile([named], known), named),
            tuple(runway.runway(kind, rate, sent) for kind, rate in rates.items()),
            _share(known.ours[named].counts, theirs.get(named, TheirDay()).counts),
            days,
        )

    def _counted(self, day: date, now: datetime) -> Daily | None:
        """Return our counts of as many days as runways are of; None if there are too many."""
        campaigns = islice(self.stats_table.campaigns.ids(), _MOST_CAMPAIGNS + 1)
        if len(list(campaigns)) > _MOST_CAMPAIGNS:
            return None
        spans = daily.read_spans(self.stats_table)
        last_hours = {(day - timedelta(days=1)).isoformat(), day.isoformat()}
        today = now.astimezone(UTC).date()
        since = day - timedelta(days=1)
        for first in (*(today - timedelta(days=number - 1) for number in _RUNWAY_DAYS), since):
            if _is_readable(spans, days_between(first, today), last_hours):
                return daily.read(
                    self.stats_table,
                    first,
                    today,
                    last_hours=last_hours,
                    apart={daily.DOCTOR},
                    spans=spans,
                )
        return None


def _is_readable(spans: Spans, days: Sequence[str], last_hours: set[str]) -> bool:
    return len(list(islice(spans.keys(days, last_hours), _MOST_KEYS + 1))) <= _MOST_KEYS


def _known(
    counted: Daily, theirs: dict[str, TheirDay], now: datetime, uncounted: Uncounted
) -> Known:
    oldest = uncounted.oldest_seconds
    return Known(
        counted.days,
        {"cloudwatch": theirs},
        # Of the facts, only the emails of `doctor` are known to be to the mailbox simulator.
        emails=Emails(simulator=counted.apart),
        waiting=uncounted.waiting,
        waiting_since=None if oldest is None else _day_of(now - timedelta(seconds=oldest)),
        dead_letters=uncounted.dead_letters,
        quarantined=uncounted.quarantined,
        first_day=counted.first_day,
        unsettled=day_after(_day_of(now - SETTLED_AFTER)),
    )


def _sent_days(counted: Daily) -> list[SentDay]:
    """Return what was sent on each day, the last one first."""
    return [_sent(counted.days.get(day, OurDay()).counts) for day in sorted(counted.days)[::-1]]


def _sent(counts: Counts) -> SentDay:
    found = Counter(counts)
    sends = max(0, found["sends"] - found["prevented"])
    return SentDay(sends, found["hard_bounces"], found["complaints"])


def _share(ours: Counts, theirs: Counts) -> float | None:
    """Return the part of the account's emails that we counted."""
    sends = theirs.get("sends", 0)
    return ours.get("sends", 0) / sends if sends else None


def _day_of(at: datetime) -> str:
    return at.astimezone(UTC).date().isoformat()

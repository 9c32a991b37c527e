"""The item of the stats table that describes the pipeline's health: is everything counted?

campaign    part    v        q, ut, ug        last_event_at  checked_at  …
" pipeline" health  version  see counters.py  by aggregate   by watch
"""

from collections.abc import Iterable, Iterator
from datetime import UTC, datetime, timedelta

import msgspec
from msgspec import Struct

from chalicelib.dynamodb import Item
from chalicelib.stats.counters import HEALTH_COUNTERS, Aggregate
from chalicelib.stats.delays import Delay

# Of a hundred delivered emails, some are opened within the hour, if only by bots.
TRACKED_DELIVERIES = 100
TRACKED_AFTER = timedelta(hours=1)

_NUMBERS = {
    "waiting": "waiting",
    "oldest_seconds": "oldest",
    "dead_letters": "dead",
    "stream_lag_seconds": "lag",
}
_NAMES = ("untracked", "unsent", "failing")
_TIMES = ("functions_at", "listed_at")
_DELAYS = "delays"

# The limits above which an operator is alerted; the page shows a delay much earlier.
OLD_SECONDS = 300
LAG_SECONDS = 60

# While nothing happens, a check is stored every five minutes. After this time without a stored
# check, the checks have stopped.
SILENT_SECONDS = 480


class Findings(Struct, frozen=True):
    """Findings of a health check; a value is None if it could not be measured.

    Attributes:
        checked_at: RFC 3339, UTC.
        waiting: number of messages in the queue.
        oldest_seconds: age of the oldest of these messages.
        dead_letters: number of messages in the dead-letter queue.
        stream_lag_seconds: age of the oldest stored fact that is not counted yet; 0 if none.
        untracked: campaigns with deliveries but no opens, whose tracking may be off.
        unsent: campaigns with deliveries but no sends, without which no bounce rate is known.
        failing: functions that fail repeatedly, each with the metric that shows it.
        functions_at: RFC 3339 time at which `failing` was measured.
        listed_at: RFC 3339 time at which the directory of campaigns was last updated.
        delays: how long the events of the last minutes took; None before the second check of a
            process.
    """

    checked_at: str
    waiting: int | None = None
    oldest_seconds: int | None = None
    dead_letters: int | None = None
    stream_lag_seconds: int | None = None
    untracked: tuple[str, ...] | None = None
    unsent: tuple[str, ...] | None = None
    failing: tuple[str, ...] | None = None
    functions_at: str | None = None
    listed_at: str | None = None
    delays: tuple[Delay, ...] | None = None

    def problems(self) -> Iterator[str]:
        """Yield the problems that an operator must know, each with its remedy."""
        if (self.oldest_seconds or 0) > OLD_SECONDS:
            # Until an event that could not be stored is tried again, it is in flight.
            what = f"{self.waiting} events are" if self.waiting else "events to be tried again are"
            yield (
                f"{what} waiting, the oldest for {self.oldest_seconds} s: see the log of ingest; "
                "no events are lost for 14 days"
            )
        if (self.stream_lag_seconds or 0) > LAG_SECONDS:
            yield (
                f"stored events have not been counted for {self.stream_lag_seconds} s: see the log "
                "of aggregate; after 24 hours, run `recount --apply`"
            )
        for one in self.failing or ():
            yield f"{failure(one)}: see its log"


def late_seconds(findings: Findings) -> int | None:
    """Return how late events are counted; None if that is unknown."""
    if findings.oldest_seconds is None or findings.stream_lag_seconds is None:
        return None
    return max(findings.oldest_seconds, findings.stream_lag_seconds)


_FAILURES = {
    "Errors": "fails repeatedly (CloudWatch metric Errors)",
    "Throttles": "is throttled repeatedly (CloudWatch metric Throttles)",
    "IteratorAge": "is more than a minute late (CloudWatch metric IteratorAge)",
}


def failure(failing: str) -> str:
    """Return a sentence for a member of `failing`, such as `publish: Errors`."""
    function, _, metric = failing.partition(": ")
    return f"{function} {_FAILURES[metric]}"


class Health(Struct, frozen=True):
    """The pipeline's health as stored.

    Attributes:
        findings: findings of the last check; None before the first.
        paused_at: time at which ingest was paused for a recount; None if it is not paused.
        recounted_at: time of the last such pause that has ended; None if there was none.
    """

    version: int = 0
    quarantined: int = 0
    unknown_types: int = 0
    untagged: int = 0
    last_event_at: str | None = None
    findings: Findings | None = None
    paused_at: str | None = None
    recounted_at: str | None = None


def health_from_item(item: Item) -> Health:
    """Parse the pipeline's health from DynamoDB JSON."""

    def number(attribute: str) -> int | None:
        return int(item[attribute]["N"]) if attribute in item else None

    def text(attribute: str) -> str | None:
        return item.get(attribute, {}).get("S")

    def names(attribute: str) -> tuple[str, ...] | None:
        named = item.get(attribute, {}).get("L")
        return None if named is None else tuple(one["S"] for one in named)

    checked_at = text("checked_at")
    findings = None
    if checked_at is not None:
        numbers = {name: number(attribute) for name, attribute in _NUMBERS.items()}
        findings = Findings(
            checked_at,
            untracked=names("untracked"),
            unsent=names("unsent"),
            failing=names("failing"),
            functions_at=text("functions_at"),
            listed_at=text("listed_at"),
            delays=_delays(text(_DELAYS)),
            **numbers,
        )
    return Health(
        version=number("v") or 0,
        last_event_at=text("last_event_at"),
        paused_at=text("paused_at"),
        recounted_at=text("recounted_at"),
        findings=findings,
        **{name: number(attribute) or 0 for name, attribute in HEALTH_COUNTERS.items()},
    )


def _delays(stored: str | None) -> tuple[Delay, ...] | None:
    """Parse delays; None if they are of a later release that measures other hops."""
    try:
        return None if stored is None else msgspec.json.decode(stored, type=tuple[Delay, ...])
    except msgspec.ValidationError:
        return None


def findings_to_item(findings: Findings) -> Item:
    """Return findings in DynamoDB JSON, without values that are None."""
    item: Item = {"checked_at": {"S": findings.checked_at}}
    for name, attribute in _NUMBERS.items():
        value = getattr(findings, name)
        if value is not None:
            item[attribute] = {"N": str(value)}
    for name in _NAMES:
        named = getattr(findings, name)
        if named is not None:
            item[name] = {"L": [{"S": one} for one in sorted(named)]}
    for name in _TIMES:
        at = getattr(findings, name)
        if at is not None:
            item[name] = {"S": at}
    if findings.delays is not None:
        item[_DELAYS] = {"S": msgspec.json.encode(findings.delays).decode()}
    return item


FINDINGS = ("checked_at", *_NUMBERS.values(), *_NAMES, *_TIMES, _DELAYS)
"""The attributes that a health check writes."""


def untracked(summaries: Iterable[Aggregate], now: float) -> tuple[str, ...]:
    """Return the campaigns for which SES does not seem to report opens and clicks.

    Args:
        summaries: summaries of campaigns.
        now: epoch seconds.
    """
    return tuple(one.campaign for one in _delivered(summaries, now) if not one.counts.get("opens"))


def unsent(summaries: Iterable[Aggregate], now: float) -> tuple[str, ...]:
    """Return the campaigns for which SES does not seem to report sends.

    Args:
        summaries: summaries of campaigns.
        now: epoch seconds.
    """
    return tuple(one.campaign for one in _delivered(summaries, now) if not one.counts.get("sends"))


def _delivered(summaries: Iterable[Aggregate], now: float) -> Iterator[Aggregate]:
    """Yield the campaigns that were delivered long enough ago to expect other events."""
    since = (datetime.fromtimestamp(now, UTC) - TRACKED_AFTER).strftime("%Y-%m-%dT%H:%M:%SZ")
    for one in summaries:
        if (
            one.counts.get("deliveries", 0) >= TRACKED_DELIVERIES
            and (one.first_event_at or since) < since
        ):
            yield one

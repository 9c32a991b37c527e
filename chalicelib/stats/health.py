"""The pipeline's own item among the aggregates: is what the page shows all that there is?

campaign   part    v        q, ut, ug       last_event_at  checked_at  …
" pipeline" health  version  see counters.py  by aggregate    by watch
"""

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from msgspec import Struct

from chalicelib.stats.counters import HEALTH_COUNTERS, Aggregate

# Of a hundred delivered mails some are opened within the hour: machines alone see to that.
TRACKED_DELIVERIES = 100
TRACKED_AFTER = timedelta(hours=1)

_NUMBERS = {
    "waiting": "waiting",
    "oldest_seconds": "oldest",
    "dead_letters": "dead",
    "stream_lag_seconds": "lag",
}


class Findings(Struct, frozen=True):
    """What a check found; None where it could not find out.

    Attributes:
        checked_at: RFC 3339, UTC.
        waiting: messages in the queue.
        oldest_seconds: age of the oldest of them.
        dead_letters: messages in the dead-letter queue.
        stream_lag_seconds: age of the oldest stored fact that is not yet counted; 0 if none.
        untracked: campaigns that have deliveries and no opens: their tracking may be off.
    """

    checked_at: str
    waiting: int | None = None
    oldest_seconds: int | None = None
    dead_letters: int | None = None
    stream_lag_seconds: int | None = None
    untracked: tuple[str, ...] | None = None


class Health(Struct, frozen=True):
    """The pipeline's health as stored.

    Attributes:
        findings: of the last check; None before the first.
        paused_at: since when ingest is paused for a recount; None when it is not.
    """

    version: int = 0
    quarantined: int = 0
    unknown_types: int = 0
    untagged: int = 0
    last_event_at: str | None = None
    findings: Findings | None = None
    paused_at: str | None = None


def health_from_item(item: Mapping[str, Mapping[str, Any]]) -> Health:
    """Read the pipeline's health from DynamoDB JSON."""

    def number(attribute: str) -> int | None:
        return int(item[attribute]["N"]) if attribute in item else None

    def text(attribute: str) -> str | None:
        return item.get(attribute, {}).get("S")

    checked_at = text("checked_at")
    findings = None
    if checked_at is not None:
        numbers = {name: number(attribute) for name, attribute in _NUMBERS.items()}
        named = item.get("untracked", {}).get("L")
        findings = Findings(
            checked_at,
            untracked=None if named is None else tuple(one["S"] for one in named),
            **numbers,
        )
    return Health(
        version=number("v") or 0,
        last_event_at=text("last_event_at"),
        paused_at=text("paused_at"),
        findings=findings,
        **{name: number(attribute) or 0 for name, attribute in HEALTH_COUNTERS.items()},
    )


def findings_to_item(findings: Findings) -> dict[str, dict[str, Any]]:
    """Write what a check found in DynamoDB JSON; what it could not find out is left out."""
    item: dict[str, dict[str, Any]] = {"checked_at": {"S": findings.checked_at}}
    for name, attribute in _NUMBERS.items():
        value = getattr(findings, name)
        if value is not None:
            item[attribute] = {"N": str(value)}
    if findings.untracked is not None:
        item["untracked"] = {"L": [{"S": one} for one in sorted(findings.untracked)]}
    return item


FINDINGS = ("checked_at", *_NUMBERS.values(), "untracked")
"""The attributes that a check writes."""


def untracked(summaries: Iterable[Aggregate], now: float) -> tuple[str, ...]:
    """Name the campaigns whose opens and clicks SES does not seem to report.

    Args:
        summaries: of campaigns.
        now: epoch seconds.
    """
    since = (datetime.fromtimestamp(now, UTC) - TRACKED_AFTER).strftime("%Y-%m-%dT%H:%M:%SZ")
    return tuple(
        one.campaign
        for one in summaries
        if one.counts.get("deliveries", 0) >= TRACKED_DELIVERIES
        and not one.counts.get("opens")
        and (one.first_event_at or since) < since
    )

"""The result of the daily comparison with SES's own metrics, as it is stored.

    " pipeline"  reconciliation  tried: when the last comparison began, in epoch seconds
                                 result: JSON of Reconciled  day: its day  v: number of results

watch compares each UTC day once, as soon as SES's metrics of it are complete (stats/day_check.py).
"""

from collections.abc import Iterable
from datetime import UTC, date, datetime, timedelta
from typing import Any, Literal

import msgspec
from msgspec import Struct
from msgspec.structs import asdict

from chalicelib.dynamodb import Item
from chalicelib.insight.reconciliation import Comparison
from chalicelib.insight.runway import Runway

RECONCILIATION = "reconciliation"
"""The part, under the campaign ` pipeline`."""

SETTLED_AFTER = timedelta(minutes=75)
"""SES publishes most metrics within minutes: an hour later, those of a day are complete."""

# The comparison begins a little later, so that the first minutes of the next day are complete, too.
_DUE_AFTER = SETTLED_AFTER + timedelta(minutes=15)
_RETRY_SECONDS = 3600

State = Literal["compared", "unpublished", "denied", "too_many", "failed"]
"""`unpublished`: CloudWatch has no metrics of SES; `denied`: reading them is not permitted;
`too_many`: too many campaigns to compare them every day; `failed`: another error."""

_RETRIED: frozenset[State] = frozenset({"denied", "failed"})


class Cause(Struct, frozen=True):
    """A cause of a difference, and how much of it it may explain, in events."""

    name: str
    most: int


class Metric(Struct, frozen=True):
    """Our count of a day beside SES's.

    Attributes:
        ses: SES's count; None if SES has not published the metric.
        unexplained: the part of ours less SES's that no cause explains.
    """

    name: str
    ours: int
    ses: int | None
    unexplained: int
    causes: tuple[Cause, ...] = ()


class Reconciled(Struct, frozen=True):
    """The result of the comparison of a day.

    Attributes:
        day: the UTC day, such as `2026-11-28`.
        at: when it was compared, RFC 3339, UTC.
        metrics: what was compared; empty unless the state is `compared`.
        runways: how far the account is from SES's lines; empty if that is not known.
        share: the part of the account's emails that we counted; None if nothing was sent.
        days: number of days whose emails the runways are of.
    """

    day: str
    at: str
    state: State
    metrics: tuple[Metric, ...] = ()
    runways: tuple[Runway, ...] = ()
    share: float | None = None
    days: int = 0


class Stored(Struct, frozen=True):
    """The stored item.

    Attributes:
        tried: when the last comparison began, in epoch seconds; 0 before the first.
        result: the last result; None before the first, or if a later release has written it.
        version: the number of results.
    """

    tried: int = 0
    result: Reconciled | None = None
    version: int = 0


def stored_from_item(item: Item) -> Stored:
    """Parse the stored item from DynamoDB JSON."""
    result = None
    if "result" in item:
        try:
            result = msgspec.json.decode(item["result"]["S"], type=Reconciled)
        except msgspec.ValidationError:
            result = None
    return Stored(
        int(item.get("tried", {"N": "0"})["N"]), result, int(item.get("v", {"N": "0"})["N"])
    )


def result_to_text(result: Reconciled) -> str:
    """Return a result as JSON."""
    return msgspec.json.encode(result).decode()


def due(stored: Stored, now: datetime) -> date | None:
    """Return the day to compare now; None if there is none.

    A comparison that failed, or did not end, is repeated after an hour.
    """
    day = (now - _DUE_AFTER).astimezone(UTC).date() - timedelta(days=1)
    result = stored.result
    is_done = result is not None and result.day >= day.isoformat() and result.state not in _RETRIED
    if is_done or now.timestamp() < stored.tried + _RETRY_SECONDS:
        return None
    return day


def tried_before(now: datetime) -> int:
    """Return the time before which the last comparison must have begun, in epoch seconds."""
    return int(now.timestamp()) - _RETRY_SECONDS


def metrics_of(comparisons: Iterable[Comparison], day: str) -> tuple[Metric, ...]:
    """Return what is shown of the comparisons of a day."""
    return tuple(
        Metric(one.metric, one.ours, one.theirs, one.unexplained, _causes(one))
        for one in comparisons
        if one.day == day
    )


def _causes(compared: Comparison) -> tuple[Cause, ...]:
    """Return the causes that contribute in the direction of the difference."""
    if compared.difference > 0:
        return tuple(Cause(one.name, one.high) for one in compared.causes if one.high > 0)
    if compared.difference < 0:
        return tuple(Cause(one.name, -one.low) for one in compared.causes if one.low < 0)
    return ()


def to_message(result: Reconciled) -> dict[str, Any]:
    """Compose a result for clients."""
    return {
        "day": result.day,
        "compared_at": result.at,
        "state": result.state,
        "metrics": [_metric(one) for one in result.metrics],
        "runways": list(map(asdict, result.runways)),
        "share": result.share,
        "days": result.days,
    }


def _metric(one: Metric) -> dict[str, Any]:
    difference = 0 if one.ses is None else one.ours - one.ses
    return {
        "metric": one.name,
        "ours": one.ours,
        "ses": one.ses,
        "explained": difference - one.unexplained,
        "unexplained": one.unexplained,
        "causes": list(map(asdict, one.causes)),
    }

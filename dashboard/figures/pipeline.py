"""The state of the pipeline in sentences, by the rules of the page: static/src/health.js."""

from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any, Literal

from msgspec import Struct

from chalicelib.stats.health import SILENT_SECONDS
from dashboard.deploy.glossary import HEALTH, PROBLEMS
from dashboard.figures import formats

# A delay that a viewer would notice.
_LATE_SECONDS = 10

Level = Literal["none", "ok", "note", "late"]
"""`none`: no event has arrived yet. `late`: the numbers are or soon will be out of date."""


class Problem(Struct, frozen=True):
    """A problem of the pipeline, in a sentence."""

    level: Literal["note", "late"]
    text: str


class State(Struct, frozen=True):
    """The state of the pipeline.

    Attributes:
        level: the worst level of its problems.
        text: the level in words.
        problems: those that delay numbers first.
    """

    level: Level
    text: str
    problems: tuple[Problem, ...]


def state(health: Mapping[str, Any], now: datetime) -> State:
    """Return the state of the pipeline.

    Args:
        health: a snapshot of the topic `stats/health`.
        now: the current time.
    """
    problems = (*_delays(health, now), *_notes(health))
    level: Level = "ok" if health["last_event_at"] else "none"
    if problems:
        level = "late" if any(one.level == "late" for one in problems) else "note"
    return State(level, HEALTH[level], problems)


def _delays(health: Mapping[str, Any], now: datetime) -> Iterator[Problem]:
    checked_at, paused_at, queue = (health[one] for one in ("checked_at", "paused_at", "queue"))
    if checked_at and (now - formats.parse(checked_at)).total_seconds() > SILENT_SECONDS:
        yield _late("checked_at", ago=formats.ago(checked_at, now))
    if paused_at:
        yield _late("paused_at", ago=formats.ago(paused_at, now))
    oldest = queue["oldest_seconds"] or 0
    if oldest > _LATE_SECONDS:
        waiting = formats.count(queue["waiting"] or 0)
        yield _late("oldest_seconds", count=waiting, ago=f"{formats.lasting(oldest)} ago")
    if (health["stream_lag_seconds"] or 0) > _LATE_SECONDS:
        yield _late("stream_lag_seconds", count=formats.count(health["stream_lag_seconds"]))


def _late(name: str, **values: str) -> Problem:
    return Problem("late", PROBLEMS[name].format(**values))


def _notes(health: Mapping[str, Any]) -> Iterator[Problem]:
    for name in ("dead_letters", "quarantined", "unknown_types"):
        if health[name]:
            yield Problem("note", PROBLEMS[name].format(count=formats.count(health[name])))
    for name in ("untracked", "unsent"):
        if health[name]:
            yield Problem("note", PROBLEMS[name].format(names=", ".join(health[name])))

"""Judge each minute whether a campaign is in trouble, and whether a trouble is over.

Each cause has a sequential test (sequential.py) and a share of the probability of a false alarm, so
that all tests of all minutes together raise one in few campaigns. A cause, at one provider where
it is of providers, raises one alarm in the life of a campaign, and is over once. docs/alarms.md
describes the rules.

The judgement is a pure function of the counters of a minute and of the state that the minute before
has left. A minute that is judged already is not judged again.
"""

from collections.abc import Mapping
from datetime import timedelta
from typing import Literal, NamedTuple

from msgspec import Struct
from msgspec.structs import replace

from chalicelib.insight.causes import LATE_SECONDS, Cause, Check, Observation, Trouble
from chalicelib.insight.marks import BEGINNING, Mark, marked, rows_of

JUDGED_FOR = timedelta(hours=48)
"""How long after its first event a campaign is judged."""

OVER_AFTER = 10
"""The checks in succession without a sign of trouble after which an alarm is over."""

# A mark that has just been set has nothing after it.
_MARK_AGE = 1


class Alarm(Struct, frozen=True):
    """An alarm that was raised.

    Attributes:
        provider: empty if the cause is not of one provider.
        raised_at: the minute.
        over_at: the minute; None while it is not over.
        calm: the latest checks in succession without a sign of trouble.
    """

    cause: Cause
    provider: str
    raised_at: int
    over_at: int | None = None
    calm: int = 0


class State(Struct, frozen=True):
    """What the judgement of a minute leaves for the next. All of it can be stored as JSON.

    Attributes:
        minute: the last minute that was judged.
        alarms: all that were raised, by key: `bounces`, `provider_delays:gmail`.
        marks: see marks.marked.
        late: the checks in succession at which events were counted late.
    """

    minute: int = -1
    alarms: Mapping[str, Alarm] = {}
    marks: tuple[Mark, ...] = ()
    late: int = 0


class Change(Struct, frozen=True):
    """An alarm that is raised or over.

    Attributes:
        key: of the alarm; with `kind`, it identifies the change in its campaign.
        trouble: what the alarm was raised for, with its numbers; None when it is over.
    """

    kind: Literal["raised", "over"]
    key: str
    minute: int
    trouble: Trouble | None = None


class Judgement(NamedTuple):
    """The state after a minute, and what has changed in it."""

    state: State
    changes: tuple[Change, ...]


def judge(observation: Observation, state: State) -> Judgement:
    """Return the state after a minute, and the alarms that are raised or over in it.

    Args:
        observation: what is known at the minute.
        state: what the last judgement has left; State() before the first. If its minute is this one
            or later, nothing changes.
    """
    minute = observation.minute
    if minute <= state.minute:
        return Judgement(state, ())
    late = state.late + 1 if (observation.late_seconds or 0) >= LATE_SECONDS else 0
    rows = rows_of(observation.counts, observation.providers)
    usable = [one for one in state.marks if minute - one.minute >= _MARK_AGE]
    check = Check(observation, rows, (BEGINNING, *usable), late)
    alarms = {key: _continued(one, minute, check) for key, one in state.alarms.items()}
    changes = [Change("over", key, minute) for key, one in alarms.items() if one.over_at == minute]
    for one in check.troubles():
        if one.key not in alarms:
            alarms[one.key] = Alarm(one.cause, one.provider, minute)
            changes.append(Change("raised", one.key, minute, one))
    after = State(minute, alarms, marked(state.marks, rows, minute), late)
    return Judgement(after, tuple(changes))


def _continued(alarm: Alarm, minute: int, check: Check) -> Alarm:
    """Return an alarm after one more check."""
    if alarm.over_at is not None:
        return alarm
    calm = alarm.calm + 1 if check.is_calm(alarm.cause, alarm.provider) else 0
    return replace(alarm, calm=calm, over_at=minute if calm >= OVER_AFTER else None)

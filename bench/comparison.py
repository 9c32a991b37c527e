"""What one row of the table is, and how it is measured: ours and a baseline, by turns.

Only ratios are trusted. Both sides do the same work in the same process, on the same core, A B A B;
each round gives a ratio, and the table has their median with the quartiles beside it.
"""

import gc
import statistics
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Literal

_SAMPLE_SECONDS = 0.05  # far above the clock's resolution and a time slice of the kernel
_ROUNDS = 15

CLOCKS = {"CPU": time.process_time, "wall": time.perf_counter}


@dataclass(frozen=True)
class Comparison:
    """One row.

    Attributes:
        name: what is done.
        baseline: what it is compared with, in words.
        ours, theirs: do it once.
        units: how many events, records or messages one call of either handles.
        clock: whether CPU time of this process or wall time is compared.
        unit: what `must` and `stretch` count: how many `times faster` ours is, or the `share` of
            the baseline's time that ours takes.
        must, stretch: the targets; None where it is shown for information.
        rounds: how often both are measured.
    """

    name: str
    baseline: str
    ours: Callable[[], Any]
    theirs: Callable[[], Any]
    units: int
    unit: Literal["times faster", "share"] = "times faster"
    must: float | None = None
    stretch: float | None = None
    clock: Literal["CPU", "wall"] = "CPU"
    rounds: int = _ROUNDS


@dataclass(frozen=True)
class Result:
    """A row as measured; times are medians in microseconds for each event, record or message."""

    name: str
    baseline: str
    unit: str
    clock: str
    ratio: float
    low: float
    high: float
    must: float | None
    stretch: float | None
    met: bool | None
    ours_us: float
    theirs_us: float


def measure(row: Comparison) -> Result:
    """Measure a row."""
    clock = CLOCKS[row.clock]
    sides = (row.ours, row.theirs)
    calls = [_calls(side) for side in sides]
    samples: list[list[float]] = [[], []]
    for round_number in range(row.rounds):
        # Who comes first changes, so that neither always finds the caches of the other.
        for side in (0, 1) if round_number % 2 == 0 else (1, 0):
            samples[side].append(_sample(sides[side], calls[side], clock) / row.units)
    rounds = list(zip(*samples, strict=True))
    ratios = [
        theirs / ours if row.unit == "times faster" else ours / theirs for ours, theirs in rounds
    ]
    low, ratio, high = statistics.quantiles(ratios, n=4)
    return Result(
        row.name,
        row.baseline,
        row.unit,
        row.clock,
        ratio,
        low,
        high,
        row.must,
        row.stretch,
        _reaches(ratio, row.must, row.unit),
        *(statistics.median(one) * 1e6 for one in samples),
    )


def _reaches(ratio: float, target: float | None, unit: str) -> bool | None:
    if target is None:
        return None
    return ratio >= target if unit == "times faster" else ratio <= target


def _calls(side: Callable[[], Any]) -> int:
    """Find how many calls fill a sample; warms it up, too."""
    side()
    calls = 1
    while (seconds := calls * _sample(side, calls, time.perf_counter)) < _SAMPLE_SECONDS:
        calls = max(calls + 1, int(calls * 1.2 * _SAMPLE_SECONDS / seconds))
    return calls


def _sample(side: Callable[[], Any], calls: int, clock: Callable[[], float]) -> float:
    gc.collect()
    began = clock()
    for _ in range(calls):
        side()
    return (clock() - began) / calls


Rows = Sequence[Comparison]

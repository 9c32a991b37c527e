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
_MILLISECONDS_FROM = 0.01  # seconds, from which they are told in ms

CLOCKS = {"CPU": time.process_time, "wall": time.perf_counter}
OWN = "CPU of a process"
"""The clock of sides that start a process and give the seconds that it took by its own account."""


@dataclass(frozen=True)
class Comparison:
    """One row.

    Attributes:
        name: what is done.
        baseline: what it is compared with, in words.
        ours, theirs: do it once.
        units: how many events, records or messages one call of either handles.
        clock: whether CPU time of this process is compared, wall time, or what the sides give.
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
    clock: Literal["CPU", "wall", "CPU of a process"] = "CPU"
    rounds: int = _ROUNDS


@dataclass(frozen=True)
class Size:
    """A row of a size in bytes, and of the most that it may be."""

    name: str
    size: int
    most: int


@dataclass(frozen=True)
class Result:
    """A row as measured.

    Attributes:
        ours, theirs: medians, for each event, record or message.
        measure: what these two are, such as `µs CPU`.
    """

    name: str
    baseline: str
    unit: str
    ratio: float
    low: float
    high: float
    must: float | None
    stretch: float | None
    met: bool | None
    ours: float
    theirs: float
    measure: str


def measure(row: Comparison | Size) -> Result:
    """Measure a row."""
    if isinstance(row, Size):
        share = row.size / row.most
        beside = f"{row.most / 1024**2:g} MiB"
        figures = (share, share, share, 1.0, None, share <= 1, row.size, row.most, "bytes")
        return Result(row.name, beside, "share", *figures)
    sides = (row.ours, row.theirs)
    calls = [1 if row.clock == OWN else _calls(side) for side in sides]
    samples: list[list[float]] = [[], []]
    for round_number in range(row.rounds):
        # Who comes first changes, so that neither always finds the caches of the other.
        for side in (0, 1) if round_number % 2 == 0 else (1, 0):
            samples[side].append(_sample(sides[side], calls[side], row.clock) / row.units)
    rounds = list(zip(*samples, strict=True))
    ratios = [
        theirs / ours if row.unit == "times faster" else ours / theirs for ours, theirs in rounds
    ]
    low, ratio, high = statistics.quantiles(ratios, n=4)
    ours, theirs = (statistics.median(one) for one in samples)
    factor, unit = (1e3, "ms") if ours >= _MILLISECONDS_FROM else (1e6, "µs")
    return Result(
        row.name,
        row.baseline,
        row.unit,
        ratio,
        low,
        high,
        row.must,
        row.stretch,
        _reaches(ratio, row.must, row.unit),
        ours * factor,
        theirs * factor,
        f"{unit} {row.clock}",
    )


def _reaches(ratio: float, target: float | None, unit: str) -> bool | None:
    if target is None:
        return None
    return ratio >= target if unit == "times faster" else ratio <= target


def _calls(side: Callable[[], Any]) -> int:
    """Find how many calls fill a sample; warms it up, too."""
    side()
    calls = 1
    while (seconds := calls * _sample(side, calls, "wall")) < _SAMPLE_SECONDS:
        calls = max(calls + 1, int(calls * 1.2 * _SAMPLE_SECONDS / seconds))
    return calls


def _sample(side: Callable[[], Any], calls: int, clock: str) -> float:
    gc.collect()
    if clock == OWN:
        seconds: float = side()
        return seconds
    now = CLOCKS[clock]
    began = now()
    for _ in range(calls):
        side()
    return (now() - began) / calls


Rows = Sequence[Comparison | Size]

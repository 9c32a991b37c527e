"""Define a row of the table, and measure it: Mailpulse and a baseline, alternately.

Only ratios are reliable. Both sides do the same work in the same process on the same core, A B A B.
Each round yields a ratio; the table has their median and quartiles.
"""

import gc
import statistics
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Literal

_SAMPLE_SECONDS = 0.05  # much longer than the clock's resolution and a kernel time slice
_ROUNDS = 15
_MILLISECONDS_FROM = 0.01  # seconds; longer times are shown in ms

CLOCKS = {"CPU": time.process_time, "wall": time.perf_counter}
OWN = "CPU of a process"
"""The clock of sides that start a process and return the CPU seconds that it reports."""


@dataclass(frozen=True)
class Comparison:
    """One row.

    Attributes:
        name: the operation.
        baseline: a description of the baseline.
        ours, theirs: run the operation once.
        units: the number of events, records, or messages per call.
        clock: the measure: CPU time of this process, wall time, or the return values.
        unit: of `must` and `stretch`: how many `times faster` Mailpulse is, or its `share` of the
            time of the baseline.
        must, stretch: the targets; None if the row is informational.
        rounds: the number of measurements of both.
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
    """A row with a size in bytes and its limit."""

    name: str
    size: int
    most: int


@dataclass(frozen=True)
class Result:
    """The result of a row.

    Attributes:
        ours, theirs: medians per event, record, or message.
        measure: their unit, such as `µs CPU`.
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
        # Alternate the order, so that the caches favor neither side.
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
    """Return the number of calls that fill a sample; also warms up."""
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

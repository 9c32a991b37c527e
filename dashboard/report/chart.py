"""The geometry of a bar chart of the timeline, for SVG."""

import math
from collections.abc import Mapping, Sequence
from datetime import datetime

from msgspec import Struct

from dashboard.figures.campaign import Resolution

# The plot in the units of the drawing; labels are beside and below it.
WIDTH, HEIGHT, LEFT, BELOW = 720, 130, 64, 22
_MOST_LABELS = 7
_WIDEST = 24.0
_GAP = 0.2  # between the bars of two buckets, as a share of a bucket


class Bar(Struct, frozen=True):
    """A bar; its class in the style sheet is the name of its counter."""

    counter: str
    x: float
    y: float
    width: float
    height: float


class Chart(Struct, frozen=True):
    """A bar chart.

    Attributes:
        bars: the bars that are not empty.
        lines: the height of each grid line in the drawing, and its number.
        labels: the place of each label below the plot, and its text.
    """

    bars: tuple[Bar, ...]
    lines: tuple[tuple[float, str], ...]
    labels: tuple[tuple[float, str], ...]


def chart(
    timeline: Sequence[tuple[datetime, Mapping[str, int]]],
    counters: Sequence[str],
    resolution: Resolution,
) -> Chart:
    """Return a chart with one bar for each counter, side by side in each bucket.

    Args:
        timeline: each bucket with its start, oldest first, without gaps; at least one.
        counters: the counters.
        resolution: the length of a bucket.
    """
    most = max(bucket.get(counter, 0) for _, bucket in timeline for counter in counters)
    step = _step(most)
    top = step * max(1, math.ceil(most / step))
    slot = WIDTH / len(timeline)
    width = min(_WIDEST, slot * (1 - _GAP) / len(counters))
    gap = (slot - width * len(counters)) / 2
    bars = []
    for number, (_, bucket) in enumerate(timeline):
        for place, counter in enumerate(counters):
            value = bucket.get(counter, 0)
            if value:
                # A single event among thousands must stay visible.
                height = max(1.0, HEIGHT * value / top)
                x = LEFT + slot * number + gap + place * width
                bars.append(Bar(counter, *_rounded(x, HEIGHT - height, width, height)))
    lines = tuple(
        (round(HEIGHT * (1 - value / top), 2), f"{value:,}") for value in range(0, top + 1, step)
    )
    return Chart(tuple(bars), lines, _labels(timeline, slot, resolution))


def _labels(
    timeline: Sequence[tuple[datetime, Mapping[str, int]]], slot: float, resolution: Resolution
) -> tuple[tuple[float, str], ...]:
    every = math.ceil(len(timeline) / _MOST_LABELS)
    pattern = "%b %-d" if resolution == "day" else "%b %-d, %H:%M"
    return tuple(
        (round(LEFT + slot * (number + 0.5), 2), f"{timeline[number][0]:{pattern}}")
        for number in range(0, len(timeline), every)
    )


def _step(most: int) -> int:
    """Return the distance of grid lines, 1, 2 or 5 times a power of ten; there are at most 5."""
    rough = max(1.0, most / 4)
    power: int = 10 ** math.floor(math.log10(rough))
    return next(power * factor for factor in (1, 2, 5, 10) if power * factor >= rough)


def _rounded(*values: float) -> list[float]:
    return [round(value, 2) for value in values]

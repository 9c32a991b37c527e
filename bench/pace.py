"""Measure how often a campaign ends where its pace and its forecasts said.

    python bench/pace.py [--seeds tune] [--histories 200] [--write]

Generates histories of campaigns (bench/worlds/histories.py). At 15 minutes, 1 hour and 4 hours
after a campaign's start, it computes the pace and the forecasts from what was known at that
moment, and compares them with what the campaign counted in the end. It then splits campaigns into
variants, and counts how often one is called the best. `--write` updates the tables in docs/pace.md.
"""

import sys
from bisect import bisect_right
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, fields, replace
from datetime import datetime, timedelta
from functools import cached_property
from itertools import product
from pathlib import Path
from random import Random
from statistics import median
from typing import Any, NamedTuple

import click

ROOT = Path(__file__).parents[1]
sys.path[:0] = [str(ROOT)]

from bench.documents import write_parts
from bench.worlds import histories, parameters
from bench.worlds.histories import HISTORIES, KINDS, Hit, Kind, SentCampaign
from bench.worlds.parameters import Delay
from chalicelib.insight.curves import AGE_EDGES_SECONDS, Curve, SendBucket, bucket, curve, sending
from chalicelib.insight.distributions import wilson
from chalicelib.insight.history import Campaign, Metric, Running, Silence, comparable
from chalicelib.insight.pace import FORECASTS_SECONDS, forecast, pace
from chalicelib.insight.variants import SURE, Variant, probabilities_best

DOCUMENT = ROOT / "docs" / "pace.md"
CHECKED_AFTER = {"15 min": 900, "1 h": 3600, "4 h": 14_400}
# The campaigns that are judged, by how many are before them.
JUDGED = (5, 8, 12, 20, 30)
METRICS: tuple[Metric, ...] = ("unique_human_opens", "unique_human_clicks")
_MINUTE = timedelta(minutes=1)
_RESAMPLES = 400
_SENDER = "news@example.com"
_SAID = ("pace", "24 h", "7 d")
_HOUR, _WEEK = 3600, 7 * 86_400
# Looks at the variants of a campaign: at each edge of a bucket from an hour to a week.
_LOOKS = tuple(one for one in AGE_EDGES_SECONDS if _HOUR <= one <= _WEEK)
_ONE_LOOK = 86_400


class Outcome(NamedTuple):
    """What was said of a campaign at a moment, and what became true.

    Attributes:
        said: `pace` at that moment, or a forecast: `24 h`, `7 d`.
        low, expected, high, actual: counts of emails.
    """

    kind: Kind
    seed: int
    before: int
    metric: Metric
    after: str
    said: str
    expected: float
    low: float
    high: float
    actual: int

    @property
    def inside(self) -> bool:
        """Whether the interval contains what became true."""
        return self.low <= self.actual <= self.high

    @property
    def error(self) -> float:
        """The absolute error of the estimate, relative to what became true."""
        return abs(self.expected / max(self.actual, 1) - 1)


class Silent(NamedTuple):
    """That nothing was said, and why."""

    kind: Kind
    seed: int
    before: int
    metric: Metric
    after: str
    said: str
    reason: str


class Record:
    """What Mailpulse would know of a simulated campaign at a moment, and no more."""

    def __init__(self, sent: SentCampaign) -> None:
        self.sent = sent

    @cached_property
    def _hits(self) -> Mapping[Metric, tuple[list[float], list[int]]]:
        """Seconds since the start, in order, and the bucket of each first open or click."""

        def known(hits: Sequence[Hit]) -> tuple[list[float], list[int]]:
            ordered = sorted((one.accepted + one.age, bucket(one.age)) for one in hits)
            return [at for at, _ in ordered], [number for _, number in ordered]

        return {
            "unique_human_opens": known(self.sent.opens),
            "unique_human_clicks": known(self.sent.clicks),
        }

    def at(self, now: datetime) -> Campaign:
        """Return the campaign's counters at a moment."""
        seconds = (now - self.sent.started).total_seconds()
        delivered = bisect_right(self.sent.accepted, seconds)
        return Campaign(
            id=self.sent.id,
            group=_SENDER,
            first_event_at=self.sent.started,
            last_accepted_at=self.sent.started
            + timedelta(seconds=self.sent.accepted[max(delivered - 1, 0)]),
            deliveries=delivered,
            curves={metric: self._curve(metric, seconds) for metric in METRICS},
        )

    def _curve(self, metric: Metric, seconds: float) -> Curve:
        times, numbers = self._hits[metric]
        return curve(Counter(numbers[: bisect_right(times, seconds)]))

    def running(self, now: datetime) -> Running:
        """Return the campaign with its sends by minute, as the counters have them."""
        campaign = self.at(now)
        start = self.sent.started.replace(second=0, microsecond=0)
        skipped = (self.sent.started - start).total_seconds()
        sent = self.sent.accepted[: campaign.deliveries]
        minutes = Counter(int((one + skipped) // 60) for one in sent)
        buckets = [SendBucket(start + one * _MINUTE, _MINUTE, minutes[one]) for one in minutes]
        return Running(campaign, now, sending(buckets, now))

    def eventually(self, metric: Metric, age_seconds: float, deliveries: int) -> int:
        """Return what the campaign's first deliveries count in the end, at an age of each email."""
        last = self.sent.accepted[deliveries - 1]
        hits = self.sent.opens if metric == "unique_human_opens" else self.sent.clicks
        return sum(one.accepted <= last and one.age < age_seconds for one in hits)


def outcomes(kind: Kind, seed: int) -> Iterator[Outcome | Silent]:
    """Generate a history, and yield what was said of some of its campaigns."""
    records = [Record(one) for one in histories.generate(seed, kind)]
    for before in JUDGED:
        if before < len(records):
            yield from _judged(kind, seed, records[: before + 1])


def _judged(kind: Kind, seed: int, records: Sequence[Record]) -> Iterator[Outcome | Silent]:
    """Yield what was said of the last campaign.

    What was known of the earlier ones is taken at its start, as counters that are kept for an hour.
    """
    *earlier, last = records
    known = [one.at(last.sent.started) for one in earlier]
    for after, seconds in CHECKED_AFTER.items():
        running = last.running(last.sent.started + timedelta(seconds=seconds))
        past = comparable(running.campaign, known)
        for metric in METRICS:
            place = (kind, seed, len(earlier), metric, after)
            found = pace(running, past, metric)
            if isinstance(found, Silence):
                yield Silent(*place, "pace", found.reason)
            else:
                yield Outcome(*place, "pace", *found.expected[:3], found.actual)
            for age in FORECASTS_SECONDS:
                said = "24 h" if age == FORECASTS_SECONDS[0] else "7 d"
                ahead = forecast(running, past, metric, age)
                if isinstance(ahead, Silence):
                    yield Silent(*place, said, ahead.reason)
                else:
                    truth = last.eventually(metric, age, running.campaign.deliveries)
                    yield Outcome(*place, said, *ahead.estimate[:3], truth)


Measure = Callable[[Sequence[Outcome]], float]


def coverage(found: Sequence[Outcome]) -> float:
    """Return the share of intervals that contain what became true."""
    return sum(one.inside for one in found) / len(found)


def error(found: Sequence[Outcome]) -> float:
    """Return the median of the absolute relative errors."""
    return median(one.error for one in found)


def interval(found: Sequence[Outcome], measure: Measure) -> tuple[float, float]:
    """Return a 95% confidence interval: a bootstrap of whole histories."""
    rng = Random(measure.__name__)
    by_history: dict[tuple[str, int], list[Outcome]] = defaultdict(list)
    for one in found:
        by_history[one.kind, one.seed].append(one)
    groups = list(by_history.values())
    values = sorted(
        measure([one for group in rng.choices(groups, k=len(groups)) for one in group])
        for _ in range(_RESAMPLES)
    )
    outside = _RESAMPLES * 25 // 1000
    return values[outside], values[-1 - outside]


class Split(NamedTuple):
    """Campaigns that are split at random into variants.

    Attributes:
        variants: how many.
        lift: the click rate of the first, relative to the others; 1 if none is better.
    """

    variants: int
    lift: float


SPLITS = (Split(2, 1.0), Split(4, 1.0), Split(2, 1.3), Split(2, 1.6))


@dataclass(frozen=True)
class Named:
    """Which variant was called the best.

    Attributes:
        once: at one look after a day; None if it was too early to tell.
        ever: at the first of all looks at which one was.
        customary: as `ever`, at a probability of 95%.
    """

    once: int | None
    ever: int | None
    customary: int | None


_SPLIT_CAMPAIGN = replace(HISTORIES["newsletter"], campaigns=1, recipients=10_000)


def named(split: Split, seed: int) -> Named:
    """Split a campaign of a newsletter, and return which variant was called the best."""
    [campaign] = histories.generate(seed, "newsletter", _SPLIT_CAMPAIGN)
    rng = Random(f"{seed}/{split}")
    ages: list[list[float]] = [[] for _ in range(split.variants)]
    for one in campaign.clicks:
        variant = rng.randrange(split.variants)
        if variant == 0 or rng.random() < 1 / split.lift:
            ages[variant].append(one.age)
    deliveries = len(campaign.accepted) // split.variants
    once = ever = customary = None
    for look in _LOOKS:
        counts = [sum(age < look for age in some) for some in ages]
        variants = [Variant(str(number), deliveries, one) for number, one in enumerate(counts)]
        probabilities = probabilities_best(variants)
        highest = max(probabilities)
        best = probabilities.index(highest)
        if highest >= SURE and ever is None:
            ever = best
        if highest >= 0.95 and customary is None:
            customary = best
        if look == _ONE_LOOK and highest >= SURE:
            once = best
    return Named(once, ever, customary)


def results(found: Sequence[Outcome | Silent]) -> str:
    """Return the tables of coverage and errors in Markdown."""
    by_age = _table(["history", "of", "what", *CHECKED_AFTER], _rows(found))
    said = [one for one in found if isinstance(one, Outcome)]
    by_number = _table(["earlier campaigns", *KINDS[:-1]], _rows_by_number(said))
    caption = "The share inside the interval, by the number of earlier campaigns:"
    return f"{by_age}\n\n{caption}\n\n{by_number}"


def _rows(found: Sequence[Outcome | Silent]) -> Iterator[str]:
    groups: dict[tuple[str, ...], list[Outcome | Silent]] = defaultdict(list)
    for one in found:
        groups[one.kind, one.metric, one.said, one.after].append(one)
    for kind, metric, said in product(KINDS, METRICS, _SAID):
        cells = (_cell(groups[kind, metric, said, after]) for after in CHECKED_AFTER)
        label = "pace" if said == "pace" else f"forecast, {said}"
        yield _row(kind, metric.removeprefix("unique_human_"), label, *cells)


_FEWEST_OUTCOMES = 50


def _cell(found: Sequence[Outcome | Silent]) -> str:
    """Return the coverage, the error, and how often nothing was said."""
    said = [one for one in found if isinstance(one, Outcome)]
    silent = len(found) - len(said)
    if len(said) < _FEWEST_OUTCOMES:
        return f"silent in {silent:,} of {len(found):,}"
    low, high = interval(said, coverage)
    least, most = interval(said, error)
    text = (
        f"**{coverage(said):.0%}** ({low:.0%} to {high:.0%}),"
        f" error {error(said):.0%} ({least:.0%} to {most:.0%})"
    )
    return f"{text}, silent in {silent / len(found):.0%}" if silent else text


def _rows_by_number(said: Sequence[Outcome]) -> Iterator[str]:
    for before in JUDGED:
        cells = []
        for kind in KINDS[:-1]:
            some = [one for one in said if (one.kind, one.before) == (kind, before)]
            low, high = interval(some, coverage)
            cells.append(f"**{coverage(some):.0%}** ({low:.0%} to {high:.0%})")
        yield _row(str(min(before, 20)) + (", of 30" if before > 20 else ""), *cells)


def splits_table(found: Mapping[Split, Sequence[Named]]) -> str:
    """Return the table of the variants that were called the best, in Markdown."""
    rows = []
    for split, some in found.items():
        better = "none" if split.lift == 1 else f"the first, by {split.lift - 1:.0%}"
        columns = [[one.once for one in some], [one.ever for one in some]]
        columns.append([one.customary for one in some])
        rows.append(_row(str(split.variants), better, *(_shares(one, split) for one in columns)))
    return _table(
        [
            "variants",
            "better one",
            f"{SURE:.0%}, one look after a day",
            f"{SURE:.0%}, {len(_LOOKS)} looks in a week",
            f"95%, {len(_LOOKS)} looks in a week",
        ],
        rows,
    )


def _shares(best: Sequence[int | None], split: Split) -> str:
    """Return how often a variant was called the best, rightly and wrongly."""
    right = sum(one == 0 for one in best) if split.lift > 1 else 0
    wrong = sum(one is not None for one in best) - right
    text = _share(wrong, len(best)) + " wrongly"
    return f"{_share(right, len(best))} rightly, {text}" if split.lift > 1 else text


def _share(count: int, total: int) -> str:
    low, high = wilson(count, total, 0.95)
    return f"**{count / total:.1%}** ({low:.1%} to {high:.1%})"


def parameter_table() -> str:
    """Return the parameters of the histories with their values and sources, in Markdown."""
    rows = []
    for name, source in histories.sources().items():
        values = [_value(getattr(HISTORIES[kind], name)) for kind in KINDS]
        shown = [values[0], *("" if one == values[0] else one for one in values[1:])]
        rows.append(_row(f"`{name}`", source.meaning, *shown, str(source)))
    assert len(rows) == len(fields(HISTORIES["newsletter"]))
    references = [f"- {name}: <{url}>" for name, url in histories.SOURCES.items()]
    table = _table(["parameter", "meaning", *KINDS, "source"], rows)
    return "\n".join([table, "", "Sources:", "", *references])


def _value(value: Any) -> str:
    if isinstance(value, Delay):
        return f"median {value.median:,g} s, deviation {value.deviation:g}"
    if isinstance(value, tuple) and len(value) == 24:
        return " ".join(f"{one:g}" for one in value)
    if isinstance(value, tuple) and isinstance(value[0], tuple):
        return "; ".join(", ".join(f"{number:g}" for number in one) for one in value)
    if isinstance(value, tuple):
        return " to ".join(f"{one:g}" for one in value)
    return f"{value:g}"


def _row(*values: str) -> str:
    return f"| {' | '.join(values)} |"


def _table(columns: Sequence[str], rows: Iterable[str]) -> str:
    return "\n".join([_row(*columns), f"|{'---|' * len(columns)}", *rows])


def _of_history(place: tuple[Kind, int]) -> list[Outcome | Silent]:
    return list(outcomes(*place))


def _of_split(place: tuple[Split, int]) -> Named:
    return named(*place)


@click.command()
@click.option("--seeds", type=click.Choice(list(parameters.SEEDS)), default="report")
@click.option("--histories", "number", default=150, show_default=True, help="Of each kind.")
@click.option("--splits", default=200, show_default=True, help="Split campaigns of each kind.")
@click.option("--processes", default=2, show_default=True)
@click.option("--write", is_flag=True, help="Update the tables in docs/pace.md.")
def main(*, seeds: str, number: int, splits: int, processes: int, write: bool) -> None:
    """Measure intervals, forecasts and variants, and print the tables."""
    chosen = parameters.SEEDS[seeds]
    with ProcessPoolExecutor(processes) as pool:
        places = [(kind, seed) for kind in KINDS for seed in chosen[:number]]
        found = [one for some in pool.map(_of_history, places, chunksize=10) for one in some]
        by_split = {
            split: list(pool.map(_of_split, [(split, seed) for seed in chosen[:splits]]))
            for split in SPLITS
        }
    measured = f"{number} histories of each kind; seeds to {seeds}: {chosen[0]} and following."
    parts = {
        "results": f"{results(found)}\n\n{measured}",
        "variants": f"{splits_table(by_split)}\n\n{splits} campaigns of 10,000 emails in each row.",
        "parameters": parameter_table(),
    }
    for text in parts.values():
        print(text, end="\n\n")
    if write:
        write_parts(DOCUMENT, "bench/pace.py", parts)


if __name__ == "__main__":
    main()

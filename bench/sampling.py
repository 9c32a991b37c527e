"""Choose which seconds of a simulated campaign to process, and weigh what is counted in them.

A campaign lasts two days, of which most seconds resemble their neighbours. A window of seconds in
the middle of each period represents the period. Counts of the windows of a stratum (an hour, while
emails are sent or later) are multiplied by what the stratum has more than its windows: events,
seconds with events, seconds, or minutes.
"""

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

HOUR = 3600
# After the last email was sent, most deliveries and scanners follow within this time.
SETTLING_SECONDS = 120

Counts = dict[str, Counter[str]]


class Every(NamedTuple):
    """Process this many seconds of each period."""

    seconds: int
    period: int


class Sample(NamedTuple):
    """What to process while emails are sent, and later."""

    sending: Every
    later: Every


FULL = Sample(Every(60, 60), Every(60, 60))
SAMPLES = {
    20_000: FULL,
    200_000: Sample(Every(20, 60), Every(60, 300)),
    10_000_000: Sample(Every(6, 180), Every(60, 720)),
}
"""The sample by the largest number of recipients for which it is used."""


class Window(NamedTuple):
    """Consecutive seconds that represent a period.

    Attributes:
        start, end: the seconds to process, since the campaign's start.
        period_end: the end of the period, which follows the previous window's.
        represented: seconds of the period.
        stratum: windows with the same stratum are weighed together.
    """

    start: int
    end: int
    period_end: int
    represented: int
    stratum: tuple[str, int]

    @property
    def hour(self) -> int:
        """The hour since the campaign's start."""
        return self.stratum[1]


def sample_for(recipients: int) -> Sample:
    """Return the sample for a campaign of this size."""
    return next(sample for most, sample in SAMPLES.items() if recipients <= most)


def windows(sending_seconds: float, seconds: float, sample: Sample) -> Iterator[Window]:
    """Yield the windows of a campaign.

    Args:
        sending_seconds: time during which emails are sent.
        seconds: duration of the campaign.
        sample: what to process.
    """
    at = 0
    while at < seconds:
        sending = at < sending_seconds + SETTLING_SECONDS
        name, every = ("sending", sample.sending) if sending else ("later", sample.later)
        start = at + (every.period - every.seconds) // 2
        ends = at + every.period
        yield Window(start, start + every.seconds, ends, every.period, (name, at // HOUR))
        at = ends


@dataclass
class Stratum:
    """What was counted in the windows of a stratum, and what they represent."""

    counts: Counter[tuple[str, str]] = field(default_factory=Counter)
    windows: int = 0
    processed_seconds: int = 0
    seconds: int = 0
    processed_events: int = 0
    events: int = 0
    processed_busy: int = 0
    busy: int = 0

    def weight(self, by: str) -> float:
        """Return the factor for counts that grow with a quantity.

        Args:
            by: `events`, `busy` (seconds with events), `seconds`, `minutes`, or `once`.
        """
        match by:
            case "events":
                return self.events / self.processed_events if self.processed_events else 1.0
            case "busy":
                return self.busy / self.processed_busy if self.processed_busy else 1.0
            case "minutes":  # counted once in each window
                return self.seconds / 60 / self.windows
            case "seconds":
                return self.seconds / self.processed_seconds
        return 1.0


class Weighing:
    """The counts of all windows, by stratum.

    Args:
        by: what the counts of a role grow with; `busy` for roles that are not named.
    """

    def __init__(self, by: Mapping[str, str]) -> None:
        self.strata: dict[tuple[str, int], Stratum] = defaultdict(Stratum)
        self._by = by

    def add(
        self, window: Window, counts: Counts, inside: Sequence[float], others: Sequence[float]
    ) -> None:
        """Add the counts of a window.

        Args:
            window: the window.
            counts: what was counted in it.
            inside: the times of its events.
            others: the times of the other events of its period.
        """
        busy = {int(at) for at in inside}
        stratum = self.strata[window.stratum]
        stratum.windows += 1
        stratum.processed_seconds += window.end - window.start
        stratum.seconds += window.represented
        stratum.processed_events += len(inside)
        stratum.events += len(inside) + len(others)
        stratum.processed_busy += len(busy)
        stratum.busy += len(busy) + len({int(at) for at in others})
        for role, found in counts.items():
            for name, number in found.items():
                stratum.counts[role, name] += number

    def events(self, hour: int) -> int:
        """Return the number of events in an hour."""
        return sum(one.events for (_, at), one in self.strata.items() if at == hour)

    def totals(self, hour: int | None = None) -> Counts:
        """Return the weighed counts by role and name, of an hour or of the whole campaign."""
        totals: Counts = defaultdict(Counter)
        for (_, at), stratum in self.strata.items():
            if hour is None or at == hour:
                for (role, name), number in stratum.counts.items():
                    weight = stratum.weight(self._by.get(role, "busy"))
                    totals[role][name] += number * weight
        return totals

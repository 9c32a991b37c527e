"""An endless series of small campaigns, a new one every few minutes.

A few events a second, with opens sped up so much that the page always changes. The load is small
because the emulator keeps everything in memory, and a demo may be left running.
"""

import heapq
from collections.abc import Iterable, Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from random import Random

from dashboard.simulation.arrivals import Arrival, arrivals
from dashboard.simulation.audience import SENDERS, SUBJECTS
from dashboard.simulation.campaign import Behaviour, Campaign

_PAUSE_SECONDS = (5, 40)


def campaigns(seed: int, start: datetime) -> Iterator[Campaign]:
    """Yield campaigns without end, the first at `start` and each other after its predecessor."""
    rng = Random(f"{seed}/demo")  # noqa: S311 - no secret
    names: list[str] = []
    while True:
        if not names:
            names = rng.sample(list(SUBJECTS), len(SUBJECTS))
        name = names.pop()
        campaign = Campaign(
            id=f"{name}-{start:%Y-%m-%d-%H%M}",
            start=start,
            subject=SUBJECTS[name],
            sender=rng.choice(SENDERS),
            # Enough that each of two variants has the 200 deliveries without which none is judged.
            recipients=rng.randint(430, 560),
            rate=rng.uniform(1.5, 1.9),
            seed=rng.getrandbits(32),
            behaviour=Behaviour(
                speed=1800,
                bounces=rng.uniform(0.01, 0.04),
                bots=rng.uniform(0.3, 0.5),
                opens=rng.uniform(0.35, 0.6),
                clicks=rng.uniform(0.1, 0.35),
                complaints=0.002,
                lift=rng.choice((1.0, 1.5, 2.0)),
            ),
        )
        yield campaign
        sending = campaign.recipients / campaign.rate
        start += timedelta(seconds=sending + rng.uniform(*_PAUSE_SECONDS))


def together(planned: Iterable[Campaign], start: datetime) -> Iterator[Arrival]:
    """Merge the arrivals of overlapping campaigns.

    Args:
        planned: in order of their start; may be endless.
        start: the time from which `due` of the merged arrivals is counted.
    """
    upcoming = iter(planned)
    ahead = next(upcoming, None)
    running: list[tuple[float, int, Arrival, Iterator[Arrival]]] = []
    begun = 0
    while running or ahead is not None:
        while ahead is not None and (
            not running or (ahead.start - start).total_seconds() <= running[0][0]
        ):
            stream = _moved(arrivals(ahead), (ahead.start - start).total_seconds())
            first = next(stream, None)
            if first is not None:
                begun += 1
                heapq.heappush(running, (first.due, begun, first, stream))
            ahead = next(upcoming, None)
        if not running:
            continue
        _, number, arrival, stream = heapq.heappop(running)
        yield arrival
        following = next(stream, None)
        if following is not None:
            heapq.heappush(running, (following.due, number, following, stream))


def _moved(stream: Iterable[Arrival], seconds: float) -> Iterator[Arrival]:
    for arrival in stream:
        yield replace(arrival, due=arrival.due + seconds)

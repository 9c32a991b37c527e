"""Generate a campaign's events in the order in which they reach the topic.

Some events are overtaken by later ones, and some arrive more than once: SES and SNS guarantee
neither order nor exactly-once delivery.
"""

import heapq
from collections.abc import Iterator
from dataclasses import dataclass
from random import Random

from dashboard.simulation.campaign import Campaign
from dashboard.simulation.mail_life import Happening, life
from dashboard.simulation.payloads import event_text

_MAX_COPIES = 8


@dataclass(frozen=True, slots=True)
class Arrival:
    """An event that reaches the topic.

    Attributes:
        due: arrival time, in seconds since the campaign's start.
        happening: the reported occurrence.
        copy: whether it has arrived before.
    """

    due: float
    happening: Happening
    copy: bool

    @property
    def text(self) -> str:
        """The text that SES publishes, the same for every copy."""
        return event_text(self.happening.type, self.happening.mail, self.happening.own)


def arrivals(campaign: Campaign) -> Iterator[Arrival]:
    """Generate all events of a campaign, in order of arrival.

    Does not wait: `due` is the time at which to publish each event. Only events in flight are held
    in memory, so a campaign may have millions of recipients.
    """
    under_way: list[tuple[float, int, Arrival]] = []
    made = 0
    for index in range(campaign.recipients):
        # No event of this or a later email arrives before its earliest sending time.
        while under_way and under_way[0][0] < index / campaign.rate:
            yield heapq.heappop(under_way)[2]
        rng = Random(f"{campaign.seed}/{campaign.id}/{index}")  # noqa: S311 - no secret
        sent_after = (index + rng.random()) / campaign.rate
        for happening in life(campaign, rng, index, sent_after):
            for arrival in _arrivals(happening, rng, campaign.behaviour.duplicates):
                if arrival.due <= campaign.seconds:
                    made += 1  # a tie-breaker: events due at once keep their order
                    heapq.heappush(under_way, (arrival.due, made, arrival))
    while under_way:
        yield heapq.heappop(under_way)[2]


def _arrivals(happening: Happening, rng: Random, duplicates: float) -> Iterator[Arrival]:
    """Yield an event's arrival, delayed and sometimes out of order, and perhaps its copies."""
    due = max(happening.after, 0) + min(rng.lognormvariate(-1.4, 0.6), 5.0)
    if rng.random() < 0.03:  # noqa: PLR2004 - some are late
        due += rng.uniform(1.0, 6.0)
    yield Arrival(due, happening, copy=False)
    if rng.random() < duplicates:
        copies = 1
        while copies < _MAX_COPIES and rng.random() < 0.3:  # noqa: PLR2004 - mostly one
            copies += 1
        for _ in range(copies):
            due += rng.expovariate(0.3)
            yield Arrival(due, happening, copy=True)

"""A campaign → its events in the order in which they reach the topic.

Late ones come after early ones, and some come more than once: SES and SNS promise neither
order nor that an event is delivered only once.
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
        due: when, in seconds since the campaign's start.
        happening: what it reports.
        copy: whether it has arrived before.
    """

    due: float
    happening: Happening
    copy: bool

    @property
    def text(self) -> str:
        """What SES publishes; every copy has the same."""
        return event_text(self.happening.type, self.happening.mail, self.happening.own)


def arrivals(campaign: Campaign) -> Iterator[Arrival]:
    """Generate all events of a campaign, in the order in which they arrive.

    Nothing waits here: `due` says when each is to be published. What is under way alone takes
    memory, so that a campaign may have millions of recipients.
    """
    under_way: list[tuple[float, int, Arrival]] = []
    made = 0
    for index in range(campaign.recipients):
        # Nothing of this mail, or of a later one, arrives before this mail may be sent.
        while under_way and under_way[0][0] < index / campaign.rate:
            yield heapq.heappop(under_way)[2]
        rng = Random(f"{campaign.seed}/{campaign.id}/{index}")  # noqa: S311 - no secret
        sent_after = (index + rng.random()) / campaign.rate
        for happening in life(campaign, rng, index, sent_after):
            for arrival in _arrivals(happening, rng, campaign.behaviour.duplicates):
                if arrival.due <= campaign.seconds:
                    made += 1  # of two that are due at once, the one made first goes first
                    heapq.heappush(under_way, (arrival.due, made, arrival))
    while under_way:
        yield heapq.heappop(under_way)[2]


def _arrivals(happening: Happening, rng: Random, duplicates: float) -> Iterator[Arrival]:
    """Let it arrive: a little later, sometimes so late that others overtake it, perhaps again."""
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

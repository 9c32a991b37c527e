"""Publish arrivals to a topic when they are due, and count them."""

import threading
import time
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from datetime import datetime
from typing import Any

from chalicelib.facts.reputation import bounce_counter, bounce_kind
from dashboard.simulation.arrivals import Arrival

# Events that are due within this many seconds are published together.
_TICK_SECONDS = 0.05
_LONGEST_WAIT_SECONDS = 0.5
_MOST_AT_ONCE = 500

_COUNTERS = {
    "Send": "sends",
    "Delivery": "deliveries",
    "DeliveryDelay": "delivery_delays",
    "Open": "opens",
    "Click": "clicks",
    "Complaint": "complaints",
    "Reject": "rejects",
    "Rendering Failure": "rendering_failures",
    "Subscription": "unsubscribes",
}
_UNIQUE = {"Open": "unique_opens", "Click": "unique_clicks"}
COUNTERS = (
    "sends",
    "deliveries",
    "delivery_delays",
    "hard_bounces",
    "soft_bounces",
    "undetermined_bounces",
    "prevented",
    "opens",
    "unique_opens",
    "clicks",
    "unique_clicks",
    "unsubscribes",
    "complaints",
    "rejects",
    "rendering_failures",
)


class Tally:
    """The numbers of published events, by the names of the page's counters.

    Attributes:
        published: number of events, including copies.
        copies: number of events that had been published before.
    """

    def __init__(self) -> None:
        self.published = 0
        self.copies = 0
        self._counts: Counter[str] = Counter()
        self._messages: dict[str, set[str]] = {event_type: set() for event_type in _UNIQUE}

    def add(self, arrivals: Sequence[Arrival]) -> None:
        """Count published events."""
        for arrival in arrivals:
            self.published += 1
            if arrival.copy:
                self.copies += 1
                continue
            happening = arrival.happening
            self._counts[_counter(happening.type, happening.own)] += 1
            if happening.type in _UNIQUE:
                self._messages[happening.type].add(happening.mail.message_id)

    @property
    def counts(self) -> dict[str, int]:
        """The number of events for each counter, without copies."""
        unique = {_UNIQUE[name]: len(messages) for name, messages in self._messages.items()}
        return {name: unique.get(name, self._counts[name]) for name in COUNTERS}


def play(
    arrivals: Iterable[Arrival],
    publish_batch: Callable[[Sequence[str]], None],
    *,
    now: Callable[[], float],
    stop: threading.Event,
    published: Callable[[Sequence[Arrival]], None],
) -> None:
    """Publish each event when it is due, until there are no more or `stop` is set.

    Args:
        arrivals: in the order in which they are due.
        publish_batch: publishes texts; an exception ends the play.
        now: returns the seconds since the origin of `due`; infinity publishes everything at once.
        stop: ends the play, after the batch that is being published.
        published: called with each published batch and, while nothing is due, periodically with an
            empty one, so that a progress bar can move.
    """
    batch: list[Arrival] = []

    def flush() -> None:
        if batch:
            publish_batch([arrival.text for arrival in batch])
        published(tuple(batch))
        batch.clear()

    for arrival in arrivals:
        while (early := arrival.due - now()) > 0:
            flush()
            stop.wait(min(max(early, _TICK_SECONDS), _LONGEST_WAIT_SECONDS))
            if stop.is_set():
                return
        batch.append(arrival)
        if len(batch) >= _MOST_AT_ONCE:
            flush()
        if stop.is_set():
            return
    flush()


def _counter(event_type: str, own: dict[str, Any]) -> str:
    if event_type == "Bounce":
        return bounce_counter(*bounce_kind(own["bounceType"], own["bounceSubType"]))
    return _COUNTERS[event_type]


def seconds_since(start: datetime) -> Callable[[], float]:
    """Return a clock that counts seconds from a time."""
    # The wall clock: events contain its time, and it advances while a laptop sleeps.
    return lambda: time.time() - start.timestamp()

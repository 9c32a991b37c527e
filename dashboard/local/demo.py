"""Play the demo next to a running `up`."""

import secrets
import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime

import click

from chalicelib.errors import MailpulseError
from dashboard.local.session import LocalSession
from dashboard.progress import Reporter
from dashboard.simulation.arrivals import Arrival
from dashboard.simulation.demo import campaigns, together
from dashboard.simulation.player import play, seconds_since
from dashboard.sqs.topic import Topic

_RETRY_SECONDS = 5.0
# If the demo lags by more than this (the laptop slept, the topic was unavailable), it starts over.
_BEHIND_SECONDS = 60.0


@contextmanager
def playing(
    session: LocalSession, topic_arn: str, steps: Reporter, *, enabled: bool
) -> Iterator[None]:
    """Publish the events of small, endless campaigns in the background, if enabled."""
    if not enabled:
        yield
        return
    stop = threading.Event()
    publish = Topic(session.client("sns"), topic_arn).publish_batch

    def play() -> None:
        try:
            play_endlessly(publish, seed=secrets.randbits(32), stop=stop)
        except Exception as error:  # noqa: BLE001 - a failing demo must not stop the dashboard
            if not stop.is_set():
                steps.warn(f"The demo stopped: {error}")

    player = threading.Thread(target=play, name="demo", daemon=True)
    player.start()
    try:
        yield
    finally:
        stop.set()
        player.join(timeout=10)


def play_endlessly(
    publish_batch: Callable[[Sequence[str]], None], *, seed: int, stop: threading.Event
) -> None:
    """Play small campaigns until `stop` is set.

    Args:
        publish_batch: as of `Topic`; if it fails, the demo reports this on standard error and
            retries every few seconds. Events that are published twice as a result count once.
        seed: the same seed yields the same campaigns, except for their times.
        stop: ends the demo within seconds.
    """

    def persistently(messages: Sequence[str]) -> None:
        failing = False
        while not stop.is_set():
            try:
                publish_batch(messages)
            except MailpulseError as error:
                if not failing and not stop.is_set():
                    click.echo(f"The demo is waiting: {error}", err=True)
                failing = True
                stop.wait(_RETRY_SECONDS)
            else:
                if failing:
                    click.echo("The demo continues.", err=True)
                return

    while not stop.is_set():
        start = datetime.now(UTC)
        now = seconds_since(start)
        planned = campaigns(seed, start)
        play(
            _until_behind(together(planned, start), now),
            persistently,
            now=now,
            stop=stop,
            published=lambda _: None,
        )


def _until_behind(stream: Iterable[Arrival], now: Callable[[], float]) -> Iterator[Arrival]:
    for arrival in stream:
        if now() - arrival.due > _BEHIND_SECONDS:
            return
        yield arrival

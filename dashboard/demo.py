"""Play the demo beside a running `up`."""

import secrets
import threading
from collections.abc import Iterator
from contextlib import contextmanager

from dashboard.session import LocalSession
from dashboard.steps import Steps


@contextmanager
def playing(
    session: LocalSession, topic_arn: str, steps: Steps, *, enabled: bool
) -> Iterator[None]:
    """Publish the events of a small, endless campaign meanwhile, if it is wanted."""
    if not enabled:
        yield
        return
    # Imported here: only the demo needs the simulator.
    from dashboard import simulate, topic  # noqa: PLC0415

    stop = threading.Event()
    publish = topic.Topic(session.client("sns"), topic_arn).publish_batch

    def play() -> None:
        try:
            simulate.demo(publish, seed=secrets.randbits(32), stop=stop)
        except Exception as error:  # noqa: BLE001 - the demo may fail; the dashboard goes on
            if not stop.is_set():
                steps.warn(f"The demo has ended: {error}")

    player = threading.Thread(target=play, name="demo", daemon=True)
    player.start()
    try:
        yield
    finally:
        stop.set()
        player.join(timeout=10)

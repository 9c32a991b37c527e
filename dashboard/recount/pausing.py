"""Pause ingest while the stored facts are read; SQS keeps the events that arrive meanwhile.

The pause is stored in the pipeline's health, which the page shows. A pause that was never ended,
because its process was killed, is therefore visible, and the next command or start ends it.
"""

import signal
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from chalicelib.errors import CommandError
from dashboard.aws_session import Service
from dashboard.deploy.chalice_resources import function_name
from dashboard.installation import Installation
from dashboard.progress import Reporter, Step

_LOOK_EVERY_SECONDS = 0.5
# The longest running time of an ingest invocation: its timeout (functions.FUNCTIONS) and a margin.
_INGEST_SECONDS = 35.0
# A batch may take up to the timeout of the aggregate function, and a margin.
_STUCK_SECONDS = 360.0
_SETTLED = {"Enabled", "Disabled"}


@dataclass(frozen=True)
class Pause:
    """A pause of ingest, identified by its start time `at`."""

    installation: Installation
    at: str

    def require(self) -> None:
        """Require that ingest is still paused by this pause.

        Raises:
            CommandError: the pause was ended, or another one has begun.
        """
        if not self.is_ours() or Ingest(self.installation).states() != {"Disabled"}:
            raise CommandError(
                "another command resumed ingest, so the remaining counters were not "
                "corrected: run `recount` again on its own"
            )

    def is_ours(self) -> bool:
        """Return whether this pause has been neither ended nor replaced by another."""
        return self.installation.stats_table.pipeline.health().paused_at == self.at


@contextmanager
def ingest_paused(installation: Installation, steps: Reporter) -> Iterator[Pause]:
    """Pause ingest, wait until everything stored is counted, and always resume ingest.

    Raises:
        CommandError: ingest could not be paused, or counting makes no progress.
    """
    stats_table = installation.stats_table
    earlier = stats_table.pipeline.health().paused_at
    if earlier is not None:
        steps.warn(
            f"Ingest has been paused since {earlier}: a recount was killed, or is still running. "
            "This recount continues, and resumes ingest at the end."
        )
    pause = Pause(installation, datetime.now(UTC).isoformat(timespec="milliseconds"))
    with _terminated_like_ctrl_c():
        stats_table.pipeline.pause(pause.at)
        try:
            with steps.step("Pause ingest") as step:
                Ingest(installation).switch(enabled=False)
                _wait(lambda: _in_flight(installation, step), _INGEST_SECONDS)
            wait_until_counted(installation, steps)
            yield pause
        finally:
            if pause.is_ours():
                with steps.step("Resume ingest"):
                    Ingest(installation).switch(enabled=True)
                    stats_table.pipeline.resume(pause.at)
            else:
                steps.warn("Another recount is running, which will resume ingest.")


def wait_until_counted(installation: Installation, steps: Reporter) -> None:
    """Wait until every stored fact is counted.

    Raises:
        CommandError: counting makes no progress.
    """
    stuck_at, since = 0.0, time.monotonic()
    with steps.step("Wait until stored events are counted") as step:
        while True:
            oldest = installation.events_stream.oldest_unread(
                installation.stats_table.positions.by_shard()
            )
            if oldest is None:
                return
            behind = f"{time.time() - oldest:.0f} s"
            step.progress(f"{behind} behind")
            if oldest != stuck_at:
                stuck_at, since = oldest, time.monotonic()
            elif time.monotonic() - since > _STUCK_SECONDS:
                raise CommandError(
                    f"counting has stopped: a fact stored {behind} ago has not been counted; "
                    "see the "
                    f"log of the function {function_name(installation.stage, 'aggregate')}"
                )
            time.sleep(_LOOK_EVERY_SECONDS)


class Ingest:
    """The event source mappings of the ingest function."""

    def __init__(self, installation: Installation) -> None:
        self._lambda = Service("lambda", installation.clients)
        self._name = function_name(installation.stage, "ingest")

    def states(self) -> set[str]:
        """Return the states of the mappings, such as `{"Enabled"}`."""
        return {mapping["State"] for mapping in self._mappings()}

    def switch(self, *, enabled: bool) -> None:
        """Enable or disable the mappings, and wait until the change has taken effect.

        Raises:
            AwsError: a mapping cannot be changed.
            CommandError: there is no mapping, or a change does not take effect.
        """
        # Lambda rejects updates of a mapping that has not settled.
        _wait(lambda: self.states() <= _SETTLED, _STUCK_SECONDS)
        wanted = "Enabled" if enabled else "Disabled"
        mappings = self._mappings()
        if not mappings:
            raise CommandError(f"the function {self._name} has no event source: run `deploy` again")
        for mapping in mappings:
            self._lambda.call("update_event_source_mapping", UUID=mapping["UUID"], Enabled=enabled)
        if not _wait(lambda: self.states() == {wanted}, _STUCK_SECONDS):
            raise CommandError(
                f"the event source of {self._name} did not become {wanted}: try again"
            )

    def _mappings(self) -> list[dict[str, Any]]:
        answer = self._lambda.call("list_event_source_mappings", FunctionName=self._name)
        mappings: list[dict[str, Any]] = answer["EventSourceMappings"]
        return mappings


def _in_flight(installation: Installation, step: Step) -> bool:
    left = installation.queues.in_flight()
    step.progress(f"{left} messages are being ingested")
    return not left


def _wait(done: Callable[[], bool], seconds: float) -> bool:
    until = time.monotonic() + seconds
    while not done():
        if time.monotonic() >= until:
            return False
        time.sleep(_LOOK_EVERY_SECONDS)
    return True


@contextmanager
def _terminated_like_ctrl_c() -> Iterator[None]:
    """Raise KeyboardInterrupt on SIGTERM and SIGHUP, so that a command cleans up after them."""

    def interrupt(*_: Any) -> None:
        raise KeyboardInterrupt

    before = {one: signal.signal(one, interrupt) for one in (signal.SIGTERM, signal.SIGHUP)}
    try:
        yield
    finally:
        for one, handler in before.items():
            signal.signal(one, handler)

"""Hold ingest still while the stored facts are looked at: SQS keeps what arrives meanwhile.

The pause is noted in the pipeline's health, where the page shows it, so that one which was never
ended (a killed process) is seen, and ended by the next command or start.
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
# The longest that an ingest which has begun may take: its time-out (functions.FUNCTIONS) and some.
_INGEST_SECONDS = 35.0
# A batch may take as long as the counting function's time-out, and some.
_STUCK_SECONDS = 360.0
_SETTLED = {"Enabled", "Disabled"}


@dataclass(frozen=True)
class Pause:
    """A pause of ingest; `at`, when it began, tells it from others."""

    installation: Installation
    at: str

    def require(self) -> None:
        """See that ingest is still paused, by us.

        Raises:
            CommandError: somebody has ended the pause, or begun another.
        """
        if not self.is_ours() or Ingest(self.installation).states() != {"Disabled"}:
            raise CommandError(
                "another command or a new start has ended this pause of ingest: nothing was "
                "restated from here on; run it again, alone"
            )

    def is_ours(self) -> bool:
        """Tell whether nobody has begun another pause since, or ended this one."""
        return self.installation.stats_table.health().paused_at == self.at


@contextmanager
def ingest_paused(installation: Installation, steps: Reporter) -> Iterator[Pause]:
    """Pause ingest, wait until everything stored is counted, and resume whatever happens.

    Raises:
        CommandError: ingest could not be paused, or counting does not come to its end.
    """
    stats_table = installation.stats_table
    earlier = stats_table.health().paused_at
    if earlier is not None:
        steps.warn(
            f"Ingest is paused since {earlier}: a recount was killed, or is still running. "
            "This one goes on, and resumes ingest at its end."
        )
    pause = Pause(installation, datetime.now(UTC).isoformat(timespec="milliseconds"))
    with _terminated_like_ctrl_c():
        stats_table.pause(pause.at)
        try:
            with steps.step("Ingest is paused") as step:
                Ingest(installation).switch(enabled=False)
                _wait(lambda: _in_flight(installation, step), _INGEST_SECONDS)
            wait_until_counted(installation, steps)
            yield pause
        finally:
            if pause.is_ours():
                with steps.step("Ingest goes on"):
                    Ingest(installation).switch(enabled=True)
                    stats_table.resume(pause.at)
            else:
                steps.warn("Another recount is running: ingest goes on at its end.")


def wait_until_counted(installation: Installation, steps: Reporter) -> None:
    """Wait until every stored fact is counted.

    Raises:
        CommandError: counting does not go on.
    """
    stuck_at, since = 0.0, time.monotonic()
    with steps.step("What is stored is counted") as step:
        while True:
            oldest = installation.events_stream.oldest_unread(
                installation.stats_table.read_positions()
            )
            if oldest is None:
                return
            behind = f"{time.time() - oldest:.0f} s"
            step.progress(f"{behind} behind")
            if oldest != stuck_at:
                stuck_at, since = oldest, time.monotonic()
            elif time.monotonic() - since > _STUCK_SECONDS:
                raise CommandError(
                    f"counting does not go on: a fact stored {behind} ago is not counted; see the "
                    f"log of the function {function_name(installation.stage, 'aggregate')}"
                )
            time.sleep(_LOOK_EVERY_SECONDS)


class Ingest:
    """The mappings that bring the ingest function its messages."""

    def __init__(self, installation: Installation) -> None:
        self._lambda = Service("lambda", installation.clients)
        self._name = function_name(installation.stage, "ingest")

    def states(self) -> set[str]:
        """Tell how the mappings are, such as `{"Enabled"}`."""
        return {mapping["State"] for mapping in self._mappings()}

    def switch(self, *, enabled: bool) -> None:
        """Switch the mappings on or off, and wait until it is so.

        Raises:
            AwsError: they cannot be changed.
            CommandError: there are none, or they do not change.
        """
        # One that is still changing refuses to be changed.
        _wait(lambda: self.states() <= _SETTLED, _STUCK_SECONDS)
        wanted = "Enabled" if enabled else "Disabled"
        mappings = self._mappings()
        if not mappings:
            raise CommandError(f"the function {self._name} has no event source: deploy again")
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
    """Let SIGTERM, and a terminal that is closed, end a command as Ctrl-C does: in good order."""

    def interrupt(*_: Any) -> None:
        raise KeyboardInterrupt

    before = {one: signal.signal(one, interrupt) for one in (signal.SIGTERM, signal.SIGHUP)}
    try:
        yield
    finally:
        for one, handler in before.items():
            signal.signal(one, handler)

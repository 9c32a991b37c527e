"""`up`: run Mailpulse on this machine."""

import shutil
import signal
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from types import FrameType
from typing import Any

import click

from chalicelib.errors import CommandError, MailpulseError
from dashboard.deploy import frontend
from dashboard.local import install
from dashboard.local.browser import open_page
from dashboard.local.demo import playing
from dashboard.local.emulator.process import EmulatorProcess, Progress, listen
from dashboard.local.running import Running, announced, check, locked, read_unsaved
from dashboard.local.session import LocalSession
from dashboard.paths import PROJECT, StateDir
from dashboard.progress import Reporter

_STOPPING = (
    "Stopping: ingesting and counting the events in the queue takes up to 40 s, then the data is "
    "saved. To leave the events for the next start, press Ctrl-C again; no events are lost."
)


@dataclass(frozen=True)
class Options:
    """The options of the command line."""

    port: int
    demo: bool
    as_json: bool
    open_page: bool
    allowed_origins: tuple[str, ...]


class StopSignals:
    """Ctrl-C and SIGTERM: the first requests a stop, the second leaves the queue as it is."""

    def __init__(self) -> None:
        self.requested = threading.Event()
        self.hurried = threading.Event()
        self.interrupts = True  # during startup, a signal interrupts any wait

    @contextmanager
    def handled(self) -> Iterator[None]:
        """Handle the signals within the block."""
        names = (signal.SIGINT, signal.SIGTERM)
        before = {name: signal.signal(name, self._handle) for name in names}
        try:
            yield
        finally:
            for name, handler in before.items():
                signal.signal(name, handler)

    def _handle(self, _number: int, _frame: FrameType | None) -> None:
        if self.requested.is_set():
            self.hurried.set()
        self.requested.set()
        if self.interrupts:
            self.interrupts = False
            raise KeyboardInterrupt


@click.command("up")
@click.option(
    "--port", default=8270, show_default=True, help="Port of the page; 0 selects a free port."
)
@click.option(
    "--state-dir",
    type=click.Path(file_okay=False, path_type=Path),
    default=PROJECT / ".mailpulse",
    show_default=".mailpulse in the project",
    help="Folder for the data between runs.",
)
@click.option("--demo/--no-demo", default=False, help="Simulate a small campaign continuously.")
@click.option("--json", "as_json", is_flag=True, help="Print one line of JSON.")
@click.option("--open/--no-open", "opens", default=True, help="Open the page in a browser.")
@click.option(
    "--allow-origin",
    "allowed_origins",
    metavar="ORIGIN",
    multiple=True,
    help="Allow pages from this origin, such as http://127.0.0.1:5173, to connect.",
)
def command(  # noqa: PLR0913 - one for each option
    *,
    port: int,
    state_dir: Path,
    demo: bool,
    as_json: bool,
    opens: bool,
    allowed_origins: tuple[str, ...],
) -> None:
    """Run Mailpulse locally, on an AWS emulator, until Ctrl-C."""
    state = StateDir(state_dir.resolve())
    steps = Reporter()
    stop = StopSignals()
    with stop.handled(), locked(state, steps.info) as lock:
        _up(Options(port, demo, as_json, opens, allowed_origins), state, lock, steps, stop)


def _up(options: Options, state: StateDir, lock: int, steps: Reporter, stop: StopSignals) -> None:
    listener = listen(options.port)
    if not frontend.is_current():
        with steps.step("Build the page"):
            frontend.build()

    check(state)
    unsaved = read_unsaved(state)
    if unsaved is not None:
        _say_what_was_lost(unsaved, steps)
        # The events that an interrupted replay had sent may be lost, so it must start over.
        shutil.rmtree(state.replay, ignore_errors=True)
    with steps.step("Start the local AWS emulator"):
        emulator = EmulatorProcess(
            state, listener, [lock], install.COUNTING_FUNCTION, options.allowed_origins
        )
        emulator.wait_until_ready()
    try:
        session = LocalSession(emulator.endpoint_url)
        running = install.install(state, session, steps)
        emulator.serve_page(install.site_bucket(session))
        stop.interrupts = False
        with announced(state, running):
            _say_where(running, options, steps)
            with playing(session, running.topic_arn, steps, enabled=options.demo):
                _wait(emulator, stop)
                steps.info(_STOPPING)
    except KeyboardInterrupt:
        steps.info(_STOPPING)
        _stop(emulator, steps, stop)
        raise CommandError("interrupted before Mailpulse was ready") from None
    except MailpulseError:
        if emulator.is_running:
            _stop(emulator, steps, stop)
        raise
    _stop(emulator, steps, stop)


def _wait(emulator: EmulatorProcess, stop: StopSignals) -> None:
    """Wait for a signal, checking that the emulator is still running."""
    while not stop.requested.wait(0.25):
        emulator.check()


def _stop(emulator: EmulatorProcess, steps: Reporter, stop: StopSignals) -> None:
    stop.interrupts = False
    phase = None
    with steps.step("Stopping") as step:

        def show(progress: Progress) -> None:
            nonlocal phase
            before, phase = phase, (progress.paused, progress.saving)
            step.progress(_say_progress(progress), at_once=phase != before)

        stopped = emulator.stop(show, stop.hurried)
        step.result = "Stopped, data saved"
        if stopped.left:
            step.result += f"; {stopped.left:,} messages kept in the queue for the next start"
    if stopped.uncounted:
        raise CommandError(
            f"{stopped.uncounted} changes to stored events were not counted, so the counters "
            "are too low"
        )


def _say_progress(progress: Progress) -> str:
    if progress.saving:
        return "saving the data"
    to_count = f"{progress.records:,} changes to count"
    if progress.paused:
        return f"{progress.messages:,} messages kept in the queue for the next start; {to_count}"
    return (
        f"{progress.messages:,} messages to ingest, {to_count}; to keep them in the queue for the "
        "next start, press Ctrl-C again"
    )


def _say_what_was_lost(unsaved: dict[str, Any], steps: Reporter) -> None:
    if unsaved["uncounted"]:
        steps.warn(
            f"The last run ended before {unsaved['uncounted']} changes to stored events were "
            "counted, so the counters are too low."
        )
    else:
        since = datetime.fromisoformat(unsaved["since"]).astimezone()
        steps.warn(
            "The last run was killed: events and counters after "
            f"{since:%Y-%m-%d %H:%M:%S %Z} are lost."
        )


def _say_where(running: Running, options: Options, steps: Reporter) -> None:
    if options.as_json:
        print(running.as_json(), flush=True)
    elif sys.stdout.isatty():
        print(f"\n  Mailpulse is at {running.dashboard}\n", flush=True)
    else:
        print(running.dashboard, flush=True)
    steps.info(f"Ready after {steps.elapsed:.1f} s. To stop, press Ctrl-C; the data is kept.")
    if options.open_page:
        open_page(running.dashboard)

"""Start, monitor and stop the emulator, which is a child process (local/emulator/main.py)."""

import http.client
import json
import os
import queue
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Collection
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from chalicelib.errors import CommandError
from dashboard import durable
from dashboard.local.emulator.environment import HOST, emulator_environment
from dashboard.paths import PROJECT, StateDir

_START_SECONDS = 60.0
# Longer than the emulator's two drain periods and a save of a few hundred thousand items.
_STOP_SECONDS = 180.0


@dataclass(frozen=True)
class Progress:
    """The progress of stopping.

    Attributes:
        messages: messages in the queue, to be ingested or, once it is paused, left for the next
            start.
        records: changes of stored events that are still to be counted.
        paused: whether the queue is paused.
        saving: whether only saving remains.
    """

    messages: int
    records: int
    paused: bool
    saving: bool


@dataclass(frozen=True)
class Stopped:
    """The numbers of uncounted changes and of messages left in the queue after a run."""

    uncounted: int
    left: int


def listen(port: int) -> socket.socket:
    """Return a listening socket; port 0 selects any free port.

    Raises:
        CommandError: the port is in use or not permitted.
    """
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((HOST, port))
    except OSError as error:
        listener.close()
        raise CommandError(
            f"cannot use port {port} of {HOST} ({error.strerror}): "
            "stop the program that uses it, or choose another port with --port"
        ) from error
    listener.listen(128)
    return listener


class EmulatorProcess:
    """The running emulator.

    Args:
        state: where it keeps its data.
        listener: the socket that it serves; closed in this process.
        inherit: file descriptors that must stay open as long as it runs.
        counting_function: see local/emulator/server.py.
        allowed_origins: see local/emulator/edge.py.
    """

    def __init__(
        self,
        state: StateDir,
        listener: socket.socket,
        inherit: list[int],
        counting_function: str,
        allowed_origins: Collection[str] = (),
    ) -> None:
        self.port: int = listener.getsockname()[1]
        self.endpoint_url = f"http://{HOST}:{self.port}"
        self._log = state.emulator_log
        self._events: queue.SimpleQueue[dict[str, Any]] = queue.SimpleQueue()
        with durable.private():
            shutil.rmtree(state.scratch, ignore_errors=True)
            for folder in (state.emulator, state.objects, state.scratch):
                folder.mkdir(parents=True, exist_ok=True)
            if self._log.exists():
                self._log.replace(state.previous_emulator_log)
            with self._log.open("wb") as log:
                self._process = subprocess.Popen(
                    [
                        *(sys.executable, "-m", "dashboard.local.emulator.main"),
                        *("--socket", str(listener.fileno())),
                        *("--counting-function", counting_function),
                        *("--unsaved", str(state.unsaved)),
                        *(f"--allow-origin={origin}" for origin in allowed_origins),
                    ],
                    cwd=PROJECT,
                    env=emulator_environment(state, self.endpoint_url),
                    stdin=subprocess.PIPE,
                    stdout=subprocess.PIPE,
                    stderr=log,
                    pass_fds=[listener.fileno(), *inherit],
                    # Ctrl-C reaches the foreground process group. This process stops the emulator,
                    # after the demo, and the emulator stops its Lambda workers.
                    start_new_session=True,
                )
        listener.close()
        threading.Thread(target=self._read_events, daemon=True).start()

    def wait_until_ready(self) -> None:
        """Wait until the emulator responds to a health check.

        Raises:
            CommandError: the emulator has ended, or does not respond in time.
        """
        until = time.monotonic() + _START_SECONDS
        while time.monotonic() < until:
            self.check()
            try:
                connection = http.client.HTTPConnection(HOST, self.port, timeout=1)
                connection.request("GET", "/_ministack/health")
                if connection.getresponse().status == http.HTTPStatus.OK:
                    return
            except OSError:
                time.sleep(0.02)
            finally:
                connection.close()
        raise CommandError(
            f"the local AWS emulator did not respond within {_START_SECONDS:.0f} s; see {self._log}"
        )

    def check(self) -> None:
        """Check that the emulator still runs.

        Raises:
            CommandError: it has ended.
        """
        status = self._process.poll()
        if status is not None:
            how = (
                f"was killed by signal {-status}" if status < 0 else f"exited with status {status}"
            )
            raise CommandError(f"the local AWS emulator {how}{self._last_words()}")

    def serve_page(self, bucket: str) -> None:
        """Set the bucket from which the emulator serves the page."""
        self._command({"page_bucket": bucket})

    def stop(self, progress: Callable[[Progress], None], hurried: threading.Event) -> Stopped:
        """Stop the emulator once pending events are ingested and counted, and the state is saved.

        Args:
            progress: called about once a second, and at once when the queue is paused.
            hurried: set it to leave the messages in the queue for the next start.

        Raises:
            CommandError: not everything was saved; the message has the details.
        """
        self._command({"stop": True})
        until = time.monotonic() + _STOP_SECONDS
        hurry_sent = False
        while time.monotonic() < until:
            if hurried.is_set() and not hurry_sent:
                self._command({"hurry": True})
                hurry_sent = True
            match self._next_event():
                case {"stopping": how_far}:
                    progress(Progress(**how_far))
                case {"saved": True, "uncounted": uncounted, "left": left}:
                    self._wait()
                    return Stopped(uncounted, left)
                case {"failed": why}:
                    self._wait()
                    raise CommandError(f"the state could not be saved: {why}")
                case {"ended": True}:
                    self.check()
        self.kill()
        raise CommandError(
            f"the emulator did not stop within {_STOP_SECONDS:.0f} s and was killed; "
            f"see {self._log}"
        )

    def kill(self) -> None:
        """Kill the emulator, its saving copy and its Lambda workers at once, without saving."""
        with suppress(ProcessLookupError):  # all of them have ended
            os.killpg(self._process.pid, signal.SIGKILL)
        self._wait()

    @property
    def is_running(self) -> bool:
        """Whether the emulator is running."""
        return self._process.poll() is None

    def _wait(self) -> None:
        """Wait until the emulator has ended, and close the pipe to it."""
        self._process.wait()
        assert self._process.stdin is not None
        with suppress(BrokenPipeError):  # of what was not read any more
            self._process.stdin.close()

    def _command(self, command: dict[str, Any]) -> None:
        assert self._process.stdin is not None
        try:
            self._process.stdin.write(json.dumps(command).encode() + b"\n")
            self._process.stdin.flush()
        except BrokenPipeError:
            self._process.wait()
            self.check()

    def _read_events(self) -> None:
        assert self._process.stdout is not None
        with self._process.stdout:
            for line in self._process.stdout:
                self._events.put(json.loads(line))
        self._process.wait()
        self._events.put({"ended": True})

    def _next_event(self) -> dict[str, Any] | None:
        try:
            return self._events.get(timeout=0.05)
        except queue.Empty:
            return None

    def _last_words(self) -> str:
        lines = [
            line for line in self._log.read_text(errors="replace").splitlines() if line.strip()
        ]
        return f": {lines[-1].strip()} (see {self._log})" if lines else ""

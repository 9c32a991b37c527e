"""Start, watch and stop the emulator, which is a child process (local/emulator/main.py)."""

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
# Longer than the two waits of the emulator and a save of a few hundred thousand items.
_STOP_SECONDS = 180.0


@dataclass(frozen=True)
class Progress:
    """How far stopping is.

    Attributes:
        messages: in the queue: to be ingested or, once it is paused, to stay there.
        records: changes of stored events that are still to be counted.
        paused: whether the queue is paused.
        saving: whether all else is done.
    """

    messages: int
    records: int
    paused: bool
    saving: bool


@dataclass(frozen=True)
class Stopped:
    """What a run has left: changes that were not counted, and messages in the queue."""

    uncounted: int
    left: int


def listen(port: int) -> socket.socket:
    """Open the listening socket; port 0 takes any that is free.

    Raises:
        CommandError: the port is taken, or not allowed.
    """
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((HOST, port))
    except OSError as error:
        listener.close()
        raise CommandError(
            f"port {port} of {HOST} cannot be used ({error.strerror}): "
            f"stop what uses it, or choose another one with --port"
        ) from error
    listener.listen(128)
    return listener


class EmulatorProcess:
    """The running emulator.

    Args:
        state: where it keeps its data.
        listener: the socket that it is to serve; closed here.
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
                    # Ctrl-C reaches the foreground's process group. The emulator is stopped by
                    # us, after the demo, and its Lambda workers by it.
                    start_new_session=True,
                )
        listener.close()
        threading.Thread(target=self._read_events, daemon=True).start()

    def wait_until_ready(self) -> None:
        """Wait for the first answer.

        Raises:
            CommandError: the emulator ended, or does not answer.
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
            f"the local AWS emulator did not answer within {_START_SECONDS:.0f} s; see {self._log}"
        )

    def check(self) -> None:
        """See that it still runs.

        Raises:
            CommandError: it does not.
        """
        status = self._process.poll()
        if status is not None:
            how = f"was killed by signal {-status}" if status < 0 else f"ended with status {status}"
            raise CommandError(f"the local AWS emulator {how}{self._last_words()}")

    def serve_page(self, bucket: str) -> None:
        """Tell it which bucket holds the page."""
        self._command({"page_bucket": bucket})

    def stop(self, progress: Callable[[Progress], None], hurried: threading.Event) -> Stopped:
        """Stop it after it has ingested and counted what is there, and saved.

        Args:
            progress: called about once a second, and at once when the queue is paused.
            hurried: set it to leave the messages in the queue for the next start.

        Raises:
            CommandError: not everything was saved; says what is lost.
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
                    self._process.wait()
                    return Stopped(uncounted, left)
                case {"failed": why}:
                    self._process.wait()
                    raise CommandError(f"the state could not be saved: {why}")
                case {"ended": True}:
                    self.check()
        self.kill()
        raise CommandError(
            f"the emulator did not stop within {_STOP_SECONDS:.0f} s and was killed; "
            f"see {self._log}"
        )

    def kill(self) -> None:
        """End it at once, with the copy that is saving and the Lambda workers; nothing is saved."""
        with suppress(ProcessLookupError):  # all of them have ended
            os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait()

    @property
    def is_running(self) -> bool:
        """Whether it runs."""
        return self._process.poll() is None

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

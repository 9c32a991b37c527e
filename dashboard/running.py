"""One `up` at a time in a state folder, and how other commands find it."""

import fcntl
import json
import os
import secrets
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from typing import Any

from chalicelib.errors import CommandError
from dashboard.paths import StateDir

# How long a new `up` waits for the emulator of one that was killed, which is still saving.
_TAKE_OVER_SECONDS = 60.0


@dataclass(frozen=True)
class Running:
    """What a program must know to use a running dashboard."""

    dashboard: str
    websocket: str
    topic_arn: str
    queue_url: str
    endpoint_url: str

    def as_json(self) -> str:
        """Write it as one line of JSON."""
        return json.dumps(asdict(self))


@contextmanager
def locked(state: StateDir, say: Callable[[str], None]) -> Iterator[int]:
    """Hold the state folder; yield the lock's file descriptor.

    A child process that inherits the descriptor holds the folder too, until it ends.

    Args:
        state: the state folder.
        say: is told when there is something to wait for.

    Raises:
        CommandError: another `up` holds it.
    """
    try:
        state.root.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(state.lock, os.O_RDWR | os.O_CREAT, 0o600)
    except OSError as error:
        raise CommandError(
            f"the state folder {state.root} cannot be used ({error.strerror}): "
            "choose another one with --state-dir"
        ) from error
    try:
        _lock(descriptor, state, say)
        yield descriptor
    finally:
        os.close(descriptor)


@contextmanager
def announced(state: StateDir, running: Running) -> Iterator[None]:
    """Let other commands find the running dashboard."""
    content = asdict(running) | {"pid": os.getpid()}
    state.running.write_text(json.dumps(content))
    try:
        yield
    finally:
        state.running.unlink(missing_ok=True)


def read_running(state: StateDir) -> dict[str, str]:
    """Find the running dashboard: what `announced` has written.

    Raises:
        CommandError: none is running.
    """
    try:
        running: dict[str, str] = json.loads(state.running.read_text())
    except FileNotFoundError as error:
        raise CommandError(
            f"no Mailpulse is running: there is no {state.running}; start one with "
            "`python -m dashboard up`, or say which one is meant (see --help)"
        ) from error
    except (OSError, ValueError) as error:
        raise CommandError(
            f"{state.running} cannot be read ({error}): start `python -m dashboard up` again"
        ) from error
    return running


def read_pseudonym_key(state: StateDir) -> str:
    """Read the secret that keys pseudonyms, making it the first time."""
    if not state.pseudonym_key.exists():
        replacement = state.pseudonym_key.with_suffix(".tmp")
        replacement.touch(mode=0o600)
        replacement.write_text(secrets.token_hex(32))
        replacement.replace(state.pseudonym_key)
    return state.pseudonym_key.read_text().strip()


def read_unsaved(state: StateDir) -> dict[str, Any] | None:
    """Read what the last run left unsaved: {"since": time, "uncounted": records}, or None."""
    if not state.unsaved.exists():
        return None
    unsaved: dict[str, Any] = json.loads(state.unsaved.read_text())
    return unsaved


def _lock(descriptor: int, state: StateDir, say: Callable[[str], None]) -> None:
    until = time.monotonic() + _TAKE_OVER_SECONDS
    waiting = False
    while True:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            pid = _holder(descriptor)
            if pid is not None:
                raise CommandError(
                    f"another `up` (process {pid}) uses the state folder {state.root}: "
                    "stop it, or choose another folder with --state-dir"
                ) from None
            if time.monotonic() >= until:
                raise CommandError(
                    f"the emulator of an earlier run still holds the state folder {state.root}: "
                    "wait until it has saved, or end it"
                ) from None
            if not waiting:
                say("The last run was killed; waiting until its emulator has saved …")
                waiting = True
            time.sleep(0.1)
        else:
            break
    os.truncate(descriptor, 0)
    os.pwrite(descriptor, str(os.getpid()).encode(), 0)
    # Left by a run that was killed.
    state.running.unlink(missing_ok=True)


def _holder(descriptor: int) -> int | None:
    """Find the process of the `up` that holds the folder; None when it was killed."""
    written = os.pread(descriptor, 20, 0)
    try:
        pid = int(written)
        os.kill(pid, 0)
    except (ValueError, ProcessLookupError):
        return None
    return pid

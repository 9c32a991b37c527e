"""Lock the state folder for one `up` at a time, and publish its endpoints to other commands."""

import fcntl
import json
import os
import re
import secrets
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from datetime import datetime
from shlex import quote
from typing import Any

from chalicelib.errors import CommandError
from dashboard import durable
from dashboard.local.emulator.generations import Generations
from dashboard.paths import StateDir

# How long a new `up` waits for the emulator of a killed one to finish saving.
_TAKE_OVER_SECONDS = 60.0

_KEY_BYTES = 32


@dataclass(frozen=True)
class Running:
    """The endpoints of a running dashboard."""

    dashboard: str
    websocket: str
    topic_arn: str
    queue_url: str
    endpoint_url: str

    def as_json(self) -> str:
        """Return the endpoints as one line of JSON."""
        return json.dumps(asdict(self))


@contextmanager
def locked(state: StateDir, say: Callable[[str], None]) -> Iterator[int]:
    """Lock the state folder, and yield the lock's file descriptor.

    A child process that inherits the descriptor holds the lock too, until it ends.

    Args:
        state: the state folder.
        say: called with a message if it has to wait.

    Raises:
        CommandError: another `up` holds the lock.
    """
    try:
        with durable.private():
            state.root.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(state.lock, os.O_RDWR | os.O_CREAT, 0o600)
    except OSError as error:
        raise CommandError(
            f"cannot use the state folder {state.root} ({error.strerror}): "
            "choose another one with --state-dir"
        ) from error
    try:
        _lock(descriptor, state, say)
        _restrict(state)
        yield descriptor
    finally:
        os.close(descriptor)


@contextmanager
def announced(state: StateDir, running: Running) -> Iterator[None]:
    """Publish the endpoints of the running dashboard to other commands."""
    content = asdict(running) | {"pid": os.getpid()}
    durable.write(state.running, json.dumps(content))
    try:
        yield
    finally:
        state.running.unlink(missing_ok=True)


def read_running(state: StateDir) -> dict[str, str]:
    """Read the endpoints of the running dashboard, which `announced` has written.

    Raises:
        CommandError: none is running.
    """
    try:
        running: dict[str, str] = json.loads(state.running.read_bytes())
        _read_by_commands = running["topic_arn"], running["endpoint_url"]
    except FileNotFoundError as error:
        raise CommandError(
            f"Mailpulse is not running ({state.running} does not exist): start it with "
            "`python -m dashboard up`, or select another installation (see --help)"
        ) from error
    except (OSError, ValueError, TypeError, KeyError) as error:
        raise CommandError(
            f"cannot read {state.running} ({error!r}): start `python -m dashboard up` again"
        ) from error
    return running


@durable.private()
def check(state: StateDir) -> None:
    """Check the data of earlier runs before any of it is used or replaced.

    Raises:
        CommandError: something is damaged; the message has the fact and the remedy.
    """
    start_anew = f"To start without its data, delete the folder {state.root}."
    generations = Generations(state.emulator)
    generations.adopt(start_anew)
    # An interrupted replay would resume after events that the previous state does not contain.
    generations.check(f"rm -rf {quote(str(state.replay))}", start_anew)
    read_unsaved(state)
    if state.pseudonym_key.exists() or generations.latest():
        _check_pseudonym_key(state, start_anew)


def read_pseudonym_key(state: StateDir) -> str:
    """Return the key of the pseudonyms, creating it on first use. Call `check` first."""
    if not state.pseudonym_key.exists():
        durable.write(state.pseudonym_key, secrets.token_hex(_KEY_BYTES))
    return state.pseudonym_key.read_text().strip()


def read_unsaved(state: StateDir) -> dict[str, Any] | None:
    """Return what the last run left unsaved, {"since": time, "uncounted": records}, or None.

    Raises:
        CommandError: the file is damaged.
    """
    remedy = (
        f"Run `rm {quote(str(state.unsaved))}`: the last run ended without saving its last changes."
    )
    try:
        unsaved = durable.read_object(state.unsaved, ["since", "uncounted"], remedy)
    except FileNotFoundError:
        return None
    try:
        datetime.fromisoformat(unsaved["since"])
        int(unsaved["uncounted"])
    except (TypeError, ValueError) as error:
        raise durable.damaged(state.unsaved, str(error), remedy) from error
    return unsaved


def _check_pseudonym_key(state: StateDir, start_anew: str) -> None:
    """Check that the key is valid: with another key, each recipient would count as a new one."""
    path = state.pseudonym_key
    found = path.read_text("latin-1").strip() if path.exists() else None
    if found is not None and re.fullmatch(rf"[0-9a-f]{{{2 * _KEY_BYTES}}}", found):
        return
    fact = (
        "it is missing"
        if found is None
        else f"its {len(found)} characters are not the {2 * _KEY_BYTES} hexadecimal digits of a key"
    )
    # Chalice's configuration contains a copy.
    copy = quote(str(state.build / ".chalice" / "config.json"))
    restore = rf"""sed -n 's/.*"PSEUDONYM_KEY": "\(.*\)".*/\1/p' {copy} > {quote(str(path))}"""
    raise durable.damaged(path, fact, f"Restore it from a backup, or by `{restore}`. {start_anew}")


def _restrict(state: StateDir) -> None:
    """Remove other users' permissions, also from files of an earlier version.

    A folder that contains other files as well keeps its own permissions.
    """
    own = {path.name: path for path in state.files}
    try:
        for path in own.values():
            durable.restrict(path)
        if own.keys() >= {path.name for path in state.root.iterdir()}:
            durable.restrict_one(state.root)
    except OSError as error:
        raise CommandError(
            f"cannot restrict access to {error.filename} ({error.strerror}): change its "
            "owner, or choose another folder with --state-dir"
        ) from error


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
                    "the emulator of an earlier run still uses the state folder "
                    f"{state.root}: wait until it has saved its data, or stop it"
                ) from None
            if not waiting:
                say("The last run was killed. Waiting for its emulator to save its data …")
                waiting = True
            time.sleep(0.1)
        else:
            break
    os.truncate(descriptor, 0)
    os.pwrite(descriptor, str(os.getpid()).encode(), 0)
    # Left by a run that was killed.
    state.running.unlink(missing_ok=True)


def _holder(descriptor: int) -> int | None:
    """Return the process ID of the `up` that holds the lock; None if it was killed."""
    written = os.pread(descriptor, 20, 0)
    try:
        pid = int(written)
        os.kill(pid, 0)
    except (ValueError, ProcessLookupError):
        return None
    return pid

"""Save the emulator's state when it stops, and from a forked copy while it runs."""

import logging
import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NoReturn

import ministack.app
from ministack.core import persistence
from ministack.services import lambda_svc

from dashboard.local.emulator.generations import BLOBS, Generations

_STREAM_POSITIONS = "dynamodb_stream_positions"


def install(generations: Generations) -> None:
    """Make the emulator load the latest state, completely or not at all.

    Call it before the emulator loads anything.
    """
    _use(generations.latest() or Path(os.devnull))
    ministack.app._load_persisted_state = _load


def _use(state: Path) -> None:
    """Set the folder that the emulator loads from and saves to."""
    persistence.STATE_DIR = str(state)
    lambda_svc.CODE_BLOB_DIR = str(state / BLOBS)


def _load() -> None:
    """Load the state of every service, and raise where the emulator would skip one that fails.

    The positions of stream mappings are not loaded: the stream records themselves are not saved, so
    a mapping would skip as many new records as it had read before.
    """
    with _errors_raised(LoadError):
        for service, module in ministack.app._state_map.items():
            if state := persistence.load_state(service):
                if service == "lambda":
                    state.pop(_STREAM_POSITIONS, None)
                loaded = ministack.app._get_module(module)
                if isinstance(loaded, ministack.app._ErrorModule):
                    raise LoadError(f"{service} was saved, but its module cannot be imported")
                loaded.load_persisted_state(state)


class LoadError(Exception):
    """The emulator could not load all of its state."""


class SaveError(Exception):
    """The emulator could not save all of its state."""


def save(generations: Generations) -> None:
    """Write the complete state to disk.

    Raises:
        SaveError: a file could not be written; the previous state on disk is unchanged.
    """
    try:
        with generations.writing() as folder, _errors_raised(SaveError):
            _use(folder)
            persistence.save_all(ministack.app._build_persistence_save_dict())
    except OSError as error:
        raise SaveError(str(error)) from error


@contextmanager
def _errors_raised(kind: type[Exception]) -> Iterator[None]:
    """Raise errors that the emulator only logs."""
    errors = _Errors()
    persistence.logger.addHandler(errors)
    try:
        yield
    finally:
        persistence.logger.removeHandler(errors)
    if errors.messages:
        raise kind("; ".join(errors.messages))


class Copy:
    """A forked copy of this process, which saves the state while the process itself continues.

    Its memory is a snapshot of one instant, so the saved state is consistent.
    """

    def __init__(self, generations: Generations) -> None:
        self._process = os.fork()
        if not self._process:
            _save_and_exit(generations)

    def is_saved(self) -> bool | None:
        """Return whether the copy has saved everything; None while it is running."""
        ended, status = os.waitpid(self._process, os.WNOHANG)
        if not ended:
            return None
        self._process = 0
        return status == 0

    def end(self) -> None:
        """Kill the copy if it is still running."""
        if self._process:
            os.kill(self._process, signal.SIGKILL)
            os.waitpid(self._process, 0)
            self._process = 0


def _save_and_exit(generations: Generations) -> NoReturn:
    status = 1
    try:
        save(generations)
        status = 0
    except Exception:
        logging.getLogger(__name__).exception("a copy of the state could not be saved")
    finally:
        os._exit(status)


class _Errors(logging.Handler):
    """Collects the messages that the emulator logs instead of raising."""

    def __init__(self) -> None:
        super().__init__(logging.ERROR)
        self.messages: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.messages.append(record.getMessage())

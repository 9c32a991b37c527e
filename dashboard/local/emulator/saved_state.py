"""Save the emulator's state: at the end, and from a copy while it runs."""

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
    """Choose the folder that the emulator loads from and saves to."""
    persistence.STATE_DIR = str(state)
    lambda_svc.CODE_BLOB_DIR = str(state / BLOBS)


def _load() -> None:
    """Load the state of every service. The emulator would go on without those that it cannot load.

    How far stream mappings had read is not loaded: the records themselves are not saved, so they
    would skip as many new records as they had read before.
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
    """Write the state to disk, as a whole.

    Raises:
        SaveError: a file could not be written; what is on the disk is what it was before.
    """
    try:
        with generations.writing() as folder, _errors_raised(SaveError):
            _use(folder)
            persistence.save_all(ministack.app._build_persistence_save_dict())
    except OSError as error:
        raise SaveError(str(error)) from error


@contextmanager
def _errors_raised(kind: type[Exception]) -> Iterator[None]:
    """Raise what the emulator logs instead of raising it."""
    errors = _Errors()
    persistence.logger.addHandler(errors)
    try:
        yield
    finally:
        persistence.logger.removeHandler(errors)
    if errors.messages:
        raise kind("; ".join(errors.messages))


class Copy:
    """A copy of this process that saves the state, while the process itself goes on.

    Its memory is that of one instant, so all that it saves belongs together.
    """

    def __init__(self, generations: Generations) -> None:
        self._process = os.fork()
        if not self._process:
            _save_and_exit(generations)

    def is_saved(self) -> bool | None:
        """Tell whether all is saved; None while it is not yet known."""
        ended, status = os.waitpid(self._process, os.WNOHANG)
        if not ended:
            return None
        self._process = 0
        return status == 0

    def end(self) -> None:
        """Give up, if it has not ended."""
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
    """Collects what the emulator logs instead of raising."""

    def __init__(self) -> None:
        super().__init__(logging.ERROR)
        self.messages: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.messages.append(record.getMessage())

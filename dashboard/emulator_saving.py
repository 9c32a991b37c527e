"""Save the emulator's state: at the end, and from a copy while it runs."""

import json
import logging
import os
import signal
from pathlib import Path
from typing import NoReturn

import ministack.app
from ministack.core import persistence


def forget_stream_positions(state: Path) -> None:
    """Make the stream mappings begin anew at the next start.

    How far each has read is saved, but the records are not: after a restart, the mappings would
    skip as many new records as they had read before. Call it before the emulator loads its state.
    """
    file = state / "lambda.json"
    if not file.exists():
        return
    saved = json.loads(file.read_text())
    if saved["payload"].pop("dynamodb_stream_positions", None) is not None:
        replacement = file.with_suffix(".tmp")
        replacement.write_text(json.dumps(saved))
        replacement.replace(file)


class SaveError(Exception):
    """The emulator could not save all of its state."""


def save() -> None:
    """Write the state to disk, file by file, each replaced as a whole.

    Raises:
        SaveError: a file could not be written; it is what it was before.
    """
    errors = _Errors()
    persistence.logger.addHandler(errors)
    try:
        persistence.save_all(ministack.app._build_persistence_save_dict())
    finally:
        persistence.logger.removeHandler(errors)
    if errors.messages:
        raise SaveError("; ".join(errors.messages))


class Copy:
    """A copy of this process that saves the state, while the process itself goes on.

    Its memory is that of one instant, so all that it saves belongs together.
    """

    def __init__(self) -> None:
        self._process = os.fork()
        if not self._process:
            _save_and_exit()

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


def _save_and_exit() -> NoReturn:
    status = 1
    try:
        save()
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

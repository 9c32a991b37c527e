"""Saved states of the emulator, each in a folder that is either complete or absent.

`emulator/7` is the latest if no other number is higher; `emulator/6`, the one before it, is kept. A
save fills `emulator/8.tmp`, writes a manifest of its files, waits until everything is on disk, and
renames the folder to `emulator/8`. So the files of one folder always belong to one save.
"""

import hashlib
import json
import os
import shlex
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path

from chalicelib.errors import CommandError
from dashboard import durable

BLOBS = "lambda-blobs"  # where the emulator stores the functions' code
_MANIFEST = "manifest.json"
_KEPT = 2


class Generations:
    """The saved states in a folder.

    Args:
        folder: the folder.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def latest(self) -> Path | None:
        """Return the folder of the latest state; None if nothing was saved."""
        numbers = self._numbers()
        return self._path(numbers[-1]) if numbers else None

    def check(self, rollback: str, start_anew: str) -> None:
        """Verify the latest state against its manifest.

        Args:
            rollback: an additional shell command for returning to the previous state.
            start_anew: the remedy if there is no previous state.

        Raises:
            CommandError: a file is damaged; the message has the file, the fact and the remedy.
        """
        numbers = self._numbers()
        if not numbers or (damage := _damage(self._path(numbers[-1]))) is None:
            return
        file, fact = damage
        latest = self._path(numbers[-1])
        remedy = f"There is no earlier intact state. {start_anew}"
        if len(numbers) > 1 and _damage(previous := self._path(numbers[-2])) is None:
            saved = datetime.fromtimestamp(previous.stat().st_mtime).astimezone()
            remedy = (
                "Restore the file from a backup. Or, to go back to the state of "
                f"{saved:%Y-%m-%d %H:%M:%S %Z} and lose all later changes, run "
                f"`{shlex.join(['mv', str(latest), f'{latest}.damaged'])} && {rollback}`"
            )
        raise durable.damaged(file, fact, remedy)

    def adopt(self, start_anew: str) -> None:
        """Import the state of an earlier version, which kept a single one directly in the folder.

        Raises:
            CommandError: a file is damaged, or the earlier version has run since.
        """
        old = sorted(self._folder.glob("*.json"))
        states = [self._path(number) for number in self._numbers()]
        for path in old if states else []:
            if not any(_are_equal(path, state / path.name) for state in states):
                raise CommandError(
                    f"{path} was written by an earlier version of Mailpulse, which was run "
                    "again after this version. To continue with the data of this version, move the "
                    f"*.json files and {BLOBS} out of {self._folder} (not the numbered folders), "
                    "and run this command again"
                )
        if old and not states:
            for path in old:
                durable.read_object(path, [], f"Restore it from a backup. {start_anew}")
            with self.writing() as new:
                for path in old:
                    shutil.copyfile(path, new / path.name)
                if (blobs := self._folder / BLOBS).exists():
                    shutil.copytree(blobs, new / BLOBS, copy_function=shutil.copyfile)
        for path in old:
            path.unlink()
        shutil.rmtree(self._folder / BLOBS, ignore_errors=True)

    @contextmanager
    def writing(self) -> Iterator[Path]:
        """Yield an empty folder, which becomes the latest state unless the block raises."""
        numbers = self._numbers()
        new = self._path(numbers[-1] + 1 if numbers else 1)
        filling = new.with_name(f"{new.name}.tmp")
        shutil.rmtree(filling, ignore_errors=True)
        filling.mkdir(mode=0o700)
        yield filling
        manifest = {"files": {name: _digest(filling / name) for name in _files(filling)}}
        for folder in (filling, *(path for path in filling.rglob("*") if path.is_dir())):
            durable.sync(folder)
        durable.write(filling / _MANIFEST, json.dumps(manifest))
        filling.rename(new)
        durable.sync(self._folder)
        for number in numbers[: 1 - _KEPT]:
            shutil.rmtree(self._path(number))

    def _numbers(self) -> list[int]:
        if not self._folder.exists():
            return []
        return sorted(int(path.name) for path in self._folder.iterdir() if path.name.isdecimal())

    def _path(self, number: int) -> Path:
        return self._folder / str(number)


def _damage(state: Path) -> tuple[Path, str] | None:
    """Return a file that differs from what was saved, and how; None if all files are intact."""
    try:
        files = dict(json.loads((state / _MANIFEST).read_bytes())["files"])
    except FileNotFoundError:
        return state / _MANIFEST, "it is missing"
    except (ValueError, TypeError, KeyError):
        return state / _MANIFEST, "it is not a manifest"
    found = set(_files(state))
    for name in sorted(found | files.keys()):
        if name not in found:
            return state / name, "it is missing"
        if name not in files:
            return state / name, "it belongs to a different save"
        if _digest(state / name) != files[name]:
            return state / name, "its content does not match its checksum"
    return None


def _files(state: Path) -> list[str]:
    return sorted(
        path.relative_to(state).as_posix()
        for path in state.rglob("*")
        if path.is_file() and path.name != _MANIFEST
    )


def _are_equal(one: Path, other: Path) -> bool:
    return other.exists() and one.read_bytes() == other.read_bytes()


def _digest(path: Path) -> str:
    """Flush a file to disk, and compute its digest."""
    with path.open("rb") as file:
        os.fsync(file.fileno())
        return hashlib.file_digest(file, "sha256").hexdigest()

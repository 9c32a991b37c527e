"""Write files atomically, and without permissions for other users of the machine."""

import json
import os
import stat
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from chalicelib.errors import CommandError

_OTHERS = stat.S_IRWXG | stat.S_IRWXO


def write(path: Path, text: str) -> None:
    """Write a file atomically: after a crash, it has either its old content or its new one.

    Renaming is atomic (POSIX, rename); the content is flushed to disk before, and the new name
    afterwards.
    """
    replacement = path.with_name(f"{path.name}.tmp")
    descriptor = os.open(replacement, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    replacement.replace(path)
    sync(path.parent)


def sync(path: Path) -> None:
    """Flush a file's content, or the names in a folder, to disk."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def read_object(path: Path, names: Iterable[str], remedy: str) -> dict[str, Any]:
    """Read a file that contains a JSON object with these names.

    Raises:
        CommandError: the content is different; the message has the fact and the remedy.
        FileNotFoundError: there is no such file.
    """
    text = path.read_bytes()
    try:
        found = json.loads(text)
    except ValueError as error:
        raise damaged(path, f"its {len(text)} bytes are not valid JSON", remedy) from error
    missing = set(names) - set(found) if isinstance(found, dict) else set(names)
    if missing:
        raise damaged(path, f"it has no {', '.join(sorted(missing))}", remedy)
    content: dict[str, Any] = found
    return content


def damaged(path: Path, fact: str, remedy: str) -> CommandError:
    """Return the error for a damaged file."""
    return CommandError(f"{path} is damaged: {fact}. It was left unchanged. {remedy}")


@contextmanager
def private() -> Iterator[None]:
    """Create files and folders that only their owner can access, in child processes too."""
    before = os.umask(_OTHERS)
    try:
        yield
    finally:
        os.umask(before)


def restrict(path: Path) -> None:
    """Remove other users' permissions from a file, or from a folder and all that it contains."""
    if not path.exists():
        return
    restrict_one(path)
    for folder, folders, files in os.walk(path):
        for name in (*folders, *files):
            with suppress(FileNotFoundError):  # deleted by another command meanwhile
                restrict_one(Path(folder, name))


def restrict_one(path: Path) -> None:
    """Remove other users' permissions from a file or folder itself."""
    mode = path.lstat().st_mode
    if mode & _OTHERS and not stat.S_ISLNK(mode):
        path.chmod(stat.S_IMODE(mode) & ~_OTHERS)

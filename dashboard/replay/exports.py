"""Parse files of exported SES events: concatenated JSON values, optionally compressed with gzip.

Values may be separated by newlines, follow each other on one line (as Firehose writes them to S3),
or span several lines.
"""

import codecs
import gzip
import json
import re
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, cast

from chalicelib.errors import CommandError
from dashboard.sqs.batching import MAX_BYTES

_GZIP = b"\x1f\x8b"
_CHUNK_BYTES = 1024 * 1024
_SOMETHING = re.compile(r"\S")
_DECODER = json.JSONDecoder()


@dataclass(frozen=True, slots=True)
class Record:
    """One value of a file.

    Attributes:
        number: its position in the file, from 1.
        line: the line on which it begins, from 1.
        text: the value; if it is not JSON, the text up to the end of its line.
        position: number of bytes of the file that had been read when it was found.
    """

    number: int
    line: int
    text: str
    position: int


class Unreadable(CommandError):
    """A file cannot be read to its end."""


def files_in(paths: tuple[Path, ...]) -> list[Path]:
    """Return the files, and those in folders, sorted by path within each folder."""
    files: list[Path] = []
    for path in paths:
        files += (
            sorted(one for one in path.rglob("*") if one.is_file()) if path.is_dir() else [path]
        )
    return files


def read(path: Path) -> Iterator[Record]:
    """Yield a file's values.

    Raises:
        Unreadable: the file cannot be read, or is invalid gzip.
    """
    try:
        with path.open("rb") as raw:
            packed = raw.read(len(_GZIP)) == _GZIP
            raw.seek(0)
            content = cast("BinaryIO", gzip.GzipFile(fileobj=raw)) if packed else raw
            yield from _values(content, raw)
    except (OSError, EOFError, zlib.error) as error:
        raise Unreadable(f"cannot read {path}: {error}") from error


def _values(content: BinaryIO, raw: BinaryIO) -> Iterator[Record]:
    characters = codecs.getincrementaldecoder("utf-8")("replace")
    number, line, at, text, ended = 0, 1, 0, "", False
    while True:
        start = _after_space(text, at)
        line += text.count("\n", at, start)
        at = start
        end = _end_of_value(text, at, ended=ended)
        if end is not None:
            number += 1
            yield Record(number, line, text[at:end], raw.tell())
            line += text.count("\n", at, end)
            at = end
        elif ended:
            return
        else:
            chunk = content.read(_CHUNK_BYTES)
            ended = not chunk
            text = text[at:] + characters.decode(chunk, ended)
            at = 0


def _after_space(text: str, at: int) -> int:
    found = _SOMETHING.search(text, at)
    return found.start() if found else len(text)


def _end_of_value(text: str, at: int, *, ended: bool) -> int | None:
    """Return the index at which a value ends; None if more input is needed."""
    if at == len(text):
        return None
    try:
        _, end = _DECODER.raw_decode(text, at)
    except (ValueError, RecursionError):
        # Either more input is needed, or the value is not JSON and ends with its line.
        if not ended and len(text) - at <= MAX_BYTES:
            return None
        newline = text.find("\n", at)
        return len(text) if newline < 0 else newline
    return end if end < len(text) or ended else None

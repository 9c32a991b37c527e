"""Read the queue messages in files of exported SES events."""

import io
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from dashboard.replay.csv_cells import cells, delimiter_in
from dashboard.replay.envelopes import messages
from dashboard.replay.json_values import TooLong, Value, values
from dashboard.replay.layers import Bytes, Document, Report, Unreadable, documents, printable

__all__ = ["Record", "Unreadable", "files_in", "read"]


@dataclass(frozen=True, slots=True)
class Record:
    """A queue message in a file.

    Attributes:
        number: its position in the file, from 1.
        place: the file, the path inside an archive, and the line, such as `export.zip/a.json:7`.
        text: the message; if a part of the file is damaged, that part.
        position: number of bytes of the file that had been read when it was found.
    """

    number: int
    place: str
    text: str
    position: int


def files_in(paths: tuple[Path, ...]) -> list[Path]:
    """Return the files, and those in folders, sorted by path within each folder."""
    files: list[Path] = []
    for path in paths:
        files += (
            sorted(one for one in path.rglob("*") if one.is_file()) if path.is_dir() else [path]
        )
    return files


def read(path: Path, report: Report) -> Iterator[Record]:
    """Yield the messages in a file.

    Args:
        path: the file.
        report: called with an error for each part of the file that cannot be read.
    """
    name, number = printable(str(path)), 0
    try:
        with path.open("rb") as raw:

            def opened() -> Bytes:
                raw.seek(0)
                return raw

            for document in documents(name, opened, report):
                for line, text in _messages(document, report):
                    number += 1
                    yield Record(number, f"{document.name}:{line}", text, raw.tell())
    except OSError as error:
        report(Unreadable(f"cannot read {name}: {error.strerror}"))


def _messages(document: Document, report: Report) -> Iterator[tuple[int, str]]:
    """Yield the line and text of each message in a document."""

    def unpack(data: bytes) -> Iterator[str]:
        for inner in documents(document.name, lambda: io.BytesIO(data), report):
            for _, text in _messages(inner, report):
                yield text

    try:
        for value in _values(document, report):
            for text in messages(value.parsed, unpack, value.text):
                # JSON can represent lone surrogates, but UTF-8 cannot.
                yield value.line, text.encode("utf-8", "replace").decode()
    except TooLong as error:
        report(
            Unreadable(f"cannot read all of {document.name}: {error}. Split it: jq -c '.[] | .[]?'")
        )


def _values(document: Document, report: Report) -> Iterator[Value]:
    text = document.text(report)
    delimiter = delimiter_in(document.head)
    return values(text) if delimiter is None else cells(text, delimiter)

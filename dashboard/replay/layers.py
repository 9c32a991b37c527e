"""Find the documents in a file: decompress gzip and ZIP, in any combination."""

import codecs
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from gzip import GzipFile
from typing import TYPE_CHECKING, Protocol, cast
from zipfile import BadZipFile, ZipFile, ZipInfo

from chalicelib.errors import CommandError
from dashboard.replay.foreign_formats import (
    HEAD_BYTES,
    OFFICE,
    encoding,
    foreign_format,
    unreadable,
)

if TYPE_CHECKING:
    from io import BufferedReader, RawIOBase

_GZIP = b"\x1f\x8b"
_ZIP = (b"PK\x03\x04", b"PK\x05\x06")
_MOST_LAYERS = 8
_CHUNK_BYTES = 1024 * 1024
# RuntimeError: a ZIP member is encrypted; NotImplementedError: its compression is unknown.
_DAMAGED = (OSError, EOFError, zlib.error, BadZipFile, RuntimeError, NotImplementedError)


class Unreadable(CommandError):
    """A file, or a part of it, cannot be read."""


Report = Callable[[Unreadable], None]


class Bytes(Protocol):
    """A stream of bytes."""

    def read1(self, size: int, /) -> bytes:
        """Read at most a number of bytes; b"" at the end.

        Unlike `read`, it returns what precedes a damaged place, and raises an error next time.
        """


Open = Callable[[], Bytes]
"""Opens a stream at its beginning, again each time: one that raised an error cannot be rewound."""


@dataclass(frozen=True, slots=True)
class Document:
    """Text in a file.

    Attributes:
        name: the path of the file, and the path inside a ZIP archive.
        open: opens the encoded text.
        head: the beginning of the text.
        encoding: a Unicode encoding.
    """

    name: str
    open: Open
    head: str
    encoding: str

    def text(self, report: Report) -> Iterator[str]:
        """Yield the text in chunks, up to the first damaged place, which is reported."""
        decoder = codecs.getincrementaldecoder(self.encoding)("replace")
        size = 0
        try:
            stream = self.open()
            while chunk := stream.read1(_CHUNK_BYTES):
                size += len(chunk)
                yield decoder.decode(chunk)
        except _DAMAGED as error:
            reason = printable(str(error))
            report(Unreadable(f"cannot read {self.name} after {size:,} bytes of text: {reason}"))
        yield decoder.decode(b"", final=True)


def documents(name: str, opened: Open, report: Report, layers: int = 0) -> Iterator[Document]:
    """Yield the documents in a stream, decompressed; report what cannot be read.

    Args:
        name: the name of the stream, for messages.
        opened: opens the stream.
        report: called with each error.
        layers: number of layers of compression that have been removed.
    """
    head = _head(opened)
    if layers > _MOST_LAYERS:
        report(Unreadable(f"cannot read {name}: more than {_MOST_LAYERS} layers of compression"))
    elif head.startswith(_GZIP):
        yield from documents(name, lambda: _gunzip(opened()), report, layers + 1)
    elif head.startswith(_ZIP):
        yield from _members(name, opened, report, layers + 1)
    elif found := foreign_format(head):
        report(Unreadable(unreadable(found, name, is_packed=layers > 0)))
    else:
        name_of_encoding = encoding(head)
        text = head.decode(name_of_encoding, "replace")
        yield Document(name, opened, text, name_of_encoding)


def _gunzip(stream: Bytes) -> Bytes:
    return GzipFile(fileobj=cast("RawIOBase", stream), mode="rb")


def _members(name: str, opened: Open, report: Report, layers: int) -> Iterator[Document]:
    try:
        archive = ZipFile(cast("BufferedReader", opened()))
    except _DAMAGED as error:
        report(
            Unreadable(f"cannot read {name}: {error}. Repair it: zip -FF FILE --out repaired.zip")
        )
        return
    with archive:
        if "[Content_Types].xml" in archive.namelist():
            report(Unreadable(unreadable(OFFICE, name, is_packed=layers > 1)))
            return
        for member in archive.infolist():
            if not member.is_dir() and not member.filename.startswith("__MACOSX/"):
                path = f"{name}/{printable(member.filename)}"
                yield from documents(path, partial(_member, archive, member), report, layers)


def _member(archive: ZipFile, member: ZipInfo) -> Bytes:
    return cast("Bytes", archive.open(member))


def _head(opened: Open) -> bytes:
    """Return the first bytes, up to the first damaged place."""
    head = b""
    try:
        stream = opened()
        while len(head) < HEAD_BYTES and (chunk := stream.read1(HEAD_BYTES - len(head))):
            head += chunk
    except _DAMAGED:
        pass  # reported when the text is read
    return head


def printable(name: str) -> str:
    """Return a name without the characters that would control a terminal."""
    return "".join(one if one.isprintable() else "?" for one in name)

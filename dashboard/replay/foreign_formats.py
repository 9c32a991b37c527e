"""Recognize formats that cannot be read, and how to convert each to a readable one."""

import json
import re
from shlex import quote
from typing import NamedTuple

HEAD_BYTES = 4096


class Format(NamedTuple):
    """A format that cannot be read.

    Attributes:
        name: what a file seems to be.
        remedy: what to do, with the command for the file `{}`.
    """

    name: str
    remedy: str


OFFICE = Format("an Office document", "Convert it: libreoffice --headless --convert-to csv {}")

# Each with its signature and the offset of the signature.
_SIGNATURES = [
    (
        0,
        b"PAR1",
        Format("Apache Parquet", "Convert it: duckdb -c \"COPY (FROM '{}') TO 'events.json'\""),
    ),
    (0, b"Obj\x01", Format("Apache Avro", "Convert it: avro-tools tojson {} > events.json")),
    (0, b"ORC", Format("Apache ORC", "Convert it: orc-contents {} > events.json")),
    (0, b"\x28\xb5\x2f\xfd", Format("compressed with zstd", "Decompress it: zstd -d {}")),
    (0, b"BZh", Format("compressed with bzip2", "Decompress it: bunzip2 --keep {}")),
    (0, b"\xfd7zXZ\0", Format("compressed with xz", "Decompress it: unxz --keep {}")),
    (0, b"\x04\x22\x4d\x18", Format("compressed with LZ4", "Decompress it: lz4 -d {}")),
    (0, b"\xff\x06\0\0sNaPpY", Format("compressed with Snappy", "Decompress it: snzip -dk {}")),
    (0, b"7z\xbc\xaf\x27\x1c", Format("a 7z archive", "Extract it: 7z x {}")),
    (0, b"Rar!\x1a\x07", Format("a RAR archive", "Extract it: unrar x {}")),
    (257, b"ustar", Format("a tar archive", "Extract it: tar -xf {}")),
    (0, b"%PDF-", Format("a PDF document", "Extract its text: pdftotext {}")),
    (
        0,
        b"SQLite format 3\0",
        Format(
            "a SQLite database", "Export it: sqlite3 -csv {} 'SELECT * FROM TABLE' > events.csv"
        ),
    ),
    (0, b"\xd0\xcf\x11\xe0", OFFICE),
    (0, b"-----BEGIN PGP", Format("encrypted with PGP", "Decrypt it: gpg --decrypt {}")),
]
_DOWNLOAD = "Download the export again: aws s3 cp s3://BUCKET/KEY ."
_HEADER = (
    r"(?:return-path|received|delivered-to|dkim-signature|mime-version|message-id|from|to|date)"
)
# Each with a pattern of its first characters.
_TEXTS = [
    (r"\s*<(?:!doctype\s+html|html|head|body)\b", Format("an HTML page", _DOWNLOAD)),
    (r"\s*<(?:\?xml\b|error>)", Format("an XML document", _DOWNLOAD)),
    (
        rf"(?:From \S+ .*\n)?{_HEADER}:[ \t].*\n(?:[ \t].*\n)*[\w-]+:[ \t]",
        Format("an email message, not an SES event", "Extract its attachments: munpack {}"),
    ),
]
_BINARY = Format("binary data of an unknown format", "Find out what it is: file {}")
_CONTROL_CHARACTERS = re.compile(r"[\x00-\x08\x0e-\x1a\x1c\x1d\x7f]")


def encoding(head: bytes) -> str:
    """Return the Unicode encoding of a text, from its byte order mark or its first characters."""
    return json.detect_encoding(head[:4])


def foreign_format(head: bytes) -> Format | None:
    """Return the format of content that cannot be read; None for text.

    Args:
        head: its first bytes, up to HEAD_BYTES.
    """
    for offset, signature, found in _SIGNATURES:
        if head.startswith(signature, offset):
            return found
    text = head.decode(encoding(head), "replace")
    for pattern, found in _TEXTS:
        if re.match(pattern, text, re.IGNORECASE):
            return found
    return _BINARY if _is_binary(text, encoding(head)) else None


def unreadable(found: Format, name: str, *, is_packed: bool) -> str:
    """Return one line that describes content and what to do.

    Args:
        found: its format.
        name: the name of the file, and the path inside an archive.
        is_packed: whether the content must be unpacked before the command can read it.
    """
    # No name is inserted that a shell would interpret.
    file = "FILE" if is_packed or not re.fullmatch(r"[\w./ -]+", name) else name
    quoted = file if "'{}'" in found.remedy else quote(file)
    first = "Unpack it. " if is_packed else ""
    return f"{name} seems to be {found.name}. {first}{found.remedy.format(quoted)}"


def _is_binary(text: str, name: str) -> bool:
    # The last character may be incomplete.
    wrong = text[:-1].count("\ufffd") + len(_CONTROL_CHARACTERS.findall(text))
    if wrong * 10 > len(text):
        return True
    # Arbitrary bytes are often valid UTF-16, but JSON and CSV consist of ASCII for the most part.
    is_ascii = sum(character.isascii() for character in text)
    return not name.startswith("utf-8") and is_ascii * 4 < len(text)

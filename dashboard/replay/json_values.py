"""Find the JSON values in a text, whatever stands between them.

Values may be separated by newlines or commas, or not at all (as Firehose writes them to S3), be
elements of arrays, span several lines, or follow a prefix on their line, such as a timestamp. Apart
from one value, nothing is kept in memory.
"""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

_CHUNK = 1024 * 1024
# Output of the AWS CLI is one object with many events. A longer value than this is not read.
_MOST_CHARACTERS = 64 * _CHUNK
# Longer text that is not JSON is yielded in parts.
_LONGEST_GARBAGE = _CHUNK
# A top-level array is read element by element: its brackets and commas are separators.
_SEPARATORS = re.compile(r"[\s,\[\]\x1e\ufeff]*")
# What may follow a value with a prefix, and a string; otherwise, it is in a damaged object.
_AFTER_PREFIXED = re.compile(r"[ \r]*(?:[\t\n{]|\Z)")
_AFTER_STRING = re.compile(r"(?!\s*:)")
_BLANK = re.compile(r"\s*\Z")
_DECODER = json.JSONDecoder()
# How far before the end of a cut text an error may be: `-Infinity` without its last character.
_LONGEST_TOKEN = 12


@dataclass(frozen=True, slots=True)
class Value:
    """A value in a text.

    Attributes:
        line: the line on which it begins, from 1.
        text: how it is written; if it is not JSON, the text up to the probable next value.
        parsed: the object or string; None if it is not JSON.
    """

    line: int
    text: str
    parsed: Any


class _Incomplete(Exception):
    """More of the text is needed."""


class TooLong(ValueError):
    """A value is longer than what is kept in memory; the message has its line."""


def values(chunks: Iterator[str]) -> Iterator[Value]:
    """Yield the values of a text.

    Raises:
        TooLong: a value is too long.
    """
    text, at, line, indent, ended = "", 0, 1, 0, False
    while True:
        separators = _SEPARATORS.match(text, at)
        start = separators.end() if separators else at
        newlines = text.count("\n", at, start)
        if newlines:
            line += newlines
            indent = start - text.rindex("\n", at, start) - 1
        at = start
        try:
            value, end = _value(text, at, line, indent, ended=ended)
        except _Incomplete:
            if ended:
                return
            if len(text) - at > _MOST_CHARACTERS:
                message = f"the value in line {line} has more than {_MOST_CHARACTERS:,} characters"
                raise TooLong(message) from None
            more = _read(chunks, max(_CHUNK, len(text) - at))
            ended = not more
            text, at = text[at:] + more, 0
        else:
            yield value
            line += text.count("\n", at, end)
            at = end


def _read(chunks: Iterator[str], least: int) -> str:
    """Read at least a number of characters, so that a long value is not parsed too often."""
    pieces: list[str] = []
    size = 0
    for piece in chunks:
        pieces.append(piece)
        size += len(piece)
        if size >= least:
            break
    return "".join(pieces)


def _value(text: str, at: int, line: int, indent: int, *, ended: bool) -> tuple[Value, int]:
    """Return the value at an index and where it ends."""
    if at == len(text):
        raise _Incomplete
    begin = at
    if text[at] not in '{"':  # a prefix of the line, or a line without JSON
        newline = text.find("\n", at)
        begin = text.find("{", at, len(text) if newline < 0 else newline)
    decoded = _decoded(text, begin, ended=ended) if begin >= 0 else None
    if decoded:
        parsed, end = decoded
        if text[at] == "{" or _stands_alone(text, end, is_prefixed=begin > at, ended=ended):
            return Value(line, text[begin:end], parsed), end
    limit = _end_of_garbage(text, at, indent)
    if limit < 0:
        if not ended and len(text) - at < _LONGEST_GARBAGE:
            raise _Incomplete
        limit = len(text)
    return Value(line, text[at:limit].rstrip(), None), limit


def _decoded(text: str, begin: int, *, ended: bool) -> tuple[Any, int] | None:
    """Return the JSON value at an index and where it ends; None if it is not JSON."""
    try:
        return _DECODER.raw_decode(text, begin)
    except RecursionError:
        return None
    except json.JSONDecodeError as error:
        if not ended and _is_cut(text, error):
            raise _Incomplete from None
        return None


def _stands_alone(text: str, end: int, *, is_prefixed: bool, ended: bool) -> bool:
    """Return whether a value is not a part of a damaged object."""
    if not ended and _BLANK.match(text, end):
        raise _Incomplete
    return (_AFTER_PREFIXED if is_prefixed else _AFTER_STRING).match(text, end) is not None


def _is_cut(text: str, error: json.JSONDecodeError) -> bool:
    """Return whether a value may continue after the end of the text."""
    return error.msg.startswith("Unterminated") or error.pos > len(text) - _LONGEST_TOKEN


def _end_of_garbage(text: str, at: int, indent: int) -> int:
    """Return where text that is not JSON ends; -1 if not in this text.

    It ends with its line, or where an object follows another without a separator. A damaged object
    ends before a line that is indented like its first line.
    """
    line = rf"(?=\n[ \t]{{{indent}}}[^\s}}\]])" if text[at] == "{" else r"(?=\n)"
    found = re.compile(rf"{line}|\}}(?=\{{)").search(text, at)
    return found.end() if found else -1

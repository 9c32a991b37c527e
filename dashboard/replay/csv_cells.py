"""Find the JSON values in the cells of a CSV file, such as an export of CloudWatch Logs or Athena.

The delimiter is a comma, a semicolon or a tab. Cells with JSON are quoted.
"""

import csv
import re
from collections.abc import Iterator

from dashboard.replay.json_values import Value, values

# An SES event has at most 256 KB. The limit ends a cell whose closing quote is missing.
_MOST_CHARACTERS = 1024 * 1024
_JSON_CELL = re.compile(r'(?:^|[,;\t])"\s*(?:\[\s*)?\{\s*""', re.MULTILINE)
_QUOTED = re.compile(r'"(?:[^"]|"")*"?')


def delimiter_in(head: str) -> str | None:
    """Return the delimiter if a text begins like a CSV file with JSON cells, otherwise None."""
    if head.lstrip().startswith(("{", "[")) or not _JSON_CELL.search(head):
        return None
    first_line, _, _ = _QUOTED.sub("", head).lstrip("\r\n").partition("\n")
    return max(",;\t", key=first_line.count)


def cells(chunks: Iterator[str], delimiter: str) -> Iterator[Value]:
    """Yield the JSON values of a CSV file; of other rows than the first, at least one value."""
    csv.field_size_limit(_MOST_CHARACTERS)
    rows = csv.reader(_lines(chunks), delimiter=delimiter)
    while True:
        line = rows.line_num + 1
        try:
            row = next(rows, None)
        except csv.Error as error:
            yield Value(line, f"a damaged row: {error}", None)
            continue
        if row is None:
            return
        found = [cell for cell in row if cell.lstrip()[:1] in ("{", "[")]
        for cell in found:
            for value in values(iter([cell])):
                yield Value(line, value.text, value.parsed)
        if not found and line > 1 and any(row):
            yield Value(line, delimiter.join(row), None)


def _lines(chunks: Iterator[str]) -> Iterator[str]:
    rest = ""
    for chunk in chunks:
        *lines, rest = (rest + chunk).split("\n")
        for one in lines:
            yield f"{one}\n"
        if len(rest) > _MOST_CHARACTERS:
            yield rest
            rest = ""
    if rest:
        yield rest

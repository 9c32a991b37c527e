"""Write the parts of a document that a program computes, between markers.

<!-- results: written by bench/alarms.py -->

…

<!-- end of results -->
"""

from collections.abc import Mapping
from pathlib import Path

import click


def write_parts(document: Path, program: str, parts: Mapping[str, str]) -> None:
    """Write parts of a document; all else stays as it is.

    Args:
        document: the document.
        program: the path of the program, as in the markers.
        parts: the text of each part by its name.

    Raises:
        click.ClickException: the document lacks the markers of a part. Nothing is written.
    """
    text = document.read_text()
    for name, part in parts.items():
        begin, end = f"<!-- {name}: written by {program} -->", f"<!-- end of {name} -->"
        before, found, rest = text.partition(begin)
        if not found or end not in rest:
            raise click.ClickException(f"{document} lacks the lines {begin} and {end}: add them")
        text = f"{before}{begin}\n\n{part}\n\n{end}{rest.partition(end)[2]}"
    document.write_text(text)

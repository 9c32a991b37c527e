"""Write the list of bots that name themselves, from the pinned package crawler-user-agents.

    python bench/bot_names.py

The package is a development dependency: its data of 545 KB is mostly examples, while the functions
need the patterns only. A test requires that the file is current.
"""

import json
import re
import sys
from importlib.metadata import distribution
from pathlib import Path

ROOT = Path(__file__).parents[1]
sys.path[:0] = [str(ROOT)]

from chalicelib.facts.bot_names import ENDS_IN_BOT, SCANNERS

FILE = ROOT / "chalicelib" / "facts" / "bot_names.txt"
PACKAGE = "crawler-user-agents"

# What people's agents have in common with patterns of the list: mailbox proxies that fetch when a
# person reads, the build of many telephones with Android 15, and browsers.
PEOPLES = (
    *("GoogleImageProxy", "YahooMailProxy", "FastmailUA/1.0", "Shortwave Image Fetcher"),
    *("Build/AP3A.240617.008; wv", "SogouMobileBrowser/5.22"),
)

_HEADER = """\
# User agents of bots that name themselves: the patterns of crawler-user-agents {version},
# https://github.com/monperrus/crawler-user-agents. Written by bench/bot_names.py: do not edit.
#
# MIT License. Copyright (c) 2017 Martin Monperrus
#
# Permission is hereby granted, free of charge, to any person obtaining a copy of this software and
# associated documentation files (the "Software"), to deal in the Software without restriction,
# including without limitation the rights to use, copy, modify, merge, publish, distribute,
# sublicense, and/or sell copies of the Software, and to permit persons to whom the Software is
# furnished to do so, subject to the following conditions:
#
# The above copyright notice and this permission notice shall be included in all copies or
# substantial portions of the Software.
#
# THE SOFTWARE IS PROVIDED "AS IS", WITHOUT WARRANTY OF ANY KIND, EXPRESS OR IMPLIED, INCLUDING BUT
# NOT LIMITED TO THE WARRANTIES OF MERCHANTABILITY, FITNESS FOR A PARTICULAR PURPOSE AND
# NONINFRINGEMENT. IN NO EVENT SHALL THE AUTHORS OR COPYRIGHT HOLDERS BE LIABLE FOR ANY CLAIM,
# DAMAGES OR OTHER LIABILITY, WHETHER IN AN ACTION OF CONTRACT, TORT OR OTHERWISE, ARISING FROM, OUT
# OF OR IN CONNECTION WITH THE SOFTWARE OR THE USE OR OTHER DEALINGS IN THE SOFTWARE.
"""


def listed() -> str:
    """Return the contents of the file.

    Raises:
        ValueError: a pattern of the package cannot be stored as a line, or is no Python pattern.
    """
    found = distribution(PACKAGE)
    data = found.locate_file("crawleruseragents/crawler-user-agents.json")
    patterns = sorted(one["pattern"] for one in json.loads(Path(str(data)).read_text("utf-8")))
    for pattern in patterns:
        if "\n" in pattern or pattern.startswith("#"):
            raise ValueError(
                f"the pattern {pattern!r} of {PACKAGE} cannot be a line of {FILE.name}"
            )
        re.compile(pattern)
    lines = [
        one
        for one in patterns
        if not re.search(one, " ".join(PEOPLES)) and not _is_found_without_the_list(one)
    ]
    return _HEADER.format(version=found.version) + "\n".join(lines) + "\n"


def _is_found_without_the_list(pattern: str) -> bool:
    """Return whether the name in a pattern is found by its ending or as a scanner's anyway."""
    name = pattern.replace("\\", "")
    return bool(ENDS_IN_BOT.search(name) or SCANNERS.search(name))


if __name__ == "__main__":
    FILE.write_text(listed(), "utf-8")
    sys.stdout.write(f"{FILE.relative_to(ROOT)}: {len(FILE.read_text('utf-8')):,} characters\n")

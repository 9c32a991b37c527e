"""Recognize the user agents of bots that name themselves.

bot_names.txt has the patterns of a maintained list, one a line; bench/bot_names.py writes it.
"""

import re
from functools import cache

_FILE = f"{__file__.rpartition('/')[0]}/bot_names.txt"

# What the list lacks: security scanners of mail gateways, and Gmail's own requests for links.
SCANNERS = re.compile(
    r"barracuda|proofpoint|mimecast|fireeye|trendmicro|messagelabs|forcepoint|urldefense"
    r"|safelinks|zscaler|ironport|google-safety|gmail-content-sampling|java/"
    r"|crawler|spider",
    re.IGNORECASE,
)
# A name that ends in "bot", such as `ExampleBot/1.0`. CUBOT makes telephones.
ENDS_IN_BOT = re.compile(r"(?<!cu)bot(?![a-z])", re.IGNORECASE)


def names_a_bot(agent: str) -> bool:
    """Return whether a user agent is that of a bot that names itself."""
    return bool(ENDS_IN_BOT.search(agent) or SCANNERS.search(agent) or _listed().search(agent))


@cache
def _listed() -> re.Pattern[str]:
    """Return one pattern of the whole list; compiling it takes about 20 ms, once per process."""
    # Importing pathlib would prolong each cold start.
    with open(_FILE, encoding="utf-8") as file:  # noqa: PTH123 - see above
        lines = file.read().splitlines()
    return re.compile("|".join(line for line in lines if line and not line.startswith("#")))

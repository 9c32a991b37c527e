"""Read the lock files that `make lock` writes."""

import re
from dataclasses import dataclass

from dashboard.paths import PROJECT

_REQUIREMENT = re.compile(r"(?P<name>[a-z0-9-]+)==(?P<version>[^ ;]+)( ; (?P<marker>.+))?")


@dataclass(frozen=True)
class Locked:
    """A locked package and its environment marker."""

    name: str
    version: str
    marker: str
    hashes: tuple[str, ...]


def read(name):
    """Return the packages of a lock; any line that is neither a package nor a comment is an error."""
    text = re.sub(r"^ *#.*\n", "", (PROJECT / name).read_text(), flags=re.MULTILINE)
    for line in text.replace("\\\n", "").splitlines():
        requirement, *hashes = re.split(r" +--hash=", line)
        found = _REQUIREMENT.fullmatch(requirement.strip())
        assert found, f"{name}: {line[:80]}"
        yield Locked(found["name"], found["version"], found["marker"] or "", tuple(hashes))

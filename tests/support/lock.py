"""What `make lock` writes, read without a tool."""

import re
from dataclasses import dataclass

from dashboard.paths import PROJECT

_REQUIREMENT = re.compile(r"(?P<name>[a-z0-9-]+)==(?P<version>[^ ;]+)( ; (?P<marker>.+))?")


@dataclass(frozen=True)
class Locked:
    """A package, for the machines that its marker means."""

    name: str
    version: str
    marker: str
    hashes: tuple[str, ...]


def read(name):
    """The packages of a lock; what is neither one nor a comment is an error."""
    text = re.sub(r"^ *#.*\n", "", (PROJECT / name).read_text(), flags=re.MULTILINE)
    for line in text.replace("\\\n", "").splitlines():
        requirement, *hashes = re.split(r" +--hash=", line)
        found = _REQUIREMENT.fullmatch(requirement.strip())
        assert found, f"{name}: {line[:80]}"
        yield Locked(found["name"], found["version"], found["marker"] or "", tuple(hashes))

"""The tags of a campaign's emails, such as `variant=b`: those that it keeps, and those that count.

Each tag has an aggregate with the counters of the emails that have it, its variant (decision 41).

An email may have any values, so a campaign keeps and shows only a part of them: those that come
first in the order of text. Which ones these are depends only on the set of emails: what one email
leaves out, another one leaves out as well, whichever is counted first (decision 39).
"""

from collections import Counter
from collections.abc import Iterable, Mapping
from functools import lru_cache

from msgspec import Struct, field

from chalicelib.config import MAXIMUM_BREAKDOWN_TAGS
from chalicelib.facts.personal import masked

TAGS = "tags"
"""The attribute of a campaign's summary: a set of strings."""

MAX_VALUES = 20  # of each tag
MAX_TAG_BYTES = 100  # of a tag and its value
_MOST_UNMERGED = 1000


def tag(name: str, value: str) -> str:
    """Return a tag and its value as campaigns have it, such as `variant=b`: its first 100 bytes."""
    return f"{name}={value}".encode()[:MAX_TAG_BYTES].decode(errors="ignore")


def name_of(one: str) -> str:
    """Return the name of a tag with its value."""
    return one.partition("=")[0]


def value_of(one: str) -> str:
    """Return the value of a tag."""
    return one.partition("=")[2]


def kept(tags: Iterable[str]) -> tuple[str, ...]:
    """Return the tags that a campaign keeps: few values of few tags, the first in text order.

    It does not matter whether some of the tags were left out by an earlier call: each tag that was
    left out comes after as many that were kept.
    """
    by_name: dict[str, list[str]] = {}
    for one in sorted(set(tags)):
        by_name.setdefault(name_of(one), []).append(one)
    names = sorted(by_name)[:MAXIMUM_BREAKDOWN_TAGS]
    return tuple(sorted(one for name in names for one in by_name[name][:MAX_VALUES]))


def with_more_values(tags: Iterable[str]) -> tuple[str, ...]:
    """Return the names of which a campaign keeps as many values as it can: there may be more."""
    numbers = Counter(map(name_of, tags))
    return tuple(name for name in sorted(numbers) if numbers[name] >= MAX_VALUES)


def shown(tags: Mapping[str, str]) -> tuple[str, ...]:
    """Return the tags of an email without personal parts, in the order of text.

    Each is one under which the email counts. What they are depends on the email's tags only, so a
    redelivered record counts in the same aggregates, whatever else the campaign has.
    """
    return tuple(sorted({*filter(None, map(_shown, tags.items()))}))


class TagSet(Struct):
    """The tags of emails, added in any order."""

    _unmerged: set[tuple[str, str]] = field(default_factory=set)
    _tags: tuple[str, ...] = ()

    def add(self, tags: Mapping[str, str]) -> None:
        """Add the tags of an email."""
        self._unmerged.update(tags.items())
        if len(self._unmerged) > _MOST_UNMERGED:
            self._merge()

    def tags(self) -> tuple[str, ...]:
        """Return the tags that a campaign keeps, in the order of text."""
        self._merge()
        return self._tags

    def _merge(self) -> None:
        if self._unmerged:
            self._tags = kept({*self._tags, *filter(None, map(_shown, self._unmerged))})
            self._unmerged.clear()


@lru_cache(maxsize=1000)  # a campaign's emails share few values
def _shown(name_and_value: tuple[str, str]) -> str | None:
    """Return a tag of an email, without personal parts; None if it cannot be shown."""
    name, value = name_and_value
    text = tag(name, masked(value))
    return text if value and text.isprintable() else None

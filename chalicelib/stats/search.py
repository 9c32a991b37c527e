"""Search campaigns by words: in any order, incomplete, or with one typing error."""

import re
import unicodedata
from collections.abc import Sequence
from functools import lru_cache

# A date or month is one word: its parts would match other dates, too.
_WORD = re.compile(r"\d{4}-\d{2}(?:-\d{2})?(?!\d)|[^\W_]+")
_MONTHS = [
    "january",
    "february",
    "march",
    "april",
    "may",
    "june",
    "july",
    "august",
    "september",
    "october",
    "november",
    "december",
]
_LEAST_CORRECTED = 4  # shorter words have too many neighbors

# How well a word matches, best first.
_WHOLE, _PREFIX, _INSIDE, _CORRECTED = range(4)


def folded(text: str) -> str:
    """Return a text as it is compared: without case, and each accented letter as one character.

    Some systems write an accent as a character of its own, which looks the same.
    """
    return unicodedata.normalize("NFC", text.casefold())


def query_words(query: str) -> list[str]:
    """Return the words of a query; the query's symbols if it has no words."""
    text = folded(query)
    return _WORD.findall(text) or text.split()


def mismatch(words: Sequence[str], texts: Sequence[str | None], at: str | None) -> int | None:
    """Return how far a campaign is from matching a query exactly, or None if it does not match.

    Args:
        words: the words of the query; without any, every campaign matches.
        texts: what users see of the campaign: its id, subject and sender.
        at: the RFC 3339 time of the campaign's first event.
    """
    month = _MONTHS[int(at[5:7]) - 1] if at else ""
    text = folded("\n".join(filter(None, (*texts, at and at[:10]))))
    if not all(_may_match(word, text, month) for word in words):
        return None
    present = set(_WORD.findall(text))
    if at:
        present |= {at[:4], at[:7], month}
    total = 0
    for word in words:
        quality = _quality(word, text, present)
        if quality is None:
            return None
        total += quality
    return total


def _may_match(word: str, text: str, month: str) -> bool:
    """Return whether a word may match a campaign: False for most, in a fraction of the time."""
    return any(part in text or part in month for part in _parts(word))


@lru_cache(maxsize=100)
def _parts(word: str) -> tuple[str, ...]:
    """Return texts of which one is part of each text that matches a word.

    A typing error is in one half of the word, so that the other one is unchanged, or exchanges the
    letters between which the word is divided.
    """
    if not _is_corrected(word):
        return (word,)
    middle = len(word) // 2
    first, second = word[:middle], word[middle:]
    return first, second, first[:-1] + second[0] + first[-1] + second[1:]


def _quality(word: str, text: str, present: set[str]) -> int | None:
    if word in present:
        return _WHOLE
    if any(one.startswith(word) for one in present):
        return _PREFIX
    if word in text:
        return _INSIDE
    if _is_corrected(word) and any(differ_by_one_error(word, one) for one in present):
        return _CORRECTED
    return None


def _is_corrected(word: str) -> bool:
    return len(word) >= _LEAST_CORRECTED and word.isalpha()


def differ_by_one_error(a: str, b: str) -> bool:
    """Return whether one typing error turns a into b.

    An error is a letter that is added, left out or replaced, or two adjacent letters that are
    exchanged: a Damerau-Levenshtein distance of 1.
    """
    if a == b or abs(len(a) - len(b)) > 1:
        return False
    i = 0
    while i < min(len(a), len(b)) and a[i] == b[i]:
        i += 1
    return (
        a[i + 1 :] == b[i + 1 :]
        or a[i:] == b[i + 1 :]
        or a[i + 1 :] == b[i:]
        or (a[i : i + 2] == b[i : i + 2][::-1] and a[i + 2 :] == b[i + 2 :])
    )

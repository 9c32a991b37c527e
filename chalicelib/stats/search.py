"""Search campaigns by words: in any order, incomplete, or with one typing error."""

import re
from collections.abc import Sequence

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


def query_words(query: str) -> list[str]:
    """Return the words of a query; the query's symbols if it has no words."""
    folded = query.casefold()
    return _WORD.findall(folded) or folded.split()


def mismatch(words: Sequence[str], texts: Sequence[str | None], at: str | None) -> int | None:
    """Return how far a campaign is from matching a query exactly, or None if it does not match.

    Args:
        words: the words of the query; without any, every campaign matches.
        texts: what users see of the campaign: its id, subject and sender.
        at: the RFC 3339 time of the campaign's first event.
    """
    text = "\n".join(filter(None, texts)).casefold()
    present = set(_WORD.findall(text))
    if at:
        text += f"\n{at[:10]}"
        present |= {at[:4], at[:7], at[:10], _MONTHS[int(at[5:7]) - 1]}
    total = 0
    for word in words:
        quality = _quality(word, text, present)
        if quality is None:
            return None
        total += quality
    return total


def _quality(word: str, text: str, present: set[str]) -> int | None:
    if word in present:
        return _WHOLE
    if any(one.startswith(word) for one in present):
        return _PREFIX
    if word in text:
        return _INSIDE
    if len(word) >= _LEAST_CORRECTED and word.isalpha():
        return _CORRECTED if any(differ_by_one_error(word, one) for one in present) else None
    return None


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

"""Versions of the rules, as functions of two releases apply them while one replaces the other."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import get_args

from chalicelib.facts import settle
from chalicelib.facts.classify import RULES_VERSION, classify
from chalicelib.facts.fact import Class, Fact


class Rules:
    """One version of the rules.

    Attributes:
        version: the higher, the newer.
        turns: by how many places each class is moved on from what the code in this checkout says.
        burst_links: how many distinct links make a burst.
    """

    def __init__(self, version: int, *, turns: int = 0, burst_links: int = settle.BURST_LINKS):
        self.version = version
        self.turns = turns
        self.burst_links = burst_links

    def classify(self, fact: Fact) -> tuple[Class, str]:
        classes = get_args(Class)
        engager, reason = classify(fact)
        return classes[(classes.index(engager) + self.turns) % len(classes)], reason

    @contextmanager
    def applied(self) -> Iterator[None]:
        """Let the code that runs meanwhile be of the release with these rules."""
        before = {name: getattr(settle, name) for name in self._names}
        for name, value in self._names.items():
            setattr(settle, name, value)
        try:
            yield
        finally:
            for name, value in before.items():
                setattr(settle, name, value)

    @property
    def _names(self) -> dict[str, object]:
        """What the module settle holds of the rules, by its name there."""
        return {
            "RULES_VERSION": self.version,
            "BURST_LINKS": self.burst_links,
            "classify": self.classify,
        }


CURRENT = Rules(RULES_VERSION)
# What the older rules say of all that the newer ones say otherwise, and of some of it.
OLDER = Rules(1, turns=1, burst_links=2)
OLDER_IN_PART = Rules(1, burst_links=1)
# The oracle's rules, which are those of this checkout.
NEWER = Rules(2)

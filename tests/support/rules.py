"""Versions of the classification rules, as two releases apply them during a deployment."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, get_args

if TYPE_CHECKING:
    from support.parts import Parts
    from support.world import World

from chalicelib.facts import settle
from chalicelib.facts.classify import RULES_VERSION, classify
from chalicelib.facts.fact import Class, Fact


class Rules:
    """One version of the rules.

    Attributes:
        version: higher is newer.
        turns: the number of places by which each class of the current code is rotated.
        burst_links: the number of distinct links that make a burst.
    """

    def __init__(self, version: int, *, turns: int = 0, burst_links: int = settle.BURST_LINKS):
        self.version = version
        self.turns = turns
        self.burst_links = burst_links

    def classify(self, fact: Fact) -> tuple[Class, str]:
        classes = get_args(Class)
        engager, reason = classify(fact)
        return classes[(classes.index(engager) + self.turns) % len(classes)], reason

    def new_process(self, world: "World") -> "Parts":
        """Return a process of the release that applies these rules."""
        return world.new_process()

    @contextmanager
    def applied(self) -> Iterator[None]:
        """Apply these rules to the code that runs inside the block."""
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
        """Return the attributes of the module settle that hold the rules."""
        return {
            "RULES_VERSION": self.version,
            "BURST_LINKS": self.burst_links,
            "classify": self.classify,
        }


CURRENT = Rules(RULES_VERSION)
# Older rules that classify everything, or something, differently from the newer ones.
OLDER = Rules(1, turns=1, burst_links=2)
OLDER_IN_PART = Rules(1, burst_links=1)
# The rules of the current code, which the oracle also applies.
NEWER = Rules(2)

"""Versions of the classification rules, as two releases apply them during a deployment."""

from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from types import ModuleType
from typing import TYPE_CHECKING, get_args

if TYPE_CHECKING:
    from support.parts import Parts
    from support.world import World

from chalicelib.facts import settle
from chalicelib.facts.fact import Class, Fact
from chalicelib.facts.networks import NO_EVIDENCE, Evidence
from chalicelib.facts.rules import RULES_VERSION, Judgement, Verdict, judge
from chalicelib.functions import aggregate, ingest


class Rules:
    """One version of the rules.

    Attributes:
        version: higher is newer.
        turns: the number of places by which each class of the current code is rotated.
        types: the types whose classes are rotated.
        has_networks: whether they know networks, and emails have bits.
    """

    def __init__(
        self,
        version: int,
        *,
        turns: int = 0,
        types: tuple[str, ...] = ("Open", "Click"),
        has_networks: bool = True,
    ):
        self.version = version
        self.turns = turns
        self.types = types
        self.has_networks = has_networks

    def judge(
        self, facts: Iterable[Fact], evidence: Mapping[str, Evidence] = NO_EVIDENCE
    ) -> Judgement:
        """Judge an email as the current code does, and rotate the classes."""
        facts = list(facts)
        judgement = judge(facts, evidence if self.has_networks else NO_EVIDENCE)
        turned = {
            fact.key: self._turned(judgement.verdicts[fact.key])
            for fact in facts
            if fact.type in self.types and fact.key in judgement.verdicts
        }
        networks = judgement.networks if self.has_networks else {}
        return judgement._replace(verdicts=judgement.verdicts | turned, networks=networks)

    def _turned(self, verdict: Verdict) -> Verdict:
        classes = get_args(Class)
        turned = classes[(classes.index(verdict.engager) + self.turns) % len(classes)]
        return verdict._replace(engager=turned)

    def new_process(self, world: "World") -> "Parts":
        """Return a process of the release that applies these rules."""
        return world.new_process()

    @contextmanager
    def applied(self) -> Iterator[None]:
        """Apply these rules to the code that runs inside the block."""
        before = [(module, name, getattr(module, name)) for module, name, _ in self._names]
        for module, name, value in self._names:
            setattr(module, name, value)
        try:
            yield
        finally:
            for module, name, value in before:
                setattr(module, name, value)

    @property
    def _names(self) -> list[tuple[ModuleType, str, object]]:
        """Return the attributes of modules that hold the rules."""
        modules = (settle, ingest, aggregate)
        return [
            (settle, "judge", self.judge),
            *((module, "RULES_VERSION", self.version) for module in modules),
        ]


CURRENT = Rules(RULES_VERSION)
# Older rules that classify everything, or something, differently from the newer ones.
OLDER = Rules(RULES_VERSION - 1, turns=1)
OLDER_IN_PART = Rules(RULES_VERSION - 1, turns=1, types=("Click",))
# The first rules, before a class had a rank.
FIRST = Rules(1, turns=1)
# Earlier rules, which knew no networks.
WITHOUT_NETWORKS = Rules(RULES_VERSION - 1, turns=1, has_networks=False)
# The rules of the current code, which the oracle also applies.
NEWER = CURRENT

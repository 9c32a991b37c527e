"""Classify the opens and clicks of campaigns by the code of the functions, and count them."""

from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from chalicelib.facts.fact import ENGAGEMENTS, Fact
from chalicelib.facts.networks import Evidence
from chalicelib.facts.rules import evidence_of, judge
from chalicelib.facts.settle import settle
from chalicelib.facts.state import State
from chalicelib.stats.contributions import contributions
from chalicelib.stats.counters import COUNTERS, SUMMARY

# The reasons that networks give: of the other emails, how many speak for it, and what they show.
_OF_NETWORKS: Mapping[str | None, tuple[Callable[[Evidence], int], str]] = {
    "quiet_network": (lambda others: others.quiet, "before anything was opened"),
    "scanner_network": (lambda others: others.sure, "by bots"),
}

Emails = Callable[[], Iterator[list[Fact]]]
"""Yields the facts of each email of a campaign; called for each pass over them."""


class Counts:
    """The counters of campaigns: sums over facts and states, as in the stats table."""

    def __init__(self) -> None:
        self._counts: defaultdict[str, Counter[str]] = defaultdict(Counter)

    def add(self, stored: Fact | State) -> None:
        """Add the contribution of a fact or state."""
        counts = self._counts[stored.campaign]
        for contribution in contributions(stored):
            if (stored.campaign, SUMMARY) in contribution.keys:
                counts.update(contribution.counts)

    def by_campaign(self) -> dict[str, dict[str, int]]:
        """Return all counters of each campaign, sorted by campaign."""
        return {
            campaign: {name: counts[name] for name in COUNTERS}
            for campaign, counts in sorted(self._counts.items())
        }


def classified(emails: Emails, counts: Counts) -> Iterator[dict[str, Any]]:
    """Yield the result for each open and click of a campaign, and count all facts.

    Args:
        emails: the emails of the campaign.
        counts: updated.
    """
    evidence = evidence_of(emails())
    for facts in emails():
        settlement = settle(facts, None, evidence=evidence)
        judged = {fact.key: fact for fact in settlement.facts}
        found = [judged.get(fact.key, fact) for fact in facts]
        for fact in found:
            counts.add(fact)
        if settlement.state is not None:
            counts.add(settlement.state)
        yield from _results(found, evidence)


def _results(facts: Sequence[Fact], evidence: Mapping[str, Evidence]) -> Iterator[dict[str, Any]]:
    """Yield the result for each open and click of an email, by time."""
    sentences: dict[str, str] = {}
    if any(fact.reason in _OF_NETWORKS for fact in facts):
        networks = judge(facts, evidence).networks
        sentences = {
            fact.key: _sentence(fact.reason, evidence[fact.network].without(networks[fact.network]))
            for fact in facts
            if fact.reason in _OF_NETWORKS and fact.network is not None
        }
    for fact in sorted(facts, key=lambda one: (one.at, one.key)):
        if fact.type in ENGAGEMENTS:
            result = {
                "message_id": fact.message_id,
                "campaign": fact.campaign,
                "type": fact.type,
                "at": fact.at,
                "link": fact.link,
                "class": fact.engager,
                "reason": fact.reason,
            }
            yield result | ({"evidence": sentences[fact.key]} if fact.key in sentences else {})


def _sentence(reason: str | None, others: Evidence) -> str:
    """Return the evidence of the other emails, such as `3 of 4 other emails …`."""
    count, what = _OF_NETWORKS[reason]
    number, emails = count(others), "other email" if others.seen == 1 else "other emails"
    were = "was" if number == 1 else "were"
    return f"{number} of {others.seen} {emails} clicked from this network {were} clicked {what}"

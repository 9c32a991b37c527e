"""All opens and clicks of one message → whose each was, and the message's unique state.

What depends on several facts is decided here, from the whole set of them, so that the order in
which they came cannot matter: bursts of clicks, and what is unique. Every class and every state
carries the rank of what it was settled from: the version of the rules first, then the number of
facts. It is stored only over a lower rank. Of two ingests that settle a message at once, the one
with the newer rules stands; of two with the same rules, the one that saw more facts.

A class that newer rules confirm is therefore written again, with their rank. A class that the same
rules confirm is not: within one version of the rules, more facts turn a class into a burst and
never back, so an ingest that saw fewer facts has nothing to write over it. An ingest with older
rules that finds newer ones at work settles nothing (see settle).
"""

from bisect import bisect_right
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from msgspec import Struct, field
from msgspec.structs import replace

from chalicelib.errors import NewerRules
from chalicelib.facts.classify import RULES_VERSION, classify
from chalicelib.facts.fact import ENGAGEMENTS, Class, Fact, Item, check_identifiers, check_time

# A mail scanner follows every link of a message at once; a person does not.
BURST_LINKS = 3
BURST_WINDOW = timedelta(seconds=10)

STATE_PREFIX = "~state#"
_RULES_FACTOR = 1_000_000  # above any number of opens and clicks that one message gets


class State(Struct, frozen=True):
    """What a message was worth once: the first time of each kind, None where there was none.

    On disk: `uo`, `uho`, `uc`, `uhc` (times), `ul` (link id → time of its first click).
    """

    message_id: str
    campaign: str
    settled: int
    opened_at: str | None = None
    human_opened_at: str | None = None
    clicked_at: str | None = None
    human_clicked_at: str | None = None
    links: Mapping[str, str] = field(default_factory=dict)


_TIMES = {
    "opened_at": "uo",
    "human_opened_at": "uho",
    "clicked_at": "uc",
    "human_clicked_at": "uhc",
}


class Settlement(Struct, frozen=True):
    """The changes to store: facts whose class or rules have changed, and the state if it has."""

    reclassified: Sequence[tuple[Fact, Class, str]]
    state: State | None
    rank: int


def rank(facts: int) -> int:
    """Return the rank of a result of these rules that rests on so many facts."""
    return RULES_VERSION * _RULES_FACTOR + facts


def judged_alone(fact: Fact) -> Fact:
    """Return an open or click with the class that it has before its message is settled."""
    engager, reason = classify(fact)
    return replace(fact, engager=engager, reason=reason, settled=rank(0))


def settle(facts: Iterable[Fact], stored: State | None) -> Settlement:
    """Settle one message of one campaign.

    Args:
        facts: all its stored facts; only opens and clicks matter.
        stored: its state as stored, None before the first.

    Raises:
        NewerRules: newer rules have judged one of the facts, or settled the message. They may not
            have seen the other facts, so the newer code must settle it again: the caller leaves
            the event in the queue, where a retry finds that code once it is deployed everywhere.
    """
    engagements = sorted(
        (fact for fact in facts if fact.type in ENGAGEMENTS), key=lambda fact: (fact.at, fact.key)
    )
    judged: list[Fact | State] = [*engagements, stored] if stored else [*engagements]
    newest = max(map(_rules, judged), default=RULES_VERSION)
    if newest > RULES_VERSION:
        raise NewerRules(
            f"version {newest} of the rules has judged this message, and this code has version "
            f"{RULES_VERSION}: the newer code must settle it"
        )
    settled = rank(len(engagements))
    bursts = _bursts([fact for fact in engagements if fact.type == "Click"])
    verdicts = [(fact, *_verdict(fact, bursts)) for fact in engagements]
    state = _state(verdicts, settled) if verdicts else None
    return Settlement(
        reclassified=[
            (fact, engager, reason)
            for fact, engager, reason in verdicts
            if (fact.engager, fact.reason, _rules(fact)) != (engager, reason, RULES_VERSION)
        ],
        state=state if state != stored and (not stored or stored.settled < settled) else None,
        rank=settled,
    )


def state_key(campaign: str) -> str:
    """Name the sort key of a message's state; a message may be in several campaigns' counts."""
    return STATE_PREFIX + campaign


def state_to_item(state: State, expires: int) -> Item:
    """Write a state in DynamoDB JSON."""
    item: Item = {
        "message_id": {"S": state.message_id},
        "fact": {"S": state_key(state.campaign)},
        "c": {"S": state.campaign},
        "z": {"N": str(state.settled)},
        "ul": {"M": {link_id: {"S": at} for link_id, at in state.links.items()}},
        "expires": {"N": str(expires)},
    }
    for name, attribute in _TIMES.items():
        if getattr(state, name) is not None:
            item[attribute] = {"S": getattr(state, name)}
    return item


def state_from_item(item: Mapping[str, Mapping[str, Any]]) -> State:
    """Read a state from DynamoDB JSON.

    Raises:
        ValueError: it is none; says which attribute is missing.
    """
    try:
        state = State(
            message_id=item["message_id"]["S"],
            campaign=item["c"]["S"],
            settled=int(item["z"]["N"]),
            links={link_id: at["S"] for link_id, at in item["ul"]["M"].items()},
            **{name: item[short]["S"] for name, short in _TIMES.items() if short in item},
        )
    except (KeyError, TypeError, AttributeError) as error:
        raise ValueError(f"a state without {error}: it has {sorted(item)}") from error
    check_identifiers(state.campaign, *state.links)
    for time in (*(getattr(state, name) for name in _TIMES), *state.links.values()):
        if time is not None:
            check_time(time)
    return state


def _rules(result: Fact | State) -> int:
    """Return the version of the rules that a class or a state rests on.

    Classes were first stored without a rank once, while the rules had version 1.
    """
    return max(1, result.settled // _RULES_FACTOR)


def _verdict(fact: Fact, bursts: Sequence[tuple[datetime, datetime]]) -> tuple[Class, str]:
    engager, reason = classify(fact)
    at = datetime.fromisoformat(fact.at)
    # The opens beside a burst are the scanner's too: it renders what it follows.
    beside = BURST_WINDOW if fact.type == "Open" else timedelta(0)
    if any(start - beside <= at <= end + beside for start, end in bursts):
        return "machine", "burst, ses_unlikely" if fact.is_bot == "Unlikely" else "burst"
    return engager, reason


def _bursts(clicks: Sequence[Fact]) -> list[tuple[datetime, datetime]]:
    """Find the spans in which distinct links were clicked faster than a person does."""
    times = [datetime.fromisoformat(fact.at) for fact in clicks]
    spans: list[tuple[datetime, datetime]] = []
    for first, start in enumerate(times):
        end = bisect_right(times, start + BURST_WINDOW, lo=first)
        if _has_distinct_links(clicks, first, end):
            if spans and start <= spans[-1][1]:
                spans[-1] = (spans[-1][0], times[end - 1])
            else:
                spans.append((start, times[end - 1]))
    return spans


def _has_distinct_links(clicks: Sequence[Fact], first: int, end: int) -> bool:
    links = set()
    for number in range(first, end):
        links.add(clicks[number].link)
        if len(links) >= BURST_LINKS:
            return True
    return False


def _state(verdicts: Sequence[tuple[Fact, Class, str]], settled: int) -> State:
    first_verdict = verdicts[0][0]

    def first(event_type: str, engager: Class | None = None) -> str | None:
        return next(
            (
                fact.at
                for fact, judged, _ in verdicts
                if fact.type == event_type and engager in (None, judged)
            ),
            None,
        )

    links: dict[str, str] = {}
    for fact, _, _ in verdicts:
        if fact.link_id is not None:
            links.setdefault(fact.link_id, fact.at)
    return State(
        message_id=first_verdict.message_id,
        campaign=first_verdict.campaign,
        settled=settled,
        opened_at=first("Open"),
        human_opened_at=first("Open", "human"),
        clicked_at=first("Click"),
        human_clicked_at=first("Click", "human"),
        links=links,
    )

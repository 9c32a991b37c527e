"""Settle an email: classify its opens and clicks, and compute its state for unique counts.

Results that depend on several facts (bursts of clicks, unique counts) are computed here from the
complete set of facts, so that the order of arrival does not matter. Every class and every state has
a rank: the version of the rules first, then the number of facts. It is stored only over a lower
rank. If two ingests settle an email concurrently, the result of the newer rules prevails; with
equal rules, the result of more facts prevails.

A class that newer rules confirm is therefore written again, with the new rank. A class that the
same rules confirm is not: within one version of the rules, more facts may turn a class into a burst
but never back, so an ingest that read fewer facts has nothing to overwrite. An ingest with older
rules settles nothing once newer rules have been applied (see settle).
"""

from bisect import bisect_right
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta

from msgspec import Struct
from msgspec.structs import replace

from chalicelib.errors import NewerRules
from chalicelib.facts.classify import RULES_VERSION, classify
from chalicelib.facts.fact import ENGAGEMENTS, Class, Fact
from chalicelib.facts.state import State

# A security scanner follows every link of an email at once; a person does not.
BURST_LINKS = 3
BURST_WINDOW = timedelta(seconds=10)

_RULES_FACTOR = 1_000_000  # exceeds the number of opens and clicks of any email


class Settlement(Struct, frozen=True):
    """Changes to store: facts whose class or rules have changed, and the state if it has."""

    reclassified: Sequence[tuple[Fact, Class, str]]
    state: State | None
    rank: int


def rank(facts: int) -> int:
    """Return the rank of a result that these rules computed from a number of facts."""
    return RULES_VERSION * _RULES_FACTOR + facts


def judged_alone(fact: Fact) -> Fact:
    """Return an open or click with its initial class, before its email is settled."""
    engager, reason = classify(fact)
    return replace(fact, engager=engager, reason=reason, settled=rank(0))


def settle(facts: Iterable[Fact], stored: State | None) -> Settlement:
    """Settle one email of one campaign.

    Args:
        facts: all stored facts of the email; types other than opens and clicks are ignored.
        stored: the stored state, None if there is none yet.

    Raises:
        NewerRules: newer rules have classified one of the facts or settled the email. They may not
            have seen the other facts, so the newer code must settle it again. The caller leaves the
            event in the queue, where a retry reaches that code once it is deployed everywhere.
    """
    engagements = sorted(
        (fact for fact in facts if fact.type in ENGAGEMENTS), key=lambda fact: (fact.at, fact.key)
    )
    judged: list[Fact | State] = [*engagements, stored] if stored else [*engagements]
    newest = max(map(_rules, judged), default=RULES_VERSION)
    if newest > RULES_VERSION:
        raise NewerRules(
            f"this message was classified by version {newest} of the rules, but this code has "
            f"version {RULES_VERSION}: the newer code must settle it"
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


def _rules(result: Fact | State) -> int:
    """Return the version of the rules that determined a class or a state.

    Classes without a rank were stored while the rules had version 1.
    """
    return max(1, result.settled // _RULES_FACTOR)


def _verdict(fact: Fact, bursts: Sequence[tuple[datetime, datetime]]) -> tuple[Class, str]:
    engager, reason = classify(fact)
    at = datetime.fromisoformat(fact.at)
    # Opens around a burst are the scanner's too, because it renders the pages that it follows.
    beside = BURST_WINDOW if fact.type == "Open" else timedelta(0)
    if any(start - beside <= at <= end + beside for start, end in bursts):
        return "machine", "burst, ses_unlikely" if fact.is_bot == "Unlikely" else "burst"
    return engager, reason


def _bursts(clicks: Sequence[Fact]) -> list[tuple[datetime, datetime]]:
    """Return the time spans in which distinct links were clicked faster than a person would."""
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

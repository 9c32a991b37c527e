"""Settle an email: classify its opens and clicks, and compute its state for unique counts.

Results that depend on several facts (the classes of opens and clicks, unique counts, and the
recipients of several reports of one bounce) are computed here from the complete set of facts, so
that the order of arrival does not matter. They also depend on the evidence of the networks of the
campaign (facts/networks.py), which changes without a fact of the email.

Every class and every state has a rank: the version of the rules first, then a revision, which each
change increments. It is stored only over the rank that was read, so a result that was computed from
outdated items is not stored. An invocation that changes an item of an email reads all of it again,
until nothing is left to change (settle_message in functions/ingest.py). So the last change is
always followed by a complete read that confirms all results, and a result that is confirmed costs
no write.

A class that newer rules confirm is written again, with the new version. An ingest with older rules
settles nothing once newer rules have been applied (see settle).
"""

from collections.abc import Callable, Iterable, Mapping, Sequence

from msgspec import Struct
from msgspec.structs import replace

from chalicelib.errors import NewerRules
from chalicelib.facts import links
from chalicelib.facts.classify import is_private
from chalicelib.facts.devices import device_code
from chalicelib.facts.fact import ENGAGEMENTS, GENERATION, Fact, is_settled, link_id
from chalicelib.facts.networks import NO_EVIDENCE, Bits, Evidence, to_code
from chalicelib.facts.reputation import ComplaintCounter, complaint_counter
from chalicelib.facts.rules import RULES_VERSION, Verdict, judge
from chalicelib.facts.state import State

_RULES_FACTOR = 1_000_000  # exceeds the number of changes of any email


class Settlement(Struct, frozen=True):
    """Changes to store.

    Attributes:
        facts: facts whose class, rules or generation have changed, as they are to be stored.
        state: the state, if it has changed.
    """

    facts: Sequence[Fact]
    state: State | None


def next_rank(read: int = 0) -> int:
    """Return the rank of a result of these rules that replaces one with the given rank."""
    return max(read + 1, RULES_VERSION * _RULES_FACTOR)


def rules_of(result: Fact | State) -> int:
    """Return the version of the rules that determined a class or a state.

    Classes without a rank were stored while the rules had version 1.
    """
    return max(1, result.settled // _RULES_FACTOR)


def judged_alone(fact: Fact) -> Fact:
    """Return a new fact; an open or click with its initial class, as if its email had no other."""
    return _judged(fact, judge([fact]).verdicts)


def needs_upgrade(stored: Fact | State) -> bool:
    """Return whether settling an email stores this item anew, because an earlier release wrote it.

    Facts that are not settled count the same in all generations.
    """
    return stored.generation < GENERATION and (isinstance(stored, State) or is_settled(stored))


def upgraded(fact: Fact) -> Fact:
    """Return a fact in the current generation, as far as its attributes suffice.

    Generation 1 stored links without their query, `other` instead of the ids of some links, and
    neither the subtype of a complaint nor the reply to a bounce.
    """
    if fact.generation >= GENERATION:
        return fact
    if fact.link is None:
        return replace(fact, generation=GENERATION)
    link = links.normalised(fact.link)
    return replace(fact, generation=GENERATION, link=link, link_id=link_id(link, None))


def settle(
    facts: Iterable[Fact],
    stored: State | None,
    person: Callable[[str], str] = str,
    evidence: Mapping[str, Evidence] = NO_EVIDENCE,
) -> Settlement:
    """Settle one email of one campaign.

    Args:
        facts: all stored facts of the email; those that are not settled (fact.is_settled) are
            ignored. Facts of earlier generations are upgraded.
        stored: the stored state, None if there is none yet.
        person: returns what a recipient's name has in common with the token that replaces it once
            the recipient is forgotten (facts/forgotten.py). Facts of one email may have either.
        evidence: the evidence of the email's networks (rules.networks_of), including its own.

    Raises:
        NewerRules: newer rules have classified one of the facts or settled the email. They may not
            have seen the other facts, so the newer code must settle it again. The caller leaves the
            event in the queue, where a retry reaches that code once it is deployed everywhere.
    """
    stored_facts = sorted(filter(is_settled, facts), key=lambda fact: (fact.at, fact.key))
    _require_current_rules([*stored_facts, stored] if stored else stored_facts)
    judgement = judge(map(upgraded, stored_facts), evidence)
    judged = [_judged(fact, judgement.verdicts) for fact in stored_facts]
    state = _state(judged, stored, judgement.networks, person) if judged else None
    return Settlement(
        facts=[new for new, old in zip(judged, stored_facts, strict=True) if new != old],
        state=state if state != stored else None,
    )


def _require_current_rules(results: Iterable[Fact | State]) -> None:
    newest = max(map(rules_of, results), default=RULES_VERSION)
    if newest > RULES_VERSION:
        raise NewerRules(
            f"this message was classified by version {newest} of the rules, but this code has "
            f"version {RULES_VERSION}: the newer code must settle it"
        )


def _judged(old: Fact, verdicts: Mapping[str, Verdict]) -> Fact:
    """Return a fact as it is to be stored: with its class, and the next rank if it has changed."""
    new = upgraded(old)
    if (verdict := verdicts.get(old.key)) is None:
        return new
    new = replace(new, engager=verdict.engager, reason=verdict.reason)
    if new == old and rules_of(old) == RULES_VERSION:
        return old
    return replace(new, settled=next_rank(old.settled))


def _state(
    judged: Sequence[Fact],
    stored: State | None,
    networks: Mapping[str, Bits],
    person: Callable[[str], str],
) -> State:
    """Return the state of an email from its facts, which are sorted by time.

    It equals the stored state, rank included, unless that is to be replaced.
    """
    opens = [fact for fact in judged if fact.type == "Open"]
    clicks = [fact for fact in judged if fact.type == "Click"]
    human_clicks = [fact for fact in clicks if is_engaged(fact)]
    bounces: dict[str, str] = {}
    bounced = set()
    complaints: dict[ComplaintCounter, str] = {}
    providers: dict[str, str | None] = {}
    for fact in judged:
        if fact.type == "Bounce":
            name = fact.recipient and person(fact.recipient)
            if name not in bounced:
                bounced.add(name)
                bounces[fact.recipient_id] = "#".join((fact.at, *fact.bounce_kind))
                providers[fact.recipient_id] = fact.provider
        elif fact.type == "Complaint":
            counter = complaint_counter(fact.detail, fact.subtype)
            complaints.setdefault(counter, fact.at)
            providers.setdefault(counter, fact.provider)
    provider = _provider([*opens, *clicks])
    state = State(
        message_id=judged[0].message_id,
        campaign=judged[0].campaign,
        settled=stored.settled if stored else 0,
        opened_at=_first(opens),
        human_opened_at=_first(fact for fact in opens if fact.engager == "human"),
        clicked_at=_first(clicks),
        human_clicked_at=_first(fact for fact in clicks if is_click_of_reader(fact)),
        # Reversed, so that the first click of a link is the last one set.
        links={fact.link_id: fact.at for fact in reversed(clicks) if fact.link_id is not None},
        generation=GENERATION,
        private_opened_at=_first(fact for fact in opens if is_private(fact)),
        human_engaged_at=_first(fact for fact in judged if is_engaged(fact)),
        human_links=tuple(sorted({fact.link_id for fact in human_clicks if fact.link_id})),
        bounces=bounces,
        complaints=complaints,
        networks={name: to_code(bits) for name, bits in networks.items()},
        # SES reports one time for an email; the least does not depend on the order if it did not.
        sent_at=min(fact.mail_at for fact in judged),
        tags=_tags(judged),
        provider=provider,
        providers={report: one for report, one in providers.items() if one not in (None, provider)},
        opened_with=_device(fact for fact in opens if fact.engager == "human"),
        clicked_with=_device(fact for fact in clicks if is_click_of_reader(fact)),
    )
    if stored and state == stored and rules_of(stored) == RULES_VERSION:
        return stored
    return replace(state, settled=next_rank(state.settled))


def _provider(engagements: Iterable[Fact]) -> str | None:
    """Return the provider of an email's opens and clicks.

    They have the same one, unless they were stored by releases with different tables.
    """
    return min([one.provider for one in engagements if one.provider is not None], default=None)


def _tags(facts: Iterable[Fact]) -> dict[str, str]:
    """Return the tags of an email; the least value does not depend on the order if it had several.

    Its facts have the same values. Those that were stored with other BREAKDOWN_TAGS, or by an
    earlier release, have fewer tags.
    """
    tags: dict[str, str] = {}
    for fact in facts:
        for name, value in fact.tags.items():
            tags[name] = min(value, tags.get(name, value))
    return tags


def is_engaged(fact: Fact) -> bool:
    """Return whether a fact is an open or click by a human."""
    return fact.type in ENGAGEMENTS and fact.engager == "human"


def is_click_of_reader(fact: Fact) -> bool:
    """Return whether a fact is a click by a human on a link that is not an unsubscribe link."""
    is_click = fact.type == "Click" and fact.engager == "human"
    return is_click and links.kind(fact.link or "") != "unsubscribe"


def _first(facts: Iterable[Fact]) -> str | None:
    return next((fact.at for fact in facts), None)


def _device(facts: Iterable[Fact]) -> str | None:
    """Return the device and mail program of the first of an email's facts."""
    return next((device_code(fact.agent) for fact in facts), None)

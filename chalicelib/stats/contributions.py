"""Compute the contribution of a fact or state; counters are the sum over all of them.

Times count in minutes, the finest bucket. What an item contributes depends on its generation: an
item that an earlier release stored contributes what that release counted, so that replacing it
subtracts what was added, and adds what the current definitions count.
"""

from collections import defaultdict
from collections.abc import Hashable, Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from functools import lru_cache
from typing import NamedTuple

from chalicelib.facts.bots import BOTS_SINCE, kind_of_bot, label_agreement
from chalicelib.facts.fact import ENGAGEMENTS, OTHER_LINK, Fact, is_settled
from chalicelib.facts.networks import from_code
from chalicelib.facts.replies import ReplyClass
from chalicelib.facts.reputation import bounce_counter, bounce_counter_of_generation_1
from chalicelib.facts.settle import rules_of
from chalicelib.facts.state import State
from chalicelib.insight.curves import bucket
from chalicelib.stats.counters import (
    AGES,
    HEALTH,
    NETWORK_COUNTERS,
    PIPELINE,
    PROVIDER_COUNTERS,
    RESOLUTIONS,
    SUMMARY,
    AgeMetric,
    Key,
    age_counter,
    bounce_part,
    bucket_part,
    counter_at,
    link_part,
    network_part,
    provider_part,
    reply_part,
    undelivered_part,
    variant_part,
)
from chalicelib.stats.tags import shown


class Link(NamedTuple):
    """What identifies the link of an aggregate item."""

    url: str
    label: str | None


Named = Link | ReplyClass
"""What identifies the link or the class of replies of an aggregate item."""


class Contribution(NamedTuple):
    """Aggregate items, the increments of each item's counters, and what identifies the items."""

    keys: Sequence[Key]
    counts: Mapping[str, int]
    name: Named | None = None


_TO_THE_MINUTE, _ = RESOLUTIONS["minute"]

_HEALTH = [(PIPELINE, HEALTH)]
_COUNTERS = {
    "Send": "sends",
    "Delivery": "deliveries",
    "DeliveryDelay": "delivery_delays",
    "Open": "opens",
    "Click": "clicks",
    "Reject": "rejects",
    "Rendering Failure": "rendering_failures",
}
_REPORTS = {"Bounce", "Complaint"}
_UNDELIVERED = {
    "delivery_delays": "delivery_delays",
    "hard_bounces": "bounces",
    "soft_bounces": "bounces",
    "undetermined_bounces": "bounces",
}
_OTHER_TYPES = {*_REPORTS, "Subscription"}
_SETTLED_SINCE = 2  # the generation since which bounces and complaints count by the state
_BROKEN_DOWN_SINCE = 2  # the generation since which items count in the breakdowns of a campaign


def grouping_key(stored: Fact | State) -> Hashable:
    """Return a hashable key; facts and states with equal keys contribute equal counters.

    Most of the thousands of records in a batch share few keys: sends and deliveries of one
    campaign in one minute.
    """
    if isinstance(stored, State):
        minutes = [time and time[:_TO_THE_MINUTE] for time, _ in _firsts(stored)]
        return (
            stored.campaign,
            stored.generation,
            _breakdowns(stored),
            *minutes,
            *_ages(stored),
            *_devices(stored),
            *stored.links,
            stored.human_links,
            stored.provider,
            *((one, stored.provider_of(to)) for to, one in stored.bounces.items()),
            *((*one, stored.provider_of(one[0])) for one in stored.complaints.items()),
            *((rules_of(stored), *stored.networks.items()) if stored.networks else ()),
        )
    return (
        stored.campaign,
        stored.type,
        stored.at[:_TO_THE_MINUTE],
        stored.count,
        stored.tagged,
        stored.engager,
        stored.link_id,
        stored.link,
        stored.label,
        stored.bounce_type,
        stored.detail,
        stored.auto_reply,
        stored.opts_out,
        stored.generation,
        _breakdowns(stored),
        stored.provider,
        *stored.providers.items(),
        stored.reply,
        *_bot_counters(stored),
    )


def contributions(stored: Fact | State) -> list[Contribution]:
    """Return the contribution of a fact or state to each aggregate item."""
    if isinstance(stored, State):
        return list(_of_state(stored))
    return [*_of_fact(stored), *_of_reply(stored), *_of_bots(stored)]


def difference(new: Fact | State, old: Fact | State) -> list[Contribution]:
    """Return the contributions of a change: those of the new image minus those of the old one."""
    sums: dict[Key, dict[str, int]] = defaultdict(lambda: defaultdict(int))
    names: dict[Key, Named] = {}
    for one in contributions(new):
        for key in one.keys:
            if one.name is not None:
                names[key] = one.name
            for counter, amount in one.counts.items():
                sums[key][counter] += amount
    for one in contributions(old):
        for key in one.keys:
            for counter, amount in one.counts.items():
                sums[key][counter] -= amount
    differences = (
        (key, {counter: amount for counter, amount in counts.items() if amount})
        for key, counts in sums.items()
    )
    return [Contribution([key], counts, names.get(key)) for key, counts in differences if counts]


def _of_fact(fact: Fact) -> Iterator[Contribution]:
    counters = [_COUNTERS[fact.type]] if fact.type in _COUNTERS else []
    part: str | None = None
    link: Link | None = None
    match fact.type:
        case "Open" | "Click" if fact.engager in {"human", "machine"}:
            counters.append(f"{fact.engager}_{_COUNTERS[fact.type]}")
        case "Bounce" if fact.generation < _SETTLED_SINCE:
            counters.append(bounce_counter_of_generation_1(fact.bounce_kind[0]))
            part = bounce_part(*fact.bounce_kind)
        case "Bounce" if not is_settled(fact):
            counters.append(bounce_counter(*fact.bounce_kind))
            part = bounce_part(*fact.bounce_kind)
        case "Complaint" if fact.generation < _SETTLED_SINCE:
            counters.append("complaints")
        case "Subscription" if fact.opts_out:
            counters.append("unsubscribes")
    if fact.type == "Click":
        link_id = fact.link_id or OTHER_LINK
        part = link_part(link_id)
        link = Link(fact.link, fact.label) if fact.link and link_id != OTHER_LINK else None
    counts = dict.fromkeys(counters, fact.count)
    if counts:
        yield Contribution(_everywhere(fact, fact.at), counts)
        yield from _at_providers(fact, counts)
    if part is not None:
        yield Contribution([(fact.campaign, part)], counts, link)
    if fact.type in _REPORTS and is_settled(fact) and fact.generation >= _SETTLED_SINCE:
        hour = bucket_part("hour", fact.at)
        yield Contribution([(fact.campaign, hour)], {"reports": fact.count})
    if not fact.tagged:
        yield Contribution(_HEALTH, {"untagged": 1})
    if fact.type not in _COUNTERS and fact.type not in _OTHER_TYPES:
        yield Contribution(_HEALTH, {"unknown_types": 1})


def _at_providers(fact: Fact, counters: Iterable[str]) -> Iterator[Contribution]:
    numbers: Mapping[str | None, int] = {fact.provider: fact.count}
    if fact.providers:
        numbers = {name: int(number) for name, number in fact.providers.items()}
    for provider, number in numbers.items():
        yield from _at_provider(fact.campaign, provider, fact.at, dict.fromkeys(counters, number))


def _at_provider(
    campaign: str, provider: str | None, at: str, counts: Mapping[str, int]
) -> Iterator[Contribution]:
    """Yield what counts at a mailbox provider, and in the delays and bounces of the minute.

    Items that an earlier release has stored have no provider, and count at none: nothing that was
    not added is subtracted when they are replaced.
    """
    if provider is None:
        return
    if shown := {name: number for name, number in counts.items() if name in PROVIDER_COUNTERS}:
        yield Contribution([(campaign, provider_part(provider))], shown)
    if undelivered := {
        counter_at(_UNDELIVERED[name], provider): number
        for name, number in counts.items()
        if name in _UNDELIVERED
    }:
        yield Contribution([(campaign, undelivered_part(at))], undelivered)


def _of_reply(fact: Fact) -> Iterator[Contribution]:
    if fact.reply is not None and fact.provider is not None:
        status, _, text = fact.reply.partition(" ")
        yield Contribution(
            [(fact.campaign, reply_part(fact.reply))],
            {counter_at("replies", fact.provider): fact.count},
            ReplyClass(status, text),
        )


def _of_bots(fact: Fact) -> Iterator[Contribution]:
    if counters := _bot_counters(fact):
        yield Contribution([(fact.campaign, SUMMARY)], dict.fromkeys(counters, 1))


def _bot_counters(fact: Fact) -> Sequence[str]:
    """Return the counters of bots and labels to which an open or click adds; see BOT_COUNTERS."""
    if fact.type not in ENGAGEMENTS or rules_of(fact) < BOTS_SINCE:
        return ()
    label = f"label_{label_agreement(fact)}"
    kind = kind_of_bot(fact)
    return (label,) if kind is None else (label, f"{kind}_{_COUNTERS[fact.type]}")


def _of_state(state: State) -> Iterator[Contribution]:
    campaign = state.campaign
    for time, counter in _firsts(state):
        if time is not None:
            yield Contribution(_everywhere(state, time), {counter: 1})
            yield from _at_provider(campaign, state.provider, time, {counter: 1})
    if state.links:
        yield Contribution(
            [(campaign, link_part(one)) for one in state.links], {"unique_clicks": 1}
        )
    if state.human_links:
        yield Contribution(
            [(campaign, link_part(one)) for one in state.human_links], {"unique_human_clicks": 1}
        )
    for recipient, bounce in state.bounces.items():
        at, kind, subtype = bounce.split("#")
        count: Mapping[str, int] = {bounce_counter(kind, subtype): 1}
        yield Contribution(_everywhere(state, at), count)
        yield Contribution([(campaign, bounce_part(kind, subtype))], count)
        yield from _at_provider(campaign, state.provider_of(recipient), at, count)
    for complaint, at in state.complaints.items():
        yield Contribution(_everywhere(state, at), {complaint: 1})
        yield from _at_provider(campaign, state.provider_of(complaint), at, {complaint: 1})
    for network, code in state.networks.items():
        bits = zip(NETWORK_COUNTERS, from_code(code), strict=True)
        if shown := {counter: 1 for counter, bit in bits if bit}:
            yield Contribution([(campaign, network_part(rules_of(state), network))], shown)
    counters = [age_counter(metric, number) for metric, number in _ages(state)]
    counters += [counter_at(metric, code) for metric, code in _devices(state)]
    if counters:
        yield Contribution([(campaign, AGES)], dict.fromkeys(counters, 1))


def _ages(state: State) -> Sequence[tuple[AgeMetric, int]]:
    """Return the bucket of an email's age at its first human open and click, as far as known.

    A state of an earlier release has no time of sending, and contributes none until it is settled
    again.
    """
    if state.sent_at is None:
        return ()
    firsts: tuple[tuple[AgeMetric, str | None], ...] = (
        ("unique_human_opens", state.human_opened_at),
        ("unique_human_clicks", state.human_clicked_at),
    )
    return [
        (metric, bucket(_seconds(state.sent_at, at))) for metric, at in firsts if at is not None
    ]


def _devices(state: State) -> Sequence[tuple[AgeMetric, str]]:
    """Return the class of devices of an email's first human open and click, as far as known.

    As with ages, a state of an earlier release has none until it is settled again.
    """
    firsts: tuple[tuple[AgeMetric, str | None], ...] = (
        ("unique_human_opens", state.opened_with),
        ("unique_human_clicks", state.clicked_with),
    )
    return [(metric, code) for metric, code in firsts if code is not None]


def _seconds(start: str, end: str) -> float:
    return (datetime.fromisoformat(end) - datetime.fromisoformat(start)).total_seconds()


def _firsts(state: State) -> Sequence[tuple[str | None, str]]:
    """Return the first times of an email's opens and clicks, and the counter of each."""
    firsts = [
        (state.opened_at, "unique_opens"),
        (state.human_opened_at, "unique_human_opens"),
        (state.clicked_at, "unique_clicks"),
        (state.human_clicked_at, "unique_human_clicks"),
    ]
    if state.generation >= _SETTLED_SINCE:
        engagements = [time for time in (state.opened_at, state.clicked_at) if time is not None]
        private = state.private_opened_at if state.human_engaged_at is None else None
        firsts += [
            (state.human_engaged_at, "readers"),
            (min(engagements, default=None), "unique_engaged"),
            (private, "unique_private_opens"),
        ]
    return firsts


def _breakdowns(stored: Fact | State) -> tuple[str, ...]:
    """Return the parts that break a campaign's counters down, as far as an item counts in them.

    They have the counters of the summary, of some of its emails: those with a tag. They depend on
    the item alone, so that a record that is delivered again counts in the same aggregates.
    """
    if not stored.tags or stored.generation < _BROKEN_DOWN_SINCE:
        return ()
    return _variants(tuple(stored.tags.items()))


@lru_cache(maxsize=1000)  # a campaign's emails share few values
def _variants(tags: Sequence[tuple[str, str]]) -> tuple[str, ...]:
    return tuple(map(variant_part, shown(dict(tags))))


def _everywhere(stored: Fact | State, at: str) -> tuple[Key, ...]:
    """Return the keys of the summary, of all time buckets of a time, and of the breakdowns."""
    return _keys(stored.campaign, at[:_TO_THE_MINUTE], _breakdowns(stored))


@lru_cache(maxsize=1000)  # a batch covers few minutes, and the next batch covers them too
def _keys(campaign: str, minute: str, breakdowns: Sequence[str]) -> tuple[Key, ...]:
    parts = (bucket_part(resolution, minute) for resolution in RESOLUTIONS)
    return tuple((campaign, part) for part in (SUMMARY, *parts, *breakdowns))

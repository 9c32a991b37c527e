"""Compute the contribution of a fact or state; counters are the sum over all of them.

Times count in minutes, the finest bucket.
"""

from collections import defaultdict
from collections.abc import Hashable, Iterator, Mapping, Sequence
from functools import lru_cache

from chalicelib.facts.fact import OTHER_LINK, Fact
from chalicelib.facts.state import State
from chalicelib.stats.counters import (
    BOUNCE_COUNTERS,
    HEALTH,
    PIPELINE,
    RESOLUTIONS,
    SUMMARY,
    bounce_kind,
    bounce_part,
    bucket_part,
    link_part,
)

Key = tuple[str, str]
"""Partition and sort key of an aggregate item: campaign and part."""

Contribution = tuple[Sequence[Key], Mapping[str, int], str | None]
"""Aggregate items, the increments of each item's counters, and the URL if they are links."""

_TO_THE_MINUTE, _ = RESOLUTIONS["minute"]

_HEALTH = [(PIPELINE, HEALTH)]
_COUNTERS = {
    "Send": "sends",
    "Delivery": "deliveries",
    "DeliveryDelay": "delivery_delays",
    "Open": "opens",
    "Click": "clicks",
    "Complaint": "complaints",
    "Reject": "rejects",
    "Rendering Failure": "rendering_failures",
}


def grouping_key(stored: Fact | State) -> Hashable:
    """Return a hashable key; facts and states with equal keys contribute equal counters.

    Most of the thousands of records in a batch share few keys: sends and deliveries of one
    campaign in one minute.
    """
    if isinstance(stored, State):
        minutes = [time and time[:_TO_THE_MINUTE] for time, _ in _firsts(stored)]
        return (stored.campaign, *minutes, *stored.links)
    return (
        stored.campaign,
        stored.type,
        stored.at[:_TO_THE_MINUTE],
        stored.count,
        stored.tagged,
        stored.engager,
        stored.link_id,
        stored.link,
        stored.bounce_type,
        stored.detail,
        stored.opts_out,
    )


def contributions(stored: Fact | State) -> list[Contribution]:
    """Return the contribution of a fact or state to each aggregate item."""
    return list(_of_state(stored) if isinstance(stored, State) else _of_fact(stored))


def difference(new: Fact | State, old: Fact | State) -> list[Contribution]:
    """Return the contributions of a change: those of the new image minus those of the old one."""
    sums: dict[Key, dict[str, int]] = defaultdict(lambda: defaultdict(int))
    urls: dict[Key, str | None] = {}
    for keys, counts, url in contributions(new):
        for key in keys:
            urls[key] = url
            for counter, amount in counts.items():
                sums[key][counter] += amount
    for keys, counts, _ in contributions(old):
        for key in keys:
            for counter, amount in counts.items():
                sums[key][counter] -= amount
    differences = (
        (key, {counter: amount for counter, amount in counts.items() if amount})
        for key, counts in sums.items()
    )
    return [([key], counts, urls.get(key)) for key, counts in differences if counts]


def _of_fact(fact: Fact) -> Iterator[Contribution]:
    counters = [_COUNTERS[fact.type]] if fact.type in _COUNTERS else []
    known = bool(counters)
    part: str | None = None
    url: str | None = None
    match fact.type:
        case "Open" | "Click" if fact.engager in {"human", "machine"}:
            counters.append(f"{fact.engager}_{_COUNTERS[fact.type]}")
        case "Bounce":
            known = True
            counters.append(BOUNCE_COUNTERS[bounce_kind(fact.bounce_type, fact.detail)[0]])
            part = bounce_part(fact.bounce_type, fact.detail)
        case "Subscription":
            known = True
            counters += ["unsubscribes"] if fact.opts_out else []
    if fact.type == "Click":
        link_id = fact.link_id or OTHER_LINK
        part, url = link_part(link_id), None if link_id == OTHER_LINK else fact.link
    counts = dict.fromkeys(counters, fact.count)
    if counts:
        yield _everywhere(fact.campaign, fact.at[:_TO_THE_MINUTE]), counts, None
    if part is not None:
        yield [(fact.campaign, part)], counts, url
    if not fact.tagged:
        yield _HEALTH, {"untagged": 1}, None
    if not known:
        yield _HEALTH, {"unknown_types": 1}, None


def _of_state(state: State) -> Iterator[Contribution]:
    for time, counter in _firsts(state):
        if time is not None:
            yield _everywhere(state.campaign, time[:_TO_THE_MINUTE]), {counter: 1}, None
    if state.links:
        yield [(state.campaign, link_part(one)) for one in state.links], {"unique_clicks": 1}, None


def _firsts(state: State) -> tuple[tuple[str | None, str], ...]:
    """Return the first times of an email's opens and clicks, and the counter of each."""
    return (
        (state.opened_at, "unique_opens"),
        (state.human_opened_at, "unique_human_opens"),
        (state.clicked_at, "unique_clicks"),
        (state.human_clicked_at, "unique_human_clicks"),
    )


@lru_cache(maxsize=1000)  # a batch covers few minutes, and the next batch covers them too
def _everywhere(campaign: str, minute: str) -> tuple[Key, ...]:
    """Return the keys of the summary and of all time buckets of a campaign's minute."""
    parts = (bucket_part(resolution, minute) for resolution in RESOLUTIONS)
    return ((campaign, SUMMARY), *((campaign, part) for part in parts))

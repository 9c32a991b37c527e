"""What is an item of the events table worth? Counters are the sum over the items.

Read strictly, and only what counts: a fact's agent may be anything, its campaign may not. Times
are read to the minute, the finest bucket; what says more than counters (registers) is left out
where it is not as it should be, and the item counts all the same.
"""

from collections.abc import Hashable, Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from functools import lru_cache
from itertools import chain
from typing import Annotated, Any

import msgspec
from msgspec import UNSET, UnsetType

from chalicelib.facts.fact import MAX_COUNT, MAX_URL, OTHER_LINK, check_identifiers
from chalicelib.ses.event import MAX_ID
from chalicelib.ses.times import is_time
from chalicelib.stats.counters import (
    BOUNCE_COUNTERS,
    EPOCH_DIGITS,
    HEALTH,
    LISTED,
    PIPELINE,
    RESOLUTIONS,
    SUMMARY,
    bounce_kind,
    bounce_part,
    bucket_part,
    link_part,
)
from chalicelib.stats.update import ConditionalField

Key = tuple[str, str]
"""Partition and sort key of an aggregate item: campaign and part."""

Contribution = tuple[Sequence[Key], Mapping[str, int], str | None]
"""Aggregate items, what is added to the counters of each, and the URL where it is a link's."""

GroupingKey = tuple[str, str | None, *tuple[Hashable, ...]]
"""Campaign, type (None of a state), and all else that decides what an item is worth."""

NOT_UNDERSTOOD = (msgspec.ValidationError, ValueError, KeyError, TypeError, AttributeError)
"""What an item raises that is neither a fact nor a state."""

_TO_THE_MINUTE, _ = RESOLUTIONS["minute"]

_HEALTH = [(PIPELINE, HEALTH)]
_COUNTERS = {
    "Send": "sends",
    "Delivery": "deliveries",
    "DeliveryDelay": "delivery_delays",
    "Complaint": "complaints",
    "Reject": "rejects",
    "Rendering Failure": "rendering_failures",
}

_LinkIdText = Annotated[str, msgspec.Meta(pattern=rf"\A([0-9a-f]{{16}}|{OTHER_LINK})\Z")]


class _Read(msgspec.Struct, gc=False):
    """What is read of an item, or of a value in DynamoDB JSON."""


class _S(_Read):
    S: str


class _Filled(_Read):
    S: Annotated[str, msgspec.Meta(min_length=1)]


class _Name(_Read):
    S: Annotated[str, msgspec.Meta(min_length=1, max_length=MAX_ID)]


class _Time(_Read):
    S: Annotated[
        str, msgspec.Meta(pattern=r"\A[0-9]{4}-[0-9]{2}-[0-9]{2}T([01][0-9]|2[0-3]):[0-9]{2}")
    ]


class _Url(_S):
    S: Annotated[str, msgspec.Meta(max_length=MAX_URL)]


class _LinkId(_S):
    S: _LinkIdText


class _Count(_Read):
    N: Annotated[str, msgspec.Meta(pattern=r"\A[1-9][0-9]{0,5}\Z")]


class _Flag(_Read):
    BOOL: bool


class _Links(_Read):
    M: dict[_LinkIdText, Any]


class _Fact(_Read):
    """What counts of any fact; the names are facts.ATTRIBUTES."""

    e: _Filled
    c: _Name
    t: _Time
    n: _Count | UnsetType = UNSET
    g: _Flag | UnsetType = UNSET


class _Open(_Fact):
    k: _S | UnsetType = UNSET


class _Click(_Open):
    h: _LinkId | UnsetType = UNSET
    l: _Url | UnsetType = UNSET  # noqa: E741 - its name


class _Bounce(_Fact):
    b: _S | UnsetType = UNSET
    d: _S | UnsetType = UNSET


class _Subscription(_Fact):
    o: _Flag | UnsetType = UNSET


_KINDS = {"Open": _Open, "Click": _Click, "Bounce": _Bounce, "Subscription": _Subscription}


class _State(_Read):
    """What counts of a message's state; see settle.State."""

    c: _Name
    ul: _Links
    uo: _Time | UnsetType = UNSET
    uho: _Time | UnsetType = UNSET
    uc: _Time | UnsetType = UNSET
    uhc: _Time | UnsetType = UNSET


_UNIQUE = {
    "uo": "unique_opens",
    "uho": "unique_human_opens",
    "uc": "unique_clicks",
    "uhc": "unique_human_clicks",
}
# What a fact's worth depends on beside what any fact's does: by its type.
_DECIDING = {
    kind: tuple(name for name in read.__struct_fields__ if name not in _Fact.__struct_fields__)
    for kind, read in _KINDS.items()
}


def grouping_key(image: Mapping[str, Any]) -> GroupingKey:
    """Name all that an item's contribution depends on, in a fraction of the time that it takes.

    A batch has thousands of records and few that differ in what they count for: most are sends and
    deliveries of one campaign in one minute.

    Args:
        image: the item, in DynamoDB JSON.

    Returns:
        What is equal only for items that are worth the same, or that nobody understands.

    Raises:
        NOT_UNDERSTOOD: it is neither a fact nor a state.
    """
    if "ul" in image:
        minutes = [image[name]["S"][:_TO_THE_MINUTE] if name in image else None for name in _UNIQUE]
        return (image["c"]["S"], None, *minutes, *image["ul"]["M"])
    kind = image["e"]["S"]
    minute = image["t"]["S"][:_TO_THE_MINUTE]
    if "n" in image or "g" in image:  # rarely: most count once, and have a tag
        names: Sequence[str] = (*_DECIDING.get(kind, ()), "n", "g")
    elif kind in _DECIDING:
        names = _DECIDING[kind]
    else:
        return image["c"]["S"], kind, minute
    more = [(*image[name].items(),) if name in image else None for name in names]
    return (image["c"]["S"], kind, minute, *more)


def contribution(image: Mapping[str, Any]) -> list[Contribution]:
    """List what an item is worth, wherever it counts.

    Args:
        image: the item, in DynamoDB JSON.

    Raises:
        NOT_UNDERSTOOD: it is neither a fact nor a state.
    """
    if "ul" in image:
        return _of_state(msgspec.convert(image, _State))
    kind = image["e"]["S"]
    part: str | None = None
    url: str | None = None
    match fact := msgspec.convert(image, _KINDS.get(kind, _Fact)):
        case _Click():
            counters = _judged(fact, "clicks")
            link_id = _text(fact.h) or OTHER_LINK
            part, url = link_part(link_id), None if link_id == OTHER_LINK else _text(fact.l)
        case _Open():
            counters = _judged(fact, "opens")
        case _Bounce():
            bounce = _text(fact.b), _text(fact.d)
            counters, part = [BOUNCE_COUNTERS[bounce_kind(*bounce)[0]]], bounce_part(*bounce)
        case _Subscription():
            counters = ["unsubscribes"] if fact.o is not UNSET and fact.o.BOOL else []
        case _:
            counters = [_COUNTERS[kind]] if kind in _COUNTERS else []
    found = _of_fact(fact, counters, part, url)
    if kind not in _KINDS and kind not in _COUNTERS:
        found.append((_HEALTH, {"unknown_types": 1}, None))
    return found


def _judged(fact: _Open, counter: str) -> list[str]:
    """Name the counters of opens or clicks: all, and those of whose it was."""
    engager = _text(fact.k)
    return [counter, f"{engager}_{counter}"] if engager in {"human", "machine"} else [counter]


def _of_fact(
    fact: _Fact, counters: Sequence[str], part: str | None, url: str | None
) -> list[Contribution]:
    """List what a fact adds to its counters; to those of one part more, where it has one."""
    count = 1 if fact.n is UNSET else int(fact.n.N)
    if count > MAX_COUNT:
        raise ValueError(f"a fact that counts {count}")
    counts = dict.fromkeys(counters, count)
    keys = _everywhere(fact.c.S, fact.t.S[:_TO_THE_MINUTE])
    found: list[Contribution] = [(keys, counts, None)] if counts else []
    if part is not None:
        found.append(([(fact.c.S, part)], counts, url))
    if fact.g is not UNSET and not fact.g.BOOL:
        found.append((_HEALTH, {"untagged": 1}, None))
    return found


def _of_state(state: _State) -> list[Contribution]:
    campaign = state.c.S
    check_identifiers(campaign)
    found: list[Contribution] = []
    for attribute, counter in _UNIQUE.items():
        first = getattr(state, attribute)
        if first is not UNSET:
            found.append((_everywhere(campaign, first.S[:_TO_THE_MINUTE]), {counter: 1}, None))
    if links := [(campaign, link_part(link_id)) for link_id in state.ul.M]:
        found.append((links, {_UNIQUE["uc"]: 1}, None))
    return found


def _text(value: _S | UnsetType) -> str | None:
    return None if value is UNSET else value.S


@lru_cache(maxsize=1000)  # a batch has few minutes, and the next one has them too
def _everywhere(campaign: str, minute: str) -> tuple[Key, ...]:
    """Name the aggregates in which all counts that happens to a campaign in a minute.

    Raises:
        ValueError: the campaign could not be a key, or there is no such minute.
    """
    check_identifiers(campaign)
    datetime.fromisoformat(minute)
    parts = (bucket_part(resolution, minute) for resolution in RESOLUTIONS)
    return ((campaign, SUMMARY), *((campaign, part) for part in parts))


def conditional_fields(images: Sequence[Mapping[str, Any]]) -> Iterable[ConditionalField]:
    """Give what items of one campaign say of its summary apart from counters.

    Args:
        images: items that contribution() has understood, in any order.

    Returns:
        At least those that beat all others.
    """
    try:
        ats = [image["t"]["S"] for image in images]
        mails = [image["m"]["S"] for image in images]
        untils = [image["expires"]["N"] for image in images]
        places = {ats.index(min(ats)), ats.index(max(ats)), *map(untils.index, {*untils})}
        earliest, place = min(mails), -1
        for _ in range(mails.count(earliest)):
            place = mails.index(earliest, place + 1)
            places.add(place)
    except (KeyError, TypeError):
        found = []
    else:
        found = [list(_registers(images[place])) for place in places]
    # What leads in the order of texts does lead if it is as it should be.
    if not found or min(map(len, found)) < _ALL_REGISTERS:
        found = [list(_registers(image)) for image in images]
    return chain.from_iterable(found)


def _registers(image: Mapping[str, Any]) -> Iterator[ConditionalField]:
    """Give what a fact says; what is not as it should be says nothing, and neither does a state."""
    if "ul" in image:
        return
    at, mail_at = _member(image, "t", "S"), _member(image, "m", "S")
    if is_time(at):
        # To the second: shards that count at once would refuse each other for a millisecond.
        second = f"{at[:19]}Z"
        yield ConditionalField(
            "first_event_at", second, keep_lowest=True, values={"listed": LISTED}
        )
        yield ConditionalField("last_event_at", second, keep_lowest=False, values={})
    until = _member(image, "expires", "N")
    if until.isdecimal() and until.isascii():
        yield ConditionalField(
            "facts_until", until.zfill(EPOCH_DIGITS), keep_lowest=True, values={}
        )
    if is_time(mail_at):
        # Of the earliest mail; mails of the same instant are told apart by their id.
        rank = f"{mail_at}#{_member(image, 'message_id', 'S')}"
        for name, attribute in (("subject", "s"), ("sender", "f")):
            if 0 < len(text := _member(image, attribute, "S")) <= MAX_URL:
                yield ConditionalField(f"{name}_of", rank, keep_lowest=True, values={name: text})


_ALL_REGISTERS = 5


def _member(image: Mapping[str, Any], name: str, kind: str) -> str:
    """Give an attribute's value; an empty one where it has none of that kind."""
    value = image.get(name)
    found = value.get(kind) if isinstance(value, dict) else None
    return found if isinstance(found, str) else ""

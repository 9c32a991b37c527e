"""Compute the contribution of an item of the events table; counters are the sum over all items.

Attributes that affect counters are validated strictly, others not at all: a fact's agent may be
anything, its campaign may not. Times are read to the minute, the finest bucket. Attributes of
conditional fields are skipped if they are malformed, and the item still counts.
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
"""Aggregate items, the increments of each item's counters, and the URL if they are links."""

GroupingKey = tuple[str, str | None, *tuple[Hashable, ...]]
"""Campaign, type (None for a state), and all other values that determine the contribution."""

NOT_UNDERSTOOD = (msgspec.ValidationError, ValueError, KeyError, TypeError, AttributeError)
"""Errors raised for an item that is neither a valid fact nor a valid state."""

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
    """An item, or a value in DynamoDB JSON; attributes that are not declared are ignored."""


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
    """The attributes of every fact that affect counters; names as in facts.ATTRIBUTES."""

    e: _Filled
    c: _Name
    t: _Time
    n: _Count | UnsetType = UNSET
    g: _Flag | UnsetType = UNSET


class _Open(_Fact):
    k: _S | UnsetType = UNSET


class _Click(_Open):
    h: _LinkId | UnsetType = UNSET
    l: _Url | UnsetType = UNSET  # noqa: E741 - the attribute's name


class _Bounce(_Fact):
    b: _S | UnsetType = UNSET
    d: _S | UnsetType = UNSET


class _Subscription(_Fact):
    o: _Flag | UnsetType = UNSET


_KINDS = {"Open": _Open, "Click": _Click, "Bounce": _Bounce, "Subscription": _Subscription}


class _State(_Read):
    """The attributes of an email's state that affect counters; see settle.State."""

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
# Attributes that affect the contribution of some types only, by type.
_DECIDING = {
    kind: tuple(name for name in read.__struct_fields__ if name not in _Fact.__struct_fields__)
    for kind, read in _KINDS.items()
}


def grouping_key(image: Mapping[str, Any]) -> GroupingKey:
    """Return a hashable key; items with equal keys contribute equal counters.

    Computing the key is much faster than computing the contribution. Most of the thousands of
    records in a batch share few keys: sends and deliveries of one campaign in one minute.

    Args:
        image: the item, in DynamoDB JSON.

    Returns:
        A key that is equal only for items with equal contributions, or for malformed items.

    Raises:
        NOT_UNDERSTOOD: the item is neither a fact nor a state.
    """
    if "ul" in image:
        minutes = [image[name]["S"][:_TO_THE_MINUTE] if name in image else None for name in _UNIQUE]
        return (image["c"]["S"], None, *minutes, *image["ul"]["M"])
    kind = image["e"]["S"]
    minute = image["t"]["S"][:_TO_THE_MINUTE]
    if "n" in image or "g" in image:  # rare: most facts count once and have the campaign tag
        names: Sequence[str] = (*_DECIDING.get(kind, ()), "n", "g")
    elif kind in _DECIDING:
        names = _DECIDING[kind]
    else:
        return image["c"]["S"], kind, minute
    more = [(*image[name].items(),) if name in image else None for name in names]
    return (image["c"]["S"], kind, minute, *more)


def contribution(image: Mapping[str, Any]) -> list[Contribution]:
    """Return an item's contribution to each aggregate item.

    Args:
        image: the item, in DynamoDB JSON.

    Raises:
        NOT_UNDERSTOOD: the item is neither a fact nor a state.
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
    """Return the counters of an open or click: the total, and that of its class if it has one."""
    engager = _text(fact.k)
    return [counter, f"{engager}_{counter}"] if engager in {"human", "machine"} else [counter]


def _of_fact(
    fact: _Fact, counters: Sequence[str], part: str | None, url: str | None
) -> list[Contribution]:
    """Return a fact's contributions, including those to the given link or bounce part."""
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


@lru_cache(maxsize=1000)  # a batch covers few minutes, and the next batch covers them too
def _everywhere(campaign: str, minute: str) -> tuple[Key, ...]:
    """Return the keys of the summary and of all time buckets of a campaign's minute.

    Raises:
        ValueError: the campaign is not a valid key, or the minute does not exist.
    """
    check_identifiers(campaign)
    datetime.fromisoformat(minute)
    parts = (bucket_part(resolution, minute) for resolution in RESOLUTIONS)
    return ((campaign, SUMMARY), *((campaign, part) for part in parts))


def conditional_fields(images: Sequence[Mapping[str, Any]]) -> Iterable[ConditionalField]:
    """Return conditional fields of a campaign's summary, taken from items of the campaign.

    Args:
        images: items that contribution() has accepted, in any order.

    Returns:
        At least the values that beat all others.
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
    # The first and last values in text order do win, provided that they are well-formed.
    if not found or min(map(len, found)) < _ALL_REGISTERS:
        found = [list(_registers(image)) for image in images]
    return chain.from_iterable(found)


def _registers(image: Mapping[str, Any]) -> Iterator[ConditionalField]:
    """Yield the fact's first and last values. Malformed attributes and state items yield none."""
    if "ul" in image:
        return
    at, mail_at = _member(image, "t", "S"), _member(image, "m", "S")
    if is_time(at):
        # To the second: with milliseconds, concurrent shards would conflict on the condition.
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
        # Taken from the earliest email; emails of the same instant are ordered by message id.
        rank = f"{mail_at}#{_member(image, 'message_id', 'S')}"
        for name, attribute in (("subject", "s"), ("sender", "f")):
            if 0 < len(text := _member(image, attribute, "S")) <= MAX_URL:
                yield ConditionalField(f"{name}_of", rank, keep_lowest=True, values={name: text})


_ALL_REGISTERS = 5


def _member(image: Mapping[str, Any], name: str, kind: str) -> str:
    """Return an attribute's value, or an empty string if it has none of that type."""
    value = image.get(name)
    found = value.get(kind) if isinstance(value, dict) else None
    return found if isinstance(found, str) else ""

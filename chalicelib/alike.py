"""Which items of the events table are worth the same? Asked of each record of the stream.

A batch has thousands of records and few that differ in what they count for: most are sends and
deliveries of one campaign in one minute. `signature` reads an item of the usual form, as facts.py
and settle.py write it, in one pass, and names all that its contribution depends on: items of one
signature are worth the same, whatever that is. What is of no such form has none, and is looked at
alone. The types here are at least as strict as `from_item` and `state_from_item`, so that what
has a signature is never one to be quarantined; tests/laws/test_grouping.py holds it.
"""

from collections.abc import Hashable, Mapping
from typing import Annotated, Any

import msgspec
from msgspec import UNSET, UnsetType

from chalicelib.event import MAX_ID
from chalicelib.facts import MAX_URL
from chalicelib.metrics import RESOLUTIONS
from chalicelib.settle import STATE_PREFIX
from chalicelib.times import MILLISECONDS, is_second

# Longer ones have no signature: a character has at most 4 bytes.
_MOST_CHARACTERS = MAX_ID // 4
_TO_THE_MINUTE, _ = RESOLUTIONS["minute"]  # the finest of them


class _Value(msgspec.Struct, frozen=True, gc=False, forbid_unknown_fields=True):
    """A value in DynamoDB JSON."""


class _S(_Value, frozen=True):
    S: str


class _Filled(_Value, frozen=True):
    S: Annotated[str, msgspec.Meta(min_length=1)]


class _Name(_Value, frozen=True):
    S: Annotated[str, msgspec.Meta(min_length=1, max_length=_MOST_CHARACTERS)]


class _Long(_Value, frozen=True):
    S: Annotated[str, msgspec.Meta(max_length=MAX_URL)]


class _LinkId(_Value, frozen=True):
    S: Annotated[str, msgspec.Meta(pattern=r"\A([0-9a-f]{16}|other)\Z")]


class _Count(_Value, frozen=True):
    N: Annotated[str, msgspec.Meta(pattern=r"\A[1-9][0-9]{0,3}\Z")]


class _Rank(_Value, frozen=True):
    N: Annotated[str, msgspec.Meta(pattern=r"\A[0-9]{1,18}\Z")]


class _Digits(_Value, frozen=True):
    N: str


class _Flag(_Value, frozen=True):
    BOOL: bool


class _Links(_Value, frozen=True):
    M: dict[Annotated[str, msgspec.Meta(pattern=r"\A([0-9a-f]{16}|other)\Z")], _Filled]


class _FactItem(msgspec.Struct, gc=False):
    """A fact; the names are facts.ATTRIBUTES."""

    message_id: _Filled
    fact: _Filled
    e: _Filled
    c: _Name
    t: _Filled
    m: _Filled
    n: _Count | UnsetType = UNSET
    g: _Flag | UnsetType = UNSET
    r: _S | UnsetType = UNSET
    s: _Long | UnsetType = UNSET
    f: _Long | UnsetType = UNSET
    l: _Long | UnsetType = UNSET  # noqa: E741 - its name
    h: _LinkId | UnsetType = UNSET
    a: _S | UnsetType = UNSET
    i: _S | UnsetType = UNSET
    k: _S | UnsetType = UNSET
    w: _S | UnsetType = UNSET
    b: _S | UnsetType = UNSET
    o: _Flag | UnsetType = UNSET
    d: _S | UnsetType = UNSET
    z: _Rank | UnsetType = UNSET
    expires: _Digits | UnsetType = UNSET


class _StateItem(msgspec.Struct, gc=False):
    """A message's state; see settle.State."""

    message_id: _S
    fact: _Filled
    c: _Name
    z: _Rank
    ul: _Links
    uo: _Filled | UnsetType = UNSET
    uho: _Filled | UnsetType = UNSET
    uc: _Filled | UnsetType = UNSET
    uhc: _Filled | UnsetType = UNSET


Ranks = tuple[str, tuple[str, str]]
"""What a fact's registers are ranked by: its time; its mail's time and id."""


_UNRANKED: Ranks = ("", ("", ""))


def signature(image: Mapping[str, Any]) -> tuple[Hashable, Hashable, Ranks] | None:
    """Name what an item's contribution depends on.

    Args:
        image: the item, in DynamoDB JSON.

    Returns:
        What is equal for items whose contributions are equal; what is equal for items that move
        the same registers of the same campaign, None for a state, which moves none; and what
        these registers are ranked by. Or None for what is not of the usual form.
    """
    try:
        if image["fact"]["S"].startswith(STATE_PREFIX):
            return _of_state(msgspec.convert(image, _StateItem))
        return _of_fact(msgspec.convert(image, _FactItem))
    except (msgspec.ValidationError, KeyError, TypeError, AttributeError):
        return None


def _of_fact(item: _FactItem) -> tuple[Hashable, Hashable, Ranks] | None:
    at, mail_at = item.t.S, item.m.S
    usual = (
        at[20:] in MILLISECONDS
        and is_second(at[:20])
        and (mail_at == at or (mail_at[20:] in MILLISECONDS and is_second(mail_at[:20])))
    )
    if not usual:
        return None
    campaign = item.c.S
    return (
        (
            item.e.S,
            campaign,
            at[:_TO_THE_MINUTE],
            item.n,
            item.g,
            item.k,
            item.h,
            item.l,
            item.b,
            item.d,
            item.o,
        ),
        (campaign, item.s is UNSET, item.f is UNSET, item.expires),
        (at, (mail_at, item.message_id.S)),
    )


def _of_state(item: _StateItem) -> tuple[Hashable, Hashable, Ranks] | None:
    links = item.ul.M
    firsts = (item.uo, item.uho, item.uc, item.uhc)
    for time in (*firsts, *links.values()):
        if time is not UNSET and not (time.S[20:] in MILLISECONDS and is_second(time.S[:20])):
            return None
    minutes = tuple(None if time is UNSET else time.S[:_TO_THE_MINUTE] for time in firsts)
    return (STATE_PREFIX, item.c.S, minutes, tuple(links)), None, _UNRANKED

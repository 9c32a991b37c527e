"""Convert facts and states to items of the events table, and back.

    message_id  fact              e      c       t   m        n      …
    0100-abc    Click#<t>#<link>  Click  spring  at  mail_at  count  see facts/fact.py
    0100-abc    ~state#spring     see facts/state.py

A fact also has `sq`: when its event arrived in the queue, in epoch milliseconds. It is not part of
the fact; the delays of the pipeline are measured with it (stats/delays.py).

Everything that reads items of the table, or of its stream, reads them here.
"""

from collections.abc import Iterator
from typing import Any

import msgspec

from chalicelib.dynamodb import AttributeValue, Item
from chalicelib.facts import fact, state
from chalicelib.facts.fact import Fact
from chalicelib.facts.state import State
from chalicelib.ses.event import MAX_ID
from chalicelib.ses.times import is_time

ACTIVITY_LANES = 4
_STATE_PREFIX = "~state#"
_MAPS = ("v", "rs", "bb", "cc", "jn", "mn")
_NUMBERS = ("n", "z", "x")
_KINDS = {
    **dict.fromkeys((*fact.ATTRIBUTES.values(), *state.ATTRIBUTES.values()), "S"),
    **dict.fromkeys(_NUMBERS, "N"),
    **dict.fromkeys(("g", "o", "ba"), "BOOL"),
    **dict.fromkeys(("ul", *_MAPS), "M"),
    "hl": "SS",
    "fact": "S",
}


def to_item(stored: Fact | State, expires: int, queued: int | None = None) -> Item:
    """Return a fact or state in DynamoDB JSON; attributes with default values are omitted.

    Args:
        stored: the fact or state.
        expires: when DynamoDB may delete the item, in epoch seconds.
        queued: when the fact's event arrived in the queue, in epoch milliseconds, if that is known.
    """
    item: Item = {name: _encoded(value) for name, value in msgspec.to_builtins(stored).items()}
    item["expires"] = {"N": str(expires)}
    if queued is not None:
        item["sq"] = {"N": str(queued)}
    if isinstance(stored, State):
        item["fact"] = {"S": _STATE_PREFIX + stored.campaign}  # one state per campaign
        item.setdefault("ul", {"M": {}})
    return item


def from_item(item: Item) -> Fact | State:
    """Parse a fact or state from DynamoDB JSON; attributes that are not declared are ignored.

    Raises:
        ValueError: the item is neither; the message names the attribute at fault.
    """
    try:
        values = {
            name: typed[kind]  # type: ignore[literal-required]  # one of its keys
            for name, typed in item.items()
            if (kind := _KINDS.get(name)) is not None
        }
        for name in _NUMBERS:
            if name in values:
                values[name] = int(values[name])
        for name in _MAPS:
            if name in values:
                values[name] = _texts(values[name])
        stored: Fact | State
        if values["fact"].startswith(_STATE_PREFIX):
            values["ul"] = _texts(values["ul"])
            if "hl" in values:
                values["hl"] = tuple(sorted(values["hl"]))
            stored = msgspec.convert(values, State)
            timely = all(map(is_time, _times(stored)))
        else:
            stored = msgspec.convert(values, Fact)
            timely = is_time(stored.at) and is_time(stored.mail_at)
    except (msgspec.ValidationError, KeyError) as error:  # it names the attribute, not its value
        raise ValueError(f"neither a fact nor a state: {error}") from error
    except (TypeError, ValueError, AttributeError) as error:
        raise ValueError("neither a fact nor a state: a value of another type") from error
    if not timely:
        raise ValueError("neither a fact nor a state: a time is not in RFC 3339 with milliseconds")
    if len(stored.campaign) > MAX_ID // 4 and len(stored.campaign.encode()) > MAX_ID:
        raise ValueError(f"neither a fact nor a state: c has more than {MAX_ID} bytes")
    return stored


def expiry(item: Item) -> int | None:
    """Return when an item expires, in epoch seconds; None if never.

    Raises:
        ValueError: the attribute is not a number.
    """
    try:
        return int(item["expires"]["N"]) if "expires" in item else None
    except (KeyError, TypeError, ValueError) as error:
        raise ValueError("expires is not a number") from error


def queued_at(item: Item) -> float | None:
    """Return when a fact's event arrived in the queue, in epoch seconds; None if not known.

    Raises:
        KeyError, ValueError: the attribute is not a number.
    """
    return int(item["sq"]["N"]) / 1000 if "sq" in item else None


def activity_partition(campaign: str, hour: str, lane: int) -> str:
    """Return a partition key of the activity index: campaign, hour (`2026-11-23T10`) and lane.

    Only release 0.1.0 wrote the attributes of this index; stats/activity.py replaces it.
    """
    return f"{campaign}#{hour}#{lane}"


def _texts(encoded: Item) -> dict[str, str]:
    return {name: text["S"] for name, text in encoded.items()}


def _times(state: State) -> Iterator[str]:
    firsts = (
        *(state.opened_at, state.human_opened_at, state.clicked_at, state.human_clicked_at),
        *(state.private_opened_at, state.human_engaged_at, state.sent_at),
    )
    yield from (time for time in firsts if time is not None)
    yield from state.links.values()
    yield from state.complaints.values()
    yield from (bounce.partition("#")[0] for bounce in state.bounces.values())


def _encoded(value: Any) -> AttributeValue:
    match value:
        case str():
            return {"S": value}
        case bool():
            return {"BOOL": value}
        case int():
            return {"N": str(value)}
        case tuple():
            return {"SS": list(value)}
    return {"M": {name: _encoded(inner) for name, inner in value.items()}}

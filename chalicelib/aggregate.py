"""Stream records of the events table → what to add to which aggregate item.

Counters are the sum over the items of the events table: a record adds
contribution(new image) - contribution(old image). An INSERT adds; a changed class moves one
from human to machine; a changed expiry adds nothing. REMOVE is ignored: retention never moves a
total.

How the additions come to count exactly once stands in checkpoint.py.
"""

from collections import defaultdict
from collections.abc import Hashable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from operator import itemgetter
from typing import Any

from chalicelib.alike import signature
from chalicelib.checkpoint import Change, Register, Touched
from chalicelib.facts import OTHER_LINK, Fact, Item, from_item
from chalicelib.metrics import (
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
from chalicelib.settle import STATE_PREFIX, State, state_from_item

Key = tuple[str, str]
"""Partition and sort key of an aggregate item: campaign and part."""

_PLAIN_COUNTERS = {
    "Send": ["sends"],
    "Delivery": ["deliveries"],
    "DeliveryDelay": ["delivery_delays"],
    "Complaint": ["complaints"],
    "Reject": ["rejects"],
    "Rendering Failure": ["rendering_failures"],
}
NOT_UNDERSTOOD = (ValueError, KeyError, TypeError, AttributeError)
"""What an item raises that is neither a fact nor a state."""


@dataclass(slots=True)
class Batch:
    """A batch of records, by the item that each touches.

    Attributes:
        quarantined: records that could not be understood, each with the reason.
    """

    touched: dict[Key, Touched] = field(default_factory=lambda: defaultdict(Touched))
    quarantined: list[str] = field(default_factory=list)

    def in_writing_order(self) -> Iterator[tuple[Key, Touched]]:
        """List the items, the summaries last: a summary never runs ahead of its parts."""
        return iter(
            sorted(self.touched.items(), key=lambda entry: (entry[0][1] == SUMMARY, entry[0]))
        )


def group(records: Iterable[Mapping[str, Any]]) -> Batch:
    """Read a batch of stream records, in Lambda's shape. Never raises for what a record holds.

    Records that bring a new item are taken together where they are worth the same (alike.py): what
    they are worth is found out once. Each other record is looked at alone.
    """
    batch = Batch()
    alike: dict[Hashable, list[Mapping[str, Any]]] = defaultdict(list)
    ranked: dict[Hashable, list[_Ranked]] = defaultdict(list)
    moving: dict[int, Item] = {}
    created = 0
    for position, record in enumerate(records):
        if record.get("eventName") == "REMOVE":
            continue
        change = record["dynamodb"]
        if (now := change["ApproximateCreationDateTime"]) > created:
            created = now
        known = signature(change.get("NewImage")) if "OldImage" not in change else None
        if known is None:
            if _add_alone(batch, change):
                moving[position] = change["NewImage"]
            continue
        worth, registers, ranks = known
        alike[worth].append(change)
        if registers is not None:
            ranked[registers].append((*ranks, position, change["NewImage"]))
    for same in alike.values():
        _add(batch, same, contribution(same[0]["NewImage"]), [])
    moving |= _leading(ranked.values())
    # In the records' order: of registers that are equal the first stands.
    for _, image in sorted(moving.items(), key=itemgetter(0)):
        for register in registers_of(image):
            batch.touched[image["c"]["S"], SUMMARY].move(register)
    if created:
        # To the minute: each batch would else write the pipeline's health, and push it.
        arrived = datetime.fromtimestamp(int(created), UTC).strftime("%Y-%m-%dT%H:%M:00Z")
        batch.touched[PIPELINE, HEALTH].move(
            Register("last_event_at", arrived, keep_lowest=False, values={})
        )
    return batch


_Ranked = tuple[str, tuple[str, str], int, Item]
"""An item by what its registers are ranked by (alike.Ranks), with its position in the batch."""


def _leading(ranked: Iterable[Sequence[_Ranked]]) -> dict[int, Item]:
    """Find the items whose registers beat those of all others that move the same."""
    by_time, by_mail = itemgetter(0), itemgetter(1)
    return {
        position: image
        for same in ranked
        for _, _, position, image in (
            min(same, key=by_time),
            max(same, key=by_time),
            min(same, key=by_mail),
        )
    }


def _add_alone(batch: Batch, change: Mapping[str, Any]) -> bool:
    """Add what one record is worth, which may be anything; tell whether it was understood."""
    try:
        new = list(contribution(change["NewImage"]))
        old = list(contribution(change["OldImage"])) if "OldImage" in change else []
        list(registers_of(change["NewImage"]))
    except NOT_UNDERSTOOD as error:
        batch.quarantined.append(f"{error.__class__.__name__}: {error}; {change.get('Keys')}")
        _add(batch, [change], [((PIPELINE, HEALTH), "quarantined", 1, None)], [])
        return False
    _add(batch, [change], new, old)
    return True


Contribution = tuple[Key, str, int, str | None]
"""Item, counter, amount, and the URL where the item is a link's."""


def _add(
    batch: Batch,
    records: Sequence[Mapping[str, Any]],
    new: Iterable[Contribution],
    old: Iterable[Contribution],
) -> None:
    """Add what each of some records is worth."""
    sums: dict[Key, dict[str, int]] = defaultdict(lambda: defaultdict(int))
    for sign, contributions in ((1, new), (-1, old)):
        for key, counter, amount, url in contributions:
            sums[key][counter] += sign * amount
            if url is not None:
                batch.touched[key].url = url
    for key, counts in sums.items():
        changed = {counter: amount for counter, amount in counts.items() if amount}
        if changed:
            batch.touched[key].changes.append(Change(records, changed))


def contribution(image: Item) -> Iterator[Contribution]:
    """List what an item of the events table is worth, wherever it counts.

    Raises:
        ValueError, KeyError, TypeError, AttributeError: it is neither a fact nor a state.
    """
    if image["fact"]["S"].startswith(STATE_PREFIX):
        yield from _of_state(state_from_item(image))
    else:
        yield from _of_fact(from_item(image))


def _of_fact(fact: Fact) -> Iterator[Contribution]:
    if not fact.tagged:
        yield (PIPELINE, HEALTH), "untagged", 1, None
    counters = _counters(fact)
    if counters is None:
        yield (PIPELINE, HEALTH), "unknown_types", 1, None
        return
    for counter in counters:
        yield from _everywhere(fact.campaign, fact.at, counter, fact.count)
        if fact.type == "Click":
            link_id = fact.link_id or OTHER_LINK
            url = fact.link if link_id != OTHER_LINK else None
            yield (fact.campaign, link_part(link_id)), counter, fact.count, url
        if fact.type == "Bounce":
            part = bounce_part(fact.bounce_type, fact.detail)
            yield (fact.campaign, part), counter, fact.count, None


def _counters(fact: Fact) -> list[str] | None:
    """Name the counters that a fact adds to; None when its type is not known."""
    match fact.type:
        case "Open" | "Click":
            plural = f"{fact.type.lower()}s"
            judged = fact.engager in ("human", "machine")
            return [plural, f"{fact.engager}_{plural}"] if judged else [plural]
        case "Bounce":
            return [BOUNCE_COUNTERS[bounce_kind(fact.bounce_type, fact.detail)[0]]]
        case "Subscription":
            return ["unsubscribes"] if fact.opts_out else []
        case _:
            return _PLAIN_COUNTERS.get(fact.type)


def _of_state(state: State) -> Iterator[Contribution]:
    for counter, at in (
        ("unique_opens", state.opened_at),
        ("unique_human_opens", state.human_opened_at),
        ("unique_clicks", state.clicked_at),
        ("unique_human_clicks", state.human_clicked_at),
    ):
        if at is not None:
            yield from _everywhere(state.campaign, at, counter, 1)
    for link_id in state.links:
        yield (state.campaign, link_part(link_id)), "unique_clicks", 1, None


def _everywhere(campaign: str, at: str, counter: str, amount: int) -> Iterator[Contribution]:
    yield (campaign, SUMMARY), counter, amount, None
    for resolution in RESOLUTIONS:
        yield (campaign, bucket_part(resolution, at)), counter, amount, None


def registers_of(image: Item) -> Iterator[Register]:
    """Give what an item says of its campaign's summary apart from counters.

    Raises:
        ValueError: it is no fact.
    """
    if image["fact"]["S"].startswith(STATE_PREFIX):
        return
    fact = from_item(image)
    yield Register("first_event_at", fact.at, keep_lowest=True, values={"listed": LISTED})
    yield Register("last_event_at", fact.at, keep_lowest=False, values={})
    if "expires" in image:
        until = image["expires"]["N"].zfill(EPOCH_DIGITS)
        yield Register("facts_until", until, keep_lowest=True, values={})
    # Of the earliest mail; mails of the same instant are told apart by their id.
    earliest = f"{fact.mail_at}#{fact.message_id}"
    for name, value in (("subject", fact.subject), ("sender", fact.sender)):
        if value is not None:
            yield Register(f"{name}_of", earliest, keep_lowest=True, values={name: value})

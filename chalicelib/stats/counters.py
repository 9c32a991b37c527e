"""The counters: their names, how they stand in an aggregate item, and the rates derived.

An aggregate item of the stats table is one campaign's counters over one part: the whole
(`summary`), a minute, an hour, a day, a link, or a kind of bounce. Counters are flat, because
DynamoDB's ADD works on top-level attributes, and the counters' names on disk are short.

    campaign  part                     v        s    d  …   k<lane>
    spring    minute#2026-11-23T10:00  version  2    1  …   checkpoint, see stats/update.py
"""

import math
from collections.abc import Mapping
from datetime import datetime, timedelta
from functools import lru_cache
from typing import Any

from msgspec import Struct, field

from chalicelib.facts.fact import Item

COUNTERS = {
    "sends": "s",
    "deliveries": "d",
    "delivery_delays": "dd",
    "opens": "o",
    "unique_opens": "uo",
    "human_opens": "ho",
    "unique_human_opens": "uho",
    "machine_opens": "mo",
    "clicks": "c",
    "unique_clicks": "uc",
    "human_clicks": "hc",
    "unique_human_clicks": "uhc",
    "machine_clicks": "mc",
    "hard_bounces": "hb",
    "soft_bounces": "sb",
    "undetermined_bounces": "ub",
    "complaints": "cp",
    "rejects": "rj",
    "rendering_failures": "rf",
    "unsubscribes": "un",
}
# What the pipeline says of itself, in an item of its own.
HEALTH_COUNTERS = {"quarantined": "q", "unknown_types": "ut", "untagged": "ug"}
ON_DISK = COUNTERS | HEALTH_COUNTERS

# What a summary says apart from counters; see Register in stats/update.py.
REGISTERS = frozenset(
    {
        *("first_event_at", "listed", "last_event_at", "facts_until"),
        *("subject_of", "subject", "sender_of", "sender"),
    }
)

SUMMARY = "summary"
HEALTH = "health"
# No campaign's id begins with a space: ses/parse.py strips them.
PIPELINE = " pipeline"
LISTED = "campaign"
EPOCH_DIGITS = 12  # epoch seconds as text, padded, so that it sorts as the numbers do

# How SES divides bounces. The list is closed, so that no campaign has more parts than the page can
# show; what SES has added since counts as Other, and its name stands with the fact.
# https://docs.aws.amazon.com/ses/latest/dg/event-publishing-retrieving-sns-contents.html#event-publishing-retrieving-sns-contents-bounce-types
BOUNCE_SUBTYPES = {
    "Permanent": {"General", "NoEmail", "Suppressed", "OnAccountSuppressionList"},
    "Transient": {
        "General",
        "MailboxFull",
        "MessageTooLarge",
        "ContentRejected",
        "AttachmentRejected",
    },
    "Undetermined": {"Undetermined"},
}
BOUNCE_COUNTERS = {
    "Permanent": "hard_bounces",
    "Transient": "soft_bounces",
    "Undetermined": "undetermined_bounces",
}
OTHER_SUBTYPE = "Other"

# Resolution → length of the RFC 3339 prefix that names a bucket, and what completes it.
RESOLUTIONS = {
    "minute": (16, ":00Z"),
    "hour": (13, ":00:00Z"),
    "day": (10, "T00:00:00Z"),
}

MINUTES_KEPT_SECONDS = 2 * 24 * 3600

# What is shown of each resolution, counted back from the newest bucket.
WINDOWS = {"minute": timedelta(hours=2), "hour": timedelta(days=3), "day": None}

# What a part's name begins with, up to its #.
PARTS = (SUMMARY, *RESOLUTIONS, "link", "bounce")

# Rate → the counters that it divides: the one place where denominators are defined. `bounce` is of
# hard bounces, as SES's own.
RATES = {
    "delivery": ("deliveries", "sends"),
    "bounce": ("hard_bounces", "sends"),
    "open": ("unique_opens", "deliveries"),
    "human_open": ("unique_human_opens", "deliveries"),
    "click": ("unique_clicks", "deliveries"),
    "human_click": ("unique_human_clicks", "deliveries"),
    "click_to_open": ("unique_clicks", "unique_opens"),
    "complaint": ("complaints", "deliveries"),
}


class Aggregate(Struct, frozen=True):
    """One aggregate item as read.

    Attributes:
        counts: by full name; counters that are 0 are left out. One below 0 lacks what was never
            counted, and is shown as 0.
        url: of a link's item; None for others, and for `other`.
        facts_until: when the first of a campaign's facts expires, in epoch seconds; of summaries.
    """

    campaign: str
    part: str
    version: int = 0
    counts: Mapping[str, int] = field(default_factory=dict)
    first_event_at: str | None = None
    last_event_at: str | None = None
    subject: str | None = None
    sender: str | None = None
    url: str | None = None
    facts_until: int | None = None


def bucket_part(resolution: str, at: str) -> str:
    """Name the part that a time falls in, such as `minute#2026-11-23T10:00`."""
    return f"{resolution}#{at[: RESOLUTIONS[resolution][0]]}"


def bucket_start(part: str) -> str:
    """Give the start of a bucket in RFC 3339: `hour#2026-11-23T10` → `2026-11-23T10:00:00Z`."""
    resolution, _, prefix = part.partition("#")
    return prefix + RESOLUTIONS[resolution][1]


@lru_cache(maxsize=1000)  # a batch has few minutes, and the next one has them too
def kept_until(part: str) -> float:
    """Return when a part ends, in epoch seconds: a minute after two days, others never.

    A minute counts the facts, and the changes of facts, that are stored by then; until then it is
    compared and shown. All three follow the minute's own time, so that neither the order of events
    nor the time at which DynamoDB deletes the item makes a difference.

    Raises:
        ValueError: the part is a minute that does not exist.
    """
    if not part.startswith("minute#"):
        return math.inf
    return datetime.fromisoformat(bucket_start(part)).timestamp() + MINUTES_KEPT_SECONDS


def link_part(link_id: str) -> str:
    """Name a link's part."""
    return f"link#{link_id}"


def bounce_kind(bounce_type: str | None, subtype: str | None) -> tuple[str, str]:
    """Sort a bounce into a type and a sub-type that are counted."""
    kind = bounce_type if bounce_type in BOUNCE_SUBTYPES else "Undetermined"
    return kind, subtype if subtype in BOUNCE_SUBTYPES[kind] else OTHER_SUBTYPE


def bounce_part(bounce_type: str | None, subtype: str | None) -> str:
    """Name a bounce's part, such as `bounce#Permanent#NoEmail`."""
    return "#".join(("bounce", *bounce_kind(bounce_type, subtype)))


def aggregate_from_item(item: Item) -> Aggregate:
    """Read an aggregate from DynamoDB JSON."""

    def text(attribute: str) -> str | None:
        value: dict[str, Any] = item.get(attribute, {})
        return value.get("S")

    until = text("facts_until")
    return Aggregate(
        campaign=item["campaign"]["S"],
        part=item["part"]["S"],
        version=int(item.get("v", {"N": "0"})["N"]),
        counts={
            name: count
            for name, short in ON_DISK.items()
            if short in item and (count := int(item[short]["N"]))
        },
        first_event_at=text("first_event_at"),
        last_event_at=text("last_event_at"),
        subject=text("subject"),
        sender=text("sender"),
        url=text("url"),
        facts_until=None if until is None else int(until),
    )


def rates(counts: Mapping[str, int]) -> dict[str, float | None]:
    """Derive the rates, as fractions of 1; None where the denominator is 0."""
    return {
        name: counts.get(part, 0) / counts[whole] if counts.get(whole) else None
        for name, (part, whole) in RATES.items()
    }

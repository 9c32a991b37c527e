"""The counters: their names, their attributes in an aggregate item, and the rates derived.

An aggregate item of the stats table contains one campaign's counters of one part: the whole
campaign (`summary`), a minute, an hour, a day, a link, or a kind of bounce. Counters are top-level
attributes, as DynamoDB's ADD requires; their names in the table are short.

    campaign  part                     v        s    d  …   k<hash>
    spring    minute#2026-11-23T10:00  version  2    1  …   checkpoint, see stats/update.py
"""

import math
from collections.abc import Mapping
from datetime import datetime, timedelta
from functools import lru_cache

from msgspec import Struct, field

from chalicelib.dynamodb import AttributeValue, Item

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
# Counters of the pipeline's health, in a separate item.
HEALTH_COUNTERS = {"quarantined": "q", "unknown_types": "ut", "untagged": "ug"}
ON_DISK = COUNTERS | HEALTH_COUNTERS

# Attributes of a summary that are not counters; see ConditionalField in stats/update.py.
CONDITIONAL_FIELDS = frozenset(
    {
        *("first_event_at", "listed", "last_event_at", "facts_until"),
        *("subject_of", "subject", "sender_of", "sender"),
    }
)

SUMMARY = "summary"
HEALTH = "health"
# No campaign id begins with a space: ses/parse.py strips ids.
PIPELINE = " pipeline"
LISTED = "campaign"
EPOCH_DIGITS = 12  # epoch seconds are stored as zero-padded text, which sorts numerically

# Bounce types and subtypes of SES. The list is closed, to limit the parts of a campaign to what the
# page can show; a subtype that SES adds later counts as Other, and is stored with the fact.
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

# For each resolution, the length of the RFC 3339 prefix that identifies a bucket, and its suffix.
RESOLUTIONS = {
    "minute": (16, ":00Z"),
    "hour": (13, ":00:00Z"),
    "day": (10, "T00:00:00Z"),
}

MINUTES_KEPT_SECONDS = 2 * 24 * 3600

# For each resolution, the time span shown, back from the newest bucket.
WINDOWS = {"minute": timedelta(hours=2), "hour": timedelta(days=3), "day": None}

# Prefixes of part names, up to the #.
PARTS = (SUMMARY, *RESOLUTIONS, "link", "bounce")

# Numerator and denominator of each rate; denominators are defined only here. `bounce` is the rate
# of hard bounces, like SES's own.
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
    """An aggregate item.

    Attributes:
        counts: counts by full counter name, without those that are 0. A negative count misses
            contributions that were never counted, and is shown as 0.
        url: URL of a link's item; None for other items, and for `other`.
        facts_until: when a campaign's first fact expires, in epoch seconds; summaries only.
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
    """Return the part that contains a time, such as `minute#2026-11-23T10:00`."""
    return f"{resolution}#{at[: RESOLUTIONS[resolution][0]]}"


def bucket_start(part: str) -> str:
    """Return a bucket's start in RFC 3339: `2026-11-23T10:00:00Z` for `hour#2026-11-23T10`."""
    resolution, _, prefix = part.partition("#")
    return prefix + RESOLUTIONS[resolution][1]


@lru_cache(maxsize=1000)  # a batch covers few minutes, and the next batch covers them too
def kept_until(part: str) -> float:
    """Return when a part expires, in epoch seconds: minutes after two days, other parts never.

    Until then, a minute counts facts and changes to them, is compared by recounts, and is shown.
    All three depend on the minute's own time, so that neither the order of events nor the time at
    which DynamoDB deletes the item affects the result.

    Raises:
        ValueError: the part is a minute that does not exist.
    """
    if not part.startswith("minute#"):
        return math.inf
    return datetime.fromisoformat(bucket_start(part)).timestamp() + MINUTES_KEPT_SECONDS


def link_part(link_id: str) -> str:
    """Return the part of a link."""
    return f"link#{link_id}"


def bounce_kind(bounce_type: str | None, subtype: str | None) -> tuple[str, str]:
    """Return the type and subtype under which a bounce is counted."""
    kind = bounce_type if bounce_type in BOUNCE_SUBTYPES else "Undetermined"
    return kind, subtype if subtype in BOUNCE_SUBTYPES[kind] else OTHER_SUBTYPE


def bounce_part(bounce_type: str | None, subtype: str | None) -> str:
    """Return the part of a bounce, such as `bounce#Permanent#NoEmail`."""
    return "#".join(("bounce", *bounce_kind(bounce_type, subtype)))


def aggregate_from_item(item: Item) -> Aggregate:
    """Parse an aggregate from DynamoDB JSON."""

    def text(attribute: str) -> str | None:
        return item.get(attribute, AttributeValue()).get("S")

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
    """Compute the rates, as fractions of 1; None if the denominator is 0."""
    return {
        name: counts.get(part, 0) / counts[whole] if counts.get(whole) else None
        for name, (part, whole) in RATES.items()
    }

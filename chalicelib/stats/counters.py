"""The counters: their names, their attributes in an aggregate item, and the rates derived.

An aggregate item of the stats table contains one campaign's counters of one part: the whole
campaign (`summary`), a minute, an hour, a day, a link, a kind of bounce, a variant (the emails with
one value of a message tag), a mailbox provider, a class of SMTP replies, the delays and bounces of
a minute by provider (`undelivered`), a network, or the ages and devices of emails at their first
human open and click (`ages`). Counters are top-level attributes, as DynamoDB's ADD requires; their
names in the table are short.

    campaign  part                     v        s    d  …   k<hash>
    spring    minute#2026-11-23T10:00  version  2    1  …   checkpoint, see stats/update.py
"""

import math
from collections import defaultdict
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from functools import lru_cache
from typing import Literal

from msgspec import Struct, field

from chalicelib.dynamodb import AttributeValue, Item
from chalicelib.facts.fact import GENERATION, short_hash
from chalicelib.facts.networks import Evidence
from chalicelib.insight.curves import BUCKETS, Curve, curve
from chalicelib.stats.pace_item import PaceNow, pace_now_from_summary

AgeMetric = Literal["unique_human_opens", "unique_human_clicks"]
"""The counters that are also counted by age, and by device."""

Key = tuple[str, str]
"""Partition and sort key of an aggregate item: campaign and part."""

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
    "readers": "rd",
    "unique_engaged": "ue",
    "unique_private_opens": "up",
    "prevented": "pv",
    "complaints_not_spam": "cn",
    "complaints_prevented": "cs",
}
# Counters that releases before generation 2 did not have.
COUNTERS_OF_GENERATION_2 = frozenset(
    {
        *("readers", "unique_engaged", "unique_private_opens"),
        *("prevented", "complaints_not_spam", "complaints_prevented"),
    }
)
# Counters of the pipeline's health, in a separate item.
HEALTH_COUNTERS = {"quarantined": "q", "unknown_types": "ut", "untagged": "ug"}
# Reports of bounces and complaints in an hour, of which only the first on each recipient counts as
# a bounce or complaint: shows that there is something to list.
HOUR_COUNTERS = {"reports": "rp"}
# In a summary: opens and clicks by each kind of bot, and how SES's label compares with the class
# (facts/bots.py). Only those that rules of version BOTS_SINCE or later have classified.
BOT_COUNTERS = {
    "privacy_proxy_opens": "bpo",
    "prefetch_opens": "bfo",
    "prefetch_clicks": "bfc",
    "security_scanner_opens": "bso",
    "security_scanner_clicks": "bsc",
    "declared_bot_opens": "bdo",
    "declared_bot_clicks": "bdc",
    "label_agrees": "bla",
    "label_differs": "bld",
    "label_absent": "bln",
}
# Emails that have each of the bits of a network (facts/networks.py). No topic shows them.
NETWORK_COUNTERS = {"network_seen": "ns", "network_quiet": "nq", "network_sure": "nb"}
# Emails by their age at the first human open and at the first human click, in the buckets of
# insight/curves.py: the response curves. Topics show only the devices of their item.
AGE_METRICS: Mapping[AgeMetric, str] = {"unique_human_opens": "ao", "unique_human_clicks": "ac"}
AGE_METRICS_ON_THE_WIRE: Mapping[str, AgeMetric] = {
    "human_opens": "unique_human_opens",
    "human_clicks": "unique_human_clicks",
}
AGE_COUNTERS = {
    f"{metric}_by_age_{number}": f"{short}{number}"
    for metric, short in AGE_METRICS.items()
    for number in range(BUCKETS)
}
# Counters of a mailbox provider.
PROVIDER_COUNTERS = (
    *("sends", "deliveries", "delivery_delays", "hard_bounces", "soft_bounces"),
    *("undetermined_bounces", "prevented", "complaints"),
    *("unique_human_opens", "unique_human_clicks"),
)
# In the item of ages: emails by the device and mail program of the first human open and click
# (facts/devices.py).
DEVICE_METRICS: Mapping[str, str] = {
    "unique_human_opens": "o",
    "unique_human_clicks": "c",
}
# Counters that an item has for each mailbox provider, such as `replies@Gmail` (`r@Gmail` on disk),
# or for each class of devices, such as `unique_human_opens@pch` (`o@pch`). The names behind the @
# are open: a release counts the providers and classes of another release's tables as well.
NAMED_COUNTERS: Mapping[str, str] = {
    "delivery_delays": "dd",
    "bounces": "b",
    "replies": "r",
    **DEVICE_METRICS,
}
_NAMES_OF_NAMED = {short: name for name, short in NAMED_COUNTERS.items()}
# All counters of campaigns besides these, which a recount compares and corrects.
COUNTED = COUNTERS | HOUR_COUNTERS | BOT_COUNTERS | NETWORK_COUNTERS | AGE_COUNTERS
ON_DISK = COUNTED | HEALTH_COUNTERS
_NAMES = {short: name for name, short in ON_DISK.items()}

# A summary's updates by releases of this generation; the next generation has an attribute of its
# own, so that an update by an earlier release is noticed, even after a rollback.
CURRENT_UPDATES = f"v{GENERATION}"

# Attributes of a summary that are not counters; see ConditionalField in stats/update.py.
CONDITIONAL_FIELDS = frozenset(
    {
        *("first_event_at", "listed", "last_event_at", "facts_until"),
        *("subject_of", "subject_by", "subject", "sender_of", "sender"),
    }
)

SUMMARY = "summary"
HEALTH = "health"
# No campaign id begins with a space: ses/parse.py strips ids.
PIPELINE = " pipeline"
LISTED = "campaign"
EPOCH_DIGITS = 12  # epoch seconds are stored as zero-padded text, which sorts numerically

# For each resolution, the length of the RFC 3339 prefix that identifies a bucket, and its suffix.
RESOLUTIONS = {
    "minute": (16, ":00Z"),
    "hour": (13, ":00:00Z"),
    "day": (10, "T00:00:00Z"),
}

MINUTES_KEPT_SECONDS = 2 * 24 * 3600

# For each resolution, the time span shown, back from the newest bucket.
WINDOWS = {"minute": timedelta(hours=2), "hour": timedelta(days=3), "day": None}
UNDELIVERED_WINDOW = timedelta(minutes=15)

# Prefixes of part names, up to the #: those that topics show, and all.
VARIANT = "variant"
PROVIDER = "provider"
REPLY = "reply"
UNDELIVERED = "undelivered"
AGES = "ages"
SHOWN_PARTS = (
    *(SUMMARY, *RESOLUTIONS, "link", "bounce", VARIANT),
    *(PROVIDER, REPLY, UNDELIVERED, AGES),
)
NETWORK = "network"
PARTS = (*SHOWN_PARTS, NETWORK)
# Parts of which a campaign has one, so that their names have no #.
SINGLE_PARTS = (SUMMARY, AGES)

_MINUTES = ("minute#", f"{UNDELIVERED}#")

# Numerator and denominator of each rate; denominators are defined only here (docs/metrics.md).
# `attempted` are the emails that SES tried to send; `observable` are the delivered ones of which
# anyone can tell whether they were read.
RATES = {
    "delivery": ("deliveries", "attempted"),
    "bounce": ("hard_bounces", "attempted"),
    "open": ("unique_opens", "deliveries"),
    "human_open": ("unique_human_opens", "deliveries"),
    "read": ("readers", "deliveries"),
    "read_observable": ("readers", "observable"),
    "click": ("unique_clicks", "deliveries"),
    "human_click": ("unique_human_clicks", "deliveries"),
    "click_to_open": ("unique_clicks", "unique_engaged"),
    "human_click_to_open": ("unique_human_clicks", "readers"),
    "complaint": ("complaints", "deliveries"),
    "unsubscribe": ("unsubscribes", "deliveries"),
}

_DIFFERENCES = {
    "attempted": ("sends", "prevented"),
    "observable": ("deliveries", "unique_private_opens"),
}


class Aggregate(Struct, frozen=True):
    """An aggregate item.

    Attributes:
        counts: counts by full counter name, without those that are 0. A negative count misses
            contributions that were never counted, and is shown as 0.
        url: URL of a link's item; None for other items, and for `other`. Links with a label have
            several URLs; this is the least in text order.
        label: label of a link's item.
        reply: class of replies of a reply's item, as Fact.reply.
        current_updates: number of updates, of those that `version` counts, in which all items were
            of the current generation.
        facts_until: when a campaign's first fact expires, in epoch seconds; summaries only.
        tags: the tags of a campaign's emails, such as `variant=b`; summaries only (stats/tags.py).
        pace: the last known pace of a campaign; summaries only (stats/pace_item.py).
        is_test: whether a campaign is marked as a test; summaries only (stats/marked_tests.py).
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
    label: str | None = None
    reply: str | None = None
    current_updates: int = 0
    facts_until: int | None = None
    tags: tuple[str, ...] = ()
    pace: PaceNow | None = None
    is_test: bool = False

    @property
    def is_current(self) -> bool:
        """Whether a summary counts everything by the current definitions.

        Otherwise an earlier release has counted items of its own generation, or by its own
        definitions, and a recount is needed.
        """
        return self.current_updates == self.version


def bucket_part(resolution: str, at: str) -> str:
    """Return the part that contains a time, such as `minute#2026-11-23T10:00`."""
    return f"{resolution}#{at[: RESOLUTIONS[resolution][0]]}"


def bucket_start(part: str) -> str:
    """Return a bucket's start in RFC 3339: `2026-11-23T10:00:00Z` for `hour#2026-11-23T10`."""
    kind, _, prefix = part.partition("#")
    return prefix + RESOLUTIONS["minute" if kind == UNDELIVERED else kind][1]


@lru_cache(maxsize=1000)  # a batch covers few minutes, and the next batch covers them too
def kept_until(part: str) -> float:
    """Return when a part expires, in epoch seconds: minutes after two days, other parts never.

    Until then, a minute counts facts and changes to them, is compared by recounts, and is shown.
    All three depend on the minute's own time, so that neither the order of events nor the time at
    which DynamoDB deletes the item affects the result.

    Raises:
        ValueError: the part is a minute that does not exist.
    """
    if not part.startswith(_MINUTES):
        return math.inf
    return datetime.fromisoformat(bucket_start(part)).timestamp() + MINUTES_KEPT_SECONDS


def link_part(link_id: str) -> str:
    """Return the part of a link."""
    return f"link#{link_id}"


def bounce_part(kind: str, subtype: str) -> str:
    """Return the part of a kind of bounce, such as `bounce#Permanent#NoEmail`."""
    return f"bounce#{kind}#{subtype}"


def variant_part(tag: str) -> str:
    """Return the part of the emails with a tag, such as `variant#variant=b` (stats/tags.py)."""
    return f"{VARIANT}#{tag}"


def provider_part(provider: str) -> str:
    """Return the part of a mailbox provider, such as `provider#Gmail`."""
    return f"{PROVIDER}#{provider}"


def provider_of(part: str) -> str:
    """Return the provider of a provider's part."""
    return part.partition("#")[2]


def reply_part(reply: str) -> str:
    """Return the part of a class of replies."""
    return f"{REPLY}#{short_hash(reply)}"


def undelivered_part(at: str) -> str:
    """Return the part of the delays and bounces of a minute."""
    return f"{UNDELIVERED}#{at[: RESOLUTIONS['minute'][0]]}"


def counter_at(counter: str, name: str) -> str:
    """Return the counter of a mailbox provider or class of devices, such as `replies@Gmail`."""
    return f"{counter}@{name}"


def counts_by_name(counts: Mapping[str, int], counter: str) -> dict[str, int]:
    """Return the counts of a counter by mailbox provider or class of devices."""
    found = (one.partition("@") for one in counts)
    return {name: counts[counter_at(of, name)] for of, at, name in found if at and of == counter}


def attribute_of(counter: str) -> str:
    """Return the attribute of a counter in the table."""
    of, at, name = counter.partition("@")
    return counter_at(NAMED_COUNTERS[of], name) if at else ON_DISK[counter]


def counter_of(attribute: str) -> str | None:
    """Return the counter of an attribute of the table; None if it is not a counter."""
    short, at, name = attribute.partition("@")
    if not at:
        return _NAMES.get(attribute)
    of = _NAMES_OF_NAMED.get(short)
    return of and counter_at(of, name)


def is_of_campaigns(counter: str) -> bool:
    """Return whether a recount compares a counter."""
    return counter in COUNTED or "@" in counter


def tag_of(part: str) -> str:
    """Return the tag of a variant's part."""
    return part.partition("#")[2]


def network_part(rules: int, network: str) -> str:
    """Return the part of a network's evidence by a version of the rules."""
    return f"{NETWORK}#{rules}#{network}"


def network_of(part: str) -> tuple[int, str]:
    """Return the version of the rules and the network of a network's part."""
    _, rules, network = part.split("#")
    return int(rules), network


def evidence_of(counts: Mapping[str, int]) -> Evidence:
    """Return the evidence in the counters of a network's part."""
    return Evidence(*(counts.get(name, 0) for name in NETWORK_COUNTERS))


def age_counter(metric: AgeMetric, number: int) -> str:
    """Return the counter of a bucket of ages."""
    return f"{metric}_by_age_{number}"


def curve_of(counts: Mapping[str, int], metric: AgeMetric) -> Curve:
    """Return the response curve in the counters of a campaign's ages."""
    return curve({number: counts.get(age_counter(metric, number), 0) for number in range(BUCKETS)})


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
            for short, value in item.items()
            if (name := counter_of(short)) and (count := int(value["N"]))
        },
        first_event_at=text("first_event_at"),
        last_event_at=text("last_event_at"),
        subject=text("subject"),
        sender=text("sender"),
        url=text("url"),
        label=text("label"),
        reply=text("reply"),
        current_updates=int(item.get(CURRENT_UPDATES, {"N": "0"})["N"]),
        facts_until=None if until is None else int(until),
        tags=tuple(sorted(item.get("tags", AttributeValue()).get("SS", ()))),
        pace=pace_now_from_summary(item),
        is_test=item.get("is_test", AttributeValue()).get("BOOL", False),
    )


def rates(counts: Mapping[str, int]) -> dict[str, float | None]:
    """Compute the rates, as fractions of 1.

    A rate is None if its denominator is 0, or smaller than its numerator because SES reported the
    one but not, or not yet, the other.
    """
    known: Mapping[str, int] = defaultdict(int, counts)
    return {name: rate(name, known.__getitem__) for name in RATES}


def rate(name: str, count: Callable[[str], int]) -> float | None:
    """Compute one rate; see `rates`.

    Args:
        name: the rate.
        count: returns a counter by its name.
    """
    part, whole = (
        count(_DIFFERENCES[side][0]) - count(_DIFFERENCES[side][1])
        if side in _DIFFERENCES
        else count(side)
        for side in RATES[name]
    )
    return _ratio(part, whole)


def _ratio(part: int, whole: int) -> float | None:
    return part / whole if 0 <= part <= whole and whole else None

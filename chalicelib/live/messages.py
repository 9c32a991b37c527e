"""Compose the messages to clients from aggregates and facts: snapshots, changes, lists, activity.

The shapes are specified in docs/asyncapi.yaml. A push contains the changed parts of a snapshot in
the snapshot's shape, so the same functions compose both.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from heapq import nsmallest
from operator import attrgetter
from typing import Literal

from msgspec import to_builtins
from msgspec.structs import asdict

from chalicelib.facts import links
from chalicelib.facts.fact import OTHER_LINK, Fact
from chalicelib.facts.personal import masked, masked_sender
from chalicelib.facts.reputation import OTHER_SUBTYPE
from chalicelib.live import deliverability, devices
from chalicelib.live.frames import Message
from chalicelib.live.permissions import Permissions
from chalicelib.recipients.audience import Recipient
from chalicelib.stats.counters import (
    AGES,
    BOT_COUNTERS,
    COUNTERS,
    COUNTERS_OF_GENERATION_2,
    RATES,
    RESOLUTIONS,
    SUMMARY,
    UNDELIVERED_WINDOW,
    VARIANT,
    WINDOWS,
    Aggregate,
    bucket_start,
    rates,
    tag_of,
)
from chalicelib.stats.health import Findings, Health
from chalicelib.stats.incidents import Incident, StoredSettings, time_of
from chalicelib.stats.links import MAX_LINKS, rank
from chalicelib.stats.notes import StoredNotes
from chalicelib.stats.pace_item import PaceNow, StoredPace
from chalicelib.stats.proof import Proof
from chalicelib.stats.reconciled import Reconciled
from chalicelib.stats.reconciled import to_message as reconciled_message
from chalicelib.stats.tags import kept, name_of, value_of, with_more_values

# Kinds of bounces in a snapshot; the rest is shown as Other.
MAX_BOUNCE_KINDS = 40

RATES_OF_GENERATION_2 = frozenset(
    name
    for name, sides in RATES.items()
    if not COUNTERS_OF_GENERATION_2.isdisjoint(sides) or "observable" in sides
)

# The value of the row of all further emails of a tag, which also has `rest`.
OTHER_VALUE = "other"

# How long the rules may still revise most classes: until then, what outweighs the evidence of a
# network may follow, and jobs for networks may be pending.
UNSETTLED = timedelta(minutes=15)

_KINDS_OF_BOTS = ("privacy_proxy", "prefetch", "security_scanner", "declared_bot")

# Members of a campaign that share links do not show: activity contains recipients, what is usual is
# a result of the sender's other campaigns, and so are incidents; they and the settings of alarms
# are for those who can stop a campaign. The reply to one email may contain a name. Notes are
# written for colleagues, and have the names of their authors.
NOT_SHARED = frozenset({"activity", "pace", "replies", "incidents", "alarms", "notes"})

# Members of the pipeline's health that only those receive who may see all campaigns.
OF_ALL_CAMPAIGNS = ("reconciliation", "recounts", "alarms")

# Hours of human opens in a timeline of hours: as many as fit into a frame.
MOST_HOURS = 500

# Members of a bucket besides its counters.
_IDENTITY = {"at", "version"}

# Counters of the sparkline next to a campaign's name.
_OUTLINE = ("deliveries", "human_opens", "human_clicks")


def campaign_stats(aggregates: Iterable[Aggregate]) -> Message:
    """Compose a campaign's stats from the given parts.

    Used for snapshots and, with only the changed parts, for pushes.
    """
    stats: Message = {"$type": "CampaignStats"}
    timeline: dict[str, list[Message]] = {}
    rows: list[Message] = []
    bounces: list[Message] = []
    variants: dict[str, Aggregate] = {}
    aggregates = list(aggregates)
    for aggregate in aggregates:
        kind = aggregate.part.partition("#")[0]
        if kind == SUMMARY:
            stats |= _summary(aggregate)
            stats["bots"] = _bots(aggregate)
        elif kind in RESOLUTIONS:
            timeline.setdefault(kind, []).append(
                {
                    "at": bucket_start(aggregate.part),
                    "version": aggregate.version,
                    **_shown(aggregate),
                }
            )
        elif kind == "link" and aggregate.url:
            # Its URL may not be known yet, because a click may count as unique before it counts as
            # a click. `other`, of earlier releases, is what the campaign counts besides the links.
            rows.append(_link(aggregate))
        elif kind == "bounce":
            bounces.append(_bounce(aggregate))
        elif kind == VARIANT:
            variants[tag_of(aggregate.part)] = aggregate
    if timeline:
        stats["timeline"] = timeline
    if rows:
        stats["links"] = rows
    if bounces:
        stats["bounces"] = bounces
    if variants:
        # Of the variants in a push, those that no client shows are left out.
        stats["variants"] = [_variant(variants[tag]) for tag in kept(variants)]
    return stats | deliverability.members(aggregates) | devices.members(aggregates)


def campaign_snapshot(
    campaign: str,
    summary: Aggregate | None,
    parts: Iterable[Aggregate],
    now: datetime,
    *,
    replaces_pushes: bool = False,
) -> Message:
    """Compose a campaign's complete snapshot; all counts are 0 before the first event.

    Args:
        campaign: the campaign's id.
        summary: None before the first event.
        parts: those that are shown.
        now: the current time, in UTC.
        replaces_pushes: whether it is merged into what a viewer has, who has missed pushes: then it
            contains the parts that have become empty, as those pushes did.
    """
    if not replaces_pushes:
        # Of ages and devices, the version counts even if there are none any more.
        parts = [part for part in parts if _shown(part) or part.part == AGES]
    parts = list(parts)
    ranked = sorted((part for part in parts if part.url), key=rank)
    others = [part for part in parts if not part.url]
    summary = summary or Aggregate(campaign, SUMMARY)
    stats = campaign_stats([summary, *others, *ranked[:MAX_LINKS]])
    timeline = stats.get("timeline", {})
    stats["timeline"] = {
        resolution: _window(timeline.get(resolution, []), WINDOWS[resolution])
        for resolution in RESOLUTIONS
    }
    stats["links"] = [*stats.get("links", []), *_other_link(stats)]
    kinds = sorted(
        stats.get("bounces", []), key=lambda kind: (-kind["count"], kind["type"], kind["subtype"])
    )
    stats["bounces"] = [*kinds[:MAX_BOUNCE_KINDS], *_other_bounces(kinds[MAX_BOUNCE_KINDS:])]
    variants = stats.get("variants", [])
    stats["variants"] = [*variants, *_other_variants(summary, variants)]
    for name in ("providers", "replies"):
        stats.setdefault(name, [])
    stats = devices.no_devices() | stats
    stats["undelivered"] = _window(stats.get("undelivered", []), UNDELIVERED_WINDOW)
    stats["bots"]["unsettled"] = _unsettled(stats["timeline"]["minute"], now)
    return stats


def _unsettled(minutes: Iterable[Message], now: datetime) -> Message:
    """Return the opens and clicks that the rules may still revise."""
    recent = [one for one in minutes if now - datetime.fromisoformat(one["at"]) < UNSETTLED]
    return {what: sum(one.get(what, 0) for one in recent) for what in ("opens", "clicks")}


def _other_link(stats: Message) -> Iterator[Message]:
    """Yield the clicks of all links that are not shown, if there are any."""
    others = {
        name: max(0, stats["counts"][name] - sum(row[name] for row in stats.get("links", [])))
        for name in ("clicks", "human_clicks", "machine_clicks")
    }
    if others["clicks"]:
        unique = {"unique_clicks": None, "unique_human_clicks": None}
        identity = {"id": OTHER_LINK, "url": OTHER_LINK, "label": None, "kind": "link"}
        yield {**identity, "version": stats["version"], **others, **unique}


def _other_bounces(rest: Sequence[Message]) -> Iterator[Message]:
    """Yield the bounces of further kinds, one row per type."""
    for kind in sorted({row["type"] for row in rest}):
        rows = [row for row in rest if row["type"] == kind]
        yield {
            "type": kind,
            "subtype": OTHER_SUBTYPE,
            "version": max(row["version"] for row in rows),
            "count": sum(row["count"] for row in rows),
        }


def _other_variants(summary: Aggregate, variants: Sequence[Message]) -> Iterator[Message]:
    """Yield a row for each tag with further values: what the campaign counts besides `variants`."""
    for name in with_more_values(summary.tags):
        rows = [row["counts"] for row in variants if row["tag"] == name]
        counts = {
            counter: max(0, summary.counts.get(counter, 0) - sum(row[counter] for row in rows))
            for counter in COUNTERS
        }
        if any(counts.values()):
            identity = {"tag": name, "value": OTHER_VALUE, "rest": True}
            figures = _figures(counts, is_current=summary.is_current)
            yield {**identity, "version": summary.version, **figures}


def campaign_entry(summary: Aggregate) -> Message:
    """Compose a campaign's entry in a list."""
    stats = _summary(summary)
    campaign = stats["campaign"]
    return {
        "id": campaign["id"],
        "title": campaign["title"],
        "version": stats["version"],
        "first_event_at": campaign["first_event_at"],
        "last_event_at": campaign["last_event_at"],
        "subject": campaign["subject"],
        "tags": list(summary.tags),
        "test": summary.is_test,
        "counts": stats["counts"],
        "rates": stats["rates"],
        "pace": summary.pace and pace_now(summary.pace),
    }


def compared(summary: Aggregate, curve: Message) -> Message:
    """Compose a campaign of a comparison from its summary and its curve by age."""
    stats = _summary(summary)
    return {
        "id": summary.campaign,
        "counts": stats["counts"],
        "rates": stats["rates"],
        "curve": curve,
    }


def campaign_timeline(campaign: str, resolution: str, buckets: Iterable[Aggregate]) -> Message:
    """Compose a campaign's sparkline from its buckets, given in any order."""
    outline = [
        {
            "at": bucket_start(bucket.part),
            **{name: count for name, count in _shown(bucket).items() if name in _OUTLINE},
        }
        for bucket in buckets
        if _shown(bucket)
    ]
    return {
        "$type": "CampaignTimeline",
        "id": campaign,
        "resolution": resolution,
        "buckets": _window(outline, WINDOWS[resolution]),
    }


def opened_hours(campaign: str, hours: Iterable[Aggregate]) -> Message:
    """Compose the timeline of a campaign's human opens by hour: the first hours that have any."""
    opened = (one for one in hours if one.counts.get("human_opens", 0) > 0)
    first = nsmallest(MOST_HOURS, opened, key=attrgetter("part"))
    return {
        "$type": "CampaignTimeline",
        "id": campaign,
        "resolution": "hour",
        "buckets": [
            {"at": bucket_start(one.part), "human_opens": one.counts["human_opens"]}
            for one in first
        ],
    }


def campaign_list(entries: Sequence[Message]) -> Message:
    """Compose the campaign list, for a snapshot or a push."""
    return {"$type": "CampaignList", "campaigns": list(entries)}


def health(health: Health, sees: Callable[[str], bool] = lambda _: True) -> Message:
    """Compose the pipeline's health, with visible campaigns only; unmeasured values are null."""
    found = health.findings or Findings(checked_at="")
    return {
        "$type": "Health",
        "version": health.version,
        "checked_at": found.checked_at or None,
        "last_event_at": health.last_event_at,
        "queue": {"waiting": found.waiting, "oldest_seconds": found.oldest_seconds},
        "dead_letters": found.dead_letters,
        "stream_lag_seconds": found.stream_lag_seconds,
        "quarantined": health.quarantined,
        "unknown_types": health.unknown_types,
        "untagged": health.untagged,
        **{
            name: None if campaigns is None else list(filter(sees, campaigns))
            for name, campaigns in (("untracked", found.untracked), ("unsent", found.unsent))
        },
        "paused_at": health.paused_at,
        "delays": None if found.delays is None else list(map(asdict, found.delays)),
    }


def pipeline(
    health_of_all: Health,
    reconciled: Reconciled | None,
    proofs: Iterable[Proof],
    alarms: StoredSettings,
    access: Permissions,
) -> Message:
    """Compose the pipeline's health, the last comparison with SES, recounts and alarms' settings.

    These are of all campaigns: connections that may see only some do not receive them.
    """
    shown = health(health_of_all, access.can_see)
    if not access.sees_everything:
        return shown
    return {
        **shown,
        "reconciliation": None if reconciled is None else reconciled_message(reconciled),
        "recounts": [asdict(one) for one in proofs],
        "alarms": [alarm_settings("all", alarms, may_change=access.may_set_alarms(None))],
    }


def seen(message: Message, access: Permissions) -> Message | None:
    """Return the part of a push's changes that may be seen; None if nothing may."""
    sees = access.can_see
    match message["$type"]:
        case "CampaignList":
            campaigns = [one for one in message["campaigns"] if sees(one["id"])]
            # Without the cursor of a snapshot, which may contain a campaign that is not visible.
            return campaign_list(campaigns) if campaigns else None
        case "Health":
            named = {
                name: list(filter(sees, message[name]))
                for name in ("untracked", "unsent")
                if message[name] is not None
            }
            shown = _without_rights({**message, **named})
            if not access.sees_everything:
                for name in OF_ALL_CAMPAIGNS:
                    shown.pop(name, None)
            return shown
    shown = _without_rights(message)
    if access.shared is not None:
        shown = {name: value for name, value in shown.items() if name not in NOT_SHARED}
        return shown if shown.keys() > {"$type"} else None
    return shown


def _without_rights(message: Message) -> Message:
    """Return changes without what a viewer may change: a push is the same for several viewers."""
    shown = {name: value for name, value in message.items() if name != "may_share"}
    if "alarms" in shown:
        shown["alarms"] = [
            {name: one for name, one in settings.items() if name != "may_change"}
            for settings in shown["alarms"]
        ]
    return shown


def pace(stored: StoredPace) -> Message:
    """Compose what is known of how a campaign does for its age."""
    return {"version": stored.version, **stored.content}


def incident(one: Incident) -> Message:
    """Compose an incident of a campaign."""
    return {
        "incident": one.id,
        "version": one.version,
        "kind": one.kind,
        "level": one.level,
        "began_at": time_of(one.began_at),
        "ended_at": None if one.ended_at is None else time_of(one.ended_at),
        "values": {
            **({"provider": one.provider} if one.provider else {}),
            "affected": one.affected,
            "total": one.total,
            **({"since": time_of(one.since)} if one.since else {}),
        },
        "snoozed": one.snoozed,
    }


def notes(stored: StoredNotes) -> list[Message]:
    """Compose the notes of a campaign, the earliest first, and those that were removed."""
    return [
        {
            "note": identity,
            "version": one.version,
            "at": one.at,
            "text": one.text or None,
            "by": one.by or None,
        }
        for identity, one in stored.in_order
    ]


def alarm_settings(
    scope: Literal["campaign", "all"], stored: StoredSettings, *, may_change: bool | None = None
) -> Message:
    """Compose the settings of alarms of a campaign, or of all campaigns.

    Args:
        scope: whose they are.
        stored: the settings.
        may_change: of a snapshot, whether the viewer may change them.
    """
    settings = stored.settings
    return {
        "scope": scope,
        "version": stored.version,
        "kinds": None if settings.kinds is None else list(settings.kinds),
        "snooze_until": settings.snooze_until,
        "quiet": to_builtins(settings.quiet),
        **({"test": settings.test} if scope == "campaign" else {}),
        **({} if may_change is None else {"may_change": may_change}),
    }


def pace_now(pace: PaceNow) -> Message:
    """Compose the last known pace of a campaign for its entry in a list."""
    return {"version": pace.version, **pace.metrics()}


def activity(fact: Fact) -> Message:
    """Compose one entry of the activity list; members that do not apply are omitted."""
    members = {
        "$type": "Activity",
        "at": fact.at,
        "type": fact.type,
        "message_id": fact.message_id,
        "recipient": fact.recipient,
        "link": None if fact.link is None else links.normalised(fact.link),
        "engager": fact.engager,
        "reason": fact.reason,
        "bounce_type": fact.bounce_type,
        "detail": fact.detail,
        "subtype": fact.subtype,
        "status": fact.status,
        "diagnostic": fact.diagnostic,
        "reporting_mta": fact.reporting_mta,
        "domain": fact.domain,
        "reported_recipient": fact.reported,
        "label": fact.label,
    }
    return {name: value for name, value in members.items() if value is not None}


def recipient(one: Recipient) -> Message:
    """Compose one entry of the list of recipients; an unknown provider is omitted."""
    members = {
        "$type": "Recipient",
        "recipient": one.name,
        "message_id": one.message_id,
        "provider": one.provider,
        "sent_at": one.sent_at,
        "state": one.state,
        "last_at": one.last_at,
    }
    return {name: value for name, value in members.items() if value is not None}


def push(topic: str, changes: Message) -> Message:
    """Compose a push of a topic's changes."""
    return {"id": topic, "changes": changes}


def _shown(aggregate: Aggregate) -> dict[str, int]:
    return {name: count for name, count in aggregate.counts.items() if count > 0}


def _summary(aggregate: Aggregate) -> Message:
    return {
        "version": aggregate.version,
        "campaign": {
            "id": aggregate.campaign,
            "title": aggregate.campaign,
            "subject": aggregate.subject and masked(aggregate.subject),
            "sender": aggregate.sender and masked_sender(aggregate.sender),
            "first_event_at": aggregate.first_event_at,
            "last_event_at": aggregate.last_event_at,
            "recount_needed": not aggregate.is_current,
            "test": aggregate.is_test,
        },
        **_figures(_shown(aggregate), is_current=aggregate.is_current),
    }


def _figures(shown: Mapping[str, int], *, is_current: bool = True) -> Message:
    """Compose the counts and the rates of a campaign or variant.

    Args:
        shown: the counters; those that are left out are 0.
        is_current: whether everything was counted by the current definitions.
    """
    counts: Message = {name: shown.get(name, 0) for name in COUNTERS}
    shares = rates(counts)
    if not is_current:
        # Some items were counted by a release that did not know the newer counters.
        counts |= dict.fromkeys(COUNTERS_OF_GENERATION_2)
        shares |= dict.fromkeys(RATES_OF_GENERATION_2)
    return {"counts": counts, "rates": shares}


def _bots(summary: Aggregate) -> Message:
    """Compose what is known of bots; `other` are bots of no known kind, or not yet told apart."""
    counts: dict[str, int] = dict.fromkeys((*COUNTERS, *BOT_COUNTERS), 0) | _shown(summary)
    kinds = {
        kind: {what: counts.get(f"{kind}_{what}", 0) for what in ("opens", "clicks")}
        for kind in _KINDS_OF_BOTS
    }
    kinds["other"] = {
        what: max(0, counts[f"machine_{what}"] - sum(kind[what] for kind in kinds.values()))
        for what in ("opens", "clicks")
    }
    return {
        "version": summary.version,
        "kinds": kinds,
        "ses_label": {
            "agree": counts["label_agrees"],
            "differ": counts["label_differs"],
            "absent": counts["label_absent"],
        },
    }


def _link(aggregate: Aggregate) -> Message:
    counts = _shown(aggregate)
    # Earlier releases stored URLs unmasked.
    url = links.normalised(aggregate.url or "")
    return {
        "id": aggregate.part.partition("#")[2],
        "url": url,
        "label": aggregate.label and masked(aggregate.label),
        "kind": links.kind(url),
        "version": aggregate.version,
        "clicks": counts.get("clicks", 0),
        "unique_clicks": counts.get("unique_clicks", 0),
        "human_clicks": counts.get("human_clicks", 0),
        "unique_human_clicks": counts.get("unique_human_clicks", 0),
        "machine_clicks": counts.get("machine_clicks", 0),
    }


def _variant(aggregate: Aggregate) -> Message:
    # It has items of the current generation only (stats/contributions.py).
    tag = tag_of(aggregate.part)
    return {
        "tag": name_of(tag),
        "value": value_of(tag),
        "version": aggregate.version,
        **_figures(_shown(aggregate)),
    }


def _bounce(aggregate: Aggregate) -> Message:
    _, kind, subtype = aggregate.part.split("#", 2)
    return {
        "type": kind,
        "subtype": subtype,
        "version": aggregate.version,
        "count": sum(_shown(aggregate).values()),
    }


def _window(buckets: list[Message], span: timedelta | None) -> list[Message]:
    """Return the buckets within a time span before the newest that is not empty, oldest first."""
    buckets = sorted(buckets, key=lambda bucket: bucket["at"])
    filled = [bucket["at"] for bucket in buckets if any(map(bucket.get, bucket.keys() - _IDENTITY))]
    if span is None or not filled:
        return buckets
    newest = datetime.fromisoformat(filled[-1])
    return [bucket for bucket in buckets if newest - datetime.fromisoformat(bucket["at"]) < span]

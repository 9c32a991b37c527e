"""Compose the messages to clients from aggregates and facts: snapshots, changes, lists, activity.

The shapes are specified in docs/asyncapi.yaml. A push contains the changed parts of a snapshot in
the snapshot's shape, so the same functions compose both.
"""

from collections.abc import Callable, Iterable, Sequence
from datetime import datetime, timedelta

from chalicelib.facts.fact import OTHER_LINK, Fact
from chalicelib.live.frames import Message
from chalicelib.stats.counters import (
    COUNTERS,
    RESOLUTIONS,
    SUMMARY,
    WINDOWS,
    Aggregate,
    bucket_start,
    link_part,
    rates,
)
from chalicelib.stats.health import Findings, Health

_OTHER_PART = link_part(OTHER_LINK)

# Counters of the sparkline next to a campaign's name.
_OUTLINE = ("deliveries", "human_opens", "human_clicks")


def campaign_stats(aggregates: Iterable[Aggregate]) -> Message:
    """Compose a campaign's stats from the given parts.

    Used for snapshots and, with only the changed parts, for pushes.
    """
    stats: Message = {"$type": "CampaignStats"}
    timeline: dict[str, list[Message]] = {}
    links: list[Message] = []
    bounces: list[Message] = []
    for aggregate in aggregates:
        kind = aggregate.part.partition("#")[0]
        if kind == SUMMARY:
            stats |= _summary(aggregate)
        elif kind in RESOLUTIONS:
            timeline.setdefault(kind, []).append(
                {
                    "at": bucket_start(aggregate.part),
                    "version": aggregate.version,
                    **_shown(aggregate),
                }
            )
        elif kind == "link" and (aggregate.url or aggregate.part == _OTHER_PART):
            # Omit a link until its URL is known (a click may count as unique before it counts as a
            # click), because a link without a URL would be taken for the group of other links.
            links.append(_link(aggregate))
        elif kind == "bounce":
            bounces.append(_bounce(aggregate))
    if timeline:
        stats["timeline"] = timeline
    if links:
        stats["links"] = links
    if bounces:
        stats["bounces"] = bounces
    return stats


def campaign_snapshot(
    campaign: str, summary: Aggregate | None, parts: Iterable[Aggregate]
) -> Message:
    """Compose a campaign's complete snapshot; all counts are 0 before the first event."""
    filled = [part for part in parts if _shown(part)]
    stats = campaign_stats([summary or Aggregate(campaign, SUMMARY), *filled])
    timeline = stats.get("timeline", {})
    stats["timeline"] = {
        resolution: _window(timeline.get(resolution, []), WINDOWS[resolution])
        for resolution in RESOLUTIONS
    }
    stats["links"] = sorted(
        stats.get("links", []),
        key=lambda link: (link["url"] == OTHER_LINK, -link["clicks"], link["url"]),
    )
    stats["bounces"] = sorted(stats.get("bounces", []), key=lambda bounce: -bounce["count"])
    return stats


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
        "counts": stats["counts"],
        "rates": stats["rates"],
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
        "untracked": None if found.untracked is None else list(filter(sees, found.untracked)),
        "paused_at": health.paused_at,
    }


def seen(message: Message, sees: Callable[[str], bool]) -> Message | None:
    """Return the visible part of a push's changes; None if nothing is visible."""
    match message["$type"]:
        case "CampaignList":
            campaigns = [one for one in message["campaigns"] if sees(one["id"])]
            return {**message, "campaigns": campaigns} if campaigns else None
        case "Health" if message["untracked"] is not None:
            return {**message, "untracked": list(filter(sees, message["untracked"]))}
    return message


def activity(fact: Fact) -> Message:
    """Compose one entry of the activity list; members that do not apply are omitted."""
    members = {
        "$type": "Activity",
        "at": fact.at,
        "type": fact.type,
        "message_id": fact.message_id,
        "recipient": fact.recipient,
        "link": fact.link,
        "engager": fact.engager,
        "reason": fact.reason,
        "bounce_type": fact.bounce_type,
        "detail": fact.detail,
    }
    return {name: value for name, value in members.items() if value is not None}


def push(topic: str, changes: Message) -> Message:
    """Compose a push of a topic's changes."""
    return {"id": topic, "changes": changes}


def _shown(aggregate: Aggregate) -> dict[str, int]:
    return {name: count for name, count in aggregate.counts.items() if count > 0}


def _summary(aggregate: Aggregate) -> Message:
    shown = _shown(aggregate)
    counts = {name: shown.get(name, 0) for name in COUNTERS}
    return {
        "version": aggregate.version,
        "campaign": {
            "id": aggregate.campaign,
            "title": aggregate.campaign,
            "subject": aggregate.subject,
            "sender": aggregate.sender,
            "first_event_at": aggregate.first_event_at,
            "last_event_at": aggregate.last_event_at,
        },
        "counts": counts,
        "rates": rates(counts),
    }


def _link(aggregate: Aggregate) -> Message:
    counts = _shown(aggregate)
    return {
        "url": aggregate.url or OTHER_LINK,
        "version": aggregate.version,
        "clicks": counts.get("clicks", 0),
        "unique_clicks": counts.get("unique_clicks", 0),
        "human_clicks": counts.get("human_clicks", 0),
        "machine_clicks": counts.get("machine_clicks", 0),
    }


def _bounce(aggregate: Aggregate) -> Message:
    _, kind, subtype = aggregate.part.split("#")
    return {
        "type": kind,
        "subtype": subtype,
        "version": aggregate.version,
        "count": sum(_shown(aggregate).values()),
    }


def _window(buckets: list[Message], span: timedelta | None) -> list[Message]:
    """Return the buckets within a time span before the newest bucket, oldest first."""
    buckets = sorted(buckets, key=lambda bucket: bucket["at"])
    if span is None or not buckets:
        return buckets
    newest = datetime.fromisoformat(buckets[-1]["at"])
    return [bucket for bucket in buckets if newest - datetime.fromisoformat(bucket["at"]) < span]

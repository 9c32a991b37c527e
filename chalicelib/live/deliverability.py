"""Compose what a campaign's snapshots and pushes have of mailbox providers and SMTP replies."""

from collections.abc import Iterable

from chalicelib.facts.replies import ReplyClass
from chalicelib.facts.reply_causes import cause
from chalicelib.live.frames import Message
from chalicelib.stats.counters import (
    PROVIDER,
    PROVIDER_COUNTERS,
    REPLY,
    UNDELIVERED,
    Aggregate,
    bucket_start,
    counts_by_name,
    provider_of,
)

# Replies in a snapshot or push: the most frequent.
MAX_REPLIES = 20


def members(aggregates: Iterable[Aggregate]) -> Message:
    """Return the members of the given parts; those without parts are left out.

    Of the replies in a push, those that no client shows are left out: as many others in the push
    are more frequent.
    """
    of_kind: dict[str, list[Aggregate]] = {PROVIDER: [], REPLY: [], UNDELIVERED: []}
    for one in aggregates:
        of_kind.get(one.part.partition("#")[0], []).append(one)
    found = {
        "providers": [_provider(one) for one in sorted(of_kind[PROVIDER], key=_most_sends)],
        "replies": [_reply(one) for one in sorted(of_kind[REPLY], key=_most_replies)[:MAX_REPLIES]],
        "undelivered": [_minute(one) for one in sorted(of_kind[UNDELIVERED], key=_earliest)],
    }
    return {name: rows for name, rows in found.items() if rows}


def _shown(aggregate: Aggregate) -> dict[str, int]:
    return {name: count for name, count in aggregate.counts.items() if count > 0}


def _most_sends(provider: Aggregate) -> tuple[int, str]:
    return -provider.counts.get("sends", 0), provider.part


def _provider(aggregate: Aggregate) -> Message:
    shown = _shown(aggregate)
    return {
        "provider": provider_of(aggregate.part),
        "version": aggregate.version,
        **{name: shown.get(name, 0) for name in PROVIDER_COUNTERS},
    }


def _most_replies(reply: Aggregate) -> tuple[int, str]:
    return -sum(_shown(reply).values()), reply.reply or ""


def _reply(aggregate: Aggregate) -> Message:
    status, _, text = (aggregate.reply or "").partition(" ")
    providers = counts_by_name(_shown(aggregate), "replies")
    ranked = sorted(providers, key=lambda name: (-providers[name], name))
    return {
        "status": status,
        "text": text,
        "version": aggregate.version,
        "count": sum(providers.values()),
        "providers": {name: providers[name] for name in ranked},
        # A rule for one provider applies if it has sent the most of these replies.
        "cause": cause(ReplyClass(status, text), next(iter(ranked), None)),
    }


def _earliest(minute: Aggregate) -> str:
    return minute.part


def _minute(aggregate: Aggregate) -> Message:
    shown = _shown(aggregate)
    delays, bounces = (counts_by_name(shown, name) for name in ("delivery_delays", "bounces"))
    return {
        "at": bucket_start(aggregate.part),
        "version": aggregate.version,
        "providers": {
            name: {"delivery_delays": delays.get(name, 0), "bounces": bounces.get(name, 0)}
            for name in sorted({*delays, *bounces})
        },
    }

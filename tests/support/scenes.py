"""Data for the page: a campaign in its second hour beside older ones, and an empty page."""

import math
import random
import time
from typing import Any

from support.stage import Scene, ago

from chalicelib.stats.counters import COUNTERS, rates

PREFIX = "stats/email-campaign/"
SPRING = "spring-sale"
SUBJECT = "Spring is here: 20 % off everything green"
HOUR = 3600


def this_minute() -> int:
    """Return the start of the current minute, in epoch seconds."""
    return int(time.time()) // 60 * 60


def full_counts(**some: int) -> dict[str, int]:
    """Return all counters; unspecified ones are 0."""
    return {name: some.get(name, 0) for name in COUNTERS}


def entry(
    name: str, subject: str, started: float, last: float, version=1, **counts
) -> dict[str, Any]:
    """Build an entry of the list; times are in seconds ago."""
    all_counts = full_counts(**counts)
    return {
        "id": name, "title": name, "subject": subject, "version": version,
        "first_event_at": ago(started), "last_event_at": ago(last),
        "counts": all_counts, "rates": rates(all_counts),
    }  # fmt: skip


SPRING_COUNTS = {
    "sends": 12480, "deliveries": 12204, "delivery_delays": 61, "opens": 6120, "unique_opens": 4271,
    "human_opens": 3340, "unique_human_opens": 2683, "machine_opens": 2512, "clicks": 1204,
    "unique_clicks": 702, "human_clicks": 781, "unique_human_clicks": 598, "machine_clicks": 402,
    "hard_bounces": 143, "soft_bounces": 88, "undetermined_bounces": 4, "complaints": 3,
    "rejects": 0, "rendering_failures": 2, "unsubscribes": 31,
}  # fmt: skip


def campaign_numbers(counts: dict[str, int], *, version: int) -> dict[str, Any]:
    """Build the numbers of a campaign's push; it began 95 minutes ago."""
    return {
        "$type": "CampaignStats",
        "version": version,
        "campaign": {
            "id": SPRING,
            "title": SPRING,
            "subject": SUBJECT,
            "sender": "Green Shop <news@shop.example.com>",
            "first_event_at": ago(95 * 60),
            "last_event_at": ago(1),
        },
        "counts": counts,
        "rates": rates(counts),
        "bots": bots(counts, version=version),
    }


def bots(counts: dict[str, int], *, version: int) -> dict[str, Any]:
    """Build the kinds of bots of a campaign, most of them privacy proxies and scanners."""
    opens, clicks = counts["machine_opens"], counts["machine_clicks"]
    of_opens = {"privacy_proxy": opens * 84 // 100, "prefetch": opens // 25, "declared_bot": 0}
    of_clicks = {"privacy_proxy": 0, "prefetch": clicks // 30, "declared_bot": clicks // 50}
    kinds = {kind: {"opens": of_opens[kind], "clicks": of_clicks[kind]} for kind in of_opens}
    rest = {"opens": opens - sum(of_opens.values()), "clicks": clicks - sum(of_clicks.values())}
    labeled = (counts["opens"] + counts["clicks"]) // 2
    return {
        "version": version,
        "kinds": kinds | {"security_scanner": rest, "other": {"opens": 0, "clicks": 0}},
        "ses_label": {"agree": labeled - 41, "differ": 41, "absent": labeled},
    }


def campaign() -> dict[str, Any]:
    """Build the complete snapshot of a campaign."""
    return {
        **campaign_numbers(full_counts(**SPRING_COUNTS), version=900),
        "timeline": {"minute": minutes(), "hour": hours(2), "day": days(1)},
        "pace": pace(),
        "links": [
            link("https://shop.example.com/spring", 512, 301, 388),
            link("https://shop.example.com/spring/garden", 288, 190, 201),
            link("https://shop.example.com/spring/balcony-and-terrace", 201, 120, 104),
            link("https://shop.example.com/returns", 118, 61, 58),
            link("https://blog.example.com/how-to-plant-tomatoes", 85, 50, 30),
        ],
        "bounces": [
            {"type": "Permanent", "subtype": "NoEmail", "version": 9, "count": 98},
            {"type": "Transient", "subtype": "MailboxFull", "version": 7, "count": 61},
            {"type": "Permanent", "subtype": "OnAccountSuppressionList", "version": 5, "count": 45},
            {"type": "Transient", "subtype": "General", "version": 4, "count": 27},
            {"type": "Undetermined", "subtype": "Undetermined", "version": 2, "count": 4},
        ],
    }


def alarms(snooze_until: str | None = None, **changed: Any) -> dict[str, Any]:
    """Build the settings of the campaign's alarms."""
    settings = {"scope": "campaign", "version": 1, "kinds": None, "quiet": None, "test": False}
    return {**settings, "snooze_until": snooze_until, **changed}


def alarms_of_all(**changed: Any) -> dict[str, Any]:
    """Build the settings of the alarms of all campaigns, with quiet hours."""
    quiet = {"from": "21:30", "to": "06:45", "zone": "Europe/Zurich", "except_critical": True}
    settings = {"scope": "all", "version": 4, "kinds": None, "snooze_until": None, "quiet": quiet}
    return {**settings, "may_change": True, **changed}


def incident(**changed: Any) -> dict[str, Any]:
    """Build a running incident of a provider that defers mail."""
    return {
        "incident": "provider_delays:Microsoft",
        "version": 1,
        "kind": "provider_delays",
        "level": "critical",
        "began_at": ago(12 * 60),
        "ended_at": None,
        "values": {"provider": "Microsoft", "affected": 312, "total": 840, "since": ago(27 * 60)},
        "snoozed": False,
        **changed,
    }


def note(**changed: Any) -> dict[str, Any]:
    """Build a note of half an hour ago."""
    return {
        "note": "n-1",
        "version": 1,
        "at": ago(30 * 60),
        "text": "Reminder sent",
        "by": "ada@shop.example",
        **changed,
    }


def pace() -> dict[str, Any]:
    """Build the pace of a campaign that does better than usual."""
    return {
        "version": 95,
        "campaigns": 12,
        "at": ago(20),
        "human_opens": {"actual": 2683, "expected": 2064, "low": 1790, "high": 2340},
        "human_clicks": {"actual": 598, "expected": 540, "low": 410, "high": 690},
        "forecast": [
            {
                "hours": 24,
                "human_opens": {"expected": 3490, "low": 3180, "high": 3810},
                "human_clicks": {"expected": 760, "low": 640, "high": 890},
            },
            {
                "hours": 168,
                "human_opens": {"expected": 3920, "low": 3500, "high": 4400},
                "human_clicks": {"expected": 830, "low": 690, "high": 1010},
            },
        ],
    }


def listed_pace(of_topic: dict[str, Any]) -> dict[str, Any]:
    """Return the part of a pace that lists show."""
    return {name: of_topic[name] for name in ("version", "human_opens", "human_clicks")}


def opened_of_usual(opens: int, usual: float) -> dict[str, Any]:
    """Build the pace of a listed campaign; `usual` is the expected number relative to `opens`."""
    expected = int(opens * usual)
    interval = {"low": int(expected * 0.85), "high": int(expected * 1.15)}
    return {"version": 1, "human_opens": {"actual": opens, "expected": expected, **interval}}


def link(url: str, clicks: int, unique: int, human: int) -> dict[str, Any]:
    """Build a link of a snapshot."""
    return {
        "url": url, "version": 3, "clicks": clicks, "unique_clicks": unique,
        "human_clicks": human, "machine_clicks": clicks - human,
    }  # fmt: skip


def minutes() -> list[dict[str, Any]]:
    """Build the minutes of a campaign: sent within half an hour, opened ever since."""
    rng = random.Random(7)
    now = this_minute()
    buckets = []
    for age in range(95, -1, -1):
        since = 95 - age
        sends = 400 + rng.randint(-30, 30) if since < 30 else 0
        opens = int(110 * (1 - math.exp(-since / 12)) * math.exp(-since / 60)) + rng.randint(0, 12)
        human = int(opens * 0.58)
        counts = {
            "sends": sends, "deliveries": int(sends * 0.98), "hard_bounces": sends // 90,
            "opens": opens, "human_opens": human, "machine_opens": opens - human,
            "clicks": opens // 6, "human_clicks": opens // 9,
        }  # fmt: skip
        at = time.strftime("%Y-%m-%dT%H:%M:00Z", time.gmtime(now - 60 * age))
        buckets.append({"at": at, "version": 1, **{k: v for k, v in counts.items() if v}})
    return buckets


def hours(number: int) -> list[dict[str, Any]]:
    """Build hours with opens."""
    now = int(time.time()) // HOUR * HOUR
    return [
        {
            "at": time.strftime("%Y-%m-%dT%H:00:00Z", time.gmtime(now - HOUR * age)),
            "version": 1, "sends": 12480 // number, "deliveries": 12204 // number,
            "opens": 6120 // number, "human_opens": 3340 // number, "clicks": 1204 // number,
        }
        for age in range(number - 1, -1, -1)
    ]  # fmt: skip


def days(number: int) -> list[dict[str, Any]]:
    """Build days with opens."""
    return [
        {
            "at": time.strftime("%Y-%m-%dT00:00:00Z", time.gmtime(time.time() - 24 * HOUR * age)),
            "version": 1, "sends": 12480 // number, "opens": 6120 // number,
        }
        for age in range(number - 1, -1, -1)
    ]  # fmt: skip


def timeline(name: str, seed: int) -> dict[str, Any]:
    """Build the sparkline of an older campaign."""
    rng = random.Random(seed)
    buckets = []
    for hour in range(48):
        opens = int(300 * math.exp(-hour / 10) * (1.2 + math.sin(hour / 3.8))) + rng.randint(0, 5)
        one = {"at": ago((96 - hour) * HOUR), "human_opens": max(1, opens)}
        buckets.append(one | ({"deliveries": 2000 - 300 * hour} if hour < 6 else {}))
    return {"$type": "CampaignTimeline", "id": name, "resolution": "hour", "buckets": buckets}


def activity(number: int) -> list[dict[str, Any]]:
    """Build a campaign's newest events."""
    rng = random.Random(3)
    people = ["mara.lindqvist", "tomas.reyes", "j.okafor", "li.wei", "ana.petrova", "نور.حداد"]
    kinds = [
        ("Open", {"engager": "human", "reason": "persons_agent"}),
        ("Open", {"engager": "human", "reason": "proxy_at_open_time"}),
        ("Open", {"engager": "machine", "reason": "apple_mail_privacy"}),
        ("Click", {"engager": "human", "reason": "persons_agent", "link": "https://shop.example.com/spring"}),
        ("Click", {"engager": "machine", "reason": "burst", "link": "https://shop.example.com/returns"}),
        ("Bounce", {"bounce_type": "Transient", "detail": "MailboxFull"}),
        ("Open", {"engager": "unknown", "reason": "no_agent"}),
    ]  # fmt: skip
    found = []
    for index in range(number):
        kind, more = kinds[rng.randrange(len(kinds))]
        found.append(
            {
                "$type": "Activity",
                "at": ago(2 + 3 * index),
                "type": kind,
                "message_id": f"0100019ab0c4-{index:06}",
                "recipient": f"{rng.choice(people)}@example.org",
                **more,
            }
        )
    return found


def recipients(number: int) -> list[dict[str, Any]]:
    """Build recipients of a campaign, of whom every second has not opened."""
    states = ["opened", "not_opened", "clicked", "not_opened", "bounced", "not_opened"]
    providers = ["Gmail", "Yahoo", "example.org", None]
    return [
        {
            "$type": "Recipient", "recipient": f"reader{index:06}@example.org",
            "message_id": f"0100019ab0c4-{index:06}", "provider": providers[index % 4],
            "sent_at": ago(90 * 60), "last_at": ago(3600), "state": states[index % 6],
        }
        for index in range(number)
    ]  # fmt: skip


HEALTHY = {
    "$type": "Health", "version": 7, "checked_at": ago(20), "last_event_at": ago(1),
    "queue": {"waiting": 3, "oldest_seconds": 0}, "dead_letters": 0, "stream_lag_seconds": 0,
    "quarantined": 0, "unknown_types": 0, "untagged": 12, "untracked": [], "paused_at": None,
    "delays": [
        {"hop": "ses", "p50": 0.87, "p99": 2.5, "events": 1204},
        {"hop": "queue", "p50": 0.62, "p99": 1.7, "events": 1207},
        {"hop": "count", "p50": 0.62, "p99": 1.2, "events": 1207},
        {"hop": "total", "p50": 2.1, "p99": 4.9, "events": 1204},
    ],
}  # fmt: skip


def compared(metric: str, ours: int, ses: int, unexplained: int = 0, **causes: int):
    """Build our count of a day beside that of SES."""
    return {
        "metric": metric, "ours": ours, "ses": ses, "explained": ours - ses - unexplained,
        "unexplained": unexplained,
        "causes": [{"name": name, "most": most} for name, most in causes.items()],
    }  # fmt: skip


def results() -> dict[str, Any]:
    """Build the comparison of yesterday with SES, and the last recount."""
    yesterday = ago(24 * HOUR)
    return {
        "reconciliation": {
            "day": yesterday[:10], "compared_at": ago(8 * HOUR), "state": "compared",
            "metrics": [
                compared("sends", 12_480, 12_477, around_midnight=5),
                compared("deliveries", 12_204, 12_204),
                compared("bounces", 235, 190, suppressed=45),
                compared("complaints", 3, 3),
                compared("rejects", 0, 0),
                compared("opens", 6120, 6123, -3),
                compared("clicks", 1204, 1204),
            ],
            "runways": [
                {
                    "kind": "bounces", "rate": 0.0115, "line": 0.05, "remaining": 17_000,
                    "low": 3600, "high": 31_000, "is_matched": True, "is_most": False,
                },
                {
                    "kind": "complaints", "rate": 0.00059, "line": 0.001, "remaining": 41,
                    "low": 12, "high": 88, "is_matched": True, "is_most": False,
                },
            ],
            "share": 1.0, "days": 60,
        },
        "recounts": [
            {
                "at": yesterday, "started": yesterday, "of": None, "campaigns": 212, "expiring": 3,
                "facts": 1_200_000, "counters": 48_211, "differences": 0, "drift": 0,
                "restated": 0, "applied": False,
            }
        ],
    }  # fmt: skip


def lively() -> Scene:
    """Build the data of a busy page."""
    older = [
        ("winter-clearance", "Last chance: winter coats from 39", 26 * 24, 11840, 0.31, 0.052),
        ("newsletter-2026-11", "What to plant in November", 9 * 24, 48211, 0.27, 0.031),
        ("welcome-series-3", "Three things that our gardeners love", 40 * 24, 2210, 0.44, 0.08),
        ("price-change-notice", "A change to your subscription", 3 * 24, 30125, 0.39, 0.01),
        ("تخفيضات-الربيع", "خصم ٢٠٪ على كل شيء أخضر", 5 * 24, 5120, 0.22, 0.041),
    ]
    campaigns = [
        entry(SPRING, SUBJECT, 95 * 60, 1, 900, **SPRING_COUNTS) | {"pace": listed_pace(pace())}
    ]
    for name, subject, hours_ago, sends, opened, clicked in older:
        deliveries = int(sends * 0.981)
        campaigns.append(
            entry(
                name, subject, hours_ago * HOUR, (hours_ago / 2) * HOUR,
                sends=sends, deliveries=deliveries, unique_human_opens=int(deliveries * opened),
                unique_human_clicks=int(deliveries * clicked), hard_bounces=int(sends * 0.011),
                complaints=int(sends * (0.0014 if name.startswith("price") else 0.0003)),
            )
        )  # fmt: skip
        usual = {"winter": 1.02, "newsletter": 1.3, "price": 0.93}.get(name.partition("-")[0])
        if usual:
            campaigns[-1]["pace"] = opened_of_usual(int(deliveries * opened), usual)
    spring_minutes = {
        "$type": "CampaignTimeline", "id": SPRING, "resolution": "minute",
        "buckets": [
            {name: bucket[name] for name in ("at", "deliveries", "human_opens") if name in bucket}
            for bucket in minutes()
        ],
    }  # fmt: skip
    return Scene(
        snapshots={
            "stats/email-campaigns": {"$type": "CampaignList", "campaigns": campaigns},
            "stats/health": HEALTHY | {"checked_at": ago(20), "last_event_at": ago(1)} | results(),
            PREFIX + SPRING: campaign(),
        },
        activity=activity(240),
        recipients=recipients(264),
        timelines={SPRING: spring_minutes}
        | {one["id"]: timeline(one["id"], number) for number, one in enumerate(campaigns[1:])},
    )


def empty() -> Scene:
    """Build the data of a page before the first event."""
    return Scene(
        snapshots={
            "stats/email-campaigns": {"$type": "CampaignList", "campaigns": []},
            "stats/health": HEALTHY | {"version": 0, "checked_at": None, "last_event_at": None},
        }
    )

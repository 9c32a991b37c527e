"""The scenes of support.scenes with all figures of a campaign, and campaigns with special figures."""

import copy
import hashlib
import math
import random
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from support import scenes
from support.scenes import PREFIX, SPRING
from support.stage import Scene

from chalicelib.insight.curves import AGE_EDGES_SECONDS
from chalicelib.stats.counters import COUNTERS_OF_GENERATION_2, RATES, rates

LIST = "stats/email-campaigns"
SENDERS = ["Green Shop", "Blue Shop", "Garden Weekly"]
TAGS = [["variant=a", "variant=b"], [], ["variant=a", "variant=b", "variant=c"], []]
SUBJECTS = [
    *("Spring offers", "Weekly newsletter", "Last chance", "Black Friday", "Welcome"),
    *("Price change", "What to plant", "Thank you", "Garden tips", "We miss you", "Survey"),
]


def lively() -> Scene:
    """Build the data of a busy page."""
    scene = scenes.lively()
    for entry in scene.snapshots[LIST]["campaigns"]:
        counts = entry["counts"]
        if entry["id"] != SPRING:
            counts["readers"] = counts["unique_human_opens"] + counts["unique_human_clicks"] // 8
    _count(scene, **spring_counts())
    spring = scene.snapshots[PREFIX + SPRING]
    spring["links"] = [
        link("https://shop.example.com/spring", 512, 388, 271, label="Hero"),
        link("https://shop.example.com/spring/garden", 288, 201, 172),
        link("https://shop.example.com/orders/*/track?email=*", 201, 104, 96),
        link("https://shop.example.com/returns", 85, 40, 38),
        link("https://blog.example.com/how-to-plant-tomatoes", 60, 30, 29),
        link("mailto:*", 4, 4, 4),
        link("https://shop.example.com/unsubscribe/*", 40, 14, 14),
    ]
    spring["bounces"] = [
        bounce("Permanent", "NoEmail", 98),
        bounce("Transient", "MailboxFull", 41),
        bounce("Permanent", "General", 45),
        bounce("Transient", "AutoReply", 27),
        bounce("Transient", "CustomTimeoutExceeded", 20),
        bounce("Undetermined", "Undetermined", 4),
        bounce("Permanent", "OnAccountSuppressionList", 39),
        bounce("Permanent", "UnsubscribedRecipient", 2),
    ]
    _add_providers(spring)
    for minute in spring["timeline"]["minute"]:
        minute["readers"] = minute.get("human_opens", 0) * 8 // 10
    by_human = sum(one.get("human_opens", 0) for one in spring["timeline"]["minute"])
    for minute in spring["timeline"]["minute"]:
        share = minute.get("human_opens", 0) / by_human
        minute["unique_human_opens"] = round(share * spring_counts()["unique_human_opens"])
        minute["unique_human_clicks"] = round(share * spring_counts()["unique_human_clicks"])
    scene.usual = usual()
    for one in scene.activity:
        if one["type"] == "Bounce":
            one |= {
                "status": "5.2.2",
                "diagnostic": "smtp; 552 5.2.2 <*>: mailbox full",
                "reporting_mta": "dsn; mx.example.org",
                "domain": "example.org",
                "reported_recipient": one["recipient"].title(),
            }
    return scene


PROVIDERS = {
    "Gmail": (5230, 5171, 41, 22, 17, 3, 1260, 301),
    "Yahoo": (1840, 1822, 35, 9, 8, 1, 402, 84),
    "Microsoft": (1710, 1560, 624, 117, 19, 1, 171, 20),
    "Apple iCloud": (1010, 1004, 6, 3, 2, 0, 160, 39),
    "GMX and WEB.DE": (610, 603, 9, 4, 3, 0, 131, 30),
    "Orange": (340, 336, 3, 2, 1, 0, 70, 14),
    "other": (1781, 1733, 60, 25, 38, 1, 340, 70),
}


def _add_providers(campaign: dict[str, Any]) -> None:
    """Add mailbox providers, one of which delays and refuses, and the replies of their servers."""
    names = (
        *("sends", "deliveries", "delivery_delays", "hard_bounces", "soft_bounces"),
        *("complaints", "unique_human_opens", "unique_human_clicks"),
    )
    campaign["providers"] = [
        {
            "provider": name,
            "version": 1,
            "undetermined_bounces": 0,
            "prevented": 0,
            **dict(zip(names, counts, strict=True)),
        }
        for name, counts in PROVIDERS.items()
    ]
    campaign["devices"] = devices()
    campaign["replies"] = [
        {
            "status": status, "text": text, "version": 1, "count": sum(providers.values()),
            "providers": providers, "cause": cause,
        }
        for status, text, cause, providers in (
            ("4.7.650", "The mail server [*] has been temporarily rate limited due to IP reputation", "rate", {"Microsoft": 624}),
            ("5.7.1", "[S3150] Unfortunately, messages from * weren't sent", "address_blocked", {"Microsoft": 96}),
            ("5.1.1", "The email account that you tried to reach does not exist", "no_mailbox", {"Gmail": 22, "other": 4}),
            ("4.2.2", "Mailbox full", "full", {"Yahoo": 9, "GMX and WEB.DE": 3}),
            ("", "Connection closed", None, {"other": 2}),
        )
    ]  # fmt: skip
    last = campaign["timeline"]["minute"][-1]["at"]
    minute = {"Microsoft": {"delivery_delays": 312, "bounces": 9}, "other": {"delivery_delays": 4, "bounces": 0}}  # fmt: skip
    campaign["undelivered"] = [{"at": last, "version": 1, "providers": minute}]


def devices() -> dict[str, Any]:
    """Build the devices and mail programs of the campaign; the sums are its human counters."""
    classes = [
        ("proxy", "Gmail image proxy", 1204, 0),
        ("phone", "Apple Mail", 402, 0),
        ("desktop", "Outlook", 371, 0),
        ("phone", "Chrome", 188, 214),
        ("proxy", "Yahoo image proxy", 176, 0),
        ("desktop", "Chrome", 141, 121),
        ("unknown", "Apple Mail or Outlook proxy", 96, 0),
        ("phone", "Safari", 41, 187),
        ("desktop", "Edge", 22, 31),
        ("desktop", "Thunderbird", 18, 0),
        ("tablet", "Safari", 14, 22),
        ("phone", "Samsung Internet", 7, 17),
        ("desktop", "Firefox", 3, 6),
    ]
    return {
        "version": 5,
        "classes": [
            {
                "device": device, "client": client, "unique_human_opens": opens,
                "unique_human_clicks": clicks,
            }
            for device, client, opens, clicks in classes
        ],
    }  # fmt: skip


def spring_counts() -> dict[str, int]:
    """Return the counters of the campaign."""
    return scenes.full_counts(**scenes.SPRING_COUNTS) | {
        "sends": 12521,
        "readers": 2790,
        "unique_engaged": 4392,
        "unique_private_opens": 1310,
        "prevented": 41,
        "complaints_not_spam": 1,
    }


def usual() -> dict[str, Any]:
    """Build what is usual for the campaign: 2,064 human opens at its age, as in its pace."""
    ages = [0, *(one for one in AGE_EDGES_SECONDS if one <= 7 * 86_400)]
    share = [_opened_by(one) for one in ages]
    now = _opened_by(95 * 60)

    def counts(low: float, expected: float, high: float) -> dict[str, list[float]]:
        return {
            "low": [round(low * one / now, 1) for one in share],
            "expected": [round(expected * one / now, 1) for one in share],
            "high": [round(high * one / now, 1) for one in share],
        }

    return {
        "campaigns": 12,
        "at": scenes.ago(20),
        "started_at": scenes.ago(95 * 60),
        "ages": ages,
        "human_opens": counts(1790, 2064, 2340),
        "human_clicks": counts(410, 540, 690),
    }


def _opened_by(age: float) -> float:
    """Return a share of emails that are opened by an age, of a campaign sent within half an hour."""
    return (1 - math.exp(-age / 1200)) / (1 + (2700 / max(age, 1)) ** 0.9)


def varied(*, tag: str = "variant", clicks: Sequence[int] = (258, 340)) -> Scene:
    """Build a campaign with variants, each with as many deliveries; by their human clicks."""
    scene = lively()
    of_each = spring_counts()["deliveries"] // len(clicks)
    scene.snapshots[PREFIX + SPRING]["variants"] = [
        variant(tag, chr(ord("a") + number), of_each - 40 * number, clicked)
        for number, clicked in enumerate(clicks)
    ]
    return scene


def variant(
    tag: str, value: str, deliveries: int, clicks: int, *, version: int = 5, rest: bool = False
) -> dict[str, Any]:
    """Build a variant of a snapshot."""
    counts = scenes.full_counts(
        sends=deliveries * 103 // 100,
        deliveries=deliveries,
        unique_human_opens=deliveries * 22 // 100 + clicks // 10,
        readers=deliveries * 23 // 100 + clicks // 10,
        unique_human_clicks=clicks,
    )
    identity = {"tag": tag, "value": value, "version": version, "counts": counts}
    return {**identity, "rates": rates(counts), **({"rest": True} if rest else {})}


def few() -> Scene:
    """Build a campaign with too few emails to judge its reputation."""
    scene = lively()
    counts = scenes.full_counts(
        sends=54, prevented=3, deliveries=48, hard_bounces=3, complaints=1, opens=20,
        unique_opens=18, human_opens=9, unique_human_opens=8, readers=9, unique_engaged=19,
        unique_private_opens=7, clicks=4, unique_clicks=3, human_clicks=3, unique_human_clicks=3,
    )  # fmt: skip
    _count(scene, **counts)
    scene.snapshots[PREFIX + SPRING]["providers"] = []
    scene.snapshots[PREFIX + SPRING]["bounces"] = [
        bounce("Permanent", "NoEmail", 3),
        bounce("Permanent", "OnAccountSuppressionList", 3),
    ]
    return scene


def alarming() -> Scene:
    """Build a campaign whose bounce rate is certainly above 10 %."""
    scene = lively()
    _count(scene, **(spring_counts() | {"hard_bounces": 1900, "deliveries": 10480}))
    return scene


def private() -> Scene:
    """Build a campaign whose opens are mostly those of privacy proxies."""
    scene = lively()
    counts = spring_counts() | {
        "opens": 9900,
        "unique_opens": 8300,
        "unique_engaged": 8350,
        "machine_opens": 6500,
        "unique_private_opens": 5400,
    }
    _count(scene, **counts)
    return scene


def incomplete() -> Scene:
    """Build a campaign of which SES reported few Send events."""
    scene = lively()
    _count(scene, **(spring_counts() | {"sends": 300}))
    scene.snapshots[PREFIX + SPRING]["providers"] = []
    return scene


def of_an_earlier_release() -> Scene:
    """Build a campaign that an earlier release counted."""
    scene = lively()
    unknown = {
        name
        for name, sides in RATES.items()
        if not COUNTERS_OF_GENERATION_2.isdisjoint(sides) or "observable" in sides
    }
    _count(scene, **(spring_counts() | dict.fromkeys(COUNTERS_OF_GENERATION_2, 0)))
    snapshot = scene.snapshots[PREFIX + SPRING]
    snapshot["campaign"]["recount_needed"] = True
    for one in (snapshot, scene.snapshots[LIST]["campaigns"][0]):
        one["counts"] = one["counts"] | dict.fromkeys(COUNTERS_OF_GENERATION_2)
        one["rates"] = one["rates"] | dict.fromkeys(unknown)
    for one in snapshot["links"]:
        one["unique_human_clicks"] = 0
    return scene


def silent() -> Scene:
    """Build a page that has not received any event, although the pipeline was checked."""
    scene = scenes.empty()
    scene.snapshots["stats/health"] |= {"version": 9, "checked_at": scenes.ago(20)}
    return scene


def many(number: int) -> Scene:
    """Build a list of campaigns by three senders, one each 11 hours; half of them have variants."""
    scene = lively()
    entries = scene.snapshots[LIST]["campaigns"]
    for entry in entries:
        entry["sender"] = "Green Shop"
        entry["tags"] = []
    rng = random.Random(1)
    for index in range(number - len(entries)):
        subject = f"{rng.choice(SUBJECTS)} {index}"
        hours = 6 + 11 * index
        sends = int(10 ** rng.uniform(1.5, 4.7))
        deliveries = int(sends * rng.uniform(0.94, 0.999))
        readers = int(deliveries * rng.uniform(0.1, 0.5))
        entry = scenes.entry(
            f"{subject.casefold().replace(' ', '-')}",
            f"{subject}: everything you need to know",
            hours * scenes.HOUR,
            max(7, hours * 0.6) * scenes.HOUR,
            sends=sends,
            deliveries=deliveries,
            readers=readers,
            unique_human_opens=int(readers * 0.95),
            unique_human_clicks=int(readers * rng.uniform(0.02, 0.3)),
            hard_bounces=int(sends * rng.choice([0, 0.001, 0.004, 0.01, 0.06])),
            complaints=int(sends * rng.choice([0, 0, 0.0002, 0.0015])),
            unsubscribes=int(deliveries * rng.uniform(0, 0.006)),
        )
        if deliveries >= 200:
            entry["pace"] = scenes.opened_of_usual(
                readers, 10 ** random.Random(index).gauss(0, 0.3)
            )
        tags = TAGS[index % len(TAGS)]
        entries.append(entry | {"sender": SENDERS[index % len(SENDERS)], "tags": tags})
        scene.timelines[entry["id"]] = scenes.timeline(entry["id"], index)
        scene.hours[entry["id"]] = opened_hours(entry, rng)
    return scene


def opened_hours(entry: dict[str, Any], rng: random.Random) -> dict[str, Any]:
    """Build the human opens of a campaign by hour, more of them in the morning and the evening."""
    began = datetime.fromisoformat(entry["first_event_at"]).replace(minute=0, second=0)
    left = entry["counts"]["unique_human_opens"]
    buckets = []
    for hour in range(72):
        at = began + timedelta(hours=hour)
        by_day = 1.6 if at.hour in (8, 9, 19) else 0.15 if at.hour < 6 else 0.8
        opens = int(left * min(0.9, by_day * rng.uniform(0.05, 0.2)))
        left -= opens
        if opens:
            buckets.append({"at": f"{at:%Y-%m-%dT%H:%M:%SZ}", "human_opens": opens})
    return {
        "$type": "CampaignTimeline", "id": entry["id"], "resolution": "hour", "buckets": buckets,
    }  # fmt: skip


def link(
    url: str, clicks: int, human: int, unique: int, label: str | None = None
) -> dict[str, Any]:
    """Build a link of a snapshot."""
    return {
        "id": hashlib.sha256(url.encode()).hexdigest()[:16], "url": url, "label": label,
        "kind": "unsubscribe" if "unsubscribe" in url else url.partition(":")[0].replace("https", "link"),
        "version": 3, "clicks": clicks, "unique_clicks": clicks * 6 // 10, "human_clicks": human,
        "unique_human_clicks": unique, "machine_clicks": clicks - human,
    }  # fmt: skip


def bounce(kind: str, subtype: str, count: int) -> dict[str, Any]:
    """Build a kind of bounce of a snapshot."""
    return {"type": kind, "subtype": subtype, "version": 3, "count": count}


def several() -> Scene:
    """Build three campaigns that run at the same time: above, below and within what is usual."""
    scene = lively()
    scene.snapshots[PREFIX + SPRING]["providers"] = []  # one of them would be a problem
    for hours, name, actual in ((3, "autumn-newsletter", 1240), (4, "welcome-series", 2100)):
        snapshot = copy.deepcopy(scene.snapshots[PREFIX + SPRING])
        started = scenes.ago(hours * scenes.HOUR)
        snapshot["campaign"] |= {"id": name, "title": name, "first_event_at": started}
        snapshot["pace"]["human_opens"]["actual"] = actual
        scene.snapshots[PREFIX + name] = snapshot
        scene.snapshots[LIST]["campaigns"].append(listed(snapshot))
    return scene


def listed(snapshot: dict[str, Any]) -> dict[str, Any]:
    """Return the entry of the list for a campaign's snapshot."""
    numbers = {name: snapshot[name] for name in ("version", "counts", "rates")}
    return {**snapshot["campaign"], **numbers}


def _count(scene: Scene, **counts: int) -> None:
    """Set the campaign's counters, and compute the rates of all campaigns."""
    entries = scene.snapshots[LIST]["campaigns"]
    for entry in (scene.snapshots[PREFIX + SPRING], entries[0]):
        entry["counts"] = dict(counts)
    for entry in (scene.snapshots[PREFIX + SPRING], *entries):
        entry["rates"] = rates(entry["counts"])

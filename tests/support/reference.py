"""The oracle: compute a campaign's counters from the plain SES events alone.

Sets and sums over the list of events, written independently of the tested code.
"""

from collections import Counter, defaultdict
from datetime import datetime, timedelta
from urllib.parse import urlsplit

from support import ses

BOUNCES = {"Permanent": "hard_bounces", "Transient": "soft_bounces"}
OF_THE_MAIL = {"Send": "sends", "Reject": "rejects", "Rendering Failure": "rendering_failures"}
TO_EACH = {
    "Delivery": ("delivery", "recipients", "deliveries"),
    "DeliveryDelay": ("deliveryDelay", "delayedRecipients", "delivery_delays"),
    "Bounce": ("bounce", "bouncedRecipients", None),
    "Complaint": ("complaint", "complainedRecipients", "complaints"),
}
WHOSE = {
    ses.BROWSER: "human",
    ses.GMAIL_PROXY: "human",
    ses.APPLE_MAIL_PRIVACY: "machine",
    ses.GMAIL_PREFETCH: "machine",
    None: "unknown",
}


def counts(events):
    """Return the counters of each campaign: campaign → counter → number; zeros are omitted."""
    return {campaign: parts.get("summary", {}) for campaign, parts in stats(events).items()}


def stats(events):
    """Return the counters of every part: campaign → part → counter → number.

    Parts are `summary`, `minute#…`, `hour#…`, `day#…` `link#<URL without query>` and
    `bounce#<type>#<subtype>`.
    """
    result = defaultdict(lambda: defaultdict(Counter))
    engagements = defaultdict(list)
    for campaign, happening in {one for event in events for one in _happenings(event)}:
        message, at, counter, amount, link, agent, is_bot, mail_at, bounce, _ = happening
        _everywhere(result[campaign], at, counter, amount)
        if bounce is not None:
            result[campaign][f"bounce#{bounce}"][counter] += amount
        if counter in ("opens", "clicks"):
            engagements[campaign, message].append((at, counter, link, agent, is_bot, mail_at))
    for (campaign, _), found in engagements.items():
        _engaged(result[campaign], sorted(found, key=lambda one: one[0]))
    return {
        campaign: {part: dict(+counter) for part, counter in parts.items() if +counter}
        for campaign, parts in result.items()
    }


def _engaged(parts, found):
    """Count a message's opens and clicks, by bot and human, in total and unique."""
    firsts = {}
    bursts = _bursts([(_time(at), link) for at, counter, link, *_ in found if counter == "clicks"])
    for at, counter, link, agent, is_bot, mail_at in found:
        whose = _whose(_time(at), counter, agent, is_bot, _time(mail_at), bursts)
        if whose != "unknown":
            _everywhere(parts, at, f"{whose}_{counter}", 1)
        if link is not None:
            parts[f"link#{link}"]["clicks"] += 1
            parts[f"link#{link}"][f"{whose}_clicks"] += whose != "unknown"
            firsts.setdefault(link, (None, at))
        firsts.setdefault(f"unique_{counter}", (counter, at))
        if whose == "human":
            firsts.setdefault(f"unique_human_{counter}", (counter, at))
    for name, (counter, at) in firsts.items():
        if counter is None:
            parts[f"link#{name}"]["unique_clicks"] += 1
        else:
            _everywhere(parts, at, name, 1)


def _bursts(clicks):
    """Return the bursts: three or more distinct links clicked within ten seconds."""
    spans = []
    for start, _ in clicks:
        window = [(at, link) for at, link in clicks if start <= at <= start + timedelta(seconds=10)]
        if len({link for _, link in window}) >= 3:
            spans.append((start, max(at for at, _ in window)))
    return spans


def _whose(at, counter, agent, is_bot, mail_at, bursts):
    beside = timedelta(seconds=10 if counter == "opens" else 0)
    if any(start - beside <= at <= end + beside for start, end in bursts):
        return "machine"
    if is_bot == "Likely":
        return "machine"
    by_itself = _by_itself(at, counter, agent, mail_at)
    return "human" if (is_bot, by_itself) == ("Unlikely", "machine") else by_itself


def _by_itself(at, counter, agent, mail_at):
    if agent is not None and timedelta(0) <= at - mail_at <= timedelta(seconds=3):
        return "machine"
    if agent == ses.APPLE_MAIL_PRIVACY and counter == "clicks":
        return "unknown"  # no browser has so short a user agent
    return WHOSE[agent]


def _everywhere(parts, at, counter, amount):
    for part in ("summary", f"minute#{at[:16]}", f"hour#{at[:13]}", f"day#{at[:10]}"):
        parts[part][counter] += amount


def _time(at):
    return datetime.fromisoformat(at)


def campaign_of(event):
    tags = event["mail"].get("tags", {})
    return (tags.get("campaign") or tags.get("ses:configuration-set") or ["untagged"])[0]


def _happenings(event):
    """Return the facts of an event, each with everything that distinguishes it from others."""
    kind, mail = event["eventType"], event["mail"]

    def one(counter, at, amount=1, link=None, own=None, *, bounce=None, identity=None):
        own = own or {}
        return campaign_of(event), (
            mail["messageId"], at, counter, amount, link,
            own.get("userAgent"), own.get("isBotEvent"), mail["timestamp"], bounce, identity,
        )  # fmt: skip

    if kind in OF_THE_MAIL:
        return [one(OF_THE_MAIL[kind], mail["timestamp"], len(set(mail["destination"])))]
    if kind in TO_EACH:
        key, recipients, counter = TO_EACH[kind]
        own = event[key]
        bounce = None if counter else f"{own['bounceType']}#{own['bounceSubType']}"
        counter = counter or BOUNCES.get(own["bounceType"], "undetermined_bounces")
        return [
            one(
                counter,
                own["timestamp"],
                bounce=bounce,
                identity=(
                    to if isinstance(to, str) else to["emailAddress"],
                    own.get("feedbackId"),
                ),
            )
            for to in own[recipients]
        ]
    if kind == "Open":
        return [one("opens", event["open"]["timestamp"], own=event["open"])]
    if kind == "Click":
        own = event["click"]
        url = urlsplit(own["link"])
        link = f"{url.scheme}://{url.netloc}{url.path}"
        return [one("clicks", own["timestamp"], link=link, own=own, identity=own["link"])]
    if kind == "Subscription":
        own = event["subscription"]
        new = own["newTopicPreferences"]
        out = new.get("unsubscribeAll") or any(
            topic["subscriptionStatus"] == "OptOut"
            for topic in new.get("topicSubscriptionStatus", [])
        )
        return [one("unsubscribes", own["timestamp"])] if out else []
    return []

"""The oracle: compute a campaign's counters from the plain SES events alone.

Sets and sums over the list of events, written independently of the tested code.
"""

from collections import Counter, defaultdict
from datetime import datetime, timedelta
from urllib.parse import urlsplit

from support import ses

BOUNCES = {"Permanent": "hard_bounces", "Transient": "soft_bounces"}
NEVER_SENT = {
    *("OnAccountSuppressionList", "OnTenantSuppressionList"),
    *("EmailValidationSuppressed", "UnsubscribedRecipient"),
}
REPORTS = {
    *("hard_bounces", "prevented"),
    *("complaints", "complaints_not_spam", "complaints_prevented"),
}
OF_THE_MAIL = {"Send": "sends", "Reject": "rejects", "Rendering Failure": "rendering_failures"}
TO_EACH = {
    "Delivery": ("delivery", "recipients", "deliveries"),
    "DeliveryDelay": ("deliveryDelay", "delayedRecipients", "delivery_delays"),
    "Bounce": ("bounce", "bouncedRecipients", None),
    "Complaint": ("complaint", "complainedRecipients", None),
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

    Parts are `summary`, `minute#…`, `hour#…`, `day#…`, `link#<URL>` or `link#label <label>`, and
    `bounce#<type>#<subtype>`.
    """
    result = defaultdict(lambda: defaultdict(Counter))
    engagements = defaultdict(list)
    firsts = {}
    for campaign, happening in {one for event in events for one in _happenings(event)}:
        message, at, counter, amount, link, agent, is_bot, mail_at, bounce, identity = happening
        if counter in REPORTS:
            result[campaign][f"hour#{at[:13]}"]["reports"] += amount
        if counter in ("hard_bounces", "prevented"):
            # Once for each recipient of a message, however many reports name it.
            _keep_first(firsts, (campaign, message, "bounce", identity[0]), (at, counter, bounce))
            continue
        if counter.startswith("complaints"):
            _keep_first(firsts, (campaign, message, counter), (at, counter, None))
            continue
        _everywhere(result[campaign], at, counter, amount)
        if bounce is not None:
            result[campaign][f"bounce#{bounce}"][counter] += amount
        if counter in ("opens", "clicks"):
            url = identity if counter == "clicks" else None
            engagements[campaign, message].append((at, counter, link, agent, is_bot, mail_at, url))
    for (campaign, *_), (at, counter, bounce) in firsts.items():
        _everywhere(result[campaign], at, counter, 1)
        if bounce is not None:
            result[campaign][f"bounce#{bounce}"][counter] += 1
    for (campaign, _), found in engagements.items():
        _engaged(result[campaign], sorted(found, key=lambda one: one[0]))
    return {
        campaign: {part: dict(+counter) for part, counter in parts.items() if +counter}
        for campaign, parts in result.items()
    }


def _keep_first(firsts, key, found):
    firsts[key] = min(found, firsts.get(key, found))


def _engaged(parts, found):
    """Count a message's opens and clicks, by bot and human, in total and unique."""
    firsts = {}
    bursts = _bursts([(_time(one[0]), one[6]) for one in found if one[1] == "clicks"])
    human_links, human, private = set(), False, None
    for at, counter, link, agent, is_bot, mail_at, _ in found:
        whose = _whose(_time(at), counter, agent, is_bot, _time(mail_at), bursts)
        if whose != "unknown":
            _everywhere(parts, at, f"{whose}_{counter}", 1)
        if link is not None:
            parts[f"link#{link}"]["clicks"] += 1
            parts[f"link#{link}"][f"{whose}_clicks"] += whose != "unknown"
            firsts.setdefault(("link", link), at)
        firsts.setdefault(f"unique_{counter}", at)
        firsts.setdefault("unique_engaged", at)
        if whose == "human":
            human = True
            firsts.setdefault("readers", at)
            if link is None or "unsubscribe" not in link:
                firsts.setdefault(f"unique_human_{counter}", at)
            if link is not None:
                human_links.add(link)
        if counter == "opens" and agent == ses.APPLE_MAIL_PRIVACY and private is None:
            private = at
    if private is not None and not human:
        firsts["unique_private_opens"] = private
    for name, at in firsts.items():
        if isinstance(name, tuple):
            parts[f"link#{name[1]}"]["unique_clicks"] += 1
        else:
            _everywhere(parts, at, name, 1)
    for link in human_links:
        parts[f"link#{link}"]["unique_human_clicks"] += 1


def _bursts(clicks):
    """Return the bursts: three or more distinct URLs clicked within ten seconds."""
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
        bounce = None
        if kind == "Bounce":
            counter, bounce = _bounce(own)
        if kind == "Complaint":
            counter = _complaint(own)
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
        return [one("clicks", own["timestamp"], link=_shown(own), own=own, identity=own["link"])]
    if kind == "Subscription":
        own = event["subscription"]
        left = _left(own["newTopicPreferences"]) - _left(own.get("oldTopicPreferences", {}))
        was_out = own.get("oldTopicPreferences", {}).get("unsubscribeAll")
        return [one("unsubscribes", own["timestamp"])] if left and not was_out else []
    return []


def _bounce(own):
    """Return the counter and the kind of a bounce."""
    counter = BOUNCES.get(own["bounceType"], "undetermined_bounces")
    kind = f"{own['bounceType']}#{own['bounceSubType']}"
    said = {name for to in own["bouncedRecipients"] for name in to}
    if own["bounceSubType"] in NEVER_SENT:
        counter = "prevented"
    elif kind == "Transient#General" and not said & {"status", "diagnosticCode"}:
        kind = "Transient#AutoReply"
    return counter, kind


def _complaint(own):
    """Return the counter of a complaint."""
    if own["complaintSubType"] in NEVER_SENT:
        return "complaints_prevented"
    return "complaints_not_spam" if own["complaintFeedbackType"] == "not-spam" else "complaints"


def _left(preferences):
    """Return what preferences opt out of."""
    if preferences.get("unsubscribeAll"):
        return {"everything"}
    topics = preferences.get("topicSubscriptionStatus", [])
    return {one["topicName"] for one in topics if one["subscriptionStatus"] == "OptOut"}


def _shown(click):
    """Return the link's label, else its URL as generate.py writes it, without personal parts."""
    label = (click.get("linkTags") or {}).get("link")
    if label:
        return f"label {label[0]}"
    url = urlsplit(click["link"])
    query = [one for one in url.query.split("&") if one and not one.startswith("utm_")]
    path = "/unsubscribe/*" if url.path.startswith("/unsubscribe/") else url.path
    return f"{url.scheme}://{url.netloc}{path}{'?' if query else ''}{'&'.join(query)}"

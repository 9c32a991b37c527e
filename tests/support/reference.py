"""The oracle: compute a campaign's counters from the plain SES events alone.

Sets and sums over the list of events, written independently of the tested code.
"""

import hmac
from collections import Counter, defaultdict
from datetime import datetime
from typing import NamedTuple
from urllib.parse import urlsplit

from support import ses
from support.generate import REPLIES

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
# By itself: whose an agent's open is, and whose its click.
WHOSE = {
    ses.BROWSER: ("human", "human"),
    ses.TELEPHONE: ("human", "human"),
    ses.OUTDATED_BROWSER: ("human", "human"),
    ses.OUTLOOK: ("human", "human"),
    ses.GMAIL_PROXY: ("human", "human"),
    ses.APPLE_MAIL_PRIVACY: ("machine", "unknown"),
    ses.GMAIL_PREFETCH: ("machine", "machine"),
    ses.CRAWLER: ("machine", "machine"),
    None: ("unknown", "unknown"),
}
# The upper edges of ages: minutes, hours and days.
AGES = [
    *(60 * one for one in (1, 2, 3, 4, 5, 6, 8, 10, 12, 15, 20, 25, 30, 40, 50)),
    *(3600 * one for one in (1, 1.5, 2, 2.5, 3, 4, 5, 6, 8, 10, 12, 16, 20)),
    *(86400 * one for one in (1, 1.5, 2, 3, 4, 5, 7, 10, 14, 21, 30)),
]
BOTS = ("privacy_proxy", "prefetch", "security_scanner", "declared_bot")
PROVIDERS = {"gmail.com": "Gmail", "gmx.de": "GMX and WEB.DE"}
OF_PROVIDERS = {
    *("sends", "deliveries", "delivery_delays", "hard_bounces", "soft_bounces", "complaints"),
    *("undetermined_bounces", "prevented", "unique_human_opens", "unique_human_clicks"),
}
CLASSES = {str(reply).lower(): name for reply, name in REPLIES}
DEVICES = {
    ses.BROWSER: "dch",
    ses.TELEPHONE: "psa",
    ses.OUTDATED_BROWSER: "dch",
    ses.OUTLOOK: "dol",
    ses.GMAIL_PROXY: "xgp",
}
BROWSERS = {ses.BROWSER, ses.TELEPHONE, ses.OUTDATED_BROWSER}
FETCHED_WHEN_READ = {ses.OUTLOOK, ses.GMAIL_PROXY}


def counts(events):
    """Return the counters of each campaign: campaign → counter → number; zeros are omitted.

    Without those of kinds of bots and of SES's labels, which snapshots show elsewhere.
    """
    return {
        campaign: {
            name: number
            for name, number in parts.get("summary", {}).items()
            if not name.startswith(("label_", *BOTS))
        }
        for campaign, parts in stats(events).items()
    }


def stats(events):
    """Return the counters of every part: campaign → part → counter → number.

    Parts are `summary`, `ages`, `minute#…`, `hour#…`, `day#…`, `link#<URL>` or `link#label <label>`,
    `bounce#<type>#<subtype>`, `variant#variant=<value>`, `provider#<name>`, `reply#<class>` and
    `undelivered#…`.
    """
    result = defaultdict(lambda: defaultdict(Counter))
    variants = {one["mail"]["messageId"]: _variant(one) for one in events}
    engagements = defaultdict(list)
    firsts = {}
    for campaign, happening in {one for event in events for one in _happenings(event)}:
        *event, at_providers, reply = happening
        message, at, counter, amount, link, agent, is_bot, mail_at, bounce, identity, alone = event
        whose = Whose(variants[message], at_providers)
        if reply is not None:
            for provider, _ in at_providers:
                result[campaign][f"reply#{reply}"][f"replies@{provider}"] += 1
        if counter in REPORTS:
            result[campaign][f"hour#{at[:13]}"]["reports"] += amount
        if counter in ("hard_bounces", "prevented"):
            # Once for each recipient of a message, however many reports name it.
            first = (at, counter, bounce, whose)
            _keep_first(firsts, (campaign, message, "bounce", identity[0]), first)
            continue
        if counter.startswith("complaints"):
            first = (f"{at}#{_pseudonym(identity[0])}", counter, None, whose)
            _keep_first(firsts, (campaign, message, counter), first)
            continue
        _everywhere(result[campaign], at, counter, amount, whose)
        if bounce is not None:
            result[campaign][f"bounce#{bounce}"][counter] += amount
        if counter in ("opens", "clicks"):
            url = identity if counter == "clicks" else None
            engagements[campaign, message].append(
                Engaged(at, counter, link, agent, is_bot, mail_at, url, alone, whose)
            )
    for (campaign, *_), (at, counter, bounce, whose) in firsts.items():
        _everywhere(result[campaign], at, counter, 1, whose)
        if bounce is not None:
            result[campaign][f"bounce#{bounce}"][counter] += 1
    for (campaign, _), found in engagements.items():
        found.sort(key=lambda one: one.at)
        _engaged(result[campaign], found)
    return {
        campaign: {part: dict(+counter) for part, counter in parts.items() if +counter}
        for campaign, parts in result.items()
    }


class Whose(NamedTuple):
    """Where an event counts besides its campaign: its variant, and the number at each provider."""

    variant: str | None
    providers: tuple[tuple[str, int], ...]


def _provider(address):
    return PROVIDERS.get(address.rpartition("@")[2], "other")


def _pseudonym(address):
    """Return what sorts the reports of one moment."""
    return hmac.digest(b"key", address.encode(), "sha256").hex()[:16]


def _keep_first(firsts, key, found):
    firsts[key] = min(found, firsts.get(key, found))


def _variant(event):
    return event["mail"]["tags"].get("variant", [None])[0]


def _engaged(parts, found):
    """Count a message's opens and clicks, by bot and human, in total and unique."""
    firsts = {}
    human_links, human, private = set(), False, None
    for one in found:
        at, counter, link, agent = one.at, one.counter, one.link, one.agent
        whose = _whose(one, found)
        if whose != "unknown":
            _everywhere(parts, at, f"{whose}_{counter}", 1, one.counted_at)
        parts["summary"].update(_of_bots(one, whose))
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
            _everywhere(parts, at, name, 1, found[0].counted_at)
    for link in human_links:
        parts[f"link#{link}"]["unique_human_clicks"] += 1
    _by_age(parts, firsts, found)
    _by_device(parts, found)


def _by_age(parts, firsts, found):
    """Count a message in the buckets of its age at its first human open and click."""
    for name in {"unique_human_opens", "unique_human_clicks"} & firsts.keys():
        sent_at = min(one.mail_at for one in found)
        age = (_time(firsts[name]) - _time(sent_at)).total_seconds()
        parts["ages"][f"{name}_by_age_{sum(edge <= age for edge in AGES)}"] += 1


def _by_device(parts, found):
    """Count a message at the device of its first human open and click."""
    for counter in ("opens", "clicks"):
        agents = [
            one.agent
            for one in found
            if one.counter == counter
            and _whose(one, found) == "human"
            and "unsubscribe" not in (one.link or "")
        ]
        if agents:
            parts["ages"][f"unique_human_{counter}@{DEVICES[agents[0]]}"] += 1


class Engaged(NamedTuple):
    """An open or click; `url` is complete, `link` is without personal parts."""

    at: str
    counter: str
    link: str | None
    agent: str | None
    is_bot: str | None
    mail_at: str
    url: str | None
    alone: bool
    counted_at: Whose

    def after(self, other):
        """Return the seconds from another open or click to this one."""
        return (_time(self.at) - _time(other.at)).total_seconds()

    @property
    def age(self):
        """The seconds since the email was sent."""
        return (_time(self.at) - _time(self.mail_at)).total_seconds()


def _whose(one, found):
    """Return whose an open or click of an email is, from all of them."""
    return _click(one, found)[0] if one.counter == "clicks" else _open(one, found)


def _of_bots(one, whose):
    """Return the counters of kinds of bots and of SES's label."""
    kind = _kind_of_bot(one, whose)
    return [f"label_{_agreement(one, whose)}"] + ([f"{kind}_{one.counter}"] if kind else [])


def _kind_of_bot(one, whose):
    if whose != "machine":
        return None
    if one.agent == ses.APPLE_MAIL_PRIVACY and one.counter == "opens":
        return "privacy_proxy"
    if one.agent == ses.CRAWLER:
        return "declared_bot"
    if _without_label(one) == "machine":
        return "prefetch"
    return None if one.is_bot == "Likely" else "security_scanner"


def _agreement(one, whose):
    if one.is_bot == "Likely":
        return "agrees"
    if one.is_bot == "Unlikely":
        return "agrees" if whose == "human" else "differs"
    return "absent"


def _by_itself(one):
    return "machine" if one.is_bot == "Likely" else _without_label(one)


def _without_label(one):
    """Return whose an open or click is by its agent and its time."""
    if one.agent is not None and 0 <= one.age <= 3:
        return "machine"
    return WHOSE[one.agent][one.counter == "clicks"]


def _open(one, found):
    by_itself = _by_itself(one)
    if one.agent in FETCHED_WHEN_READ:
        return by_itself
    for other in found:
        if other.counter == "clicks" and _click(other, found) == ("machine", "first"):
            same_agent = one.agent == other.agent and abs(one.after(other)) <= 600
            beside = one.agent in BROWSERS and -300 <= one.after(other) <= 60
            if same_agent or beside:
                return "machine"
    return by_itself


def _is_read(click, found):
    """Return whether something shows that a person was reading before a click."""
    return any(
        one.counter == "opens"
        and one.agent in FETCHED_WHEN_READ
        and _by_itself(one) == "human"
        and one.at < click.at
        for one in found
    )


def _click(one, found):
    """Return whose a click is, and whether a bot follows the link because of another's click."""
    whose = _without_companions(one, found)
    if whose == "machine" or not one.alone:
        return whose, "first"
    gaps = [
        one.after(other)
        for other in found
        if other.url == one.url
        and other.counter == "clicks"
        and other.agent != one.agent
        and _without_companions(other, found) != "machine"
    ]
    if any(-3 <= gap < 0 or 3 < gap <= 30 for gap in gaps):
        return "machine", "companion"
    return whose, "first"


def _without_companions(one, found):
    others = [other for other in found if other.counter == "clicks"]
    comparable = [other for other in others if one.alone or other.agent == one.agent]
    if any(other.url != one.url and abs(one.after(other)) <= 0.7 for other in comparable):
        return "machine"
    if 0 <= one.age <= 12:
        return "machine"
    if not _is_read(one, found):
        swept = {
            other.url
            for other in comparable
            if 0 <= other.age <= 600 and not _is_read(other, found)
        }
        sweep = 0 <= one.age <= 600 and len(swept) >= 3
        rendered = any(
            other.agent == one.agent and 0 <= one.after(other) <= 600 and _at_open(other, found)
            for other in others
        )
        if sweep or rendered or 0 <= one.age <= 60 or one.agent == ses.OUTDATED_BROWSER:
            return "machine"
    return _by_itself(one)


def _at_open(click, found):
    """Return whether a click follows an open by the same browser at once."""
    return click.agent in BROWSERS and any(
        one.counter == "opens" and one.agent == click.agent and 0 <= click.after(one) <= 3
        for one in found
    )


def _everywhere(parts, at, counter, amount, whose):
    for part in ("summary", f"minute#{at[:16]}", f"hour#{at[:13]}", f"day#{at[:10]}"):
        parts[part][counter] += amount
    if whose.variant is not None:
        parts[f"variant#variant={whose.variant}"][counter] += amount
    for provider, number in whose.providers:
        if counter in OF_PROVIDERS:
            parts[f"provider#{provider}"][counter] += number
        if counter == "delivery_delays":
            parts[f"undelivered#{at[:16]}"][f"delivery_delays@{provider}"] += number
        elif counter in ("hard_bounces", "soft_bounces", "undetermined_bounces"):
            parts[f"undelivered#{at[:16]}"][f"bounces@{provider}"] += number


def _time(at):
    return datetime.fromisoformat(at)


def campaign_of(event):
    tags = event["mail"].get("tags", {})
    return (tags.get("campaign") or tags.get("ses:configuration-set") or ["untagged"])[0]


def _happenings(event):
    """Return the facts of an event, each with everything that distinguishes it from others."""
    kind, mail = event["eventType"], event["mail"]

    def one(counter, at, amount=1, link=None, own=None, *, bounce=None, identity=None, reply=None):
        own = own or {}
        to = set(mail["destination"]) if isinstance(identity, str | None) else [identity[0]]
        numbers = Counter(map(_provider, to))
        if counter not in (*OF_THE_MAIL.values(), None) and len(numbers) > 1:
            numbers = {"other": amount}
        return campaign_of(event), (
            mail["messageId"], at, counter, amount, link,
            own.get("userAgent"), own.get("isBotEvent"), mail["timestamp"], bounce, identity,
            len(mail["destination"]) == 1, tuple(sorted(numbers.items())), reply,
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
                reply=None if isinstance(to, str) else _class_of(to),
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


def _class_of(recipient):
    """Return the class of the reply that generate.py has chosen for a recipient."""
    said = {name: one for name, one in recipient.items() if name != "emailAddress"}
    # Tests may spell the addresses of a reply differently.
    return CLASSES.get(str(said).lower(), f"{said.get('status')} ")


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

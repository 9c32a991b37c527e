"""The oracle: what a campaign's counts are, from the bare SES events alone.

Sets and sums over the list of events, written without a look at the code that is tested.
Machine or human is given by the test, which knows what it made.
"""

from collections import Counter, defaultdict

BOUNCES = {"Permanent": "hard_bounces", "Transient": "soft_bounces"}
OF_THE_MAIL = {"Send": "sends", "Reject": "rejects", "Rendering Failure": "rendering_failures"}


def campaign_of(event):
    tags = event["mail"].get("tags", {})
    return (tags.get("campaign") or tags.get("ses:configuration-set") or ["untagged"])[0]


def counts(events, engager=lambda event: "human"):
    """Count distinct happenings: campaign → counter → number; counters that are 0 are missing."""
    happenings = {}
    for event in events:
        for identity, counter, amount in _happenings(event):
            happenings[campaign_of(event), identity] = (counter, amount, event)
    result = defaultdict(Counter)
    messages = defaultdict(set)
    for (campaign, _), (counter, amount, event) in happenings.items():
        result[campaign][counter] += amount
        if counter in ("opens", "clicks"):
            whose = engager(event)
            message = event["mail"]["messageId"]
            messages[campaign, f"unique_{counter}"].add(message)
            if whose in ("human", "machine"):
                result[campaign][f"{whose}_{counter}"] += 1
            if whose == "human":
                messages[campaign, f"unique_human_{counter}"].add(message)
    for (campaign, counter), distinct in messages.items():
        result[campaign][counter] = len(distinct)
    return {campaign: dict(+counters) for campaign, counters in result.items()}


def _happenings(event):
    kind, mail = event["eventType"], event["mail"]
    message = mail["messageId"]
    if kind in OF_THE_MAIL:
        return [
            ((kind, message, mail["timestamp"]), OF_THE_MAIL[kind], len(set(mail["destination"])))
        ]
    if kind == "Delivery":
        own = event["delivery"]
        return [
            ((kind, message, own["timestamp"], to), "deliveries", 1) for to in own["recipients"]
        ]
    if kind == "DeliveryDelay":
        own = event["deliveryDelay"]
        return [
            ((kind, message, own["timestamp"], to["emailAddress"]), "delivery_delays", 1)
            for to in own["delayedRecipients"]
        ]
    if kind == "Bounce":
        own = event["bounce"]
        counter = BOUNCES.get(own["bounceType"], "undetermined_bounces")
        return [
            (
                (kind, message, own["timestamp"], to["emailAddress"], own.get("feedbackId")),
                counter,
                1,
            )
            for to in own["bouncedRecipients"]
        ]
    if kind == "Complaint":
        own = event["complaint"]
        return [
            (
                (kind, message, own["timestamp"], to["emailAddress"], own.get("feedbackId")),
                "complaints",
                1,
            )
            for to in own["complainedRecipients"]
        ]
    if kind == "Open":
        return [((kind, message, event["open"]["timestamp"]), "opens", 1)]
    if kind == "Click":
        own = event["click"]
        return [((kind, message, own["timestamp"], own["link"]), "clicks", 1)]
    if kind == "Subscription":
        own = event["subscription"]
        new = own["newTopicPreferences"]
        out = new.get("unsubscribeAll") or any(
            topic["subscriptionStatus"] == "OptOut"
            for topic in new.get("topicSubscriptionStatus", [])
        )
        return [((kind, message, own["timestamp"]), "unsubscribes", 1)] if out else []
    return []

"""Build the type-specific objects of SES events, without their timestamps."""

from datetime import timedelta
from random import Random
from typing import Any

from dashboard.simulation import audience
from dashboard.simulation.payloads import Mail, identifier, timestamp

Own = dict[str, Any]

_SUPPRESSED = (
    "Amazon SES did not send the message to this address because it is on the suppression list "
    "for your account."
)
# Subtype, status and diagnostic code.
_BOUNCES = {
    "Permanent": (
        ("General", "5.1.1", "smtp; 550 5.1.1 user unknown"),
        ("General", "5.1.10", "smtp; 550 5.1.10 recipient not found by address lookup"),
        ("NoEmail", "5.1.1", "smtp; 550 5.1.1 no such mailbox"),
        ("OnAccountSuppressionList", "5.1.1", _SUPPRESSED),
    ),
    "Transient": (
        ("MailboxFull", "5.2.2", "smtp; 552 5.2.2 mailbox full"),
        ("General", "4.4.7", "smtp; 554 4.4.7 message expired"),
        ("MessageTooLarge", "5.3.4", "smtp; 552 5.3.4 message too big for system"),
        ("ContentRejected", "5.7.1", "smtp; 550 5.7.1 message rejected as spam"),
    ),
    "Undetermined": (("Undetermined", "5.0.0", "smtp; 554 transaction failed"),),
}
_DELAYS = (
    ("TransientCommunicationFailure", "4.4.1", "smtp; 421 4.4.1 unable to connect"),
    ("MailboxFull", "4.2.2", "smtp; 452 4.2.2 mailbox full"),
    ("RecipientServerError", "4.3.0", "smtp; 451 4.3.0 try again later"),
    ("SpamDetected", "4.7.0", "smtp; 421 4.7.0 unusual rate of mail"),
)
_GIVES_UP_AFTER = timedelta(hours=14)


def delivery(mail: Mail, rng: Random, seconds: float) -> Own:
    """Return the object of a delivery that took this many seconds."""
    return {
        "processingTimeMillis": round(seconds * 1000),
        "recipients": [mail.recipient],
        "smtpResponse": "250 2.0.0 OK",
        "remoteMtaIp": audience.server_address(rng),
        "reportingMTA": mail.mta,
    }


def delay(mail: Mail, rng: Random) -> Own:
    """Return the object of a delay at the recipient's server."""
    delay_type, status, diagnostic = rng.choice(_DELAYS)
    return {
        "delayType": delay_type,
        "expirationTime": timestamp(mail.at + _GIVES_UP_AFTER),
        "delayedRecipients": [
            {"emailAddress": mail.recipient, "status": status, "diagnosticCode": diagnostic}
        ],
    }


def bounce(mail: Mail, rng: Random, bounce_type: str) -> Own:
    """Return the object of a bounce, with a diagnostic code of the recipient's server."""
    sub_type, status, diagnostic = rng.choice(_BOUNCES[bounce_type])
    return {
        "feedbackId": identifier(mail.at, rng),
        "bounceType": bounce_type,
        "bounceSubType": sub_type,
        "bouncedRecipients": [
            {
                "emailAddress": mail.recipient,
                "action": "failed",
                "status": status,
                "diagnosticCode": diagnostic,
            }
        ],
        "remoteMtaIp": audience.server_address(rng),
        "reportingMTA": f"dns; {mail.mta}",
    }


def out_of_office(mail: Mail, rng: Random) -> Own:
    """Return the object of an out-of-office reply, which SES reports as a bounce after delivery."""
    return {
        "feedbackId": identifier(mail.at, rng),
        "bounceType": "Transient",
        "bounceSubType": "General",
        "bouncedRecipients": [{"emailAddress": mail.recipient}],
    }


def complaint(mail: Mail, rng: Random, arrived_at: str) -> Own:
    """Return the object of a complaint; some mailbox providers send no details."""
    report = {
        "userAgent": "Mail-Feedback/2.0",
        "complaintFeedbackType": "abuse",
        "arrivalDate": arrived_at,
    }
    return {
        "feedbackId": identifier(mail.at, rng),
        "complaintSubType": None,
        "complainedRecipients": [{"emailAddress": mail.recipient}],
        **(report if rng.random() < 0.8 else {}),  # noqa: PLR2004 - most do
    }


def unsubscription(rng: Random) -> Own:
    """Return the object of an unsubscription, by the header's button or by the link."""

    def preferences(status: str, *, of_all: bool) -> dict[str, Any]:
        topics = [{"topicName": "Newsletter", "subscriptionStatus": status}]
        return {"unsubscribeAll": of_all, "topicSubscriptionStatus": topics}

    return {
        "contactList": "Customers",
        "source": rng.choice(("UnsubscribeHeader", "UnsubscribeLink")),
        "newTopicPreferences": preferences("OptOut", of_all=rng.choice((True, False))),
        "oldTopicPreferences": preferences("OptIn", of_all=False),
    }


def engagement(rng: Random, agent: str | None, *, by_bot: bool) -> Own:
    """Return the members that opens and clicks have in common.

    Args:
        rng: the source of randomness.
        agent: the user agent; None if the request has none.
        by_bot: whether a bot fetched it. SES reports its own verdict since August 2026, often
            and mostly correctly.
    """
    address = audience.server_address if by_bot else audience.home_address
    own: Own = {"ipAddress": address(rng)}
    if agent is not None:
        own["userAgent"] = agent
    if rng.random() < 0.5:  # noqa: PLR2004 - often
        right = rng.random() < 0.97  # noqa: PLR2004 - mostly
        own["isBotEvent"] = "Likely" if by_bot == right else "Unlikely"
    return own


def click(rng: Random, agent: str, link: str, *, by_bot: bool) -> Own:
    """Return the object of a click; `linkTags` is null if the link has none."""
    tags = {"place": ["button"]} if rng.random() < 0.3 else None  # noqa: PLR2004 - a few have
    return {
        **engagement(rng, agent, by_bot=by_bot),
        "link": f"{link}?utm_source=newsletter",
        "linkTags": tags,
    }

"""Build SES events in the formats that SES publishes, and their envelopes."""

import hashlib
import json
from typing import Any

BROWSER = (
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) "
    "Chrome/130.0.0.0 Safari/537.36"
)
APPLE_MAIL_PRIVACY = "Mozilla/5.0"
GMAIL_PROXY = (
    "Mozilla/5.0 (Windows NT 5.1; rv:11.0) Gecko Firefox/11.0 (via ggpht.com GoogleImageProxy)"
)
GMAIL_PREFETCH = (
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) "
    "Chrome/42.0.2311.135 Safari/537.36 Edge/12.246 Mozilla/5.0"
)
OUTDATED_BROWSER = (
    "Mozilla/5.0 (Windows NT 6.1) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/57.0.2987.133 "
    "Safari/537.36"
)
TELEPHONE = (
    "Mozilla/5.0 (iPhone; CPU iPhone OS 18_6 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like "
    "Gecko) Version/18.6 Mobile/15E148 Safari/604.1"
)
OUTLOOK = (
    "Mozilla/4.0 (compatible; MSIE 7.0; Windows NT 10.0; WOW64; Trident/7.0; Microsoft Outlook "
    "16.0.17928; ms-office; MSOffice 16)"
)
CRAWLER = "Mozilla/5.0 (compatible; YandexBot/3.0; +http://yandex.com/bots)"
VALIDATION = "Successfully validated SNS topic for Amazon SES event publishing."

Json = dict[str, Any]


def mail(
    message: str = "m-1",
    *,
    campaign: str | None = "spring",
    at: str = "2026-11-23T10:00:00.000Z",
    to: list[str] | None = None,
    subject: str | None = "Spring is here",
    configuration_set: str | None = "newsletters",
    variant: str | None = None,
) -> Json:
    tags: Json = {"ses:source-ip": ["192.0.2.1"]}
    if variant is not None:
        tags["variant"] = [variant]
    if configuration_set is not None:
        tags["ses:configuration-set"] = [configuration_set]
    if campaign is not None:
        tags["campaign"] = [campaign]
    described: Json = {
        "timestamp": at,
        "source": "Shop <news@example.com>",
        "sendingAccountId": "123456789012",
        "messageId": message,
        "destination": ["ada@example.com"] if to is None else to,
        "tags": tags,
    }
    if subject is not None:
        described["commonHeaders"] = {"subject": subject, "from": ["Shop <news@example.com>"]}
    return described


def a_send(message: str = "m-1", **of_mail: Any) -> Json:
    return {"eventType": "Send", "mail": mail(message, **of_mail), "send": {}}


def a_delivery(
    message: str = "m-1",
    *,
    to: list[str] | None = None,
    at: str = "2026-11-23T10:00:01.000Z",
    **of_mail: Any,
) -> Json:
    recipients = ["ada@example.com"] if to is None else to
    return {
        "eventType": "Delivery",
        "mail": mail(message, **of_mail),
        "delivery": {"timestamp": at, "recipients": recipients, "smtpResponse": "250 OK"},
    }


def a_delay(
    message: str = "m-1",
    *,
    to: str = "ada@example.com",
    at: str = "2026-11-23T10:10:00.000Z",
    reply: Json | None = None,
    **of_mail: Any,
) -> Json:
    return {
        "eventType": "DeliveryDelay",
        "mail": mail(message, subject=None, **of_mail),
        "deliveryDelay": {
            "timestamp": at,
            "delayType": "MailboxFull",
            "delayedRecipients": [{"emailAddress": to, **(reply or {"status": "4.2.2"})}],
        },
    }


def a_bounce(
    message: str = "m-1",
    *,
    kind: str = "Permanent",
    subtype: str = "General",
    to: list[str] | None = None,
    at: str = "2026-11-23T10:00:02.000Z",
    feedback: str = "f-1",
    reply: Json | None = None,
    **of_mail: Any,
) -> Json:
    return {
        "eventType": "Bounce",
        "mail": mail(message, **of_mail),
        "bounce": {
            "timestamp": at,
            "bounceType": kind,
            "bounceSubType": subtype,
            "feedbackId": feedback,
            "bouncedRecipients": [
                {"emailAddress": address, **(reply or {})}
                for address in (to or ["ada@example.com"])
            ],
        },
    }


def a_complaint(
    message: str = "m-1",
    *,
    to: list[str] | None = None,
    at: str = "2026-11-23T11:00:00.000Z",
    feedback_type: str | None = "abuse",
    subtype: str | None = None,
    **of_mail: Any,
) -> Json:
    return {
        "eventType": "Complaint",
        "mail": mail(message, **of_mail),
        "complaint": {
            "timestamp": at,
            "feedbackId": "f-2",
            "complaintSubType": subtype,
            "complainedRecipients": [
                {"emailAddress": address} for address in (to or ["ada@example.com"])
            ],
            "complaintFeedbackType": feedback_type,
        },
    }


def a_reject(message: str = "m-1", **of_mail: Any) -> Json:
    return {
        "eventType": "Reject",
        "mail": mail(message, **of_mail),
        "reject": {"reason": "Bad content"},
    }


def a_rendering_failure(message: str = "m-1", **of_mail: Any) -> Json:
    return {
        "eventType": "Rendering Failure",
        "mail": mail(message, subject=None, **of_mail),
        "failure": {"errorMessage": "Attribute 'name' is missing", "templateName": "spring"},
    }


def a_subscription(
    message: str = "m-1",
    *,
    opts_out: bool = True,
    opted_out: bool = False,
    at: str = "2026-11-23T11:30:00.000Z",
    **of_mail: Any,
) -> Json:
    def preferences(out: bool) -> Json:
        status = "OptOut" if out else "OptIn"
        topics = [{"topicName": "news", "subscriptionStatus": status}]
        return {"unsubscribeAll": False, "topicSubscriptionStatus": topics}

    return {
        "eventType": "Subscription",
        "mail": mail(message, **of_mail),
        "subscription": {
            "timestamp": at,
            "contactList": "newsletter",
            "source": "UnsubscribeHeader",
            "newTopicPreferences": preferences(opts_out),
            "oldTopicPreferences": preferences(opted_out),
        },
    }


def address_of(message: str) -> str:
    """Return the address of the recipient of an email; each email has its own network."""
    name = hashlib.sha256(message.encode()).hexdigest()
    return f"fd{name[:2]}:{name[2:6]}:{name[6:10]}::1"  # RFC 4193: a /48 of 40 random bits


def an_open(
    message: str = "m-1",
    *,
    address: str | None = None,
    at: str = "2026-11-23T10:05:00.000Z",
    agent: str | None = BROWSER,
    is_bot: str | None = None,
    **of_mail: Any,
) -> Json:
    return {
        "eventType": "Open",
        "mail": mail(message, **of_mail),
        "open": _engagement(at, agent, is_bot, address or address_of(message)),
    }


def a_click(
    message: str = "m-1",
    *,
    address: str | None = None,
    link: str = "https://example.com/spring",
    at: str = "2026-11-23T10:06:00.000Z",
    agent: str | None = BROWSER,
    is_bot: str | None = None,
    tags: Json | None = None,
    **of_mail: Any,
) -> Json:
    return {
        "eventType": "Click",
        "mail": mail(message, **of_mail),
        "click": {
            **_engagement(at, agent, is_bot, address or address_of(message)),
            "link": link,
            "linkTags": tags,
        },
    }


def _engagement(at: str, agent: str | None, is_bot: str | None, address: str) -> Json:
    described: Json = {"timestamp": at, "ipAddress": address}
    if agent is not None:
        described["userAgent"] = agent
    if is_bot is not None:
        described["isBotEvent"] = is_bot
    return described


def raw(event: Json) -> str:
    """Return the message body that SNS raw delivery puts into a queue."""
    return json.dumps(event) + "\n"


def in_sns_envelope(text: str) -> str:
    return json.dumps(
        {
            "Type": "Notification",
            "MessageId": "b5e4a3d2-1111-2222-3333-444455556666",
            "TopicArn": "arn:aws:sns:us-east-1:123456789012:ses-events",
            "Subject": "Amazon SES Email Event Notification",
            "Message": text,
            "Timestamp": "2026-11-23T10:00:03.000Z",
            "SignatureVersion": "1",
        }
    )


def in_eventbridge(event: Json) -> str:
    return json.dumps(
        {
            "version": "0",
            "id": "c3d4e5f6-a7b8-9012-cdef-123456789012",
            "detail-type": f"Email {event.get('eventType')}",
            "source": "aws.ses",
            "account": "123456789012",
            "region": "us-east-1",
            "resources": [],
            "detail": event,
        }
    )


def in_sqs_event(*bodies: str, sent: int = 1_795_467_600_000) -> Json:
    """Return an event of the queue; `sent` is when the messages arrived in it, in milliseconds."""
    return {
        "Records": [
            {
                "messageId": f"sqs-{number}",
                "receiptHandle": f"receipt-{number}",
                "body": body,
                "attributes": {"ApproximateReceiveCount": "1", "SentTimestamp": str(sent)},
            }
            for number, body in enumerate(bodies)
        ]
    }

"""Build the JSON text that SES publishes for an event.

The members of each type are taken from captured events and the documentation:
https://docs.aws.amazon.com/ses/latest/dg/event-publishing-retrieving-sns-contents.html
"""

import json
from dataclasses import dataclass
from datetime import datetime
from random import Random
from typing import Any

from dashboard.simulation.audience import isp_of

ACCOUNT = "123456789012"
REGION = "us-east-1"
OUTGOING_IP = "192.0.2.25"

# Each SES event type, and the key of its own object. The last two are irregular.
OBJECT_KEYS = {
    "Send": "send",
    "Delivery": "delivery",
    "Bounce": "bounce",
    "Complaint": "complaint",
    "Reject": "reject",
    "Open": "open",
    "Click": "click",
    "Subscription": "subscription",
    "DeliveryDelay": "deliveryDelay",
    "Rendering Failure": "failure",
}

# Types whose `mail` object lacks these members.
_WITHOUT_HEADERS = {"DeliveryDelay", "Rendering Failure"}
_WITHOUT_SOURCE_ARN = {"Open", "Click"}


@dataclass(frozen=True, slots=True)
class Mail:
    """A message to one recipient, as SES accepted it.

    Attributes:
        message_id: see `identifier`.
        at: when SES accepted it, in UTC, in whole milliseconds.
        sender: `Name <address>`.
        tags: message tags, with one value each.
        mta: the host from which SES sends it, such as `a8-86.smtp-out.amazonses.com`.
    """

    message_id: str
    at: datetime
    recipient: str
    subject: str
    sender: str
    configuration_set: str
    tags: dict[str, str]
    mta: str


def identifier(at: datetime, rng: Random) -> str:
    """Return a message or feedback ID in SES's format: the region, the milliseconds, a UUID."""
    unique = f"{rng.getrandbits(128):032x}"
    parts = (unique[:8], unique[8:12], unique[12:16], unique[16:20], unique[20:])
    return f"0100{round(at.timestamp() * 1000):012x}-{'-'.join(parts)}-000000"


def timestamp(at: datetime) -> str:
    """Return a time in SES's format: `2026-11-23T10:00:00.215Z`."""
    return at.strftime("%Y-%m-%dT%H:%M:%S.") + f"{at.microsecond // 1000:03d}Z"


def event_text(event_type: str, mail: Mail, own: dict[str, Any]) -> str:
    """Return an event as raw SNS delivery passes it on, with SES's trailing newline.

    Args:
        event_type: as SES spells it.
        mail: the email that the event is about.
        own: the type's own object, such as `{"timestamp": …, "recipients": […]}` of a Delivery.
    """
    event = {
        "eventType": event_type,
        "mail": _mail(event_type, mail),
        OBJECT_KEYS[event_type]: own,
    }
    return json.dumps(event, ensure_ascii=False, separators=(",", ":")) + "\n"


def domain_of(sender: str) -> str:
    """Return the domain of `Name <address>`."""
    return sender.rpartition("@")[2].rstrip(">")


def _mail(event_type: str, mail: Mail) -> dict[str, Any]:
    domain = domain_of(mail.sender)
    value: dict[str, Any] = {
        "timestamp": timestamp(mail.at),
        "source": mail.sender,
        "sendingAccountId": ACCOUNT,
        "messageId": mail.message_id,
        "destination": [mail.recipient],
        "headersTruncated": False,
    }
    if event_type not in _WITHOUT_SOURCE_ARN:
        value["sourceArn"] = f"arn:aws:ses:{REGION}:{ACCOUNT}:identity/{domain}"
    if event_type not in _WITHOUT_HEADERS:
        value["headers"] = _headers(mail)
        value["commonHeaders"] = {
            "from": [mail.sender],
            "to": [mail.recipient],
            "messageId": mail.message_id,
            "subject": mail.subject,
        }
    value["tags"] = _tags(mail, domain)
    if event_type == "Delivery":
        value["tags"] |= {
            "ses:outgoing-tls-version": ["TLSv1.3"],
            "ses:outgoing-ip": [OUTGOING_IP],
        }
    return value


def _headers(mail: Mail) -> list[dict[str, str]]:
    return [
        {"name": "From", "value": mail.sender},
        {"name": "To", "value": mail.recipient},
        {"name": "Subject", "value": mail.subject},
        {"name": "MIME-Version", "value": "1.0"},
        {
            "name": "Content-Type",
            "value": f'multipart/alternative; boundary="=_{mail.message_id[-19:-7]}"',
        },
    ]


def _tags(mail: Mail, domain: str) -> dict[str, list[str]]:
    return {
        "ses:source-tls-version": ["TLSv1.3"],
        "ses:operation": ["SendEmail"],
        "ses:configuration-set": [mail.configuration_set],
        "ses:source-ip": ["192.0.2.10"],
        "ses:from-domain": [domain],
        "ses:caller-identity": ["mailer"],
        "ses:recipient-isp": [isp_of(mail.recipient)],
        **{name: [value] for name, value in mail.tags.items()},
    }

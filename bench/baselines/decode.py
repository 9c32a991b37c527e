"""Decode an SES event with json and handwritten checks."""

import json
from datetime import UTC, datetime

KEYS = {
    "Send": None,
    "Delivery": "delivery",
    "Open": "open",
    "Click": "click",
    "Bounce": "bounce",
}


class NotAnEvent(Exception):
    """The message is not an event."""


def parse(body: str) -> dict[str, object]:
    """Decode an event; the result has the same members as chalicelib's."""
    try:
        event = json.loads(body)
        kind = event["eventType"]
        mail = event["mail"]
        own = event[KEYS[kind]] if KEYS[kind] else mail
        message_id = mail["messageId"]
        tags = mail.get("tags", {})
        campaign = tags.get("campaign") or tags.get("ses:configuration-set") or ["untagged"]
        recipients = own["recipients"] if kind == "Delivery" else mail["destination"]
        result = {
            "type": kind,
            "message_id": message_id,
            "at": datetime.fromisoformat(own["timestamp"]).astimezone(UTC).isoformat(),
            "mail_at": datetime.fromisoformat(mail["timestamp"]).astimezone(UTC).isoformat(),
            "campaign": campaign[0],
            "recipients": recipients,
            "subject": mail.get("commonHeaders", {}).get("subject"),
            "sender": mail.get("source"),
            "agent": own.get("userAgent"),
            "link": own.get("link"),
        }
    except (ValueError, KeyError, TypeError, AttributeError, IndexError) as error:
        raise NotAnEvent(f"not an event: {error!r}") from error
    if not isinstance(message_id, str) or not message_id:
        raise NotAnEvent(f"messageId is {message_id!r}")
    if not isinstance(campaign[0], str):
        raise NotAnEvent(f"campaign is {campaign!r}")
    if not isinstance(recipients, list) or not all(isinstance(one, str) for one in recipients):
        raise NotAnEvent("recipients are not a list of addresses")
    return result

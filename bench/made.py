"""SES events of newsletters: about 1.9 KB, with different times and IDs."""

import json
import random
from typing import Any

from support import ses

from chalicelib.dynamodb import Item
from chalicelib.facts.fact import ENGAGEMENTS, FactSettings, facts_of
from chalicelib.facts.items import to_item
from chalicelib.facts.settle import judged_alone, settle
from chalicelib.ses.parse import parse

CAMPAIGNS = 5
_EXPIRES = 1_800_000_000
_KINDS = ["Send"] * 10 + ["Delivery"] * 10 + ["Open"] * 4 + ["Click"]  # the usual mix of a campaign


def events(
    count: int, *, kinds: list[str] | None = None, seconds: int = 1800, seed: int = 1
) -> list[str]:
    """Return queue messages, reproducibly.

    Args:
        count: the number of messages.
        kinds: their types, in turn; by default, the usual mix of a campaign.
        seconds: the duration of sending, and of all events.
        seed: of the random values.
    """
    rng = random.Random(seed)
    kinds = kinds or _KINDS
    return [
        ses.raw(_event(kinds[number % len(kinds)], number, seconds, rng)) for number in range(count)
    ]


def stream(count: int, *, seconds: int) -> dict[str, Any]:
    """Return an event for aggregate: the facts of this many events, and states of messages."""
    items: list[Item] = []
    for body in events(count, seconds=seconds):
        event = parse(body, campaign_tag="campaign")
        assert event is not None
        [fact] = facts_of(event, FactSettings("k"))
        if fact.type in ENGAGEMENTS:
            fact = judged_alone(fact)
            state = settle([fact], None).state
            assert state is not None
            items.append(to_item(state, _EXPIRES))
        items.append(to_item(fact, _EXPIRES))
    return {
        "Records": [_record(number, item) for number, item in enumerate(items[:count])],
        "shardId": "shardId-00000001763892000000-abcdef12",
    }


def _record(number: int, item: Item) -> dict[str, Any]:
    return {
        "eventID": f"{number:032x}",
        "eventName": "INSERT",
        "eventVersion": "1.1",
        "eventSource": "aws:dynamodb",
        "awsRegion": "us-east-1",
        "dynamodb": {
            "ApproximateCreationDateTime": 1763892000 + number // 1000,
            "Keys": {"message_id": item["message_id"], "fact": item["fact"]},
            "NewImage": item,
            "SequenceNumber": str(100000000000000000000000 + number * 7),
            "SizeBytes": 400,
            "StreamViewType": "NEW_AND_OLD_IMAGES",
        },
        "eventSourceARN": "arn:aws:dynamodb:us-east-1:123456789012:table/mailpulse-prod-events"
        "/stream/2026-11-01T00:00:00.000",
    }


def _event(kind: str, number: int, most: int, rng: random.Random) -> dict[str, Any]:
    message = (
        f"0100019d{rng.getrandbits(32):08x}-{rng.getrandbits(32):08x}-4ddb-000000000000-000000"
    )
    address = f"reader-{number}@example.com"
    sent = rng.randrange(most)
    of_mail = {
        "campaign": f"newsletter-2026-{number % CAMPAIGNS}",
        "to": [address],
        "subject": "What grows in spring, and what it needs",
    }
    at = _moment(sent + rng.randrange(1, most), rng)
    make = {
        "Send": lambda: ses.a_send(message, **of_mail),
        "Delivery": lambda: ses.a_delivery(message, at=at, **of_mail),
        "Open": lambda: ses.an_open(message, at=at, **of_mail),
        "Click": lambda: ses.a_click(
            message, at=at, link=f"https://example.com/{number % 20}?utm=spring", **of_mail
        ),
    }
    event = make[kind]()
    mail = event["mail"]
    mail["timestamp"] = _moment(sent, rng)
    return event | {"mail": mail | _beside(mail, address, message)}


def _moment(second: int, rng: random.Random) -> str:
    return f"2026-11-23T10:{second // 60:02}:{second % 60:02}.{rng.randrange(1000):03}Z"


def _beside(mail: dict[str, Any], address: str, message: str) -> dict[str, Any]:
    """Return the members of `mail` that Mailpulse does not read."""
    headers = {
        "From": "Shop <news@example.com>",
        "To": address,
        "Reply-To": "service@example.com",
        "Date": "Mon, 23 Nov 2026 10:00:00 +0000",
        "Message-ID": f"<{message}@email.amazonses.com>",
        "Subject": "What grows in spring, and what it needs",
        "X-SES-CONFIGURATION-SET": "newsletters",
        "X-SES-MESSAGE-TAGS": "campaign=newsletter",
        "List-Unsubscribe": f"<https://example.com/u/{message}>, <mailto:out@example.com>",
        "List-Unsubscribe-Post": "List-Unsubscribe=One-Click",
        "MIME-Version": "1.0",
        "Content-Type": 'multipart/alternative; boundary="----=_Part_42_1234567.1763892000000"',
    }
    return {
        "sourceArn": "arn:aws:ses:us-east-1:123456789012:identity/example.com",
        "headersTruncated": False,
        "headers": [{"name": name, "value": value} for name, value in headers.items()],
        "commonHeaders": {
            "from": ["Shop <news@example.com>"],
            "replyTo": ["service@example.com"],
            "to": [address],
            "messageId": message,
            "subject": "What grows in spring, and what it needs",
        },
        "tags": {
            "campaign": mail["tags"]["campaign"],
            "ses:source-tls-version": ["TLSv1.3"],
            "ses:operation": ["SendEmail"],
            "ses:configuration-set": ["newsletters"],
            "ses:source-ip": ["192.0.2.1"],
            "ses:from-domain": ["example.com"],
            "ses:caller-identity": ["shop"],
        },
    }


def average_bytes(bodies: list[str]) -> float:
    """Return the average length of messages."""
    return sum(map(len, bodies)) / len(bodies)


def as_batch(bodies: list[str]) -> str:
    """Return an event of ingest, as Lambda passes it."""
    return json.dumps(ses.in_sqs_event(*bodies))

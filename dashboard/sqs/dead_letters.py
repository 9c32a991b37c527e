"""Receive the messages of the dead-letter queue, with the reasons for which they are there."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any

from dashboard.sqs.batching import MAX_ENTRIES

# While messages are inspected, they are hidden from other receivers.
_LOOK_SECONDS = 600
# The reason shown for messages that SQS's redrive policy moved, which carry none.
NOT_STORED = "not_stored"


@dataclass(frozen=True, slots=True)
class DeadLetter:
    """A message in the dead-letter queue.

    Attributes:
        reason: as set by ingest; `not_stored` if SQS moved the message after too many attempts.
        sent_at: when the message was sent to the dead-letter queue, or to the queue from which SQS
            moved it.
        found_at: when it was received here.
        receipt: the receipt handle with which to delete it.
    """

    id: str
    reason: str
    detail: str
    sent_at: datetime
    found_at: datetime
    body: str
    receipt: str


def receive(sqs: Any, url: str) -> Iterator[DeadLetter]:
    """Receive each message once, hiding it from other receivers meanwhile.

    Args:
        sqs: the SQS client.
        url: the URL of the dead-letter queue.
    """
    seen: set[str] = set()
    while True:
        answer = sqs.receive_message(
            QueueUrl=url,
            MaxNumberOfMessages=MAX_ENTRIES,
            VisibilityTimeout=_LOOK_SECONDS,
            WaitTimeSeconds=1,
            MessageAttributeNames=["All"],
            AttributeNames=["All"],
        )
        found = answer.get("Messages", [])
        if not found:
            return
        # SQS's clock, in seconds: this machine's may be wrong.
        now = parsedate_to_datetime(answer["ResponseMetadata"]["HTTPHeaders"]["date"])
        for message in found:
            if message["MessageId"] not in seen:
                seen.add(message["MessageId"])
                yield _letter(message, now)


def _letter(message: Mapping[str, Any], now: datetime) -> DeadLetter:
    attributes = message.get("MessageAttributes", {})

    def text(name: str, default: str) -> str:
        value: str = attributes.get(name, {}).get("StringValue", default)
        return value

    sent = int(message["Attributes"]["SentTimestamp"]) // 1000
    return DeadLetter(
        id=message["MessageId"],
        reason=text("reason", NOT_STORED),
        detail=text("detail", "could not be stored in any attempt; see the log of ingest"),
        sent_at=datetime.fromtimestamp(sent, UTC),
        found_at=now,
        body=message["Body"],
        receipt=message["ReceiptHandle"],
    )

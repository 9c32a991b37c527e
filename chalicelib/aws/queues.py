"""The queue of SES events and its dead-letter queue: their depths, retries and dead letters."""

from collections.abc import Sequence

from msgspec import Struct

from chalicelib.aws.client import Service
from chalicelib.errors import AwsError

CHANGES = 10  # ChangeMessageVisibilityBatch's limit
SENDS = 10  # SendMessageBatch's limit

_DEPTH = "ApproximateNumberOfMessages"
_IN_FLIGHT = "ApproximateNumberOfMessagesNotVisible"
# CloudWatch reports a queue's age for each minute, a few minutes late.
_AGE_WINDOW_SECONDS = 300


class Queues(Struct, frozen=True):
    """The queue and its dead-letter queue."""

    sqs: Service
    cloudwatch: Service
    queue_url: str
    dead_letter_queue_url: str

    def set_aside(self, body: str, reason: str, detail: str) -> None:
        """Send a message that is not an SES event to the dead-letter queue, with the reason.

        Raises:
            AwsError: the message could not be sent.
        """
        texts = {"reason": reason, "detail": detail}
        self.sqs.call(
            "send_message",
            QueueUrl=self.dead_letter_queue_url,
            MessageBody=body,
            MessageAttributes={
                name: {"DataType": "String", "StringValue": text} for name, text in texts.items()
            },
        )

    def send(self, messages: Sequence[tuple[str, int]]) -> None:
        """Send messages to the queue itself.

        https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_SendMessageBatch.html

        Args:
            messages: body and delay in seconds of each message.

        Raises:
            AwsError: a message could not be sent; others may have been.
        """
        for start in range(0, len(messages), SENDS):
            entries = [
                {"Id": str(number), "MessageBody": body, "DelaySeconds": seconds}
                for number, (body, seconds) in enumerate(messages[start : start + SENDS])
            ]
            answer = self.sqs.call("send_message_batch", QueueUrl=self.queue_url, Entries=entries)
            if failed := answer.get("Failed"):
                codes = ", ".join(sorted({one["Code"] for one in failed}))
                raise AwsError(codes, f"SQS rejected {len(failed)} messages: {codes}")

    def retry_after(self, delays: Sequence[tuple[str, int]]) -> int:
        """Make received messages visible after the given delays, not after the default timeout.

        https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_ChangeMessageVisibilityBatch.html

        Args:
            delays: receipt handle and delay in seconds of each message; at most CHANGES.

        Returns:
            Number of changes that SQS rejected; these messages become visible after the queue's
            visibility timeout.

        Raises:
            AwsError: SQS did not respond.
        """
        entries = [
            {"Id": str(number), "ReceiptHandle": receipt, "VisibilityTimeout": seconds}
            for number, (receipt, seconds) in enumerate(delays)
        ]
        answer = self.sqs.call(
            "change_message_visibility_batch", QueueUrl=self.queue_url, Entries=entries
        )
        return len(answer.get("Failed", []))

    def depths(self) -> tuple[int, int]:
        """Return the approximate numbers of waiting messages and of messages in flight.

        Raises:
            AwsError: the numbers could not be read.
        """
        counts = self._counts(self.queue_url, _DEPTH, _IN_FLIGHT)
        return counts[_DEPTH], counts[_IN_FLIGHT]

    def waiting(self) -> int:
        """Return the approximate number of messages that wait to be ingested.

        Raises:
            AwsError: the number could not be read.
        """
        return self._count(self.queue_url, _DEPTH)

    def in_flight(self) -> int:
        """Return the number of messages that are being ingested or wait for a retry.

        Raises:
            AwsError: the number could not be read.
        """
        return self._count(self.queue_url, _IN_FLIGHT)

    def dead_letters(self) -> int:
        """Return the number of messages in the dead-letter queue.

        Raises:
            AwsError: the number could not be read.
        """
        return self._count(self.dead_letter_queue_url, _DEPTH)

    def oldest_seconds(self, now: float) -> int | None:
        """Return the age of the oldest message in the queue; None if CloudWatch has no data.

        Args:
            now: epoch seconds.

        Raises:
            AwsError: the metric could not be read.
        """
        end = int(now)
        answer = self.cloudwatch.call(
            "get_metric_statistics",
            Namespace="AWS/SQS",
            MetricName="ApproximateAgeOfOldestMessage",
            Dimensions=[{"Name": "QueueName", "Value": self.queue_url.rsplit("/", 1)[-1]}],
            StartTime=end - _AGE_WINDOW_SECONDS,
            EndTime=end,
            Period=60,
            Statistics=["Maximum"],
        )
        newest = max(answer["Datapoints"], key=lambda point: point["Timestamp"], default=None)
        return None if newest is None else int(newest["Maximum"])

    def _count(self, url: str, attribute: str) -> int:
        return self._counts(url, attribute)[attribute]

    def _counts(self, url: str, *attributes: str) -> dict[str, int]:
        answer = self.sqs.call("get_queue_attributes", QueueUrl=url, AttributeNames=attributes)
        return {name: int(answer["Attributes"][name]) for name in attributes}

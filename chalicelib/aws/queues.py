"""The queue of SES's events and its dead-letter queue: how deep they are, what is set aside."""

from collections.abc import Sequence

from msgspec import Struct

from chalicelib.aws.client import Service

CHANGES = 10  # ChangeMessageVisibilityBatch's limit

_DEPTH = "ApproximateNumberOfMessages"
_IN_FLIGHT = "ApproximateNumberOfMessagesNotVisible"
# CloudWatch has a queue's age of every minute, some minutes late.
_AGE_WINDOW_SECONDS = 300


class Queues(Struct, frozen=True):
    """Both queues, by their URLs."""

    sqs: Service
    cloudwatch: Service
    queue_url: str
    dead_letter_queue_url: str

    def set_aside(self, body: str, reason: str, detail: str) -> None:
        """Send what is no event to the dead-letter queue, with the reason.

        Raises:
            AwsError: it was not taken.
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

    def retry_after(self, delays: Sequence[tuple[str, int]]) -> int:
        """Make received messages visible again in some seconds, instead of after the time-out.

        https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_ChangeMessageVisibilityBatch.html

        Args:
            delays: at most CHANGES: each message's receipt handle, and its seconds.

        Returns:
            How many SQS refused; these become visible after the queue's time-out.

        Raises:
            AwsError: SQS did not answer.
        """
        entries = [
            {"Id": str(number), "ReceiptHandle": receipt, "VisibilityTimeout": seconds}
            for number, (receipt, seconds) in enumerate(delays)
        ]
        answer = self.sqs.call(
            "change_message_visibility_batch", QueueUrl=self.queue_url, Entries=entries
        )
        return len(answer.get("Failed", []))

    def waiting(self) -> int:
        """Count the messages that wait to be ingested; approximate, as SQS says.

        Raises:
            AwsError: SQS does not say.
        """
        return self._count(self.queue_url, _DEPTH)

    def in_flight(self) -> int:
        """Count the messages that are being ingested, or wait to be tried again.

        Raises:
            AwsError: SQS does not say.
        """
        return self._count(self.queue_url, _IN_FLIGHT)

    def dead_letters(self) -> int:
        """Count the messages in the dead-letter queue.

        Raises:
            AwsError: SQS does not say.
        """
        return self._count(self.dead_letter_queue_url, _DEPTH)

    def oldest_seconds(self, now: float) -> int | None:
        """Give the age of the oldest message in the queue; None when CloudWatch has none.

        Args:
            now: epoch seconds.

        Raises:
            AwsError: CloudWatch does not say.
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
        answer = self.sqs.call("get_queue_attributes", QueueUrl=url, AttributeNames=[attribute])
        return int(answer["Attributes"][attribute])

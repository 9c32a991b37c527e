"""Publish events to the SNS topic to which SES publishes its own."""

import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor, wait
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from chalicelib.errors import CommandError
from dashboard.sqs.batching import deliver, divided

_CALLS_AT_ONCE = 4


class Topic:
    """Publishes messages to one topic. Thread-safe.

    Args:
        client: the SNS client of boto3 or botocore, which itself retries requests that fail as a
            whole.
        arn: the ARN of the topic.
        sleep: waits for a number of seconds before a retry.
    """

    def __init__(
        self, client: Any, arn: str, *, sleep: Callable[[float], None] = time.sleep
    ) -> None:
        self.arn = arn
        self._client = client
        self._sleep = sleep
        self._pool = ThreadPoolExecutor(_CALLS_AT_ONCE, thread_name_prefix="publish")

    def publish_batch(self, messages: Sequence[str]) -> None:
        """Publish messages in any order; return once SNS has accepted all of them.

        Raises:
            CommandError: some messages were not accepted after all retries; the others were.
        """
        batches = list(divided(messages))
        if len(batches) == 1:
            self._publish(batches[0])
            return
        calls = [self._pool.submit(self._publish, batch) for batch in batches]
        wait(calls)
        for call in calls:
            call.result()

    def _publish(self, messages: list[str]) -> None:
        deliver(messages, self._call, target=self.arn, sleep=self._sleep)

    def _call(self, messages: Mapping[int, str]) -> list[dict[str, Any]]:
        """Publish messages by their IDs, and return SNS's report of each failure."""
        entries = [{"Id": str(number), "Message": text} for number, text in messages.items()]
        try:
            answer = self._client.publish_batch(
                TopicArn=self.arn, PublishBatchRequestEntries=entries
            )
        except (BotoCoreError, ClientError) as error:
            raise CommandError(
                f"cannot publish to {self.arn}: {error}; check that the topic exists (for "
                "the local topic, that `python -m dashboard up` is running) and that you may "
                "publish to it"
            ) from error
        failures: list[dict[str, Any]] = answer.get("Failed", [])
        return failures

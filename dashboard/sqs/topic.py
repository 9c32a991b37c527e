"""The SNS topic that SES publishes its events to: put events of our own there."""

import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor, wait
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from chalicelib.errors import CommandError
from dashboard.sqs.batching import deliver, divided

_CALLS_AT_ONCE = 4


class Topic:
    """Publishes to one topic; may be used by several threads.

    Args:
        client: of SNS, from boto3 or botocore; its own retries cure what fails as a whole.
        arn: the topic's.
        sleep: waits so many seconds before messages that SNS did not take are sent again.
    """

    def __init__(
        self, client: Any, arn: str, *, sleep: Callable[[float], None] = time.sleep
    ) -> None:
        self.arn = arn
        self._client = client
        self._sleep = sleep
        self._pool = ThreadPoolExecutor(_CALLS_AT_ONCE, thread_name_prefix="publish")

    def publish_batch(self, messages: Sequence[str]) -> None:
        """Publish messages, in any order; returns when SNS has taken them all.

        Raises:
            CommandError: some were not taken, though tried again; the others were.
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
        """Publish messages by their ids, and give SNS's reports of those it did not take."""
        entries = [{"Id": str(number), "Message": text} for number, text in messages.items()]
        try:
            answer = self._client.publish_batch(
                TopicArn=self.arn, PublishBatchRequestEntries=entries
            )
        except (BotoCoreError, ClientError) as error:
            raise CommandError(
                f"cannot publish to {self.arn}: {error}; check that the topic exists (that "
                "`python -m dashboard up` runs, if it is its topic) and that you may publish to it"
            ) from error
        failures: list[dict[str, Any]] = answer.get("Failed", [])
        return failures

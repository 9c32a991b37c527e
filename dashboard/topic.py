"""The SNS topic that SES publishes its events to: put events of our own there."""

import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor, wait
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import boto3
from botocore.exceptions import BotoCoreError, ClientError

from chalicelib.errors import CommandError
from dashboard.batching import deliver, divided
from dashboard.paths import StateDir
from dashboard.running import read_running
from dashboard.session import LocalSession

_CALLS_AT_ONCE = 4

_PARTS_OF_AN_ARN = 6
_LOOPBACK = {"127.0.0.1", "localhost", "::1"}


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


def find_topic(
    state_dir: Path, arn: str | None, endpoint_url: str | None, region: str | None
) -> Topic:
    """Connect to the topic that is given, or else to the one of the running `up`.

    Args:
        state_dir: of `up`.
        arn: None for the running one's.
        endpoint_url: None for AWS or, without an ARN, for the running one's.
        region: None for the one that the ARN names.

    Raises:
        CommandError: no ARN is given and no `up` is running; or it is not the ARN of a topic.
    """
    if arn is None:
        running = read_running(StateDir(state_dir))
        arn, endpoint_url = running["topic_arn"], endpoint_url or running["endpoint_url"]
    parts = arn.split(":")
    if len(parts) != _PARTS_OF_AN_ARN or parts[2] != "sns":
        raise CommandError(
            f"{arn!r} is not the ARN of an SNS topic: give one such as "
            "arn:aws:sns:us-east-1:123456789012:mailpulse"
        )
    if endpoint_url is not None and urlsplit(endpoint_url).hostname in _LOOPBACK:
        return Topic(LocalSession(endpoint_url).client("sns"), arn)
    return Topic(_client(endpoint_url, region or parts[3]), arn)


def _client(endpoint_url: str | None, region: str) -> Any:
    try:
        return boto3.client("sns", endpoint_url=endpoint_url, region_name=region)
    except (BotoCoreError, ValueError) as error:
        raise CommandError(
            f"cannot use SNS in {region!r} at {endpoint_url or 'AWS'} ({error}): check --region, "
            "--endpoint-url and the AWS configuration"
        ) from error

"""Send, delete and release many messages of an SQS queue, in batches of ten."""

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from chalicelib.errors import CommandError
from dashboard.sqs.batching import MAX_ENTRIES, deliver, divided


class Sender:
    """Sends messages to one queue. Thread-safe.

    Args:
        client: the SQS client.
        url: the URL of the queue.
        sleep: waits for a number of seconds before a retry.
    """

    def __init__(
        self, client: Any, url: str, *, sleep: Callable[[float], None] = time.sleep
    ) -> None:
        self._client = client
        self._url = url
        self._sleep = sleep

    def send(self, bodies: Sequence[str]) -> None:
        """Send messages; return once SQS has accepted all of them.

        Raises:
            CommandError: some messages were not accepted after all retries; the others were.
        """
        for batch in divided(bodies):
            deliver(batch, self._call, target=self._url, sleep=self._sleep)

    def _call(self, bodies: Mapping[int, str]) -> list[dict[str, Any]]:
        entries = [{"Id": str(number), "MessageBody": body} for number, body in bodies.items()]
        return _call(self._client.send_message_batch, QueueUrl=self._url, Entries=entries)


def delete_messages(client: Any, url: str, receipts: Sequence[str]) -> None:
    """Delete received messages.

    Raises:
        CommandError: some were not deleted.
    """
    for batch in _tens([{"ReceiptHandle": one} for one in receipts]):
        failures = _call(client.delete_message_batch, QueueUrl=url, Entries=batch)
        if failures:
            raise CommandError(
                f"{url}: {len(failures)} messages were not deleted ({failures[0].get('Code')}); "
                "run this command again in a few minutes"
            )


def show_messages(client: Any, url: str, receipts: Sequence[str]) -> None:
    """Make received messages visible again; any that SQS refuses stay hidden until their timeout.

    Raises:
        CommandError: the queue cannot be used.
    """
    entries = [{"ReceiptHandle": one, "VisibilityTimeout": 0} for one in receipts]
    for batch in _tens(entries):
        _call(client.change_message_visibility_batch, QueueUrl=url, Entries=batch)


def _tens(entries: Sequence[dict[str, Any]]) -> Iterator[list[dict[str, Any]]]:
    for start in range(0, len(entries), MAX_ENTRIES):
        batch = entries[start : start + MAX_ENTRIES]
        yield [{"Id": str(number), **entry} for number, entry in enumerate(batch)]


def _call(call: Any, **arguments: Any) -> list[dict[str, Any]]:
    try:
        failures: list[dict[str, Any]] = call(**arguments).get("Failed", [])
    except (BotoCoreError, ClientError) as error:
        raise CommandError(
            f"the queue {arguments['QueueUrl']} is not accessible: {error}"
        ) from error
    return failures

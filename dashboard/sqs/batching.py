"""Send many messages to SNS or SQS in batches, retrying until all are accepted."""

import random
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from chalicelib.errors import CommandError, shape

# The limits of one SNS or SQS batch request.
MAX_ENTRIES = 10
MAX_BYTES = 256 * 1024

_ATTEMPTS = 6
_FIRST_PAUSE_SECONDS = 0.1
_LONGEST_PAUSE_SECONDS = 5.0

Call = Callable[[Mapping[int, str]], list[dict[str, Any]]]
"""Makes one request with messages by their IDs, and returns the service's report of each failure:
{"Id", "Code", "Message"?, "SenderFault"?}.
"""


def divided(messages: Sequence[str]) -> Iterator[list[str]]:
    """Split messages into batches within the limits of one request.

    Raises:
        CommandError: a message exceeds the limit.
    """
    batch: list[str] = []
    size = 0
    for message in messages:
        length = len(message.encode())
        if length > MAX_BYTES:
            raise CommandError(
                f"a message has {length} bytes, but the limit per call is {MAX_BYTES}"
            )
        if len(batch) == MAX_ENTRIES or size + length > MAX_BYTES:
            yield batch
            batch, size = [], 0
        batch.append(message)
        size += length
    if batch:
        yield batch


def deliver(
    messages: Sequence[str], call: Call, *, target: str, sleep: Callable[[float], None]
) -> None:
    """Send a batch, retrying until all messages are accepted.

    Args:
        messages: within the limits of one request.
        call: makes the request.
        target: the topic or queue, for the error message.
        sleep: waits for a number of seconds before a retry.

    Raises:
        CommandError: some messages were not accepted after all retries; the others were.
    """
    left = dict(enumerate(messages))
    failures: list[dict[str, Any]] = []
    for attempt in range(_ATTEMPTS):
        if attempt:
            longest = min(_FIRST_PAUSE_SECONDS * 2**attempt, _LONGEST_PAUSE_SECONDS)
            sleep(random.uniform(longest / 2, longest))  # noqa: S311 - no secret
        failures = call(left)
        left = {int(failure["Id"]): left[int(failure["Id"])] for failure in failures}
        # Retries do not help if the message itself is at fault.
        if all(failure.get("SenderFault") for failure in failures):
            break
    if failures:
        reason = f"{failures[0].get('Code')}: {failures[0].get('Message', 'no reason given')}"
        raise CommandError(
            f"{target} rejected {len(failures)} of {len(messages)} messages ({reason}), the first "
            f"with {shape(left[int(failures[0]['Id'])])}"
        )

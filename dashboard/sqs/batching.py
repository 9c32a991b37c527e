"""Many messages to SNS or SQS, in calls of what one may hold, until all are taken."""

import random
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from chalicelib.errors import CommandError

# What SNS and SQS take in one call.
MAX_ENTRIES = 10
MAX_BYTES = 256 * 1024

_ATTEMPTS = 6
_FIRST_PAUSE_SECONDS = 0.1
_LONGEST_PAUSE_SECONDS = 5.0

Call = Callable[[Mapping[int, str]], list[dict[str, Any]]]
"""Makes one call with messages by their ids, and gives the service's reports of those that it did
not take: {"Id", "Code", "Message"?, "SenderFault"?}."""


def divided(messages: Sequence[str]) -> Iterator[list[str]]:
    """Divide messages into what one call may hold.

    Raises:
        CommandError: one is longer than that.
    """
    batch: list[str] = []
    size = 0
    for message in messages:
        length = len(message.encode())
        if length > MAX_BYTES:
            raise CommandError(
                f"a message has {length} bytes, but a call takes at most {MAX_BYTES}: "
                f"{message[:80]!r}…"
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
    """Make a call until all its messages are taken.

    Args:
        messages: what one call may hold.
        call: makes it.
        target: whom, for the error.
        sleep: waits so many seconds before messages that were not taken are sent again.

    Raises:
        CommandError: some were not taken, though tried again; the others were.
    """
    left = dict(enumerate(messages))
    failures: list[dict[str, Any]] = []
    for attempt in range(_ATTEMPTS):
        if attempt:
            longest = min(_FIRST_PAUSE_SECONDS * 2**attempt, _LONGEST_PAUSE_SECONDS)
            sleep(random.uniform(longest / 2, longest))  # noqa: S311 - no secret
        failures = call(left)
        left = {int(failure["Id"]): left[int(failure["Id"])] for failure in failures}
        # What is wrong with a message itself does not get better.
        if all(failure.get("SenderFault") for failure in failures):
            break
    if failures:
        reason = f"{failures[0].get('Code')}: {failures[0].get('Message', 'no reason given')}"
        raise CommandError(
            f"{target} did not take {len(failures)} of {len(messages)} messages ({reason}); "
            f"the first is {left[int(failures[0]['Id'])][:80]!r}…"
        )

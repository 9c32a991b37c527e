"""Jobs: messages of the queue that have ingest settle the emails of a network again.

When the evidence of a network changes in a way that some email can see, `aggregate` sends a job.
"""

from typing import Annotated

import msgspec
from msgspec import Meta, Struct

from chalicelib.errors import NotAnEvent
from chalicelib.facts.fact import Name

_PREFIX = '{"settle":'
# SQS delays a message by at most 15 minutes.
_LONGEST_SECONDS = 900
_SHORTEST_SECONDS = 5
_EMAILS_A_SECOND = 100


class Job(Struct, frozen=True, omit_defaults=True, forbid_unknown_fields=True):
    """The emails of a network to settle.

    Attributes:
        after: the message id of the last email that is settled; empty at the start.
    """

    campaign: Name
    network: Annotated[str, Meta(pattern=r"\A[0-9a-f]{16}\Z")]
    after: Annotated[str, Meta(max_length=1024)] = ""


class _Message(Struct, frozen=True, forbid_unknown_fields=True):
    settle: Job


def job_to_body(job: Job) -> str:
    """Return the body of a job's message."""
    return msgspec.json.encode(_Message(job)).decode()


def job_from_body(body: str) -> Job | None:
    """Return the job of a message; None if the message is none.

    Raises:
        NotAnEvent: the message is a malformed job.
    """
    if not body.startswith(_PREFIX):
        return None
    try:
        return msgspec.json.decode(body, type=_Message).settle
    except msgspec.MsgspecError as error:  # its message has no values
        raise NotAnEvent("bad_job", f"a job is malformed: {error}") from error


def delay_seconds(emails: int) -> int:
    """Return how long a job of a network waits for further changes of its evidence.

    The delay grows with the network, which limits how many emails a second its jobs settle.

    Args:
        emails: number of emails that were clicked from the network.
    """
    return min(_LONGEST_SECONDS, max(_SHORTEST_SECONDS, emails // _EMAILS_A_SECOND))

"""Mailpulse's exceptions.

MailpulseError
├── ConfigError         a setting is missing or invalid
├── NotAnEvent          a queue message is not an SES event
├── NotStored           messages of a batch could not be stored
├── NewerRules          newer rules have classified an email
├── InvalidRequest      a WebSocket request is invalid
├── Unauthorized        a connection is not, or no longer, authorized
│   └── Forbidden       access is denied even with a valid token
├── PipelineFault       the pipeline is late or fails
├── AwsError            an AWS call failed, after retries
│   └── ConditionFailed the condition of a write failed
└── CommandError        an operator's command cannot continue

Every message states what was wrong and how to fix it. It may quote settings and identifiers, but
never the contents of an email, a request or a service's response, only their type and size, because
messages appear in logs, dead letters and Lambda's own reports.
"""

from typing import Any

from chalicelib.dynamodb import Item


class MailpulseError(Exception):
    """Base class of Mailpulse's exceptions."""


class ConfigError(MailpulseError):
    """A setting is missing or invalid."""


class NotAnEvent(MailpulseError):
    """A queue message is not an SES event.

    Attributes:
        reason: a short identifier for logs and counters, such as `bad_json`.
    """

    def __init__(self, reason: str, message: str) -> None:
        super().__init__(message)
        self.reason = reason


class NotStored(MailpulseError):
    """Messages of a batch could not be stored; SQS must deliver the whole batch again."""


class NewerRules(MailpulseError, ValueError):
    """Newer rules have classified an email, so that only newer code may settle it."""


class InvalidRequest(MailpulseError):
    """A WebSocket request is invalid or cannot be served.

    Attributes:
        code: one of the protocol's error codes.
        reply: the reply to the request; None if not set yet.
    """

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code
        self.reply: dict[str, Any] | None = None


class Unauthorized(MailpulseError):
    """A connection is not, or no longer, authorized; the message contains the reason.

    Attributes:
        reply: the reply to the rejected request, or None.
    """

    reply: dict[str, Any] | None = None


class Forbidden(Unauthorized):
    """Access is denied even with a valid token."""


class PipelineFault(MailpulseError):
    """The pipeline is late or fails, or could not be checked; the message lists all problems."""


class AwsError(MailpulseError):
    """An AWS call failed, after retries.

    Attributes:
        code: the service's error code, such as `ThrottlingException`.
    """

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


class ConditionFailed(AwsError):
    """The condition of a write failed.

    Attributes:
        item: the existing item, in DynamoDB JSON; empty if there is none.
    """

    def __init__(self, item: Item) -> None:
        super().__init__("ConditionalCheckFailedException", "the condition was not met")
        self.item = item


class CommandError(MailpulseError):
    """An operator's command cannot continue; the message is one line for a terminal."""


def shape(value: object) -> str:
    """Return the type and size of a value, for messages that must not quote it."""
    match value:
        case None:
            return "null or missing"
        case str():
            return f"a text of {len(value)} characters"
        case list():
            return f"a list of {len(value)}"
        case dict():
            return f"an object of {len(value)} members"
    return f"a {type(value).__name__}"


def trace(error: BaseException) -> str:
    """Return an error's type and traceback, for logs.

    Only Mailpulse's own errors are quoted: other messages may contain the value that caused them.
    """
    places = []
    step = error.__traceback__
    while step is not None:
        file_name = step.tb_frame.f_code.co_filename.rpartition("/")[2]
        places.append(f"{file_name}:{step.tb_lineno}")
        step = step.tb_next
    text = f": {error}" if isinstance(error, MailpulseError) else ""
    found = f"{type(error).__name__}{text} ({' > '.join(places)})"
    cause = error.__cause__ or (None if error.__suppress_context__ else error.__context__)
    return found if cause is None else f"{found}, from {trace(cause)}"

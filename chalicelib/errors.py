"""The errors that Mailpulse raises on purpose.

MailpulseError
├── ConfigError         a setting is missing or makes no sense
├── NotAnEvent          a queue message holds no SES event
├── NotStored           messages of a batch could not be stored
├── NewerRules          newer rules have judged a message
├── InvalidRequest      a WebSocket request cannot be served
├── Unauthorized             somebody may not come in, or no longer stay
│   └── Forbidden       … however good the token
├── AwsError            an AWS call failed and was not cured by retrying
│   └── ConditionFailed a conditional write met another state
└── CommandError        an operator's command cannot go on

Every message says what was wrong and what to do. It quotes settings and identifiers, and never what
an email, a request or a service's response holds: it describes only their type and size. Messages
end up in logs, in dead letters and in Lambda's own reports.
"""

from typing import Any


class MailpulseError(Exception):
    """Base of all errors that Mailpulse raises on purpose."""


class ConfigError(MailpulseError):
    """A setting is missing or makes no sense."""


class NotAnEvent(MailpulseError):
    """A queue message holds no SES event.

    Attributes:
        reason: a short name for logs and counts, such as `bad_json`.
    """

    def __init__(self, reason: str, message: str) -> None:
        super().__init__(message)
        self.reason = reason


class NotStored(MailpulseError):
    """Messages of a batch could not be stored, and SQS is to deliver the whole batch again."""


class NewerRules(MailpulseError, ValueError):
    """Newer rules have judged a message, so that only newer code may settle it."""


class InvalidRequest(MailpulseError):
    """A WebSocket request cannot be served.

    Attributes:
        code: one of the protocol's error codes.
        reply: the answer to the request, where it could be read that far.
    """

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code
        self.reply: dict[str, Any] | None = None


class Unauthorized(MailpulseError):
    """Somebody may not come in, or no longer stay; says why.

    Attributes:
        reply: the answer to the request that was refused, where there is one.
    """

    reply: dict[str, Any] | None = None


class Forbidden(Unauthorized):
    """Whoever it is may not come in, however good the token."""


class AwsError(MailpulseError):
    """An AWS call failed and was not cured by retrying.

    Attributes:
        code: the service's own error code, such as `ThrottlingException`.
    """

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


class ConditionFailed(AwsError):
    """A conditional write met another state.

    Attributes:
        item: the item as it was found, in DynamoDB JSON; empty when there was none.
    """

    def __init__(self, item: dict[str, Any]) -> None:
        super().__init__("ConditionalCheckFailedException", "the item was in another state")
        self.item = item


class CommandError(MailpulseError):
    """An operator's command cannot go on; the message is one line for a terminal."""


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
    """Return what failed and where, for logs.

    Only Mailpulse's own errors are quoted: the text of any other may hold the value that caused it.
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

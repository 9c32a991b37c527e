"""Signed requests to AWS, with timeouts and retries, and calls to its JSON and Query services.

Callers use the services' own JSON, and handle only the exceptions of errors.py. A call whose
response was lost is retried, so every call must be idempotent: writes set absolute values, or have
a condition that fails after a successful first attempt (ConditionFailed then contains the item, in
which the caller recognizes its own write). There are four harmless exceptions. A message may be
sent to a queue twice; slots reserved twice from the rate limiter only cause a pause; viewers that
receive a push twice keep their state; and an alarm that is published twice has the same
deduplication id.
"""

import base64
import math
import os
import random
import re
import ssl
import time
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any, Literal, NamedTuple, Protocol, overload
from urllib.parse import urlencode

import msgspec

from chalicelib.aws.connection_pool import ConnectionPool, Timeouts
from chalicelib.aws.credentials import credentials
from chalicelib.aws.http11 import Response, header_lines, is_success, parse_url, request
from chalicelib.aws.sigv4 import Credentials, Signer, Signing, payload_hash
from chalicelib.config import Config
from chalicelib.dynamodb import BatchWriteItemOutput, GetItemOutput, PageOutput, UpdateItemOutput
from chalicelib.errors import AwsError, ConditionFailed

# These services respond within milliseconds; a request that takes seconds has failed.
_DEADLINES = Timeouts(connect=2, answer=5)
# No call uses long polling.
_DEADLINES_OF_SQS = Timeouts(connect=1, answer=2)
ATTEMPT_SECONDS = _DEADLINES.connect + _DEADLINES.answer
ATTEMPT_SECONDS_OF_SQS = _DEADLINES_OF_SQS.connect + _DEADLINES_OF_SQS.answer
_ATTEMPTS = 4
# Maximum pause before the second attempt; it doubles for each further attempt.
_PAUSE_SECONDS = 0.25

_THROTTLED = {
    "LimitExceededException",
    "ProvisionedThroughputExceededException",
    "RequestLimitExceeded",
    "RequestThrottled",
    "ThrottledException",
    "Throttling",
    "ThrottlingException",
    "TooManyRequestsException",
    "TransactionInProgressException",
}
# Errors whose message concerns only the caller, the resource or a limit. Messages of other errors
# are not quoted: they may repeat values of the request ("Value '…' at '…' failed to satisfy
# constraint"), or its headers with the session token (SignatureDoesNotMatch).
# https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Programming.Errors.html
# https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-troubleshooting.html
_QUOTABLE = {
    *_THROTTLED,
    "AWS.SimpleQueueService.NonExistentQueue",
    "AccessDenied",
    "AccessDeniedException",
    "AuthorizationError",
    "ExpiredTokenException",
    "NotFound",
    "RequestTooLargeException",
    "ResourceNotFoundException",
    "TrimmedDataAccessException",
    "UnrecognizedClientException",
}
_CONDITION_FAILED = "ConditionalCheckFailedException"


class Service(Protocol):
    """An AWS service."""

    @overload
    def call(self, operation: Literal["get_item"], **parameters: Any) -> GetItemOutput: ...
    @overload
    def call(self, operation: Literal["query", "scan"], **parameters: Any) -> PageOutput: ...
    @overload
    def call(self, operation: Literal["update_item"], **parameters: Any) -> UpdateItemOutput: ...
    @overload
    def call(
        self, operation: Literal["batch_write_item"], **parameters: Any
    ) -> BatchWriteItemOutput: ...
    @overload
    def call(self, operation: str, **parameters: Any) -> Any: ...
    def call(self, operation: str, **parameters: Any) -> Any:
        """Call an operation, such as `update_item`, with retries after throttling and 5xx errors.

        Raises:
            ConditionFailed: the condition of a write failed; contains the existing item.
            AwsError: the call failed for another reason, after retries.
        """


Services = Callable[[str], Service]
"""Returns a service by its name, such as `dynamodb`."""


class _Api(NamedTuple):
    """A service's names in X-Amz-Target, in its host name and in signatures, and a size limit.

    Lambda operations are addressed by path and have no target. A service with the Query protocol
    has the version of its API instead.

    Attributes:
        max_response: maximum length of a response's body, in bytes.
    """

    target: str
    host: str
    signing_name: str
    max_response: int


_KIB, _MIB = 1024, 1024**2

_APIS = {
    # A page of Query or Scan has at most 1 MB of items; JSON adds escapes and type names.
    # BatchGetItem has at most 16 MB, of which 100 items of these tables take a fraction.
    # https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Constraints.html
    "dynamodb": _Api("DynamoDB_20120810", "dynamodb", "dynamodb", 16 * _MIB),
    # GetRecords has at most 1 MB of records, in the same JSON.
    # https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_streams_GetRecords.html
    "dynamodbstreams": _Api("DynamoDBStreams_20120810", "streams.dynamodb", "dynamodb", 16 * _MIB),
    # Ids, checksums and queue attributes; no function receives messages through this client.
    # https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_SendMessage.html
    "sqs": _Api("AmazonSQS", "sqs", "sqs", 64 * _KIB),
    # At most 1,440 data points.
    # https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_GetMetricStatistics.html
    "cloudwatch": _Api("GraniteServiceVersion20100801", "monitoring", "monitoring", _MIB),
    # An asynchronous invocation has no payload, and an error is short.
    # https://docs.aws.amazon.com/lambda/latest/api/API_Invoke.html
    "lambda": _Api("", "lambda", "lambda", 64 * _KIB),
    # The id of a message.
    # https://docs.aws.amazon.com/sns/latest/api/API_Publish.html
    "sns": _Api("2010-03-31", "sns", "sns", 64 * _KIB),
}

Headers = tuple[tuple[str, str], ...]
"""Header names, in lower case, and values."""


class TimeLimit:
    """Deadline of an invocation's calls, shared by all services of a process.

    Attributes:
        until: epoch seconds. No attempt starts after it, and a call that was never attempted raises
            AwsError with the code `OutOfTime`.
    """

    def __init__(self) -> None:
        self.until = math.inf


def services(config: Config, limit: TimeLimit) -> Services:
    """Return a builder of a function's services, in its region and with its role's credentials."""

    def build(name: str) -> Service:
        if name == "sns":
            return QueryService(name, config, limit=limit)
        deadlines = _DEADLINES_OF_SQS if name == "sqs" else _DEADLINES
        return JsonService(name, config, deadlines=deadlines, limit=limit)

    return build


class SignedRequests:
    """Client that sends signed requests to one service, and retries transient failures.

    Args:
        name: one of `dynamodb`, `dynamodbstreams`, `sqs`, `cloudwatch`, `lambda` and `sns`.
        config: provides the region and the endpoint.
        deadlines: timeouts of each attempt.
        limit: deadline of all attempts.
        context: returns the SSL context that verifies the server's certificate; None for the
            default.
        clock: returns epoch seconds.
        pause: sleeps for a number of seconds.
    """

    def __init__(  # noqa: PLR0913 - all but two have defaults
        self,
        name: str,
        config: Config,
        *,
        deadlines: Timeouts = _DEADLINES,
        limit: TimeLimit | None = None,
        context: Callable[[str], ssl.SSLContext] | None = None,
        clock: Callable[[], float] = time.time,
        pause: Callable[[float], None] = time.sleep,
    ) -> None:
        self._api = _APIS[name]
        self._region = config.region
        origin, path = parse_url(
            config.endpoint_of(name) or f"https://{self._api.host}.{config.region}.amazonaws.com"
        )
        self._host = origin.authority
        self._path = path
        self._wire = ConnectionPool(
            origin, deadlines, self._api.max_response, **({"context": context} if context else {})
        )
        self._limit = limit or TimeLimit()
        self._clock = clock
        self._pause = pause

    def post(self, operation: str, path: str, headers: Headers, body: bytes) -> dict[str, Any]:
        """Send a request, with retries after throttling and 5xx errors.

        Args:
            operation: name of the operation in errors, such as `update_item`.
            path: percent-encoded, without a query.
            headers: all headers except the host.
            body: the request's body.

        Returns:
            The JSON of the response; empty if it has none.

        Raises:
            ConditionFailed: the condition of a write failed; contains the existing item.
            AwsError: the request failed for another reason, after retries.
        """
        path, headers = self._path + path, (("host", self._host), *headers)
        failure = AwsError(
            "OutOfTime", f"{operation} was not called: the invocation is about to time out"
        )
        for attempt in range(_ATTEMPTS):
            pause = random.random() * _PAUSE_SECONDS * 2 ** (attempt - 1) if attempt else 0.0  # noqa: S311 - jitter
            if self._clock() + pause >= self._limit.until:
                break
            if pause:
                self._pause(pause)
            try:
                return self._attempt(operation, path, headers, body)
            except _Passing as error:
                failure = error.failure
        raise failure

    def _attempt(self, operation: str, path: str, headers: Headers, body: bytes) -> dict[str, Any]:
        signing, lines = _prepared(
            headers, credentials(), self._region, self._api.signing_name, int(self._clock())
        )
        authorization = signing.authorization("POST", path, payload_hash(body))
        lines = f"{lines}authorization: {authorization}\r\n"
        try:
            response = self._wire.exchange(request("POST", path, lines, body))
            found = self._parsed(response.body)
        except ssl.SSLCertVerificationError as error:
            raise AwsError("CertificateNotTrusted", f"{operation} failed: {error}") from error
        except (OSError, ValueError) as error:
            failure = AwsError(type(error).__name__, f"{operation} failed: no response ({error})")
            raise _Passing(failure) from error
        if is_success(response.status):
            return found
        raise _error(operation, response, found)

    def _parsed(self, body: bytes) -> dict[str, Any]:
        """Parse the body of a response.

        Raises:
            ValueError: the body is not of the service's protocol.
        """
        return _parsed(body)


class JsonService(SignedRequests):
    """A service with AWS's JSON 1.0 protocol: any except `lambda` and `sns`."""

    def call(self, operation: str, **parameters: Any) -> Any:
        """Call an operation; see Service.call."""
        if operation == "transact_write_items":
            # The token makes retries idempotent.
            parameters.setdefault("ClientRequestToken", os.urandom(16).hex())
        try:
            body = msgspec.json.encode(parameters)
        except UnicodeEncodeError as error:
            raise AwsError("NotUnicode", f"{operation} failed: {error}") from error
        return self.post(operation, "/", _target(self._api.target, operation), body)


class QueryService(SignedRequests):
    """A service with AWS's Query protocol, `sns`: requests are forms, and responses are XML.

    https://smithy.io/2.0/aws/protocols/aws-query-protocol.html
    """

    def call(self, operation: str, **parameters: Any) -> Any:
        """Call an operation, with the parameters as the protocol flattens them; see Service.call.

        Returns:
            An empty object: no caller needs what is in the response.
        """
        action = operation.title().replace("_", "")
        form = {"Action": action, "Version": self._api.target, **flattened(parameters)}
        try:
            body = urlencode(form).encode()
        except UnicodeEncodeError as error:
            raise AwsError("NotUnicode", f"{operation} failed: {error}") from error
        return self.post(operation, "/", _FORM, body)

    def _parsed(self, body: bytes) -> dict[str, Any]:
        if _XML.match(body) is None:
            raise ValueError(f"{len(body)} bytes that are not XML")
        code, message = _ERROR_CODE.search(body), _ERROR_MESSAGE.search(body)
        return {
            **({"__type": code[1].decode()} if code else {}),
            **({"message": message[1].decode(errors="replace")} if message else {}),
        }


def flattened(parameters: Mapping[str, Any]) -> dict[str, str]:
    """Return parameters as the Query protocol has them: `MessageAttributes.entry.1.Name`.

    Args:
        parameters: texts, and maps of structures of texts.
    """
    found: dict[str, str] = {}
    for name, value in parameters.items():
        if isinstance(value, str):
            found[name] = value
            continue
        for number, (key, members) in enumerate(value.items(), start=1):
            entry = f"{name}.entry.{number}"
            found[f"{entry}.Name"] = key
            found |= {f"{entry}.Value.{member}": text for member, text in members.items()}
    return found


_FORM: Headers = (("content-type", "application/x-www-form-urlencoded; charset=utf-8"),)
_XML = re.compile(rb"\s*<")
# Errors only: a response has neither element.
_ERROR_CODE = re.compile(rb"<Code>([\w.]+)</Code>")
_ERROR_MESSAGE = re.compile(rb"<Message>([^<]*)</Message>")


class _Passing(Exception):
    """A failure that a retry may resolve."""

    def __init__(self, failure: AwsError) -> None:
        super().__init__(str(failure))
        self.failure = failure


def _error(operation: str, response: Response, found: Mapping[str, Any]) -> Exception:
    # SQS also returns its well-known legacy error codes, in this header.
    query_error = response.header("x-amzn-query-error").partition(";")[0]
    rest_error = response.header("x-amzn-errortype").partition(":")[0]  # Lambda's
    named = found.get("__type") or rest_error or f"HTTP {response.status}"
    code = query_error or str(named).rpartition("#")[2]
    if code == _CONDITION_FAILED:
        return ConditionFailed(found.get("Item", {}))
    message = found.get("message") or found.get("Message") or "no error message"
    if code not in _QUOTABLE:
        message = f"message of {len(str(message))} characters omitted, it may quote the request"
    failure = AwsError(code, f"{operation} failed: {code}: {message}")
    if response.status >= 500 or response.status == 429 or code in _THROTTLED:  # noqa: PLR2004 - HTTP statuses
        return _Passing(failure)
    return failure


@lru_cache(maxsize=64)
def _target(target: str, operation: str) -> Headers:
    """Return the headers that select an operation."""
    name = operation.title().replace("_", "")
    return ("content-type", "application/x-amz-json-1.0"), ("x-amz-target", f"{target}.{name}")


@lru_cache(maxsize=64)  # many calls share a second
def _prepared(
    headers: Headers, credentials: Credentials, region: str, signing_name: str, now: int
) -> tuple[Signing, str]:
    """Prepare the signing of requests of one second that differ only in their bodies."""
    signing = Signer(credentials, region, signing_name, now).prepared(dict(headers))
    return signing, header_lines(signing.headers)


def _parsed(body: bytes) -> dict[str, Any]:
    """Parse a response's JSON. Errors do not quote it, because it may contain addresses.

    Raises:
        ValueError: the body is not a JSON object.
    """
    try:
        found = msgspec.json.decode(body or b"{}")
    except msgspec.DecodeError as error:
        raise ValueError(f"{len(body)} bytes that are not JSON: {error}") from error
    if not isinstance(found, dict):
        raise ValueError(f"{len(body)} bytes of JSON that are not an object")  # noqa: TRY004 - a type of JSON, not of Python
    # Binary values and times are rare, so most responses need no conversion.
    special = b'"B"' in body or b'"ApproximateCreationDateTime"' in body
    return _rich(found) if special else found


def _rich(found: dict[str, Any]) -> dict[str, Any]:
    """Convert values that JSON cannot represent: binary values, and times."""
    if len(found) == 1 and isinstance(text := found.get("B"), str):
        return {"B": base64.b64decode(text)}
    return {name: _rich_member(name, value) for name, value in found.items()}


def _rich_member(name: str, value: Any) -> Any:
    if isinstance(value, dict):
        return _rich(value)
    if isinstance(value, list):
        return [_rich_member(name, one) for one in value]
    if name == "ApproximateCreationDateTime" and isinstance(value, int | float):
        return datetime.fromtimestamp(value, UTC)
    return value

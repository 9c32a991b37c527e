"""A function invokes itself with boto3's request, and detects a rejected event quickly."""

import json

import boto3
import pytest
from botocore.config import Config as Boto3Config
from msgspec.structs import replace
from support.stub import Stub, hangs_up, is_slow, replies

from chalicelib.aws.connection_pool import Timeouts
from chalicelib.aws.invoke import Invocations
from chalicelib.config import Config
from chalicelib.errors import AwsError, ConfigError

NAME = "mailpulse-prod-publish"
EVENT = '{"push":{"topic":"stats/email-campaign/frühling"}}'.encode()
ACCEPTED = replies(202, b"")


@pytest.fixture
def stub(monkeypatch):
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIAFIRST")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "secret")
    monkeypatch.delenv("AWS_SESSION_TOKEN", raising=False)
    with Stub(usual=ACCEPTED) as stub:
        yield stub


def config(stub, name=NAME):
    environ = {
        **dict.fromkeys(
            (
                *("EVENTS_TABLE", "STATS_TABLE", "SUBSCRIPTIONS_TABLE", "PSEUDONYM_KEY"),
                *("QUEUE_URL", "DEAD_LETTER_QUEUE_URL", "EVENTS_STREAM_ARN"),
            ),
            "x",
        ),
        "AWS_LAMBDA_FUNCTION_NAME": name,
        "AWS_ENDPOINT_URL_LAMBDA": f"http://127.0.0.1:{stub.port}",
    }
    return Config.from_environ(environ)


def invocations(stub, **options):
    return Invocations(config(stub), "publish", pause=lambda _: None, **options)


def read(request):
    """Return a request's first line, headers and body."""
    head, _, body = request.partition(b"\r\n\r\n")
    first, *lines = head.decode().splitlines()
    headers = dict(line.lower().split(": ", 1) for line in lines)
    return first, headers, body


def test_the_request_equals_that_of_boto3(stub):
    boto3.client(
        "lambda",
        "us-east-1",
        endpoint_url=f"http://127.0.0.1:{stub.port}",
        config=Boto3Config(retries={"total_max_attempts": 1}),
    ).invoke(FunctionName=NAME, InvocationType="Event", Payload=EVENT)

    invocations(stub).invoke(EVENT)

    (first, of_boto3, body), (line, headers, payload) = map(read, stub.requests)
    assert line == first == f"POST /2015-03-31/functions/{NAME}/invocations HTTP/1.1"
    assert payload == body == EVENT
    assert headers["x-amz-invocation-type"] == of_boto3["x-amz-invocation-type"] == "event"
    assert "/us-east-1/lambda/aws4_request" in headers["authorization"]
    assert "/us-east-1/lambda/aws4_request" in of_boto3["authorization"]


def test_connections_are_reused_for_the_next_batch(stub):
    own = invocations(stub)
    for _ in range(3):
        own.invoke(EVENT)

    assert (len(stub.requests), stub.connections) == (3, 1)


@pytest.mark.parametrize(
    "fault",
    [
        hangs_up,
        replies(500, b'{"Message": "busy"}', "x-amzn-errortype: ServiceException"),
        replies(429, b'{"Message": "slow down"}', "x-amzn-errortype: TooManyRequestsException:"),
    ],
)
def test_transient_errors_are_retried(stub, fault):
    stub.plan.append(fault)

    invocations(stub).invoke(EVENT)

    assert len(stub.requests) == 2


@pytest.mark.parametrize(
    ("status", "code", "times"),
    [
        (429, "TooManyRequestsException", 4),
        (413, "RequestTooLargeException", 1),
        (403, "AccessDeniedException", 1),
        (404, "ResourceNotFoundException", 1),
    ],
)
def test_a_persistent_error_is_raised_with_its_reason(stub, status, code, times):
    body = json.dumps({"Type": "User", "Message": "because"}).encode()
    stub.usual = replies(status, body, f"x-amzn-ErrorType: {code}:http://internal.amazon.com/")

    with pytest.raises(AwsError, match=f"invoke failed: {code}: because") as failed:
        invocations(stub).invoke(EVENT)

    assert failed.value.code == code
    assert len(stub.requests) == times


def test_an_unresponsive_lambda_endpoint_times_out(stub):
    stub.usual = is_slow(1)
    soon = Timeouts(connect=0.1, answer=0.1)

    with pytest.raises(AwsError, match="no response"):
        invocations(stub, deadlines=soon).invoke(EVENT)


def test_invoking_outside_of_lambda_is_an_error(stub):
    with pytest.raises(ConfigError, match="AWS_LAMBDA_FUNCTION_NAME is not set"):
        Invocations(replace(config(stub), function_name=""), "publish")

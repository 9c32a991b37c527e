"""The modules that a function loads before its first event; imports dominate a cold start."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

import app
from chalicelib.functions import NAMES

ROOT = Path(__file__).parents[2]

ENVIRONMENT = {
    **dict.fromkeys(
        (
            *("EVENTS_TABLE", "STATS_TABLE", "SUBSCRIPTIONS_TABLE", "PSEUDONYM_KEY"),
            *("QUEUE_URL", "DEAD_LETTER_QUEUE_URL", "EVENTS_STREAM_ARN"),
            *("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"),
        ),
        "x",
    ),
    # No server listens there: each call fails at once.
    "AWS_ENDPOINT_URL": "http://127.0.0.1:1",
    "CONNECTIONS_ENDPOINT": "{endpoint}/{api_id}/{stage}",
    "REPORTS_BATCH_ITEM_FAILURES": "true",
    "AWS_LAMBDA_FUNCTION_NAME": "mailpulse-test-publish",
}

RUN = """
import json, sys
sys.path[:0] = [{root!r}, {tests!r}]
import app
from importlib import import_module
from chalicelib.aws import client
from chalicelib.errors import AwsError

def function(name):
    return import_module("chalicelib.functions." + name)

client._PAUSE_SECONDS = 0
imported = set(sys.modules)
{run}
print(json.dumps(sorted({{name.partition(".")[0] for name in imported | set(sys.modules)}})))
"""

CONTEXT = {
    "requestContext": {
        "connectionId": "viewer-1",
        "apiId": "api-1",
        "stage": "test",
        "connectedAt": 0,
    }
}

UNREADABLE = {
    "eventSourceARN": "stream",
    "eventName": "INSERT",
    "dynamodb": {"SequenceNumber": "1" * 21, "ApproximateCreationDateTime": 1, "Keys": {}},
}
COUNTED = {"Records": [UNREADABLE], "shardId": "shard-1"}
IMAGE = {"campaign": {"S": "spring"}, "part": {"S": "summary"}, "v": {"N": "1"}}
BATCH = {
    "push": {
        "topic": "stats/health",
        "until": 2**40,
        "groups": [{"frames": ["{}"], "connections": {"api-1/test": [["viewer-1", 0]]}}],
    }
}
CHANGED = {"Records": [{"dynamodb": {"NewImage": IMAGE, "ApproximateCreationDateTime": 1}}]}


def printed(program, **variables):
    """Return the last line, as JSON, of a process that imports the functions and runs code."""
    done = subprocess.run(
        [sys.executable, "-c", program],
        env=ENVIRONMENT | variables,
        capture_output=True,
        text=True,
        check=True,
    )
    return set(json.loads(done.stdout.splitlines()[-1]))


def loaded(run):
    """Return the packages that such a process has loaded."""
    return printed(RUN.format(root=str(ROOT), tests=str(ROOT / "tests"), run=run))


def loaded_late(function, run):
    """Return our modules that a function's process in Lambda loads only with its first event."""
    program = (
        RUN.partition("print(")[0]
        + """
print(json.dumps([name for name in set(sys.modules) - imported if name.startswith("chalicelib")]))
"""
    )
    program = program.format(root=str(ROOT), tests=str(ROOT / "tests"), run=run)
    return printed(program, _HANDLER=f"app.{function}")


def attempt(call):
    """Return code that runs an expression and ignores its failure; only its imports matter."""
    return f"""
try:
    {call}
except AwsError as error:
    assert "no response" in str(error), error
else:
    raise AssertionError("it made no call")
"""


RUNS = {
    "nothing yet": "",
    "aggregate": attempt(f"function('aggregate').handler({COUNTED!r})"),
    "publish": attempt(f"function('publish').handler({CHANGED!r})")
    + """
of_large_topics = {
    "chalicelib.live.large_topics", "chalicelib.live.rate_limit", "chalicelib.aws.invoke"
}
assert not of_large_topics & set(sys.modules)
""",
    "publish_visible": attempt(f"function('publish_visible').handler({CHANGED!r})"),
    "a push at once": attempt("function('aggregate').function().push_now.args[0]().invoke(b'{}')"),
    "a reservation": attempt(
        "function('publish').function().large_topics()._limiter.reserve(500, 2**40)"
    ),
    "an invocation for a batch": attempt(
        "function('publish').function().large_topics()._invoke(b'{}')"
    ),
    "a batch": attempt(f"function('publish').handler({BATCH!r})"),
    "watch": attempt("function('watch').handler({})"),
    "disconnect": attempt(f"function('disconnect').handler({CONTEXT!r})"),
    "connect": f"assert function('connect').handler({CONTEXT!r})['statusCode'] == 200",
    "message": f"function('message').handler({{**{CONTEXT!r}, 'body': '{{}}'}})",
    "ingest": """
from support import ses
answer = function('ingest').handler(ses.in_sqs_event(ses.raw(ses.an_open())))
assert len(answer["batchItemFailures"]) == 1
""",
    "fan-out": """
from chalicelib.live.permissions import Connection
viewers = [Connection(str(one), "api-1/test", 0) for one in range(3)]
outcomes = list(function('publish').function().frame_sender.to_all(viewers, ["frame"], until=2**40))
assert [outcome for _, outcome in outcomes] == ["failed"] * 3
assert "chalicelib.live.fan_out" in sys.modules
""",
}


@pytest.mark.parametrize("run", RUNS.values(), ids=RUNS)
def test_no_function_loads_boto3(run):
    assert not loaded(run) & {"boto3", "botocore", "urllib3"}


@pytest.mark.parametrize("run", RUNS.values(), ids=RUNS)
def test_no_function_loads_slow_modules_except_cryptography_for_tokens(run):
    assert not loaded(run) & {"asyncio", "dataclasses", "pathlib", "cryptography", "jwt"}


@pytest.mark.parametrize("function", NAMES)
def test_a_function_loads_everything_it_needs_before_its_first_event(function):
    assert loaded_late(function, RUNS[function]) == set()


def test_a_function_does_not_load_the_modules_of_others():
    of_ingest = {
        "chalicelib.functions.ingest",
        "chalicelib.ses.parse",
        "chalicelib.facts.table",
    }
    program = RUN.partition("print(")[0] + "print(json.dumps(sorted(imported)))"
    program = program.format(root=str(ROOT), tests=str(ROOT / "tests"), run="")

    assert of_ingest <= printed(program, _HANDLER="app.ingest")
    assert not of_ingest & printed(program, _HANDLER="app.aggregate")


def test_every_lambda_handler_is_prepared():
    """Lambda passes the handler's name, which Chalice sets, in `_HANDLER`."""
    triggered = [*app.app.event_sources, *app.app.websocket_handlers.values()]

    assert {one.handler_string for one in triggered} == {f"app.{name}" for name in NAMES}

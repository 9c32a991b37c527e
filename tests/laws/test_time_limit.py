"""Under any DynamoDB faults, ingest returns before its timeout and reports unstored events.

The functions' own client calls DynamoDB in memory, in simulated time and sequentially; parallel
calls are faster.
"""

import json
from contextlib import redirect_stdout
from io import StringIO

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support import ses
from support.generate import events
from support.memory import MemoryDynamo
from support.parts import Parts, install
from support.world import CONFIG, START

import app
from chalicelib.aws.client import ATTEMPT_SECONDS, JsonService
from chalicelib.aws.http11 import Response
from chalicelib.aws.queues import Queues
from chalicelib.errors import AwsError, ConditionFailed
from chalicelib.facts.table import EventsTable
from chalicelib.functions.ingest import retry_seconds
from chalicelib.stats.networks import Networks

TIME_OUT = 30
CALL_SECONDS = 0.01
THROTTLED = {"__type": "x#ThrottlingException", "message": "slow down"}


@pytest.fixture(autouse=True, scope="module")
def _credentials():
    with pytest.MonkeyPatch.context() as patched:
        for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
            patched.setenv(name, "testing")
        yield


def one_by_one(tasks):
    for task in tasks:
        task()


class Lambda:
    """Runs ingest in simulated time.

    Attributes:
        now: epoch seconds.
        faults: the faults of the next calls to DynamoDB: `throttled`, `hangs`, `lost` (the call
            takes effect, but its response is lost), `unprocessed` (half a batch), or None.
        usual: the fault of all later calls.
        delays: the seconds after which SQS makes messages visible again, by receipt handle.
    """

    def __init__(self, dynamo=None, faults=(), usual=None):
        self.now = START
        self.dynamo = dynamo or MemoryDynamo(lambda: self.now)
        self.faults = list(faults)
        self.usual = usual
        self.delays = {}
        self.parts = Parts(CONFIG, clock=lambda: self.now)
        client = JsonService(
            "dynamodb", CONFIG, limit=self.parts.limit, clock=lambda: self.now, pause=self.pause
        )
        client._wire = self
        self.parts.dynamo = client
        self.parts.events_table = EventsTable(
            client, CONFIG.events_table, retention_days=90, clock=lambda: START, pause=self.pause
        )
        self.parts.networks = Networks(
            client, CONFIG.stats_table, clock=lambda: START, pause=self.pause
        )
        self.parts.queues = Queues(self, self, "queue", "dead")
        self.parts.run = one_by_one

    def run(self, records):
        """Ingest records; return the ids of the reported ones."""
        with redirect_stdout(StringIO()):
            answer = self.parts.ingest.batch(records, TIME_OUT)
        assert self.now < START + TIME_OUT
        return {one["itemIdentifier"] for one in answer["batchItemFailures"]}

    def pause(self, seconds):
        self.now += seconds

    def call(self, operation, *, Entries, **_):
        assert operation == "change_message_visibility_batch"
        assert 0 < len(Entries) <= 10
        self.delays |= {one["ReceiptHandle"]: one["VisibilityTimeout"] for one in Entries}
        return {"Successful": []}

    def exchange(self, request):
        self.now += CALL_SECONDS
        head, _, body = request.partition(b"\r\n\r\n")
        target = head.decode().lower().partition("x-amz-target: dynamodb_20120810.")[2]
        operation = OPERATIONS[target.partition("\r\n")[0]]
        fault = self.faults.pop() if self.faults else self.usual
        if fault == "throttled":
            return answer(400, THROTTLED)
        if fault == "hangs":
            self.now += ATTEMPT_SECONDS
            raise TimeoutError
        done = self._done(operation, json.loads(body), fault)
        if fault == "lost":
            raise OSError("the connection broke")
        return done

    def _done(self, operation, parameters, fault):
        left = {}
        if operation == "batch_write_item" and fault == "unprocessed":
            [(name, asked)] = parameters["RequestItems"].items()
            half = (len(asked) + 1) // 2
            left = {"UnprocessedItems": {name: asked[:half]}}
            if not asked[half:]:
                return answer(200, left)
            parameters = {"RequestItems": {name: asked[half:]}}
        try:
            return answer(200, self.dynamo.call(operation, **parameters) | left)
        except ConditionFailed as error:
            return answer(400, {"__type": "x#ConditionalCheckFailedException", "Item": error.item})


OPERATIONS = {
    one.replace("_", ""): one
    for one in ("put_item", "update_item", "batch_write_item", "query", "batch_get_item")
}


def answer(status, body):
    return Response(status, True, [], json.dumps(body).encode())


def records_of(happened):
    return ses.in_sqs_event(*map(ses.raw, happened))["Records"]


def stored(dynamo):
    """Return the items without their ranks, which depend on the order of writes."""
    return {
        (item["message_id"]["S"], item["fact"]["S"]): {
            name: value for name, value in item.items() if name != "z"
        }
        for item in dynamo.tables["EventsTable"].items()
    }


HUNDRED = [ses.an_open(f"m-{number}") for number in range(100)]


@pytest.mark.parametrize("usual", ["throttled", "hangs", "lost"])
@pytest.mark.parametrize("build", [ses.an_open, ses.a_send])
def test_a_batch_that_cannot_be_stored_ends_in_time_and_is_reported(usual, build):
    run = Lambda(usual=usual)
    records = records_of([build(f"m-{number}") for number in range(100)])

    assert run.run(records) == {one["messageId"] for one in records}


def test_reported_messages_are_visible_again_within_seconds():
    run = Lambda(usual="throttled")
    records = records_of(HUNDRED)
    records[7]["attributes"]["ApproximateReceiveCount"] = "50"

    run.run(records)

    late = run.delays.pop("receipt-7")
    assert 225 <= late <= 300
    assert len(run.delays) == 99
    assert {*run.delays.values()} <= {3, 4, 5}
    assert len({*run.delays.values()}) > 1, "not all at the same time"


def test_without_faults_no_message_is_reported_or_changes_its_visibility():
    run = Lambda()

    assert run.run(records_of(HUNDRED)) == set()
    assert run.delays == {}
    assert len(stored(run.dynamo)) == 200


faults = st.lists(st.sampled_from([None, "throttled", "hangs", "lost", "unprocessed"]), max_size=60)


@given(events, faults, st.sampled_from([None, "throttled"]))
def test_unreported_events_are_stored_and_reported_ones_are_not_lost(happened, failing, usual):
    whole = Lambda()
    whole.run(records_of(happened))
    records = records_of(happened)
    run = Lambda(faults=failing, usual=usual)

    reported = run.run(records)

    kept = Lambda()
    kept.run([one for one in records if one["messageId"] not in reported])
    assert stored(kept.dynamo).keys() <= stored(run.dynamo).keys()
    assert {*run.delays} == {
        one["receiptHandle"] for one in records if one["messageId"] in reported
    }
    # They are redelivered after DynamoDB has recovered.
    again = Lambda(run.dynamo)
    assert again.run([one for one in records if one["messageId"] in reported]) == set()
    assert stored(run.dynamo) == stored(whole.dynamo)


@given(st.lists(st.sampled_from([None, "throttled", "unprocessed"]), max_size=40))
def test_exactly_the_unstored_facts_are_reported(failing):
    records = records_of([ses.a_send(f"m-{number}") for number in range(60)])
    run = Lambda(faults=failing, usual="throttled")

    reported = run.run(records)

    found = {message for message, _ in stored(run.dynamo)}
    assert found == {
        f"m-{number}" for number, one in enumerate(records) if one["messageId"] not in reported
    }


def test_fifty_receives_outlast_an_outage_of_two_hours():
    assert sum(retry_seconds(count) for count in range(1, 51)) > 2 * 3600


def test_a_failed_visibility_change_does_not_alter_the_report():
    run = Lambda(usual="throttled")

    def refuse(*_, **__):
        raise AwsError("OverLimit", "no")

    run.call = refuse

    assert len(run.run(records_of(HUNDRED))) == 100


def test_ingest_ends_within_the_remaining_time_of_lambda(monkeypatch):
    run = Lambda(usual="throttled")
    install(monkeypatch, lambda: run.parts)

    class Context:
        def get_remaining_time_in_millis(self):
            return 12_000

    with redirect_stdout(StringIO()):
        app.ingest(ses.in_sqs_event(*map(ses.raw, HUNDRED)), Context())

    assert START < run.now < START + 12

"""The tables and queues of the template on moto, and functions that tests invoke directly."""

import json

import pytest
from support import handlers, moto_account, ses
from support.moto_account import client, make_stack
from support.parts import Parts, install
from support.world import START

from chalicelib.config import Config
from chalicelib.functions.publish import Publisher
from chalicelib.live.frame_sender import FrameSender
from chalicelib.live.large_topics import LargeTopics
from chalicelib.live.rate_limit import RateLimiter
from dashboard import aws_session
from dashboard.installation import Installation


def one_by_one(tasks):
    for task in tasks:
        task()


class FakeConnections:
    """Fake API Gateway that records the frames of each connection and fails on demand."""

    def __init__(self):
        self.sent = {}
        self.outcomes = {}

    def post(self, endpoint, connection_id, frame):
        planned = self.outcomes.get(connection_id)
        outcome = planned.pop(0) if planned else "sent"
        if outcome == "sent":
            self.sent.setdefault(connection_id, []).append(json.loads(frame))
        return outcome


class Pipeline:
    """Runs the functions one after the other, as their triggers would.

    Attributes:
        parts: the components of the functions.
        running: the components of the running function, if a test has replaced them.
        invoked: the events with which `publish` has invoked itself.
    """

    def __init__(self, config, monkeypatch):
        self.config = config
        self.connections = FakeConnections()
        self.services = aws_session.services(client)
        self.parts = Parts(config, services=self.services, clock=lambda: self.now)
        self.parts.run = one_by_one  # moto's tables are not thread-safe
        self.parts.frame_sender = FrameSender(
            self.connections, clock=lambda: self.now, pause=lambda _: None
        )
        install(monkeypatch, lambda: self.parts)
        self.running = self.parts
        self.now = START
        self.invoked = []
        rate_limiter = RateLimiter(
            self.parts.dynamo, config.subscriptions_table, 5000, clock=lambda: self.now
        )
        self.large_topics = LargeTopics(
            rate_limiter, self.invoked.append, clock=lambda: self.now, pause=lambda _: None
        )
        self.publisher = Publisher(
            self.parts.subscriptions,
            self.parts.frame_sender,
            lambda: self.large_topics,
            self.parts.snapshots,
            clock=lambda: self.now,
        )
        self._read = {}
        self._shards = {}

    def ingest(self, *events):
        bodies = [event if isinstance(event, str) else ses.raw(event) for event in events]
        return handlers.ingest(ses.in_sqs_event(*bodies))["batchItemFailures"]

    def stream(self, table):
        """Return the new records of a table's stream in Lambda's format."""
        dynamodb = client("dynamodb")
        arn = dynamodb.describe_table(TableName=table)["Table"]["LatestStreamArn"]
        streams = client("dynamodbstreams")
        shard = streams.describe_stream(StreamArn=arn)["StreamDescription"]["Shards"][0]["ShardId"]
        start = streams.get_shard_iterator(
            StreamArn=arn, ShardId=shard, ShardIteratorType="TRIM_HORIZON"
        )["ShardIterator"]
        records = streams.get_records(ShardIterator=start)["Records"]
        already = self._read.get(table, 0)
        self._read[table] = len(records)
        self._shards[table] = shard
        return [_as_lambda_sees(record, arn, self.now) for record in records[already:]]

    def shard(self, table):
        """Return the id of the shard whose records were read last."""
        return self._shards[table]

    def aggregate(self, records=None):
        records = self.stream(self.config.events_table) if records is None else records
        handlers.aggregate({"Records": records, "shardId": self.shard(self.config.events_table)})
        return records

    def publish(self):
        self.publisher.batch(self.stream(self.config.stats_table))

    def run_invocations(self):
        """Run the pending asynchronous invocations, as Lambda does."""
        while self.invoked:
            self.publisher.publish_batch(json.loads(self.invoked.pop(0)))

    def run(self, *events):
        assert self.ingest(*events) == []
        self.aggregate()
        self.publish()

    def ask(self, connection, **request):
        return list(self.parts.session.answer(connection, json.dumps(request)))

    def snapshot(self, connection, topic):
        [answer] = self.ask(connection, action="get", id=topic)
        return answer["snapshot"]

    def queue_messages(self, url):
        answer = client("sqs").receive_message(
            QueueUrl=url, MaxNumberOfMessages=10, MessageAttributeNames=["All"]
        )
        return answer.get("Messages", [])


def _as_lambda_sees(record, arn, created):
    return {
        "eventName": record["eventName"],
        "eventSourceARN": arn,
        "dynamodb": {**record["dynamodb"], "ApproximateCreationDateTime": created},
    }


class Mappings:
    """Fake Lambda client with the event source mapping of ingest, which can be disabled.

    Attributes:
        state: the mapping's state in Lambda's terms.
    """

    def __init__(self):
        self.state = "Enabled"

    def list_event_source_mappings(self, *, FunctionName):
        return {"EventSourceMappings": [{"UUID": "mapping-1", "State": self.state}]}

    def update_event_source_mapping(self, *, UUID, Enabled):
        self.state = "Enabled" if Enabled else "Disabled"


@pytest.fixture
def mappings():
    return Mappings()


@pytest.fixture
def installation(pipeline, mappings):
    """Return the installation that an operator's command works on."""

    def clients(service):
        return mappings if service == "lambda" else client(service)

    return Installation("test", clients, pipeline.config, lambda: pipeline.now)


@pytest.fixture(scope="session")
def made():
    """Return an account that contains the stack."""
    return moto_account.Filled(make_stack)


@pytest.fixture
def pipeline(made, monkeypatch):
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "testing")
    monkeypatch.delenv("AWS_ENDPOINT_URL", raising=False)
    with made.account() as outputs:
        config = Config(
            events_table=outputs["EventsTable"],
            stats_table=outputs["StatsTable"],
            subscriptions_table=outputs["SubscriptionsTable"],
            queue_url=outputs["QueueUrl"],
            dead_letter_queue_url=outputs["DeadLetterQueueUrl"],
            events_stream_arn=outputs["EventsStreamArn"],
            alarm_topic_arn=outputs["AlarmTopicArn"],
            pseudonym_key="key",
            reports_batch_item_failures=True,
        )
        yield Pipeline(config, monkeypatch)

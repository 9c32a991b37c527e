"""The health check that runs each minute: are the displayed numbers complete?"""

import json
from contextlib import suppress
from datetime import UTC, datetime, timedelta

import pytest
from support import handlers, moto_account, ses

from chalicelib.errors import AwsError, PipelineFault
from chalicelib.functions import watch
from chalicelib.live.permissions import Connection

VIEWER = Connection("viewer-1", "api-1/api", connected_at=0)
HEALTH = "stats/health"


@pytest.fixture
def check(pipeline):
    def run():
        with suppress(PipelineFault):
            handlers.watch({})
        return pipeline.snapshot(VIEWER, HEALTH)

    return run


def test_before_the_first_check_the_health_is_unknown(pipeline):
    health = pipeline.snapshot(VIEWER, HEALTH)

    assert health["checked_at"] is None
    assert health["queue"] == {"waiting": None, "oldest_seconds": None}
    assert (health["dead_letters"], health["stream_lag_seconds"]) == (None, None)


def test_queued_and_dead_lettered_messages_are_counted(pipeline, check):
    sqs = moto_account.client("sqs")
    for _ in range(3):
        sqs.send_message(QueueUrl=pipeline.config.queue_url, MessageBody="waiting")
    pipeline.ingest("no event", "nor this")

    health = check()

    assert health["queue"]["waiting"] == 3
    assert health["dead_letters"] == 2


def test_the_age_of_the_oldest_message_comes_from_cloudwatch(pipeline, check):
    assert check()["queue"]["oldest_seconds"] == 0

    sqs = moto_account.client("sqs")
    sqs.send_message(QueueUrl=pipeline.config.queue_url, MessageBody="waiting")
    assert check()["queue"]["oldest_seconds"] is None

    moto_account.client("cloudwatch").put_metric_data(
        Namespace="AWS/SQS",
        MetricData=[
            {
                "MetricName": "ApproximateAgeOfOldestMessage",
                "Dimensions": [
                    {"Name": "QueueName", "Value": pipeline.config.queue_url.rsplit("/", 1)[1]}
                ],
                "Timestamp": datetime.fromtimestamp(pipeline.now, UTC) - timedelta(minutes=1),
                "Value": 38,
            }
        ],
    )

    assert check()["queue"]["oldest_seconds"] == 38


def test_uncounted_facts_are_a_lag_until_they_are_counted(pipeline, check):
    pipeline.run(ses.a_send("m-1"))
    assert check()["stream_lag_seconds"] == 0

    pipeline.ingest(ses.a_send("m-2"), ses.a_send("m-3"))
    late = pipeline.parts.events_stream.oldest_unread(
        pipeline.parts.stats_table.positions.by_shard()
    )
    assert datetime.now(UTC).timestamp() - late < 60
    assert check()["stream_lag_seconds"] < 60

    pipeline.aggregate()
    assert (
        pipeline.parts.events_stream.oldest_unread(pipeline.parts.stats_table.positions.by_shard())
        is None
    )


def test_expired_facts_are_not_a_lag(pipeline, check):
    pipeline.run(ses.a_send("m-1"))
    moto_account.client("dynamodb").delete_item(
        TableName=pipeline.config.events_table,
        Key={"message_id": {"S": "m-1"}, "fact": {"S": "Send#2026-11-23T10:00:00.000Z"}},
    )

    assert len(pipeline.stream(pipeline.config.events_table)) == 1
    assert check()["stream_lag_seconds"] == 0


def test_many_deliveries_without_an_open_suggest_disabled_tracking(pipeline, check):
    pipeline.run(
        *[ses.a_delivery(f"m-{number}", campaign="blind") for number in range(100)],
        *[ses.a_delivery(f"n-{number}", campaign="seen") for number in range(100)],
        *[ses.a_delivery(f"o-{number}", campaign="small") for number in range(99)],
        ses.an_open("n-1", campaign="seen"),
    )

    assert check()["untracked"] == ["blind"]

    pipeline.run(ses.an_open("m-1", campaign="blind"))
    assert check()["untracked"] == []


def test_a_failed_check_is_unknown_and_hides_no_other_result(pipeline, check):
    moto_account.client("sqs").delete_queue(QueueUrl=pipeline.config.queue_url)
    pipeline.ingest("no event")

    health = check()

    assert health["queue"]["waiting"] is None
    assert health["dead_letters"] == 1
    assert health["checked_at"] is not None


def test_a_check_is_pushed_to_subscribers_of_health(pipeline):
    pipeline.ask(VIEWER, action="subscribe", id=HEALTH)

    handlers.watch({})
    pipeline.publish()

    [push] = pipeline.connections.sent[VIEWER.id]
    assert push["id"] == HEALTH
    snapshot = pipeline.snapshot(VIEWER, HEALTH)
    assert snapshot["alarms"][0].pop("may_change") is True  # of one viewer
    assert push["changes"] == snapshot


def test_every_shard_is_checked(pipeline):
    """There are several pages of shards, closed shards and empty pages."""
    calls = []

    class Streams:
        def call(self, operation, **parameters):
            calls.append(operation)
            return getattr(self, operation)(**parameters)

        def describe_stream(self, *, StreamArn, ExclusiveStartShardId=None):
            closed = {"StartingSequenceNumber": "1", "EndingSequenceNumber": "90"}
            shards = [
                {"ShardId": "read-to-its-end", "SequenceNumberRange": closed},
                {"ShardId": "closed-early", "SequenceNumberRange": closed},
                {"ShardId": "open", "SequenceNumberRange": {"StartingSequenceNumber": "91"}},
            ]
            if ExclusiveStartShardId is None:
                return {"StreamDescription": {"Shards": shards[:1], "LastEvaluatedShardId": "a"}}
            return {"StreamDescription": {"Shards": shards[1:]}}

        def get_shard_iterator(self, *, StreamArn, ShardId, ShardIteratorType, **_):
            return {"ShardIterator": f"{ShardId}/0"}

        def get_records(self, *, ShardIterator):
            shard, page = ShardIterator.split("/")
            if shard == "closed-early" and page == "2":
                change = {"ApproximateCreationDateTime": datetime.fromtimestamp(50, UTC)}
                return {"Records": [{"eventName": "INSERT", "dynamodb": change}]}
            return {"Records": [], "NextShardIterator": f"{shard}/{int(page) + 1}"}

    stream = type(pipeline.parts.events_stream)(Streams(), "arn")

    assert stream.oldest_unread({"read-to-its-end": "90", "closed-early": "7"}) == 50
    assert calls.count("get_shard_iterator") == 2


def test_positions_stored_by_an_earlier_version_are_read(pipeline, check):
    key = {"campaign": {"S": " pipeline"}, "part": {"S": "shard#k0"}}
    left = {**key, "shard": {"S": ""}, "read": {"S": "7".zfill(40)}}
    moto_account.client("dynamodb").put_item(TableName=pipeline.config.stats_table, Item=left)
    pipeline.run(ses.a_send("m-1"))

    assert pipeline.parts.stats_table.positions.by_attribute(now=0)["k0"] == "7".zfill(40)
    assert check()["stream_lag_seconds"] == 0


@pytest.fixture
def received(pipeline):
    """Subscribe a queue to the alarm topic; return its messages."""
    sqs, arn = moto_account.client("sqs"), pipeline.config.alarm_topic_arn
    url = sqs.create_queue(QueueName="subscriber")["QueueUrl"]
    queue = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]
    moto_account.client("sns").subscribe(TopicArn=arn, Protocol="sqs", Endpoint=queue["QueueArn"])

    def receive():
        found = sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10).get("Messages", [])
        return [json.loads(one["Body"]) for one in found]

    yield receive
    sqs.delete_queue(QueueUrl=url)


def test_a_subscriber_receives_a_message_about_a_campaign_in_trouble(pipeline, check, received):
    pipeline.run(
        *[ses.a_send(f"m-{number}") for number in range(220)],
        *[ses.a_bounce(f"m-{number}") for number in range(60)],
    )

    check()
    check()

    [message] = received()
    assert message["Subject"] == "Too many hard bounces: spring"
    assert "60 of 220 emails bounced for good." in message["Message"]
    attributes = {name: one["Value"] for name, one in message["MessageAttributes"].items()}
    assert attributes.pop("deduplication_id")
    assert attributes == {
        "campaign": "spring",
        "kind": "bounces",
        "level": "critical",
        "state": "began",
    }
    snapshot = pipeline.snapshot(VIEWER, "stats/email-campaign/spring")
    assert [one["incident"] for one in snapshot["incidents"]] == ["bounces"]


def test_a_test_message_is_sent_on_request(pipeline, received):
    handlers.watch({"detail": {"test_alarm": True}})

    [message] = received()
    assert message["Subject"] == "Mailpulse: a test of the alarms"
    assert message["MessageAttributes"]["state"]["Value"] == "test"
    assert pipeline.snapshot(VIEWER, HEALTH)["checked_at"] is None, "nothing was checked"


def test_tracking_is_unknown_if_campaigns_cannot_be_read(pipeline, check, monkeypatch):
    def fail(*_):
        raise AwsError("Throttled", "not now")

    monkeypatch.setattr(pipeline.parts.stats_table.campaigns, "page", fail)

    assert check()["untracked"] is None


def test_delays_of_new_facts_are_shown_from_the_second_check(pipeline, check):
    assert check()["delays"] is None

    pipeline.now += 60
    pipeline.run(ses.a_send("m-1"), ses.an_open("m-1"))
    first = check()["delays"]

    # The events of ses.py are hours older than the messages: their age is no delay.
    assert [(one["hop"], one["events"]) for one in first] == [("queue", 2), ("count", 2)]


def test_a_redelivered_event_is_measured_once(pipeline, check):
    check()
    for sent in (1_795_467_600_000, 1_795_467_700_000):
        handlers.ingest(ses.in_sqs_event(ses.raw(ses.a_send("m-1")), sent=sent))
        pipeline.aggregate()
    pipeline.now += 60

    assert [(one["hop"], one["events"]) for one in check()["delays"]] == [
        ("queue", 1),
        ("count", 1),
    ]


def test_delays_are_those_of_the_last_five_minutes(pipeline, check):
    check()
    pipeline.run(ses.a_send("m-1"))

    for expected in (2, 2, 2, 2, 2, 0):
        pipeline.now += 60
        pipeline.parts.watch.newest = ()  # so that each check is stored
        pipeline.parts.watch.counted = None
        assert len(check()["delays"]) == expected


class Recorded:
    """An AWS service whose calls are recorded."""

    def __init__(self, service, calls):
        self.service = service
        self.calls = calls

    def call(self, operation, **parameters):
        self.calls.append(operation)
        return self.service.call(operation, **parameters)


def test_while_nothing_happens_a_check_reads_little_and_writes_every_five_minutes(pipeline):
    """Of each running campaign, it reads the stored pace and the watch log."""
    calls = []
    monitor = watch.build(
        pipeline.config,
        services=lambda name: Recorded(pipeline.services(name), calls),
        clock=lambda: pipeline.now,
    )
    pipeline.run(ses.a_send("m-1"))
    monitor.check()
    monitor.check()  # builds the directory
    first = monitor.check()  # enters the pace of the campaign in it
    assert pipeline.parts.directory.entries() is not None
    calls.clear()

    for _ in range(4):
        pipeline.now += 60
        assert monitor.check() == first
    queues = ["get_queue_attributes", "get_queue_attributes"]
    assert calls == 4 * ["query", *queues, "get_item", "get_item"]

    pipeline.now += 60
    assert monitor.check().checked_at > first.checked_at
    assert "update_item" in calls


def test_a_check_after_new_events_is_stored(pipeline, check):
    first = check()["checked_at"]
    pipeline.now += 60
    pipeline.run(ses.a_send("m-1"))

    assert check()["checked_at"] > first


def put_metric(pipeline, name, value, *, function=None, minutes_ago=(7, 12)):
    dimensions = [{"Name": "FunctionName", "Value": function}] if function else []
    moto_account.client("cloudwatch").put_metric_data(
        Namespace="AWS/Lambda",
        MetricData=[
            {
                "MetricName": name,
                "Dimensions": dimensions,
                "Timestamp": datetime.fromtimestamp(pipeline.now, UTC) - timedelta(minutes=ago),
                "Value": value,
            }
            for ago in minutes_ago
        ],
    )


@pytest.mark.parametrize("metric", ["Errors", "Throttles"])
def test_a_function_that_fails_repeatedly_fails_the_check(pipeline, metric):
    put_metric(pipeline, metric, 3)
    put_metric(pipeline, metric, 3, function="websocket_connect")

    with pytest.raises(PipelineFault, match=f"websocket_connect .* {metric}"):
        handlers.watch({})


def test_a_failure_that_a_retry_has_repaired_does_not_fail_the_check(pipeline):
    put_metric(pipeline, "Errors", 1, minutes_ago=[7])
    put_metric(pipeline, "Errors", 1, function="ingest", minutes_ago=[7])

    handlers.watch({})


def test_failures_of_other_applications_do_not_fail_the_check(pipeline):
    put_metric(pipeline, "Errors", 9)

    handlers.watch({})


def test_late_pushes_fail_the_check(pipeline):
    put_metric(pipeline, "IteratorAge", 61_000, function="publish")

    with pytest.raises(PipelineFault, match="publish is more than a minute late"):
        handlers.watch({})


@pytest.mark.parametrize(
    ("depths", "what"), [((2, 0), "2 events are"), ((0, 5), "^events to be tried again are")]
)
def test_events_that_wait_for_more_than_five_minutes_fail_the_check(
    pipeline, monkeypatch, depths, what
):
    monkeypatch.setattr(type(pipeline.parts.queues), "depths", lambda _: depths)
    monkeypatch.setattr(type(pipeline.parts.queues), "oldest_seconds", lambda *_: 301)

    with pytest.raises(PipelineFault, match=f"{what} waiting, the oldest for 301 s"):
        handlers.watch({})


def test_a_late_count_fails_the_check(pipeline, monkeypatch):
    monkeypatch.setattr(
        type(pipeline.parts.events_stream), "oldest_unread", lambda *_: pipeline.now - 61
    )

    with pytest.raises(PipelineFault, match="not been counted for 61 s"):
        handlers.watch({})


def test_a_measurement_that_fails_fails_the_check(pipeline):
    moto_account.client("sqs").delete_queue(QueueUrl=pipeline.config.queue_url)

    with pytest.raises(PipelineFault, match="watch cannot check the queue"):
        handlers.watch({})

"""The functions' own client returns what boto3 returns, for each operation that they use."""

import re
from datetime import UTC, datetime, timedelta
from pathlib import Path

import boto3
import pytest
from moto.server import ThreadedMotoServer
from msgspec.structs import replace
from support.stub import Stub, replies

from chalicelib.aws.client import JsonService, QueryService
from chalicelib.config import Config
from chalicelib.errors import AwsError, ConditionFailed
from chalicelib.live.gateway import ManagementApi
from dashboard import aws_session

REGION = "us-east-1"
ROOT = Path(__file__).parents[2]
KEY = {"pk": {"S": "a"}, "sk": {"S": "1"}}
ITEM = {
    **KEY,
    "bytes": {"B": b"\0\xff\x10"},
    "sets": {"SS": ["x", "y"]},
    "nested": {"M": {"B": {"S": "a name, not bytes"}, "list": {"L": [{"B": b"deep"}]}}},
    "text": {"S": "Grüße aus Köln 🎉"},
    "number": {"N": "7"},
    "flag": {"BOOL": True},
    "nothing": {"NULL": True},
}
ONE = {":one": {"N": "1"}}


@pytest.fixture(scope="module")
def endpoint():
    server = ThreadedMotoServer("127.0.0.1", port=0)
    server.start()
    host, port = server.get_host_and_port()
    yield f"http://{host}:{port}"
    server.stop()


@pytest.fixture
def client(endpoint, monkeypatch):
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "testing")

    return lambda service: boto3.client(service, REGION, endpoint_url=endpoint)


@pytest.fixture
def table(client):
    dynamodb = client("dynamodb")
    dynamodb.create_table(
        TableName="facts",
        KeySchema=[
            {"AttributeName": "pk", "KeyType": "HASH"},
            {"AttributeName": "sk", "KeyType": "RANGE"},
        ],
        AttributeDefinitions=[
            {"AttributeName": "pk", "AttributeType": "S"},
            {"AttributeName": "sk", "AttributeType": "S"},
        ],
        BillingMode="PAY_PER_REQUEST",
        StreamSpecification={"StreamEnabled": True, "StreamViewType": "NEW_AND_OLD_IMAGES"},
    )
    yield "facts"
    dynamodb.delete_table(TableName="facts")


@pytest.fixture
def queue(client):
    url = client("sqs").create_queue(QueueName="dead-letters")["QueueUrl"]
    yield url
    client("sqs").delete_queue(QueueUrl=url)


@pytest.fixture
def both(client, endpoint):
    """Make a call with both clients; return the response after checking that they agree."""

    def both(service, operation, **parameters):
        outcomes = [
            _outcome(one, operation, parameters)
            for one in (
                aws_session.Service(service, client),
                _own(service, endpoint),
            )
        ]
        assert _comparable(outcomes[0]) == _comparable(outcomes[1])
        return outcomes[1]

    return both


def _own(service, endpoint):
    kind = QueryService if service == "sns" else JsonService
    return kind(service, config(endpoint), pause=lambda _: None)


def config(endpoint):
    return Config(
        events_table="facts",
        stats_table="stats",
        subscriptions_table="subscriptions",
        queue_url="queue",
        dead_letter_queue_url="dead-letters",
        events_stream_arn="stream",
        pseudonym_key="key",
        endpoint_url=endpoint,
    )


def _outcome(service, operation, parameters):
    try:
        return service.call(operation, **parameters)
    except ConditionFailed as error:
        return error.code, error.item
    except AwsError as error:
        return error.code


# Ids of a single call, and times: boto3 converts those that the functions do not read.
_OF_ONE_CALL = {
    *("ResponseMetadata", "MessageId", "SequenceNumber", "ShardIterator", "NextShardIterator"),
    *("CreationRequestDateTime", "Timestamp"),
}


def _comparable(found):
    match found:
        case dict():
            return {k: _comparable(v) for k, v in found.items() if k not in _OF_ONE_CALL}
        case list():
            return [_comparable(one) for one in found]
        case datetime():  # a number in the functions' client
            return found.timestamp()
    return found


def test_items_are_written_and_read(both, table):
    both("dynamodb", "put_item", TableName=table, Item=ITEM)

    answer = both("dynamodb", "get_item", TableName=table, Key=KEY, ConsistentRead=True)
    assert answer["Item"]["bytes"] == {"B": b"\0\xff\x10"}
    assert answer["Item"] == ITEM

    both("dynamodb", "delete_item", TableName=table, Key=KEY)
    assert both("dynamodb", "get_item", TableName=table, Key=KEY) == {}


def test_items_are_written_and_read_in_batches(both, table):
    items = [{**ITEM, "sk": {"S": str(number)}} for number in range(25)]
    answer = both(
        "dynamodb",
        "batch_write_item",
        RequestItems={table: [{"PutRequest": {"Item": item}} for item in items]},
    )
    assert answer["UnprocessedItems"] == {}

    keys = [{"pk": item["pk"], "sk": item["sk"]} for item in items]
    answer = both("dynamodb", "batch_get_item", RequestItems={table: {"Keys": keys}})
    assert len(answer["Responses"][table]) == 25


def test_a_partition_is_queried_page_by_page(both, table):
    for number in range(3):
        both("dynamodb", "put_item", TableName=table, Item={**ITEM, "sk": {"S": str(number)}})
    query = {
        "TableName": table,
        "KeyConditionExpression": "pk = :pk",
        "ExpressionAttributeValues": {":pk": {"S": "a"}},
        "Limit": 2,
    }
    page = both("dynamodb", "query", **query)
    assert len(page["Items"]) == 2

    scanned = both("dynamodb", "scan", TableName=table, ConsistentRead=True)
    assert scanned["Count"] == 3

    rest = both("dynamodb", "query", **query, ExclusiveStartKey=page["LastEvaluatedKey"])
    assert [item["sk"] for item in rest["Items"]] == [{"S": "2"}]


def test_a_failed_condition_returns_the_item(both, table):
    both("dynamodb", "put_item", TableName=table, Item=ITEM)
    update = {
        "TableName": table,
        "Key": KEY,
        "UpdateExpression": "ADD #count :one",
        "ExpressionAttributeNames": {"#count": "number"},
        "ExpressionAttributeValues": {":one": {"N": "1"}},
        "ReturnValuesOnConditionCheckFailure": "ALL_OLD",
    }
    both("dynamodb", "update_item", **update)

    condition = {"ConditionExpression": "attribute_not_exists(#count)"}
    code, item = both("dynamodb", "update_item", **update, **condition)
    assert code == "ConditionalCheckFailedException"
    assert item["number"] == {"N": "9"}
    assert item["bytes"] == {"B": b"\0\xff\x10"}


def test_a_transaction_is_written_or_refused_as_a_whole(both, table):
    put = {"Put": {"TableName": table, "Item": ITEM}}
    both("dynamodb", "transact_write_items", TransactItems=[put])
    both(
        "dynamodb",
        "transact_write_items",
        TransactItems=[{"Delete": {"TableName": table, "Key": KEY}}],
    )

    both("dynamodb", "put_item", TableName=table, Item=ITEM)
    only_new = {"Put": {**put["Put"], "ConditionExpression": "attribute_not_exists(pk)"}}
    assert (
        both("dynamodb", "transact_write_items", TransactItems=[only_new])
        == "TransactionCanceledException"
    )


def test_errors_have_their_codes(both, table):
    assert both("dynamodb", "get_item", TableName="none", Key=KEY) == "ResourceNotFoundException"
    broken = {"TableName": table, "Key": KEY, "UpdateExpression": "SET number"}
    assert both("dynamodb", "update_item", **broken) == "ValidationException"


def test_a_stream_is_read(both, client, table):
    client("dynamodb").put_item(TableName=table, Item=ITEM)
    arn = client("dynamodb").describe_table(TableName=table)["Table"]["LatestStreamArn"]
    [shard] = both("dynamodbstreams", "describe_stream", StreamArn=arn)["StreamDescription"][
        "Shards"
    ]
    start = {"StreamArn": arn, "ShardId": shard["ShardId"], "ShardIteratorType": "TRIM_HORIZON"}
    iterator = both("dynamodbstreams", "get_shard_iterator", **start)["ShardIterator"]

    [record] = both("dynamodbstreams", "get_records", ShardIterator=iterator)["Records"]

    assert record["dynamodb"]["NewImage"] == ITEM
    written = record["dynamodb"]["ApproximateCreationDateTime"]
    assert datetime.now(UTC) - written < timedelta(minutes=1)


def test_messages_are_sent_and_counted(both, queue):
    both(
        "sqs",
        "send_message",
        QueueUrl=queue,
        MessageBody="no event",
        MessageAttributes={"reason": {"DataType": "String", "StringValue": "bad_json"}},
    )
    names = ["ApproximateNumberOfMessages"]
    answer = both("sqs", "get_queue_attributes", QueueUrl=queue, AttributeNames=names)

    assert answer["Attributes"] == {"ApproximateNumberOfMessages": "2"}


def test_messages_of_a_batch_are_sent_with_their_delays(both, queue):
    entries = [
        {"Id": "0", "MessageBody": "a job", "DelaySeconds": 5},
        {"Id": "1", "MessageBody": "another", "DelaySeconds": 0},
    ]

    answer = both("sqs", "send_message_batch", QueueUrl=queue, Entries=entries)

    assert [one["Id"] for one in answer["Successful"]] == ["0", "1"]
    names = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesDelayed"]
    counts = both("sqs", "get_queue_attributes", QueueUrl=queue, AttributeNames=names)
    assert counts["Attributes"] == dict.fromkeys(names, "2"), "of both clients"


def test_only_an_invalid_receipt_handle_fails_in_a_visibility_batch(both, queue, client):
    client("sqs").send_message(QueueUrl=queue, MessageBody="no event")
    [received] = client("sqs").receive_message(QueueUrl=queue)["Messages"]
    entries = [
        {"Id": "0", "ReceiptHandle": received["ReceiptHandle"], "VisibilityTimeout": 5},
        {"Id": "1", "ReceiptHandle": "none", "VisibilityTimeout": 5},
    ]

    answer = both("sqs", "change_message_visibility_batch", QueueUrl=queue, Entries=entries)

    assert [one["Id"] for one in answer["Successful"]] == ["0"]
    assert [one["Id"] for one in answer["Failed"]] == ["1"]


def test_a_missing_queue_has_its_documented_error_code(both):
    missing = "http://localhost/123456789012/none"

    answer = both("sqs", "get_queue_attributes", QueueUrl=missing, AttributeNames=["All"])

    assert answer == "AWS.SimpleQueueService.NonExistentQueue"


def test_the_age_of_the_oldest_message_is_read_from_cloudwatch(both, client):
    at = datetime.now(UTC) - timedelta(minutes=1)
    dimensions = [{"Name": "QueueName", "Value": "events"}]
    metric = {"MetricName": "ApproximateAgeOfOldestMessage", "Dimensions": dimensions}
    client("cloudwatch").put_metric_data(
        Namespace="AWS/SQS", MetricData=[{**metric, "Timestamp": at, "Value": 38}]
    )

    answer = both(
        "cloudwatch",
        "get_metric_statistics",
        Namespace="AWS/SQS",
        **metric,
        StartTime=at - timedelta(minutes=5),
        EndTime=at + timedelta(minutes=5),
        Period=60,
        Statistics=["Maximum"],
    )

    assert [point["Maximum"] for point in answer["Datapoints"]] == [38]


def test_several_metrics_are_read_from_cloudwatch(both, client):
    at = datetime.now(UTC).replace(second=0, microsecond=0) - timedelta(minutes=1)
    client("cloudwatch").put_metric_data(
        Namespace="AWS/SES", MetricData=[{"MetricName": "Send", "Timestamp": at, "Value": 3}]
    )
    metric = {"Namespace": "AWS/SES", "MetricName": "Send"}

    answer = both(
        "cloudwatch",
        "get_metric_data",
        MetricDataQueries=[
            {"Id": "m0", "MetricStat": {"Metric": metric, "Period": 60, "Stat": "Sum"}}
        ],
        StartTime=at - timedelta(minutes=5),
        EndTime=at + timedelta(minutes=5),
        ScanBy="TimestampAscending",
    )

    [result] = answer["MetricDataResults"]
    assert (result["Id"], result["Values"]) == ("m0", [3])


def test_a_message_is_sent_to_a_topic(both, client):
    topic = client("sns").create_topic(Name="alarms")["TopicArn"]

    both(
        "sns",
        "publish",
        TopicArn=topic,
        Subject="A subject",
        Message="A text",
        MessageAttributes={"kind": {"DataType": "String", "StringValue": "complaints"}},
    )

    missing = f"{topic}-none"
    assert both("sns", "publish", TopicArn=missing, Message="A text") == "NotFound"


@pytest.mark.parametrize("kind", [ManagementApi, aws_session.OperatorManagementApi])
def test_commands_and_functions_close_a_connection_with_the_same_request(client, kind):
    with Stub() as stub:
        stub.plan.append(replies(204, b""))
        here = replace(
            config(f"http://127.0.0.1:{stub.port}"), connections_endpoint="{endpoint}/{stage}"
        )
        kind(here).close("api-1/prod", "L0SM9=")

    [request] = stub.requests
    assert request.startswith(b"DELETE /prod/@connections/L0SM9%3D HTTP/1.1\r\n")
    assert b"/us-east-1/execute-api/aws4_request, SignedHeaders=" in request


def test_every_operation_of_the_functions_is_tested_here():
    sources = "".join(path.read_text() for path in (ROOT / "chalicelib").rglob("*.py"))
    used = set(re.findall(r'\._?call\(\s*"([a-z_]+)"', sources))

    tried = set(re.findall(r'both\(\s*"[a-z]+",\s*"([a-z_]+)"', Path(__file__).read_text()))

    assert used
    assert used == tried

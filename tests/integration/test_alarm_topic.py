"""Alarms reach a subscriber of the topic, sent by the functions' own client."""

import json

import boto3
import pytest
from moto.server import ThreadedMotoServer
from msgspec.structs import replace
from support.stub import Stub, replies
from support.world import CONFIG

from chalicelib.aws.client import QueryService, flattened
from chalicelib.aws.topics import AlarmTopic
from chalicelib.errors import AwsError
from chalicelib.stats.alarm_texts import alarm
from chalicelib.stats.incidents import Incident

REGION = "us-east-1"
DELAYS = Incident("provider_delays:Microsoft", "provider_delays", "Microsoft", 100, 312, 840, 85)
ATTRIBUTES = {"campaign": "Grüße & mehr", "kind": "provider_delays", "state": "began"}


@pytest.fixture(autouse=True)
def _credentials(monkeypatch):
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "testing")


@pytest.fixture(scope="module")
def endpoint():
    server = ThreadedMotoServer("127.0.0.1", port=0)
    server.start()
    host, port = server.get_host_and_port()
    yield f"http://{host}:{port}"
    server.stop()


@pytest.fixture
def client(endpoint):
    return lambda service: boto3.client(service, REGION, endpoint_url=endpoint)


@pytest.fixture
def topic(client):
    return client("sns").create_topic(Name="alarms")["TopicArn"]


@pytest.fixture
def subscribed(client, topic):
    """Subscribe a queue, with a filter; return its messages."""
    sqs = client("sqs")

    def subscribe(name, policy):
        url = sqs.create_queue(QueueName=name)["QueueUrl"]
        arn = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]
        client("sns").subscribe(
            TopicArn=topic,
            Protocol="sqs",
            Endpoint=arn["QueueArn"],
            Attributes={"FilterPolicy": json.dumps(policy)} if policy else {},
        )
        return lambda: [
            json.loads(one["Body"])
            for one in sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10).get("Messages", [])
        ]

    return subscribe


def service(endpoint):
    return QueryService("sns", replace(CONFIG, endpoint_url=endpoint), pause=lambda _: None)


def test_a_subscriber_receives_subject_text_and_attributes(endpoint, topic, subscribed):
    received = subscribed("everything", {})
    subject, text = alarm("spring sale", DELAYS, "began", "https://page.example/")

    AlarmTopic(service(endpoint), topic).publish(subject, text, ATTRIBUTES)

    [message] = received()
    assert message["Subject"] == "Microsoft is deferring your mail: spring sale"
    assert message["Message"] == text
    assert text.endswith("https://page.example/#/campaign/spring%20sale")
    found = {name: one["Value"] for name, one in message["MessageAttributes"].items()}
    assert found == ATTRIBUTES


def test_a_subscription_may_filter_by_attribute(endpoint, topic, subscribed):
    bounces = subscribed("bounces", {"kind": ["bounces"]})
    delays = subscribed("delays", {"kind": ["provider_delays"]})

    AlarmTopic(service(endpoint), topic).publish("Subject", "Text", ATTRIBUTES)

    assert (len(bounces()), len(delays())) == (0, 1)


def test_a_topic_that_does_not_exist_is_an_error_with_its_code(endpoint, topic):
    with pytest.raises(AwsError, match="publish failed: NotFound") as caught:
        AlarmTopic(service(endpoint), f"{topic}-other").publish("Subject", "Text", {"kind": "x"})
    assert caught.value.code == "NotFound"


ERROR = b"""<ErrorResponse xmlns="http://sns.amazonaws.com/doc/2010-03-31/"><Error><Type>Sender</Type>
<Code>%s</Code><Message>It may quote me@example.com</Message></Error></ErrorResponse>"""
SENT = b"<PublishResponse><PublishResult><MessageId>1</MessageId></PublishResult></PublishResponse>"


@pytest.fixture
def stub():
    with Stub(usual=replies(200, SENT)) as server:
        yield server


def test_throttling_is_retried(stub):
    stub.plan.append(replies(400, ERROR % b"Throttling"))

    AlarmTopic(service(f"http://127.0.0.1:{stub.port}"), "arn").publish("Subject", "Text", {})

    assert len(stub.requests) == 2


def test_an_error_does_not_quote_the_request(stub):
    stub.plan.append(replies(400, ERROR % b"InvalidParameter"))

    with pytest.raises(AwsError, match="InvalidParameter: message of 27 characters omitted"):
        AlarmTopic(service(f"http://127.0.0.1:{stub.port}"), "arn").publish("Subject", "Text", {})


def test_a_response_that_is_not_xml_is_retried(stub):
    stub.plan.append(replies(200, b"{}"))

    AlarmTopic(service(f"http://127.0.0.1:{stub.port}"), "arn").publish("Subject", "Text", {})

    assert len(stub.requests) == 2


def test_the_structures_of_a_request_are_flattened():
    attributes = {"kind": {"DataType": "String", "StringValue": "bounces"}}

    assert flattened({"TopicArn": "arn", "MessageAttributes": attributes}) == {
        "TopicArn": "arn",
        "MessageAttributes.entry.1.Name": "kind",
        "MessageAttributes.entry.1.Value.DataType": "String",
        "MessageAttributes.entry.1.Value.StringValue": "bounces",
    }

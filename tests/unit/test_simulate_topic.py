"""Publishing to the topic: full batches, retries, and errors."""

import json
from dataclasses import dataclass
from threading import Lock

import pytest
from botocore.exceptions import ClientError, EndpointConnectionError

from chalicelib.errors import CommandError
from dashboard.installation import find_topic
from dashboard.sqs.batching import MAX_BYTES
from dashboard.sqs.topic import Topic

ARN = "arn:aws:sns:us-east-1:123456789012:events"


class FakeSns:
    """Fake SNS client that rejects messages as long as `failures` has responses for them."""

    def __init__(self, failures=None, error=None):
        self.calls = []
        self.taken = []
        self._failures = failures or {}
        self._error = error
        self._lock = Lock()

    def publish_batch(self, TopicArn, PublishBatchRequestEntries):
        assert TopicArn == ARN
        with self._lock:
            if self._error is not None:
                raise self._error
            self.calls.append([entry["Message"] for entry in PublishBatchRequestEntries])
            answer = {"Successful": [], "Failed": []}
            for entry in PublishBatchRequestEntries:
                left = self._failures.get(entry["Message"])
                if left:
                    answer["Failed"].append({"Id": entry["Id"], **left.pop(0)})
                else:
                    self.taken.append(entry["Message"])
            return answer


@dataclass
class Sleeps:
    seconds: list

    def __call__(self, seconds):
        self.seconds.append(seconds)


THROTTLED = {"Code": "InternalError", "Message": "try later", "SenderFault": False}
REFUSED = {"Code": "InvalidParameter", "Message": "empty message", "SenderFault": True}


def a_topic(client):
    sleeps = Sleeps([])
    return Topic(client, ARN, sleep=sleeps), sleeps.seconds


def test_messages_are_published_in_batches_of_ten():
    client = FakeSns()
    messages = [f"message {number}" for number in range(25)]

    a_topic(client)[0].publish_batch(messages)

    assert sorted(len(call) for call in client.calls) == [5, 10, 10]
    assert sorted(client.taken) == sorted(messages)


def test_no_messages_make_no_call():
    client = FakeSns()

    a_topic(client)[0].publish_batch([])

    assert client.calls == []


def test_no_batch_exceeds_the_size_limit_of_sns():
    client = FakeSns()
    messages = ["é" * 50_000 + str(number) for number in range(7)]

    a_topic(client)[0].publish_batch(messages)

    assert [len(call) for call in sorted(client.calls)] == [2, 2, 2, 1]
    assert all(sum(len(text.encode()) for text in call) <= MAX_BYTES for call in client.calls)


def test_an_oversized_message_is_reported():
    with pytest.raises(CommandError, match=r"262145 bytes, but the limit per call is 262144$"):
        a_topic(FakeSns())[0].publish_batch(["x" * (MAX_BYTES + 1)])


def test_only_the_rejected_message_of_a_batch_is_retried():
    client = FakeSns(failures={"b": [THROTTLED, THROTTLED]})
    topic, sleeps = a_topic(client)

    topic.publish_batch(["a", "b", "c"])

    assert client.calls == [["a", "b", "c"], ["b"], ["b"]]
    assert client.taken == ["a", "c", "b"]
    assert 0.1 <= sleeps[0] <= 0.2 <= sleeps[1] <= 0.4


def test_a_message_that_stays_rejected_is_an_error():
    client = FakeSns(failures={"b": [THROTTLED] * 99})
    topic, sleeps = a_topic(client)

    with pytest.raises(
        CommandError,
        match=r"rejected 1 of 2 messages \(InternalError: try later\), the first with a text of 1 ",
    ):
        topic.publish_batch(["a", "b"])
    assert len(client.calls) == 6
    assert max(sleeps) <= 5


def test_an_invalid_message_is_not_retried():
    client = FakeSns(failures={"": [REFUSED]})

    with pytest.raises(CommandError, match="InvalidParameter: empty message"):
        a_topic(client)[0].publish_batch(["a", ""])
    assert len(client.calls) == 1


def test_a_failed_batch_does_not_stop_the_others():
    client = FakeSns(failures={"0": [REFUSED]})
    messages = [str(number) for number in range(40)]

    with pytest.raises(CommandError):
        a_topic(client)[0].publish_batch(messages)
    assert set(client.taken) == set(messages[1:])


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (EndpointConnectionError(endpoint_url="http://127.0.0.1:9/"), "http://127.0.0.1:9/"),
        (ClientError({"Error": {"Code": "NotFound", "Message": "gone"}}, "PublishBatch"), "gone"),
    ],
)
def test_a_failed_call_names_the_topic_and_a_remedy(error, said):
    with pytest.raises(CommandError, match=f"cannot publish to {ARN}: .*{said}.*dashboard up"):
        a_topic(FakeSns(error=error))[0].publish_batch(["a"])


def test_the_topic_of_the_running_dashboard_is_found(tmp_path):
    running = {"topic_arn": ARN, "endpoint_url": "http://127.0.0.1:8270"}
    (tmp_path / "running.json").write_text(json.dumps(running))

    topic = find_topic(tmp_path, None, None, None)

    assert topic.arn == ARN
    assert topic._client.meta.endpoint_url == "http://127.0.0.1:8270"


def test_a_topic_in_aws_is_in_the_region_of_its_arn(tmp_path):
    arn = "arn:aws:sns:eu-central-1:123456789012:events"

    assert find_topic(tmp_path, arn, None, None)._client.meta.region_name == "eu-central-1"
    assert find_topic(tmp_path, arn, None, "us-west-2")._client.meta.region_name == "us-west-2"


def test_without_a_running_dashboard_the_error_says_how_to_start_one(tmp_path):
    with pytest.raises(
        CommandError, match=r"Mailpulse is not running.*running\.json.*dashboard up"
    ):
        find_topic(tmp_path, None, None, None)


def test_an_unreadable_state_file_is_an_error(tmp_path):
    (tmp_path / "running.json").write_text("{")

    with pytest.raises(CommandError, match=r"cannot read .*running\.json .*start"):
        find_topic(tmp_path, None, None, None)


@pytest.mark.parametrize("arn", ["mailpulse", "arn:aws:sqs:us-east-1:123456789012:events"])
def test_an_invalid_topic_arn_is_refused(arn, tmp_path):
    with pytest.raises(CommandError, match=f"'{arn}' is not the ARN of an SNS topic"):
        find_topic(tmp_path, arn, None, None)

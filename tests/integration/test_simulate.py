"""The command `simulate`, run by an operator against moto's SNS and SQS."""

import json
import os
import signal
import threading
import time
from collections import Counter

import pytest
from click.testing import CliRunner
from moto import mock_aws
from support import moto_account

from dashboard.cli import cli

REGION = "us-east-1"


@pytest.fixture
def topic(monkeypatch):
    """Return a topic's ARN, and a function that reads the messages of its queue."""
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "test")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "test")
    with mock_aws():
        sns, sqs = moto_account.client("sns"), moto_account.client("sqs")
        arn = sns.create_topic(Name="events")["TopicArn"]
        url = sqs.create_queue(QueueName="events")["QueueUrl"]
        sns.subscribe(
            TopicArn=arn,
            Protocol="sqs",
            Endpoint="arn:aws:sqs:us-east-1:123456789012:events",
            Attributes={"RawMessageDelivery": "true"},
        )

        def received():
            bodies = []
            while got := sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10).get("Messages"):
                bodies += [message["Body"] for message in got]
            return bodies

        yield arn, received


def simulate(*arguments):
    return CliRunner().invoke(cli, ["simulate", *arguments])


def test_the_summary_lists_exactly_the_published_events(topic):
    arn, received = topic

    result = simulate("--topic-arn", arn, "--at-once", "--recipients", "40", "--json")

    assert result.exit_code == 0, result.output
    summary = json.loads(result.stdout)
    bodies = received()
    types = Counter(json.loads(body)["eventType"] for body in set(bodies))
    assert summary["published"] == len(bodies)
    assert summary["copies"] == len(bodies) - len(set(bodies))
    assert summary["counts"]["sends"] == types["Send"] == 40
    assert summary["counts"]["deliveries"] == types["Delivery"]
    assert summary["counts"]["opens"] == types["Open"]
    assert summary["interrupted"] is False


def test_the_campaign_has_the_given_options(topic):
    arn, received = topic

    result = simulate(
        *("--topic-arn", arn, "--at-once", "--recipients", "3", "--campaign", "autumn_1"),
        *("--subject", "Leaves", "--sender", "Trees <wood@example.org>", "--tag", "mailing"),
    )

    assert result.exit_code == 0, result.output
    for body in received():
        mail = json.loads(body)["mail"]
        assert mail["tags"]["mailing"] == ["autumn_1"]
        assert mail["source"] == "Trees <wood@example.org>"
        assert mail.get("commonHeaders", {"subject": "Leaves"})["subject"] == "Leaves"


def test_the_same_seed_and_start_publish_the_same_events(topic):
    arn, received = topic
    arguments = ("--topic-arn", arn, "--at-once", "--recipients", "20", "--seed", "5")

    simulate(*arguments, "--start", "2026-11-23T10:00:00Z")
    first = received()
    simulate(*arguments, "--start", "2026-11-23T11:00:00+01:00")

    assert sorted(received()) == sorted(first)


def test_a_campaign_with_a_start_begins_then_also_at_once(topic):
    arn, received = topic

    simulate(
        *("--topic-arn", arn, "--at-once", "--recipients", "3"),
        *("--start", "2026-11-23T10:00:00Z"),
    )

    sent = min(json.loads(body)["mail"]["timestamp"] for body in received())
    assert sent.startswith("2026-11-23T10:00:0")


def test_events_are_published_in_real_time_by_default(topic):
    arn, received = topic

    result = simulate("--topic-arn", arn, "--recipients", "20", "--rate", "40", "--duration", "1")

    assert result.exit_code == 0, result.output
    # Half a second of sends, on a host that may be slow; later events are not played.
    assert 10 <= len(set(received())) < 60


def test_ctrl_c_ends_with_a_summary_of_the_published_events(topic):
    arn, received = topic
    bodies = []

    def interrupt_when_something_was_sent():
        until = time.monotonic() + 20
        while not bodies and time.monotonic() < until:
            bodies.extend(received())
        os.kill(os.getpid(), signal.SIGINT)

    watcher = threading.Thread(target=interrupt_when_something_was_sent)
    watcher.start()
    result = simulate("--topic-arn", arn, "--recipients", "1000", "--rate", "20", "--json")
    watcher.join()
    bodies += received()

    assert result.exit_code == 0, result.output
    summary = json.loads(result.stdout)
    assert summary["interrupted"] is True
    assert summary["published"] == len(bodies) < 1000


def test_the_summary_is_on_stdout_and_progress_is_not(topic):
    arn, _ = topic

    result = simulate("--topic-arn", arn, "--at-once", "--recipients", "5", "--campaign", "mine")

    assert result.stdout.startswith("mine: ")
    assert "  sends                          5\n" in result.stdout
    assert "events, " in result.stderr


def test_a_missing_topic_is_reported_in_one_line_with_status_1(topic):
    arn, _ = topic

    result = simulate(
        *("--topic-arn", f"{arn}-not", "--at-once", "--recipients", "1", "--campaign", "mine")
    )

    assert result.exit_code == 1
    assert f"Error: after 0 events of mine: cannot publish to {arn}-not: " in result.stderr


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--campaign", "two words"), "'two words' is not valid in a message tag"),
        (("--sender", "green-shop"), "'green-shop' is not a sender"),
        (("--start", "soon"), "'soon' is not a time"),
        (("--bounces", "2"), "2.0 is not in the range 0<=x<=1"),
        (("--rate", "0"), "0.0 is not in the range x>0"),
        (("--recipients", "0"), "0 is not in the range x>=1"),
    ],
)
def test_invalid_options_are_explained_with_status_2(arguments, said):
    result = simulate(*arguments)

    assert result.exit_code == 2
    assert said in result.stderr


def test_every_option_has_help():
    help_text = simulate("--help").stdout

    for option in ("--rate", "--speed", "--seed", "--duplicates", "--bots", "--topic-arn"):
        assert option in help_text

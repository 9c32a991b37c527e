"""Jobs that have ingest settle the emails of a network: messages, delays, and when one is sent."""

import json

import pytest
from support import ses
from support.rules import CURRENT, Rules
from support.world import World

from chalicelib.aws.queues import Queues
from chalicelib.errors import AwsError, NotAnEvent
from chalicelib.facts.rules import RULES_VERSION
from chalicelib.functions import ingest
from chalicelib.live.push import newest
from chalicelib.stats.jobs import Job, delay_seconds, job_from_body, job_to_body
from dashboard.deploy.event_sources import OPTIONS

NETWORK = "0123456789abcdef"
JOB = Job("spring", NETWORK, "m-1")
NEWER = Rules(RULES_VERSION + 1)


def sure_click(message):
    return ses.a_click(message, at="2026-11-23T10:00:30.000Z", address="203.0.113.9")


def test_a_job_is_read_as_it_was_written():
    assert job_from_body(job_to_body(JOB)) == JOB
    assert job_from_body(job_to_body(Job("\u00e4 b", NETWORK))) == Job("\u00e4 b", NETWORK)


@pytest.mark.parametrize("body", ["", "Hello", "{}", '{"eventType": "Open"}', "[]", "null"])
def test_another_message_is_no_job(body):
    assert job_from_body(body) is None


@pytest.mark.parametrize(
    "body",
    [
        '{"settle":{}}',
        '{"settle":{"campaign":"","network":"0123456789abcdef"}}',
        '{"settle":{"campaign":"spring","network":"203.0.113.0"}}',
        '{"settle":{"campaign":"spring","network":"0123456789abcdef","more":1}}',
        '{"settle":{"campaign":"spring","network":"0123456789abcdef"}} and more',
    ],
)
def test_a_malformed_job_goes_to_the_dead_letter_queue(body):
    with pytest.raises(NotAnEvent, match="a job is malformed"):
        job_from_body(body)
    world = World()
    world.arrive(body)
    world.drain()

    assert world.dead == [(body, "bad_job")]


def test_a_job_waits_longer_for_a_larger_network():
    delays = [delay_seconds(emails) for emails in (0, 1, 1000, 5000, 10**6)]

    assert delays == [5, 5, 10, 50, 900]


def test_a_network_has_one_job_in_the_queue_at_a_time():
    """Each of the three emails changes what another email sees."""
    world = World()
    for number in range(3):
        world.arrive(sure_click(f"m-{number}"))
        world.ingest(next(one for one, body in world.queue.items() if "settle" not in body))
        while world.running:
            world.running[0].step()
        for lane in world.readable():
            world.read(lane, 1000)
            while world.running:
                world.running[0].step()

    assert [job_from_body(body).campaign for body in world.queue.values()] == ["spring"]


def test_a_note_of_a_job_that_was_lost_an_hour_ago_is_ignored():
    world = World()
    networks = world.new_process().networks
    world.dynamo.before_call = lambda *_: None

    def request(source):
        due = int(world.now) + 5
        return networks.request_job("spring", NETWORK, due=due, source=source)

    assert [request("k1#1-2"), request("k1#3-4")] == [True, False]
    assert request("k1#1-2"), "the response to the first request may have been lost"
    world.now += 3700
    assert request("k1#5-6")


def test_an_older_aggregate_sends_a_job_for_emails_of_newer_rules():
    """It cannot tell what newer rules make of the evidence."""
    world = World(releases=(CURRENT, NEWER))
    world.deployed = NEWER
    world.arrive(sure_click("m-1"))
    world.ingest(*world.queue)
    while world.running:
        world.running[0].step()
    world.deployed = CURRENT
    for lane in world.readable():
        world.read(lane, 1000)
        while world.running:
            world.running[0].step()

    [body] = world.queue.values()
    assert job_from_body(body).campaign == "spring"


def test_an_older_ingest_leaves_a_job_with_emails_of_newer_rules_in_the_queue():
    world = World(releases=(CURRENT, NEWER))
    world.deployed = NEWER
    world.arrive(sure_click("m-1"))
    world.drain()
    [fact] = world.new_process().events_table.message("m-1")["spring"].facts
    world.arrive(job_to_body(Job("spring", fact.network)))
    world.deployed = CURRENT
    world.ingest(*world.queue)
    while world.running:
        world.running[0].step()

    assert len(world.queue) == 1


def test_an_email_with_a_malformed_item_does_not_keep_others_from_being_settled(monkeypatch):
    monkeypatch.setattr(ingest, "_PAGE", 1)
    world = World()
    world.arrive(
        ses.an_open("m-0", at="2026-11-23T10:03:00.000Z", address="203.0.113.9"),
        ses.an_open("m-2", at="2026-11-23T10:03:00.000Z", address="203.0.113.9"),
    )
    world.drain()
    for item in world.dynamo.tables["EventsTable"].partitions["m-0"].values():
        item.pop("t", None)
    world.arrive(sure_click("m-1"))

    world.drain()

    [fact] = world.new_process().events_table.message("m-2")["spring"].facts
    assert (fact.engager, fact.reason) == ("machine", "scanner_network")
    assert world.dead == []


def test_no_viewer_receives_the_evidence_of_networks():
    world = World()
    viewer = world.subscribe("stats/email-campaign/spring")
    world.arrive(sure_click("m-1"))
    world.drain()

    items = world.dynamo.tables["StatsTable"].items()
    networks = [item for item in items if "network" in item["campaign"]["S"] + item["part"]["S"]]
    prefixes = OPTIONS["publish"]["FilterCriteria"]["Filters"][0]["Pattern"]
    assert {item["part"]["S"].partition("#")[0] for item in networks} == {"network", "email"}
    assert newest(networks) == {}
    assert '"network' not in prefixes
    assert '"email' not in prefixes
    assert "network" not in json.dumps(viewer.frames)


class Rejecting:
    """Fake SQS that accepts ten messages a request, and rejects those with a given body."""

    def __init__(self, rejected=""):
        self.sent = []
        self._rejected = rejected

    def call(self, operation, *, QueueUrl, Entries):
        assert (operation, QueueUrl) == ("send_message_batch", "queue")
        assert len(Entries) <= 10
        assert len({one["Id"] for one in Entries}) == len(Entries)
        self.sent += [(one["MessageBody"], one["DelaySeconds"]) for one in Entries]
        failed = [one for one in Entries if one["MessageBody"] == self._rejected]
        return {"Failed": [{"Id": one["Id"], "Code": "InternalError"} for one in failed]}


def test_jobs_are_sent_ten_at_a_time_with_their_delays():
    sqs = Rejecting()
    messages = [(f"job {number}", number) for number in range(23)]

    Queues(sqs, sqs, "queue", "dead").send(messages)

    assert sqs.sent == messages


def test_a_job_that_sqs_rejects_fails_the_batch():
    sqs = Rejecting("job 2")

    with pytest.raises(AwsError, match="SQS rejected 1 messages: InternalError"):
        Queues(sqs, sqs, "queue", "dead").send([(f"job {number}", 5) for number in range(4)])

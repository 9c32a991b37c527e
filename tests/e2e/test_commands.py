"""Commands that an operator runs while `up` is running."""

import gzip
import json
import os
import signal
import time

import pytest
from support import commands, ses
from support.client import campaign_topic


def start(state_dir, *arguments):
    return commands.of_project().start(
        *arguments, "--state-dir", str(state_dir), environment=os.environ
    )


@pytest.fixture
def run(dashboard):
    def finished(*arguments):
        process = start(dashboard.state_dir, *arguments)
        stdout, stderr = process.communicate(timeout=60)
        return process.returncode, stdout, stderr

    return finished


@pytest.fixture
def a_campaign(dashboard, client):
    """Publish the events of a campaign, and wait until they are counted."""

    def make(name):
        dashboard.publish(
            *[ses.a_send(f"{name}-{number}", campaign=name) for number in range(5)],
            ses.an_open(f"{name}-1", campaign=name),
            ses.a_click(f"{name}-1", campaign=name),
        )
        client.subscribe(campaign_topic(name))
        client.wait_for(campaign_topic(name), lambda known: known.counts["unique_clicks"] == 1)
        dashboard.wait_until_ingested()
        return name

    return make


def corrupt(dashboard, campaign, update, **value):
    """Corrupt a campaign's summary with an update expression on `:value`."""
    dashboard.aws("dynamodb").update_item(
        TableName=dashboard.output("StatsTable"),
        Key={"campaign": {"S": campaign}, "part": {"S": "summary"}},
        UpdateExpression=update,
        ExpressionAttributeValues={":value": value},
    )


def ingest_state(dashboard):
    mappings = dashboard.aws("lambda").list_event_source_mappings(
        FunctionName="mailpulse-local-ingest"
    )
    return [mapping["State"] for mapping in mappings["EventSourceMappings"]]


def test_recount_reports_that_facts_and_counters_agree(dashboard, run, a_campaign):
    campaign = a_campaign("agreeing")

    status, stdout, _ = run("recount", campaign, "--json")

    outcome = json.loads(stdout)
    assert status == 0
    assert outcome["compared"] == [campaign]
    assert outcome["facts"] == 8, "five sends, an open, a click, and the message's state"
    assert outcome["differences"] == []
    assert ingest_state(dashboard) == ["Enabled"]


def test_recount_shows_a_difference_and_corrects_it(dashboard, client, run, a_campaign):
    campaign = a_campaign("falsified")
    corrupt(dashboard, campaign, "ADD s :value", N="7")

    status, stdout, _ = run("recount", campaign)
    assert status == 1
    assert "1 differences" in stdout
    assert ["falsified", "summary", "sends", "12", "5"] in [
        line.split() for line in stdout.splitlines()
    ]

    assert run("recount", campaign, "--apply")[0] == 0
    assert run("recount", campaign)[0] == 0
    client.wait_for(campaign_topic(campaign), lambda known: known.counts["sends"] == 5)
    # Later events are counted on top of it.
    dashboard.publish(ses.a_send("falsified-9", campaign=campaign))
    client.wait_for(campaign_topic(campaign), lambda known: known.counts["sends"] == 6)


def test_recount_of_all_campaigns_reclassifies_no_settled_message(run, a_campaign):
    a_campaign("settled")

    status, stdout, stderr = run("recount", "--all", "--reclassify", "--json")

    assert status == 0, stdout
    assert " 0 items changed" in stderr
    assert "settled" in json.loads(stdout)["compared"]


def test_recount_of_an_unknown_campaign_prints_one_line(run):
    status, stdout, stderr = run("recount", "no-such-campaign")

    assert (status, stdout) == (1, "")
    assert stderr == "Error: no campaign 'no-such-campaign': check its name on the page\n"
    assert run("recount")[0] == 2
    assert run("recount", "--all", "no-such-campaign")[0] == 2


def is_killed_while_paused(dashboard, campaign):
    """Kill a recount during its short pause of ingest; return whether that succeeded."""
    process = start(dashboard.state_dir, "recount", campaign)
    while process.poll() is None:
        if ingest_state(dashboard) != ["Enabled"]:
            process.send_signal(signal.SIGKILL)
            break
    process.communicate()
    return ingest_state(dashboard) != ["Enabled"]


def test_the_next_recount_detects_and_completes_a_killed_one(dashboard, client, run, a_campaign):
    campaign = a_campaign("killed")
    assert any(is_killed_while_paused(dashboard, campaign) for _attempt in range(5))
    client.subscribe("stats/health")
    client.wait_for("stats/health", lambda known: known.parts["health"]["paused_at"])

    status, _, stderr = run("recount", campaign)

    assert status == 0
    assert "! Ingest has been paused since" in stderr
    assert ingest_state(dashboard) == ["Enabled"]
    client.wait_for("stats/health", lambda known: not known.parts["health"]["paused_at"])


def test_dead_letters_are_listed_with_reasons_and_redriven(dashboard, run):
    dashboard.publish("dead letter one", json.dumps({"dead": "letter"}))
    dashboard.wait_until_ingested()

    status, stdout, _ = run("dlq", "list", "--json")
    letters = {one["body"].strip(): one for one in map(json.loads, stdout.splitlines())}
    assert status == 0
    assert letters["dead letter one"]["reason"] == "bad_json"
    assert letters['{"dead": "letter"}']["reason"] == "no_event_type"
    before = dashboard.dead_letters()

    status, _, stderr = run("dlq", "redrive", "--reason", "no_event_type")
    assert status == 0
    assert "messages were moved back" in stderr
    until = time.monotonic() + 30
    while dashboard.queued() or dashboard.dead_letters() != before:
        assert time.monotonic() < until, "the message is still invalid and returns"
        time.sleep(0.1)
    assert "bad_json" in run("dlq", "list")[1]


def test_replay_counts_exported_events_once(dashboard, client, run, tmp_path):
    topic = campaign_topic("replayed")
    events = [
        build(f"replayed-{number}", campaign="replayed")
        for number in range(30)
        for build in (ses.a_send, ses.a_delivery, ses.an_open)
    ]
    (tmp_path / "lines.json").write_text("".join(ses.raw(event) for event in events[:60]))
    (tmp_path / "firehose.gz").write_bytes(
        gzip.compress("".join(json.dumps(event) for event in events[40:]).encode())
    )
    (tmp_path / "odd.json").write_text(f"{ses.VALIDATION}\nno event\n{ses.raw(events[0])}")
    client.subscribe(topic)

    status, stdout, stderr = run("replay", str(tmp_path))
    assert status == 1
    assert "111 events sent to the queue; not sent: 1 bad_json." in stdout
    assert f"{tmp_path}/odd.json:2: bad_json" in stderr
    assert run("replay", str(tmp_path / "lines.json"))[0] == 0
    client.wait_for(topic, lambda known: known.counts["unique_opens"] == 30)
    dashboard.wait_until_ingested()

    counts = client.snapshot(topic).counts
    assert (counts["sends"], counts["deliveries"], counts["opens"]) == (30, 30, 30)
    assert run("recount", "replayed")[0] == 0


def test_replay_of_a_campaign_with_expiring_facts_is_refused(dashboard, run, a_campaign, tmp_path):
    campaign = a_campaign("expiring")
    yesterday = str(int(time.time()) - 86400).zfill(12)
    corrupt(dashboard, campaign, "SET facts_until = :value", S=yesterday)
    (tmp_path / "export").write_text(ses.raw(ses.a_send("expiring-1", campaign=campaign)))

    status, stdout, _ = run("replay", str(tmp_path / "export"))
    assert (status, "not sent: 1 facts_expired" in stdout) == (1, True)

    status, _, stderr = run("recount", campaign)
    assert status == 1
    assert "have expired" in stderr
    status, stdout, _ = run("recount", "--all", "--json")
    assert campaign in json.loads(stdout)["expiring"]

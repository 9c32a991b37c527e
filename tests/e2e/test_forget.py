"""Erase a recipient in a running `up`, and replay their events."""

import json
import os
import time

import pytest
from support import commands, ses
from support.client import campaign_topic
from support.readable import text_of

from chalicelib.facts.forgotten import Forgotten, spellings
from chalicelib.facts.suppressions import CACHE_SECONDS
from dashboard.forget.erasure import Erasure
from dashboard.installation import find
from dashboard.progress import Reporter

ZOE, BOB = "zoe@example.org", "bob@example.org"
CAMPAIGN = "forgotten"
TOPIC = campaign_topic(CAMPAIGN)


def of(build, message, address, **fields):
    subject = f"{address}, your offer"
    return build(message, campaign=CAMPAIGN, to=[address], subject=subject, **fields)


EVENTS = [
    of(ses.a_send, "f-1", "Zoe@Example.org"),
    of(ses.a_delivery, "f-1", "Zoe@Example.org"),
    of(ses.an_open, "f-1", ZOE),
    of(ses.a_click, "f-1", ZOE),
    of(ses.a_bounce, "f-2", ZOE, feedback="a"),
    of(ses.a_bounce, "f-2", ZOE, feedback="b", at="2026-11-23T10:30:00.000Z"),
    of(ses.a_send, "f-3", BOB),
    of(ses.an_open, "f-3", BOB),
]


@pytest.fixture
def run(dashboard):
    def finished(*arguments):
        process = commands.of_project().start(
            *arguments, "--state-dir", str(dashboard.state_dir), environment=os.environ
        )
        stdout, stderr = process.communicate(timeout=60)
        return process.returncode, stdout, stderr

    return finished


def wait_until_counted(dashboard, client):
    dashboard.wait_until_ingested()
    time.sleep(3)  # the streams' batching windows
    return client.snapshot(TOPIC).counts


def shown(client):
    """Return what all lists of the campaign show."""
    frames = [
        frame
        for action in ("listRecipients", "listActivity")
        for frame in client.request(action, id=TOPIC)
    ]
    return repr([*frames, client.snapshot(TOPIC).shown])


def stored(dashboard):
    tables = (dashboard.output("EventsTable"), dashboard.output("StatsTable"))
    items = [
        item for name in tables for item in dashboard.aws("dynamodb").scan(TableName=name)["Items"]
    ]
    return "\n".join(map(text_of, items))


def test_a_forgotten_recipient_does_not_return_with_a_replay(dashboard, client, run, tmp_path):
    dashboard.publish(*EVENTS)
    client.subscribe(TOPIC)
    client.wait_for(TOPIC, lambda known: known.counts.get("unique_clicks") == 1)
    before = wait_until_counted(dashboard, client)
    installation = find(dashboard.state_dir, None, None)
    token = Forgotten(installation.config.pseudonym_key).token(ZOE)

    status, stdout, _ = run("forget", ZOE, "--dry-run", "--json")
    assert status == 0
    assert json.loads(stdout)["facts"] == 6

    # No invocation of this test runs for minutes.
    Erasure(installation, spellings(ZOE), Reporter(), wait_seconds=CACHE_SECONDS + 3).run()
    (tmp_path / "events.json").write_text("".join(ses.raw(event) for event in EVENTS))
    assert run("replay", str(tmp_path / "events.json"))[0] == 0

    assert wait_until_counted(dashboard, client) == before
    assert "zoe@example.org" not in shown(client).lower()
    assert token in shown(client)
    [history] = client.request("recipientHistory", id=TOPIC, recipient=token)
    assert {one["type"] for one in history["results"]} >= {"Send", "Delivery", "Open", "Click"}
    assert "zoe" not in stored(dashboard)
    status, stdout, _ = run("recount", CAMPAIGN, "--json")
    assert (status, json.loads(stdout)["differences"]) == (0, [])

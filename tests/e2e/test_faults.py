"""AWS faults in the functions' calls and processes: the counters end up exact."""

import itertools
import os
import random
import signal
import subprocess
import threading
import time
from collections import Counter

import pytest
from support import commands, live, reference, ses
from support.client import campaign_topic
from support.faults import FaultyProxy

from chalicelib.live.delivery import GRACE_SECONDS
from chalicelib.live.subscriptions import Subscriptions
from dashboard.aws_session import Service

DYNAMODB_FAULTS = ["throttled", "500", "answer lost", "cut off", "garbage"]
FAULTS = 40
HANGING_CALLS = {30, 90}
KILLED = 10


@pytest.fixture(scope="module")
def dashboard(tmp_path_factory):
    """Run a separate dashboard whose functions call AWS through the proxy."""
    yield from live.running(tmp_path_factory.mktemp("faults") / "state", "--no-demo")


@pytest.fixture(scope="module")
def proxy(dashboard):
    with FaultyProxy(dashboard.info["endpoint_url"]) as proxy:
        lambda_client = dashboard.aws("lambda")
        for function in ("ingest", "aggregate", "publish", "websocket_message"):
            name = f"mailpulse-local-{function}"
            variables = lambda_client.get_function_configuration(FunctionName=name)["Environment"]
            variables["Variables"] |= {
                "AWS_ENDPOINT_URL_DYNAMODB": proxy.url,
                "CONNECTIONS_ENDPOINT": proxy.url + "/_aws/execute-api/{api_id}/{stage}",
            }
            lambda_client.update_function_configuration(FunctionName=name, Environment=variables)
        yield proxy


@pytest.fixture(scope="module", autouse=True)
def gone(dashboard):
    """Return a client that disconnects after a long time, and its monotonic start time."""
    with dashboard.client() as client:
        client.subscribe(campaign_topic("gone"))
        yield client, time.monotonic()


@pytest.fixture(autouse=True)
def no_faults_afterwards(request):
    yield
    if "proxy" in request.fixturenames:
        request.getfixturevalue("proxy").plan = lambda _: None


def a_campaign(name, number):
    events = []
    for index in range(number):
        message = f"{name}-{index}"
        events += [ses.a_send(message, campaign=name), ses.a_delivery(message, campaign=name)]
        if index % 4 == 0:
            events.append(ses.an_open(message, campaign=name))
        if index % 10 == 0:  # some are bots: three links at once
            events += [
                ses.a_click(
                    message,
                    campaign=name,
                    link=f"https://example.com/{link}",
                    at=f"2026-11-23T10:06:0{link}.000Z",
                )
                for link in range(1 + index % 3 * 2)
            ]
    return events


def wait_until_exact(dashboard, client, name, events, timeout):
    topic = campaign_topic(name)
    expected = reference.counts(events)[name]
    client.subscribe(topic)
    until = time.monotonic() + timeout
    while True:
        counted = {name: count for name, count in client.snapshot(topic).counts.items() if count}
        if counted == expected:
            break
        assert time.monotonic() < until, (counted, expected)
        time.sleep(0.2)
    dashboard.wait_until_ingested(timeout)


def wait_until(condition, seconds):
    until = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < until, "it does not happen"
        time.sleep(0.05)


def agrees(dashboard, name):
    """Return whether `recount` finds that the facts and the counters agree."""
    command = commands.of_project().start(
        *("recount", name, "--state-dir", str(dashboard.state_dir)), environment=os.environ
    )
    said = command.communicate()
    assert command.returncode == 0, said


def test_dynamodb_faults_lose_and_duplicate_no_event(dashboard, proxy, client):
    rng = random.Random(5)
    before = Counter(proxy.met)
    calls = itertools.count()

    def plan(call):
        if not call.operation:
            return None  # a frame sent to a connection
        if next(calls) in HANGING_CALLS:
            return "hang"
        if call.operation == "BatchWriteItem" and rng.random() < 0.3:
            return "unprocessed"
        return rng.choice(DYNAMODB_FAULTS) if rng.random() < 0.15 else None

    proxy.plan = plan
    events = a_campaign("failing", 120)
    arriving = events + rng.sample(events, 60)
    rng.shuffle(arriving)
    dashboard.publish(*arriving)
    wanted = {*DYNAMODB_FAULTS, "unprocessed", "hang"}

    def has_met_all():
        met = proxy.met - before
        return wanted <= met.keys() and met.total() >= FAULTS

    wait_until(has_met_all, 60)
    proxy.plan = lambda _: None

    wait_until_exact(dashboard, client, "failing", events, timeout=150)
    agrees(dashboard, "failing")


@pytest.mark.parametrize("fault", ["429", "500", "hang", "garbage"])
def test_an_unreachable_viewer_catches_up_and_delays_no_other(dashboard, proxy, fault):
    name = f"unreachable-{fault}"
    topic = campaign_topic(name)
    with dashboard.client() as slow, dashboard.client() as other:
        [connection] = ids = _connection_ids(proxy, slow)
        slow.subscribe(topic)
        other.subscribe(topic)
        proxy.plan = lambda call: fault if call.connection in ids else None

        began = time.monotonic()
        dashboard.publish(ses.a_send(f"{name}-1", campaign=name))
        other.wait_for(topic, lambda known: known.counts["sends"] == 1, timeout=30)
        took = time.monotonic() - began
        # The failing push is the last one.
        dynamodb = Service("dynamodb", dashboard.aws)
        rows = Subscriptions(dynamodb, dashboard.output("SubscriptionsTable"))
        wait_until(lambda: rows.behind(connection), 30)
        slow.listen(0.5)
        assert slow.topics[topic].counts["sends"] == 0
        proxy.plan = lambda _: None
        slow.request("ping")

        assert slow.topics[topic].counts["sends"] == 1
        assert took < 6, "an unresponsive one gets two attempts of two seconds, in parallel"


def test_a_disconnected_viewer_is_removed_and_the_others_stay_live(dashboard, proxy, gone):
    topic = campaign_topic("gone")
    with dashboard.client() as other:
        client, since = gone
        ids = _connection_ids(proxy, client)
        other.subscribe(topic)
        # A new connection may still be in its handshake. Its age is that of its row.
        wait_until(lambda: time.monotonic() > since + GRACE_SECONDS + 1, 30)
        proxy.plan = lambda call: "410" if call.connection in ids else None

        dashboard.publish(ses.a_send("gone-0", campaign="gone"))
        other.wait_for(topic, lambda known: known.counts["sends"] == 1)
        wait_until(lambda: not _subscriptions(dashboard, ids), 30)
        met = proxy.met["410"]
        for number in (1, 2):
            dashboard.publish(ses.a_send(f"gone-{number}", campaign="gone"))
            other.wait_for(topic, lambda known, n=number: known.counts["sends"] == n + 1)

        # The first change is pushed at once and from the stream, so both may meet the connection.
        assert 1 <= proxy.met["410"] == met <= 2


def _subscriptions(dashboard, ids):
    """Return the rows of connections in the table of subscriptions."""
    table = dashboard.output("SubscriptionsTable")
    rows = dashboard.aws("dynamodb").scan(TableName=table)["Items"]
    return [row for row in rows if ids & {row["member"]["S"], row["owner"]["S"]}]


def _connection_ids(proxy, client):
    """Return a client's connection id, to which the response to its ping is sent."""
    seen = set()

    def note(call):
        if not call.operation:
            seen.add(call.connection)

    proxy.plan = note
    client.request("ping")
    proxy.plan = lambda _: None
    return seen


def test_killed_workers_lose_and_duplicate_no_event(dashboard, client):
    events = a_campaign("killed", 250)
    rng = random.Random(3)
    arriving = events + rng.sample(events, 100)
    rng.shuffle(arriving)
    done = threading.Event()
    killed = []

    def kill():
        while not done.is_set() and len(killed) < KILLED:
            found = subprocess.run(
                ["pgrep", "-f", f"{dashboard.state_dir}/tmp/"],
                capture_output=True,
                text=True,
                check=False,
            )
            for worker in rng.sample(found.stdout.split(), k=min(2, len(found.stdout.split()))):
                try:
                    os.kill(int(worker), signal.SIGKILL)
                    killed.append(worker)
                except ProcessLookupError:
                    continue
            done.wait(0.4)

    killer = threading.Thread(target=kill)
    killer.start()
    try:
        dashboard.publish(*arriving)
        wait_until(lambda: len(killed) >= KILLED, 60)
    finally:
        done.set()
        killer.join()

    wait_until_exact(dashboard, client, "killed", events, timeout=120)
    agrees(dashboard, "killed")

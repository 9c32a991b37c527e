"""A large topic is pushed by further invocations of publish, in a deployed stage."""

import json
import time

from support import ses
from support.client import campaign_topic
from support.many_viewers import subscribe, viewers

from chalicelib.live.subscriptions import Subscriptions
from dashboard import aws_session

FUNCTION = "mailpulse-local-publish"


def logged(dashboard, topic):
    """Return publish's log entries of a topic's batches, with the log stream of each invocation."""
    logs = dashboard.aws("logs")
    group = f"/aws/lambda/{FUNCTION}"
    for page in logs.get_paginator("filter_log_events").paginate(logGroupName=group):
        for event in page["events"]:
            text = event["message"].strip()
            if text.startswith('{"event": "publish_batch"'):
                found = json.loads(text)
                if found["topic"] == topic:
                    yield event["logStreamName"], found


def test_batches_reach_open_connections_and_remove_gone_ones(dashboard):
    topic = campaign_topic("large")
    dynamodb, name = dashboard.aws("dynamodb"), dashboard.output("SubscriptionsTable")
    table = Subscriptions(aws_session.Service("dynamodb", lambda _: dynamodb), name)
    # 1,001 connections that are gone without a disconnect, and three open ones.
    subscribe(table, viewers(1001, "gone"), topic)
    with dashboard.client() as one, dashboard.client() as two, dashboard.client() as three:
        there = (one, two, three)
        for client in there:
            client.subscribe(topic)

        dashboard.publish(ses.a_send("large-1", campaign="large"))
        for client in there:
            client.wait_for(topic, lambda known: known.counts["sends"] == 1, timeout=60)

        until = time.monotonic() + 60
        while len(table.subscribers(topic)) > len(there):
            assert time.monotonic() < until, "gone connections are not removed"
            time.sleep(0.2)
        # The change may be pushed twice: at once, and from the stream.
        found = list(logged(dashboard, topic))
        while sum(batch["missed"] for _, batch in found) < 1001:
            assert time.monotonic() < until, found
            time.sleep(0.2)
            found = list(logged(dashboard, topic))
        streams = [stream for stream, _ in found]
        assert len(set(streams)) == len(streams), "each batch has its own invocation"
        assert sum(batch["sent"] for _, batch in found) >= len(there)

        # The topic is no longer large.
        dashboard.publish(ses.a_send("large-2", campaign="large"))
        for client in there:
            client.wait_for(topic, lambda known: known.counts["sends"] == 2)
        assert len(list(logged(dashboard, topic))) == len(found)

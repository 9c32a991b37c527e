"""What each function does: the edges are built here, once a process, and handed to the roles."""

import time
from collections.abc import Mapping
from functools import cache
from typing import Any

from chalicelib import config as settings
from chalicelib.aggregate import group
from chalicelib.aws import Connections, Dynamo, Queue
from chalicelib.checkpoint import lane
from chalicelib.config import Config
from chalicelib.errors import ConfigError
from chalicelib.events_table import EventsTable
from chalicelib.frames import frames
from chalicelib.ingest import Ingest
from chalicelib.log import log
from chalicelib.publish import Publish
from chalicelib.push import Pusher
from chalicelib.session import Session
from chalicelib.stats_table import StatsTable
from chalicelib.subscriptions import Connection, Subscriptions

SUBPROTOCOL = "mailpulse.v1"

Event = Mapping[str, Any]
"""An event as Lambda hands it over."""


class Edges:
    """All edges of a process, built on first use: each function needs only some."""

    def __init__(self, config: Config) -> None:
        self.config = config
        dynamo = Dynamo(config)
        self.events_table = EventsTable(
            dynamo, config.events_table, retention_days=config.retention_days
        )
        self.stats_table = StatsTable(dynamo, config.stats_table)
        self.subscriptions = Subscriptions(dynamo, config.subscriptions_table)
        self.pusher = Pusher(Connections(config))


@cache
def edges() -> Edges:
    """Build this process's edges from its environment."""
    return Edges(settings.load())


@cache
def _ingest() -> Ingest:
    of = edges()
    return Ingest(of.config, of.events_table, of.stats_table, Queue(of.config))


@cache
def _publish() -> Publish:
    of = edges()
    return Publish(of.subscriptions, of.pusher, of.config.push_interval)


@cache
def _session() -> Session:
    of = edges()
    return Session(of.stats_table, of.events_table, of.subscriptions)


def ingest(event: Event) -> dict[str, Any]:
    """Store what SES reported: a batch of the queue."""
    return _ingest().batch(event["Records"])


def aggregate(event: Event) -> dict[str, Any]:
    """Count a batch of the events table's stream.

    Raises:
        ConfigError: the shard is not known; the batch stays in the stream.
        AwsError: a counter could not be written; the batch comes again, without harm.
    """
    records = event["Records"]
    if records:
        batch = group(records)
        of_lane = lane(records[0]["eventSourceARN"], _shard(event, edges().config))
        now = int(time.time())
        for reason in batch.quarantined:
            log("quarantined", reason=reason)
        for key, touched in batch.in_writing_order():
            edges().stats_table.apply(key, touched, lane=of_lane, now=now)
        log("aggregate", records=len(records), items=len(batch.touched))
    # A tumbling window names the shard, and requires a state in return.
    return {"state": {}}


def publish(event: Event) -> None:
    """Push a batch of the stats table's stream."""
    _publish().batch(event["Records"])


def connect(event: Event) -> dict[str, Any]:
    """Accept a connection; nothing can be sent to it before the handshake has ended."""
    headers = {name.lower(): value for name, value in (event.get("headers") or {}).items()}
    offered = [one.strip() for one in headers.get("sec-websocket-protocol", "").split(",")]
    log("connect", connection=event["requestContext"]["connectionId"])
    if SUBPROTOCOL in offered:
        return {"statusCode": 200, "headers": {"Sec-WebSocket-Protocol": SUBPROTOCOL}}
    return {"statusCode": 200}


def message(event: Event) -> None:
    """Serve one request of a connection."""
    context = event["requestContext"]
    connection = Connection(
        id=context["connectionId"],
        endpoint=f"{context['apiId']}/{context['stage']}",
        connected_at=int(context["connectedAt"]) // 1000,
    )
    answers = 0
    for answer in _session().answer(connection, event.get("body") or ""):
        outcome = edges().pusher.to_one(connection, frames(answer))
        if outcome == "gone":
            edges().subscriptions.forget(connection.id)
        if outcome != "sent":
            log("answer_missed", connection=connection.id, outcome=outcome)
            break
        answers += 1
    log("message", connection=connection.id, answers=answers)


def disconnect(event: Event) -> None:
    """Forget a connection. API Gateway calls this as a rule, not always: rows expire too."""
    connection_id = event["requestContext"]["connectionId"]
    edges().subscriptions.forget(connection_id)
    log("disconnect", connection=connection_id)


def _shard(event: Event, config: Config) -> str:
    shard = event.get("shardId")
    if shard:
        return str(shard)
    if config.single_lane_stream:
        return ""
    raise ConfigError(
        "the event names no shard, so it cannot be counted exactly once: give the mapping of the "
        "events stream a tumbling window (TumblingWindowInSeconds=900)"
    )

"""What each function does: edges and roles are built here, once a process.

Every function imports this module, and a cold start is mostly imports: so what one of them needs is
imported where it is made, and made while Lambda starts it (prepare).
"""

from __future__ import annotations

import math
import time
from functools import cache, cached_property
from typing import TYPE_CHECKING, Any

from chalicelib import config as settings
from chalicelib.errors import ConfigError, Forbidden, Refused
from chalicelib.log import log

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from chalicelib.auth.authenticator import SignIn
    from chalicelib.auth.share_tokens import ShareTokens
    from chalicelib.auth.shares import Shares
    from chalicelib.auth.sharing import Sharing
    from chalicelib.auth.tokens import Tokens
    from chalicelib.aws.client import Service, Services, TimeLimit
    from chalicelib.aws.invoke import Invocations
    from chalicelib.aws.parallel import Run
    from chalicelib.aws.queues import Queues
    from chalicelib.aws.stream_lag import EventsStream
    from chalicelib.config import Config
    from chalicelib.facts.table import EventsTable
    from chalicelib.functions.aggregate import Count
    from chalicelib.functions.ingest import Ingest
    from chalicelib.functions.message import Session
    from chalicelib.functions.publish import Publish
    from chalicelib.functions.watch import Watch
    from chalicelib.live.fan_out import FanOut
    from chalicelib.live.gateway import Connections
    from chalicelib.live.large_topics import Crowds
    from chalicelib.live.permissions import Connection
    from chalicelib.live.pusher import Pusher
    from chalicelib.live.subscriptions import Subscriptions
    from chalicelib.stats.table import StatsTable

    Event = Mapping[str, Any]  # as Lambda hands it over

SUBPROTOCOL = "mailpulse.v1"


class Parts:
    """The edges and roles of a process, each made when it is first asked for.

    Making one calls nothing: a function makes only what it needs, and keeps it while it is warm.
    """

    def __init__(
        self,
        config: Config,
        *,
        services: Services | None = None,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self.config = config
        self._given = services
        self._clock = clock

    @cached_property
    def _services(self) -> Services:
        """AWS's services."""
        from chalicelib.aws.client import services

        return self._given or services(self.config, self.limit)

    @cached_property
    def limit(self) -> TimeLimit:
        """When the calls to AWS of this invocation end."""
        from chalicelib.aws.client import TimeLimit

        return TimeLimit()

    @cached_property
    def run(self) -> Run:
        """What runs tasks that wait for AWS."""
        from chalicelib.aws.parallel import in_threads

        return in_threads

    @cached_property
    def dynamo(self) -> Service:
        """DynamoDB."""
        return self._services("dynamodb")

    @cached_property
    def queues(self) -> Queues:
        """The queue and the dead-letter queue."""
        from chalicelib.aws.queues import Queues

        return Queues(
            self._services("sqs"),
            self._services("cloudwatch"),
            self.config.queue_url,
            self.config.dead_letter_queue_url,
        )

    @cached_property
    def events_stream(self) -> EventsStream:
        """The stream of the facts, looked at from beside."""
        from chalicelib.aws.stream_lag import EventsStream

        return EventsStream(self._services("dynamodbstreams"), self.config.events_stream_arn)

    @cached_property
    def connections(self) -> Connections:
        """API Gateway's connections."""
        from chalicelib.live.gateway import Connections

        return Connections(self.config)

    @cached_property
    def pusher(self) -> Pusher:
        """What sends to many of them."""
        from chalicelib.live.pusher import Pusher

        return Pusher(self.connections, lambda: self.fan_out, clock=self._clock)

    @cached_property
    def fan_out(self) -> FanOut:
        """What sends to many at once."""
        from chalicelib.live.fan_out import FanOut

        return FanOut(self.config, clock=self._clock)

    @cached_property
    def events_table(self) -> EventsTable:
        """The facts."""
        from chalicelib.facts.table import EventsTable

        return EventsTable(
            self.dynamo,
            self.config.events_table,
            retention_days=self.config.retention_days,
            clock=self._clock,
        )

    @cached_property
    def stats_table(self) -> StatsTable:
        """The counters."""
        from chalicelib.stats.table import StatsTable

        return StatsTable(self.dynamo, self.config.stats_table, clock=self._clock)

    @cached_property
    def subscriptions(self) -> Subscriptions:
        """Who listens to what."""
        from chalicelib.live.subscriptions import Subscriptions

        return Subscriptions(self.dynamo, self.config.subscriptions_table, clock=self._clock)

    @cached_property
    def tokens(self) -> Tokens:
        """The issuer's tokens."""
        from chalicelib.auth.tokens import Tokens

        return Tokens(
            str(self.config.issuer),
            self.config.client_id,
            groups_claim=self.config.groups_claim,
            clock=self._clock,
        )

    @cached_property
    def share_tokens(self) -> ShareTokens:
        """The tokens of share links."""
        from chalicelib.auth.share_tokens import ShareTokens

        return ShareTokens(self.config.share_key, clock=self._clock)

    @cached_property
    def shares(self) -> Shares:
        """Which share links there are."""
        from chalicelib.auth.shares import Shares

        return Shares(self.dynamo, self.config.subscriptions_table, clock=self._clock)

    @cached_property
    def sharing(self) -> Sharing:
        """The role that makes and revokes share links."""
        from chalicelib.auth.sharing import Sharing

        return Sharing(self.shares, self.subscriptions, self.connections, self.share_tokens.sign)

    @cached_property
    def sign_in(self) -> SignIn | None:
        """Who may come in; None where anybody may."""
        from chalicelib.auth.authenticator import SignIn

        if self.config.issuer is None:
            return None
        return SignIn(
            self.config,
            lambda token: self.tokens.viewer(token),  # noqa: PLW0108 - cryptography, only then
            lambda token: self.share_tokens.access(token),  # noqa: PLW0108 - the same
            self.shares,
            self.subscriptions,
        )

    @cached_property
    def ingest(self) -> Ingest:
        """The role that takes in what SES reports."""
        from chalicelib.functions.ingest import Ingest

        return Ingest(
            self.config,
            self.events_table,
            self.stats_table,
            self.queues,
            self.limit,
            run=self.run,
            clock=self._clock,
        )

    @cached_property
    def count(self) -> Count:
        """The role that counts."""
        from chalicelib.functions.aggregate import Count

        return Count(self.stats_table, self._clock)

    @cached_property
    def publish(self) -> Publish:
        """The role that pushes."""
        from chalicelib.functions.publish import Publish

        return Publish(
            self.subscriptions,
            self.pusher,
            lambda: self.crowds,
            self.config.push_interval,
            clock=self._clock,
        )

    @cached_property
    def crowds(self) -> Crowds:
        """What pushes to many viewers."""
        from chalicelib.live.large_topics import Crowds
        from chalicelib.live.rate_limit import Turns

        turns = Turns(
            self.dynamo,
            self.config.subscriptions_table,
            self.config.messages_per_second,
            clock=self._clock,
        )
        return Crowds(turns, lambda event: self.invocations.invoke(event), clock=self._clock)  # noqa: PLW0108 - only where it must

    @cached_property
    def invocations(self) -> Invocations:
        """What has chunks of a topic's viewers pushed by other invocations."""
        from chalicelib.aws.invoke import Invocations

        return Invocations(self.config, clock=self._clock)

    @cached_property
    def watch(self) -> Watch:
        """The role that looks whether everything flows."""
        from chalicelib.functions.watch import Watch

        return Watch(self.queues, self.events_stream, self.stats_table, self._clock)

    @cached_property
    def session(self) -> Session:
        """The role that serves requests."""
        from chalicelib.functions.message import Session

        return Session(
            self.stats_table, self.events_table, self.subscriptions, self.sign_in, self._clock
        )


@cache
def parts() -> Parts:
    """Build this process's parts from its environment."""
    return Parts(settings.load())


NEEDED: Mapping[str, Callable[[Parts], object]] = {
    "ingest": lambda parts: parts.ingest,
    "aggregate": lambda parts: parts.count,
    "publish": lambda parts: parts.publish,
    "watch": lambda parts: parts.watch,
    "connect": lambda parts: parts.sign_in and parts.tokens,
    "message": lambda parts: (parts.session, parts.pusher),
    "disconnect": lambda parts: parts.subscriptions,
}
"""What each function of app.py makes of its process."""


def prepare(function: str) -> None:
    """Import and make what a function needs for its events, before the first of them.

    Args:
        function: its name in app.py; where it is none of them, nothing is made.

    Raises:
        ConfigError: a setting is missing, or makes no sense.
    """
    if function in NEEDED:
        NEEDED[function](parts())


def ingest(event: Event, context: Any = None) -> dict[str, Any]:
    """Store what SES reported: a batch of the queue.

    Args:
        event: as Lambda hands it over.
        context: Lambda's, which knows when it ends this invocation; None where nothing does.
            https://docs.aws.amazon.com/lambda/latest/dg/python-context.html

    Raises:
        NotStored: a message could not be stored, and must not be deleted.
    """
    left = math.inf if context is None else context.get_remaining_time_in_millis() / 1000
    return parts().ingest.batch(event["Records"], left)


def aggregate(event: Event) -> dict[str, Any]:
    """Count a batch of the events table's stream.

    Raises:
        ConfigError: the shard is not known; the batch stays in the stream.
        AwsError: a counter could not be written; the batch comes again, without harm.
    """
    if event["Records"]:  # none when a tumbling window ends
        parts().count.batch(event["Records"], shard=_shard(event))
    # A tumbling window names the shard, and requires a state in return.
    return {"state": {}}


def publish(event: Event) -> None:
    """Push a batch of the stats table's stream, or to a chunk of a topic's viewers.

    Raises:
        AwsError: it could not be noted who missed a push; the event comes again, without harm.
    """
    if "push" in event:
        parts().publish.chunk(event)
    else:
        parts().publish.batch(event["Records"])


def watch(_event: Event) -> None:
    """Look whether everything flows: each minute."""
    parts().watch.check()


def connect(event: Event) -> dict[str, Any]:
    """Accept a connection, or not; nothing can be sent to it before the handshake has ended.

    Who offers our sub-protocol is answered with exactly it, and never with the token beside it.
    """
    headers = {name.lower(): value for name, value in (event.get("headers") or {}).items()}
    offered = [one.strip() for one in headers.get("sec-websocket-protocol", "").split(",")]
    connection = _connection(event)
    viewer = None
    if (sign_in := parts().sign_in) is not None:
        # A raised error would be a 502: https://github.com/aws/chalice/issues/1772
        try:
            viewer = sign_in.admit(connection, offered, headers.get("origin")).subject
        except Refused as error:
            log("refused", connection=connection.id, reason=str(error))
            return {"statusCode": 403 if isinstance(error, Forbidden) else 401}
    log("connect", connection=connection.id, viewer=viewer)
    if SUBPROTOCOL in offered:
        return {"statusCode": 200, "headers": {"Sec-WebSocket-Protocol": SUBPROTOCOL}}
    return {"statusCode": 200}


def message(event: Event) -> None:
    """Serve one request of a connection; one whose token has ended is closed."""
    from chalicelib.live.frames import frames

    connection = _connection(event)
    answers = 0
    try:
        for answer in parts().session.answer(connection, event.get("body") or ""):
            outcome = parts().pusher.to_one(connection, frames(answer))
            if outcome == "gone":
                parts().subscriptions.forget(connection.id)
            elif outcome == "failed" and "snapshot" in answer:
                parts().subscriptions.mark_behind(connection.id, answer["id"])
            if outcome != "sent":
                log("answer_missed", connection=connection.id, outcome=outcome)
                break
            answers += 1
    except Refused as error:
        log("closed", connection=connection.id, reason=str(error))
        if error.reply is not None:
            parts().pusher.to_one(connection, frames(error.reply))
        parts().subscriptions.forget(connection.id)
        parts().connections.close(connection.endpoint, connection.id)
    log("message", connection=connection.id, answers=answers)


def disconnect(event: Event) -> None:
    """Forget a connection. API Gateway calls this as a rule, not always: rows expire too."""
    connection_id = event["requestContext"]["connectionId"]
    parts().subscriptions.forget(connection_id)
    log("disconnect", connection=connection_id)


def _connection(event: Event) -> Connection:
    from chalicelib.live.permissions import Connection

    context = event["requestContext"]
    return Connection(
        id=context["connectionId"],
        endpoint=f"{context['apiId']}/{context['stage']}",
        connected_at=int(context["connectedAt"]) // 1000,
    )


def _shard(event: Event) -> str:
    shard = event.get("shardId")
    if not shard:
        raise ConfigError(
            "the event names no shard, so it cannot be counted exactly once: give the mapping of "
            "the events stream a tumbling window (TumblingWindowInSeconds=900)"
        )
    return str(shard)

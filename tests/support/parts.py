"""What the functions are built of, for tests that replace some of it."""

import time
from contextlib import contextmanager
from functools import cached_property

import pytest

from chalicelib.auth.authenticator import Authenticator
from chalicelib.auth.share_tokens import ShareTokens
from chalicelib.auth.shares import Shares
from chalicelib.auth.sharing import Sharing
from chalicelib.auth.tokens import TokenVerifier
from chalicelib.aws.client import TimeLimit
from chalicelib.aws.client import services as aws_services
from chalicelib.aws.invoke import Invocations
from chalicelib.aws.parallel import in_threads
from chalicelib.aws.queues import Queues
from chalicelib.aws.stream_lag import EventsStream
from chalicelib.facts.table import EventsTable
from chalicelib.functions import aggregate, connect, disconnect, ingest, message, publish, watch
from chalicelib.functions.aggregate import Aggregator
from chalicelib.functions.ingest import Ingest
from chalicelib.functions.message import RequestHandler
from chalicelib.functions.publish import Publisher
from chalicelib.functions.watch import HealthMonitor
from chalicelib.live.fan_out import FanOut
from chalicelib.live.gateway import ManagementApi
from chalicelib.live.large_topics import LargeTopics
from chalicelib.live.pusher import Pusher
from chalicelib.live.rate_limit import RateLimiter
from chalicelib.live.subscriptions import Subscriptions
from chalicelib.stats.table import StatsTable


class Parts:
    """Everything that the functions are built of, each made when it is first asked for.

    A test replaces one before anything that uses it is made.
    """

    def __init__(
        self,
        config,
        *,
        services=None,
        clock=time.time,
    ):
        self.config = config
        self._given = services
        self._clock = clock

    @cached_property
    def _services(self):
        """AWS's services."""
        return self._given or aws_services(self.config, self.limit)

    @cached_property
    def limit(self):
        """When the calls to AWS of this invocation end."""
        return TimeLimit()

    @cached_property
    def run(self):
        """What runs tasks that wait for AWS."""
        return in_threads

    @cached_property
    def dynamo(self):
        """DynamoDB."""
        return self._services("dynamodb")

    @cached_property
    def queues(self):
        """The queue and the dead-letter queue."""
        return Queues(
            self._services("sqs"),
            self._services("cloudwatch"),
            self.config.queue_url,
            self.config.dead_letter_queue_url,
        )

    @cached_property
    def events_stream(self):
        """The stream of the facts, looked at from beside."""
        return EventsStream(self._services("dynamodbstreams"), self.config.events_stream_arn)

    @cached_property
    def connections(self):
        """API Gateway's connections."""
        return ManagementApi(self.config)

    @cached_property
    def pusher(self):
        """What sends to many of them."""
        return Pusher(self.connections, lambda: self.fan_out, clock=self._clock)

    @cached_property
    def fan_out(self):
        """What sends to many at once."""
        return FanOut(self.config, clock=self._clock)

    @cached_property
    def events_table(self):
        """The facts."""
        return EventsTable(
            self.dynamo,
            self.config.events_table,
            retention_days=self.config.retention_days,
            clock=self._clock,
        )

    @cached_property
    def stats_table(self):
        """The counters."""
        return StatsTable(self.dynamo, self.config.stats_table, clock=self._clock)

    @cached_property
    def subscriptions(self):
        """Who listens to what."""
        return Subscriptions(self.dynamo, self.config.subscriptions_table, clock=self._clock)

    @cached_property
    def tokens(self):
        """The issuer's tokens."""
        return TokenVerifier(
            str(self.config.issuer),
            self.config.client_id,
            groups_claim=self.config.groups_claim,
            clock=self._clock,
        )

    @cached_property
    def share_tokens(self):
        """The tokens of share links."""
        return ShareTokens(self.config.share_key, clock=self._clock)

    @cached_property
    def shares(self):
        """Which share links there are."""
        return Shares(self.dynamo, self.config.subscriptions_table, clock=self._clock)

    @cached_property
    def sharing(self):
        """The role that makes and revokes share links."""
        return Sharing(self.shares, self.subscriptions, self.connections, self.share_tokens.sign)

    @cached_property
    def sign_in(self):
        """Who may come in; None where anybody may."""
        if self.config.issuer is None:
            return None
        return Authenticator(
            self.config,
            lambda token: self.tokens.viewer(token),  # noqa: PLW0108 - a test may replace it later
            lambda token: self.share_tokens.access(token),  # noqa: PLW0108 - the same
            self.shares,
            self.subscriptions,
        )

    @cached_property
    def ingest(self):
        """The role that takes in what SES reports."""
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
    def count(self):
        """The role that counts."""
        return Aggregator(self.stats_table, self._clock)

    @cached_property
    def publish(self):
        """The role that pushes."""
        return Publisher(
            self.subscriptions,
            self.pusher,
            lambda: self.crowds,
            self.config.push_interval,
            clock=self._clock,
        )

    @cached_property
    def crowds(self):
        """What pushes to many viewers."""
        turns = RateLimiter(
            self.dynamo,
            self.config.subscriptions_table,
            self.config.messages_per_second,
            clock=self._clock,
        )
        return LargeTopics(turns, lambda event: self.invocations.invoke(event), clock=self._clock)  # noqa: PLW0108 - the same

    @cached_property
    def invocations(self):
        """What has chunks of a topic's viewers pushed by other invocations."""
        return Invocations(self.config, clock=self._clock)

    @cached_property
    def watch(self):
        """The role that looks whether everything flows."""
        return HealthMonitor(self.queues, self.events_stream, self.stats_table, self._clock)

    @cached_property
    def session(self):
        """The role that serves requests."""
        return RequestHandler(
            self.stats_table,
            self.events_table,
            self.subscriptions,
            self.sign_in,
            self.connections,
            self.pusher,
            self._clock,
        )

    @contextmanager
    def installed(self):
        """Let the handlers use these parts inside the block."""
        with pytest.MonkeyPatch.context() as monkeypatch:
            install(monkeypatch, lambda: self)
            yield


_FUNCTIONS = {
    ingest: "ingest",
    aggregate: "count",
    publish: "publish",
    watch: "watch",
    connect: "sign_in",
    message: "session",
    disconnect: "subscriptions",
}


def install(monkeypatch, parts):
    """Let the handlers use these parts: `parts` is asked for them at each event."""

    def replace(module, name):
        monkeypatch.setattr(module, "function", lambda: getattr(parts(), name))

    for module, name in _FUNCTIONS.items():
        replace(module, name)

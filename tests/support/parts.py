"""The components of the functions, for tests that replace some of them."""

import time
from contextlib import contextmanager
from functools import cached_property, partial

import pytest

from chalicelib.auth.authenticator import Authenticator
from chalicelib.auth.share_links import Shares, Sharing
from chalicelib.auth.share_requests import ShareRequests
from chalicelib.auth.share_tokens import ShareTokens
from chalicelib.auth.tokens import TokenVerifier
from chalicelib.aws.client import TimeLimit
from chalicelib.aws.client import services as aws_services
from chalicelib.aws.function_metrics import FunctionMetrics
from chalicelib.aws.invoke import Invocations
from chalicelib.aws.parallel import in_threads
from chalicelib.aws.queues import Queues
from chalicelib.aws.ses_metrics import SesMetrics
from chalicelib.aws.stream_lag import EventsStream
from chalicelib.aws.topics import AlarmTopic
from chalicelib.facts.suppressions import Suppressions
from chalicelib.facts.table import EventsTable
from chalicelib.functions import (
    aggregate,
    connect,
    disconnect,
    ingest,
    message,
    publish,
    publish_visible,
    watch,
)
from chalicelib.functions.aggregate import Aggregator
from chalicelib.functions.ingest import Ingest
from chalicelib.functions.message import RequestHandler
from chalicelib.functions.publish import Publisher
from chalicelib.functions.watch import HealthMonitor
from chalicelib.live.activity import Activity
from chalicelib.live.campaign_lists import CampaignLists
from chalicelib.live.fan_out import FanOut
from chalicelib.live.frame_sender import FrameSender
from chalicelib.live.gateway import ManagementApi
from chalicelib.live.large_topics import LargeTopics
from chalicelib.live.rate_limit import RateLimiter
from chalicelib.live.recipient_lists import RecipientLists
from chalicelib.live.snapshots import Snapshots
from chalicelib.live.subscriptions import Subscriptions
from chalicelib.live.usual import UsualCounts
from chalicelib.recipients.table import RecipientsIndex
from chalicelib.stats.day_check import DayCheck
from chalicelib.stats.directory_table import Directory
from chalicelib.stats.incident_table import CampaignAlarms
from chalicelib.stats.networks import Networks
from chalicelib.stats.pace_table import Paces
from chalicelib.stats.table import StatsTable


class Parts:
    """The components of the functions, each created when it is first used.

    A test replaces a component before creating the ones that use it.
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
        """Return the AWS service clients."""
        return self._given or aws_services(self.config, self.limit)

    @cached_property
    def limit(self):
        """Return the time limit of this invocation's calls to AWS."""
        return TimeLimit()

    @cached_property
    def run(self):
        """Return the function that runs tasks in parallel."""
        return in_threads

    @cached_property
    def dynamo(self):
        """Return the DynamoDB client."""
        return self._services("dynamodb")

    @cached_property
    def queues(self):
        """Return the client of the queue and the dead-letter queue."""
        return Queues(
            self._services("sqs"),
            self._services("cloudwatch"),
            self.config.queue_url,
            self.config.dead_letter_queue_url,
        )

    @cached_property
    def events_stream(self):
        """Return the reader that measures the lag of the events table's stream."""
        return EventsStream(self._services("dynamodbstreams"), self.config.events_stream_arn)

    @cached_property
    def connections(self):
        """Return the API Gateway connections client."""
        return ManagementApi(self.config)

    @cached_property
    def frame_sender(self):
        """Return the sender of frames to connections."""
        return FrameSender(self.connections, lambda: self.fan_out, clock=self._clock)

    @cached_property
    def fan_out(self):
        """Return the fan-out to many connections."""
        return FanOut(self.config, clock=self._clock)

    @cached_property
    def events_table(self):
        """Return the events table."""
        return EventsTable(
            self.dynamo,
            self.config.events_table,
            retention_days=self.config.retention_days,
            clock=self._clock,
        )

    @cached_property
    def suppressions(self):
        """Return the suppressions of forgotten recipients."""
        return Suppressions(
            self.dynamo, self.config.stats_table, self.config.pseudonym_key, clock=self._clock
        )

    @cached_property
    def stats_table(self):
        """Return the stats table."""
        return StatsTable(self.dynamo, self.config.stats_table, clock=self._clock)

    @cached_property
    def networks(self):
        """Return the networks of the campaigns."""
        return Networks(self.dynamo, self.config.stats_table, clock=self._clock)

    @cached_property
    def directory(self):
        """Return the directory of campaigns."""
        return Directory(self.dynamo, self.config.stats_table, self.stats_table)

    @cached_property
    def snapshots(self):
        """Return the reader of snapshots."""
        return Snapshots(
            self.stats_table, Activity(self.stats_table, self.events_table), self._clock
        )

    @cached_property
    def push_now(self):
        """Return the function by which aggregate makes publish push at once: here, it does not."""
        return lambda _images: None

    def invoke_publish(self):
        """Make aggregate invoke publish through `invocations`."""
        self.push_now = partial(aggregate._push_now, lambda: self.invocations)

    @cached_property
    def recipients(self):
        """Return the recipients index."""
        return RecipientsIndex(
            self.dynamo,
            self.config.stats_table,
            retention_days=self.config.retention_days,
            clock=self._clock,
        )

    @cached_property
    def subscriptions(self):
        """Return the subscriptions table."""
        return Subscriptions(self.dynamo, self.config.subscriptions_table, clock=self._clock)

    @cached_property
    def tokens(self):
        """Return the verifier of the issuer's tokens."""
        return TokenVerifier(
            str(self.config.issuer),
            self.config.client_id,
            groups_claim=self.config.groups_claim,
            clock=self._clock,
        )

    @cached_property
    def share_tokens(self):
        """Return the verifier of share links' tokens."""
        return ShareTokens(self.config.share_key, clock=self._clock)

    @cached_property
    def shares(self):
        """Return the table of share links."""
        return Shares(self.dynamo, self.config.subscriptions_table, clock=self._clock)

    @cached_property
    def sharing(self):
        """Return the service that creates and revokes share links."""
        return Sharing(self.shares, self.subscriptions, self.connections, self.share_tokens.sign)

    @cached_property
    def sign_in(self):
        """Return the authenticator; None if there is neither an issuer nor a share key."""
        if self.config.issuer is None and not self.config.share_key:
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
        """Return the ingest function."""
        return Ingest(
            self.config,
            self.events_table,
            self.suppressions,
            self.networks,
            self.queues,
            self.limit,
            run=self.run,
            clock=self._clock,
        )

    @cached_property
    def count(self):
        """Return the aggregate function."""
        return Aggregator(
            self.stats_table,
            self.recipients,
            self.suppressions,
            self.networks,
            self.queues,
            self.push_now,
            self.config.idle_seconds,
            self._clock,
        )

    @cached_property
    def publish(self):
        """Return the publish function."""
        return Publisher(
            self.subscriptions,
            self.frame_sender,
            lambda: self.large_topics,
            self.snapshots,
            clock=self._clock,
        )

    @cached_property
    def large_topics(self):
        """Return the publisher for large topics."""
        rate_limiter = RateLimiter(
            self.dynamo,
            self.config.subscriptions_table,
            self.config.messages_per_second,
            clock=self._clock,
        )
        return LargeTopics(
            rate_limiter,
            lambda event: self.invocations.invoke(event),  # noqa: PLW0108 - the same
            clock=self._clock,
        )

    @cached_property
    def invocations(self):
        """Return the client that invokes publish."""
        return Invocations(self.config, "publish", clock=self._clock)

    @cached_property
    def paces(self):
        """Return the pace of campaigns."""
        return Paces(self.stats_table, self.directory)

    @cached_property
    def alarm_topic(self):
        """Return the topic of alarms; None if there is none."""
        arn = self.config.alarm_topic_arn
        return AlarmTopic(self._services("sns"), arn) if arn else None

    @cached_property
    def alarms(self):
        """Return the alarms of campaigns."""
        return CampaignAlarms(
            self.stats_table,
            self.paces,
            self.alarm_topic,
            page_url=self.config.page_url,
            clock=self._clock,
        )

    @cached_property
    def usual_counts(self):
        """Return the reader of usual counts."""
        return UsualCounts(self.stats_table, self.directory)

    @cached_property
    def function_metrics(self):
        """Return the reader of the functions' metrics."""
        return FunctionMetrics(
            self._services("cloudwatch"), self.config.function_name.removesuffix("watch")
        )

    @cached_property
    def ses_metrics(self):
        """Return the reader of SES's metrics in CloudWatch."""
        return SesMetrics(self._services("cloudwatch"))

    @cached_property
    def watch(self):
        """Return the watch function."""
        return HealthMonitor(
            self.queues,
            self.events_stream,
            self.stats_table,
            self.directory,
            self.function_metrics,
            self.paces,
            self.alarms,
            DayCheck(self.stats_table, self.ses_metrics),
            self._clock,
        )

    @cached_property
    def session(self):
        """Return the request handler."""
        return RequestHandler(
            self.stats_table,
            self.snapshots,
            CampaignLists(
                self.stats_table,
                self.directory,
                tag_names=self.config.breakdown_tags,
                clock=self._clock,
            ),
            RecipientLists(self.stats_table, self.events_table, self.recipients),
            lambda: self.usual_counts,
            ShareRequests(self.sharing if self.config.share_key else None, self._clock),
            self.subscriptions,
            self.sign_in,
            self.connections,
            self.frame_sender,
            self._clock,
        )

    @contextmanager
    def installed(self):
        """Make the handlers use these components inside the block."""
        with pytest.MonkeyPatch.context() as monkeypatch:
            install(monkeypatch, lambda: self)
            yield


_FUNCTIONS = {
    ingest: "ingest",
    aggregate: "count",
    publish: "publish",
    publish_visible: "publish",
    watch: "watch",
    connect: "sign_in",
    message: "session",
    disconnect: "subscriptions",
}


def install(monkeypatch, parts):
    """Make the handlers use the components that `parts` returns at each event."""

    def replace(module, name):
        monkeypatch.setattr(module, "function", lambda: getattr(parts(), name))

    for module, name in _FUNCTIONS.items():
        replace(module, name)

"""Select the installation for a command: the `up` on this machine, or a stage in AWS.

A command uses the settings with which the functions were deployed.
"""

import os
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache, cached_property
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import urlsplit

import boto3
import click
from botocore.exceptions import BotoCoreError, ClientError

from chalicelib.auth.share_links import Shares, Sharing
from chalicelib.auth.share_tokens import ShareTokens
from chalicelib.aws.client import Service, Services
from chalicelib.aws.queues import Queues
from chalicelib.aws.stream_lag import EventsStream
from chalicelib.config import Config
from chalicelib.errors import CommandError
from chalicelib.facts.suppressions import Suppressions
from chalicelib.facts.table import EventsTable
from chalicelib.live.subscriptions import Subscriptions
from chalicelib.recipients.table import RecipientsIndex
from chalicelib.stats.networks import Networks
from chalicelib.stats.table import StatsTable
from dashboard import aws_session
from dashboard.aws_session import Clients
from dashboard.deploy.chalice_resources import find_apis, function_name, only_api
from dashboard.local import install
from dashboard.local.emulator.environment import REGION
from dashboard.local.running import read_running
from dashboard.local.session import LocalSession
from dashboard.paths import PROJECT, StateDir
from dashboard.sqs.topic import Topic

_PARTS_OF_AN_ARN = 6
_LOOPBACK = {"127.0.0.1", "localhost", "::1"}

F = TypeVar("F", bound=Callable[..., Any])


@dataclass
class Installation:
    """One installation of Mailpulse.

    Attributes:
        stage: its Chalice stage.
        clients: makes boto3 clients of its account and region.
        config: the settings with which its functions were deployed.
        clock: returns epoch seconds.
    """

    stage: str
    clients: Clients
    config: Config
    clock: Callable[[], float] = time.time

    @cached_property
    def _services(self) -> Services:
        return aws_session.services(self.clients)

    @cached_property
    def dynamo(self) -> Service:
        """DynamoDB, with this installation's credentials."""
        return self._services("dynamodb")

    @cached_property
    def events_table(self) -> EventsTable:
        """The table of facts."""
        return EventsTable(
            self.dynamo,
            self.config.events_table,
            retention_days=self.config.retention_days,
            clock=self.clock,
        )

    @cached_property
    def suppressions(self) -> Suppressions:
        """The suppressions of forgotten recipients."""
        return Suppressions(
            self.dynamo,
            self.config.stats_table,
            self.config.pseudonym_key,
            clock=self.clock,
        )

    @cached_property
    def stats_table(self) -> StatsTable:
        """The table of counters."""
        return StatsTable(self.dynamo, self.config.stats_table, clock=self.clock)

    @cached_property
    def networks(self) -> Networks:
        """The networks of the campaigns."""
        return Networks(self.dynamo, self.config.stats_table, clock=self.clock)

    @cached_property
    def recipients(self) -> RecipientsIndex:
        """The index of recipients."""
        return RecipientsIndex(
            self.dynamo,
            self.config.stats_table,
            retention_days=self.config.retention_days,
            clock=self.clock,
        )

    @cached_property
    def events_stream(self) -> EventsStream:
        """The stream of the events table."""
        return EventsStream(self._services("dynamodbstreams"), self.config.events_stream_arn)

    @cached_property
    def queues(self) -> Queues:
        """The queue and the dead-letter queue."""
        return Queues(
            self._services("sqs"),
            self._services("cloudwatch"),
            self.config.queue_url,
            self.config.dead_letter_queue_url,
        )

    @cached_property
    def websocket_url(self) -> str:
        """URL of the WebSocket API.

        Raises:
            CommandError: the stage has no WebSocket API, or more than one.
        """
        api = only_api(find_apis(self.clients("apigatewayv2"), self.stage), self.stage)
        return self.config.connections_url(f"{api}/{self.stage}").replace("http", "ws", 1)

    @cached_property
    def shares(self) -> Shares:
        """The existing share links."""
        table = self.config.subscriptions_table
        return Shares(self.dynamo, table, clock=self.clock)

    @cached_property
    def sharing(self) -> Sharing:
        """Creates and revokes share links."""
        table = self.config.subscriptions_table
        return Sharing(
            self.shares,
            Subscriptions(self.dynamo, table, clock=self.clock),
            aws_session.OperatorManagementApi(self.config),
            ShareTokens(self.config.share_key, clock=self.clock).sign,
        )


_OPTIONS = (
    click.option("--stage", help="Stage in AWS (default: the local `up`)."),
    click.option("--region", help="AWS region of the stage (default: the configured one)."),
    click.option(
        "--state-dir",
        type=click.Path(file_okay=False, path_type=Path),
        default=PROJECT / ".mailpulse",
        show_default=".mailpulse in the project",
        help="State folder of the local `up`.",
    ),
)


def installation_options(command: F) -> F:
    """Add the options that select an installation to a command."""
    for option in reversed(_OPTIONS):
        command = option(command)
    return command


def find(state_dir: Path, stage: str | None, region: str | None) -> Installation:
    """Return an installation.

    Args:
        state_dir: state folder of `up`; ignored if a stage is given.
        stage: None for the running `up`.
        region: None for the configured one.

    Raises:
        CommandError: there is no such installation, or it cannot be reached.
    """
    if stage is None:
        running = read_running(StateDir(state_dir))
        session = LocalSession(running["endpoint_url"])
        return installation_of(install.STAGE, session.client, REGION, session.endpoint_url)
    try:
        aws = boto3.session.Session(region_name=region)
        if aws.region_name is None:
            raise CommandError("no AWS region is configured: use --region")
        endpoint = os.environ.get("AWS_ENDPOINT_URL", "")
        return installation_of(stage, aws.client, aws.region_name, endpoint)
    except (BotoCoreError, ValueError) as error:
        raise CommandError(
            f"cannot access stage {stage!r} ({error}): check --region and the AWS configuration"
        ) from error


def installation_of(stage: str, make: Clients, region: str, endpoint: str) -> Installation:
    """Return an installation, with the settings of its deployed functions.

    Args:
        stage: its Chalice stage.
        make: makes boto3 clients of its account and region.
        region: its region.
        endpoint: replaces AWS's endpoints; empty for AWS.

    Raises:
        CommandError: the installation does not exist, or cannot be read.
    """
    clients = cache(make)
    name = function_name(stage, "ingest")
    try:
        function = clients("lambda").get_function_configuration(FunctionName=name)
    except ClientError as error:
        raise CommandError(
            f"cannot read the function {name} in {region} ({error}): deploy stage {stage!r} "
            "first, or check --stage, --region and the AWS configuration"
        ) from error
    variables = function["Environment"]["Variables"]
    config = Config.from_environ({**variables, "AWS_REGION": region, "AWS_ENDPOINT_URL": endpoint})
    return Installation(stage, clients, config)


def find_topic(
    state_dir: Path, arn: str | None, endpoint_url: str | None, region: str | None
) -> Topic:
    """Return the given topic, or else that of the running `up`.

    Args:
        state_dir: state folder of `up`.
        arn: None for that of the running `up`.
        endpoint_url: None for AWS or, without an ARN, for that of the running `up`.
        region: None for the ARN's region.

    Raises:
        CommandError: no ARN is given and no `up` is running; or it is not the ARN of a topic.
    """
    if arn is None:
        running = read_running(StateDir(state_dir))
        arn, endpoint_url = running["topic_arn"], endpoint_url or running["endpoint_url"]
    parts = arn.split(":")
    if len(parts) != _PARTS_OF_AN_ARN or parts[2] != "sns":
        raise CommandError(
            f"{arn!r} is not the ARN of an SNS topic: use the format "
            "arn:aws:sns:us-east-1:123456789012:mailpulse"
        )
    if endpoint_url is not None and urlsplit(endpoint_url).hostname in _LOOPBACK:
        return Topic(LocalSession(endpoint_url).client("sns"), arn)
    return Topic(_sns(endpoint_url, region or parts[3]), arn)


def _sns(endpoint_url: str | None, region: str) -> Any:
    try:
        return boto3.client("sns", endpoint_url=endpoint_url, region_name=region)
    except (BotoCoreError, ValueError) as error:
        raise CommandError(
            f"cannot use SNS in {region!r} at {endpoint_url or 'AWS'} ({error}): check --region, "
            "--endpoint-url and the AWS configuration"
        ) from error

"""Which Mailpulse a command is for: the `up` that runs on this machine, or a stage in AWS.

A command works with the settings that the functions themselves have been deployed with.
"""

import os
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, TypeVar

import boto3
import click
from botocore.exceptions import BotoCoreError, ClientError

from chalicelib.config import Config
from chalicelib.errors import CommandError
from chalicelib.handlers import Parts
from dashboard import local, sdk
from dashboard.chalice_resources import function_name
from dashboard.paths import PROJECT, StateDir
from dashboard.running import read_running
from dashboard.sdk import Clients
from dashboard.session import REGION, LocalSession

F = TypeVar("F", bound=Callable[..., Any])


@dataclass(frozen=True)
class Installation:
    """One installation of Mailpulse.

    Attributes:
        stage: its Chalice stage.
        clients: make boto3 clients of its account and region.
        parts: the edges and roles of its functions, with their settings.
    """

    stage: str
    clients: Clients
    parts: Parts


_OPTIONS = (
    click.option("--stage", help="The stage in AWS; without it, the `up` that runs here."),
    click.option("--region", help="AWS region of the stage, if not the configured one."),
    click.option(
        "--state-dir",
        type=click.Path(file_okay=False, path_type=Path),
        default=PROJECT / ".mailpulse",
        show_default=".mailpulse in the project",
        help="State folder of the `up` that runs here.",
    ),
)


def installation_options(command: F) -> F:
    """Give a command the options that say which installation is meant."""
    for option in reversed(_OPTIONS):
        command = option(command)
    return command


def find(state_dir: Path, stage: str | None, region: str | None) -> Installation:
    """Find an installation.

    Args:
        state_dir: of `up`; not looked at when a stage is given.
        stage: None for the running `up`.
        region: None for the configured one.

    Raises:
        CommandError: there is no such installation, or it cannot be reached.
    """
    if stage is None:
        running = read_running(StateDir(state_dir))
        session = LocalSession(running["endpoint_url"])
        return installation_of(local.STAGE, session.client, REGION, session.endpoint_url)
    try:
        aws = boto3.session.Session(region_name=region)
        if aws.region_name is None:
            raise CommandError("no AWS region is configured: give --region")
        endpoint = os.environ.get("AWS_ENDPOINT_URL", "")
        return installation_of(stage, aws.client, aws.region_name, endpoint)
    except (BotoCoreError, ValueError) as error:
        raise CommandError(
            f"stage {stage!r} cannot be reached ({error}): check --region and the AWS configuration"
        ) from error


def installation_of(stage: str, make: Clients, region: str, endpoint: str) -> Installation:
    """Read how an installation is set up.

    Args:
        stage: its Chalice stage.
        make: makes boto3 clients of its account and region.
        region: where it is.
        endpoint: stands in for the endpoints of AWS; empty where nothing does.

    Raises:
        CommandError: it is not there, or cannot be read.
    """
    clients = cache(make)
    name = function_name(stage, "ingest")
    try:
        function = clients("lambda").get_function_configuration(FunctionName=name)
    except ClientError as error:
        raise CommandError(
            f"the function {name} cannot be read in {region} ({error}): deploy stage {stage!r} "
            "first, or check --stage, --region and the AWS configuration"
        ) from error
    variables = function["Environment"]["Variables"]
    config = Config.from_environ({**variables, "AWS_REGION": region, "AWS_ENDPOINT_URL": endpoint})
    parts = Parts(config, services=sdk.services(clients))
    parts.connections = sdk.OperatorsConnections(config)
    return Installation(stage, clients, parts)

"""`deploy`: install or update Mailpulse in an AWS account."""

import json
import os
from dataclasses import asdict

import boto3
import click
from botocore.exceptions import BotoCoreError, ClientError

from chalicelib.errors import CommandError
from dashboard import settings, stack
from dashboard.functions import ARCHITECTURES
from dashboard.paths import TEMPLATE
from dashboard.remote import Place, install
from dashboard.steps import Steps


@click.command("deploy")
@click.option("--stage", required=True, help="Which installation, such as prod.")
@click.option("--region", help="AWS region, if not the configured one.")
@click.option("--configuration-set", help="SES configuration set whose events are counted.")
@click.option(
    "--new-configuration-set/--existing-configuration-set",
    default=None,
    help="Whether the configuration set is to be made.",
)
@click.option("--topic-arn", help="An SNS topic to which SES publishes already.")
@click.option(
    "--issuer",
    help="OpenID Connect issuer to sign in with, instead of a new user pool; needs "
    "--set CLIENT_ID=…",
)
@click.option("--alarm-email", help="Who is written to when an alarm goes off.")
@click.option(
    "--set",
    "assignments",
    metavar="NAME=VALUE",
    multiple=True,
    help="A setting of the functions, such as STORE_ADDRESSES=true; an empty value is the default.",
)
@click.option(
    "--architecture",
    type=click.Choice(ARCHITECTURES),
    help="Of the functions' machines; arm64 is cheaper, and the default.",
)
@click.option("--plan", is_flag=True, help="Show what would change, and change nothing.")
@click.option("--json", "as_json", is_flag=True, help="Print one line of JSON for programs.")
def command(  # noqa: PLR0913 - one for each option
    *,
    stage: str,
    region: str | None,
    configuration_set: str | None,
    new_configuration_set: bool | None,
    topic_arn: str | None,
    issuer: str | None,
    alarm_email: str | None,
    assignments: tuple[str, ...],
    architecture: str | None,
    plan: bool,
    as_json: bool,
) -> None:
    """Install Mailpulse in your AWS account, or bring it up to date.

    Options that are not given stay as they are. Safe to run again, also after it failed.
    """
    chosen = settings.chosen(assignments)
    parameters = settings.parameters(
        stage,
        configuration_set=configuration_set,
        new_configuration_set=new_configuration_set,
        topic_arn=topic_arn,
        issuer=issuer,
        alarm_email=alarm_email,
    )
    steps = Steps()
    place = find_place(stage, region)
    steps.say(f"Stage {stage} in account {place.account}, region {place.region}")
    try:
        if plan:
            _show_plan(place, parameters)
            return
        installed = install(place, parameters, chosen, architecture, steps)
    except (BotoCoreError, ClientError) as error:
        raise CommandError(
            f"AWS did not do it: {error}. Nothing is half done that a second run does not mend: "
            "see to it, and run the same command again"
        ) from error
    if as_json:
        print(json.dumps(asdict(installed)))
        return
    print(installed.dashboard)
    steps.say(f"SES publishes to {installed.topic_arn}")


def find_place(stage: str, region: str | None) -> Place:
    """Find out whose account and which region is meant.

    Raises:
        CommandError: there are no credentials, or no region.
    """
    try:
        session = boto3.session.Session(region_name=region)
        if session.region_name is None:
            raise CommandError("no AWS region is configured: give --region")
        account = session.client("sts").get_caller_identity()["Account"]
    except (BotoCoreError, ClientError) as error:
        raise CommandError(
            f"AWS does not know who you are ({error}): set up credentials, such as by "
            "`aws configure sso`, or AWS_PROFILE"
        ) from error
    environment = {**os.environ, "AWS_DEFAULT_REGION": session.region_name}
    return Place(stage, session.region_name, account, session.client, environment)


def _show_plan(place: Place, parameters: dict[str, str]) -> None:
    changes = stack.plan(place.clients("cloudformation"), place.stack_name, TEMPLATE, parameters)
    for action, resource, kind in changes:
        print(f"{action:<8} {resource:<36} {kind}")
    if not changes:
        print(f"The stack {place.stack_name} stays as it is.")
    print("The functions, their event sources and the page would be brought up to date.")

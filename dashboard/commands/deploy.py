"""`deploy`: install or update Mailpulse in an AWS account."""

import json
import os
from dataclasses import asdict
from functools import cache

import boto3
import click
from botocore.exceptions import BotoCoreError, ClientError, UnknownRegionError

from chalicelib.errors import CommandError
from dashboard.deploy import settings, stack, throughput
from dashboard.deploy.chalice_project import ARCHITECTURES
from dashboard.deploy.remote import Place, install, refuse_another_runtime
from dashboard.paths import TEMPLATE
from dashboard.progress import Reporter

_RESERVED_BY_COGNITO = ("aws", "amazon", "cognito")


@click.command("deploy")
@click.option("--stage", required=True, help="Stage of the installation, such as prod.")
@click.option("--region", help="AWS region (default: the configured one).")
@click.option("--configuration-set", help="SES configuration set whose events are counted.")
@click.option(
    "--new-configuration-set/--existing-configuration-set",
    default=None,
    help="Whether to create the configuration set.",
)
@click.option("--topic-arn", help="ARN of an existing SNS topic to which SES publishes.")
@click.option(
    "--issuer",
    help="OpenID Connect issuer for sign-in, instead of a new user pool; requires --set "
    "CLIENT_ID=…",
)
@click.option("--alarm-email", help="Email address for alarms.")
@click.option(
    "--cloudwatch-dashboard/--no-cloudwatch-dashboard",
    default=None,
    help="Whether to create a CloudWatch dashboard ($3 a month; default: no).",
)
@click.option(
    "--for-rate",
    type=click.IntRange(min=1),
    metavar="EVENTS",
    help="Raise the tables' warm throughput for this many events per second; DynamoDB charges "
    "once, and never lowers it.",
)
@click.option(
    "--set",
    "assignments",
    metavar="NAME=VALUE",
    multiple=True,
    help="Setting of the functions, such as STORE_ADDRESSES=true; an empty value restores the "
    "default.",
)
@click.option(
    "--architecture",
    type=click.Choice(ARCHITECTURES),
    help="Architecture of the functions; arm64 is the default, and cheaper.",
)
@click.option(
    "--change-runtime",
    is_flag=True,
    help="Move the functions to the Python version that runs this command.",
)
@click.option("--plan", is_flag=True, help="Show the changes without making them.")
@click.option("--json", "as_json", is_flag=True, help="Print one line of JSON.")
def command(  # noqa: PLR0913 - one for each option
    *,
    stage: str,
    region: str | None,
    configuration_set: str | None,
    new_configuration_set: bool | None,
    topic_arn: str | None,
    issuer: str | None,
    alarm_email: str | None,
    cloudwatch_dashboard: bool | None,
    for_rate: int | None,
    assignments: tuple[str, ...],
    architecture: str | None,
    change_runtime: bool,
    plan: bool,
    as_json: bool,
) -> None:
    """Install or update Mailpulse in your AWS account.

    Options that are omitted keep their values. Safe to run again, also after a failure.
    """
    chosen = settings.chosen(assignments)
    parameters = settings.parameters(
        stage,
        configuration_set=configuration_set,
        new_configuration_set=new_configuration_set,
        topic_arn=topic_arn,
        issuer=issuer,
        alarm_email=alarm_email,
        cloudwatch_dashboard=cloudwatch_dashboard,
    )
    steps = Reporter()
    place = find_place(stage, region)
    steps.info(f"Stage {stage} in account {place.account}, region {place.region}")
    try:
        _check_ses_region(place.region, topic_arn, steps)
        if not change_runtime:
            refuse_another_runtime(place)
        if issuer is None:
            _check_stage_name(place)
        if for_rate is not None:
            parameters |= _throughput(place, for_rate, steps)
        if plan:
            _show_plan(place, parameters)
            return
        installed = install(place, parameters, chosen, architecture, steps)
    except (BotoCoreError, ClientError) as error:
        raise CommandError(
            f"AWS rejected a request: {error}. Fix the cause and run the same command again; "
            "it continues where it stopped"
        ) from error
    if as_json:
        print(json.dumps(asdict(installed)))
        return
    print(installed.dashboard)
    steps.info(f"SES publishes to {installed.topic_arn}")


def _throughput(place: Place, rate: int, steps: Reporter) -> dict[str, str]:
    """Return the parameters of the stack that a rate of events requires, and print their cost."""
    outputs = stack.find_outputs(place.clients("cloudformation"), place.stack_name) or {}
    tables = throughput.measure(place.clients("dynamodb"), outputs, rate)
    steps.info(throughput.describe(tables, rate))
    return throughput.parameters(tables)


def find_place(stage: str, region: str | None) -> Place:
    """Return the stage's account and region, from the AWS configuration.

    Raises:
        CommandError: there are no credentials, no region, or a region of another partition.
    """
    try:
        session = boto3.session.Session(region_name=region)
        if session.region_name is None:
            raise CommandError("no AWS region is configured: use --region")
        _check_partition(session)
        account = session.client("sts").get_caller_identity()["Account"]
    except (BotoCoreError, ClientError) as error:
        raise CommandError(
            f"no valid AWS credentials ({error}): configure credentials, for example with "
            "`aws configure sso`, or set AWS_PROFILE"
        ) from error
    environment = {**os.environ, "AWS_DEFAULT_REGION": session.region_name}
    return Place(stage, session.region_name, account, cache(session.client), environment)


def _check_partition(session: boto3.session.Session) -> None:
    """Reject China and GovCloud: endpoints, ARNs and CloudFront differ there, and are untested."""
    try:
        partition = session.get_partition_for_region(session.region_name)
    except UnknownRegionError as error:
        raise CommandError(f"unknown AWS region {session.region_name}: check --region") from error
    if partition != "aws":
        raise CommandError(
            f"the region {session.region_name} belongs to the partition {partition}, but "
            "Mailpulse supports the partition aws only: use one of its regions with "
            "--region. SES may send in another region of the same partition, see --topic-arn"
        )


def _check_ses_region(region: str, topic_arn: str | None, steps: Reporter) -> None:
    """Warn if SES does not send in the topic's region: it publishes only within its own region."""
    known = boto3.session.Session().get_available_regions("sesv2")
    sending = topic_arn.split(":")[3] if topic_arn and topic_arn.count(":") == 5 else region  # noqa: PLR2004 - of an ARN
    if sending not in known:
        steps.warn(
            f"SES does not send in {sending}, and it publishes events only to topics in its "
            "own region: use --topic-arn with a topic in the region from which you send"
        )


def _check_stage_name(place: Place) -> None:
    """Reject a stage name for which Cognito would reject the domain of its sign-in page.

    https://docs.aws.amazon.com/cognito/latest/developerguide/cognito-user-pools-assign-domain-prefix.html
    """
    reserved = [word for word in _RESERVED_BY_COGNITO if word in place.stage]
    if reserved and stack.find_outputs(place.clients("cloudformation"), place.stack_name) is None:
        raise CommandError(
            f"the stage name {place.stage} cannot be used with Cognito, which reserves the "
            f"word {reserved[0]!r}: use another --stage, or your own --issuer"
        )


def _show_plan(place: Place, parameters: dict[str, str]) -> None:
    changes = stack.plan(place.clients("cloudformation"), place.stack_name, TEMPLATE, parameters)
    for action, resource, kind in changes:
        print(f"{action:<8} {resource:<36} {kind}")
    if not changes:
        print(f"The stack {place.stack_name} would not change.")
    print("The functions, their event sources, and the page would be updated.")

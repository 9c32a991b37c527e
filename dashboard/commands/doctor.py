"""`doctor`: check a stage in AWS, and report each problem with its remedy."""

import json
from collections.abc import Iterator
from dataclasses import asdict
from functools import cache

import click
from botocore.exceptions import BotoCoreError, ClientError
from botocore.parsers import ResponseParserError
from rich.console import Console
from rich.text import Text

from chalicelib.errors import AwsError, CommandError
from dashboard.checks.alarms import check_alarm_topic, check_alarms, check_test_alarm
from dashboard.checks.finding import Check, Finding, Subject, fail
from dashboard.checks.functions import check_concurrency, check_event_sources, check_functions
from dashboard.checks.page import check_page
from dashboard.checks.pipeline import check_health, check_queues
from dashboard.checks.probe import check_probe
from dashboard.checks.ses import check_account, check_event_destination
from dashboard.checks.sign_in import check_issuer
from dashboard.checks.stack import check_stack
from dashboard.checks.throughput import check_throughput
from dashboard.checks.topic import check_queue, check_topic
from dashboard.commands.deploy import find_place
from dashboard.deploy.remote import Place

# In the order of the data flow, prerequisites first.
CHECKS: dict[str, Check] = {
    "stack": check_stack,
    "functions": check_functions,
    "event sources": check_event_sources,
    "concurrency": check_concurrency,
    "throughput": check_throughput,
    "SES account": check_account,
    "event destination": check_event_destination,
    "topic": check_topic,
    "queue": check_queue,
    "queues' depth": check_queues,
    "health": check_health,
    "sign-in": check_issuer,
    "page": check_page,
    "alarms": check_alarms,
    "alarm topic": check_alarm_topic,
}

_STYLES = {"ok": "green", "warn": "yellow", "FAIL": "bold red"}
_DENIED = {"AccessDenied", "AccessDeniedException", "AuthorizationError", "UnauthorizedOperation"}


@click.command("doctor")
@click.option("--stage", required=True, help="Stage of the installation, such as prod.")
@click.option("--region", help="AWS region (default: the configured one).")
@click.option(
    "--mail/--no-mail",
    "sends",
    default=True,
    show_default=True,
    help="Whether to send an email to the SES mailbox simulator and wait for its numbers.",
)
@click.option(
    "--test-alarm", "tests_alarm", is_flag=True, help="Send a test message to the alarm topic."
)
@click.option("--json", "as_json", is_flag=True, help="Print one line of JSON.")
@click.pass_context
def command(  # noqa: PLR0913 - one for each option
    ctx: click.Context,
    *,
    stage: str,
    region: str | None,
    sends: bool,
    tests_alarm: bool,
    as_json: bool,
) -> None:
    """Check a stage in AWS, and report problems with their remedies.

    Changes nothing except the campaign mailpulse-doctor, for which it sends an email. The exit
    status is 1 if a check failed or could not be completed.
    """
    console = Console(highlight=False)
    found = []
    for check, finding in examine(stage, region, sends=sends, tests_alarm=tests_alarm):
        found.append({"check": check, **asdict(finding)})
        if not as_json:
            console.print(_line(check, finding), soft_wrap=True)
    failed = any(one["status"] == "FAIL" for one in found)
    if as_json:
        print(json.dumps({"stage": stage, "ok": not failed, "findings": found}))
    ctx.exit(1 if failed else 0)


def examine(
    stage: str, region: str | None, *, sends: bool, tests_alarm: bool = False
) -> Iterator[tuple[str, Finding]]:
    """Run all checks, and yield findings with the check's name.

    Args:
        stage: the stage.
        region: its region; None for the configured one.
        sends: whether to send an email to the mailbox simulator.
        tests_alarm: whether to send a test message to the alarm topic.
    """
    try:
        place = find_place(stage, region)
    except CommandError as error:
        yield (
            "credentials",
            fail(str(error), "then run `doctor` again: the other checks were skipped"),
        )
        return
    yield "credentials", Finding("ok", f"account {place.account}, region {place.region}")
    try:
        subject = find_subject(place)
    except (ClientError, BotoCoreError) as error:
        yield "stack", _not_seen(error, f"{place.stack_name} in {place.region}")
        return
    on_request = {
        **({"test alarm": check_test_alarm} if tests_alarm else {}),
        **({"mail": check_probe} if sends else {}),
    }
    for name, check in {**CHECKS, **on_request}.items():
        for finding in findings(check, subject):
            yield name, finding


def find_subject(place: Place) -> Subject:
    """Return the stage to check, with the description of its stack.

    Raises:
        ClientError, BotoCoreError: the stack does not exist, or cannot be read.
    """
    clients = cache(place.clients)
    described = clients("cloudformation").describe_stacks(StackName=place.stack_name)
    [stack] = described["Stacks"]
    return Subject(
        stage=place.stage,
        region=place.region,
        account=place.account,
        clients=clients,
        stack=stack,
        outputs={one["OutputKey"]: one["OutputValue"] for one in stack.get("Outputs", [])},
        parameters={
            one["ParameterKey"]: one["ParameterValue"] for one in stack.get("Parameters", [])
        },
    )


def findings(check: Check, subject: Subject) -> Iterator[Finding]:
    """Run a check; an AWS error becomes a finding, so that the other checks still run."""
    try:
        yield from check(subject)
    except CommandError as error:
        yield fail(str(error), "")
    except (ClientError, BotoCoreError, ResponseParserError, AwsError) as error:
        yield _not_seen(error, "part of this check")


def _not_seen(error: Exception, what: str) -> Finding:
    code = getattr(error, "code", "")
    if isinstance(error, ClientError):
        code = error.response["Error"]["Code"]
        if "does not exist" in error.response["Error"]["Message"]:
            return fail(
                f"{what} does not exist: {error}", "check --stage and --region, or run `deploy`"
            )
    remedy = (
        "grant this permission to the user that runs `doctor`"
        if code in _DENIED
        else "run `doctor` again"
    )
    return fail(f"{what} could not be completed: {error}", remedy)


def _line(check: str, finding: Finding) -> Text:
    return Text.assemble(
        (f"{finding.status:<4}", _STYLES[finding.status]),
        f"  {check:<18} {finding.says}",
        (f"; {finding.remedy}" if finding.remedy else "", "dim"),
    )

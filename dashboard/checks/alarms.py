"""Check the alarms and their subscribers."""

import json
from collections.abc import Iterator
from typing import Any

from dashboard.checks.finding import Finding, Subject, fail, ok, warn
from dashboard.deploy.chalice_resources import function_name


def check_alarms(subject: Subject) -> Iterator[Finding]:
    """Check that the stack's alarms exist and that none is in ALARM state."""
    names = _alarms_of(subject)
    if not names:
        yield fail("the stack has no alarms", "run `deploy`")
        return
    found = _described(subject, sorted(names.values()))
    quiet = 0
    unknown = []
    for name, physical in sorted(names.items()):
        alarm = found.get(physical)
        if alarm is None:
            yield fail(
                f"{name} ({physical}) does not exist",
                "it was deleted: create it again under this name, with the settings in the "
                "template",
            )
        elif alarm["StateValue"] == "ALARM":
            yield fail(
                f"{name} is in alarm: {alarm.get('StateReason', 'no reason given')}",
                alarm.get("AlarmDescription", "see docs/operations.md"),
            )
        elif not alarm.get("ActionsEnabled", True):
            yield warn(f"the actions of {name} are disabled", "enable its actions in CloudWatch")
        elif alarm["StateValue"] != "OK":
            unknown.append(name)
        else:
            quiet += 1
    if unknown:
        yield warn(f"no data yet for {', '.join(unknown)}", "run `doctor` again in a few minutes")
    if quiet:
        yield ok(f"{quiet} of {len(names)} alarms are OK")


def check_alarm_topic(subject: Subject) -> Iterator[Finding]:
    """Check that the alarm topic has a confirmed subscriber."""
    topic = subject.output("AlarmTopicArn")
    pages = (
        subject.clients("sns").get_paginator("list_subscriptions_by_topic").paginate(TopicArn=topic)
    )
    found = [one for page in pages for one in page["Subscriptions"]]
    confirmed = [one for one in found if one["SubscriptionArn"].startswith("arn:")]
    if confirmed:
        yield ok(f"confirmed subscribers: {len(confirmed)}")
    elif found:
        yield warn(
            f"{found[0]['Endpoint']} has not confirmed its subscription to the alarms",
            "follow the link in the email from AWS",
        )
    else:
        yield warn("the alarm topic has no subscribers", "run `deploy` with --alarm-email")


def check_test_alarm(subject: Subject) -> Iterator[Finding]:
    """Make the watch function send a test message, with its own role and settings."""
    name = function_name(subject.stage, "watch")
    # The members that Chalice expects of an event of EventBridge.
    names = ("version", "id", "detail-type", "source", "account", "time", "region")
    event = {**dict.fromkeys(names, ""), "resources": [], "detail": {"test_alarm": True}}
    answer = subject.clients("lambda").invoke(FunctionName=name, Payload=json.dumps(event))
    if answer.get("FunctionError"):
        reason = json.loads(answer["Payload"].read()).get("errorMessage", "no reason given")
        yield fail(f"{name} could not send a test message: {reason}", "run `deploy`")
    else:
        yield ok("a test message was sent to the alarm topic: see whether its subscribers have it")


def _alarms_of(subject: Subject) -> dict[str, str]:
    """Return the stack's alarms: logical ID → name in CloudWatch."""
    pages = (
        subject.clients("cloudformation")
        .get_paginator("list_stack_resources")
        .paginate(StackName=subject.stack["StackName"])
    )
    return {
        one["LogicalResourceId"]: one["PhysicalResourceId"]
        for page in pages
        for one in page["StackResourceSummaries"]
        if one["ResourceType"] == "AWS::CloudWatch::Alarm"
    }


def _described(subject: Subject, names: list[str]) -> dict[str, Any]:
    answer = subject.clients("cloudwatch").describe_alarms(AlarmNames=names)
    return {one["AlarmName"]: one for one in answer["MetricAlarms"]}

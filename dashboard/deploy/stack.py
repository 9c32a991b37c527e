"""Create or update the CloudFormation stack of a stage."""

import json
import time
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

import botocore.exceptions

from chalicelib.errors import CommandError

Outputs = dict[str, str]

_GOOD_ENDS = {"CREATE_COMPLETE", "UPDATE_COMPLETE"}
_FAILED = {"CREATE_FAILED", "ROLLBACK_COMPLETE", "ROLLBACK_FAILED"}
# Stacks that accept no update, but whose resources are in use.
_STUCK = {
    "DELETE_FAILED": "its deletion has not finished: complete it with `destroy` or in the "
    "CloudFormation console. To import the retained tables into a new stack, see "
    '"Restore" in docs/operations.md',
    "UPDATE_ROLLBACK_FAILED": "its last update could not be rolled back: fix the problem that its "
    "events report, run `aws cloudformation continue-update-rollback --stack-name {name}`, and run "
    "this command again",
}
# A rollback is part of the operation that it undoes.
_BEGINNINGS = {"CREATE_IN_PROGRESS", "UPDATE_IN_PROGRESS", "DELETE_IN_PROGRESS"}
_ONLY_PLANNED = "REVIEW_IN_PROGRESS"  # created by a change set that was never executed
_PLAN = "mailpulse-plan"
# Status reasons of a change set without changes.
_NO_CHANGES = ("didn't contain changes", "No updates are to be performed")
POLL_SECONDS = 3.0
_PLAN_POLL_SECONDS = 1.0
_CAPABILITIES = ["CAPABILITY_IAM"]  # for the functions' roles


def stack_name(stage: str) -> str:
    """Return the name of a stage's stack."""
    return f"mailpulse-{stage}"


def create_or_update(  # noqa: PLR0913 - the inputs of a stack update
    cloudformation: Any,
    name: str,
    template: Path,
    parameters: Mapping[str, str],
    *,
    poll_seconds: float,
    keeps_others: bool = False,
    progress: Callable[[str], None] = lambda _: None,
) -> Outputs:
    """Create the stack, or update it to match the template, and return its outputs by name.

    Args:
        cloudformation: the boto3 client.
        name: the name of the stack.
        template: the CloudFormation template.
        parameters: values for the template's parameters.
        poll_seconds: how often to poll the stack's status.
        keeps_others: whether parameters that are not given keep their previous values.
        progress: called with the resource that is being changed.

    Raises:
        CommandError: the template was rejected, or the change failed; the message has the reason.
    """
    settle(cloudformation, name, poll_seconds=poll_seconds, progress=progress)
    _clear_away(cloudformation, name, poll_seconds)
    kept = _kept_parameters(cloudformation, name, template) if keeps_others else set()
    arguments = {
        "StackName": name,
        "TemplateBody": template.read_text(),
        "Parameters": _parameters(parameters, kept),
        "Capabilities": _CAPABILITIES,
        # Delete the empty tables of a failed creation with everything else.
        "RetainExceptOnCreate": True,
    }
    if _request(cloudformation, name, arguments):
        status = _end_of_change(cloudformation, name, poll_seconds, progress)
        if status not in _GOOD_ENDS:
            raise CommandError(
                f"the stack {name} could not be updated to {template.name}: "
                f"{_why(cloudformation, name)}"
            )
    return outputs(cloudformation, name)


def plan(
    cloudformation: Any, name: str, template: Path, parameters: Mapping[str, str]
) -> list[tuple[str, str, str]]:
    """Return the changes that an update would make, without making them.

    Returns:
        The action (Add, Modify, Remove), logical ID and type of each resource.

    Raises:
        CommandError: the template was rejected, or the stack's creation failed; the message has the
            reason.
    """
    settle(cloudformation, name, poll_seconds=_PLAN_POLL_SECONDS)
    status = _status(cloudformation, name)
    if status in _FAILED:
        raise CommandError(
            f"no changes to show: the stack {name} is {status} and not in use; without "
            "--plan, `deploy` deletes it and creates it again"
        )
    _clear_away(cloudformation, name, _PLAN_POLL_SECONDS)
    exists = _status(cloudformation, name) is not None
    try:
        if exists:
            _delete_plan(cloudformation, name)  # left by an interrupted run
        cloudformation.create_change_set(
            StackName=name,
            ChangeSetName=_PLAN,
            ChangeSetType="UPDATE" if exists else "CREATE",
            TemplateBody=template.read_text(),
            Parameters=_parameters(parameters, _kept_parameters(cloudformation, name, template)),
            Capabilities=_CAPABILITIES,
        )
        while True:
            found = cloudformation.describe_change_set(StackName=name, ChangeSetName=_PLAN)
            if found["Status"] not in {"CREATE_PENDING", "CREATE_IN_PROGRESS"}:
                break
            time.sleep(_PLAN_POLL_SECONDS)
        failure = _why_refused(cloudformation, name, found)
        if exists:
            _delete_plan(cloudformation, name)
        else:  # the stack exists only because of the change set
            cloudformation.delete_stack(StackName=name)
    except botocore.exceptions.ClientError as error:
        message = error.response["Error"]["Message"]
        raise CommandError(f"CloudFormation rejected the stack {name}: {message}") from error
    if failure is not None:
        raise CommandError(
            f"CloudFormation would reject this change of the stack {name}: {failure}"
        )
    return [
        (change["Action"], change["LogicalResourceId"], change["ResourceType"])
        for change in (one["ResourceChange"] for one in found.get("Changes", []))
    ]


def _delete_plan(cloudformation: Any, name: str) -> None:
    with suppress(cloudformation.exceptions.ChangeSetNotFoundException):
        cloudformation.delete_change_set(StackName=name, ChangeSetName=_PLAN)


def _why_refused(cloudformation: Any, name: str, change_set: Mapping[str, Any]) -> str | None:
    """Return why a change set failed; None if it did not fail or has no changes."""
    reason: str = change_set.get("StatusReason", "")
    if change_set["Status"] != "FAILED" or any(text in reason for text in _NO_CHANGES):
        return None
    problems = _failed_events(cloudformation, StackName=name, ChangeSetName=_PLAN)
    return "; ".join([reason or "no reason given", *problems])


def protect(cloudformation: Any, name: str, resources: Iterable[str]) -> None:
    """Set a stack policy that denies updates that would delete the given resources.

    An update to a version of Mailpulse whose template lacks them would otherwise delete resources
    that functions still use.
    https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/protect-stack-resources.html
    """
    everything = {"Effect": "Allow", "Action": "Update:*", "Principal": "*", "Resource": "*"}
    protected = {
        "Effect": "Deny",
        "Action": "Update:Delete",
        "Principal": "*",
        "Resource": [f"LogicalResourceId/{resource}" for resource in resources],
    }
    policy = {"Statement": [everything, protected]}
    cloudformation.set_stack_policy(StackName=name, StackPolicyBody=json.dumps(policy))


def outputs(cloudformation: Any, name: str) -> Outputs:
    """Return the outputs of a stack."""
    stack = cloudformation.describe_stacks(StackName=name)["Stacks"][0]
    return {output["OutputKey"]: output["OutputValue"] for output in stack.get("Outputs", [])}


def find_outputs(cloudformation: Any, name: str) -> Outputs | None:
    """Return the outputs of a stack; None if there is no such stack."""
    return outputs(cloudformation, name) if _status(cloudformation, name) is not None else None


def _parameters(given: Mapping[str, str], kept: set[str]) -> list[dict[str, Any]]:
    return [
        *({"ParameterKey": key, "ParameterValue": value} for key, value in given.items()),
        *({"ParameterKey": key, "UsePreviousValue": True} for key in sorted(kept - given.keys())),
    ]


def _kept_parameters(cloudformation: Any, name: str, template: Path) -> set[str]:
    """Return the parameters that both stack and template have; CloudFormation rejects others."""
    if _status(cloudformation, name) is None:
        return set()
    [found] = cloudformation.describe_stacks(StackName=name)["Stacks"]
    known = cloudformation.validate_template(TemplateBody=template.read_text())
    return _names(found) & _names(known)


def _names(has_parameters: Mapping[str, Any]) -> set[str]:
    return {one["ParameterKey"] for one in has_parameters.get("Parameters", [])}


def settle(
    cloudformation: Any,
    name: str,
    *,
    poll_seconds: float,
    progress: Callable[[str], None] = lambda _: None,
) -> None:
    """Wait for a change begun by an interrupted run: until it ends, the stack accepts no other."""
    while True:
        status = _status(cloudformation, name)
        if status is None or status == _ONLY_PLANNED or not status.endswith("_IN_PROGRESS"):
            return
        progress(f"waiting for an earlier change ({status.lower()})")
        time.sleep(poll_seconds)


def refuse_stuck(cloudformation: Any, name: str) -> None:
    """Raise CommandError if a stack accepts no update without manual intervention."""
    status = _status(cloudformation, name)
    if status in _STUCK:
        raise CommandError(
            f"the stack {name} is {status}: {_STUCK[status].format(name=name)}. Reason: "
            f"{_why(cloudformation, name)}"
        )


def _clear_away(cloudformation: Any, name: str, poll_seconds: float) -> None:
    """Delete a stack that cannot be updated, because its creation failed or was only planned."""
    refuse_stuck(cloudformation, name)
    if _status(cloudformation, name) in {*_FAILED, _ONLY_PLANNED}:
        cloudformation.delete_stack(StackName=name)
        settle(cloudformation, name, poll_seconds=poll_seconds)
        if _status(cloudformation, name) is not None:
            raise CommandError(
                f"the stack {name}, whose creation had failed, could not be deleted: "
                f"{_why(cloudformation, name)}"
            )


def _status(cloudformation: Any, name: str) -> str | None:
    """Return the status of a stack; None if there is no such stack."""
    try:
        [found] = cloudformation.describe_stacks(StackName=name)["Stacks"]
    except botocore.exceptions.ClientError as error:
        if "does not exist" in error.response["Error"]["Message"]:
            return None
        raise
    status: str = found["StackStatus"]
    return status


def _end_of_change(
    cloudformation: Any, name: str, poll_seconds: float, progress: Callable[[str], None]
) -> str:
    """Wait until a change has succeeded or failed, and return the stack's status."""
    while True:
        status = _status(cloudformation, name) or "DELETE_COMPLETE"
        # UPDATE_COMPLETE_CLEANUP_IN_PROGRESS: the update has succeeded; only old resources are
        # still being deleted.
        if not status.endswith("_IN_PROGRESS"):
            return status
        if status == "UPDATE_COMPLETE_CLEANUP_IN_PROGRESS":
            return "UPDATE_COMPLETE"
        for newest in _last_operation(cloudformation, name)[:1]:
            progress(f"{newest['LogicalResourceId']}: {newest['ResourceStatus'].lower()}")
        time.sleep(poll_seconds)


def _request(cloudformation: Any, name: str, arguments: dict[str, Any]) -> bool:
    """Request the change; return whether there is anything to change."""
    try:
        if _status(cloudformation, name) is not None:
            cloudformation.update_stack(**arguments)
            return True
        cloudformation.create_stack(**arguments)
    except botocore.exceptions.ClientError as error:
        message = error.response["Error"]["Message"]
        if "No updates are to be performed" in message:
            return False
        raise CommandError(f"CloudFormation rejected the stack {name}: {message}") from error
    return True


def _why(cloudformation: Any, name: str) -> str:
    """Return the first resource that failed in the last operation, and the reason.

    Later failures are consequences of the first.
    """
    for event in reversed(_last_operation(cloudformation, name)):
        reason = event.get("ResourceStatusReason")
        if reason and event["ResourceStatus"].endswith("_FAILED"):
            return f"{event['LogicalResourceId']}: {reason}"
    problems = _failed_events(cloudformation, StackName=name)
    return problems[0] if problems else "see its events in the CloudFormation console"


def _last_operation(cloudformation: Any, name: str) -> list[dict[str, Any]]:
    """Return the events of the stack's last creation, update or deletion, newest first."""
    found = []
    for page in cloudformation.get_paginator("describe_stack_events").paginate(StackName=name):
        for event in page["StackEvents"]:
            found.append(event)
            if event["LogicalResourceId"] == name and event["ResourceStatus"] in _BEGINNINGS:
                return found
    return found


def _failed_events(cloudformation: Any, **which: str) -> list[str]:
    """Return the errors of validation, before any change, which stack events do not include.

    https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/validate-stack-deployments.html
    """
    try:
        found = cloudformation.describe_events(**which, Filters={"FailedEvents": True})
    except botocore.exceptions.ClientError as error:
        return [f"its events cannot be read ({error})"]
    return [
        f"{one.get('LogicalResourceId', 'the template')}: {why}"
        for one in found["OperationEvents"]
        if (why := one.get("ValidationStatusReason") or one.get("ResourceStatusReason"))
    ]

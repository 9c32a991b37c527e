"""Create or update the CloudFormation stack of a stage."""

import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import botocore.exceptions

from chalicelib.errors import CommandError

Outputs = dict[str, str]

_GOOD_ENDS = {"CREATE_COMPLETE", "UPDATE_COMPLETE"}
_FAILED = "ROLLBACK_COMPLETE"
_NEVER_MADE = {_FAILED, "REVIEW_IN_PROGRESS"}
_PLAN = "mailpulse-plan"
_PLAN_POLL_SECONDS = 1.0


def stack_name(stage: str) -> str:
    """Name the stack of a stage."""
    return f"mailpulse-{stage}"


def create_or_update(  # noqa: PLR0913 - what a change of a stack is made of
    cloudformation: Any,
    name: str,
    template: Path,
    parameters: Mapping[str, str],
    *,
    poll_seconds: float,
    keeps_others: bool = False,
    progress: Callable[[str], None] = lambda _: None,
) -> Outputs:
    """Bring the stack to what the template says and return its outputs by name.

    Args:
        cloudformation: the boto3 client.
        name: the stack's.
        template: the CloudFormation template.
        parameters: values for the template's parameters.
        poll_seconds: how often to look whether it is done.
        keeps_others: whether parameters that are not given keep the values that they have.
        progress: is told which resource is being changed.

    Raises:
        CommandError: the template was refused, or the stack could not be made; says why.
    """
    _clear_away(cloudformation, name, poll_seconds)
    kept = _kept_parameters(cloudformation, name, template) if keeps_others else set()
    arguments = {
        "StackName": name,
        "TemplateBody": template.read_text(),
        "Parameters": _parameters(parameters, kept),
    }
    if _request(cloudformation, name, arguments):
        status = _end_of_change(cloudformation, name, poll_seconds, progress)
        if status not in _GOOD_ENDS:
            raise CommandError(
                f"the stack {name} could not be brought to what {template.name} says: "
                f"{_why(cloudformation, name)}"
            )
    return outputs(cloudformation, name)


def plan(
    cloudformation: Any, name: str, template: Path, parameters: Mapping[str, str]
) -> list[tuple[str, str, str]]:
    """Ask what a change would do, and change nothing.

    Returns:
        Of each resource the action (Add, Modify, Remove), its name in the template and its type.

    Raises:
        CommandError: the template was refused, or the stack's first making failed; says why.
    """
    if _exists(cloudformation, name) and _status(cloudformation, name) == _FAILED:
        raise CommandError(
            f"there is nothing to compare with: the first making of the stack {name} failed, and "
            "nothing of it is in use; without --plan it is deleted, and made again whole"
        )
    _clear_away(cloudformation, name, _PLAN_POLL_SECONDS)
    exists = _exists(cloudformation, name)
    try:
        cloudformation.create_change_set(
            StackName=name,
            ChangeSetName=_PLAN,
            ChangeSetType="UPDATE" if exists else "CREATE",
            TemplateBody=template.read_text(),
            Parameters=_parameters(parameters, _kept_parameters(cloudformation, name, template)),
        )
        while True:
            found = cloudformation.describe_change_set(StackName=name, ChangeSetName=_PLAN)
            if found["Status"] not in {"CREATE_PENDING", "CREATE_IN_PROGRESS"}:
                break
            time.sleep(_PLAN_POLL_SECONDS)
        if exists:
            cloudformation.delete_change_set(StackName=name, ChangeSetName=_PLAN)
        else:  # a stack that was never made, but for its plan
            cloudformation.delete_stack(StackName=name)
    except botocore.exceptions.ClientError as error:
        message = error.response["Error"]["Message"]
        raise CommandError(f"CloudFormation refused the stack {name}: {message}") from error
    return [
        (change["Action"], change["LogicalResourceId"], change["ResourceType"])
        for change in (one["ResourceChange"] for one in found.get("Changes", []))
    ]


def outputs(cloudformation: Any, name: str) -> Outputs:
    """Read the outputs of a stack."""
    stack = cloudformation.describe_stacks(StackName=name)["Stacks"][0]
    return {output["OutputKey"]: output["OutputValue"] for output in stack.get("Outputs", [])}


def find_outputs(cloudformation: Any, name: str) -> Outputs | None:
    """Read the outputs of a stack that may not be there; None without it."""
    return outputs(cloudformation, name) if _exists(cloudformation, name) else None


def _parameters(given: Mapping[str, str], kept: set[str]) -> list[dict[str, Any]]:
    return [
        *({"ParameterKey": key, "ParameterValue": value} for key, value in given.items()),
        *({"ParameterKey": key, "UsePreviousValue": True} for key in sorted(kept - given.keys())),
    ]


def _kept_parameters(cloudformation: Any, name: str, template: Path) -> set[str]:
    """Name the parameters that the stack has and the template knows: others are refused."""
    if not _exists(cloudformation, name):
        return set()
    [found] = cloudformation.describe_stacks(StackName=name)["Stacks"]
    known = cloudformation.validate_template(TemplateBody=template.read_text())
    return _names(found) & _names(known)


def _names(has_parameters: Mapping[str, Any]) -> set[str]:
    return {one["ParameterKey"] for one in has_parameters.get("Parameters", [])}


def _clear_away(cloudformation: Any, name: str, poll_seconds: float) -> None:
    """Delete a stack whose first making failed, or was only planned: it cannot be updated.

    Tables that it had made are empty, and stay, as the template says.
    """
    if _exists(cloudformation, name) and _status(cloudformation, name) in _NEVER_MADE:
        cloudformation.delete_stack(StackName=name)
        while _exists(cloudformation, name):
            if _status(cloudformation, name) == "DELETE_FAILED":
                raise CommandError(
                    f"the stack {name}, whose first making had failed, could not be deleted: "
                    f"{_why(cloudformation, name)}"
                )
            time.sleep(poll_seconds)


def _status(cloudformation: Any, name: str) -> str:
    status: str = cloudformation.describe_stacks(StackName=name)["Stacks"][0]["StackStatus"]
    return status


def _end_of_change(
    cloudformation: Any, name: str, poll_seconds: float, progress: Callable[[str], None]
) -> str:
    """Wait until a stack has changed, for better or worse; give its status."""
    while True:
        status = _status(cloudformation, name)
        # CLEANUP_IN_PROGRESS: it is as it should be, and what it no longer needs is removed.
        if not status.endswith("_IN_PROGRESS"):
            return status
        if status == "UPDATE_COMPLETE_CLEANUP_IN_PROGRESS":
            return "UPDATE_COMPLETE"
        events = cloudformation.describe_stack_events(StackName=name)["StackEvents"]
        if events:
            progress(f"{events[0]['LogicalResourceId']}: {events[0]['ResourceStatus'].lower()}")
        time.sleep(poll_seconds)


def _request(cloudformation: Any, name: str, arguments: dict[str, Any]) -> bool:
    """Ask for the change; tell whether there is anything to be changed."""
    try:
        if _exists(cloudformation, name):
            cloudformation.update_stack(**arguments)
            return True
        cloudformation.create_stack(**arguments)
    except botocore.exceptions.ClientError as error:
        message = error.response["Error"]["Message"]
        if "No updates are to be performed" in message:
            return False
        raise CommandError(f"CloudFormation refused the stack {name}: {message}") from error
    return True


def _exists(cloudformation: Any, name: str) -> bool:
    try:
        cloudformation.describe_stacks(StackName=name)
    except botocore.exceptions.ClientError as error:
        if "does not exist" in error.response["Error"]["Message"]:
            return False
        raise
    return True


def _why(cloudformation: Any, name: str) -> str:
    """Find the first resource that failed: the ones after it failed because of it."""
    events = cloudformation.describe_stack_events(StackName=name)["StackEvents"]
    for event in reversed(events):
        if event["ResourceStatus"].endswith("_FAILED"):
            reason = event.get("ResourceStatusReason", "no reason given")
            return f"{event['LogicalResourceId']}: {reason}"
    return "see its events in the CloudFormation console"

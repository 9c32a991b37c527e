"""Create or update the CloudFormation stack of a stage."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import botocore.exceptions

from chalicelib.errors import CommandError

Outputs = dict[str, str]


def stack_name(stage: str) -> str:
    """Name the stack of a stage."""
    return f"mailpulse-{stage}"


def create_or_update(
    cloudformation: Any,
    name: str,
    template: Path,
    parameters: Mapping[str, str],
    *,
    poll_seconds: float,
) -> Outputs:
    """Bring the stack to what the template says and return its outputs by name.

    Args:
        cloudformation: the boto3 client.
        name: the stack's.
        template: the CloudFormation template.
        parameters: values for the template's parameters.
        poll_seconds: how often to look whether it is done.

    Raises:
        CommandError: the template was refused, or the stack could not be made; says why.
    """
    arguments = {
        "StackName": name,
        "TemplateBody": template.read_text(),
        "Parameters": [
            {"ParameterKey": key, "ParameterValue": value} for key, value in parameters.items()
        ],
    }
    waiter = _request(cloudformation, name, arguments)
    if waiter is not None:
        try:
            attempts = round(600 / poll_seconds)
            cloudformation.get_waiter(waiter).wait(
                StackName=name, WaiterConfig={"Delay": poll_seconds, "MaxAttempts": attempts}
            )
        except botocore.exceptions.WaiterError as error:
            raise CommandError(
                f"the stack {name} could not be brought to what {template.name} says: "
                f"{_why(cloudformation, name)}"
            ) from error
    return outputs(cloudformation, name)


def outputs(cloudformation: Any, name: str) -> Outputs:
    """Read the outputs of a stack."""
    stack = cloudformation.describe_stacks(StackName=name)["Stacks"][0]
    return {output["OutputKey"]: output["OutputValue"] for output in stack.get("Outputs", [])}


def _request(cloudformation: Any, name: str, arguments: dict[str, Any]) -> str | None:
    """Ask for the change; name the waiter for its end, None when nothing is to be changed."""
    try:
        if _exists(cloudformation, name):
            cloudformation.update_stack(**arguments)
            return "stack_update_complete"
        cloudformation.create_stack(**arguments)
    except botocore.exceptions.ClientError as error:
        message = error.response["Error"]["Message"]
        if "No updates are to be performed" in message:
            return None
        raise CommandError(f"CloudFormation refused the stack {name}: {message}") from error
    return "stack_create_complete"


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

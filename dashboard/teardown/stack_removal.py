"""Delete a stack, or reduce it to the tables that hold its data.

To retain the data, the stack is updated to the part of its own template that defines the tables.
The tables thus remain managed by CloudFormation, the chosen parameters are kept, and the next
`deploy` uses the same tables. Deleting the stack would orphan them.
docs/decisions/0011-destroy-keeps-the-stack-of-the-tables.md
"""

import json
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from botocore.exceptions import ClientError
from cfnlint.decode import cfn_yaml

from chalicelib.errors import CommandError
from dashboard.deploy.stack import settle

# The resources that hold the data that SES reported, with DeletionPolicy Retain in the template.
DATA = ("EventsTable", "StatsTable")

Progress = Callable[[str], None]

_ALL_MAY_CHANGE = {
    "Statement": [{"Effect": "Allow", "Action": "Update:*", "Principal": "*", "Resource": "*"}]
}

_IN_PROGRESS = "_IN_PROGRESS"
# Never completed, or partly deleted: CloudFormation accepts no update of such a stack.
_ONLY_DELETED = {
    *("CREATE_FAILED", "ROLLBACK_COMPLETE", "ROLLBACK_FAILED", "REVIEW_IN_PROGRESS"),
    "DELETE_FAILED",
}


@dataclass(frozen=True)
class Stack:
    """The current state of a stack.

    Attributes:
        id: the stack's ARN, which identifies it even after deletion.
        status: as CloudFormation names it.
        kinds: the type of each existing resource, by logical ID.
        names: the physical ID of each existing resource, by logical ID.
    """

    id: str
    status: str
    kinds: Mapping[str, str]
    names: Mapping[str, str]

    @property
    def beside_data(self) -> list[str]:
        """Logical IDs of the resources that hold no data."""
        return [name for name in self.kinds if name not in DATA]

    @property
    def can_be_kept(self) -> bool:
        """Whether the stack can be reduced to the tables."""
        return self.status not in _ONLY_DELETED and all(name in self.kinds for name in DATA)


def find(cloudformation: Any, name: str, *, poll_seconds: float) -> Stack | None:
    """Return a stack, waiting for the end of any change in progress; None if there is none."""
    settle(cloudformation, name, poll_seconds=poll_seconds)
    try:
        [found] = cloudformation.describe_stacks(StackName=name)["Stacks"]
    except ClientError as error:
        if "does not exist" in error.response["Error"]["Message"]:
            return None
        raise
    pages = cloudformation.get_paginator("list_stack_resources").paginate(StackName=name)
    there = [
        one
        for page in pages
        for one in page["StackResourceSummaries"]
        if one["ResourceStatus"] not in {"DELETE_COMPLETE", "DELETE_SKIPPED"}
    ]
    return Stack(
        id=found["StackId"],
        status=found["StackStatus"],
        kinds={one["LogicalResourceId"]: one["ResourceType"] for one in there},
        names={one["LogicalResourceId"]: one.get("PhysicalResourceId", "") for one in there},
    )


def data_template(template: Mapping[str, Any]) -> dict[str, Any]:
    """Return the part of a template that defines the data.

    Parameters and conditions are kept, and with them the chosen values.
    """
    resources = {name: template["Resources"][name] for name in DATA}
    return {
        **{part: value for part, value in template.items() if part != "Outputs"},
        "Description": "Mailpulse: the data of a removed stage. To use it again, run `deploy`.",
        "Resources": resources,
    }


def reduce_to_data(
    cloudformation: Any, stack: Stack, *, poll_seconds: float, progress: Progress
) -> None:
    """Remove every resource without data from the stack, and wait for completion.

    Raises:
        CommandError: CloudFormation refused, or could not delete a resource; the message has the
            reason.
    """
    body = cloudformation.get_template(StackName=stack.id)["TemplateBody"]
    # boto3 parses the template if it is JSON.
    template = cfn_yaml.loads(body) if isinstance(body, str) else body
    [found] = cloudformation.describe_stacks(StackName=stack.id)["Stacks"]
    parameters = [
        {"ParameterKey": one["ParameterKey"], "UsePreviousValue": True}
        for one in found.get("Parameters", [])
    ]
    last = _events(cloudformation, stack)[0]["EventId"]
    _ask(
        stack,
        cloudformation.update_stack,
        TemplateBody=json.dumps(data_template(template)),
        # The functions are removed, so their roles no longer need protection.
        StackPolicyDuringUpdateBody=json.dumps(_ALL_MAY_CHANGE),
        Parameters=parameters,
    )
    status = _end(cloudformation, stack, poll_seconds, progress)
    failed = _failures(cloudformation, stack, last)
    if status != "UPDATE_COMPLETE":
        raise CommandError(
            f"the stack {stack.id} is {status}: {'; '.join(failed) or 'see its events'}. "
            "Fix the cause, and run this command again; the data was not changed"
        )
    if failed:
        # CloudFormation gives up after three attempts, and then no longer manages the resource.
        raise CommandError(
            "CloudFormation could not delete these resources, and no longer manages them: "
            f"{'; '.join(failed)}"
            ". Delete them manually; everything else was removed, and the data was kept"
        )


def delete(cloudformation: Any, stack: Stack, *, poll_seconds: float, progress: Progress) -> None:
    """Delete the stack and wait until it is gone; retained tables stay.

    Raises:
        CommandError: a resource could not be deleted; the message has the reason.
    """
    events = _events(cloudformation, stack)
    last = events[0]["EventId"] if events else None
    _ask(stack, cloudformation.delete_stack)
    status = _end(cloudformation, stack, poll_seconds, progress)
    if status != "DELETE_COMPLETE":
        failed = _failures(cloudformation, stack, last)
        raise CommandError(
            f"the stack {stack.id} is {status}: {'; '.join(failed) or 'see its events'}. "
            "Fix the cause, and run this command again"
        )


def _ask(stack: Stack, call: Callable[..., Any], **arguments: Any) -> None:
    try:
        call(StackName=stack.id, **arguments)
    except ClientError as error:
        message = error.response["Error"]["Message"]
        raise CommandError(f"CloudFormation rejected the stack {stack.id}: {message}") from error


def _end(cloudformation: Any, stack: Stack, poll_seconds: float, progress: Progress) -> str:
    """Wait until a change and its cleanup have ended, and return the stack's status."""
    while True:
        [found] = cloudformation.describe_stacks(StackName=stack.id)["Stacks"]
        status: str = found["StackStatus"]
        if not status.endswith(_IN_PROGRESS):
            return status
        newest = _events(cloudformation, stack)[0]
        progress(f"{newest['LogicalResourceId']}: {newest['ResourceStatus'].lower()}")
        time.sleep(poll_seconds)


def _events(cloudformation: Any, stack: Stack) -> list[dict[str, Any]]:
    pages = cloudformation.get_paginator("describe_stack_events").paginate(StackName=stack.id)
    return [event for page in pages for event in page["StackEvents"]]


def _failures(cloudformation: Any, stack: Stack, last: str | None) -> list[str]:
    """Return the resources that failed after the event `last` and have not succeeded since."""
    seen, failed = set(), []
    for event in _events(cloudformation, stack):  # newest first
        if event["EventId"] == last:
            break
        name = event["LogicalResourceId"]
        if name not in seen and event["ResourceStatus"].endswith("_FAILED"):
            reason = event.get("ResourceStatusReason", "no reason given")
            thing = event.get("PhysicalResourceId") or name
            if thing != stack.id:
                failed.append(f"{name} ({event['ResourceType']} {thing}): {reason}")
        seen.add(name)
    return failed

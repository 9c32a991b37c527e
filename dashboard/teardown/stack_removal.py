"""Take a stack down: to the tables that hold its data, or altogether.

Where the data is kept, the stack is kept with it: it is updated to the part of its own template
that holds the tables. So they stay in CloudFormation's hands, the parameters that were chosen are
kept, and the next `deploy` takes up the same tables. A stack that is deleted leaves them to nobody.
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

# The resources that hold what SES reported; the template retains them.
DATA = ("EventsTable", "StatsTable")

Progress = Callable[[str], None]

_ALL_MAY_CHANGE = {
    "Statement": [{"Effect": "Allow", "Action": "Update:*", "Principal": "*", "Resource": "*"}]
}

_IN_PROGRESS = "_IN_PROGRESS"
# Never made, or half deleted: CloudFormation takes no update of such a stack.
_ONLY_DELETED = {
    *("CREATE_FAILED", "ROLLBACK_COMPLETE", "ROLLBACK_FAILED", "REVIEW_IN_PROGRESS"),
    "DELETE_FAILED",
}


@dataclass(frozen=True)
class Stack:
    """A stack as it is.

    Attributes:
        id: with which it is found when it is deleted, too.
        status: as CloudFormation names it.
        kinds: the type of each resource that there is, by its name in the template.
        names: the physical id of each.
    """

    id: str
    status: str
    kinds: Mapping[str, str]
    names: Mapping[str, str]

    @property
    def beside_data(self) -> list[str]:
        """The resources that hold no data."""
        return [name for name in self.kinds if name not in DATA]

    @property
    def can_be_kept(self) -> bool:
        """Whether it can go on with the tables alone."""
        return self.status not in _ONLY_DELETED and all(name in self.kinds for name in DATA)


def find(cloudformation: Any, name: str, *, poll_seconds: float) -> Stack | None:
    """Find a stack; None when there is none.

    A change that an interrupted run has begun is waited for.
    """
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
    """Give the part of a template that holds the data.

    Parameters and conditions stay, and with them the values that were chosen.
    """
    resources = {name: template["Resources"][name] for name in DATA}
    return {
        **{part: value for part, value in template.items() if part != "Outputs"},
        "Description": "Mailpulse: the data of a stage that was removed; deploy takes it up again.",
        "Resources": resources,
    }


def reduce_to_data(
    cloudformation: Any, stack: Stack, *, poll_seconds: float, progress: Progress
) -> None:
    """Remove what holds no data from the stack, and wait until it is gone.

    Raises:
        CommandError: CloudFormation refused, or left something behind; says what and why.
    """
    body = cloudformation.get_template(StackName=stack.id)["TemplateBody"]
    # boto3 has read it already where it is JSON.
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
        # The functions are removed, and their roles need no protection any more.
        StackPolicyDuringUpdateBody=json.dumps(_ALL_MAY_CHANGE),
        Parameters=parameters,
    )
    status = _end(cloudformation, stack, poll_seconds, progress)
    failed = _failures(cloudformation, stack, last)
    if status != "UPDATE_COMPLETE":
        raise CommandError(
            f"the stack {stack.id} is {status}: {'; '.join(failed) or 'see its events'}. "
            "See to it, and run this again; the data is untouched"
        )
    if failed:
        # It has tried three times, and no longer knows it.
        raise CommandError(
            f"CloudFormation could not delete everything, and has let go of it: {'; '.join(failed)}"
            ". Delete that by hand; the rest is removed, and the data is kept"
        )


def delete(cloudformation: Any, stack: Stack, *, poll_seconds: float, progress: Progress) -> None:
    """Delete the stack and wait until it is gone; tables that it retains stay.

    Raises:
        CommandError: something of it could not be deleted; says what and why.
    """
    events = _events(cloudformation, stack)
    last = events[0]["EventId"] if events else None
    _ask(stack, cloudformation.delete_stack)
    status = _end(cloudformation, stack, poll_seconds, progress)
    if status != "DELETE_COMPLETE":
        failed = _failures(cloudformation, stack, last)
        raise CommandError(
            f"the stack {stack.id} is {status}: {'; '.join(failed) or 'see its events'}. "
            "See to it, and run this again"
        )


def _ask(stack: Stack, call: Callable[..., Any], **arguments: Any) -> None:
    try:
        call(StackName=stack.id, **arguments)
    except ClientError as error:
        message = error.response["Error"]["Message"]
        raise CommandError(f"CloudFormation refused the stack {stack.id}: {message}") from error


def _end(cloudformation: Any, stack: Stack, poll_seconds: float, progress: Progress) -> str:
    """Wait until a change has come to its end, its cleaning up included; give the status."""
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
    """Say what has failed since the event `last`, and was not done at a later attempt."""
    seen, failed = set(), []
    for event in _events(cloudformation, stack):  # the newest first
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

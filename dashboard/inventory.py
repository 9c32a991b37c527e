"""Find everything in an AWS account that is a stage's, whatever made it and however far it came.

What the stack holds is asked of CloudFormation. The rest is found by its name, as Chalice and
Lambda give it. `prod-eu` is never taken for a part of `prod`: no function's name has a hyphen.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from botocore.exceptions import ClientError

from dashboard import kept_data, settings, stack_removal
from dashboard.functions import FUNCTIONS, function_name
from dashboard.kept_data import Table
from dashboard.remote import Place
from dashboard.stack_removal import DATA, Stack


@dataclass(frozen=True)
class Inventory:
    """What there is of a stage.

    Attributes:
        stack: None without one.
        functions: names of Lambda functions.
        mappings: of event sources: the name of the function by UUID; it may be gone.
        rules: names of EventBridge rules.
        apis: ids of WebSocket APIs.
        roles: names of IAM roles.
        log_groups: names, of the functions that are there and of earlier ones.
        tables: those of the stack, and what earlier stacks of this stage have left.
        parameters: names of SSM parameters.
        chosen: settings of the functions that are not the default.
        waiting: about how many messages are in the queues: to be stored, set aside.
        people: about how many are in the user pool.
    """

    stack: Stack | None
    functions: list[str]
    mappings: dict[str, str]
    rules: list[str]
    apis: list[str]
    roles: list[str]
    log_groups: list[str]
    tables: list[Table]
    parameters: list[str]
    chosen: dict[str, str]
    waiting: tuple[int, int]
    people: int

    @property
    def has_functions(self) -> bool:
        """Whether there is anything that Chalice makes."""
        return bool(self.functions or self.mappings or self.rules or self.apis or self.roles)

    @property
    def is_running(self) -> bool:
        """Whether there is anything but data."""
        of_stack = self.stack is not None and (self.stack.beside_data or not self.stack.can_be_kept)
        return bool(of_stack or self.has_functions)

    @property
    def has_data(self) -> bool:
        """Whether there is anything that `--delete-data` alone would delete."""
        return bool(self.tables or self.parameters or self.log_groups)


def take(place: Place) -> Inventory:
    """Look at everything that there is; changes nothing.

    Raises:
        CommandError: the stack is being changed.
    """
    stack = stack_removal.find(place.clients("cloudformation"), place.stack_name)
    physical = dict(stack.names) if stack else {}
    prefix = f"mailpulse-{place.stage}-"
    functions = _functions(place, prefix)
    return Inventory(
        stack=stack,
        functions=functions,
        mappings=_mappings(place, prefix),
        rules=_rules(place.clients("events"), prefix),
        apis=_apis(place.clients("apigatewayv2"), f"{prefix}websocket-api"),
        roles=_roles(place.clients("iam"), {*functions, *_usual_functions(place)}),
        log_groups=kept_data.log_groups(place),
        tables=kept_data.tables(place, [physical[name] for name in DATA if name in physical]),
        parameters=kept_data.parameters(place),
        chosen=_chosen(place, functions, has_own_client="UserPool" in physical),
        waiting=(
            _messages(place.clients("sqs"), physical.get("Queue")),
            _messages(place.clients("sqs"), physical.get("DeadLetterQueue")),
        ),
        people=_people(place.clients("cognito-idp"), physical.get("UserPool")),
    )


def _usual_functions(place: Place) -> Iterator[str]:
    return (function_name(place.stage, name) for name in FUNCTIONS)


def _functions(place: Place, prefix: str) -> list[str]:
    ours = re.compile(f"{re.escape(prefix)}[A-Za-z0-9_]+")
    found = _all(place.clients("lambda"), "list_functions", "Functions")
    return [one["FunctionName"] for one in found if ours.fullmatch(one["FunctionName"])]


def _mappings(place: Place, prefix: str) -> dict[str, str]:
    ours = re.compile(f"{re.escape(prefix)}[A-Za-z0-9_]+")
    found = _all(place.clients("lambda"), "list_event_source_mappings", "EventSourceMappings")
    functions = {
        one["UUID"]: one["FunctionArn"].rpartition(":")[2]
        for one in found
        if one["State"] != "Deleting"
    }
    return {uuid: name for uuid, name in functions.items() if ours.fullmatch(name)}


def _rules(events: Any, prefix: str) -> list[str]:
    # Chalice names a rule after its function.
    ours = re.compile(f"{re.escape(prefix)}[A-Za-z0-9_]+-event")
    found = _all(events, "list_rules", "Rules", NamePrefix=prefix)
    return [one["Name"] for one in found if ours.fullmatch(one["Name"])]


def _apis(apigateway: Any, name: str) -> list[str]:
    found = _all(apigateway, "get_apis", "Items")
    return [one["ApiId"] for one in found if one["Name"] == name]


def _roles(iam: Any, functions: set[str]) -> list[str]:
    """Find the roles that Chalice has made: each is named as its function."""
    found = []
    for name in sorted(functions):
        try:
            iam.get_role(RoleName=name)
        except ClientError as error:
            if error.response["Error"]["Code"] != "NoSuchEntity":
                raise
        else:
            found.append(name)
    return found


def _chosen(place: Place, functions: list[str], *, has_own_client: bool) -> dict[str, str]:
    name = function_name(place.stage, "ingest")
    if name not in functions:
        return {}
    found = place.clients("lambda").get_function_configuration(FunctionName=name)
    variables = found.get("Environment", {}).get("Variables", {})
    return {
        name: variables[name]
        for name in settings.FUNCTION_SETTINGS
        if name in variables and not (name == "CLIENT_ID" and has_own_client)
    }


def _messages(sqs: Any, url: str | None) -> int:
    if url is None:
        return 0
    names = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"]
    found = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=names)["Attributes"]
    return sum(int(found[name]) for name in names)


def _people(cognito: Any, pool: str | None) -> int:
    if pool is None:
        return 0
    number: int = cognito.describe_user_pool(UserPoolId=pool)["UserPool"].get(
        "EstimatedNumberOfUsers", 0
    )
    return number


def _all(client: Any, operation: str, member: str, **arguments: Any) -> Iterator[Any]:
    for page in client.get_paginator(operation).paginate(**arguments):
        yield from page[member]

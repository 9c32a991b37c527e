"""Find every resource of a stage in an AWS account, however it was created.

CloudFormation lists the resources of the stack. The others are found by name, as Chalice and Lambda
derive it.
"""

from dataclasses import dataclass
from typing import Any

from dashboard.deploy import chalice_resources, legacy_roles, settings
from dashboard.deploy.chalice_resources import function_name
from dashboard.deploy.remote import Place
from dashboard.deploy.stack import POLL_SECONDS
from dashboard.teardown import retained, stack_removal
from dashboard.teardown.retained import Table
from dashboard.teardown.stack_removal import DATA, Stack


@dataclass(frozen=True)
class Inventory:
    """The existing resources of a stage.

    Attributes:
        stack: None if there is no stack.
        functions: names of Lambda functions.
        mappings: event source mappings: name of the function by UUID; the function may no longer
            exist.
        rules: names of EventBridge rules.
        apis: IDs of WebSocket APIs.
        roles: names of legacy IAM roles, which Chalice made before the stack defined them.
        log_groups: names, of current and former functions.
        tables: the stack's tables, and those retained from earlier stacks of this stage.
        parameters: names of SSM parameters.
        chosen: settings of the functions that differ from the default.
        waiting: approximate numbers of messages in the queue and in the dead-letter queue.
        people: approximate number of users in the user pool.
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
        """Whether any resource that Chalice creates exists."""
        return bool(self.functions or self.mappings or self.rules or self.apis or self.roles)

    @property
    def is_running(self) -> bool:
        """Whether anything but data exists."""
        of_stack = self.stack is not None and (self.stack.beside_data or not self.stack.can_be_kept)
        return bool(of_stack or self.has_functions)

    @property
    def has_data(self) -> bool:
        """Whether there is anything that only `--delete-data` deletes."""
        return bool(self.tables or self.parameters or self.log_groups)


def take(place: Place) -> Inventory:
    """Return the stage's inventory once any change of its stack has ended. Changes nothing."""
    stack = stack_removal.find(
        place.clients("cloudformation"), place.stack_name, poll_seconds=POLL_SECONDS
    )
    physical = dict(stack.names) if stack else {}
    found = chalice_resources.find(place.clients, place.stage)
    functions = [function_name(place.stage, one) for one in found.functions]
    return Inventory(
        stack=stack,
        functions=functions,
        mappings={
            one.uuid: function_name(place.stage, one.function)
            for one in found.mappings
            if one.state != "Deleting"
        },
        rules=list(found.rules.values()),
        apis=found.apis,
        roles=legacy_roles.find(place.clients("iam"), place.region, place.stage),
        log_groups=retained.log_groups(place),
        tables=retained.tables(place, [physical[name] for name in DATA if name in physical]),
        parameters=retained.parameters(place),
        chosen=_chosen(place, functions, has_own_client="UserPool" in physical),
        waiting=(
            _messages(place.clients("sqs"), physical.get("Queue")),
            _messages(place.clients("sqs"), physical.get("DeadLetterQueue")),
        ),
        people=_people(place.clients("cognito-idp"), physical.get("UserPool")),
    )


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

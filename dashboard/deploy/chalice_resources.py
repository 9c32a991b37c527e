"""Find Chalice's resources of a stage: functions, event source mappings, rules, WebSocket APIs.

Chalice derives all of their names from the stage, so each can be found without Chalice's record. A
resource of stage `prod-eu` never matches stage `prod`, because function names have no hyphen.
"""

import re
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from chalicelib.errors import CommandError
from dashboard.aws_session import Clients

APP_NAME = "mailpulse"


def function_name(stage: str, function: str) -> str:
    """Return the name that Chalice gives to a function of app.py."""
    return f"{APP_NAME}-{stage}-{function}"


def api_name(stage: str) -> str:
    """Return the name that Chalice gives to the WebSocket API."""
    return f"{APP_NAME}-{stage}-websocket-api"


@dataclass(frozen=True)
class EventSourceMapping:
    """An event source mapping of one of the functions.

    Attributes:
        function: the name of the function in app.py; the function itself may no longer exist.
        state: as Lambda names it, such as `Enabled` or `Deleting`.
    """

    uuid: str
    function: str
    source_arn: str
    state: str
    options: dict[str, Any]


@dataclass(frozen=True)
class Resources:
    """The existing resources of a stage.

    Attributes:
        functions: ARNs by the names in app.py, those of earlier versions included.
        mappings: event source mappings, including those that are being deleted.
        rules: names of EventBridge rules, by the names of their functions in app.py.
        apis: IDs of WebSocket APIs.
    """

    functions: dict[str, str]
    mappings: list[EventSourceMapping]
    rules: dict[str, str]
    apis: list[str]

    def limited_to(self, functions: Collection[str]) -> "Resources":
        """Return the resources of some functions, by their names in app.py, and all APIs."""
        return Resources(
            {name: arn for name, arn in self.functions.items() if name in functions},
            [one for one in self.mappings if one.function in functions],
            {name: rule for name, rule in self.rules.items() if name in functions},
            self.apis,
        )


def find(clients: Clients, stage: str) -> Resources:
    """Return every resource that Chalice has made for a stage in the account and region."""
    prefix = function_name(stage, "")
    return Resources(
        functions=_functions(clients("lambda"), prefix),
        mappings=_mappings(clients("lambda"), prefix),
        rules=_rules(clients("events"), prefix),
        apis=find_apis(clients("apigatewayv2"), stage),
    )


def find_apis(apigateway: Any, stage: str) -> list[str]:
    """Return the IDs of the stage's WebSocket APIs."""
    name = api_name(stage)
    return [one["ApiId"] for one in pages(apigateway, "get_apis", "Items") if one["Name"] == name]


def only_api(apis: Sequence[str], stage: str) -> str:
    """Return the only API of a stage.

    Raises:
        CommandError: there is none, or more than one.
    """
    if not apis:
        raise CommandError(
            f"no WebSocket API {api_name(stage)}: deploy the functions first, or check "
            "--stage and --region"
        )
    if len(apis) > 1:
        raise CommandError(
            f"there are {len(apis)} WebSocket APIs {api_name(stage)} ({', '.join(apis)}): "
            "delete those that the page does not use, and run this command again"
        )
    return apis[0]


def pages(client: Any, operation: str, member: str, **arguments: Any) -> Iterator[Any]:
    """Yield the members of all pages of an operation."""
    for page in client.get_paginator(operation).paginate(**arguments):
        yield from page[member]


def _functions(lambda_client: Any, prefix: str) -> dict[str, str]:
    found = pages(lambda_client, "list_functions", "Functions")
    return {
        name: one["FunctionArn"]
        for one in found
        if (name := _own_part(one["FunctionName"], prefix)) is not None
    }


def _mappings(lambda_client: Any, prefix: str) -> list[EventSourceMapping]:
    found = pages(lambda_client, "list_event_source_mappings", "EventSourceMappings")
    return [
        EventSourceMapping(one["UUID"], name, one["EventSourceArn"], one["State"], one)
        for one in found
        if (name := _own_part(one["FunctionArn"].rpartition(":")[2], prefix)) is not None
    ]


def _rules(events: Any, prefix: str) -> dict[str, str]:
    # Chalice names a rule after its function.
    suffix = "-event"
    names = [one["Name"] for one in pages(events, "list_rules", "Rules", NamePrefix=prefix)]
    return {
        function: name
        for name in names
        if name.endswith(suffix)
        and (function := _own_part(name.removesuffix(suffix), prefix)) is not None
    }


def _own_part(name: str, prefix: str) -> str | None:
    """Return a function's name in app.py; None if it belongs to another stage."""
    own = name.removeprefix(prefix)
    return own if name.startswith(prefix) and re.fullmatch(r"[A-Za-z0-9_]+", own) else None

"""Rebuild Chalice's record of a stage from the resources in the account.

Chalice writes its record once a deployment is complete, and finds event source mappings and the
WebSocket API by that record alone (https://github.com/aws/chalice/issues/1340). If it is
interrupted and run again, it creates them a second time, and AWS refuses a second mapping of the
same pair (https://github.com/aws/chalice/issues/1075). Therefore the record is rebuilt before each
run, and resources that Chalice cannot resume from are deleted first.
"""

import json
import time
from collections.abc import Callable, Collection, Mapping
from dataclasses import replace
from http import HTTPStatus
from pathlib import Path
from typing import Any

import botocore.exceptions

from chalicelib.errors import CommandError
from dashboard import durable
from dashboard.aws_session import Clients
from dashboard.deploy import chalice_resources
from dashboard.deploy.chalice_resources import EventSourceMapping, Resources, function_name

SETTLED_SECONDS = 180
POLL_SECONDS = 1.0


def path(build: Path, stage: str) -> Path:
    """Return the path of Chalice's record below the folder that it runs in."""
    return build / ".chalice" / "deployed" / f"{stage}.json"


def write(
    build: Path,
    stage: str,
    clients: Clients,
    functions: Collection[str],
    sources: Mapping[str, str],
) -> None:
    """Write Chalice's record of the existing resources once they are in a usable state.

    Chalice deletes resources that its record lists and app.py does not define, so the record must
    never list another application's function with a similar name.

    Args:
        build: the folder that Chalice runs in.
        stage: the Chalice stage.
        clients: makes boto3 clients of the account and region.
        functions: names in app.py of Mailpulse's functions, past and present.
        sources: the ARN of each function's event source, by the function's name in app.py.

    Raises:
        CommandError: a resource does not settle in time, or there are several APIs.
    """
    found = _usable(clients, stage, functions, sources)
    file = path(build, stage)
    with durable.private():
        file.parent.mkdir(parents=True, exist_ok=True)
    durable.write(file, json.dumps(_record(found), indent=2))


def _usable(
    clients: Clients, stage: str, functions: Collection[str], sources: Mapping[str, str]
) -> Resources:
    """Delete resources that block Chalice, wait until the others settle, and return those."""
    lambda_client = clients("lambda")
    found = chalice_resources.find(clients, stage).limited_to(functions)
    for name in found.functions:
        wait_for_function(lambda_client, function_name(stage, name))
    kept: dict[str, EventSourceMapping] = {}
    for mapping in found.mappings:
        wanted = sources.get(mapping.function) == mapping.source_arn
        if mapping.state != "Deleting" and wanted and mapping.function not in kept:
            wait_for_mapping(lambda_client, mapping.uuid)
            kept[mapping.function] = mapping
        else:
            # A mapping of an earlier queue or stream, or a duplicate, which would invoke the
            # function twice.
            delete_mapping(lambda_client, mapping.uuid)
    apis = []
    for api in found.apis:
        if _is_complete(clients("apigatewayv2"), api, stage):
            apis.append(api)
        else:
            # Chalice adds no stage to an existing API, and without a stage the API accepts no
            # connections.
            clients("apigatewayv2").delete_api(ApiId=api)
    if apis:
        chalice_resources.only_api(apis, stage)
    return replace(found, mappings=list(kept.values()), apis=apis)


def wait_for_function(lambda_client: Any, name: str) -> Mapping[str, Any]:
    """Wait until a function is neither being created nor updated, and return its configuration.

    Until then, Lambda rejects other changes.
    https://docs.aws.amazon.com/lambda/latest/dg/functions-states.html

    Raises:
        CommandError: the function does not settle in time, or could not be created.
    """
    found: dict[str, Any] = {}

    def is_settled() -> bool:
        found.update(lambda_client.get_function_configuration(FunctionName=name))
        pending = found.get("State") == "Pending" or found.get("LastUpdateStatus") == "InProgress"
        return not pending

    _wait(is_settled, f"Lambda is still updating the function {name}")
    if found.get("State") == "Failed":
        reason = found.get("StateReason", "no reason given")
        raise CommandError(
            f"the function {name} could not be created: {reason}. Fix the cause, delete the "
            f"function with `aws lambda delete-function --function-name {name}`, and run "
            "this command again"
        )
    return found


def wait_for_mapping(lambda_client: Any, uuid: str) -> Mapping[str, Any]:
    """Wait until an event source mapping has settled, and return it.

    Raises:
        CommandError: the mapping does not settle in time.
    """
    mapping: dict[str, Any] = {}

    def is_settled() -> bool:
        mapping.update(lambda_client.get_event_source_mapping(UUID=uuid))
        return mapping["State"] in {"Enabled", "Disabled"}

    _wait(is_settled, f"Lambda is still updating the event source mapping {uuid}")
    return mapping


def delete_mapping(lambda_client: Any, uuid: str) -> None:
    """Delete an event source mapping once it has settled, and wait until it is gone.

    Raises:
        CommandError: the mapping is not deleted in time.
    """

    def is_gone() -> bool:
        try:
            state = lambda_client.get_event_source_mapping(UUID=uuid)["State"]
            if state in {"Enabled", "Disabled"}:
                lambda_client.delete_event_source_mapping(UUID=uuid)
        except botocore.exceptions.ClientError as error:
            if error.response["ResponseMetadata"]["HTTPStatusCode"] != HTTPStatus.NOT_FOUND:
                raise
            return True
        return False

    _wait(is_gone, f"Lambda is still deleting the event source mapping {uuid}")


def _wait(is_done: Callable[[], bool], still: str) -> None:
    until = time.monotonic() + SETTLED_SECONDS
    while not is_done():
        if time.monotonic() >= until:
            raise CommandError(
                f"{still} after {SETTLED_SECONDS} s: check it in the Lambda console, and run "
                "this command again"
            )
        time.sleep(POLL_SECONDS)


def _is_complete(apigateway: Any, api: str, stage: str) -> bool:
    """Return whether an API has its stage, which Chalice creates last, after all routes."""
    stages = apigateway.get_stages(ApiId=api)["Items"]
    return any(one["StageName"] == stage and one.get("DeploymentId") for one in stages)


def _record(found: Resources) -> dict[str, Any]:
    """Build the record in the format of Chalice 1.34."""
    functions = [
        {"name": name, "resource_type": "lambda_function", "lambda_arn": arn}
        for name, arn in found.functions.items()
    ]
    rules = [
        {"name": f"{name}-event", "resource_type": "cloudwatch_event", "rule_name": rule}
        for name, rule in found.rules.items()
    ]
    apis = [
        {
            "name": "websocket_api",
            "resource_type": "websocket_api",
            "websocket_api_url": "",
            "websocket_api_id": api,
        }
        for api in found.apis
    ]
    mappings = [_mapping_record(one) for one in found.mappings]
    return {
        "schema_version": "2.0",
        "backend": "api",
        "resources": [*functions, *mappings, *rules, *apis],
    }


def _mapping_record(mapping: EventSourceMapping) -> dict[str, Any]:
    source = mapping.source_arn
    common = {"event_uuid": mapping.uuid, "lambda_arn": mapping.options["FunctionArn"]}
    if source.split(":")[2] == "sqs":
        return {
            "name": f"{mapping.function}-sqs-event-source",
            "resource_type": "sqs_event",
            "queue_arn": source,
            "queue": source.rpartition(":")[2],
            **common,
        }
    return {
        "name": f"{mapping.function}-dynamodb-event-source",
        "resource_type": "dynamodb_event",
        "stream_arn": source,
        **common,
    }

"""The options of event source mappings that Chalice cannot set."""

import time
from collections.abc import Mapping
from typing import Any

from chalicelib.errors import CommandError
from dashboard.functions import Deployment

_SETTLED_SECONDS = 180

Options = Mapping[str, Mapping[str, Any]]  # name of the function → options of its mapping

# An item that has expired is nothing to count or push.
_NOT_REMOVED = {"Filters": [{"Pattern": '{"eventName": ["INSERT", "MODIFY"]}'}]}

# ingest reports the messages that it could not store; the rest of their batch is kept. The
# streams have no partial responses: a batch that failed comes again as a whole. Only with a
# tumbling window does an event name its shard, without which nothing is counted.
# https://docs.aws.amazon.com/lambda/latest/dg/services-ddb-windows.html
OPTIONS: Options = {
    "ingest": {"FunctionResponseTypes": ["ReportBatchItemFailures"]},
    "aggregate": {"TumblingWindowInSeconds": 900, "FilterCriteria": _NOT_REMOVED},
    "publish": {"FilterCriteria": _NOT_REMOVED},
}


def set_options(lambda_client: Any, deployment: Deployment, options: Options) -> None:
    """Give each mapping its options, switch it on, and look whether it took them.

    Raises:
        CommandError: a mapping is missing, or did not take an option.
    """
    for function, wanted in options.items():
        uuid = deployment.mappings.get(function)
        if uuid is None:
            raise CommandError(
                f"Chalice deployed {function} without an event source; app.py must bind it to one"
            )
        # One that is still changing refuses to be changed, and shows what it was.
        _settled(lambda_client, uuid)
        lambda_client.update_event_source_mapping(UUID=uuid, Enabled=True, **wanted)
        mapping = _settled(lambda_client, uuid)
        for option, value in wanted.items():
            if mapping.get(option) != value:
                raise CommandError(
                    f"the event source mapping of {function} has {option}={mapping.get(option)!r} "
                    f"after it was set to {value!r}"
                )


def _settled(lambda_client: Any, uuid: str) -> Mapping[str, Any]:
    """Wait until a mapping is no longer changing, and give it."""
    until = time.monotonic() + _SETTLED_SECONDS
    while True:
        mapping: Mapping[str, Any] = lambda_client.get_event_source_mapping(UUID=uuid)
        if mapping["State"] in {"Enabled", "Disabled"}:
            return mapping
        if time.monotonic() >= until:
            raise CommandError(
                f"the event source mapping {uuid} is {mapping['State']} for {_SETTLED_SECONDS} s: "
                "look at it in the Lambda console, and run this again"
            )
        time.sleep(1)


def remove_strays(lambda_client: Any, deployment: Deployment) -> None:
    """Delete mappings to our functions that Chalice does not know: they would call them twice."""
    for function, arn in deployment.functions.items():
        known = deployment.mappings.get(function)
        pages = lambda_client.get_paginator("list_event_source_mappings").paginate(FunctionName=arn)
        for page in pages:
            for mapping in page["EventSourceMappings"]:
                if mapping["UUID"] != known:
                    lambda_client.delete_event_source_mapping(UUID=mapping["UUID"])


def remove(lambda_client: Any, uuid: str) -> None:
    """Delete a mapping, as soon as it is no longer changing."""
    _settled(lambda_client, uuid)
    lambda_client.delete_event_source_mapping(UUID=uuid)

"""The options of event source mappings that Chalice cannot set."""

from collections.abc import Mapping
from typing import Any

from chalicelib.errors import CommandError
from dashboard.functions import Deployment

Options = Mapping[str, Mapping[str, Any]]  # name of the function → options of its mapping

# ingest reports the messages that it could not store; the rest of their batch is kept. The
# streams have no partial responses: a batch that failed comes again as a whole.
OPTIONS: Options = {
    "ingest": {"FunctionResponseTypes": ["ReportBatchItemFailures"]},
    "aggregate": {},
    "publish": {},
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
        lambda_client.update_event_source_mapping(UUID=uuid, Enabled=True, **wanted)
        mapping = lambda_client.get_event_source_mapping(UUID=uuid)
        for option, value in wanted.items():
            if mapping.get(option) != value:
                raise CommandError(
                    f"the event source mapping of {function} has {option}={mapping.get(option)!r} "
                    f"after it was set to {value!r}"
                )


def remove_strays(lambda_client: Any, deployment: Deployment) -> None:
    """Delete mappings to our functions that Chalice does not know: they would call them twice."""
    for function, arn in deployment.functions.items():
        known = deployment.mappings.get(function)
        pages = lambda_client.get_paginator("list_event_source_mappings").paginate(FunctionName=arn)
        for page in pages:
            for mapping in page["EventSourceMappings"]:
                if mapping["UUID"] != known:
                    lambda_client.delete_event_source_mapping(UUID=mapping["UUID"])

"""The options of event source mappings that Chalice cannot set."""

from collections.abc import Mapping
from typing import Any

from chalicelib.errors import CommandError
from dashboard.chalice_record import wait_for_mapping
from dashboard.functions import Deployment

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
        wait_for_mapping(lambda_client, uuid)
        lambda_client.update_event_source_mapping(UUID=uuid, Enabled=True, **wanted)
        mapping = wait_for_mapping(lambda_client, uuid)
        for option, value in wanted.items():
            if mapping.get(option) != value:
                raise CommandError(
                    f"the event source mapping of {function} has {option}={mapping.get(option)!r} "
                    f"after it was set to {value!r}"
                )

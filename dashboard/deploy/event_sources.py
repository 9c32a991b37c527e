"""Set the options of event source mappings that Chalice does not support."""

import json
from collections.abc import Mapping
from typing import Any

from botocore.exceptions import ClientError

from chalicelib.config import REPORTS_BATCH_ITEM_FAILURES
from chalicelib.errors import CommandError
from chalicelib.stats.activity import ACTIVITY
from chalicelib.stats.counters import HEALTH, SHOWN_PARTS
from chalicelib.stats.incident_item import INCIDENT
from chalicelib.stats.pace_item import PACE
from chalicelib.stats.proof import RECOUNT
from chalicelib.stats.reconciled import RECONCILIATION
from dashboard.deploy.chalice_project import Deployment
from dashboard.deploy.chalice_record import wait_for_function, wait_for_mapping

# The configuration has changed since it was read, or an update is in progress.
_CHANGED_MEANWHILE = {"PreconditionFailedException", "ResourceConflictException"}
_ATTEMPTS = 10

Options = Mapping[str, Mapping[str, Any]]  # name of the function → options of its mapping

# Skip removals: an expired item is neither counted nor pushed.
_NOT_REMOVED = {"eventName": ["INSERT", "MODIFY"]}
# Of the stats table, only items that a topic shows: most others are written with each batch.
_SHOWN = {
    "dynamodb": {
        "Keys": {
            "part": {
                "S": [
                    {"prefix": part}
                    for part in (
                        *(*SHOWN_PARTS, ACTIVITY, HEALTH, PACE, INCIDENT),
                        *(RECONCILIATION, RECOUNT),
                    )
                ]
            }
        }
    }
}


def _only(pattern: Mapping[str, Any]) -> Mapping[str, Any]:
    return {"Filters": [{"Pattern": json.dumps(pattern)}]}


# ingest reports the messages that it could not store, so that only these are retried. The streams
# have no partial batch responses: a failed batch is retried as a whole. Only with a tumbling window
# does an event contain its shard ID, which aggregate needs in order to count.
# https://docs.aws.amazon.com/lambda/latest/dg/services-ddb-windows.html
OPTIONS: Options = {
    "ingest": {"FunctionResponseTypes": ["ReportBatchItemFailures"]},
    "aggregate": {"TumblingWindowInSeconds": 900, "FilterCriteria": _only(_NOT_REMOVED)},
    "publish": {"FilterCriteria": _only(_NOT_REMOVED | _SHOWN)},
    "publish_visible": {"FilterCriteria": _only(_NOT_REMOVED | _SHOWN)},
}


def reports_failures(options: Mapping[str, Any]) -> bool:
    """Return whether a mapping with these options reports batch item failures."""
    return "ReportBatchItemFailures" in (options.get("FunctionResponseTypes") or ())


def set_options(lambda_client: Any, deployment: Deployment, options: Options) -> None:
    """Set the options of each mapping, enable it, and verify that the options took effect.

    Raises:
        CommandError: a mapping is missing, or an option did not take effect.
    """
    for function, wanted in options.items():
        uuid = deployment.mappings.get(function)
        if uuid is None:
            raise CommandError(
                f"Chalice deployed {function} without an event source: add one in app.py"
            )
        # Lambda rejects updates of a mapping that has not settled, and returns its old options.
        wait_for_mapping(lambda_client, uuid)
        lambda_client.update_event_source_mapping(UUID=uuid, Enabled=True, **wanted)
        mapping = wait_for_mapping(lambda_client, uuid)
        for option, value in wanted.items():
            if mapping.get(option) != value:
                raise CommandError(
                    f"the event source mapping of {function} has {option}={mapping.get(option)!r} "
                    f"after it was set to {value!r}"
                )


def announce_reporting(lambda_client: Any, function_name: str) -> None:
    """Set REPORTS_BATCH_ITEM_FAILURES on ingest; call it only after set_options has succeeded.

    UpdateFunctionConfiguration replaces the whole environment, so it is read, extended and written
    back on the condition that nothing has changed in between.
    https://docs.aws.amazon.com/lambda/latest/api/API_UpdateFunctionConfiguration.html

    Raises:
        CommandError: the environment could not be read or kept changing, or the update failed.
    """
    for _ in range(_ATTEMPTS):
        configuration = wait_for_function(lambda_client, function_name)
        if configuration.get("LastUpdateStatus") == "Failed":
            reason = configuration.get("LastUpdateStatusReason", "no reason given")
            raise CommandError(f"the update of {function_name} failed: {reason}")
        environment = configuration.get("Environment", {})
        if "Error" in environment:
            # Written back, it would lose every variable that could not be decrypted.
            raise CommandError(
                f"the environment of {function_name} could not be read "
                f"({environment['Error'].get('ErrorCode')}): allow kms:Decrypt on its key, "
                "and run this command again"
            )
        variables = environment.get("Variables", {})
        if variables.get(REPORTS_BATCH_ITEM_FAILURES) == "true":
            return
        try:
            lambda_client.update_function_configuration(
                FunctionName=function_name,
                Environment={"Variables": {**variables, REPORTS_BATCH_ITEM_FAILURES: "true"}},
                RevisionId=configuration["RevisionId"],
            )
        except ClientError as error:
            if error.response["Error"]["Code"] not in _CHANGED_MEANWHILE:
                raise
    raise CommandError(
        f"the configuration of {function_name} changed {_ATTEMPTS} times during the update: "
        "stop other deployments of this stage, and run this command again"
    )

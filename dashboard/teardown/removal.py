"""Remove a stage from an AWS account, step by step.

Each step removes all existing resources of its kind, so that a failed run can be repeated.
Resources that hold data are removed last, and only on request.

`chalice delete` fails whenever a resource is already gone; therefore Chalice's resources are found
by name instead.
"""

import shutil
from typing import Any

from chalicelib.errors import CommandError
from dashboard.deploy import chalice_record, legacy_roles
from dashboard.deploy.remote import Place
from dashboard.deploy.stack import POLL_SECONDS, refuse_stuck
from dashboard.progress import Reporter
from dashboard.teardown import retained, stack_removal
from dashboard.teardown.inventory import Inventory
from dashboard.teardown.retained import Table

_MANY_PARAMETERS = 10  # per call


def remove(place: Place, found: Inventory, steps: Reporter, *, delete_data: bool) -> None:
    """Remove a stage.

    Args:
        place: the stage, account and region.
        found: its inventory.
        steps: reports progress.
        delete_data: whether to delete the tables, parameters and logs as well.

    Raises:
        CommandError: a step failed, or retained data no longer exists.
    """
    if found.stack and found.stack.can_be_kept and not delete_data:
        refuse_stuck(place.clients("cloudformation"), place.stack_name)
    if found.has_functions:
        with steps.step("Remove the functions") as step:
            _remove_functions(place, found, step.progress)
    bucket = found.stack.names.get("SiteBucket") if found.stack else None
    if bucket:
        with steps.step("Remove the page") as step:
            _empty(place.clients("s3"), bucket, step.progress)
    if found.stack:
        _remove_stack(place, found, steps, delete_data=delete_data)
    forget_build(place)
    if delete_data:
        with steps.step("Delete the data") as step:
            _delete_data(place, found, step.progress)
    else:
        with steps.step("Check that the data was kept") as step:
            _verify(place, found)
            step.result = f"Kept: {_sum_of(found.tables)}"


def forget_build(place: Place) -> None:
    """Delete Chalice's project folder, which contains the pseudonym key."""
    shutil.rmtree(place.build, ignore_errors=True)


def _remove_functions(place: Place, found: Inventory, progress: stack_removal.Progress) -> None:
    events, functions = place.clients("events"), place.clients("lambda")
    apigateway, iam = place.clients("apigatewayv2"), place.clients("iam")
    for name in found.rules:
        progress(name)
        targets = events.list_targets_by_rule(Rule=name)["Targets"]
        if targets:
            events.remove_targets(Rule=name, Ids=[one["Id"] for one in targets])
        events.delete_rule(Name=name)
    for api in found.apis:
        progress(f"API {api}")
        apigateway.delete_api(ApiId=api)
    # Deleting a function does not delete its event source mappings.
    for uuid, function in found.mappings.items():
        progress(f"event source of {function}")
        chalice_record.delete_mapping(functions, uuid)
    for name in found.functions:
        progress(name)
        functions.delete_function(FunctionName=name)
    legacy_roles.remove(iam, place.region, place.stage)


def _empty(s3: Any, bucket: str, progress: stack_removal.Progress) -> None:
    """Delete all object versions of a bucket, without which S3 does not delete the bucket."""
    gone = 0
    for page in s3.get_paginator("list_object_versions").paginate(Bucket=bucket):
        versions = [
            {"Key": one["Key"], "VersionId": one["VersionId"]}
            for one in (*page.get("Versions", []), *page.get("DeleteMarkers", []))
        ]
        if not versions:
            continue
        refused = s3.delete_objects(Bucket=bucket, Delete={"Objects": versions, "Quiet": True}).get(
            "Errors", []
        )
        if refused:
            raise CommandError(
                f"S3 did not delete {len(refused)} objects of {bucket}, such as "
                f"{refused[0]['Key']}: {refused[0]['Message']}; fix the cause, and run this "
                "command again"
            )
        gone += len(versions)
        progress(f"{gone:,} objects")


def _remove_stack(place: Place, found: Inventory, steps: Reporter, *, delete_data: bool) -> None:
    cloudformation, stack = place.clients("cloudformation"), found.stack
    assert stack is not None
    if delete_data or not stack.can_be_kept:
        with steps.step("Delete the stack") as step:
            stack_removal.delete(
                cloudformation, stack, poll_seconds=POLL_SECONDS, progress=step.progress
            )
    elif stack.beside_data:
        with steps.step("Remove everything except the data from the stack") as step:
            stack_removal.reduce_to_data(
                cloudformation, stack, poll_seconds=POLL_SECONDS, progress=step.progress
            )


def _delete_data(place: Place, found: Inventory, progress: stack_removal.Progress) -> None:
    dynamodb, logs, ssm = (place.clients(name) for name in ("dynamodb", "logs", "ssm"))
    for table in found.tables:
        progress(table.name)
        dynamodb.delete_table(TableName=table.name)
        dynamodb.get_waiter("table_not_exists").wait(TableName=table.name)
    # List the log groups again: functions may have created some since the inventory was taken.
    for name in retained.log_groups(place):
        progress(name)
        logs.delete_log_group(logGroupName=name)
    for start in range(0, len(found.parameters), _MANY_PARAMETERS):
        ssm.delete_parameters(Names=found.parameters[start : start + _MANY_PARAMETERS])


def _verify(place: Place, found: Inventory) -> None:
    """Verify that the retained tables and parameters still exist.

    Raises:
        CommandError: one is missing; the message has the remedy.
    """
    for table in found.tables:
        if not table.is_still(retained.table(place, table.name)):
            raise CommandError(
                f"the table {table.name} should have been kept, but no longer exists: "
                "restore it from the system backup that DynamoDB keeps for 35 days, and "
                "report this as a bug"
            )
    lost = set(found.parameters) - set(retained.parameters(place))
    if lost:
        raise CommandError(
            f"the parameters {', '.join(sorted(lost))} should have been kept, but no longer exist"
        )


def _sum_of(tables: list[Table]) -> str:
    names = ", ".join(f"{one.name} (about {one.items:,} items)" for one in tables)
    return names or "no tables"

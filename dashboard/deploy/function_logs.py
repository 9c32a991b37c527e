"""Set the retention of the functions' logs: log groups that Lambda creates never expire."""

from contextlib import suppress
from typing import Any

from dashboard.deploy.chalice_resources import function_name, pages
from dashboard.functions import FUNCTIONS

# Longer than it takes to look into an incident, and shorter than facts are kept. One of the numbers
# of days that CloudWatch Logs takes.
# https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_PutRetentionPolicy.html
RETENTION_DAYS = 30

_PREFIX = "/aws/lambda/"


def let_expire(logs: Any, stage: str) -> None:
    """Set the retention of each function's log group that has none; one that was chosen stays.

    A log group that does not exist yet is made, so that Lambda does not make it without retention.
    """
    prefix = _PREFIX + function_name(stage, "")
    found = pages(logs, "describe_log_groups", "logGroups", logGroupNamePrefix=prefix)
    retention = {one["logGroupName"]: one.get("retentionInDays") for one in found}
    for function in FUNCTIONS:
        name = prefix + function
        if name not in retention:
            # Lambda creates it as soon as the function runs for the first time.
            with suppress(logs.exceptions.ResourceAlreadyExistsException):
                logs.create_log_group(logGroupName=name)
        if retention.get(name) is None:
            logs.put_retention_policy(logGroupName=name, retentionInDays=RETENTION_DAYS)

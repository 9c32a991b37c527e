"""Set the retention of the functions' logs: log groups that Lambda creates never expire."""

from contextlib import suppress
from typing import Any

from dashboard.deploy.chalice_resources import function_name, pages
from dashboard.functions import FUNCTIONS

# Long enough to investigate an incident, and shorter than facts are kept. CloudWatch Logs accepts
# only certain numbers of days.
# https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_PutRetentionPolicy.html
RETENTION_DAYS = 30

_PREFIX = "/aws/lambda/"


def let_expire(logs: Any, stage: str) -> None:
    """Set the retention of each function's log group that has none; keep any other setting.

    A missing log group is created, so that Lambda does not create it without a retention.
    """
    prefix = _PREFIX + function_name(stage, "")
    found = pages(logs, "describe_log_groups", "logGroups", logGroupNamePrefix=prefix)
    retention = {one["logGroupName"]: one.get("retentionInDays") for one in found}
    for function in FUNCTIONS:
        name = prefix + function
        if name not in retention:
            # Lambda creates it on the function's first invocation.
            with suppress(logs.exceptions.ResourceAlreadyExistsException):
                logs.create_log_group(logGroupName=name)
        if retention.get(name) is None:
            logs.put_retention_policy(logGroupName=name, retentionInDays=RETENTION_DAYS)

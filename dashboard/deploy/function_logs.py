"""Configure the functions' logs.

Log groups that Lambda creates never expire, and contain three lines of its own per invocation.
"""

from contextlib import suppress
from typing import Any

from dashboard.deploy.chalice_record import wait_for_function
from dashboard.deploy.chalice_resources import function_name, pages
from dashboard.functions import FUNCTIONS

# Long enough to investigate an incident, and shorter than facts are kept. CloudWatch Logs accepts
# only certain numbers of days.
# https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_PutRetentionPolicy.html
RETENTION_DAYS = 30

# Of Lambda's own lines, only those of failed invocations: the others are most of the log's volume.
# Metrics have the durations. The functions write JSON, which Lambda passes on unchanged.
# https://docs.aws.amazon.com/lambda/latest/dg/monitoring-cloudwatchlogs-log-level.html
LOGGING = {"LogFormat": "JSON", "ApplicationLogLevel": "INFO", "SystemLogLevel": "WARN"}

_PREFIX = "/aws/lambda/"


def set_levels(lambda_client: Any, stage: str) -> None:
    """Set the log format and level of each function that has others.

    Raises:
        CommandError: a function could not be created, or does not settle in time.
    """
    for function in FUNCTIONS:
        name = function_name(stage, function)
        found = wait_for_function(lambda_client, name).get("LoggingConfig", {})
        if not LOGGING.items() <= found.items():
            lambda_client.update_function_configuration(FunctionName=name, LoggingConfig=LOGGING)


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

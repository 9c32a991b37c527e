"""The retention and the levels of the functions' logs."""

from dashboard.deploy import function_logs
from dashboard.functions import FUNCTIONS

NAMES = {f"/aws/lambda/mailpulse-prod-{function}" for function in FUNCTIONS}


class Logs:
    """Fake client; `groups` has the retention of each log group."""

    class exceptions:  # noqa: N801 - as in boto3
        class ResourceAlreadyExistsException(Exception):
            pass

    def __init__(self, groups):
        self.groups = groups

    def get_paginator(self, _operation):
        return self

    def paginate(self, *, logGroupNamePrefix):
        found = [
            {"logGroupName": name, **({"retentionInDays": days} if days else {})}
            for name, days in self.groups.items()
            if name.startswith(logGroupNamePrefix)
        ]
        return [{"logGroups": found}]

    def create_log_group(self, *, logGroupName):
        if logGroupName in self.groups:
            raise self.exceptions.ResourceAlreadyExistsException
        self.groups[logGroupName] = None

    def put_retention_policy(self, *, logGroupName, retentionInDays):
        self.groups[logGroupName] = retentionInDays


def test_the_log_of_each_function_expires_even_before_its_first_invocation():
    logs = Logs({"/aws/lambda/mailpulse-prod-ingest": None})

    function_logs.let_expire(logs, "prod")

    assert logs.groups == dict.fromkeys(NAMES, 30)


def test_a_chosen_retention_and_logs_of_other_stages_are_unchanged():
    chosen = {"/aws/lambda/mailpulse-prod-ingest": 7, "/aws/lambda/mailpulse-test-ingest": None}
    logs = Logs(dict(chosen))

    function_logs.let_expire(logs, "prod")

    assert logs.groups.items() >= chosen.items()


class Lambda:
    """Fake client; `configured` has the logging configuration of each function."""

    def __init__(self, configured):
        self.configured = configured
        self.updates = 0

    def get_function_configuration(self, *, FunctionName):
        found = self.configured.get(FunctionName, {"LogFormat": "Text"})
        return {"State": "Active", "LastUpdateStatus": "Successful", "LoggingConfig": found}

    def update_function_configuration(self, *, FunctionName, LoggingConfig):
        self.updates += 1
        self.configured[FunctionName] = {"LogGroup": "as before", **LoggingConfig}


def test_lambda_logs_only_failed_invocations_of_each_function():
    client = Lambda({})

    function_logs.set_levels(client, "prod")

    assert len(client.configured) == len(FUNCTIONS)
    assert all(one["SystemLogLevel"] == "WARN" for one in client.configured.values())


def test_levels_that_are_set_are_not_set_again():
    client = Lambda({})
    function_logs.set_levels(client, "prod")

    function_logs.set_levels(client, "prod")

    assert client.updates == len(FUNCTIONS)

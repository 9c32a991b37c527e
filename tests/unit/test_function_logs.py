"""The retention of the functions' logs."""

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

"""Adding REPORTS_BATCH_ITEM_FAILURES to ingest's environment changes nothing else."""

import json

import boto3
import pytest
from botocore.exceptions import ClientError
from moto import mock_aws

from chalicelib.errors import CommandError
from dashboard.deploy import chalice_record, event_sources

NAME = "mailpulse-test-ingest"
REPORTS = {"REPORTS_BATCH_ITEM_FAILURES": "true"}


@pytest.fixture
def client(monkeypatch):
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "testing")
    monkeypatch.setattr(chalice_record, "POLL_SECONDS", 0)
    with mock_aws():
        role = boto3.client("iam", "us-east-1").create_role(
            RoleName="role", AssumeRolePolicyDocument=json.dumps({})
        )["Role"]["Arn"]
        client = boto3.client("lambda", "us-east-1")
        client.create_function(
            FunctionName=NAME,
            Runtime="python3.13",
            Role=role,
            Handler="app.ingest",
            Code={"ZipFile": b"zip"},
            Environment={"Variables": {"EVENTS_TABLE": "events"}},
        )
        yield client


class Revisions:
    """moto's Lambda client with revision ids, which moto lacks.

    Attributes:
        found: merged into the next configurations that are read, one after the other.
        refusals: the error codes of the next updates.
        before_update: called once, before the next update.
        updates: the number of updates.
    """

    def __init__(self, client):
        self._client = client
        self.found = []
        self.refusals = []
        self.before_update = lambda: None
        self.updates = 0

    def get_function_configuration(self, **asked):
        configuration = self._client.get_function_configuration(**asked)
        found = self.found.pop(0) if self.found else {}
        return {**configuration, "RevisionId": self._revision(), **found}

    def update_function_configuration(self, *, RevisionId, **changes):
        before, self.before_update = self.before_update, lambda: None
        before()
        if self.refusals:
            raise refusal(self.refusals.pop(0))
        if RevisionId != self._revision():
            raise refusal("PreconditionFailedException")
        self.updates += 1
        self._client.update_function_configuration(**changes)

    def _revision(self):
        return json.dumps(variables(self._client))


def refusal(code):
    return ClientError({"Error": {"Code": code, "Message": ""}}, "UpdateFunctionConfiguration")


def variables(client):
    return client.get_function_configuration(FunctionName=NAME)["Environment"]["Variables"]


def test_the_variable_is_added_to_the_existing_environment(client):
    event_sources.announce_reporting(Revisions(client), NAME)

    assert variables(client) == {"EVENTS_TABLE": "events", **REPORTS}


def test_an_existing_variable_is_not_written_again(client):
    revisions = Revisions(client)

    event_sources.announce_reporting(revisions, NAME)
    event_sources.announce_reporting(revisions, NAME)

    assert revisions.updates == 1


def test_a_change_between_reading_and_writing_is_kept(client):
    revisions = Revisions(client)
    revisions.before_update = lambda: client.update_function_configuration(
        FunctionName=NAME, Environment={"Variables": {"EVENTS_TABLE": "newer"}}
    )

    event_sources.announce_reporting(revisions, NAME)

    assert variables(client) == {"EVENTS_TABLE": "newer", **REPORTS}


def test_a_concurrent_update_in_progress_is_awaited(client):
    revisions = Revisions(client)
    revisions.refusals = ["ResourceConflictException"]

    event_sources.announce_reporting(revisions, NAME)

    assert variables(client) == {"EVENTS_TABLE": "events", **REPORTS}


def test_any_other_error_is_raised(client):
    revisions = Revisions(client)
    revisions.refusals = ["AccessDeniedException"]

    with pytest.raises(ClientError, match="AccessDenied"):
        event_sources.announce_reporting(revisions, NAME)


def test_an_update_in_progress_is_awaited_before_and_after(client):
    revisions = Revisions(client)
    progress = {"LastUpdateStatus": "InProgress"}
    revisions.found = [progress, progress, {}, progress]

    event_sources.announce_reporting(revisions, NAME)

    assert revisions.found == []
    assert revisions.updates == 1


def test_a_failed_update_is_raised_with_its_reason(client):
    revisions = Revisions(client)
    revisions.found = [{"LastUpdateStatus": "Failed", "LastUpdateStatusReason": "no such layer"}]

    with pytest.raises(CommandError, match=f"the update of {NAME} failed: no such layer"):
        event_sources.announce_reporting(revisions, NAME)


def test_a_function_that_failed_to_create_is_an_error_with_its_reason(client):
    revisions = Revisions(client)
    revisions.found = [{"State": "Failed", "StateReason": "the KMS key is disabled"}]

    said = f"{NAME} could not be created: the KMS key is disabled. .*delete-function"
    with pytest.raises(CommandError, match=said):
        event_sources.announce_reporting(revisions, NAME)


def test_an_update_that_never_ends_is_an_error(client, monkeypatch):
    monkeypatch.setattr(chalice_record, "SETTLED_SECONDS", 0)
    revisions = Revisions(client)
    revisions.found = [{"LastUpdateStatus": "InProgress"}] * 9

    with pytest.raises(CommandError, match=f"Lambda is still updating .*{NAME}"):
        event_sources.announce_reporting(revisions, NAME)


def test_an_unreadable_environment_is_never_overwritten(client):
    revisions = Revisions(client)
    revisions.found = [{"Environment": {"Error": {"ErrorCode": "KMSAccessDeniedException"}}}]

    with pytest.raises(CommandError, match=r"could not be read \(KMSAccessDeniedException\)"):
        event_sources.announce_reporting(revisions, NAME)

    assert revisions.updates == 0

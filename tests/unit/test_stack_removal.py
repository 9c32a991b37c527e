"""Remove a stack: reduce its template to the data, and report what could not be deleted."""

import json

import cfnlint.api
import pytest
from botocore.exceptions import ClientError
from cfnlint.decode import cfn_yaml

from chalicelib.errors import CommandError
from dashboard.paths import TEMPLATE
from dashboard.teardown import stack_removal

NAME = "mailpulse-test"
ID = "arn:aws:cloudformation:us-east-1:000000000000:stack/mailpulse-test/1"
BUCKET_LEFT = ("SiteBucket", "DELETE_FAILED", "The bucket is not empty")


class CloudFormation:
    """Fake client with the status of the stack and the events of a change.

    Attributes:
        happens: the events of the next change: resource, status and reason.
        ends: the successive statuses of the stack.
    """

    def __init__(self, status="UPDATE_COMPLETE", *, kept=("EventsTable", "StatsTable")):
        self.status = status
        self.kept = kept
        self.happens = []
        self.ends = ["UPDATE_COMPLETE"]
        self.refusal = None
        self.events = [self._event("EventsTable", "CREATE_FAILED", "an old story")]
        self.asked = []

    @staticmethod
    def _event(name, status, reason):
        return {
            "EventId": f"{name}-{status}-{reason}",
            "LogicalResourceId": name,
            "PhysicalResourceId": f"physical-{name}",
            "ResourceType": "AWS::Some::Type",
            "ResourceStatus": status,
            "ResourceStatusReason": reason,
        }

    def describe_stacks(self, *, StackName):
        if self.asked and self.ends:
            self.status = self.ends.pop(0)
        parameters = [{"ParameterKey": "Stage", "ParameterValue": "test"}]
        return {"Stacks": [{"StackId": ID, "StackStatus": self.status, "Parameters": parameters}]}

    def get_template(self, *, StackName):
        return {"TemplateBody": TEMPLATE.read_text()}

    def update_stack(self, **asked):
        self._change("update", asked)

    def delete_stack(self, **asked):
        self._change("delete", asked)

    def _change(self, kind, asked):
        if self.refusal:
            raise ClientError({"Error": {"Message": self.refusal}}, "UpdateStack")
        self.asked.append((kind, asked))
        self.events = [self._event(*one) for one in reversed(self.happens)] + self.events

    def get_paginator(self, operation):
        self.operation = operation
        return self

    def paginate(self, *, StackName):
        if self.operation == "describe_stack_events":
            return [{"StackEvents": [event]} for event in self.events]
        resources = [
            {
                "LogicalResourceId": name,
                "ResourceType": "AWS::Some::Type",
                "ResourceStatus": status,
                "PhysicalResourceId": f"physical-{name}",
            }
            for name, status in (
                *((name, "CREATE_COMPLETE") for name in (*self.kept, "Queue")),
                ("Topic", "DELETE_COMPLETE"),
            )
        ]
        return [{"StackResourceSummaries": resources}]


def find(cloudformation):
    return stack_removal.find(cloudformation, NAME, poll_seconds=0)


def reduce(cloudformation):
    stack = find(cloudformation)
    stack_removal.reduce_to_data(cloudformation, stack, poll_seconds=0, progress=lambda _: None)


def delete(cloudformation):
    stack = find(cloudformation)
    stack_removal.delete(cloudformation, stack, poll_seconds=0, progress=lambda _: None)


def test_resources_with_data_are_those_that_the_template_retains():
    resources = cfn_yaml.loads(TEMPLATE.read_text())["Resources"]

    retained = {
        name for name, one in resources.items() if one.get("DeletionPolicy", "Delete") != "Delete"
    }

    assert retained == set(stack_removal.DATA)
    assert all(resources[name]["UpdateReplacePolicy"] == "Retain" for name in retained)


def test_the_template_of_the_data_has_the_same_tables():
    template = cfn_yaml.loads(TEMPLATE.read_text())

    part = json.loads(json.dumps(stack_removal.data_template(template)))

    assert part["Resources"] == {
        name: template["Resources"][name] for name in ("EventsTable", "StatsTable")
    }
    errors = [one for one in cfnlint.api.lint(json.dumps(part)) if one.rule.id.startswith("E")]
    assert errors == []
    assert part["Parameters"] == template["Parameters"], "the chosen parameters are kept"


def test_a_stack_is_reduced_to_its_data_with_its_current_parameters():
    cloudformation = CloudFormation()
    cloudformation.ends = ["UPDATE_IN_PROGRESS", "UPDATE_COMPLETE_CLEANUP_IN_PROGRESS"]
    cloudformation.ends += ["UPDATE_COMPLETE"]

    reduce(cloudformation)

    [(kind, asked)] = cloudformation.asked
    assert kind == "update"
    assert asked["Parameters"] == [{"ParameterKey": "Stage", "UsePreviousValue": True}]
    assert cloudformation.ends == [], "it waits until the cleanup is complete"


def test_resources_that_cloudformation_retains_are_listed():
    cloudformation = CloudFormation()
    cloudformation.happens = [("Queue", "DELETE_COMPLETE", ""), BUCKET_LEFT]

    with pytest.raises(
        CommandError,
        match=r"no longer manages them: SiteBucket \(AWS::Some::Type physical-SiteBucket\): "
        r"The bucket is not empty\. Delete them manually; .*the data was kept",
    ):
        reduce(cloudformation)


def test_a_resource_deleted_by_a_later_attempt_is_not_a_failure():
    cloudformation = CloudFormation()
    cloudformation.happens = [BUCKET_LEFT, ("SiteBucket", "DELETE_COMPLETE", "")]

    reduce(cloudformation)


def test_a_rolled_back_update_reports_its_reason():
    cloudformation = CloudFormation()
    cloudformation.happens = [("Queue", "UPDATE_FAILED", "no permission")]
    cloudformation.ends = ["UPDATE_ROLLBACK_COMPLETE"]

    with pytest.raises(CommandError, match=r"UPDATE_ROLLBACK_COMPLETE: Queue .*no permission"):
        reduce(cloudformation)


def test_a_refused_update_reports_its_reason():
    cloudformation = CloudFormation()
    cloudformation.refusal = "termination protection is on"

    with pytest.raises(CommandError, match=r"rejected the stack .*: termination protection is on"):
        delete(cloudformation)


def test_a_failed_deletion_lists_the_remaining_resources():
    cloudformation = CloudFormation()
    cloudformation.happens = [BUCKET_LEFT]
    cloudformation.ends = ["DELETE_IN_PROGRESS", "DELETE_FAILED"]

    with pytest.raises(CommandError, match=r"DELETE_FAILED: SiteBucket .*run this command again"):
        delete(cloudformation)


def test_an_operation_that_an_interrupted_run_started_is_awaited():
    cloudformation = CloudFormation("UPDATE_IN_PROGRESS")
    cloudformation.asked.append(("update", {}))
    cloudformation.ends = ["UPDATE_IN_PROGRESS", "UPDATE_IN_PROGRESS", "UPDATE_COMPLETE"]

    stack = find(cloudformation)

    assert stack.status == "UPDATE_COMPLETE"
    assert cloudformation.ends == []


def test_a_deleted_stack_does_not_exist():
    stack = find(CloudFormation())

    assert stack.beside_data == ["Queue"]
    assert stack.can_be_kept


@pytest.mark.parametrize("status", ["ROLLBACK_COMPLETE", "REVIEW_IN_PROGRESS", "DELETE_FAILED"])
def test_a_stack_that_cannot_be_updated_can_only_be_deleted(status):
    assert not find(CloudFormation(status)).can_be_kept


def test_a_stack_without_its_tables_can_only_be_deleted():
    assert not find(CloudFormation(kept=["EventsTable"])).can_be_kept

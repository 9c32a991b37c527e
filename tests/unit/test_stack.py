"""Create and update a stack, and report why that failed."""

from types import SimpleNamespace

import pytest
from botocore.exceptions import ClientError

from chalicelib.errors import CommandError
from dashboard.deploy import stack
from dashboard.paths import TEMPLATE


def refusal(message):
    return ClientError({"Error": {"Code": "ValidationError", "Message": message}}, "Stack")


_NO_REASON = {"ResourceStatusReason": ""}


class CloudFormation:
    """Fake client with the existence of the stack, the response to a change, and its outcome."""

    def __init__(self, *, exists=False, answer=None, fails=False):
        self.exists = exists
        self.answer = answer
        self.end = "ROLLBACK_COMPLETE" if fails else "CREATE_COMPLETE"
        self.was = "CREATE_COMPLETE"
        self.looked = 0
        self.calls = []
        self.silent = False

    def describe_stacks(self, **_asked):
        if not self.exists:
            raise refusal("Stack with id mailpulse-test does not exist")
        status = self.was
        if self.was == "UPDATE_IN_PROGRESS" and not self.calls:
            self.looked += 1
            status = self.was if self.looked < 3 else "UPDATE_COMPLETE"
        elif self.calls and self.calls[-1][0] in {"create", "update"}:
            self.looked += 1
            status = "CREATE_IN_PROGRESS" if self.looked < 3 else self.end
        outputs = [{"OutputKey": "TopicArn", "OutputValue": "arn"}]
        parameters = [{"ParameterKey": key} for key in ("Stage", "AlarmEmail", "OfAnotherVersion")]
        return {"Stacks": [{"Outputs": outputs, "Parameters": parameters, "StackStatus": status}]}

    def validate_template(self, **_asked):
        return {"Parameters": [{"ParameterKey": key} for key in ("Stage", "AlarmEmail", "New")]}

    def delete_stack(self, **_asked):
        self.calls.append(("delete", {}))
        self.exists = False

    def create_stack(self, **asked):
        self.change("create", asked)

    def update_stack(self, **asked):
        self.change("update", asked)

    def change(self, kind, asked):
        self.calls.append((kind, asked))
        if self.answer:
            raise refusal(self.answer)
        self.exists = True

    def describe_events(self, **_asked):
        reason = "Resource of type AWS::SQS::Queue with the name q already exists"
        failed = {"LogicalResourceId": "Queue", "ValidationStatusReason": reason}
        return {"OperationEvents": [{"EventType": "STACK_EVENT"}, failed]}

    def get_paginator(self, operation):
        assert operation == "describe_stack_events"
        return self

    def paginate(self, **_asked):
        failed = {"ResourceStatus": "CREATE_FAILED", "ResourceStatusReason": "no such stream"}
        if self.silent:
            yield {"StackEvents": [{**failed, "LogicalResourceId": "Queue"} | _NO_REASON]}
            return
        yield {
            "StackEvents": [
                {"LogicalResourceId": "mailpulse-test", "ResourceStatus": "ROLLBACK_IN_PROGRESS"},
                {"LogicalResourceId": "Queue", **failed, "ResourceStatusReason": "cancelled"},
            ]
        }
        yield {
            "StackEvents": [
                {"LogicalResourceId": "StatsTable", **failed},
                {"LogicalResourceId": "mailpulse-test", "ResourceStatus": "CREATE_IN_PROGRESS"},
                {"LogicalResourceId": "mailpulse-test", "ResourceStatus": "DELETE_COMPLETE"},
                {"LogicalResourceId": "Bucket", **failed, "ResourceStatusReason": "last year"},
            ]
        }


def make(cloudformation):
    parameters = {"Stage": "test"}
    return stack.create_or_update(
        cloudformation, "mailpulse-test", TEMPLATE, parameters, poll_seconds=0
    )


def test_a_missing_stack_is_created_with_its_parameters():
    cloudformation = CloudFormation()

    assert make(cloudformation) == {"TopicArn": "arn"}

    [(kind, asked)] = cloudformation.calls
    assert kind == "create"
    assert asked["Parameters"] == [{"ParameterKey": "Stage", "ParameterValue": "test"}]


def test_an_existing_stack_is_updated():
    cloudformation = CloudFormation(exists=True)

    make(cloudformation)

    assert [call[0] for call in cloudformation.calls] == ["update"]


def test_an_operation_that_an_interrupted_run_started_is_awaited():
    cloudformation = CloudFormation(exists=True)
    cloudformation.was = "UPDATE_IN_PROGRESS"

    make(cloudformation)

    assert cloudformation.looked >= 3
    assert [call[0] for call in cloudformation.calls] == ["update"]


@pytest.mark.parametrize(
    "status",
    [
        "CREATE_FAILED",
        "REVIEW_IN_PROGRESS",
        "ROLLBACK_COMPLETE",
        "ROLLBACK_FAILED",
    ],
)
def test_a_stack_whose_creation_failed_is_recreated(status):
    cloudformation = CloudFormation(exists=True)
    cloudformation.was = status

    make(cloudformation)

    assert [call[0] for call in cloudformation.calls] == ["delete", "create"]


@pytest.mark.parametrize(
    ("status", "remedy"),
    [
        ("DELETE_FAILED", "complete it with `destroy`"),
        ("UPDATE_ROLLBACK_FAILED", "continue-update-rollback --stack-name mailpulse-test"),
    ],
)
def test_a_stack_with_data_that_cannot_be_updated_is_not_deleted(status, remedy):
    cloudformation = CloudFormation(exists=True)
    cloudformation.was = status

    with pytest.raises(CommandError, match=f"is {status}: .*{remedy}.*StatsTable: no such stream"):
        make(cloudformation)

    assert cloudformation.calls == []


def test_a_plan_for_a_stack_whose_creation_failed_deletes_nothing(tmp_path):
    cloudformation = CloudFormation(exists=True)
    cloudformation.was = "ROLLBACK_COMPLETE"

    with pytest.raises(
        CommandError, match="without --plan, `deploy` deletes it and creates it again"
    ):
        stack.plan(cloudformation, "mailpulse-test", tmp_path / "stack.yaml", {})

    assert cloudformation.calls == []


def test_a_plan_reports_why_its_change_set_failed():
    class Planning(CloudFormation):
        exceptions = SimpleNamespace(ChangeSetNotFoundException=KeyError)

        def create_change_set(self, **_asked):
            pass

        def describe_change_set(self, **_asked):
            return {"Status": "FAILED", "StatusReason": "Validation failed"}

        def delete_change_set(self, **_asked):
            pass

    with pytest.raises(CommandError, match="Validation failed; Queue: Resource of type"):
        stack.plan(Planning(exists=True), "mailpulse-test", TEMPLATE, {"Stage": "test"})


def test_unspecified_parameters_that_the_template_knows_are_kept():
    cloudformation = CloudFormation(exists=True)

    stack.create_or_update(
        cloudformation,
        "mailpulse-test",
        TEMPLATE,
        {"Stage": "test"},
        poll_seconds=0,
        keeps_others=True,
    )

    [(_, asked)] = cloudformation.calls
    assert asked["Parameters"] == [
        {"ParameterKey": "Stage", "ParameterValue": "test"},
        {"ParameterKey": "AlarmEmail", "UsePreviousValue": True},
    ]


def test_a_stack_without_changes_is_not_updated():
    cloudformation = CloudFormation(exists=True, answer="No updates are to be performed.")

    assert make(cloudformation) == {"TopicArn": "arn"}
    assert [call[0] for call in cloudformation.calls] == ["update"]


def test_a_refused_template_reports_its_reason():
    with pytest.raises(CommandError, match="rejected the stack mailpulse-test: no such type"):
        make(CloudFormation(answer="no such type"))


def test_a_failed_stack_names_the_first_resource_that_failed_this_time():
    with pytest.raises(CommandError, match=r"mailpulse\.yaml: StatsTable: no such stream"):
        make(CloudFormation(fails=True))


def test_a_failed_validation_reports_its_reason_before_the_deployment():
    cloudformation = CloudFormation(fails=True)
    cloudformation.silent = True

    with pytest.raises(CommandError, match="Queue: Resource of type AWS::SQS::Queue with the name"):
        make(cloudformation)

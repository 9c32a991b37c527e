"""AWS rules that the emulator does not enforce, and AWS's delays.

Each rule cites its source and uses the emulator's own state where possible. strict_proxy.py applies
the rules to an operator's commands; the functions call the emulator directly.
"""

import json
import re
import time
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cache
from typing import Any
from urllib.parse import unquote

import yaml
from support.template import Tagged

# https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/cloudformation-limits.html
MOST_TEMPLATE_BYTES = 51_200
# https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html
MOST_ENVIRONMENT_BYTES = 4096

# Names that are unique in an account across regions: CloudFront, IAM and CloudWatch dashboards are
# global.
# https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-cloudwatch-dashboard.html
GLOBAL_NAMES = {
    "AWS::CloudFront::OriginAccessControl": ("OriginAccessControlConfig", "Name"),
    "AWS::CloudFront::ResponseHeadersPolicy": ("ResponseHeadersPolicyConfig", "Name"),
    "AWS::CloudWatch::Dashboard": ("DashboardName",),
    "AWS::IAM::Role": ("RoleName",),
}


@dataclass(frozen=True)
class Call:
    """A request to AWS.

    Attributes:
        parameters: the parameters in its body, query and path.
    """

    service: str
    region: str
    operation: str
    parameters: Mapping[str, Any]

    def __str__(self) -> str:
        return f"{self.service}:{self.operation}"

    @property
    def changes_something(self) -> bool:
        """Return whether the call may change the account; true unless it is known to be read-only."""
        return not self.operation.lower().startswith(
            ("batchget", "describe", "get", "head", "list")
        )


class Refusal(Exception):
    """An AWS error response."""

    def __init__(self, status: int, code: str, message: str) -> None:
        super().__init__(f"{code}: {message}")
        self.status = status
        self.code = code
        self.message = message

    def body(self, protocol: str) -> bytes:
        """Return the body in the service's format."""
        if protocol in {"query", "rest-xml"}:
            return (
                f"<ErrorResponse><Error><Type>Sender</Type><Code>{self.code}</Code>"
                f"<Message>{self.message}</Message></Error></ErrorResponse>"
            ).encode()
        return json.dumps({"__type": self.code, "Message": self.message}).encode()


@dataclass
class Settling:
    """An event source mapping that is still changing, or is being deleted."""

    description: dict[str, Any]
    state: str
    until: float


@dataclass
class Rules:
    """The rules and the settings of a simulated AWS.

    Attributes:
        settles_after: seconds for which a change of a function, an event source mapping or a stack
            stays in progress.
        failed_update: the reason why updates of functions fail; None if they succeed.
        failed_change_set: the reason why change sets fail; None if they succeed.
        grants_late: whether a role takes effect only at the second attempt to use it.
        lists_late: whether a list omits resources created since the last one.
        lost: moments at which Lambda would have deleted events that ingest could not store, or at
            which a function had no role.
        throttles_each: one of this many calls is throttled at its first attempt; 0 for none.
    """

    settles_after: float = 0.05
    failed_update: str | None = None
    failed_change_set: str | None = None
    grants_late: bool = False
    lists_late: bool = False
    throttles_each: int = 0
    refused: Counter[str] = field(default_factory=Counter)
    lost: list[str] = field(default_factory=list)
    _functions: dict[str, tuple[str, float]] = field(default_factory=dict)
    _mappings: dict[str, Settling] = field(default_factory=dict)
    _roles_seen: Counter[str] = field(default_factory=Counter)
    _global_names: dict[tuple[str, str], str] = field(default_factory=dict)
    _stacks: dict[str, tuple[str, float]] = field(default_factory=dict)
    _unlisted: set[str] = field(default_factory=set)
    _calls: int = 0

    def before(self, call: Call, aws: Callable[[str], Any]) -> None:
        """Raise the error with which AWS would refuse a call.

        Raises:
            Refusal: with the reason.
        """
        self._calls += 1
        try:
            if self.throttles_each and self._calls % self.throttles_each == 0:
                raise _throttled(call.service)
            rule = getattr(self, f"_before_{call.operation}", None)
            if rule is not None:
                rule(call.parameters, aws, call.region)
        except Refusal as refusal:
            self.refused[f"{call}: {refusal.code}"] += 1
            raise

    def after(self, call: Call, answer: dict[str, Any]) -> dict[str, Any]:
        """Change the emulator's response into AWS's."""
        rule = getattr(self, f"_after_{call.operation}", None)
        return answer if rule is None else rule(call.parameters, answer)

    # Functions. While one is being created or changed, other changes are refused.
    # https://docs.aws.amazon.com/lambda/latest/dg/functions-states.html

    def _before_CreateFunction(self, wanted: Mapping[str, Any], _aws: Any, _region: str) -> None:
        _check_environment(wanted)
        self._check_role(wanted)

    def _check_role(self, wanted: Mapping[str, Any]) -> None:
        # IAM is eventually consistent.
        # https://docs.aws.amazon.com/IAM/latest/UserGuide/troubleshoot.html#troubleshoot_general_eventual-consistency
        self._roles_seen[wanted["Role"]] += 1
        if self.grants_late and self._roles_seen[wanted["Role"]] == 1:
            raise Refusal(
                400,
                "InvalidParameterValueException",
                "The role defined for the function cannot be assumed by Lambda.",
            )

    def _after_CreateFunction(self, wanted: Mapping[str, Any], answer: Any) -> Any:
        self._unlisted.add(answer["FunctionArn"])
        return self._changing(wanted["FunctionName"], "Pending", answer)

    def _before_UpdateFunctionCode(self, wanted: Mapping[str, Any], _aws: Any, _: str) -> None:
        name = _function_name(wanted["FunctionName"])
        state, until = self._functions.get(name, ("", 0.0))
        if time.monotonic() < until:
            raise Refusal(
                409,
                "ResourceConflictException",
                "The operation cannot be performed at this time. "
                + (
                    "The function is currently in the following state: Pending"
                    if state == "Pending"
                    else f"An update is in progress for resource: {name}"
                ),
            )

    def _before_UpdateFunctionConfiguration(
        self, wanted: Mapping[str, Any], aws: Any, region: str
    ) -> None:
        _check_environment(wanted)
        self._before_UpdateFunctionCode(wanted, aws, region)
        if "Role" in wanted:
            self._check_role(wanted)

    def _after_UpdateFunctionCode(self, wanted: Mapping[str, Any], answer: Any) -> Any:
        return self._changing(wanted["FunctionName"], "InProgress", answer)

    _after_UpdateFunctionConfiguration = _after_UpdateFunctionCode

    def _after_GetFunctionConfiguration(self, wanted: Mapping[str, Any], answer: Any) -> Any:
        return self._shown(wanted["FunctionName"], answer)

    def _after_GetFunction(self, wanted: Mapping[str, Any], answer: Any) -> Any:
        return {
            **answer,
            "Configuration": self._shown(wanted["FunctionName"], answer["Configuration"]),
        }

    def _after_ListFunctions(self, _: Mapping[str, Any], answer: Any) -> Any:
        return {**answer, "Functions": self._listed(answer["Functions"], "FunctionArn")}

    def _listed(self, found: list[Any], id_: str) -> list[Any]:
        """Return the contents of a list; without resources just created, if lists are late."""
        if not self.lists_late:
            return found
        late = self._unlisted & {one[id_] for one in found}
        self._unlisted -= late
        return [one for one in found if one[id_] not in late]

    def _changing(self, name: str, state: str, answer: Any) -> Any:
        self._functions[_function_name(name)] = state, time.monotonic() + self.settles_after
        return self._shown(name, answer)

    def _shown(self, name: str, configuration: Any) -> Any:
        state, until = self._functions.get(_function_name(name), ("", 0.0))
        if state == "InProgress" and self.failed_update is not None:
            reason = {"LastUpdateStatusReason": self.failed_update}
            return {**configuration, "LastUpdateStatus": "Failed", **reason}
        if time.monotonic() >= until:
            return configuration
        if state == "Pending":
            return {**configuration, "State": "Pending", "LastUpdateStatus": "InProgress"}
        return {**configuration, "LastUpdateStatus": "InProgress"}

    def look_for_losses(self, call: Call, aws: Callable[[str], Any]) -> None:
        """Record when ingest would report failures to a mapping that treats them as success.

        https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-errorhandling.html

        Record also when a function's role is deleted, which IAM does not refuse.
        https://docs.aws.amazon.com/IAM/latest/APIReference/API_DeleteRole.html
        """
        if call.operation == "DeleteRole":
            self.lost += [
                f"{one['FunctionName']} after the deletion of its role"
                for one in aws("lambda").list_functions()["Functions"]
                if one["Role"].rpartition("/")[2] == call.parameters["RoleName"]
            ]
        if call.service != "lambda" or not call.changes_something:
            return
        for function in aws("lambda").list_functions()["Functions"]:
            variables = function.get("Environment", {}).get("Variables", {})
            if variables.get("REPORTS_BATCH_ITEM_FAILURES") != "true":
                continue
            name = function["FunctionName"]
            found = aws("lambda").list_event_source_mappings(FunctionName=name)
            for mapping in found["EventSourceMappings"]:
                if not mapping.get("FunctionResponseTypes"):
                    self.lost.append(f"{name} after {call}")

    # Event source mappings. A duplicate is refused, and so are changes while one is in progress:
    # https://github.com/aws/chalice/issues/1075
    # https://docs.aws.amazon.com/lambda/latest/api/API_CreateEventSourceMapping.html

    def _before_CreateEventSourceMapping(
        self, wanted: Mapping[str, Any], aws: Callable[[str], Any], _region: str
    ) -> None:
        name, source = _function_name(wanted["FunctionName"]), wanted["EventSourceArn"]
        there = aws("lambda").list_event_source_mappings(FunctionName=name)["EventSourceMappings"]
        there += [one.description for one in self._deleting()]
        for one in there:
            same = _function_name(one["FunctionArn"]) == name and one["EventSourceArn"] == source
            if same:
                raise Refusal(
                    409,
                    "ResourceConflictException",
                    f'An event source mapping with event source ("{source}") and function '
                    f'("{name}") already exists. Please update or delete the existing mapping with '
                    f"UUID {one['UUID']}",
                )
        if ":sqs:" in source:
            self._check_queue(wanted, aws, source)
            return
        # A role that Lambda can already assume may still lack access to the stream.
        # https://github.com/hashicorp/terraform-provider-aws/blob/main/internal/service/lambda/event_source_mapping.go
        self._roles_seen[f"{name} {source}"] += 1
        if self.grants_late and self._roles_seen[f"{name} {source}"] == 1:
            raise Refusal(
                400,
                "InvalidParameterValueException",
                f"Cannot access stream {source}. Please ensure the role can perform the GetRecords, "
                "GetShardIterator, DescribeStream, and ListStreams Actions on your stream in IAM.",
            )

    @staticmethod
    def _check_queue(wanted: Mapping[str, Any], aws: Callable[[str], Any], source: str) -> None:
        # https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-configure.html
        if wanted.get("BatchSize", 10) > 10 and not wanted.get("MaximumBatchingWindowInSeconds"):
            raise Refusal(
                400,
                "InvalidParameterValueException",
                "Maximum batch window in seconds must be greater than 0 if maximum batch size is "
                "greater than 10",
            )
        sqs = aws("sqs")
        url = sqs.get_queue_url(QueueName=source.rpartition(":")[2])["QueueUrl"]
        visible = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["VisibilityTimeout"])
        function = aws("lambda").get_function_configuration(FunctionName=wanted["FunctionName"])
        seconds = int(visible["Attributes"]["VisibilityTimeout"])
        if seconds < function["Timeout"]:
            raise Refusal(
                400,
                "InvalidParameterValueException",
                f"Queue visibility timeout: {seconds} seconds is less than Function timeout: "
                f"{function['Timeout']} seconds",
            )

    def _after_CreateEventSourceMapping(self, _: Mapping[str, Any], answer: Any) -> Any:
        self._unlisted.add(answer["UUID"])
        return self._busy(answer, "Creating")

    def _before_UpdateEventSourceMapping(
        self, wanted: Mapping[str, Any], _aws: Any, _: str
    ) -> None:
        one = self._mappings.get(wanted["UUID"])
        if one and time.monotonic() < one.until:
            raise Refusal(
                400,
                "ResourceInUseException",
                f"Cannot update the event source mapping because it is in use: the event source "
                f"mapping {wanted['UUID']} is in use",
            )

    _before_DeleteEventSourceMapping = _before_UpdateEventSourceMapping

    def _after_UpdateEventSourceMapping(self, _: Mapping[str, Any], answer: Any) -> Any:
        return self._busy(answer, "Updating")

    def _after_DeleteEventSourceMapping(self, _: Mapping[str, Any], answer: Any) -> Any:
        return self._busy(answer, "Deleting")

    def _after_GetEventSourceMapping(self, wanted: Mapping[str, Any], answer: Any) -> Any:
        one = self._mappings.get(wanted["UUID"])
        if one is None or time.monotonic() >= one.until:
            return answer
        return {**(one.description if one.state == "Deleting" else answer), "State": one.state}

    def _after_ListEventSourceMappings(self, wanted: Mapping[str, Any], answer: Any) -> Any:
        found = [
            self._after_GetEventSourceMapping({"UUID": one["UUID"]}, one)
            for one in answer["EventSourceMappings"]
        ]
        name = wanted.get("FunctionName")
        there = {one["UUID"] for one in found}
        found += [
            {**one.description, "State": "Deleting"}
            for one in self._deleting()
            if one.description["UUID"] not in there
            and name
            in {
                None,
                one.description["FunctionArn"],
                _function_name(one.description["FunctionArn"]),
            }
        ]
        return {**answer, "EventSourceMappings": self._listed(found, "UUID")}

    def _deleting(self) -> list[Settling]:
        now = time.monotonic()
        return [
            one for one in self._mappings.values() if one.state == "Deleting" and now < one.until
        ]

    def _busy(self, answer: Any, state: str) -> Any:
        self._mappings[answer["UUID"]] = Settling(
            answer, state, time.monotonic() + self.settles_after
        )
        return {**answer, "State": state}

    # Stacks.

    def _before_CreateStack(self, wanted: Mapping[str, Any], aws: Any, region: str) -> None:
        body = wanted.get("TemplateBody", "")
        if len(body.encode()) > MOST_TEMPLATE_BYTES:
            raise Refusal(
                400,
                "ValidationError",
                f"1 validation error detected: Value at 'templateBody' failed to satisfy constraint: "
                f"Member must have length less than or equal to {MOST_TEMPLATE_BYTES}",
            )
        # https://docs.aws.amazon.com/AWSCloudFormation/latest/APIReference/API_CreateStack.html
        if "AWS::IAM::Role" in body and "CAPABILITY_IAM" not in wanted.values():
            raise Refusal(
                400, "InsufficientCapabilitiesException", "Requires capabilities : [CAPABILITY_IAM]"
            )
        self._check_names(wanted, body, region)

    def _before_UpdateStack(self, wanted: Mapping[str, Any], aws: Any, region: str) -> None:
        name = _stack_name(wanted["StackName"])
        status, until = self._stacks.get(name, ("", 0.0))
        if time.monotonic() < until:
            raise Refusal(
                400, "ValidationError", f"Stack:{name} is in {status} state and can not be updated."
            )
        self._before_CreateStack(wanted, aws, region)

    _before_CreateChangeSet = _before_UpdateStack

    def _check_names(self, wanted: Mapping[str, Any], body: str, region: str) -> None:
        stack = _stack_name(wanted["StackName"])
        stage = stack.removeprefix("mailpulse-")
        # https://docs.aws.amazon.com/cognito/latest/developerguide/cognito-user-pools-assign-domain-prefix.html
        reserved = [word for word in ("aws", "amazon", "cognito") if word in stage]
        if reserved and "AWS::Cognito::UserPoolDomain" in body:
            raise Refusal(
                400,
                "InvalidParameterException",
                f"Domain cannot contain reserved word: {reserved[0]}",
            )
        values = {"AWS::StackName": stack, "AWS::Region": region, "Stage": stage}
        for kind, name in _names(body, values):
            owner = self._global_names.setdefault((kind, name), f"{region} {stack}")
            if owner != f"{region} {stack}":
                raise Refusal(
                    400, "AlreadyExistsException", f"{kind} {name} already exists: it is of {owner}"
                )

    # Responses of the query API, which are not JSON, are changed as text.

    def stack_changed(self, call: Call) -> None:
        """Mark the stack that a call has changed as in progress for a while."""
        status = {"CreateStack": "CREATE_IN_PROGRESS", "UpdateStack": "UPDATE_IN_PROGRESS"}
        if call.operation in status:
            self._stacks[_stack_name(call.parameters["StackName"])] = (
                status[call.operation],
                time.monotonic() + self.settles_after,
            )

    def stacks(self, text: bytes) -> bytes:
        """Replace the status of stacks whose change is in progress."""
        for name, (status, until) in self._stacks.items():
            if time.monotonic() < until:
                ours = rb"(<StackName>" + name.encode() + rb"</StackName>.*?<StackStatus>)\w+"
                text = re.sub(ours, rb"\g<1>" + status.encode(), text, flags=re.DOTALL)
        return text

    def change_set(self, text: bytes) -> bytes:
        """Replace the status of a change set if change sets fail."""
        if self.failed_change_set is None:
            return text
        failed = (
            b"<Status>FAILED</Status><StatusReason>"
            + self.failed_change_set.encode()
            + b"</StatusReason>"
        )
        return re.sub(rb"<Status>\w+</Status>(<StatusReason>[^<]*</StatusReason>)?", failed, text)


def _check_environment(wanted: Mapping[str, Any]) -> None:
    variables = wanted.get("Environment", {}).get("Variables", {})
    if sum(len(name) + len(value) for name, value in variables.items()) > MOST_ENVIRONMENT_BYTES:
        raise Refusal(
            400,
            "InvalidParameterValueException",
            "Lambda was unable to configure your environment variables because the environment "
            "variables you have provided exceeded the 4KB limit.",
        )


def _throttled(service: str) -> Refusal:
    """Raise the throttling error of the service; botocore retries each of these."""
    if service in {"lambda", "apigatewayv2"}:
        return Refusal(429, "TooManyRequestsException", "Rate exceeded")
    if service == "s3":
        return Refusal(503, "SlowDown", "Please reduce your request rate.")
    code = "Throttling" if service in {"cloudformation", "iam", "sts"} else "ThrottlingException"
    return Refusal(400, code, "Rate exceeded")


def _stack_name(name_or_id: str) -> str:
    return name_or_id.split("/")[1] if name_or_id.startswith("arn:") else name_or_id


def _function_name(name_or_arn: str) -> str:
    return unquote(name_or_arn).rpartition(":")[2]


@cache
def _resources(body: str) -> dict[str, Any]:
    return yaml.load(body, Tagged).get("Resources", {})


def _names(body: str, values: Mapping[str, str]) -> list[tuple[str, str]]:
    found = []
    for resource in _resources(body).values():
        path = GLOBAL_NAMES.get(resource["Type"])
        value: Any = resource.get("Properties", {})
        for step in path or ():
            value = value.get(step) if isinstance(value, dict) else None
        if path and isinstance(value, str):
            name = re.sub(r"\$\{([\w:]+)\}", lambda found: values.get(found[1], found[0]), value)
            found.append((resource["Type"], name))
    return found

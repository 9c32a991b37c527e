"""An AWS account for one test: an emulator behind the strict proxy, and commands run against it.

The commands run from a copy of the project without packages for the functions, which import them
from the emulator's environment. A deployment then takes seconds of calls instead of uploads.
"""

import copy
import json
import os
import random
import shutil
import subprocess
import tempfile
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from unittest import mock

from support import commands
from support.commands import Command, Commands
from support.operator import HERE, LOCAL_CONNECTIONS, credentials
from support.strict import Call, Rules
from support.strict_proxy import StrictProxy, client

from chalicelib.errors import CommandError
from dashboard.deploy.chalice_resources import function_name
from dashboard.local.emulator import process
from dashboard.local.emulator.process import EmulatorProcess, listen
from dashboard.paths import PROJECT, StateDir
from dashboard.sqs.topic import Topic

REGION = "us-east-1"

At = tuple[int, bool]
"""When a command is killed: the index of a call that changes something; whether it was made."""

Watch = Callable[[int, bool], None]

_ENVIRONMENT = {
    "AWS_DATA_PATH": str(PROJECT / "dashboard" / "local" / "emulator" / "local_models"),
    "PYTHONPATH": str(Path(__file__).with_name("shortened")),
    "SLEEP_FACTOR": "0.02",
}
_DONE_SECONDS = 120

_FORKED = SimpleNamespace(
    PIPE=subprocess.PIPE,
    Popen=lambda *command, **options: commands.of_project().start_child(*command, **options),
)

# Attributes of functions and event source mappings that differ between runs or change on their own.
_CHANGING = (
    *("UUID", "EventSourceMappingArn", "RevisionId", "LastModified", "LastProcessingResult"),
    *("State", "StateTransitionReason", "LastUpdateStatus"),
)


@dataclass(frozen=True)
class Done:
    """Result of a command: its exit status, None if it was killed, and its output."""

    status: int | None
    stdout: str
    stderr: str


@dataclass(frozen=True)
class _Kept:
    """What a deployment has left: copies of folders, and what the proxy knows of it."""

    folder: Path
    rules: Rules
    calls: list[Call]


class Account:
    """An account and an operator who deploys to it.

    Attributes:
        proxy: the proxy that receives the calls of the operator's commands.
        project: the operator's copy of the project.
    """

    def __init__(self, proxy: StrictProxy, folder: Path) -> None:
        self.proxy = proxy
        self.project = folder / "project"
        _copy_project(self.project)
        self._commands = Commands(self.project, _ENVIRONMENT)
        self._state = StateDir(folder / "state")
        self._builds = self.project / ".mailpulse"
        self._deployed: dict[str, _Kept] = {}
        self._emulator: EmulatorProcess | None = None

    @property
    def emulator(self) -> EmulatorProcess:
        """The emulator, which is started when it is first needed."""
        if self._emulator is None:
            put_back = self._state.root.exists()
            self._state.root.mkdir(exist_ok=True)
            counting = function_name("none", "aggregate")
            with mock.patch.object(process, "subprocess", _FORKED):
                listener = listen(self._port)
                self._emulator = EmulatorProcess(self._state, listener, [], counting)
            self._emulator.wait_until_ready()
            self.proxy.endpoint_url = self._emulator.endpoint_url
            if put_back:
                self._enable_mappings()
        return self._emulator

    def aws(self, service: str, region: str = REGION) -> Any:
        """Make a client of the emulator itself."""
        return client(service, region, self.emulator.endpoint_url)

    def reset(self) -> None:
        """Empty the account, and remove the operator's local records of it."""
        self.end()
        self.proxy.reset()
        shutil.rmtree(self._builds, ignore_errors=True)

    def reset_to_deployed(self, stage: str) -> None:
        """Empty the account but for a stage, which is deployed once and put back each time."""
        self.reset()
        if stage in self._deployed:
            kept = self._deployed[stage]
            shutil.copytree(kept.folder / "state", self._state.root)
            shutil.copytree(kept.folder / "builds", self._builds)
        else:
            done = self.deploy(stage)
            assert done.status == 0, done.stderr
            kept = _Kept(self.project.parent / "kept" / stage, self.proxy.rules, self.proxy.calls)
            self.emulator.stop(lambda _progress: None, threading.Event())
            self._emulator = None
            shutil.copytree(self._state.root, kept.folder / "state")
            shutil.copytree(self._builds, kept.folder / "builds")
            self._deployed[stage] = kept
        self.proxy.rules, self.proxy.calls = copy.deepcopy(kept.rules), list(kept.calls)

    def end(self) -> None:
        """End the emulator; nothing is saved."""
        if self._emulator is not None:
            self._emulator.kill()
            self._emulator = None
        shutil.rmtree(self._state.root, ignore_errors=True)

    def close(self) -> None:
        """Stop the process that starts the operator's commands."""
        self._commands.close()

    def run(self, *arguments: str, kill_at: At | None = None, at_each: Watch | None = None) -> Done:
        """Run a command as the operator and return its result.

        Args:
            arguments: for example `deploy`, `--stage`, `prod`.
            kill_at: the moment at which the command and its child processes are killed.
            at_each: called at each moment at which the command could be killed.
        """
        assert self.emulator.is_running
        environment = {**commands.without_aws(), **_ENVIRONMENT, **credentials(self.proxy.url)}
        process = self._commands.start(*arguments, environment=environment)
        killed = self._watch(process, kill_at, at_each)
        try:
            stdout, stderr = process.communicate(_DONE_SECONDS)
        finally:
            self.proxy.on_call = lambda _number, _done: None
        return Done(None if killed else process.wait(), stdout, stderr)

    def deploy(
        self,
        stage: str,
        *arguments: str,
        region: str = REGION,
        kill_at: At | None = None,
        at_each: Watch | None = None,
    ) -> Done:
        """Deploy a stage whose functions can run on this host."""
        return self.run(
            *("deploy", "--stage", stage, "--region", region, *HERE, "--json"),
            *("--set", LOCAL_CONNECTIONS, *arguments),
            kill_at=kill_at,
            at_each=at_each,
        )

    def files(self) -> int:
        """Return a digest of the files on the operator's machine: their names, sizes and times."""
        return hash(tuple(sorted(_files_below(str(self.project)))))

    def outputs(self, stage: str, region: str = REGION) -> dict[str, str]:
        """Return the outputs of the stage's stack; empty if there is no stack."""
        found = self.aws("cloudformation", region).describe_stacks()["Stacks"]
        return {
            output["OutputKey"]: output["OutputValue"]
            for one in found
            if one["StackName"] == f"mailpulse-{stage}"
            for output in one.get("Outputs", [])
        }

    def publish(self, stage: str, *events: dict[str, Any]) -> bool:
        """Publish SES events to the stage's topic; return False if there is no topic yet."""
        topic = self.outputs(stage).get("TopicArn")
        if topic:
            Topic(self.aws("sns"), topic).publish_batch(list(map(json.dumps, events)))
        return topic is not None

    def count(self, stage: str, campaign: str, counter: str) -> int:
        """Return a counter of a campaign's summary."""
        key = {"campaign": {"S": campaign}, "part": {"S": "summary"}}
        table = self.outputs(stage)["StatsTable"]
        item = self.aws("dynamodb").get_item(TableName=table, Key=key, ConsistentRead=True)
        return int(item.get("Item", {}).get(counter, {"N": "0"})["N"])

    def state(self, stage: str) -> dict[str, Any]:
        """Return a description of the account, without anything that differs between runs."""
        return _Described(self, stage).everything()

    @cached_property
    def _port(self) -> int:
        """The port of each emulator of the account, so that clients are made once.

        It is not one that the system assigns, and stays free between two emulators.
        """
        for port in random.sample(range(20_000, 30_000), 100):
            with suppress(CommandError), listen(port):
                return port
        raise AssertionError("no free port")

    def _enable_mappings(self) -> None:
        """Enable the mappings of queues, which an emulator disables before it saves."""
        functions = self.aws("lambda")
        for mapping in functions.list_event_source_mappings()["EventSourceMappings"]:
            functions.update_event_source_mapping(UUID=mapping["UUID"], Enabled=True)

    def _watch(self, process: Command, kill_at: At | None, at_each: Watch | None) -> list[At]:
        """Kill the process at a moment; return a list that is filled when that has happened."""
        killed: list[At] = []
        numbers: dict[int, int] = {}

        def on_call(number: int, done: bool) -> None:
            if self.proxy.calls[number].changes_something:
                at = (numbers.setdefault(number, len(numbers)), done)
                if at_each is not None:
                    at_each(*at)
                if at == kill_at:
                    killed.append(at)
                    process.kill()
            if killed:
                raise ConnectionAbortedError("the command was killed")

        self.proxy.on_call = on_call
        return killed


@contextmanager
def account() -> Iterator[Account]:
    """Run an account until the end of the block."""
    with tempfile.TemporaryDirectory() as folder, StrictProxy() as proxy:
        own = Account(proxy, Path(folder))
        try:
            yield own
        finally:
            own.end()
            own.close()


def _copy_project(project: Path) -> None:
    ignored = shutil.ignore_patterns("__pycache__", "node_modules", ".mailpulse")
    for name in ("dashboard", "chalicelib", "infrastructure", "static"):
        shutil.copytree(PROJECT / name, project / name, ignore=ignored)
    shutil.copy2(PROJECT / "app.py", project)
    (project / "requirements.txt").write_text("")


def _files_below(folder: str) -> Iterator[tuple[str, int, int]]:
    """Describe the files below a folder: path, size and time."""
    for entry in os.scandir(folder):
        if entry.is_dir():
            if entry.name != "__pycache__":
                yield from _files_below(entry.path)
        elif entry.is_file():
            found = entry.stat()
            yield entry.path, found.st_size, found.st_mtime_ns


class _Described:
    """Describes an account with names instead of ids and without times of creation."""

    def __init__(self, account: Account, stage: str) -> None:
        self._aws = account.aws
        self._stage = stage
        self._labels: dict[str, str] = {}
        # Not with ListBuckets: `GET /` of the emulator is the page.
        self._buckets: list[str] = []
        for name, value in account.outputs(stage).items():
            self._labels[value] = f"<output {name}>"
        for stack in self._stacks():
            for one in self._resources(stack):
                if one["PhysicalResourceId"]:
                    self._labels[one["PhysicalResourceId"]] = f"<{one['LogicalResourceId']}>"
                if one["ResourceType"] == "AWS::S3::Bucket":
                    self._buckets.append(one["PhysicalResourceId"])
        for one in self._parameters():
            self._labels[one["Value"]] = f"<parameter {one['Name']}>"
        for api in self._apis():
            self._labels[api["ApiId"]] = "<api>"

    def everything(self) -> dict[str, Any]:
        """Return the description."""
        aws = self._aws
        found = {
            "stacks": {
                one["StackName"]: [
                    one["StackStatus"],
                    sorted(
                        (item["ParameterKey"], item["ParameterValue"])
                        for item in one.get("Parameters", [])
                    ),
                    sorted(item["LogicalResourceId"] for item in self._resources(one)),
                ]
                for one in self._stacks()
            },
            "functions": {
                one["FunctionName"]: self._function(one)
                for one in aws("lambda").list_functions()["Functions"]
            },
            "mappings": sorted(
                json.dumps(_without(one, *_CHANGING), sort_keys=True, default=str)
                for one in aws("lambda").list_event_source_mappings()["EventSourceMappings"]
            ),
            "rules": {
                one["Name"]: [
                    one["ScheduleExpression"],
                    one["State"],
                    aws("events").list_targets_by_rule(Rule=one["Name"])["Targets"],
                ]
                for one in aws("events").list_rules()["Rules"]
            },
            "apis": [self._api(one) for one in self._apis()],
            "roles": sorted(
                json.dumps([one["RoleName"], self._policies(one["RoleName"])], sort_keys=True)
                for one in aws("iam").list_roles()["Roles"]
            ),
            "logs": {
                one["logGroupName"]: one.get("retentionInDays")
                for one in aws("logs").describe_log_groups()["logGroups"]
            },
            "parameters": [one["Name"] for one in self._parameters()],
            "objects": {
                name: sorted(
                    one["Key"] for one in aws("s3").list_objects_v2(Bucket=name).get("Contents", [])
                )
                for name in self._buckets
            },
            "tables": aws("dynamodb").list_tables()["TableNames"],
            "queues": [
                # A restarted emulator has a different port.
                url.rpartition("/")[2]
                for url in aws("sqs").list_queues().get("QueueUrls", [])
            ],
            "topics": [one["TopicArn"] for one in aws("sns").list_topics()["Topics"]],
            "subscriptions": [
                [one["TopicArn"], one["Endpoint"]]
                for one in aws("sns").list_subscriptions()["Subscriptions"]
            ],
            "pools": [
                one["Name"]
                for one in aws("cognito-idp").list_user_pools(MaxResults=60)["UserPools"]
            ],
        }
        text = json.dumps(found, sort_keys=True, default=str)
        for value in sorted(self._labels, key=len, reverse=True):
            text = text.replace(json.dumps(value)[1:-1], self._labels[value])
        return json.loads(text)

    def _function(self, one: dict[str, Any]) -> list[Any]:
        return [
            _without(one, *_CHANGING),
            sorted(json.dumps(_without(item, "Sid"), sort_keys=True) for item in self._policy(one)),
        ]

    def _policy(self, one: dict[str, Any]) -> list[dict[str, Any]]:
        client = self._aws("lambda")
        try:
            found = client.get_policy(FunctionName=one["FunctionName"])["Policy"]
        except client.exceptions.ResourceNotFoundException:
            return []
        return json.loads(found)["Statement"]

    def _api(self, api: dict[str, Any]) -> list[Any]:
        client, id_ = self._aws("apigatewayv2"), api["ApiId"]
        integrations = {
            one["IntegrationId"]: one["IntegrationUri"]
            for one in client.get_integrations(ApiId=id_)["Items"]
        }
        routes = sorted(
            [one["RouteKey"], integrations[one["Target"].partition("/")[2]]]
            for one in client.get_routes(ApiId=id_)["Items"]
        )
        stages = [
            [one["StageName"], bool(one.get("DeploymentId"))]
            for one in client.get_stages(ApiId=id_)["Items"]
        ]
        return [api["Name"], routes, stages, len(integrations)]

    def _policies(self, role: str) -> list[Any]:
        iam = self._aws("iam")
        return [
            [name, iam.get_role_policy(RoleName=role, PolicyName=name)["PolicyDocument"]]
            for name in iam.list_role_policies(RoleName=role)["PolicyNames"]
        ]

    def _stacks(self) -> list[dict[str, Any]]:
        return self._aws("cloudformation").describe_stacks()["Stacks"]

    def _resources(self, stack: dict[str, Any]) -> list[dict[str, Any]]:
        found = self._aws("cloudformation").list_stack_resources(StackName=stack["StackName"])
        return [
            one
            for one in found["StackResourceSummaries"]
            if not one["ResourceStatus"].startswith("DELETE_")
        ]

    def _parameters(self) -> list[dict[str, Any]]:
        found = self._aws("ssm").get_parameters_by_path(
            Path="/", Recursive=True, WithDecryption=True
        )
        return found["Parameters"]

    def _apis(self) -> list[dict[str, Any]]:
        return self._aws("apigatewayv2").get_apis()["Items"]


def _without(value: dict[str, Any], *names: str) -> dict[str, Any]:
    return {name: one for name, one in value.items() if name not in {*names, "ResponseMetadata"}}

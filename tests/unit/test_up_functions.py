"""What is handed to Chalice, and what is read from its record."""

import json

import pytest
from botocore.exceptions import ClientError

from chalicelib.errors import CommandError
from dashboard import functions, mappings

ARN = "arn:aws:lambda:us-east-1:000000000000:function:mailpulse-test-{}"


@pytest.fixture
def source(tmp_path):
    source = tmp_path / "project"
    (source / "chalicelib" / "__pycache__").mkdir(parents=True)
    (source / "chalicelib" / "__pycache__" / "config.pyc").write_text("")
    (source / "chalicelib" / "config.py").write_text("")
    (source / "app.py").write_text("")
    (source / "requirements.txt").write_text("")
    return source


POLICIES = {name: {"Version": "2012-10-17", "Statement": []} for name in functions.FUNCTIONS}


@pytest.fixture
def build(tmp_path, source):
    build = tmp_path / "build"
    functions.prepare(build, "test", {"EVENTS_TABLE": "events"}, POLICIES, source)
    return build


def record(build, *, names=functions.FUNCTIONS, api="api-1"):
    """Write what Chalice records after a deployment."""
    resources = [
        {"name": name, "resource_type": "lambda_function", "lambda_arn": ARN.format(name)}
        for name in names
    ]
    resources += [
        {
            "name": f"{name}-source",
            "resource_type": "dynamodb_event",
            "lambda_arn": ARN.format(name),
            "event_uuid": f"uuid-{name}",
        }
        for name in ("ingest", "aggregate", "publish")
    ]
    if api:
        resources.append(
            {"name": "websocket_api", "resource_type": "websocket_api", "websocket_api_id": api}
        )
    path = build / ".chalice" / "deployed" / "test.json"
    path.parent.mkdir(exist_ok=True)
    path.write_text(json.dumps({"resources": resources}))
    return path


class Gone(ClientError):
    def __init__(self):
        super().__init__({"ResponseMetadata": {"HTTPStatusCode": 404}, "Error": {}}, "Get")


class Lambda:
    """Stands for the Lambda client: event source mappings by UUID."""

    def __init__(self, *uuids):
        arn = ARN.format("ingest")
        self.mappings = {
            uuid: {"UUID": uuid, "FunctionArn": arn, "State": "Enabled"} for uuid in uuids
        }
        self.accepts_options = True

    def get_event_source_mapping(self, *, UUID):
        if UUID not in self.mappings:
            raise Gone
        return self.mappings[UUID]

    def update_event_source_mapping(self, *, UUID, **options):
        if self.accepts_options:
            self.mappings[UUID] |= options

    def delete_event_source_mapping(self, *, UUID):
        del self.mappings[UUID]

    def get_paginator(self, _operation):
        return self

    def paginate(self, *, FunctionName):
        found = [m for m in self.mappings.values() if m["FunctionArn"] == FunctionName]
        return [{"EventSourceMappings": found}]


class ApiGateway:
    def get_api(self, *, ApiId):
        return {"ApiId": ApiId}


ALL = Lambda("uuid-ingest", "uuid-aggregate", "uuid-publish")


def test_sources_are_copied_without_what_python_leaves_there(build):
    files = {str(path.relative_to(build)) for path in build.rglob("*") if path.is_file()}

    assert files == {
        *("app.py", "requirements.txt", "chalicelib/config.py", ".chalice/config.json"),
        *(f".chalice/policy-{name}.json" for name in functions.FUNCTIONS),
    }


def test_source_that_was_removed_is_removed_from_the_build(build, source):
    (source / "chalicelib" / "config.py").unlink()

    functions.prepare(build, "test", {}, POLICIES, source)

    assert not (build / "chalicelib" / "config.py").exists()


def test_each_function_has_its_variables_time_out_and_memory(build):
    stage = json.loads((build / ".chalice" / "config.json").read_text())["stages"]["test"]

    assert stage["api_gateway_stage"] == "test"
    assert stage["environment_variables"] == {"EVENTS_TABLE": "events"}
    assert stage["lambda_functions"].keys() == functions.FUNCTIONS.keys()
    assert stage["autogen_policy"] is False
    for name, function in stage["lambda_functions"].items():
        assert function["iam_policy_file"] == f"policy-{name}.json"
    timeouts = {name: f["lambda_timeout"] for name, f in stage["lambda_functions"].items()}
    assert all(timeouts[name] <= 29 for name in timeouts if name.startswith("websocket"))


def test_record_of_a_deployment_is_kept_and_read(build, source):
    record(build)

    functions.prepare(build, "test", {}, POLICIES, source)

    deployment = functions.deployed(build, "test")
    assert deployment.websocket_api_id == "api-1"
    assert deployment.mappings == {
        name: f"uuid-{name}" for name in ("ingest", "aggregate", "publish")
    }


@pytest.mark.parametrize("incomplete", [{"names": ["ingest"]}, {"api": None}])
def test_incomplete_record_is_none(build, incomplete):
    record(build, **incomplete)

    assert functions.deployed(build, "test") is None


def test_record_is_kept_while_everything_in_it_is_there(build):
    path = record(build)

    functions.forget_if_gone(build, "test", ALL, ApiGateway())

    assert path.exists()


def test_record_is_dropped_when_a_mapping_is_gone(build):
    path = record(build)

    functions.forget_if_gone(build, "test", Lambda("uuid-ingest"), ApiGateway())

    assert not path.exists()


def test_failed_deployment_says_the_last_words_of_chalice(build, tmp_path):
    (build / "app.py").write_text("import no_such_module")
    log = tmp_path / "deploy.log"

    with pytest.raises(CommandError, match=r"ended with status [12]: .*no_such_module.*log"):
        functions.deploy(build, "test", {"AWS_DEFAULT_REGION": "us-east-1", "PATH": ""}, log)


def test_mappings_get_their_options_and_are_switched_on(build):
    record(build)
    client = Lambda("uuid-ingest", "uuid-aggregate", "uuid-publish")

    mappings.set_options(client, functions.deployed(build, "test"), mappings.OPTIONS)

    ingest = client.mappings["uuid-ingest"]
    assert ingest["FunctionResponseTypes"] == ["ReportBatchItemFailures"]
    assert all(mapping["Enabled"] for mapping in client.mappings.values())
    assert "FunctionResponseTypes" not in client.mappings["uuid-aggregate"]


def test_mapping_that_does_not_take_an_option_is_an_error(build):
    record(build)
    client = Lambda("uuid-ingest", "uuid-aggregate", "uuid-publish")
    client.accepts_options = False

    with pytest.raises(CommandError, match=r"ingest has FunctionResponseTypes=None after"):
        mappings.set_options(client, functions.deployed(build, "test"), mappings.OPTIONS)


def test_mappings_that_chalice_does_not_know_are_deleted(build):
    record(build)
    client = Lambda("uuid-ingest", "uuid-forgotten")

    mappings.remove_strays(client, functions.deployed(build, "test"))

    assert list(client.mappings) == ["uuid-ingest"]

"""The project for Chalice, its deployment, and the options of event source mappings."""

import json
from types import SimpleNamespace

import boto3
import pytest
from botocore.exceptions import ClientError
from moto import mock_aws

from chalicelib.errors import CommandError
from dashboard.deploy import chalice_project, chalice_record, chalice_resources, event_sources
from dashboard.deploy.chalice_resources import Resources
from dashboard.functions import FUNCTIONS

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


ROLES = {name: f"arn:aws:iam::000000000000:role/{name}" for name in chalice_project.FUNCTIONS}
DEPLOYED = chalice_project.Deployment(
    "api-1",
    {},
    {name: f"uuid-{name}" for name in ("ingest", "aggregate", "publish", "publish_visible")},
)


@pytest.fixture
def build(tmp_path, source):
    build = tmp_path / "build"
    chalice_project.prepare(build, "test", {"EVENTS_TABLE": "events"}, ROLES, source)
    return build


class Gone(ClientError):
    def __init__(self):
        super().__init__({"ResponseMetadata": {"HTTPStatusCode": 404}, "Error": {}}, "Get")


class Lambda:
    """Fake Lambda client with event source mappings by UUID."""

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


def test_sources_are_copied_without_python_caches(build):
    files = {str(path.relative_to(build)) for path in build.rglob("*") if path.is_file()}

    assert files == {
        *("app.py", "requirements.txt", "chalicelib/config.py", ".chalice/config.json"),
    }


def test_a_removed_source_is_removed_from_the_build(build, source):
    (source / "chalicelib" / "config.py").unlink()

    chalice_project.prepare(build, "test", {}, ROLES, source)

    assert not (build / "chalicelib" / "config.py").exists()


def test_each_function_has_its_environment_timeout_and_memory(build):
    stage = json.loads((build / ".chalice" / "config.json").read_text())["stages"]["test"]

    assert stage["api_gateway_stage"] == "test"
    assert stage["environment_variables"] == {"EVENTS_TABLE": "events"}
    assert stage["lambda_functions"].keys() == chalice_project.FUNCTIONS.keys()
    for name, function in stage["lambda_functions"].items():
        assert function["manage_iam_role"] is False
        assert function["iam_role_arn"] == ROLES[name]
    timeouts = {name: f["lambda_timeout"] for name, f in stage["lambda_functions"].items()}
    assert all(timeouts[name] <= 29 for name in timeouts if name.startswith("websocket"))


def test_a_failed_deployment_quotes_the_last_output_of_chalice(build, tmp_path):
    (build / "app.py").write_text("import no_such_module")
    log = tmp_path / "deploy.log"

    environment = {"AWS_DEFAULT_REGION": "us-east-1", "PATH": ""}
    clients = boto3.session.Session("a", "b", region_name="us-east-1").client
    said = r"ended with status [12]: .*no_such_module.*log"
    with mock_aws(), pytest.raises(CommandError, match=said):
        chalice_project.deploy(build, "test", clients, {}, environment=environment, log=log)


class SlowChalice:
    """Fake Chalice and clock: each run takes ten minutes, and lists are eventually consistent.

    Attributes:
        refusals: the errors of the next runs.
        lists: the resources listed after a run, one list after the other.
    """

    def __init__(self, monkeypatch):
        self.now = 0.0
        self.refusals = []
        self.lists = []
        monkeypatch.setattr(chalice_project, "_run", self.run)
        monkeypatch.setattr(chalice_record, "write", lambda *_: None)
        monkeypatch.setattr(chalice_resources, "find", lambda *_: self.lists.pop(0))
        clock = SimpleNamespace(monotonic=lambda: self.now, sleep=self.sleep)
        monkeypatch.setattr(chalice_project, "time", clock)

    def run(self, *_):
        self.now += 600
        if self.refusals:
            raise CommandError(self.refusals.pop(0))

    def sleep(self, seconds):
        self.now += seconds

    def deploy(self, tmp_path):
        log = tmp_path / "deploy.log"
        return chalice_project.deploy(tmp_path, "test", None, {}, environment={}, log=log)


EVERYTHING = Resources({name: ARN.format(name) for name in FUNCTIONS}, [], {}, ["api-1"])


@pytest.fixture
def slow_chalice(monkeypatch):
    return SlowChalice(monkeypatch)


def test_an_eventually_consistent_list_is_read_again(slow_chalice, tmp_path):
    slow_chalice.lists = [Resources({}, [], {}, []), EVERYTHING]

    assert slow_chalice.deploy(tmp_path).websocket_api_id == "api-1"


def test_a_role_that_takes_effect_late_is_retried(slow_chalice, tmp_path):
    slow_chalice.refusals = ["Cannot access stream. Please ensure the role can perform GetRecords"]
    slow_chalice.lists = [EVERYTHING]

    assert slow_chalice.deploy(tmp_path).functions.keys() == FUNCTIONS.keys()


def test_an_error_names_the_resource_that_stays_missing(slow_chalice, tmp_path):
    slow_chalice.lists = [Resources(EVERYTHING.functions, [], {}, [])] * 99

    with pytest.raises(CommandError, match="did not create WebSocket API"):
        slow_chalice.deploy(tmp_path)


def test_mappings_are_configured_and_enabled():
    client = Lambda(*DEPLOYED.mappings.values())

    event_sources.set_options(client, DEPLOYED, event_sources.OPTIONS)

    ingest = client.mappings["uuid-ingest"]
    assert ingest["FunctionResponseTypes"] == ["ReportBatchItemFailures"]
    assert all(mapping["Enabled"] for mapping in client.mappings.values())
    assert "FunctionResponseTypes" not in client.mappings["uuid-aggregate"]


def test_a_mapping_that_ignores_an_option_is_an_error():
    client = Lambda(*DEPLOYED.mappings.values())
    client.accepts_options = False

    with pytest.raises(CommandError, match=r"ingest has FunctionResponseTypes=None after"):
        event_sources.set_options(client, DEPLOYED, event_sources.OPTIONS)

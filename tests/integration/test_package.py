"""The template for a pipeline deploys the same resources as `deploy`."""

import copy
import json
import re
import shutil
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import boto3
import pytest
from click.testing import CliRunner
from moto import mock_aws
from samtranslator.translator.transform import transform
from support.template import OUTPUTS

from chalicelib.errors import CommandError
from dashboard.cli import cli
from dashboard.commands.package import package
from dashboard.deploy import event_sources, sam_template, settings
from dashboard.deploy.chalice_project import roles
from dashboard.deploy.chalice_resources import api_name, find_apis, function_name, only_api
from dashboard.deploy.remote import Place
from dashboard.functions import FUNCTIONS
from dashboard.paths import PROJECT

REGION, ACCOUNT, STAGE = "eu-central-1", "123456789012", "package"
KEYS = {"PSEUDONYM_KEY": "p" * 64, "SHARE_KEY": "s" * 64}
# Outputs of the stage's stack, and CloudFormation pseudo parameters.
MADE = {output: f"{output}-1" for output in OUTPUTS}
KNOWN = {
    **MADE,
    "PseudonymKey": KEYS["PSEUDONYM_KEY"],
    "ShareKey": KEYS["SHARE_KEY"],
    "AWS::Region": REGION,
    "AWS::AccountId": ACCOUNT,
}
# Name in app.py → name in the template.
LOGICAL = {name: name.title().replace("_", "") for name in FUNCTIONS}


@pytest.fixture(scope="module")
def path(tmp_path_factory):
    """Package the functions on a host without an AWS account; return the folder."""
    with pytest.MonkeyPatch.context() as patch:
        for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_DEFAULT_REGION"):
            patch.delenv(name, raising=False)
        yield package(STAGE, tmp_path_factory.mktemp("out"), {}, with_packages=False)
    shutil.rmtree(PROJECT / ".mailpulse" / "package" / STAGE)


@pytest.fixture(scope="module")
def template(path):
    return json.loads(path.read_text())


@pytest.fixture(scope="module")
def translated(template):
    """Return the template after the SAM transform, with its code in a bucket."""
    uploaded = copy.deepcopy(template)
    for resource in uploaded["Resources"].values():
        if resource["Type"] == "AWS::Serverless::Function":
            resource["Properties"]["CodeUri"] = "s3://artifacts/code.zip"
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("AWS_DEFAULT_REGION", REGION)
        return transform(uploaded, {}, SimpleNamespace(load=dict))["Resources"]


def resolved(value):
    """Return the value with its references to parameters resolved."""
    if isinstance(value, list):
        return [resolved(one) for one in value]
    if not isinstance(value, dict):
        return value
    if "Ref" in value:
        return KNOWN[value["Ref"]]
    if "Fn::Sub" in value:
        return re.sub(r"\$\{([^}]+)\}", lambda found: KNOWN[found[1]], value["Fn::Sub"])
    return {key: resolved(one) for key, one in value.items()}


def of_type(resources, kind):
    return {name: one["Properties"] for name, one in resources.items() if one["Type"] == kind}


def test_cfn_lint_finds_nothing(path):
    cfn_lint = Path(sys.executable).with_name("cfn-lint")
    done = subprocess.run([cfn_lint, path], capture_output=True, text=True, check=False)

    assert (done.returncode, done.stdout + done.stderr) == (0, "")


def test_checkov_finds_no_unexplained_violations(path):
    checkov = PROJECT / ".venv-checkov" / "bin" / "checkov"
    assert checkov.exists(), "`make check` installs it"
    options = ("--framework", "cloudformation", "--skip-download", "--compact", "--output", "json")
    done = subprocess.run(
        [checkov, "--file", path, *options], capture_output=True, text=True, check=False
    )

    found = json.loads(done.stdout)
    assert found["results"]["failed_checks"] == []
    assert found["summary"]["passed"] > 15


def test_the_parameters_are_the_outputs_of_the_stack_and_the_key(template):
    parameters = template["Parameters"]

    assert parameters.keys() <= {*OUTPUTS, "PseudonymKey", "ShareKey"}
    assert parameters["PseudonymKey"]["NoEcho"] is parameters["ShareKey"]["NoEcho"] is True
    assert not any("Default" in one for one in parameters.values()), "none is omitted silently"


def test_functions_have_the_names_and_environment_that_deploy_gives_them(template):
    expected = settings.compose(MADE, kept={}, chosen={}, keys=KEYS)

    for name in FUNCTIONS:
        properties = template["Resources"][LOGICAL[name]]["Properties"]
        assert properties["FunctionName"] == function_name(STAGE, name)
        reports = {"REPORTS_BATCH_ITEM_FAILURES": "true"} if name == "ingest" else {}
        assert resolved(properties["Environment"]["Variables"]) == expected | reports
        assert (properties["Timeout"], properties["MemorySize"]) == FUNCTIONS[name]
        assert properties["Architectures"] == ["arm64"]


def test_each_function_has_its_own_role_from_the_stack(template):
    for name, role in roles(MADE).items():
        function = template["Resources"][LOGICAL[name]]["Properties"]
        assert resolved(function["Role"]) == role
    assert of_type(template["Resources"], "AWS::IAM::Role") == {}


def test_event_sources_keep_their_options_in_the_sam_output(translated):
    sources = {
        one["FunctionName"]["Ref"]: one
        for one in of_type(translated, "AWS::Lambda::EventSourceMapping").values()
    }

    assert sources.keys() == {LOGICAL[name] for name in event_sources.OPTIONS}
    for name, options in event_sources.OPTIONS.items():
        assert sources[LOGICAL[name]].items() >= options.items()
    arns = {name: resolved(one["EventSourceArn"]) for name, one in sources.items()}
    assert arns == {
        "Ingest": MADE["QueueArn"],
        "Aggregate": MADE["EventsStreamArn"],
        "Publish": MADE["StatsStreamArn"],
        "PublishVisible": MADE["StatsStreamArn"],
    }
    assert sources["Ingest"]["ScalingConfig"] == {"MaximumConcurrency": 10}
    assert sources["Publish"]["StartingPosition"] == "TRIM_HORIZON"


def test_sam_adds_no_roles(template, translated):
    made_by_us = of_type(template["Resources"], "AWS::IAM::Role")

    assert of_type(translated, "AWS::IAM::Role").keys() == made_by_us.keys()


def test_changed_routes_are_deployed_automatically(template):
    kinds = {one["Type"] for one in template["Resources"].values()}
    [stage] = of_type(template["Resources"], "AWS::ApiGatewayV2::Stage").values()

    assert "AWS::ApiGatewayV2::Deployment" not in kinds
    assert stage["AutoDeploy"] is True
    assert "DeploymentId" not in stage
    assert stage["StageName"] == STAGE


def test_the_code_is_at_the_location_in_the_template(path, template):
    functions = of_type(template["Resources"], "AWS::Serverless::Function").values()

    assert {one["CodeUri"] for one in functions} == {"./deployment.zip"}
    assert (path.parent / "deployment.zip").exists()


def test_a_custom_client_id_is_not_a_parameter(tmp_path, path):
    chosen = {"CLIENT_ID": "ours", "STORE_ADDRESSES": "true"}
    template = json.loads(package(STAGE, tmp_path, chosen, with_packages=False).read_text())

    variables = template["Resources"]["Ingest"]["Properties"]["Environment"]["Variables"]
    assert variables.items() >= chosen.items()
    assert "ClientId" not in template["Parameters"]


def test_an_invalid_setting_is_refused(tmp_path):
    done = CliRunner().invoke(
        cli, ["package", "--stage", STAGE, "--out", str(tmp_path), "--set", "RETENTION_DAYS=3"]
    )

    assert done.exit_code == 1
    assert "RETENTION_DAYS is 3" in done.output
    assert list(tmp_path.iterdir()) == []


def test_a_function_without_its_event_source_is_refused(template):
    broken = copy.deepcopy(template)
    broken["Resources"]["WebsocketAPIStage"]["Properties"]["DeploymentId"] = {"Ref": "Deployment"}
    del broken["Resources"]["Aggregate"]["Properties"]["Events"]

    with pytest.raises(CommandError, match="packaged aggregate with 0 event sources"):
        sam_template.finish(broken, STAGE, event_sources.OPTIONS)


@pytest.fixture
def place(monkeypatch):
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "testing")
    with mock_aws():
        yield Place(STAGE, REGION, ACCOUNT, boto3.session.Session(region_name=REGION).client, {})


@pytest.mark.parametrize(
    ("apis", "said"),
    [
        ([], "no WebSocket API mailpulse-package-websocket-api"),
        ([STAGE, STAGE], "there are 2 WebSocket APIs mailpulse-package-websocket-api"),
    ],
)
def test_the_page_is_published_for_exactly_one_api(place, apis, said):
    for stage in [*apis, "other"]:
        place.clients("apigatewayv2").create_api(Name=api_name(stage), ProtocolType="WEBSOCKET")

    with pytest.raises(CommandError, match=said):
        only_api(find_apis(place.clients("apigatewayv2"), STAGE), STAGE)

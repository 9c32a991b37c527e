"""A stage that a pipeline deploys with CloudFormation, on the emulator in place of AWS."""

import json
import shutil
import time

import pytest
from botocore.exceptions import ClientError
from support import ses
from support.operator import HERE, LOCAL_CONNECTIONS, REGION, Operator

from dashboard.deploy.sam_template import SECRETS
from dashboard.paths import PROJECT, TEMPLATE
from dashboard.sqs.topic import Topic

STAGE = "pipeline"
KEY = "k" * 64


@pytest.fixture(scope="module", autouse=True)
def packaged():
    yield
    shutil.rmtree(PROJECT / ".mailpulse" / "package" / STAGE, ignore_errors=True)


def run(account, *arguments, status=0):
    """Run a command as an engineer would; return its output, or the error if it failed."""
    found, stdout, stderr = Operator(account.info["endpoint_url"]).run(*arguments)
    assert found == status, stderr
    return stderr if status else stdout.strip()


def of_stage(*command):
    return (*command, "--stage", STAGE, *REGION)


def make_stack(account, name, template, parameters):
    """Create a stack, as `aws cloudformation deploy` does; return its outputs."""
    cloudformation = account.aws("cloudformation")
    cloudformation.create_stack(
        StackName=name,
        TemplateBody=template,
        Parameters=[
            {"ParameterKey": key, "ParameterValue": value} for key, value in parameters.items()
        ],
        Capabilities=["CAPABILITY_IAM"],
    )
    cloudformation.get_waiter("stack_create_complete").wait(
        StackName=name, WaiterConfig={"Delay": 1, "MaxAttempts": 60}
    )
    [stack] = cloudformation.describe_stacks(StackName=name)["Stacks"]
    return {one["OutputKey"]: one["OutputValue"] for one in stack["Outputs"]}


@pytest.fixture(scope="module")
def outputs(account):
    """Return the outputs of the stack with the tables and queues."""
    parameters = {"Stage": STAGE, "ConfigurationSetName": STAGE, "NewConfigurationSet": "true"}
    return make_stack(account, f"mailpulse-{STAGE}", TEMPLATE.read_text(), parameters)


@pytest.fixture(scope="module")
def published(account, outputs, tmp_path_factory):
    """Package, upload, deploy and publish; return the JSON output of the last command."""
    out = tmp_path_factory.mktemp("out")
    path = run(
        account,
        *("package", "--stage", STAGE, "--out", str(out), *HERE, "--set", LOCAL_CONNECTIONS),
    )
    s3 = account.aws("s3")
    s3.create_bucket(Bucket="artifacts")
    s3.upload_file(str(out / "deployment.zip"), "artifacts", "code.zip")
    text = (out / "functions.json").read_text()
    assert path == str(out / "functions.json")
    uploaded = text.replace("./deployment.zip", "s3://artifacts/code.zip")
    wanted = json.loads(text)["Parameters"].keys() - SECRETS.keys()
    parameters = {name: outputs[name] for name in wanted} | dict.fromkeys(SECRETS, KEY)
    make_stack(account, f"mailpulse-{STAGE}-functions", uploaded, parameters)
    # The template has it (tests/integration/test_package.py), but the emulator ignores it.
    lambda_client = account.aws("lambda")
    [mapping] = lambda_client.list_event_source_mappings(
        FunctionName=f"mailpulse-{STAGE}-aggregate"
    )["EventSourceMappings"]
    lambda_client.update_event_source_mapping(UUID=mapping["UUID"], TumblingWindowInSeconds=900)
    return json.loads(run(account, *of_stage("site"), "--json"))


def test_the_page_connects_to_the_api_that_cloudformation_created(account, outputs, published):
    apis = account.aws("apigatewayv2").get_apis()["Items"]
    [api_id] = [one["ApiId"] for one in apis if one["Name"] == f"mailpulse-{STAGE}-websocket-api"]

    assert published["websocket"].endswith(f"/{api_id}/{STAGE}")
    assert published["dashboard"] == f"https://{outputs['SiteDomain']}/"
    page = account.aws("s3").get_object(Bucket=outputs["SiteBucket"], Key="index.html")
    assert f"connect-src 'self' {published['websocket']}" in page["Body"].read().decode()


def test_events_are_counted(account, outputs, published):
    events = [ses.a_send("m-1"), ses.an_open("m-1")]
    Topic(account.aws("sns"), published["topic_arn"]).publish_batch(list(map(json.dumps, events)))

    dynamodb, until = account.aws("dynamodb"), time.monotonic() + 30
    key = {"campaign": {"S": "spring"}, "part": {"S": "summary"}}
    while True:
        item = dynamodb.get_item(TableName=outputs["StatsTable"], Key=key).get("Item", {})
        if {"s", "uho"} <= item.keys():
            break
        assert time.monotonic() < until, item
        time.sleep(0.3)
    assert (item["s"]["N"], item["uho"]["N"]) == ("1", "1")


def test_an_operators_commands_find_the_stage(account, published):
    said = run(account, *of_stage("dlq", "list"))

    assert "0 messages shown of about 0" in said


@pytest.mark.parametrize("command", [["deploy"], ["destroy", "--yes"]])
def test_deploy_and_destroy_refuse_a_stage_that_a_pipeline_deploys(account, published, command):
    said = run(account, *of_stage(*command), status=1)

    assert f"belong to the stack mailpulse-{STAGE}-functions" in said


def test_destroy_removes_the_rest_when_the_functions_stack_is_gone(account, outputs, published):
    cloudformation, name = account.aws("cloudformation"), f"mailpulse-{STAGE}-functions"
    cloudformation.delete_stack(StackName=name)
    cloudformation.get_waiter("stack_delete_complete").wait(
        StackName=name, WaiterConfig={"Delay": 1, "MaxAttempts": 60}
    )

    run(account, *of_stage("destroy"), "--yes")

    with pytest.raises(ClientError, match="404"):
        account.aws("s3").head_bucket(Bucket=outputs["SiteBucket"])
    assert account.aws("dynamodb").describe_table(TableName=outputs["EventsTable"])

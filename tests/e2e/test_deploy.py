"""Deploy a stage to an emulated AWS account."""

import json
import shutil
import time

import pytest
import websockets.exceptions
from support import ses
from support.operator import HERE, LOCAL_CONNECTIONS, REGION, Operator
from websockets.sync.client import connect

from dashboard.deploy.throughput import needed_units
from dashboard.paths import PROJECT
from dashboard.sqs.topic import Topic

STAGE = "e2e"
BUILD = PROJECT / ".mailpulse" / "aws" / f"000000000000-us-east-1-{STAGE}"


@pytest.fixture(scope="module", autouse=True)
def build():
    yield
    shutil.rmtree(BUILD, ignore_errors=True)


@pytest.fixture(scope="module")
def run(account):
    """Return a function that runs `deploy` as an engineer with credentials would."""
    operator = Operator(account.info["endpoint_url"])
    return lambda *arguments: operator.run("deploy", "--stage", STAGE, *arguments)


@pytest.fixture(scope="module")
def deployed(run):
    """Deploy for the first time; return the JSON output of the command."""
    status, stdout, stderr = run(
        *(*REGION, *HERE, "--configuration-set", STAGE, "--new-configuration-set"),
        *("--set", LOCAL_CONNECTIONS, "--set", "CAMPAIGN_TAG=mailing", "--json"),
        *("--for-rate", "5000"),
    )
    assert status == 0, stderr
    return json.loads(stdout)


def outputs(account):
    stacks = account.aws("cloudformation").describe_stacks(StackName=f"mailpulse-{STAGE}")["Stacks"]
    return {one["OutputKey"]: one["OutputValue"] for one in stacks[0]["Outputs"]}


def function(account, name):
    return account.aws("lambda").get_function_configuration(
        FunctionName=f"mailpulse-{STAGE}-{name}"
    )


def test_a_plan_lists_the_resources_and_creates_none(account, run):
    status, stdout, _ = run("--region", "us-east-1", "--plan")

    assert status == 0
    assert "Add      EventsTable" in stdout
    assert "Add      UserPool" in stdout
    stacks = account.aws("cloudformation").list_stacks(StackStatusFilter=["CREATE_COMPLETE"])
    names = [one["StackName"] for one in stacks["StackSummaries"]]
    assert f"mailpulse-{STAGE}" not in names


def test_a_plan_prints_the_warm_throughput_of_a_rate_and_its_charge(run):
    status, _, stderr = run("--region", "us-east-1", "--plan", "--for-rate", "5000")

    assert status == 0, stderr
    units = needed_units(5000)["EventsTable"]
    assert f"Warm throughput for 5,000 events a second: EventsTable {units:,}" in stderr
    assert "DynamoDB charges once, about $" in stderr


def test_a_rate_above_the_quota_is_rejected_before_any_change(run):
    status, _, stderr = run("--region", "us-east-1", "--plan", "--for-rate", "30000")

    assert status == 1
    assert "the account's quota is 40,000 per table" in stderr


def test_invalid_options_are_rejected_before_any_change(run):
    status, _, stderr = run("--region", "us-east-1", "--set", "RETENTION=5")
    assert status == 1
    assert "--set RETENTION=5 is not an assignment: use NAME=VALUE" in stderr

    status, _, stderr = run("--region", "us-east-1", "--set", "RETENTION_DAYS=30")
    assert status == 1
    assert "RETENTION_DAYS is 30" in stderr

    status, _, stderr = run()
    assert status == 1
    assert "use --region" in stderr


def test_event_sources_have_the_options_that_counting_needs(account, deployed):
    options = {
        name: account.aws("lambda").list_event_source_mappings(
            FunctionName=f"mailpulse-{STAGE}-{name}"
        )["EventSourceMappings"][0]
        for name in ("ingest", "aggregate", "publish")
    }

    assert options["ingest"]["FunctionResponseTypes"] == ["ReportBatchItemFailures"]
    assert options["aggregate"]["TumblingWindowInSeconds"] == 900
    for name in ("aggregate", "publish"):
        assert not options[name].get("FunctionResponseTypes")
        [pattern] = options[name]["FilterCriteria"]["Filters"]
        assert json.loads(pattern["Pattern"])["eventName"] == ["INSERT", "MODIFY"]


def test_each_function_has_its_own_role(account, deployed):
    names = ("ingest", "aggregate", "publish", "watch", "websocket_connect", "websocket_message")
    roles = {function(account, name)["Role"] for name in names}

    assert len(roles) == len(names)


def test_events_are_counted_by_the_configured_tag(account, deployed):
    events = [
        {**ses.a_send("m-1"), "mail": {**ses.a_send("m-1")["mail"], "tags": {"mailing": ["one"]}}},
        {
            **ses.an_open("m-1"),
            "mail": {**ses.an_open("m-1")["mail"], "tags": {"mailing": ["one"]}},
        },
    ]
    Topic(account.aws("sns"), deployed["topic_arn"]).publish_batch(list(map(json.dumps, events)))

    key = {"campaign": {"S": "one"}, "part": {"S": "summary"}}
    table = outputs(account)["StatsTable"]
    until = time.monotonic() + 30
    while True:
        item = account.aws("dynamodb").get_item(TableName=table, Key=key).get("Item", {})
        if {"s", "uho"} <= item.keys():
            break
        assert time.monotonic() < until, item
        time.sleep(0.3)
    assert (item["s"]["N"], item["uho"]["N"]) == ("1", "1")


def test_a_connection_without_a_sign_in_is_refused(account, deployed):
    origin = f"https://{outputs(account)['SiteDomain']}"

    for headers in ({}, {"Origin": origin}, {"Origin": "https://evil.example.com"}):
        with pytest.raises(websockets.exceptions.InvalidStatus):
            connect(
                deployed["websocket"], subprotocols=["mailpulse.v1"], additional_headers=headers
            )


def test_cloudfront_can_read_only_the_page(account, deployed):
    s3, bucket = account.aws("s3"), outputs(account)["SiteBucket"]
    page = s3.get_object(Bucket=bucket, Key="index.html")["Body"].read().decode()
    assert f"connect-src 'self' {deployed['websocket']}" in page

    policy = json.loads(s3.get_bucket_policy(Bucket=bucket)["Policy"])
    [readable] = [one for one in policy["Statement"] if one["Effect"] == "Allow"]
    assert readable["Principal"] == {"Service": "cloudfront.amazonaws.com"}
    assert [one.partition("/")[2] for one in readable["Resource"]] == ["index.html", "assets/*"]


def test_a_deployment_from_another_host_keeps_unspecified_settings(account, run, deployed):
    before = function(account, "ingest")["Environment"]["Variables"]
    shutil.rmtree(BUILD)

    status, stdout, stderr = run("--region", "us-east-1", "--set", "RETENTION_DAYS=120", "--json")

    assert status == 0, stderr
    assert json.loads(stdout) == deployed, "the same page, WebSocket and topic"
    after = function(account, "ingest")["Environment"]["Variables"]
    assert after == before | {"RETENTION_DAYS": "120"}
    assert after["CAMPAIGN_TAG"] == "mailing"
    stacks = account.aws("cloudformation").describe_stacks(StackName=f"mailpulse-{STAGE}")["Stacks"]
    chosen = {one["ParameterKey"]: one["ParameterValue"] for one in stacks[0]["Parameters"]}
    assert (chosen["ConfigurationSetName"], chosen["NewConfigurationSet"]) == (STAGE, "true")
    warm = needed_units(5000)
    assert chosen["WarmWriteUnits"] == str(warm["EventsTable"])
    assert chosen["WarmStatsWriteUnits"] == str(warm["StatsTable"])

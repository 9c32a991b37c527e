"""Destroy a stage in an emulated AWS account, deploy it again, and delete its data."""

import json
import shutil
import time

import pytest
from botocore.exceptions import ClientError
from support import ses
from support.operator import HERE, LOCAL_CONNECTIONS, Operator

from dashboard.paths import PROJECT
from dashboard.sqs.topic import Topic

STAGE = "e2e-gone"
OTHER = "e2e-gone-eu"  # names with a common prefix
REGION = "us-east-1"
KEY = f"/mailpulse/{STAGE}/pseudonym-key"
OTHERS = [f"/mailpulse/{STAGE}/{name}" for name in ("settings", "share-key")]


@pytest.fixture(scope="module", autouse=True)
def builds():
    yield
    for stage in (STAGE, OTHER):
        shutil.rmtree(build(stage), ignore_errors=True)


def build(stage):
    return PROJECT / ".mailpulse" / "aws" / f"000000000000-{REGION}-{stage}"


@pytest.fixture(scope="module")
def run(account):
    """Return a function that runs a command on a stage."""
    operator = Operator(account.info["endpoint_url"])

    def run(*arguments, stage=STAGE, types=None):
        return operator.run(*arguments, "--stage", stage, "--region", REGION, types=types)

    return run


def deploy(run, *arguments, stage=STAGE):
    status, stdout, stderr = run(
        *("deploy", *HERE, "--set", LOCAL_CONNECTIONS, "--json", *arguments), stage=stage
    )
    assert status == 0, stderr
    return json.loads(stdout)


def outputs(account, stage=STAGE):
    [found] = account.aws("cloudformation").describe_stacks(StackName=f"mailpulse-{stage}")[
        "Stacks"
    ]
    return {one["OutputKey"]: one["OutputValue"] for one in found.get("Outputs", [])}


def in_the_account(account):
    """Return the names of all resources that a stage might leave."""
    names = [
        *(one["FunctionName"] for one in account.aws("lambda").list_functions()["Functions"]),
        *(
            one["FunctionArn"]
            for one in account.aws("lambda").list_event_source_mappings()["EventSourceMappings"]
        ),
        *(one["Name"] for one in account.aws("events").list_rules()["Rules"]),
        *(one["Name"] for one in account.aws("apigatewayv2").get_apis()["Items"]),
        *(one["RoleName"] for one in account.aws("iam").list_roles()["Roles"]),
        *(one["QueueUrl"] for one in queues(account)),
        *(one["TopicArn"] for one in account.aws("sns").list_topics()["Topics"]),
        *(
            one["Name"]
            for one in account.aws("cognito-idp").list_user_pools(MaxResults=60)["UserPools"]
        ),
        *account.aws("dynamodb").list_tables()["TableNames"],
        *(one["logGroupName"] for one in account.aws("logs").describe_log_groups()["logGroups"]),
        *(
            one["Name"]
            for one in account.aws("ssm").get_parameters_by_path(Path="/", Recursive=True)[
                "Parameters"
            ]
        ),
    ]
    return sorted(names)


def queues(account):
    return [{"QueueUrl": url} for url in account.aws("sqs").list_queues().get("QueueUrls", [])]


def of_stage(names):
    own = (f"mailpulse-{STAGE}", f"/mailpulse/{STAGE}/")
    return [name for name in names if any(one in name for one in own) and OTHER not in name]


def without_foreign_logs(names):
    """Omit the log groups of other tests' stages, whose functions may write at any time."""
    return [name for name in names if STAGE in name or not name.startswith("/aws/lambda/")]


def publish(account, topic_arn, *events):
    tagged = [
        {**event, "mail": {**event["mail"], "tags": {"campaign": ["one"]}}} for event in events
    ]
    Topic(account.aws("sns"), topic_arn).publish_batch(list(map(json.dumps, tagged)))


def summary(account, table, **wanted):
    """Wait for the counters of the campaign and return them."""
    key = {"campaign": {"S": "one"}, "part": {"S": "summary"}}
    until = time.monotonic() + 30
    while True:
        item = account.aws("dynamodb").get_item(TableName=table, Key=key).get("Item", {})
        counted = {name: int(item[name]["N"]) for name in wanted if name in item}
        if counted == wanted:
            return item
        assert time.monotonic() < until, item
        time.sleep(0.3)


@pytest.fixture(scope="module")
def before(account):
    """Return the resources in the account before the first deployment."""
    return in_the_account(account)


@pytest.fixture(scope="module")
def removed(account, run, before):
    """Deploy two stages, count an event in the first, and destroy that stage."""
    deploy(run, stage=OTHER)
    deployed = deploy(
        run, "--configuration-set", STAGE, "--new-configuration-set", "--set", "RETENTION_DAYS=120"
    )
    publish(account, deployed["topic_arn"], ses.a_send("m-1"), ses.an_open("m-1"))
    first = outputs(account)
    summary(account, first["StatsTable"], s=1, uho=1)
    refused = run("destroy")
    assert in_the_account(account) != before
    done = run("destroy", "--yes")
    return first, refused, done


def test_without_a_terminal_destroy_only_lists_the_resources(removed):
    first, (status, stdout, stderr), _ = removed

    assert status == 1
    assert "nothing was removed: cannot ask for confirmation without a terminal" in stderr
    assert f"Remove   mailpulse-{STAGE}-ingest" in stdout
    assert "Remove   Distribution" in stdout
    assert f"Keep     {first['EventsTable']}" in stdout
    assert f"Keep     {KEY}" in stdout
    assert OTHER not in stdout
    assert f"SES will reject emails with the configuration set {STAGE}" in stderr


def test_destroy_removes_everything_except_the_data(account, removed):
    first, _, (status, stdout, stderr) = removed

    assert status == 0, stderr
    left = of_stage(in_the_account(account))
    logs = [name for name in left if name.startswith("/aws/lambda/")]
    assert logs, "the emulator logs functions without a WebSocket trigger"
    assert sorted(set(left) - set(logs)) == sorted(
        [KEY, *OTHERS, first["EventsTable"], first["StatsTable"]]
    )
    assert f"deploy --stage {STAGE} --region {REGION} --set" in stdout
    assert "--set RETENTION_DAYS=120" in stdout
    assert not build(STAGE).exists(), "the build contains the key"
    with pytest.raises(ClientError, match="NoSuchBucket"):
        account.aws("s3").list_objects_v2(Bucket=first["SiteBucket"])


def test_a_stage_with_the_same_prefix_is_untouched(account, removed):
    names = in_the_account(account)

    for function in ("ingest", "aggregate", "publish", "watch", "websocket_connect"):
        assert f"mailpulse-{OTHER}-{function}" in names
    assert outputs(account, OTHER)["EventsTable"] in names


def test_destroy_removes_nothing_unless_the_stage_name_is_typed(account, run, removed):
    names = in_the_account(account)

    status, _, stderr = run("destroy", stage=OTHER, types=STAGE)

    assert status == 1
    assert f"nothing was removed: you typed '{STAGE}', not {OTHER}" in stderr
    assert without_foreign_logs(in_the_account(account)) == without_foreign_logs(names)


def test_a_second_destroy_has_nothing_to_do(run, removed):
    first, *_ = removed

    status, stdout, stderr = run("destroy", "--yes")

    assert status == 0, stderr
    assert "Only the data is left" in stderr
    assert f"Keep     {first['EventsTable']}" in stdout
    assert "Remove" not in stdout


@pytest.fixture(scope="module")
def redeployed(account, run, removed):
    """Deploy the stage again."""
    return deploy(run), outputs(account)


def test_the_next_deployment_reuses_the_tables_and_continues_counting(account, removed, redeployed):
    first, *_ = removed
    deployed, now = redeployed

    for name in ("EventsTable", "StatsTable", "EventsStreamArn"):
        assert now[name] == first[name]
    # Records counted before the removal are read from the stream again, and count once.
    publish(account, deployed["topic_arn"], ses.a_send("m-1"), ses.a_send("m-2"))
    summary(account, now["StatsTable"], s=2, uho=1)
    [stack] = account.aws("cloudformation").describe_stacks(StackName=f"mailpulse-{STAGE}")[
        "Stacks"
    ]
    chosen = {one["ParameterKey"]: one["ParameterValue"] for one in stack["Parameters"]}
    assert chosen["ConfigurationSetName"] == STAGE, "the settings of the first deployment"
    function = account.aws("lambda").get_function_configuration(
        FunctionName=f"mailpulse-{STAGE}-ingest"
    )
    assert function["Environment"]["Variables"]["RETENTION_DAYS"] == "120"


def test_the_next_destroy_completes_a_killed_one_and_deletes_all_data(
    account, run, before, redeployed
):
    account.aws("lambda").delete_function(FunctionName=f"mailpulse-{STAGE}-publish")
    [api] = [
        one["ApiId"]
        for one in account.aws("apigatewayv2").get_apis()["Items"]
        if one["Name"] == f"mailpulse-{STAGE}-websocket-api"
    ]
    account.aws("apigatewayv2").delete_api(ApiId=api)

    status, stdout, stderr = run("destroy", "--delete-data", "--yes")

    assert status == 0, stderr
    assert f"Delete   {KEY}" in stdout
    assert of_stage(in_the_account(account)) == []
    status, _, stderr = run("destroy", "--delete-data", "--yes")
    assert status == 1
    assert f"no stage {STAGE} in account 000000000000" in stderr


def test_tables_that_a_deleted_stack_retained_are_found_by_name(account, run, removed):
    tables = {outputs(account, OTHER)[name] for name in ("EventsTable", "StatsTable")}
    status, _, stderr = run("destroy", stage=OTHER, types=OTHER)
    assert status == 0, stderr
    account.aws("cloudformation").delete_stack(StackName=f"mailpulse-{OTHER}")
    assert tables <= set(in_the_account(account))

    status, _, stderr = run("destroy", "--delete-data", "--yes", stage=OTHER)

    assert status == 0, stderr
    assert not tables & set(in_the_account(account))

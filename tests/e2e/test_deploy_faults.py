"""Deployments when AWS refuses calls, throttles them or applies changes late."""

import os
from pathlib import Path

import pytest
from support import ses
from support.account import REGION, account
from support.interruptions import earlier_release
from support.strict import Rules

from dashboard.functions import FUNCTIONS

STAGE = "refused"
ELSEWHERE = "eu-west-1"
SECONDS = 4.0  # longer than a command takes to be rerun


@pytest.fixture(scope="module")
def shared():
    with account() as own:
        yield own


@pytest.fixture
def own(shared):
    """Return an account that is empty before and after the test."""
    yield shared
    shared.reset()


@pytest.fixture
def deployed(own):
    """The account with the stage in it, as `deploy` has left it."""
    own.reset_to_deployed(STAGE)
    return own


def changes(account):
    return [call.operation for call in account.proxy.calls if call.changes_something]


def succeed(done):
    assert done.status == 0, done.stderr
    return done


def test_roles_that_take_effect_late_and_throttled_calls_are_retried(own):
    own.proxy.rules = Rules(grants_late=True, throttles_each=7)

    succeed(own.deploy(STAGE))

    assert own.proxy.rules.refused["lambda:CreateFunction: InvalidParameterValueException"] > 0
    late = "lambda:CreateEventSourceMapping: InvalidParameterValueException"
    assert own.proxy.rules.refused[late] == 3
    assert sum("Throttl" in one or "TooMany" in one for one in own.proxy.rules.refused) > 3
    assert len(own.state(STAGE)["mappings"]) == 4


@pytest.mark.parametrize("operation", ["CreateStack", "CreateFunction", "CreateEventSourceMapping"])
def test_deploy_waits_for_operations_that_an_interrupted_run_started(deployed, operation):
    call = changes(deployed).index(operation)
    deployed.reset()
    deployed.proxy.rules = Rules(settles_after=SECONDS)
    assert deployed.deploy(STAGE, kill_at=(call, True)).status is None
    deployed.proxy.rules.settles_after = 0.05

    succeed(deployed.deploy(STAGE))

    conflicts = [one for one in deployed.proxy.rules.refused if "CreateFunction" not in one]
    assert conflicts == []


def test_manually_deleted_resources_are_recreated(deployed):
    before = deployed.state(STAGE)
    mapping, *_ = deployed.aws("lambda").list_event_source_mappings()["EventSourceMappings"]
    deployed.aws("lambda").delete_event_source_mapping(UUID=mapping["UUID"])
    deployed.aws("lambda").delete_function(FunctionName=f"mailpulse-{STAGE}-watch")
    [api] = deployed.aws("apigatewayv2").get_apis()["Items"]
    deployed.aws("apigatewayv2").delete_api(ApiId=api["ApiId"])
    for name in ("connect", "message", "disconnect"):  # they may be called by the API that is gone
        deployed.aws("lambda").delete_function(FunctionName=f"mailpulse-{STAGE}-websocket_{name}")

    succeed(deployed.deploy(STAGE))

    assert deployed.state(STAGE) == before


def test_mappings_of_another_queue_and_duplicate_mappings_are_removed(deployed):
    before = deployed.state(STAGE)
    queue = deployed.aws("sqs").create_queue(QueueName="of-yesterday")["QueueUrl"]
    deployed.aws("lambda").create_event_source_mapping(
        FunctionName=f"mailpulse-{STAGE}-ingest",
        EventSourceArn=f"arn:aws:sqs:{REGION}:000000000000:of-yesterday",
    )
    deployed.aws("sqs").delete_queue(QueueUrl=queue)

    succeed(deployed.deploy(STAGE))

    assert deployed.state(STAGE) == before


def test_the_same_stage_is_deployed_in_a_second_region(deployed):
    succeed(deployed.deploy(STAGE, region=ELSEWHERE))

    assert deployed.proxy.rules.refused == {}


def test_destroy_in_a_region_without_the_stage_removes_nothing_elsewhere(deployed):
    earlier_release(deployed, STAGE)
    before = deployed.state(STAGE)

    done = deployed.run(
        "destroy", "--stage", STAGE, "--region", ELSEWHERE, "--delete-data", "--yes"
    )

    assert done.status == 1
    assert f"no stage {STAGE} in account" in done.stderr
    assert deployed.state(STAGE) == before


def test_upgrading_a_stage_of_an_earlier_version_removes_its_legacy_roles(deployed):
    fresh = deployed.state(STAGE)
    earlier_release(deployed, STAGE)

    succeed(deployed.deploy(STAGE))

    assert deployed.state(STAGE) == fresh
    assert deployed.proxy.rules.lost == []


def test_an_upgrade_waits_until_the_roles_of_the_stack_take_effect(deployed):
    fresh = deployed.state(STAGE)
    earlier_release(deployed, STAGE)
    deployed.proxy.rules = Rules(grants_late=True)

    succeed(deployed.deploy(STAGE))

    late = "lambda:UpdateFunctionConfiguration: InvalidParameterValueException"
    assert deployed.proxy.rules.refused[late] > 0
    assert deployed.state(STAGE) == fresh


def test_resources_that_a_list_does_not_show_yet_are_not_created_twice(deployed):
    fresh = deployed.state(STAGE)
    creation = changes(deployed).index("CreateEventSourceMapping")
    deployed.reset()
    deployed.proxy.rules = Rules(lists_late=True)
    assert deployed.deploy(STAGE, kill_at=(creation, True)).status is None

    succeed(deployed.deploy(STAGE))

    assert deployed.state(STAGE) == fresh


def test_a_failed_function_update_reports_its_reason(deployed):
    deployed.proxy.rules.failed_update = "the KMS key is disabled"

    done = deployed.deploy(STAGE)

    assert done.status == 1
    assert f"Lambda could not update mailpulse-{STAGE}-" in done.stderr
    assert "the KMS key is disabled" in done.stderr


def test_a_function_of_another_application_is_not_modified(deployed):
    functions = deployed.aws("lambda")
    theirs = functions.get_function_configuration(FunctionName=f"mailpulse-{STAGE}-watch")
    functions.create_function(
        FunctionName=f"mailpulse-{STAGE}-alerts",
        Runtime=theirs["Runtime"],
        Role=theirs["Role"],
        Handler="app.alerts",
        Code={"ZipFile": b"PK\x05\x06" + bytes(18)},
    )
    before = deployed.state(STAGE)

    succeed(deployed.deploy(STAGE))

    assert deployed.state(STAGE) == before


def test_a_role_whose_deletion_was_interrupted_is_deleted(deployed):
    fresh = deployed.state(STAGE)
    deployed.aws("iam").create_role(
        RoleName=f"mailpulse-{STAGE}-ingest", AssumeRolePolicyDocument="{}"
    )

    succeed(deployed.deploy(STAGE))

    assert deployed.state(STAGE) == fresh


def test_a_plan_reports_why_cloudformation_would_refuse_it(deployed):
    deployed.proxy.rules.failed_change_set = "Validation failed for 1 resource"

    done = deployed.deploy(STAGE, "--plan")

    assert done.status == 1
    assert "would reject this change" in done.stderr
    assert "Validation failed for 1 resource" in done.stderr
    assert "would not change" not in done.stdout


def test_functions_change_their_python_version_only_on_request(deployed):
    for function in FUNCTIONS:
        deployed.aws("lambda").update_function_configuration(
            FunctionName=f"mailpulse-{STAGE}-{function}", Runtime="python3.9"
        )

    refused = deployed.deploy(STAGE)
    assert refused.status == 1
    assert "run on python3.9" in refused.stderr
    assert "--change-runtime" in refused.stderr

    succeed(deployed.deploy(STAGE, "--change-runtime"))


def processes_of_group(group):
    """Return the command lines of the processes that are in a process group and have not ended."""
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            if os.getpgid(int(folder.name)) == group:
                found.append((folder / "cmdline").read_text())
        except (ProcessLookupError, FileNotFoundError):
            continue
    return [line for line in found if line]  # an ended process has no command line


def test_a_killed_emulator_leaves_no_worker_or_saving_process_behind(deployed):
    deployed.publish(STAGE, ses.a_send("m-1"))
    group = deployed.emulator._process.pid
    assert processes_of_group(group) != []

    deployed.reset()

    assert processes_of_group(group) == []


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--stage", "my-aws", "--region", REGION), "reserves the word 'aws'"),
        (("--stage", STAGE, "--region", "cn-north-1"), "partition aws-cn"),
        (("--stage", STAGE, "--region", "us-gov-west-1"), "partition aws-us-gov"),
        (("--stage", STAGE, "--region", "mars-1"), "unknown AWS region mars-1"),
        (
            ("--stage", STAGE, "--region", REGION, "--set", f"CAMPAIGN_TAG={'x' * 4096}"),
            "shorten CAMPAIGN_TAG",
        ),
    ],
)
def test_an_impossible_deployment_is_refused_before_any_change(own, arguments, said):
    done = own.run("deploy", *arguments)

    assert done.status == 1
    assert said in done.stderr
    assert changes(own) == []

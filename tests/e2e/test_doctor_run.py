"""`doctor` on a stage that `deploy` has made on the emulator, which stands for an AWS account.

The emulator serves no https, so neither the issuer nor the page can be got, and its alarms never
know anything: what doctor says of these here is what it says of what does not answer.
tests/integration/test_doctor.py has all of them well.
"""

import json
import os
import shutil
import subprocess
import sys

import pytest
from support import live

from dashboard.paths import PROJECT

STAGE = "looked-at"
BUILD = PROJECT / ".mailpulse" / "aws" / f"000000000000-us-east-1-{STAGE}"
WITHOUT_HTTPS = {"sign-in", "page"}


@pytest.fixture(scope="module")
def account(tmp_path_factory):
    """An emulator that nobody else deploys to."""
    yield from live.running(tmp_path_factory.mktemp("account") / "state", "--no-demo")
    shutil.rmtree(BUILD, ignore_errors=True)


@pytest.fixture(scope="module")
def run(account):
    """Run a command as an engineer with credentials would."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("AWS_")}
    environment = kept | {
        "AWS_ENDPOINT_URL": account.info["endpoint_url"],
        "AWS_ACCESS_KEY_ID": "test",
        "AWS_SECRET_ACCESS_KEY": "test",
        "AWS_CONFIG_FILE": os.devnull,
        "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
    }

    def run(command, *arguments):
        return subprocess.run(
            [sys.executable, "-m", "dashboard", command, "--stage", STAGE, *arguments],
            cwd=PROJECT,
            env=environment | {"AWS_DEFAULT_REGION": "us-east-1"},
            capture_output=True,
            text=True,
            check=False,
            timeout=120,
        )

    return run


@pytest.fixture(scope="module")
def deployed(account, run):
    before = run("doctor")
    done = run(
        *("deploy", "--configuration-set", "news", "--new-configuration-set"),
        *("--alarm-email", "ops@example.com"),
    )
    assert done.returncode == 0, done.stderr
    # Its schedule comes once a minute.
    names = ("version", "id", "detail-type", "source", "account", "time", "region", "resources")
    minute = dict.fromkeys(names, "") | {"detail": {}}
    called = account.aws("lambda").invoke(
        FunctionName=f"mailpulse-{STAGE}-watch", Payload=json.dumps(minute).encode()
    )
    assert "FunctionError" not in called, called["Payload"].read()
    return before


def findings(run):
    return json.loads(run("doctor", "--json").stdout)["findings"]


def outputs(account):
    [stack] = account.aws("cloudformation").describe_stacks(StackName=f"mailpulse-{STAGE}")[
        "Stacks"
    ]
    return {one["OutputKey"]: one["OutputValue"] for one in stack["Outputs"]}


def test_a_stage_that_is_not_there_is_said_not_to_be(deployed):
    assert deployed.returncode == 1
    assert f"mailpulse-{STAGE} in us-east-1 is not there" in deployed.stdout


def test_what_deploy_has_made_is_well_but_for_what_the_emulator_lacks(run, deployed):
    found = findings(run)

    failed = {one["check"] for one in found if one["status"] == "FAIL"}
    assert failed == WITHOUT_HTTPS, [one for one in found if one["status"] == "FAIL"]
    warned = {one["check"] for one in found if one["status"] == "warn"}
    assert warned <= {"alarms"}, [one for one in found if one["status"] == "warn"]


def test_what_breaks_is_found_and_deploying_again_mends_the_event_sources(account, run, deployed):
    made = outputs(account)
    mappings = account.aws("lambda").list_event_source_mappings(
        FunctionName=f"mailpulse-{STAGE}-ingest"
    )["EventSourceMappings"]
    account.aws("lambda").update_event_source_mapping(UUID=mappings[0]["UUID"], Enabled=False)
    account.aws("sqs").send_message(QueueUrl=made["DeadLetterQueueUrl"], MessageBody="no event")
    account.aws("sesv2").update_configuration_set_event_destination(
        ConfigurationSetName="news",
        EventDestinationName=f"mailpulse-{STAGE}",
        EventDestination={
            "Enabled": True,
            "MatchingEventTypes": ["SEND", "DELIVERY"],
            "SnsDestination": {"TopicArn": made["TopicArn"]},
        },
    )
    account.aws("sns").set_topic_attributes(
        TopicArn=made["TopicArn"],
        AttributeName="Policy",
        AttributeValue=json.dumps({"Version": "2012-10-17", "Statement": []}),
    )

    said = run("doctor").stdout
    assert "FAIL  event sources      the event source of ingest is Disabled" in said
    assert "warn  queues' depth      1 messages were set aside" in said
    assert "reports no BOUNCE, COMPLAINT, OPEN, CLICK" in said
    assert "FAIL  topic              the policy of" in said

    assert run("deploy").returncode == 0
    mended = [one for one in findings(run) if one["check"] == "event sources"]
    assert [one["status"] for one in mended] == ["ok", "ok", "ok"]

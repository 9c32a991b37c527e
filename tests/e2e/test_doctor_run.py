"""Run `doctor` on a stage that was deployed to an emulated AWS account.

The emulator does not serve HTTPS, so that neither the issuer nor the page can be reached, and its
alarms never have data: doctor reports these as unreachable or unknown here.
tests/integration/test_doctor.py covers them in a healthy state.
"""

import json
import shutil
from contextlib import closing
from itertools import islice

import pytest
from support import ses
from support.operator import HERE, LOCAL_CONNECTIONS, REGION, Operator, credentials

from dashboard.checks.probe import CAMPAIGN, check_probe
from dashboard.commands.deploy import find_place
from dashboard.commands.doctor import find_subject
from dashboard.installation import installation_of
from dashboard.live.connector import Connector
from dashboard.live.feed import Feed
from dashboard.paths import PROJECT
from dashboard.sqs.topic import Topic

STAGE = "looked-at"
BUILD = PROJECT / ".mailpulse" / "aws" / f"000000000000-us-east-1-{STAGE}"
WITHOUT_HTTPS = {"sign-in", "page"}


@pytest.fixture(scope="module", autouse=True)
def build():
    yield
    shutil.rmtree(BUILD, ignore_errors=True)


@pytest.fixture(scope="module")
def run(account):
    """Return a function that runs a command on the stage."""
    operator = Operator(account.info["endpoint_url"])
    return lambda command, *arguments: operator.run(command, "--stage", STAGE, *REGION, *arguments)


@pytest.fixture(scope="module")
def deployed(account, run):
    before = run("doctor")
    status, _, stderr = run(
        *("deploy", *HERE, "--configuration-set", STAGE, "--new-configuration-set"),
        *("--alarm-email", "ops@example.com", "--set", LOCAL_CONNECTIONS),
        *("--set", "CUSTOM_ORIGINS=http://127.0.0.1"),  # the only one that the emulator supports
    )
    assert status == 0, stderr
    # It is scheduled once a minute.
    names = ("version", "id", "detail-type", "source", "account", "time", "region", "resources")
    minute = dict.fromkeys(names, "") | {"detail": {}}
    called = account.aws("lambda").invoke(
        FunctionName=f"mailpulse-{STAGE}-watch", Payload=json.dumps(minute).encode()
    )
    assert "FunctionError" not in called, called["Payload"].read()
    return before


def findings(run):
    _, stdout, _ = run("doctor", "--no-mail", "--json")
    return json.loads(stdout)["findings"]


def outputs(account):
    [stack] = account.aws("cloudformation").describe_stacks(StackName=f"mailpulse-{STAGE}")[
        "Stacks"
    ]
    return {one["OutputKey"]: one["OutputValue"] for one in stack["Outputs"]}


def test_a_missing_stage_is_reported(deployed):
    status, stdout, _ = deployed
    assert status == 1
    assert f"mailpulse-{STAGE} in us-east-1 does not exist" in stdout


def test_a_deployed_stage_passes_every_check_that_the_emulator_supports(run, deployed):
    found = findings(run)

    failed = {one["check"] for one in found if one["status"] == "FAIL"}
    assert failed == WITHOUT_HTTPS, [one for one in found if one["status"] == "FAIL"]
    warned = {one["check"] for one in found if one["status"] == "warn"}
    assert warned <= {"alarms"}, [one for one in found if one["status"] == "warn"]


def test_broken_event_sources_are_found_and_a_deployment_repairs_them(account, run, deployed):
    made = outputs(account)
    mappings = account.aws("lambda").list_event_source_mappings(
        FunctionName=f"mailpulse-{STAGE}-ingest"
    )["EventSourceMappings"]
    account.aws("lambda").update_event_source_mapping(UUID=mappings[0]["UUID"], Enabled=False)
    account.aws("sqs").send_message(QueueUrl=made["DeadLetterQueueUrl"], MessageBody="no event")
    account.aws("sesv2").update_configuration_set_event_destination(
        ConfigurationSetName=STAGE,
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

    _, said, _ = run("doctor", "--no-mail")
    assert "FAIL  event sources      the event source of ingest is Disabled" in said
    assert "warn  queues' depth      1 messages are in the dead-letter queue" in said
    assert "reports no BOUNCE, COMPLAINT, OPEN, CLICK" in said
    assert "FAIL  topic              the policy of" in said

    assert run("deploy")[0] == 0
    mended = [one for one in findings(run) if one["check"] == "event sources"]
    assert [one["status"] for one in mended] == ["ok"] * 4


@pytest.fixture
def subject(account, deployed, monkeypatch):
    for name, value in credentials(account.info["endpoint_url"]).items():
        monkeypatch.setenv(name, value)
    return find_subject(find_place(STAGE, "us-east-1"))


def test_a_test_email_is_traced_from_the_ses_simulator_to_the_websocket(account, subject):
    """The test publishes the events, because the emulator's SES does not."""

    def send(subject, _):
        events = [make("m-probe", campaign=CAMPAIGN) for make in (ses.a_send, ses.a_delivery)]
        topic = Topic(account.aws("sns"), subject.output("TopicArn"))
        topic.publish_batch(list(map(json.dumps, events)))
        return "m-probe"

    [finding] = check_probe(subject, send, seconds=30)

    assert finding.status == "ok", finding
    assert "the test email m-probe was counted as sent and delivered after" in finding.says
    assert list(sharing(subject).shares.all()) == [], "its share link is gone"


def test_live_connects_to_a_stage_with_sign_in_through_a_temporary_link(account, subject):
    stage = installation_of(STAGE, subject.clients, "us-east-1", account.info["endpoint_url"])
    connector = Connector(stage, CAMPAIGN)
    with closing(Feed(stage, CAMPAIGN, connector.open).views()) as views:
        view = next(one for one in islice(views, 30) if one.connection == "live")
        [link] = stage.shares.all()
    connector.close()

    assert link.campaign == CAMPAIGN
    assert view.stats["campaign"]["id"] == CAMPAIGN
    assert list(stage.shares.all()) == [], "its share link is gone"


def test_a_test_email_without_events_is_reported(account, subject):
    """SES accepts the email but publishes no events for it."""
    account.aws("sesv2").create_email_identity(EmailIdentity="news@example.com")

    [finding] = check_probe(subject, seconds=3)

    assert finding.status == "FAIL"
    assert "sends and deliveries of the test email" in finding.says
    assert "did not arrive within 3 s" in finding.says


def sharing(subject):
    return installation_of(
        STAGE, subject.clients, "us-east-1", subject.clients("sns").meta.endpoint_url
    ).sharing

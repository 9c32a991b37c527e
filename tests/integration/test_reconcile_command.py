"""`reconcile` compares the counters with SES's metrics; SES's responses have botocore's shapes."""

import json
from datetime import UTC, datetime, timedelta, timezone

import pytest
from botocore.exceptions import ClientError
from botocore.stub import ANY, Stubber
from click.testing import CliRunner
from support import moto_account, ses

from chalicelib.aws.ses_metrics import SesMetrics
from chalicelib.stats.health import Findings
from dashboard.aws_session import Service
from dashboard.cli import cli
from dashboard.commands import reconcile
from dashboard.installation import Installation
from dashboard.reconcile.account import SesAccount
from dashboard.recount import pausing

DAY = "2026-11-23"
NOW = datetime(2026, 11, 25, 9, 30, tzinfo=UTC)
HEALTHY = {"SendingEnabled": True, "EnforcementStatus": "HEALTHY"}
VDM = {"VdmEnabled": "ENABLED", "DashboardAttributes": {"EngagementMetrics": "ENABLED"}}
TENANT = {
    "TenantName": "acme",
    "TenantId": "tn-1",
    "TenantArn": "arn:aws:ses:us-east-1:123456789012:tenant/acme/tn-1",
}


class Denied:
    """A client that is not allowed to do anything."""

    def __getattr__(self, operation):
        def call(**_):
            raise ClientError({"Error": {"Code": "AccessDenied", "Message": "no"}}, operation)

        return call


class Empty:
    """An account without VDM and without tenants."""

    def get_account(self):
        return HEALTHY

    def list_tenants(self):
        return {"Tenants": []}


@pytest.fixture
def sesv2():
    """Return a client of SES whose responses, in their order, must have botocore's shapes."""
    client = moto_account.new_client("sesv2")
    with Stubber(client) as stubber:
        client.stubber = stubber
        yield client


@pytest.fixture
def run(pipeline, monkeypatch):
    """Return a function that runs the command in an account with some clients replaced.

    Mailpulse has counted since before the first day to compare.
    """
    pipeline.run(ses.a_send("m-0", campaign="winter", at="2026-11-20T10:00:00.000Z"))

    def run(*arguments, **replaced):
        pipeline.now = NOW.timestamp()
        replaced = {"sesv2": Empty(), **replaced}

        def clients(service, **_):
            return replaced.get(service) or moto_account.client(service)

        installation = Installation("test", clients, pipeline.config, lambda: pipeline.now)
        monkeypatch.setattr(reconcile, "find", lambda *_: installation)
        selected = ["reconcile", "--from", DAY, "--to", DAY, *arguments]
        return CliRunner().invoke(cli, selected, env={"COLUMNS": "160"})

    return run


@pytest.fixture
def publish():
    """Return a function that publishes a metric of SES to CloudWatch."""

    def publish(metric, value, at="2026-11-23T10:00:00+00:00", unit="Count", **dimensions):
        moto_account.client("cloudwatch").put_metric_data(
            Namespace="AWS/SES",
            MetricData=[
                {
                    "MetricName": metric,
                    "Timestamp": datetime.fromisoformat(at),
                    "Value": value,
                    "Unit": unit,
                    "Dimensions": [
                        {"Name": name.replace("_", "-"), "Value": of}
                        for name, of in dimensions.items()
                    ],
                }
            ],
        )

    return publish


@pytest.fixture
def _spring(pipeline):
    """Count the events of a campaign: three emails, one of them bounced and one was opened."""
    pipeline.run(
        *[ses.a_send(f"m-{number}") for number in range(3)],
        *[ses.a_delivery(f"m-{number}") for number in range(2)],
        ses.a_bounce("m-2"),
        ses.an_open("m-0"),
    )


@pytest.fixture
def as_in_ses(_spring, publish):
    """Publish the metrics of the same events."""

    publish("Send", 3)
    publish("Delivery", 2)
    publish("Bounce", 1)
    publish("Open", 1)


def compared(done, metric, day=None, source="cloudwatch"):
    [one] = [
        one
        for one in json.loads(done.stdout)["comparisons"]
        if (one["source"], one["metric"], one["day"]) == (source, metric, day)
    ]
    return one


@pytest.mark.usefixtures("as_in_ses")
def test_equal_counts_are_a_success(run):
    done = run()

    assert done.exit_code == 0, done.output
    assert "Every difference is explained." in done.stdout
    assert ["sends", "3", "3"] in [line.split() for line in done.stdout.splitlines()]
    assert "The account is HEALTHY, and sending is enabled." in done.stdout


@pytest.mark.usefixtures("as_in_ses")
def test_json_has_each_metric_its_days_and_everything_else(run):
    done = run("--json")

    found = json.loads(done.stdout)
    assert done.exit_code == 0
    assert (found["ok"], found["is_published"], found["region"]) == (True, True, "us-east-1")
    assert (found["from"], found["to"], found["share_of_account"]) == (DAY, DAY, 1.0)
    assert compared(done, "bounces", DAY) == {
        "source": "cloudwatch",
        "metric": "bounces",
        "day": DAY,
        "mailpulse": 1,
        "ses": 1,
        "difference": 0,
        "causes": [],
        "unexplained": 0,
        "is_within_tolerance": True,
    }
    assert compared(done, "rejects")["ses"] == 0
    assert found["recounts"] == []


@pytest.mark.usefixtures("as_in_ses")
def test_an_event_that_was_not_counted_is_a_failure(run, publish):
    publish("Send", 1)

    done = run()

    assert done.exit_code == 1
    assert "unexplained: -1" in done.stdout
    assert "Unexplained differences of more than 0.10%: sends." in done.stdout
    assert "reconcile --facts" not in done.stdout, "facts do not explain lost sends"
    assert "SES counts all emails of the account" in done.stdout
    assert run("--tolerance", "25").exit_code == 0, "one of four"
    assert run("--tolerance", "24").exit_code == 1


@pytest.mark.usefixtures("as_in_ses")
def test_events_in_the_queue_and_dead_letters_explain_what_is_missing(run, pipeline, publish):
    sqs = moto_account.client("sqs")
    publish("Send", 2)
    assert run("--json").exit_code == 1

    sqs.send_message(QueueUrl=pipeline.config.queue_url, MessageBody="{}")
    sqs.send_message(QueueUrl=pipeline.config.dead_letter_queue_url, MessageBody="{}")
    done = run("--json")

    assert done.exit_code == 0
    causes = {one["name"]: one["low"] for one in compared(done, "sends")["causes"]}
    assert causes == {"waiting": -1, "dead_letters": -1}


def test_the_facts_explain_emails_to_several_recipients(run, pipeline, publish):
    both = ["ada@example.com", "ben@example.com"]
    pipeline.run(ses.a_send("m-1", to=both), ses.a_delivery("m-1", to=both))
    publish("Send", 1)
    publish("Delivery", 1)

    without, done = run(), run("--json", "--facts")

    assert (without.exit_code, done.exit_code) == (1, 0)
    assert "Run `reconcile --facts` to explain more" in without.stdout
    for metric in ("sends", "deliveries"):
        [cause] = compared(done, metric, DAY)["causes"]
        assert cause == {"name": "several_recipients", "low": 0, "high": 1}


@pytest.mark.usefixtures("as_in_ses")
def test_the_emails_of_doctor_are_known_to_be_to_the_simulator(run, pipeline):
    pipeline.run(
        ses.a_send("m-9", campaign="mailpulse-doctor", to=["success@simulator.amazonses.com"])
    )

    done = run("--json")

    assert done.exit_code == 0
    assert compared(done, "sends")["causes"] == [{"name": "simulator", "low": 0, "high": 1}]


@pytest.mark.usefixtures("_spring")
def test_without_metrics_the_command_fails_and_says_what_to_check(run):
    done = run()

    assert done.exit_code == 1
    assert "CloudWatch has no metrics of SES in us-east-1 from 2026-11-23" in done.stderr
    assert "SES has not published this metric" in done.stdout


@pytest.mark.usefixtures("_spring")
def test_a_missing_permission_to_read_the_metrics_names_the_action(run):
    done = run(cloudwatch=Denied())

    assert done.exit_code == 1
    assert "grant cloudwatch:GetMetricData" in done.stderr


@pytest.mark.usefixtures("as_in_ses")
def test_other_missing_permissions_are_notes(run):
    done = run(sesv2=Denied())

    assert done.exit_code == 0
    assert "grant ses:GetAccount" in done.stdout
    assert "grant ses:ListTenants and ses:GetReputationEntity" in done.stdout


@pytest.mark.parametrize(
    ("arguments", "error"),
    [
        (["--to", "2026-11-25"], "2026-11-25 is not over in UTC: use --to 2026-11-24"),
        (["--from", "2026-11-24"], "--from 2026-11-24 is after --to 2026-11-23"),
        (["--from", "2026-01-01"], "use --from 2026-09-26, or a later day"),
    ],
)
def test_days_that_cannot_be_compared_are_refused(run, arguments, error):
    done = run(*arguments)

    assert done.exit_code == 1
    assert error in done.stderr


def test_by_default_the_last_seven_days_are_compared():
    request = reconcile.request_of(None, None, NOW)

    assert (str(request.first), str(request.last)) == ("2026-11-18", "2026-11-24")


@pytest.mark.usefixtures("as_in_ses")
def test_a_configuration_set_is_compared_by_its_dimension(run, pipeline, monkeypatch):
    asked = []
    cloudwatch = moto_account.new_client("cloudwatch")
    cloudwatch.meta.events.register(
        "provide-client-params.cloudwatch.GetMetricData",
        lambda params, **_: asked.append(params),
    )

    done = run("--json", "--configuration-set", "news", cloudwatch=cloudwatch)

    metrics, rates = asked
    dimension = [{"Name": "ses:configuration-set", "Value": "news"}]
    for query in metrics["MetricDataQueries"]:
        assert query["MetricStat"]["Metric"]["Dimensions"] == dimension
    assert rates["MetricDataQueries"][0]["MetricStat"]["Metric"]["Dimensions"] == []
    assert json.loads(done.stdout)["configuration_set"] == "news"


@pytest.mark.usefixtures("as_in_ses")
def test_the_reputation_shows_how_much_remains_until_the_next_line(run, publish):
    at = (NOW - timedelta(hours=1)).isoformat()
    publish("Reputation.BounceRate", 0.06, at, unit="None")
    publish("Reputation.ComplaintRate", 0.0, at, unit="None")

    done = run()

    assert done.exit_code == 0, done.output
    assert (
        "Hard bounces: 6.000%; about 1 more until SES may pause sending, from 10.0%" in done.stdout
    )
    assert "Complaints: 0.000%; at most 1 more until SES reviews the account, from 0.1%" in (
        done.stdout
    )


@pytest.mark.usefixtures("as_in_ses")
def test_an_account_that_sends_more_than_is_counted_is_told(run, publish):
    publish("Send", 7)
    publish("Reputation.BounceRate", 0.01, (NOW - timedelta(hours=1)).isoformat(), unit="None")

    assert "Mailpulse counts only 30% of the account's emails" in run().stdout


@pytest.mark.usefixtures("as_in_ses")
def test_vdm_counts_the_emails_of_other_configuration_sets(run, publish, sesv2):
    publish("Send", 4)

    def answer(values):
        results = [
            {"Id": metric, "Timestamps": [datetime(2026, 11, 23, tzinfo=UTC)], "Values": [value]}
            for metric, value in values.items()
        ]
        sesv2.stubber.add_response(
            "batch_get_metric_data", {"Results": results, "Errors": []}, {"Queries": ANY}
        )

    sesv2.stubber.add_response("get_account", {**HEALTHY, "VdmAttributes": VDM}, {})
    answer({"SEND": 3, "DELIVERY": 2, "PERMANENT_BOUNCE": 1, "OPEN": 1})
    answer({"SEND": 7, "DELIVERY": 2, "PERMANENT_BOUNCE": 1, "OPEN": 1})
    answer({"DELIVERY_COMPLAINT": 1})
    sesv2.stubber.add_response("list_tenants", {"Tenants": []}, {})

    done = run("--json", sesv2=sesv2, cloudformation=Stack(ConfigurationSetName="news"))

    assert done.exit_code == 0, done.output
    assert compared(done, "sends")["causes"] == [
        {"name": "other_configuration_sets", "low": -4, "high": 0}
    ]
    assert compared(done, "sends", DAY, "vdm")["difference"] == 0
    assert compared(done, "unique_clicks", None, "vdm")["ses"] == 0
    sesv2.stubber.assert_no_pending_responses()


@pytest.mark.parametrize("hours", [-5, 0, 13])
def test_days_of_vdm_are_in_utc_in_whichever_time_zone_boto3_returns_them(sesv2, hours):
    """boto3 returns times in the time zone of the computer on which the command runs."""
    at = datetime(2026, 11, 23, tzinfo=UTC).astimezone(timezone(timedelta(hours=hours)))
    results = [{"Id": "SEND", "Timestamps": [at], "Values": [3]}]
    sesv2.stubber.add_response("batch_get_metric_data", {"Results": results}, {"Queries": ANY})

    account = SesAccount(Service("sesv2", lambda _: sesv2))
    start, end = (datetime(2026, 11, day, tzinfo=UTC) for day in (22, 25))

    assert account.vdm(["SEND"], start, end) == {DAY: {"SEND": 3}}


@pytest.mark.usefixtures("as_in_ses")
def test_each_tenant_has_its_status_and_with_vdm_its_own_numbers(run, sesv2):
    midnight = datetime(2026, 11, 23, tzinfo=UTC)
    values = {"SEND": 1000, "PERMANENT_BOUNCE": 20, "COMPLAINT": 0, "DELIVERY_COMPLAINT": 400}
    nothing = {"Results": [], "Errors": []}
    add = sesv2.stubber.add_response
    add("get_account", {**HEALTHY, "VdmAttributes": VDM}, {})
    add("batch_get_metric_data", nothing, {"Queries": ANY})
    add("batch_get_metric_data", nothing, {"Queries": ANY})
    add("list_tenants", {"Tenants": [TENANT], "NextToken": "next"}, {})
    entity = {"SendingStatusAggregate": "ENABLED", "ReputationImpact": "LOW"}
    reference = {
        "ReputationEntityReference": TENANT["TenantArn"],
        "ReputationEntityType": "RESOURCE",
    }
    add("get_reputation_entity", {"ReputationEntity": entity}, reference)
    add("list_tenants", {"Tenants": []}, {"NextToken": "next"})
    add(
        "batch_get_metric_data",
        {
            "Results": [
                {"Id": metric, "Timestamps": [midnight], "Values": [value]}
                for metric, value in values.items()
            ]
        },
        {"Queries": ANY},
    )

    done = run(sesv2=sesv2)

    sesv2.stubber.assert_no_pending_responses()
    assert (
        "Tenant acme: sending is ENABLED, findings of LOW impact, 1,000 emails in 30 days."
        in done.stdout
    )
    assert "  Hard bounces: 2.000%; about 30 more until SES reviews the account" in done.stdout
    assert "  Complaints: 0.000%; about 1 more until SES reviews the account" in done.stdout


@pytest.mark.usefixtures("as_in_ses")
def test_a_failed_query_of_vdm_is_a_note(run, sesv2):
    error = {"Id": "SEND", "Code": "ACCESS_DENIED", "Message": "no"}
    sesv2.stubber.add_response("get_account", {**HEALTHY, "VdmAttributes": VDM}, {})
    for _ in range(2):
        sesv2.stubber.add_response(
            "batch_get_metric_data", {"Results": [], "Errors": [error]}, {"Queries": ANY}
        )
    sesv2.stubber.add_response("list_tenants", {"Tenants": []}, {})

    done = run("--json", sesv2=sesv2)

    assert done.exit_code == 0
    found = json.loads(done.stdout)
    assert any("grant ses:BatchGetMetricData" in note for note in found["notes"])
    assert {one["source"] for one in found["comparisons"]} == {"cloudwatch"}


@pytest.mark.usefixtures("as_in_ses")
def test_the_last_recount_is_the_proof_of_the_counters(run, installation, mappings, monkeypatch):
    monkeypatch.setattr(pausing, "_LOOK_EVERY_SECONDS", 0.01)
    assert "No recount of all campaigns is stored: run `recount --all`." in run().stdout

    with monkeypatch.context() as patch:
        patch.setattr("dashboard.commands.recount.find", lambda *_: installation)
        CliRunner().invoke(cli, ["recount", "--all"])
    done = run()

    assert "Recount of 2 campaigns at 20" in done.stdout
    assert "counters compared with 10 facts, no difference." in done.stdout


@pytest.mark.usefixtures("as_in_ses")
@pytest.mark.parametrize(("lag", "is_noted"), [(None, False), (60, False), (61, True)])
def test_events_that_are_not_counted_yet_are_noted(run, pipeline, lag, is_noted):
    found = Findings("2026-11-25T09:30:00Z", stream_lag_seconds=lag)
    pipeline.parts.stats_table.pipeline.put_findings(found)

    noted = "! stored events have not been counted for 61 s, so the newest are missing"
    assert (noted in run().stdout) == is_noted


@pytest.mark.usefixtures("as_in_ses")
def test_ses_is_asked_in_the_region_of_the_topic(run):
    done = run("--json", cloudformation=Stack("arn:aws:sns:eu-west-1:123456789012:mailpulse"))

    assert json.loads(done.stdout)["region"] == "eu-west-1"


class Stack:
    """CloudFormation with one stack."""

    def __init__(self, TopicArn="arn:aws:sns:us-east-1:123456789012:mailpulse", **parameters):
        self._stack = {
            "Outputs": [{"OutputKey": "TopicArn", "OutputValue": TopicArn}],
            "Parameters": [
                {"ParameterKey": name, "ParameterValue": value}
                for name, value in parameters.items()
            ],
        }

    def describe_stacks(self, *, StackName):
        assert StackName == "mailpulse-test"
        return {"Stacks": [self._stack]}


def test_a_page_of_metrics_is_followed_by_the_next():
    class Paged:
        def call(self, operation, **parameters):
            assert operation == "get_metric_data"
            token = parameters.get("NextToken")
            at = 1_800.0 if token else 900.0
            page = {"MetricDataResults": [{"Id": "m0", "Timestamps": [at], "Values": [1.0]}]}
            return page if token else {**page, "NextToken": "next"}

    assert SesMetrics(Paged()).read(["Send"], 0, 3600) == {"Send": [(900.0, 1.0), (1800.0, 1.0)]}

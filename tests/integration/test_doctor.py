"""The checks of `doctor`: each fault of a stage is found and reported with its remedy."""

import json
import re
import ssl
from datetime import UTC, datetime, timedelta
from io import BytesIO
from types import SimpleNamespace

import pytest
from click.testing import CliRunner
from support import doctored, moto_account
from support.doctored import SET, Stage, denied

from dashboard.checks.alarms import check_alarm_topic, check_alarms, check_test_alarm
from dashboard.checks.functions import check_concurrency, check_event_sources, check_functions
from dashboard.checks.page import check_page
from dashboard.checks.pipeline import check_health, check_queues
from dashboard.checks.ses import check_account, check_event_destination
from dashboard.checks.sign_in import check_issuer
from dashboard.checks.stack import check_stack
from dashboard.checks.throughput import check_throughput
from dashboard.checks.topic import check_queue, check_topic
from dashboard.checks.web import Web
from dashboard.commands import doctor


@pytest.fixture(scope="module")
def public(tmp_path_factory):
    with doctored.public(tmp_path_factory.mktemp("public")) as served:
        yield served


@pytest.fixture(scope="module")
def made(public):
    return moto_account.Filled(lambda: Stage.make(public))


@pytest.fixture
def stage(public, made, monkeypatch):
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "testing")
    monkeypatch.delenv("AWS_ENDPOINT_URL", raising=False)
    public.serve_issuer()
    public.serve_page()
    with made.account():
        yield Stage(public)


@pytest.fixture
def look(stage):
    """Return a function that runs a check and returns its findings as lines."""

    def look(check, **changes):
        found = doctor.findings(check, stage.subject(**changes))
        return [f"{one.status} {one.says}; {one.remedy}" for one in found]

    return look


def bad(lines):
    """Return the lines that are not ok."""
    return [line for line in lines if not line.startswith("ok")]


def only(lines):
    [line] = bad(lines)
    return line


def test_a_healthy_stage_has_no_findings(stage, look):
    stage.watched()
    arn = stage.client("sns").subscribe(
        TopicArn=stage.subject().outputs["AlarmTopicArn"],
        Protocol="sqs",
        Endpoint=stage.subject().outputs["QueueArn"],
        ReturnSubscriptionArn=True,
    )["SubscriptionArn"]
    assert arn.startswith("arn:")

    for name, check in doctor.CHECKS.items():
        lines = look(check)
        assert lines, name
        assert bad(lines) == []


@pytest.mark.parametrize("name", sorted(doctor.CHECKS.keys() - {"stack"}))
def test_a_check_without_permission_is_never_ok(stage, name):
    def refusing(service, **_):
        class Client:
            def __getattr__(self, operation):
                def refuse(*_, **__):
                    raise denied(operation)

                return refuse

        return Client()

    offline = Web(ssl.create_default_context())
    subject = stage.subject(clients=refusing, web=offline)
    found = list(doctor.findings(doctor.CHECKS[name], subject))

    assert [one.status for one in found] == ["FAIL"]
    if name not in {"sign-in", "page"}:
        assert "could not be completed" in found[0].says
        assert found[0].remedy == "grant this permission to the user that runs `doctor`"


@pytest.mark.parametrize(
    ("status", "expected"),
    [
        ("UPDATE_COMPLETE", "ok"),
        ("UPDATE_IN_PROGRESS", "warn"),
        ("UPDATE_ROLLBACK_COMPLETE", "warn"),
        ("UPDATE_ROLLBACK_FAILED", "FAIL"),
        ("ROLLBACK_COMPLETE", "FAIL"),
        ("DELETE_FAILED", "FAIL"),
    ],
)
def test_the_finding_depends_on_the_last_stack_operation(look, status, expected):
    [line] = look(check_stack, stack={"StackName": "mailpulse-test", "StackStatus": status})

    assert line.startswith(f"{expected} mailpulse-test is {status}")


def test_a_stack_of_an_earlier_version_lacks_outputs(look):
    assert "the stack has no output Issuer" in only(look(check_issuer, outputs={}))


class TestFunctions:
    def test_a_missing_function(self, stage, look):
        stage.client("lambda").delete_function(FunctionName="mailpulse-test-watch")

        assert (
            only(look(check_functions)) == "FAIL mailpulse-test-watch does not exist; run `deploy`"
        )

    def test_a_function_with_invalid_settings(self, stage, look):
        name = "mailpulse-test-ingest"
        client = stage.client("lambda")
        variables = client.get_function_configuration(FunctionName=name)["Environment"]["Variables"]
        client.update_function_configuration(
            FunctionName=name, Environment={"Variables": {**variables, "RETENTION_DAYS": "5"}}
        )

        assert f"{name} cannot load its settings: RETENTION_DAYS is 5" in only(
            look(check_functions)
        )

    @pytest.mark.parametrize(
        ("found", "expected"),
        [
            ({"State": "Failed", "StateReason": "no role"}, "FAIL {} is Failed (no role)"),
            ({"State": "Inactive"}, "warn {} is inactive"),
            (
                {"State": "Active", "LastUpdateStatus": "Failed"},
                "FAIL the last update of {} failed",
            ),
        ],
    )
    def test_a_function_that_is_not_active(self, stage, look, found, expected):
        answer = stage.client("lambda").get_function_configuration

        class Failing:
            def get_function_configuration(self, *, FunctionName):
                broken = found if FunctionName.endswith("publish") else {}
                return answer(FunctionName=FunctionName) | broken

        stage.fakes["lambda"] = Failing()

        assert only(look(check_functions)).startswith(expected.format("mailpulse-test-publish"))

    @pytest.mark.parametrize(
        ("today", "expected"),
        [
            ((2029, 1, 1), "warn Lambda support for python3.13 ends soon, on 2029-06-30"),
            ((2029, 6, 30), "FAIL Lambda support for python3.13 ended on 2029-06-30"),
        ],
    )
    def test_a_runtime_near_its_end_of_support(self, look, today, expected):
        assert only(look(check_functions, clock=lambda: datetime(*today, tzinfo=UTC))).startswith(
            expected
        )

    def test_an_unknown_runtime(self, stage, look):
        for name in doctored.FUNCTIONS:
            stage.client("lambda").update_function_configuration(
                FunctionName=f"mailpulse-test-{name}", Runtime="python2.3"
            )

        assert "unknown runtime python2.3" in only(look(check_functions))


class TestConcurrency:
    def test_a_new_account_has_too_little_concurrency_besides_ingest(self, stage, look):
        stage.fakes["lambda"].limit = dict.fromkeys(stage.fakes["lambda"].limit, 10)

        line = only(look(check_concurrency))

        assert line.startswith(
            "warn the account allows 10 concurrent executions, 10 of them unreserved, but ingest "
            "may use 10, and connections and the other functions need 24"
        )
        assert "L-B99A9384" in line
        assert "--set INGEST_CONCURRENCY=2" in line

    @pytest.mark.parametrize(("unreserved", "expected"), [(33, "warn"), (34, "ok")])
    def test_concurrency_reserved_by_other_functions_is_not_available(
        self, stage, look, unreserved, expected
    ):
        stage.fakes["lambda"].limit["UnreservedConcurrentExecutions"] = unreserved

        [line] = look(check_concurrency)

        assert line.startswith(expected)

    def test_ingest_without_a_maximum_concurrency(self, stage, look):
        del stage.fakes["lambda"].options[stage.mapping("ingest")["UUID"]]["ScalingConfig"]

        assert "the event source of ingest has no maximum concurrency" in only(
            look(check_concurrency)
        )


class TestEventSources:
    def test_a_disabled_event_source(self, stage, look):
        stage.fakes["lambda"].options[stage.mapping("ingest")["UUID"]]["State"] = "Disabled"

        assert "the event source of ingest is Disabled; run `deploy`" in only(
            look(check_event_sources)
        )

    @pytest.mark.parametrize(
        ("value", "types", "expected"),
        [
            ("true", [], "FAIL mailpulse-test-ingest has REPORTS_BATCH_ITEM_FAILURES=true, but"),
            (None, None, "warn mailpulse-test-ingest has REPORTS_BATCH_ITEM_FAILURES=None: one"),
        ],
    )
    def test_ingest_and_its_event_source_agree_on_reporting_failures(
        self, stage, look, value, types, expected
    ):
        client, name = stage.client("lambda"), "mailpulse-test-ingest"
        variables = client.get_function_configuration(FunctionName=name)["Environment"]["Variables"]
        del variables["REPORTS_BATCH_ITEM_FAILURES"]
        client.update_function_configuration(
            FunctionName=name,
            Environment={
                "Variables": variables | ({"REPORTS_BATCH_ITEM_FAILURES": value} if value else {})
            },
        )
        if types is not None:
            options = stage.fakes["lambda"].options[stage.mapping("ingest")["UUID"]]
            options["FunctionResponseTypes"] = types

        lines = look(check_event_sources)

        assert [line for line in lines if line.startswith(expected)]

    def test_an_event_source_without_an_option(self, stage, look):
        uuid = stage.mapping("aggregate")["UUID"]
        del stage.fakes["lambda"].options[uuid]["TumblingWindowInSeconds"]

        assert "aggregate has TumblingWindowInSeconds=None instead of 900" in only(
            look(check_event_sources)
        )

    def test_a_missing_and_a_duplicate_event_source(self, stage, look):
        client = stage.client("lambda")
        client.delete_event_source_mapping(UUID=stage.mapping("publish")["UUID"])
        assert "publish has 0 event sources" in only(look(check_event_sources))

        for arn in ("EventsStreamArn", "StatsStreamArn"):
            client.create_event_source_mapping(
                FunctionName="mailpulse-test-publish", EventSourceArn=stage.subject().outputs[arn]
            )
        assert "publish has 2 event sources" in only(look(check_event_sources))

    def test_an_event_source_that_cannot_read_its_source(self, stage, look):
        uuid = stage.mapping("ingest")["UUID"]
        says = "PROBLEM: Function call failed"
        stage.fakes["lambda"].options[uuid]["LastProcessingResult"] = says

        assert f"ingest is '{says}'" in only(look(check_event_sources))


class TestSes:
    @pytest.mark.parametrize(
        ("change", "expected"),
        [
            ({"SendingEnabled": False}, "FAIL sending is disabled in us-east-1"),
            (
                {"EnforcementStatus": "PROBATION"},
                "warn the enforcement status of the account is PROBATION",
            ),
            ({"ProductionAccessEnabled": False}, "warn the account is in the SES sandbox"),
        ],
    )
    def test_the_ses_account(self, stage, look, change, expected):
        stage.fakes["sesv2"].account |= change

        assert only(look(check_account)).startswith(expected)

    @pytest.mark.parametrize(
        ("change", "expected"),
        [
            ({"Enabled": False}, "FAIL the event destination news/mailpulse-test is disabled"),
            (
                {"MatchingEventTypes": ["SEND"]},
                "reports no DELIVERY, BOUNCE, COMPLAINT, OPEN, CLICK",
            ),
            (
                {"MatchingEventTypes": [x for x in doctored.ALL_TYPES if x != "REJECT"]},
                "warn the event destination news/mailpulse-test reports no REJECT",
            ),
            (
                {"SnsDestination": {"TopicArn": "arn:other"}},
                "FAIL the configuration set news does not",
            ),
        ],
    )
    def test_the_event_destination(self, stage, look, change, expected):
        stage.fakes["sesv2"].destination |= change

        assert expected in only(look(check_event_destination))

    def test_a_configuration_set_that_is_missing_or_disabled(self, stage, look):
        stage.fakes["sesv2"].sending = False
        assert "sending is disabled for the configuration set news" in only(
            look(check_event_destination)
        )

        stage.fakes["sesv2"].sets = {}
        gone, silent = bad(look(check_event_destination))
        assert "the configuration set news does not exist" in gone
        assert "does not publish" in silent

    def test_every_configuration_set_is_checked_if_none_is_given(self, stage, look):
        stage.fakes["sesv2"].sets = {"a": [], "b": [], SET: [stage.fakes["sesv2"].destination]}
        lines = look(check_event_destination, parameters={"ConfigurationSetName": "*"})
        assert bad(lines) == []
        assert "news/mailpulse-test" in lines[0]

        stage.fakes["sesv2"].sets = {"a": [], "b": []}
        assert "no configuration set publishes to" in only(
            look(check_event_destination, parameters={"ConfigurationSetName": "*"})
        )


def test_ses_is_checked_in_the_region_of_its_topic(stage, look):
    outputs = stage.subject().outputs
    elsewhere = outputs["TopicArn"].replace("us-east-1", "eu-west-1")

    lines = look(check_account, outputs={**outputs, "TopicArn": elsewhere})

    assert "ok sending is enabled in eu-west-1; " in lines
    assert stage.regions["sesv2"] == "eu-west-1"


class TestTopicAndQueue:
    def test_a_topic_that_does_not_let_ses_publish(self, stage, look):
        stage.set_topic_policy(Principal={"Service": "events.amazonaws.com"})

        assert "does not allow SES to publish for arn:aws:ses:us-east-1:123456789012:conf" in only(
            look(check_topic)
        )

    def test_a_topic_for_another_configuration_set(self, stage, look):
        other = f"arn:aws:ses:us-east-1:{doctored.ACCOUNT}:configuration-set/other"
        stage.set_topic_policy(Condition={"ArnLike": {"AWS:SourceArn": other}})

        assert only(look(check_topic)).startswith("FAIL")
        assert bad(look(check_topic, parameters={"ConfigurationSetName": "other"})) == []

    def test_a_topic_that_lets_ses_publish_for_any_account(self, stage, look):
        stage.set_topic_policy(Condition={})

        assert "warn SES may publish to the topic from any account" in only(look(check_topic))

    def test_a_topic_with_conditions_that_are_not_evaluated(self, stage, look):
        stage.set_topic_policy(Condition={"StringEquals": {"aws:SourceOrgID": "o-1"}})

        assert "cannot evaluate" in only(look(check_topic))

    def test_a_topic_with_a_key_that_ses_cannot_use(self, stage, look):
        stage._topic("KmsMasterKeyId", "alias/aws/sns")

        assert "is encrypted with a key that SES may not use" in only(look(check_topic))

    @pytest.mark.parametrize(
        ("statements", "expected"),
        [
            ([{"Action": "sqs:ReceiveMessage"}], "FAIL the policy of the queue does not allow"),
            ([{"Condition": {}}], "warn any topic may send"),
            ([{"Condition": {"StringEquals": {"aws:x": "1"}}}], "warn the policy of the queue has"),
            (
                [{}, {"Effect": "Deny", "Condition": {}}],
                "FAIL the policy of the queue does not allow",
            ),
        ],
    )
    def test_the_policy_of_the_queue(self, stage, look, statements, expected):
        stage.set_queue_policy(*statements)

        assert only(look(check_queue)).startswith(expected)

    @pytest.mark.parametrize(
        ("attribute", "value", "expected"),
        [
            ("RawMessageDelivery", "false", "warn raw message delivery is disabled"),
            ("FilterPolicy", '{"a": ["b"]}', "FAIL the subscription of the queue has a filter"),
        ],
    )
    def test_the_subscription(self, stage, look, attribute, value, expected):
        stage.client("sns").set_subscription_attributes(
            SubscriptionArn=stage.subscription(), AttributeName=attribute, AttributeValue=value
        )

        assert only(look(check_queue)).startswith(expected)

    def test_a_missing_subscription(self, stage, look):
        stage.client("sns").unsubscribe(SubscriptionArn=stage.subscription())

        assert "the queue is not subscribed to" in only(look(check_queue))


class TestPipeline:
    def test_messages_in_the_dead_letter_queue(self, stage, look):
        stage.watched()
        stage.client("sqs").send_message(
            QueueUrl=stage.subject().outputs["DeadLetterQueueUrl"], MessageBody="no event"
        )

        assert only(look(check_queues)) == (
            "warn 1 messages are in the dead-letter queue; to see why, run python -m dashboard dlq list --stage test"
        )

    def test_events_waiting_in_the_queue(self, stage, look):
        queue = stage.subject().outputs["QueueUrl"]
        stage.client("sqs").send_message(QueueUrl=queue, MessageBody="{}")
        assert "warn 1 events are waiting, and CloudWatch has no data" in only(look(check_queues))

        stage.client("cloudwatch").put_metric_data(
            Namespace="AWS/SQS",
            MetricData=[
                {
                    "MetricName": "ApproximateAgeOfOldestMessage",
                    "Dimensions": [{"Name": "QueueName", "Value": queue.rsplit("/", 1)[-1]}],
                    "Timestamp": datetime.now(UTC) - timedelta(seconds=61),
                    "Value": 900,
                }
            ],
        )
        assert "FAIL 1 events are waiting, the oldest for 900 s" in only(look(check_queues))

        stage.client("sqs").receive_message(QueueUrl=queue, VisibilityTimeout=300)
        retried = "FAIL 0 events are waiting and 1 in flight, the oldest for 900 s"
        assert retried in only(look(check_queues))

    @pytest.mark.parametrize(
        ("found", "expected"),
        [
            (
                {"checked_at": "2026-11-01T00:00:00Z"},
                "FAIL the last check of the pipeline was at 2026-11",
            ),
            ({"stream_lag_seconds": 72}, "FAIL the processing delay is 72 s"),
            ({"stream_lag_seconds": None}, "warn watch cannot measure"),
            ({"untracked": ("spring",)}, "warn delivered but never opened: spring"),
        ],
    )
    def test_health(self, stage, look, found, expected):
        stage.watched(**found)

        assert only(look(check_health)).startswith(expected)

    def test_a_pipeline_without_health_checks(self, look):
        assert only(look(check_health)).startswith("FAIL the pipeline has not been checked yet")

    def test_a_function_that_fails_repeatedly(self, stage, look):
        stage.watched(failing=("publish: Errors",))

        [found] = bad(look(check_health))
        assert found.startswith("FAIL publish fails repeatedly (CloudWatch metric Errors)")

    def test_a_pause_that_was_never_ended(self, stage, look):
        stage.watched()
        stage.stats_table().pipeline.pause("2026-11-23T10:00:00.000Z")

        assert "ingest has been paused since 2026-11-23T10:00:00.000Z" in only(look(check_health))


class TestIssuer:
    def test_an_issuer_with_another_name(self, public, look):
        public.serve_issuer(named="https://elsewhere.example.com")

        assert "identifies itself as 'https://elsewhere.example.com'" in only(look(check_issuer))

    @pytest.mark.parametrize(
        "keys", [[{"kty": "oct", "k": "c2VjcmV0"}], [{"kty": "none"}], ["no key"]]
    )
    def test_an_issuer_without_an_accepted_key(self, public, look, keys):
        public.serve_issuer(keys=keys)

        assert "none of the 1 keys" in only(look(check_issuer))

    @pytest.mark.parametrize("answer", [(404, {}, b""), (200, {}, b"not JSON"), (200, {}, b"[]")])
    def test_an_issuer_with_an_invalid_response(self, public, look, answer):
        public.documents["/pool/.well-known/openid-configuration"] = answer

        assert "unexpected response or no response" in only(look(check_issuer))

    def test_an_issuer_with_an_untrusted_certificate(self, look):
        untrusting = Web(ssl.create_default_context())

        assert "is not valid: self-signed certificate" in only(look(check_issuer, web=untrusting))

    def test_an_issuer_whose_certificate_expires_soon(self, stage, look, tmp_path):
        with doctored.public(tmp_path, days=5) as short:
            outputs = stage.subject().outputs | {"Issuer": short.issuer}
            line = only(look(check_issuer, web=short.web, outputs=outputs))

        assert line.endswith("expires in 5 days; renew it")

    def test_an_unreachable_issuer(self, stage, look):
        outputs = stage.subject().outputs | {"Issuer": "https://127.0.0.1:1"}

        assert "(ConnectionRefused" in only(look(check_issuer, outputs=outputs))


class TestPage:
    def test_a_missing_page(self, public, look):
        public.documents["/"] = (403, {}, b"AccessDenied")

        assert "returns status 403; run `deploy`" in only(look(check_page))

    def test_a_page_of_another_application(self, public, look):
        status, headers, _ = public.documents["/"]
        public.documents["/"] = (status, headers, b"<h1>It works!</h1>")

        assert "does not return the page" in only(look(check_page))

    def test_a_page_without_its_security_headers(self, public, look):
        public.serve_page(**{"X-Frame-Options": "SAMEORIGIN", "Referrer-Policy": ""})

        assert "lacks the headers x-frame-options, referrer-policy" in only(look(check_page))


class TestAlarms:
    def test_an_alarm_in_alarm_state(self, stage, look):
        stage.set_alarm("CountingLagAlarm", "ALARM")

        assert only(look(check_alarms)) == (
            "FAIL CountingLagAlarm is in alarm: 72 s is above 60 s; What CountingLagAlarm means"
        )

    def test_an_alarm_with_insufficient_data(self, stage, look):
        stage.set_alarm("CountingLagAlarm", "INSUFFICIENT_DATA")

        assert only(look(check_alarms)).startswith("warn no data yet for CountingLagAlarm;")

    def test_an_alarm_that_is_missing_or_has_no_action(self, stage, look):
        cloudwatch = stage.client("cloudwatch")
        cloudwatch.disable_alarm_actions(AlarmNames=["mailpulse-CountingLagAlarm"])
        cloudwatch.delete_alarms(AlarmNames=["mailpulse-DeadLettersAlarm"])

        mute, gone = bad(look(check_alarms))
        assert "the actions of CountingLagAlarm are disabled" in mute
        assert "DeadLettersAlarm (mailpulse-DeadLettersAlarm) does not exist" in gone

    def test_alarms_without_a_subscriber(self, stage, look):
        stage.client("sns").unsubscribe(SubscriptionArn=stage.subscription("AlarmTopicArn"))

        assert only(look(check_alarm_topic)).startswith("warn the alarm topic has no subscribers")

    @pytest.mark.parametrize(
        ("answer", "line"),
        [
            ({}, "ok a test message was sent to the alarm topic"),
            (
                {"FunctionError": "Unhandled", "Payload": BytesIO(b'{"errorMessage": "denied"}')},
                "FAIL mailpulse-test-watch could not send a test message: denied; run `deploy`",
            ),
        ],
    )
    def test_a_test_alarm_is_sent_by_watch(self, stage, look, answer, line):
        invoked = []

        def invoke(**parameters):
            invoked.append(parameters)
            return answer

        def clients(service):
            assert service == "lambda"
            return SimpleNamespace(invoke=invoke)

        [found] = look(check_test_alarm, clients=clients)
        assert found.startswith(line)
        assert invoked[0]["FunctionName"] == "mailpulse-test-watch"
        assert json.loads(invoked[0]["Payload"])["detail"] == {"test_alarm": True}

    def test_alarms_with_an_unconfirmed_subscriber(self, stage, look):
        class Unconfirmed:
            def get_paginator(self, _):
                return self

            def paginate(self, **_):
                one = {"Endpoint": "ops@example.com", "SubscriptionArn": "PendingConfirmation"}
                yield {"Subscriptions": [one]}

        stage.fakes["sns"] = Unconfirmed()

        assert "ops@example.com has not confirmed" in only(look(check_alarm_topic))


class TestCommand:
    @pytest.fixture
    def run(self, stage, monkeypatch):
        monkeypatch.setattr(doctor, "find_place", lambda *_: stage.place)

        def run(*options):
            arguments = ["--stage", "test", "--no-mail", *options]
            return CliRunner().invoke(doctor.command, arguments)

        return run

    def test_each_finding_is_one_line_and_a_failure_exits_with_status_1(self, run):
        done = run()

        assert done.exit_code == 1
        lines = done.output.splitlines()
        assert lines[0] == "ok    credentials        account 123456789012, region us-east-1"
        assert all(line.split()[0] in {"ok", "warn", "FAIL"} for line in lines)
        assert any(
            line.startswith("FAIL  health             the pipeline has not been checked")
            for line in lines
        )

    def test_json_output_has_the_same_findings(self, run):
        told = json.loads(run("--json").output)

        assert (told["stage"], told["ok"]) == ("test", False)
        assert {one["check"] for one in told["findings"]} == {"credentials", *doctor.CHECKS} - {
            "mail"
        }
        assert told["findings"][0] == {
            "check": "credentials",
            "status": "ok",
            "says": "account 123456789012, region us-east-1",
            "remedy": "",
        }

    def test_warnings_alone_exit_with_status_0(self, run, monkeypatch):
        monkeypatch.setattr(doctor, "CHECKS", {"alarm topic": check_alarm_topic})

        done = run()

        assert done.exit_code == 0, done.output

    def test_a_missing_stage(self, run):
        moto_account.client("cloudformation").delete_stack(StackName="mailpulse-test")

        done = run()

        assert done.exit_code == 1
        assert "FAIL  stack              mailpulse-test in us-east-1 does not exist" in done.output

    def test_a_stage_without_credentials(self, monkeypatch):
        for name in ("AWS_PROFILE", "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
            monkeypatch.delenv(name, raising=False)
        for name in ("AWS_CONFIG_FILE", "AWS_SHARED_CREDENTIALS_FILE"):
            monkeypatch.setenv(name, "/dev/null")
        monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")

        done = CliRunner().invoke(
            doctor.command, ["--stage", "test", "--region", "us-east-1"], catch_exceptions=False
        )

        assert done.exit_code == 1
        assert "FAIL  credentials        no valid AWS credentials" in done.output


def test_tables_that_serve_less_than_they_were_deployed_for_are_reported(stage, look):
    parameters = {**stage.subject().parameters, "WarmWriteUnits": "10000"}
    line = only(look(check_throughput, parameters=parameters))
    assert line.startswith("warn EventsTable serves 4,000 write units a second, not yet the 10,000")

    stage.client("dynamodb").update_table(
        TableName=stage.subject().output("EventsTable"),
        WarmThroughput={"WriteUnitsPerSecond": 10_000},
    )

    [line] = look(check_throughput, parameters=parameters)
    assert "EventsTable 10,000, StatsTable 4,000" in line


def test_tables_of_a_stack_without_a_rate_report_what_they_serve(look):
    [line] = look(check_throughput, parameters={})
    assert re.match(r"ok the tables serve 2,\d{3} events a second at once", line)

"""The connection pool under faults: a call succeeds, or fails soon with its reason."""

import json
import ssl
import time
from concurrent.futures import ThreadPoolExecutor

import pytest
from support.stub import (
    Authority,
    Stub,
    babbles,
    breaks_off,
    hangs_up,
    is_slow,
    replies,
    trickles,
)

from chalicelib.aws import tls
from chalicelib.aws.client import JsonService, TimeLimit
from chalicelib.aws.connection_pool import Timeouts
from chalicelib.aws.parallel import in_threads
from chalicelib.config import Config
from chalicelib.errors import AwsError, ConditionFailed, ConfigError
from chalicelib.live.fan_out import FanOut
from chalicelib.live.gateway import ManagementApi
from chalicelib.live.permissions import Connection

SOON = Timeouts(connect=2, answer=0.5)
ERROR = "com.amazonaws.dynamodb.v20120810#"


@pytest.fixture(scope="module")
def authority(tmp_path_factory):
    return Authority(tmp_path_factory.mktemp("authority"))


@pytest.fixture(scope="module")
def certificate(authority):
    return authority.certificate("127.0.0.1", "localhost")


@pytest.fixture
def stub(certificate):
    with Stub(certificate) as stub:
        yield stub


@pytest.fixture(autouse=True)
def credentials(monkeypatch):
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIAFIRST")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "secret")
    monkeypatch.setenv("AWS_SESSION_TOKEN", "first-token")


def config(url):
    return Config(
        events_table="events",
        stats_table="stats",
        subscriptions_table="subscriptions",
        queue_url="queue",
        dead_letter_queue_url="dead-letters",
        events_stream_arn="stream",
        pseudonym_key="key",
        endpoint_url=url,
        connections_endpoint="{endpoint}/{api_id}/{stage}",
    )


def on(stub, host="127.0.0.1"):
    return config(f"https://{host}:{stub.port}")


@pytest.fixture
def dynamo(stub, authority):
    return JsonService(
        "dynamodb",
        on(stub),
        deadlines=SOON,
        context=authority.context,
        pause=lambda _: None,
    )


def get(dynamo):
    return dynamo.call("get_item", TableName="t", Key={"k": {"S": "1"}})


def error(name, **more):
    return json.dumps({"__type": ERROR + name, "message": "because", **more}).encode()


class TestCalls:
    def test_calls_reuse_a_connection(self, dynamo, stub):
        for _ in range(3):
            get(dynamo)

        assert (stub.connections, len(stub.requests)) == (1, 3)

    def test_threads_share_a_few_connections(self, dynamo, stub):
        for _ in range(3):
            in_threads([lambda: get(dynamo)] * 100)

        assert stub.connections <= 8
        assert len(stub.requests) == 300

    def test_no_attempt_begins_after_the_time_limit(self, stub, authority):
        now, limit = [100.0], TimeLimit()
        stub.usual = replies(400, error("ThrottlingException"))
        limited = JsonService(
            "dynamodb",
            on(stub),
            context=authority.context,
            limit=limit,
            clock=lambda: now[0],
            pause=lambda _: None,
        )
        limit.until = 100.0

        with pytest.raises(AwsError, match="get_item was not called") as failed:
            get(limited)

        assert failed.value.code == "OutOfTime"
        assert stub.requests == []
        limit.until = 100.0 + 1e-9
        with pytest.raises(AwsError, match="ThrottlingException"):
            get(limited)
        assert len(stub.requests) == 1

    def test_a_connection_that_was_closed_while_idle_is_replaced(self, dynamo, stub):
        get(dynamo)
        stub.end_connections()

        assert get(dynamo) == {}
        assert (stub.connections, len(stub.requests)) == (2, 2)

    def test_an_unresponsive_connection_is_replaced(self, dynamo, stub):
        get(dynamo)
        stub.fall_silent()

        assert get(dynamo) == {}

    def test_connections_of_several_threads_are_replaced_after_one_timeout(self, stub, authority):
        pauses = []
        dynamo = JsonService(
            "dynamodb", on(stub), deadlines=SOON, context=authority.context, pause=pauses.append
        )
        stub.usual = is_slow(0.2)
        with ThreadPoolExecutor(2) as pool:
            list(pool.map(get, [dynamo, dynamo]))
        assert stub.connections == 2
        stub.fall_silent()

        assert get(dynamo) == {}
        assert len(pauses) == 1

    def test_a_connection_that_closes_during_a_request_is_replaced_at_once(self, stub, authority):
        pauses = []
        dynamo = JsonService("dynamodb", on(stub), context=authority.context, pause=pauses.append)
        get(dynamo)
        stub.plan.append(hangs_up)

        assert get(dynamo) == {}
        assert stub.connections == 2
        assert pauses == []

    @pytest.mark.parametrize(
        "fault",
        [
            hangs_up,
            breaks_off,
            babbles,
            is_slow(1),
            trickles,
            replies(500, error("InternalServerError")),
            replies(503, b"<html>"),
            replies(200, b"not JSON"),
            replies(400, error("ProvisionedThroughputExceededException")),
            replies(429, b"{}"),
        ],
    )
    def test_transient_errors_are_retried(self, dynamo, stub, fault):
        stub.plan.append(fault)
        stub.plan.append(replies(200, b'{"Item": {"k": {"S": "1"}}}'))

        assert get(dynamo) == {"Item": {"k": {"S": "1"}}}

    def test_a_persistent_error_is_raised_after_four_attempts(self, dynamo, stub):
        stub.usual = replies(400, error("ThrottlingException"))

        with pytest.raises(AwsError, match="ThrottlingException: because") as failed:
            get(dynamo)

        assert failed.value.code == "ThrottlingException"
        assert len(stub.requests) == 4

    def test_retries_use_exponential_backoff_with_jitter(self, stub, authority):
        pauses = []
        stub.usual = replies(500)
        for _ in range(20):
            dynamo = JsonService(
                "dynamodb", on(stub), context=authority.context, pause=pauses.append
            )
            with pytest.raises(AwsError, match="HTTP 500"):
                get(dynamo)

        for place, most in enumerate([0.25, 0.5, 1.0]):
            drawn = pauses[place::3]
            assert most / 2 < max(drawn) <= most
            assert len(set(drawn)) > 1

    def test_client_errors_are_not_retried(self, dynamo, stub):
        stub.plan.append(replies(400, error("ValidationException")))

        with pytest.raises(AwsError) as refused:
            get(dynamo)

        assert refused.value.code == "ValidationException"
        assert len(stub.requests) == 1

    def test_a_redirect_is_an_error(self, dynamo, stub):
        stub.plan.append(replies(307, b"{}", "location: https://elsewhere.example.com/"))

        with pytest.raises(AwsError, match="HTTP 307"):
            get(dynamo)

    def test_an_error_does_not_quote_a_response(self, dynamo, stub):
        stub.usual = replies(200, b'["viewer@example.com"]')

        with pytest.raises(AwsError, match="22 bytes") as failed:
            get(dynamo)

        assert "viewer" not in str(failed.value)

    def test_a_failed_condition_after_a_lost_response_returns_the_item(self, dynamo, stub):
        stub.plan.append(breaks_off)
        item = {"checkpoint": {"B": "AAE="}, "version": {"N": "7"}}
        body = error("ConditionalCheckFailedException", Item=item)
        stub.plan.append(replies(400, body))

        with pytest.raises(ConditionFailed) as failed:
            get(dynamo)

        assert failed.value.item == {"checkpoint": {"B": b"\0\1"}, "version": {"N": "7"}}

    def test_a_slow_response_times_out(self, dynamo, stub):
        stub.usual = trickles
        started = time.monotonic()

        with pytest.raises(AwsError, match=r"took too long|timed out"):
            get(dynamo)

        assert time.monotonic() - started < 4 * SOON.answer + 1

    def test_a_connection_with_connection_close_is_not_reused(self, dynamo, stub):
        stub.plan.append(replies(200, b"{}", "connection: close"))
        get(dynamo)
        get(dynamo)

        assert (stub.connections, len(stub.requests)) == (2, 2)

    def test_credentials_are_read_for_each_request(self, dynamo, stub, monkeypatch):
        get(dynamo)
        monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIASECOND")
        monkeypatch.setenv("AWS_SESSION_TOKEN", "second-token")
        get(dynamo)

        first, second = stub.requests
        assert b"Credential=AKIAFIRST/" in first
        assert b"x-amz-security-token: first-token\r\n" in first
        assert b"Credential=AKIASECOND/" in second
        assert b"x-amz-security-token: second-token\r\n" in second

    def test_each_request_is_signed_with_its_own_time(self, stub, authority):
        now = [0.0]
        dynamo = JsonService("dynamodb", on(stub), context=authority.context, clock=lambda: now[0])
        for now[0] in (1_800_000_000.2, 1_800_000_000.9, 1_800_000_001.0):
            get(dynamo)

        dates = [b"20270115T080000Z", b"20270115T080000Z", b"20270115T080001Z"]
        for date, request in zip(dates, stub.requests, strict=True):
            assert b"x-amz-date: " + date in request

    def test_without_credentials_the_error_names_the_missing_settings(self, dynamo, monkeypatch):
        monkeypatch.delenv("AWS_SECRET_ACCESS_KEY")

        with pytest.raises(ConfigError, match=r"neither AWS_SECRET_ACCESS_KEY nor .* is set"):
            get(dynamo)

    def test_an_unreachable_server_is_an_error(self, authority):
        with Stub() as stub:
            gone = on(stub)
        dynamo = JsonService("dynamodb", gone, deadlines=SOON, pause=lambda _: None)

        with pytest.raises(AwsError, match=r"get_item failed: no response .*Connection refused"):
            get(dynamo)

    def test_an_emulator_is_called_without_tls(self):
        with Stub() as stub:
            assert get(JsonService("dynamodb", config(f"http://127.0.0.1:{stub.port}"))) == {}


class TestVerification:
    def test_a_certificate_of_an_unknown_authority_is_refused(self, stub):
        dynamo = JsonService("dynamodb", on(stub), deadlines=SOON)

        with pytest.raises(AwsError, match="certificate verify failed") as refused:
            get(dynamo)

        assert refused.value.code == "CertificateNotTrusted"
        assert stub.requests == []

    def test_a_certificate_of_another_host_is_refused(self, authority):
        with Stub(authority.certificate("elsewhere.example.com")) as stub:
            dynamo = JsonService("dynamodb", on(stub), context=authority.context)
            with pytest.raises(AwsError, match="IP address mismatch"):
                get(dynamo)
            dynamo = JsonService("dynamodb", on(stub, "localhost"), context=authority.context)
            with pytest.raises(AwsError, match="Hostname mismatch"):
                get(dynamo)

        assert stub.requests == []

    def test_no_frames_are_sent_over_an_unverified_connection(self, authority, stub):
        with Stub(authority.certificate("elsewhere.example.com")) as elsewhere:
            fan_out = FanOut(on(elsewhere), context=authority.context)
            assert send(fan_out, 2) == ["failed", "failed"]
        assert elsewhere.requests == []

        assert send(FanOut(on(stub), deadlines=SOON), 2) == ["failed", "failed"]
        assert stub.requests == []

    def test_aws_is_verified_by_amazons_roots_and_others_by_the_systems(self):
        amazons = tls.context("dynamodb.us-east-1.amazonaws.com")
        names = {
            dict(part[0] for part in one["subject"])["commonName"] for one in amazons.get_ca_certs()
        }

        assert names == {
            *(f"Amazon Root CA {number}" for number in (1, 2, 3, 4)),
            "Starfield Services Root Certificate Authority - G2",
        }
        assert amazons.verify_mode == ssl.CERT_REQUIRED
        assert amazons.check_hostname
        assert tls.context("amazonaws.com.example.com") is not amazons
        assert tls.context("sqs.eu-west-1.amazonaws.com") is amazons

    def test_the_system_trusts_amazons_roots(self):
        ours = set(tls.context("sqs.us-east-1.amazonaws.com").get_ca_certs(binary_form=True))
        everyones = set(tls.context("example.com").get_ca_certs(binary_form=True))

        assert len(ours) == 5
        assert ours <= everyones

    def test_amazons_roots_do_not_expire_soon(self):
        for root in tls.context("sqs.us-east-1.amazonaws.com").get_ca_certs():
            assert ssl.cert_time_to_seconds(root["notAfter"]) > time.time() + 5 * 365 * 86400


class TestConnections:
    @pytest.fixture
    def connections(self, stub, authority):
        return ManagementApi(on(stub), deadlines=SOON, context=authority.context)

    @pytest.mark.parametrize(
        ("reply", "outcome"),
        [
            (replies(200), "sent"),
            (replies(302), "failed"),
            (replies(410), "gone"),
            (replies(429), "failed"),
            (replies(500), "failed"),
            (replies(403), "failed"),
            (is_slow(1), "failed"),
            (hangs_up, "failed"),
            (breaks_off, "failed"),
            (babbles, "failed"),
        ],
    )
    def test_each_response_has_its_send_result(self, connections, stub, reply, outcome):
        stub.plan.append(reply)

        assert connections.post("api-1/prod", "L0SM9=", "hello") == outcome

    def test_a_frame_is_posted_to_its_connection(self, connections, stub):
        connections.post("api-1/prod", "L0SM9=", "hällo")

        [request] = stub.requests
        assert request.startswith(b"POST /api-1/prod/@connections/L0SM9%3D HTTP/1.1\r\n")
        assert request.endswith(b"\r\n\r\n" + "hällo".encode())

    def test_a_connection_is_closed(self, connections, stub):
        stub.plan.append(replies(204, b""))
        connections.close("api-1/prod", "L0SM9=")

        [request] = stub.requests
        assert request.startswith(b"DELETE /api-1/prod/@connections/L0SM9%3D HTTP/1.1\r\n")

    def test_a_failure_to_close_a_connection_is_ignored(self, connections, stub):
        stub.plan.append(hangs_up)

        connections.close("api-1/prod", "L0SM9=")


def viewers(number):
    return [Connection(f"viewer-{one}", "api-1/prod", connected_at=0) for one in range(number)]


def send(fan_out, number, frames=("hello",), until=None):
    return fan_out.send(viewers(number), frames, until or time.time() + 20)


class TestFanOut:
    @pytest.fixture
    def fan_out(self, stub, authority):
        fan_out = FanOut(on(stub), deadlines=SOON, context=authority.context)
        yield fan_out
        fan_out.close()

    def test_every_viewer_receives_every_frame_in_order(self, fan_out, stub):
        assert send(fan_out, 50, ("first", "second")) == ["sent"] * 50

        got = {}
        for request in stub.requests:
            viewer = request.split(b" ")[1].rpartition(b"/")[2].decode()
            got.setdefault(viewer, []).append(request.rpartition(b"\r\n\r\n")[2])
        assert got == {f"viewer-{one}": [b"first", b"second"] for one in range(50)}

    def test_many_requests_run_concurrently_and_few_need_few_connections(self, stub, authority):
        patient = Timeouts(connect=30, answer=30)
        fan_out = FanOut(on(stub), deadlines=patient, context=authority.context)
        stub.usual = is_slow(0.1)
        send(fan_out, 20)
        assert 10 <= stub.connections <= 20

        send(fan_out, 600)
        assert stub.most_at_once == stub.connections
        assert 80 <= stub.connections <= 128
        fan_out.close()

    def test_connections_are_reused(self, fan_out, stub):
        send(fan_out, 20)
        made = stub.connections
        send(fan_out, 20)

        assert stub.connections == made

    def test_connections_with_connection_close_are_not_reused(self, fan_out, stub):
        stub.usual = replies(200, b"", "connection: close")
        send(fan_out, 20)

        assert stub.connections == 20

    def test_connections_that_were_closed_while_idle_are_replaced(self, fan_out, stub):
        send(fan_out, 20)
        made = stub.connections
        stub.end_connections()

        assert send(fan_out, 20) == ["sent"] * 20
        assert stub.connections > made

    def test_unresponsive_connections_are_replaced(self, fan_out, stub):
        send(fan_out, 20)
        stub.fall_silent()

        assert send(fan_out, 40) == ["sent"] * 40

    @pytest.mark.parametrize(
        "fault", [replies(429), replies(500), hangs_up, breaks_off, babbles, is_slow(1), trickles]
    )
    def test_a_failed_frame_is_retried_once(self, fan_out, stub, fault):
        stub.plan.append(fault)

        assert send(fan_out, 3) == ["sent"] * 3
        assert len(stub.requests) == 4

    def test_a_frame_that_fails_twice_delays_no_other_viewer(self, fan_out, stub):
        def refuse_the_second(connection):
            status = 429 if b"/viewer-1 " in stub.requests[-1] else 200
            replies(status)(connection)

        stub.usual = refuse_the_second

        assert send(FanOutOfOne(fan_out), 3) == ["sent", "failed", "sent"]

    def test_a_gone_connection_is_not_retried(self, fan_out, stub):
        stub.plan += [replies(410), replies(410)]

        outcomes = send(fan_out, 5)

        assert sorted(outcomes) == ["gone", "gone", "sent", "sent", "sent"]
        assert len(stub.requests) == 5

    def test_no_frame_is_sent_after_the_deadline(self, fan_out, stub):
        assert send(fan_out, 3, until=time.time() - 1) == ["failed"] * 3
        assert stub.requests == []

    def test_slow_requests_end_at_the_deadline(self, fan_out, stub):
        stub.usual = trickles
        started = time.monotonic()

        assert send(fan_out, 4) == ["failed"] * 4

        assert time.monotonic() - started < 2 * SOON.answer + 1

    def test_an_unreachable_server_fails_every_frame(self, authority):
        with Stub() as stub:
            gone = on(stub)
        fan_out = FanOut(gone, deadlines=Timeouts(connect=60, answer=60))
        started = time.monotonic()

        assert send(fan_out, 3) == ["failed"] * 3

        assert time.monotonic() - started < 30, "it does not wait for refused connections"


class FanOutOfOne:
    """Sends to one connection after the other."""

    def __init__(self, fan_out):
        self._fan_out = fan_out

    def send(self, subscribers, frames, until):
        return [self._fan_out.send([one], frames, until)[0] for one in subscribers]

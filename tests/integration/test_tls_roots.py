"""A replaced root certificate of AWS does not stop a stage: the system's roots are a fallback."""

import json
import socket
import ssl
import time

import pytest
from support.stub import Authority, Stub

from chalicelib.aws import tls
from chalicelib.aws.client import JsonService
from chalicelib.config import Config
from chalicelib.errors import AwsError
from chalicelib.live.fan_out import FanOut
from chalicelib.live.gateway import ManagementApi
from chalicelib.live.permissions import Connection

HOST = "dynamodb.us-east-1.amazonaws.com"


@pytest.fixture(scope="module")
def replaced(tmp_path_factory):
    """Return a new authority of AWS's certificates that our bundled roots do not include."""
    return Authority(tmp_path_factory.mktemp("replaced"))


@pytest.fixture(autouse=True)
def process(monkeypatch, tmp_path):
    """Start like a new process, with AWS's hostnames on loopback and no system roots."""
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIAFIRST")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "secret")
    monkeypatch.setenv("SSL_CERT_DIR", str(tmp_path))
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "none.pem"))
    monkeypatch.setattr(
        socket,
        "getaddrinfo",
        lambda _, port, **__: [(socket.AF_INET, socket.SOCK_STREAM, 6, "", ("127.0.0.1", port))],
    )
    forget()
    yield
    forget()


def forget():
    tls._trusting.cache_clear()
    tls._widened.clear()


@pytest.fixture
def system(monkeypatch, replaced):
    """Make the system trust the new authority."""
    monkeypatch.setenv("SSL_CERT_FILE", str(replaced.path))


@pytest.fixture
def stub(replaced):
    with Stub(replaced.certificate(HOST)) as stub:
        yield stub


def config(stub, host=HOST):
    return Config(
        *["x"] * 7,
        endpoint_url=f"https://{host}:{stub.port}",
        connections_endpoint="{endpoint}/{api_id}/{stage}",
    )


def by_call(config):
    try:
        service = JsonService("dynamodb", config, pause=lambda _: None)
        return service.call("get_item") == {}
    except AwsError as error:
        assert error.code == "CertificateNotTrusted"
        return False


def by_post(config):
    return ManagementApi(config).post("api-1/prod", "viewer-1", "hello") == "sent"


def by_pushes(config):
    fan_out = FanOut(config)
    viewers = [Connection(f"viewer-{one}", "api-1/prod", connected_at=0) for one in range(9)]
    outcomes = fan_out.send(viewers, ["hello"], time.time() + 20)
    fan_out.close()
    assert len(set(outcomes)) == 1
    return outcomes[0] == "sent"


CLIENTS = pytest.mark.parametrize("send", [by_call, by_post, by_pushes])


def logged(capsys):
    return [json.loads(line)["event"] for line in capsys.readouterr().out.splitlines()]


@CLIENTS
@pytest.mark.usefixtures("system")
def test_the_systems_roots_verify_what_amazons_roots_do_not(send, stub, capsys):
    assert send(config(stub))
    assert send(config(stub))

    assert logged(capsys) == ["system_roots_trusted"], "once per process"


@CLIENTS
@pytest.mark.usefixtures("system")
def test_the_systems_roots_are_kept_for_the_process(send, stub, monkeypatch):
    assert send(config(stub))
    monkeypatch.delenv("SSL_CERT_FILE")

    assert send(config(stub))


@CLIENTS
def test_a_server_that_neither_verifies_is_refused_and_sent_nothing(send, stub):
    assert not send(config(stub))
    assert not send(config(stub))

    assert stub.requests == []


@CLIENTS
@pytest.mark.usefixtures("system")
def test_another_server_is_refused_regardless_of_its_root(send, replaced):
    with Stub(replaced.certificate("sqs.us-east-1.amazonaws.com")) as stub:
        assert not send(config(stub))

        assert send(config(stub, "sqs.us-east-1.amazonaws.com"))
        assert not send(config(stub)), "hostnames are verified with these roots, too"

    assert len(stub.requests) in (1, 9)


def test_hosts_other_than_aws_are_verified_only_by_the_systems_roots(stub, capsys):
    error = ssl.SSLCertVerificationError()
    error.verify_code = 20

    assert not tls.widen(tls.context("example.com"), error)
    assert not by_call(config(stub, "example.com"))
    assert logged(capsys) == []


@pytest.mark.usefixtures("system")
def test_a_valid_chain_for_another_hostname_does_not_change_the_roots(stub, capsys):
    context = tls.context(HOST)
    error = ssl.SSLCertVerificationError()
    error.verify_code = 62

    assert not tls.widen(context, error)
    assert logged(capsys) == []


@pytest.mark.usefixtures("system")
def test_certificates_and_names_are_verified_after_a_fallback(stub):
    assert by_call(config(stub))

    context = tls.context(HOST)
    assert context.verify_mode == ssl.CERT_REQUIRED
    assert context.check_hostname

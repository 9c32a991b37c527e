"""Credentials from the environment or, with SnapStart, from the container endpoint."""

import json
from datetime import UTC, datetime

import pytest
from support.stub import Authority, Stub, breaks_off, hangs_up, replies

from chalicelib.aws import credentials as module
from chalicelib.aws.client import JsonService
from chalicelib.aws.credentials import ContainerCredentials, credentials
from chalicelib.aws.sigv4 import Credentials
from chalicelib.config import Config
from chalicelib.errors import AwsError, ConfigError

URI = "AWS_CONTAINER_CREDENTIALS_FULL_URI"
TOKEN = "AWS_CONTAINER_AUTHORIZATION_TOKEN"
FILE = "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE"
SECRETS = ("the-secret-key", "the-session-token", "the-authorization")
NOW = 1_800_000_000


def document(name="FIRST", expires=NOW + 3600, **changes):
    found = {
        "AccessKeyId": f"AKIA{name}",
        "SecretAccessKey": "the-secret-key",
        "Token": "the-session-token",
        "Expiration": datetime.fromtimestamp(expires, UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
        **changes,
    }
    return json.dumps({name: value for name, value in found.items() if value is not None}).encode()


def offers(name="FIRST", expires=NOW + 3600, **changes):
    return replies(200, document(name, expires, **changes))


class Clock:
    now = NOW

    def __call__(self):
        return self.now


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def stub():
    with Stub() as stub:
        stub.usual = offers()
        yield stub


@pytest.fixture
def environ(stub):
    return {URI: f"http://127.0.0.1:{stub.port}/creds?v=1", TOKEN: "the-authorization"}


@pytest.fixture
def container(environ, clock):
    return ContainerCredentials(environ, clock=clock, pause=lambda _: None)


def key(container):
    return container.get().access_key


def test_requests_to_the_endpoint_have_the_authorization_token(container, stub):
    found = container.get()

    assert found == Credentials("AKIAFIRST", "the-secret-key", "the-session-token")
    [request] = stub.requests
    assert request.startswith(b"GET /creds?v=1 HTTP/1.1\r\n")
    assert b"\r\nauthorization: the-authorization\r\n" in request


def test_without_an_authorization_token_no_header_is_sent(container, environ, stub):
    del environ[TOKEN]
    container.get()

    assert b"authorization" not in stub.requests[0]


def test_the_token_file_takes_precedence_and_is_read_each_time(
    container, environ, stub, clock, tmp_path
):
    path = tmp_path / "token"
    environ[FILE] = str(path)
    for token in ("the first", "the second"):
        path.write_text(token)
        container.get()
        assert f"\r\nauthorization: {token}\r\n".encode() in stub.requests[-1]
        clock.now += 3600
        stub.usual = offers(expires=clock.now + 3600)


def test_credentials_are_cached_until_five_minutes_before_they_expire(container, stub, clock):
    assert key(container) == "AKIAFIRST"
    stub.usual = offers("SECOND", NOW + 7200)

    clock.now = NOW + 3299
    assert key(container) == "AKIAFIRST"
    clock.now = NOW + 3300
    assert key(container) == "AKIASECOND"
    assert len(stub.requests) == 2


def test_a_snapshot_that_is_restored_later_refreshes_its_credentials(container, stub, clock):
    container.get()
    clock.now += 14 * 86400
    stub.usual = offers("SECOND", clock.now + 3600)

    assert key(container) == "AKIASECOND"


def test_short_lived_credentials_are_not_fetched_for_each_request(container, stub, clock):
    stub.usual = offers(expires=NOW + 120)
    for _ in range(60):
        container.get()
        clock.now += 1
    assert len(stub.requests) == 1

    container.get()
    assert len(stub.requests) == 2


def test_the_previous_credentials_are_used_while_a_refresh_fails(container, stub, clock, capsys):
    container.get()
    stub.usual = replies(500, b"the-secret-key")
    clock.now = NOW + 3400
    for _ in range(30):
        assert key(container) == "AKIAFIRST"
        clock.now += 1
    assert len(stub.requests) == 1 + 3, "the endpoint is not called for a minute"
    [logged] = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert logged["event"] == "credentials_not_refreshed"
    assert "status 500" in logged["detail"]

    clock.now = NOW + 3600
    with pytest.raises(AwsError, match="status 500"):
        container.get()


@pytest.mark.parametrize("fault", [hangs_up, breaks_off, replies(500), replies(200, b"not JSON")])
def test_transient_errors_are_retried(container, stub, fault):
    stub.plan += [fault, fault]

    assert key(container) == "AKIAFIRST"
    assert len(stub.requests) == 3


@pytest.mark.parametrize(
    "reply",
    [
        replies(403, b"the-secret-key the-authorization"),
        replies(200, b"the-secret-key"),
        offers(AccessKeyId=None),
        offers(SecretAccessKey=None),
        offers(Token=None),
        offers(Token=["the-session-token"]),
        offers(Expiration=None),
        offers(Expiration="the-secret-key"),
        offers(Expiration="2030-01-01T00:00:00"),
        offers(expires=NOW),
        replies(200, b'{"AccessKeyId": "' + b"x" * 100_000),
    ],
)
def test_an_invalid_credentials_response_is_an_error_without_secrets(container, stub, reply):
    stub.usual = reply

    with pytest.raises(AwsError, match="no credentials from the endpoint") as failed:
        container.get()

    assert failed.value.code == "NoCredentials"
    assert no_secret_in(failed.value)


def no_secret_in(error):
    """Check the error and its causes, as a traceback shows them."""
    while error is not None:
        assert not [one for one in SECRETS if one in repr(error) + str(error)]
        error = error.__cause__ or (None if error.__suppress_context__ else error.__context__)
    return True


@pytest.mark.parametrize("token", ["the-authorization\r\nx: y", "the-authorization\n", "é"])
def test_a_token_that_is_not_a_valid_header_value_is_not_sent(container, environ, stub, token):
    environ[TOKEN] = token

    with pytest.raises(AwsError, match="token is not") as failed:
        container.get()

    assert no_secret_in(failed.value)
    assert stub.requests == []


def test_a_missing_token_file_is_an_error(container, environ, stub, tmp_path):
    environ[FILE] = str(tmp_path / "missing")

    with pytest.raises(AwsError, match="No such file"):
        container.get()
    assert stub.requests == []


@pytest.mark.parametrize(
    "uri",
    [
        "",
        "http://example.com/creds",
        "http://169.254.169.254/creds",
        "http://127.example.com/creds",
        "http://localhost.example.com/creds",
        "http://localhost:80@example.com/creds",
        "http://127.0.0.1@example.com/creds",
        "ftp://127.0.0.1/creds",
        "//127.0.0.1/creds",
    ],
)
def test_over_http_only_loopback_and_container_hosts_receive_the_token(container, environ, uri):
    environ[URI] = uri

    with pytest.raises(ConfigError, match=f"{URI} points to .*: set an https URL") as refused:
        container.get()
    assert no_secret_in(refused.value)


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1", "127.8.9.10", "169.254.170.2"])
def test_container_hosts_are_requested_over_http(environ, host):
    parts = module.urlsplit(f"http://{host}:1/creds")

    assert module._NEAR.fullmatch(parts.hostname)


def test_an_https_endpoint_is_verified(container, environ, tmp_path):
    with Stub(Authority(tmp_path).certificate("127.0.0.1")) as stub:
        environ[URI] = f"https://127.0.0.1:{stub.port}/creds"

        with pytest.raises(AwsError, match="certificate verify failed"):
            container.get()
        assert stub.requests == []


@pytest.fixture
def process(monkeypatch, environ, container):
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN"):
        monkeypatch.delenv(name, raising=False)
    for name, value in environ.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr(module, "_container", container)
    return monkeypatch


@pytest.mark.usefixtures("process")
def test_calls_are_signed_with_the_containers_credentials():
    with Stub() as dynamo:
        config = Config(*["x"] * 7, endpoint_url=f"http://127.0.0.1:{dynamo.port}")
        JsonService("dynamodb", config).call("get_item")

    [request] = dynamo.requests
    assert b"Credential=AKIAFIRST/" in request
    assert b"x-amz-security-token: the-session-token\r\n" in request


def test_environment_variables_take_precedence(process, stub):
    process.setenv("AWS_ACCESS_KEY_ID", "AKIAENV")
    process.setenv("AWS_SECRET_ACCESS_KEY", "another")

    assert credentials() == Credentials("AKIAENV", "another")
    assert stub.requests == []


def test_without_any_credentials_the_error_names_the_missing_settings(process):
    process.delenv(URI)

    with pytest.raises(ConfigError, match=f"neither AWS_ACCESS_KEY_ID nor {URI} is set"):
        credentials()

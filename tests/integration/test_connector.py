"""A connection is opened to any address of a hostname that accepts it and passes verification."""

import errno
import socket
import threading
import time
from contextlib import contextmanager, suppress

import pytest
from support.stub import Authority, Stub, is_slow

from chalicelib.aws import connector
from chalicelib.aws.client import JsonService
from chalicelib.aws.connection_pool import Timeouts
from chalicelib.aws.http11 import parse_url
from chalicelib.config import Config
from chalicelib.errors import AwsError
from chalicelib.live.fan_out import FanOut
from chalicelib.live.permissions import Connection

HOST = "service.example.com"
DEADLINES = Timeouts(connect=2, answer=2)


@pytest.fixture(scope="module")
def authority(tmp_path_factory):
    return Authority(tmp_path_factory.mktemp("authority"))


@pytest.fixture(scope="module")
def certificate(authority):
    return authority.certificate(HOST)


@pytest.fixture(autouse=True)
def credentials(monkeypatch):
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIAFIRST")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "secret")


class Names:
    """Resolves the hostname to addresses that a test sets."""

    def __init__(self):
        self.addresses = []
        self.asked = 0

    def __call__(self, host, port, *_, **__):
        assert host == HOST
        self.asked += 1
        if not self.addresses:
            raise socket.gaierror(socket.EAI_AGAIN, "Temporary failure in name resolution")
        family = {True: socket.AF_INET6, False: socket.AF_INET}
        return [
            (family[":" in one], socket.SOCK_STREAM, 6, "", (one, port)) for one in self.addresses
        ]


@pytest.fixture
def names(monkeypatch):
    names = Names()
    monkeypatch.setattr(socket, "getaddrinfo", names)
    return names


@pytest.fixture
def first(certificate):
    with Stub(certificate, address=("127.0.0.1", 0)) as stub:
        yield stub


@pytest.fixture
def second(certificate, first):
    with Stub(certificate, address=("127.0.0.2", first.port)) as stub:
        yield stub


def config(port):
    return Config(
        events_table="events",
        stats_table="stats",
        subscriptions_table="subscriptions",
        queue_url="queue",
        dead_letter_queue_url="dead-letters",
        events_stream_arn="stream",
        pseudonym_key="key",
        endpoint_url=f"https://{HOST}:{port}",
        connections_endpoint="{endpoint}/{api_id}/{stage}",
    )


@contextmanager
def calls(port, authority, deadlines):
    service = JsonService(
        "dynamodb",
        config(port),
        deadlines=deadlines,
        context=authority.context,
        pause=lambda _: None,
    )

    def call():
        try:
            return service.call("get_item") == {}
        except AwsError:
            return False

    yield call


@contextmanager
def pushes(port, authority, deadlines):
    fan_out = FanOut(config(port), deadlines=deadlines, context=authority.context)
    viewers = [Connection(f"viewer-{one}", "api-1/prod", connected_at=0) for one in range(5)]
    yield lambda: set(fan_out.send(viewers, ["hello"], time.time() + 20)) == {"sent"}
    fan_out.close()


@pytest.fixture(params=[calls, pushes])
def client(request, authority, names):
    """Return a function that calls a new client and returns whether the call succeeded."""
    opened = []

    def make(port, deadlines=DEADLINES):
        opened.append(request.param(port, authority, deadlines))
        return opened[-1].__enter__()

    yield make
    for one in opened:
        one.__exit__(None, None, None)


def test_a_server_that_moves_to_another_address_is_found_again(client, names, certificate):
    names.addresses = ["127.0.0.1"]
    with Stub(certificate) as stub:
        send = client(stub.port)
        assert send()

    names.addresses = ["127.0.0.2"]
    with Stub(certificate, address=("127.0.0.2", stub.port)):
        assert send()


def test_a_server_that_returns_after_failed_attempts_is_found_again(client, names, certificate):
    names.addresses = ["127.0.0.1"]
    with Stub(certificate) as stub:
        send = client(stub.port)
        assert send()
    assert not send()

    with Stub(certificate, address=("127.0.0.1", stub.port)):
        assert send()


def test_an_address_that_became_unreachable_is_dropped(client, names, first, second, monkeypatch):
    names.addresses = ["127.0.0.1"]
    send = client(first.port)
    assert send()

    without_route = {"127.0.0.1"}
    connect_ex = socket.socket.connect_ex
    monkeypatch.setattr(
        socket.socket,
        "connect_ex",
        lambda self, place: (
            errno.ENETUNREACH if place[0] in without_route else connect_ex(self, place)
        ),
    )
    first.end_connections()
    assert not send()

    names.addresses = ["127.0.0.2"]
    assert send()
    assert second.requests


@pytest.mark.parametrize(
    "unreachable",
    [
        "127.0.0.3",  # refused
        "255.255.255.255",  # no address to connect to
        "2001:db8::1",  # no route, or no IPv6
    ],
)
def test_a_refused_connection_falls_back_to_the_next_address(client, names, second, unreachable):
    names.addresses = [unreachable, "127.0.0.2"]
    send = client(second.port)

    assert send()
    assert send()
    assert names.asked == 1, "the working address is kept"


def test_an_address_of_another_server_falls_back_to_the_next_address(
    client, names, authority, second
):
    other = authority.certificate("other.example.com")
    with Stub(other, address=("127.0.0.3", second.port)) as stub:
        names.addresses = ["127.0.0.3", "127.0.0.2"]

        assert client(second.port)()
        assert stub.requests == []


@pytest.mark.parametrize("greeting", [b"SSH-2.0-OpenSSH_9.2\r\n", b""])
def test_an_address_without_tls_falls_back_to_the_next_address(client, names, second, greeting):
    with serve_greeting(("127.0.0.3", second.port), greeting):
        names.addresses = ["127.0.0.3", "127.0.0.2"]

        assert client(second.port)()


@contextmanager
def serve_greeting(address, greeting):
    """Send a greeting on each connection, and close it."""
    listener = socket.create_server(address)

    def serve():
        with suppress(OSError):
            while True:
                connection, _ = listener.accept()
                with connection:
                    connection.sendall(greeting)

    threading.Thread(target=serve, daemon=True).start()
    yield
    listener.shutdown(socket.SHUT_RDWR)
    listener.close()


def test_a_silent_address_is_skipped_by_the_next_attempt(client, names, second):
    with socket.create_server(("127.0.0.3", second.port)):
        names.addresses = ["127.0.0.3", "127.0.0.2"]
        started = time.monotonic()

        assert client(second.port, Timeouts(connect=0.3, answer=2))()

    assert time.monotonic() - started < 2


def test_an_address_whose_server_does_not_respond_is_not_used_again(client, names, first, second):
    first.usual = is_slow(1)
    names.addresses = ["127.0.0.1", "127.0.0.2"]

    assert client(first.port, Timeouts(connect=2, answer=0.3))()
    assert second.requests


def test_the_name_is_resolved_again_when_no_address_is_left(client, names, second):
    names.addresses = ["127.0.0.3", "127.0.0.4"]
    send = client(second.port)
    assert not send()

    names.addresses = ["127.0.0.2"]

    assert send()


def test_a_failed_resolution_is_not_repeated_by_each_attempt(client, names, second):
    send = client(second.port)

    assert not send()
    assert not send()
    assert names.asked == 1, "each attempt may block for seconds"


@pytest.fixture
def opener(names, second):
    return connector.Connector(parse_url(f"https://{HOST}:{second.port}")[0])


def test_a_failed_resolution_is_repeated_after_a_second(opener, names):
    with pytest.raises(socket.gaierror):
        opener._resolved()
    names.addresses = ["127.0.0.2"]
    opener._resolve_at -= 1

    assert opener._resolved()


def test_addresses_are_resolved_again_after_a_minute(opener, names):
    names.addresses = ["127.0.0.2"]
    opener._resolved()
    opener._resolved()
    assert names.asked == 1

    opener._resolve_at -= 60
    opener._resolved()
    assert names.asked == 2


def test_an_attempt_that_times_out_is_retried_at_another_address(opener, names, second):
    with socket.create_server(("127.0.0.3", second.port)):
        names.addresses = ["127.0.0.3", "127.0.0.2"]

        with pytest.raises(TimeoutError):
            opener.open_within(0.1)

    assert [address[0] for _, address in opener._resolved()] == ["127.0.0.2"]


def test_without_tls_a_refused_connection_falls_back_to_the_next_address(names, second):
    names.addresses = ["127.0.0.3", "127.0.0.2"]
    opener = connector.Connector(parse_url(f"http://{HOST}:{second.port}")[0])

    opened, _ = opener.open_within(1)
    with opened:
        assert opened.getpeername()[0] == "127.0.0.2"


def test_a_name_without_addresses_is_an_error(opener, monkeypatch):
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: [])

    with pytest.raises(OSError, match=r"service\.example\.com has no address"):
        opener.open_within(1)

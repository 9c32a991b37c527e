"""Each request gets its own response or an error, for arbitrary bytes from a server."""

import itertools
import select
import socket
import threading
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.responses import interim, ok, responses
from support.stub import HangUp, Stub

from chalicelib.aws.connection_pool import ConnectionPool, Timeouts
from chalicelib.aws.http11 import parse_url, request
from chalicelib.config import Config
from chalicelib.live.fan_out import FanOut

DEADLINES = Timeouts(connect=2, answer=2)
ERROR = "error"


class Cut(socket.socket):
    """A socket that reads a few bytes at a time."""

    sizes = itertools.repeat(2**16)

    def recv(self, most):
        return super().recv(min(most, next(self.sizes)))

    def do_handshake(self):
        """Do nothing: TLS does not change how bytes are read."""


class Cutting:
    """Creates sockets whose successive reads return these numbers of bytes."""

    def __init__(self, sizes):
        self._sizes = itertools.cycle(sizes)

    def __call__(self, host):
        return self

    def wrap_socket(self, plain, **_):
        cut = Cut(fileno=plain.detach())
        cut.setblocking(False)
        cut.sizes = self._sizes
        return cut


def by_calls(url, number, context):
    origin, _ = parse_url(url)
    wire = ConnectionPool(origin, DEADLINES, 1000, context)
    for one in range(number):
        try:
            response = wire.exchange(asking(one))
            yield response.status, response.body
        except OSError:
            yield ERROR
    wire.close()


def by_pushes(url, number, context):
    origin, _ = parse_url(url)
    fan_out = FanOut(Config(*["x"] * 7), deadlines=DEADLINES, context=context)
    found = []

    def work():
        for one in range(number):
            try:
                found.append(((yield from fan_out._status(origin, asking(one))), None))
            except OSError:
                found.append(ERROR)

    fan_out._drive([work()])
    fan_out.close()
    return found


def asking(number):
    return request("POST", f"/{number}", "", b"")


def serving(sent):
    """Send each request its bytes, and close the connection afterwards if requested."""
    stub = Stub()

    def reply(connection):
        number = int(stub.requests[-1].split(b" ")[1][1:])
        data, ends = sent[number]
        connection.sendall(data)
        if ends:
            raise HangUp

    stub.usual = reply
    return stub


def outcomes(by, sent, sizes):
    with serving(sent) as stub:
        return list(by(f"https://127.0.0.1:{stub.port}", len(sent), Cutting(sizes)))


def numbered(number):
    """Draw a response that is unique to this request."""
    return responses(status=210 + number, identity=str(number))


SIZES = st.lists(st.integers(1, 80), min_size=1, max_size=10)
SOME = st.integers(1, 5)


@pytest.mark.parametrize("by", [by_calls, by_pushes])
@given(data=st.data(), sizes=SIZES, number=SOME)
def test_each_request_gets_its_own_response(by, data, sizes, number):
    sequence = [data.draw(numbered(one)) for one in range(number)]

    found = outcomes(by, [(one.raw, False) for one in sequence], sizes)

    assert [status for status, _ in found] == [one.status for one in sequence]
    assert all(body in (None, one.body) for (_, body), one in zip(found, sequence, strict=True))


EXTRAS = st.sampled_from([b"\r\n", b"\r", b"x", ok(b"another's"), interim(100), ok(b"")[:20]])


@pytest.mark.parametrize("by", [by_calls, by_pushes])
@given(data=st.data(), sizes=SIZES, number=SOME)
def test_each_request_gets_its_own_response_or_an_error(by, data, sizes, number):
    sequence = [data.draw(numbered(one)) for one in range(number)]
    sent = []
    for one in sequence:
        end = data.draw(st.integers(1, len(one.raw)))
        whole = data.draw(st.booleans())
        extra = data.draw(st.just(b"") | EXTRAS)
        sent.append((one.raw + extra, False) if whole else (one.raw[:end], True))

    found = outcomes(by, sent, sizes)

    for outcome, one in zip(found, sequence, strict=True):
        assert outcome in (ERROR, (one.status, None), (one.status, one.body))


@pytest.mark.parametrize("by", [by_calls, by_pushes])
@pytest.mark.parametrize("extra", [b"\r\n", ok(b"another's"), interim(100), b"junk"])
def test_bytes_after_a_response_are_an_error_and_end_its_connection(by, extra):
    sent = [(ok(b"own") + extra, False), (ok(b"own"), False)]
    with serving(sent) as stub:
        first, second = by(f"https://127.0.0.1:{stub.port}", 2, Cutting([2**16]))

        assert first == ERROR
        assert second[0] == 200
        assert stub.connections == 2


@pytest.mark.parametrize("by", [by_calls, by_pushes])
def test_a_second_response_is_not_taken_for_that_of_the_next_request(by):
    own = ok(b"own")
    with serving([(own + ok(b"another's"), False), (own, False)]) as stub:
        # The first read ends with the first response; the second response is unread.
        found = list(by(f"https://127.0.0.1:{stub.port}", 2, Cutting([1, len(own)])))

        assert [status for status, _ in found] == [200, 200]
        assert all(body in (None, b"own") for _, body in found)
        assert stub.connections == 2


class Greeted(Cutting):
    """Creates sockets whose handshake ends after the server has sent bytes."""

    def wrap_socket(self, plain, **_):
        select.select([plain], [], [], 2)
        return super().wrap_socket(plain)


@pytest.mark.parametrize("by", [by_calls, by_pushes])
def test_a_response_before_any_request_is_an_error(by):
    received = []

    def serve(listener):
        connection, _ = listener.accept()
        with connection, suppress(ConnectionResetError):
            connection.sendall(ok(b"unasked"))
            received.append(connection.recv(100))

    with socket.create_server(("127.0.0.1", 0)) as listener:
        server = threading.Thread(target=serve, args=[listener])
        server.start()
        url = f"https://127.0.0.1:{listener.getsockname()[1]}"

        assert list(by(url, 1, Greeted([2**16]))) == [ERROR]
        server.join()

    assert received in ([], [b""]), "no request was sent"

"""The server for the functions' requests, with an application that returns what it received."""

import asyncio
import json

import pytest

from dashboard import emulator_http
from dashboard.emulator_http import RequestError, take_request

HEAD = b"POST /a%20b?c=d HTTP/1.1\r\nHost: 127.0.0.1:1\r\nX-Amz-Target: T.Op\r\n"
POST = HEAD + b"Content-Length: 5\r\n\r\nhello"


async def echo(scope, receive, send):
    message = await receive()
    content = json.dumps([scope["method"], scope["path"], message["body"].decode()]).encode()
    await send({"type": "http.response.start", "status": 200, "headers": [(b"x-one", b"1")]})
    await send({"type": "http.response.body", "body": content[:3], "more_body": True})
    await send({"type": "http.response.body", "body": content[3:]})


async def fail(scope, receive, send):
    raise ValueError("no")


def ask(app, *pieces: bytes, responses: int = 1) -> list[bytes]:
    """Send bytes piece by piece on one connection; return status line and body of each response."""

    async def exchange() -> list[bytes]:
        url = await emulator_http.serve(app, "127.0.0.1")
        host, _, port = url.removeprefix("http://").partition(":")
        reader, writer = await asyncio.open_connection(host, int(port))
        for piece in pieces:
            writer.write(piece)
            await writer.drain()
            await asyncio.sleep(0)
        found = []
        for _ in range(responses):
            head = (await reader.readuntil(b"\r\n\r\n")).lower().split(b"\r\n")
            [length] = [line for line in head if line.startswith(b"content-length")]
            found += [head[0], await reader.readexactly(int(length.split(b":")[1]))]
        writer.close()
        await writer.wait_closed()
        return found

    return asyncio.run(asyncio.wait_for(exchange(), 10))


def test_request_reaches_the_application_and_its_response_the_function():
    status, body = ask(echo, POST)

    assert status == b"http/1.1 200 ok"
    assert json.loads(body) == ["POST", "/a b", "hello"]


def test_request_may_arrive_byte_by_byte():
    _, body = ask(echo, *(bytes([byte]) for byte in POST))

    assert json.loads(body)[2] == "hello"


def test_connection_serves_requests_one_after_the_other():
    other = POST.replace(b"hello", b"again")

    _, first, _, second = ask(echo, POST + other, responses=2)

    assert [json.loads(one)[2] for one in (first, second)] == ["hello", "again"]


def test_failure_of_the_application_is_an_internal_server_error():
    status, body, *_ = ask(fail, POST)

    assert status == b"http/1.1 500 internal server error"
    assert body == b""


def test_request_that_is_refused_ends_the_connection():
    with pytest.raises(asyncio.IncompleteReadError):
        ask(echo, b"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n")


@pytest.mark.parametrize(
    "received",
    [
        HEAD + b"Transfer-Encoding: chunked\r\n\r\n",
        HEAD + b"Content-Length: 5\r\nContent-Length: 6\r\n\r\n",
        HEAD + b"Content-Length: -1\r\n\r\n",
        HEAD + b"Content-Length: 99999999\r\n\r\n",
        HEAD + b"Content-Length : 5\r\n\r\n",
        HEAD + b" folded: 5\r\n\r\n",
        HEAD + b"no colon\r\n\r\n",
        b"GET / HTTP/1.0\r\n\r\n",
        b"GET /\r\n\r\n",
        b"x" * 70_000,
    ],
)
def test_what_frames_no_request_beyond_doubt_is_refused(received):
    with pytest.raises(RequestError):
        take_request(bytearray(received))


def test_headers_are_those_of_asgi():
    scope, body = take_request(bytearray(POST))

    assert body == b"hello"
    assert scope["query_string"] == b"c=d"
    assert (b"x-amz-target", b"T.Op") in scope["headers"]

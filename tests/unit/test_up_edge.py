"""The middleware before the emulator, with an application that notes what reaches it."""

import pytest

from dashboard.edge import Edge

OURS = [(b"host", b"127.0.0.1:8270")]


class Emulator:
    """Stands for the emulator: answers everything, and keeps what it was asked."""

    def __init__(self):
        self.asked = []

    async def __call__(self, scope, receive, send):
        self.asked.append(scope)
        if scope["type"] == "websocket":
            await send({"type": "websocket.accept"})
        else:
            await send({"type": "http.response.start", "status": 200, "headers": []})
            await send({"type": "http.response.body", "body": b"<html>"})


@pytest.fixture
def emulator():
    return Emulator()


@pytest.fixture
def edge(emulator):
    edge = Edge(emulator)
    edge.bucket = "site-bucket"
    return edge


def ask(edge, scope):
    sent = []

    async def receive():
        return {"type": "websocket.connect"}

    async def send(message):
        sent.append(message)

    # Nothing here waits for anything, so no event loop is needed to run it to its end.
    with pytest.raises(StopIteration):
        edge(scope, receive, send).send(None)
    return sent


def get(edge, path, *headers, method="GET"):
    scope = {
        "type": "http",
        "method": method,
        "path": path,
        "raw_path": path.encode(),
        "query_string": b"v=1",
        "headers": [*OURS, *headers],
    }
    return ask(edge, scope)


def connect(edge, *subprotocols, headers=()):
    scope = {"type": "websocket", "headers": [*OURS, *headers], "subprotocols": list(subprotocols)}
    return ask(edge, scope)


@pytest.mark.parametrize(
    ("path", "key"),
    [
        ("/", "index.html"),
        ("/index.html", "index.html"),
        ("/assets/main-AB12.js", "assets/main-AB12.js"),
        ("/favicon.svg", "favicon.svg"),
    ],
)
def test_page_comes_from_the_site_bucket(edge, emulator, path, key):
    start, _body = get(edge, path)

    assert start["status"] == 200
    (asked,) = emulator.asked
    assert asked["path"] == f"/site-bucket/{key}"
    assert asked["raw_path"] == f"/site-bucket/{key}".encode()
    assert asked["query_string"] == b""


def test_page_cannot_be_framed(edge):
    start, _body = get(edge, "/")

    assert (b"content-security-policy", b"frame-ancestors 'none'") in start["headers"]


def test_page_that_is_not_published_yet_is_unavailable(edge, emulator):
    edge.bucket = None

    start, body = get(edge, "/")

    assert start["status"] == 503
    assert b"Reload" in body["body"]
    assert emulator.asked == []


@pytest.mark.parametrize(
    ("method", "path"), [("POST", "/"), ("GET", "/site-bucket/index.html"), ("GET", "/health")]
)
def test_other_requests_reach_the_emulator_as_they_are(edge, emulator, method, path):
    start, _body = get(edge, path, method=method)

    assert emulator.asked[0]["path"] == path
    assert start["headers"] == []


@pytest.mark.parametrize(
    "header",
    [
        (b"origin", b"https://evil.example"),
        (b"origin", b"http://127.0.0.1.evil.example"),
        (b"origin", b"null"),
        (b"origin", b"http://[broken"),
        (b"host", b"rebound.evil.example:8270"),
    ],
)
def test_foreign_pages_are_refused(edge, emulator, header):
    start, body = get(edge, "/", header)
    closed = connect(edge, "mailpulse.v1", headers=[header])

    assert start["status"] == 403
    assert b"this machine" in body["body"]
    assert closed == [{"type": "websocket.close", "code": 1008}]
    assert emulator.asked == []


@pytest.mark.parametrize(
    "header",
    [
        (b"origin", b"http://127.0.0.1:8270"),
        (b"origin", b"http://localhost:5173"),
        (b"host", b"[::1]:8270"),
        (b"host", b"abcd1234.execute-api.localhost:8270"),
    ],
)
def test_pages_of_this_machine_are_not_refused(edge, emulator, header):
    get(edge, "/", header)

    assert len(emulator.asked) == 1


def test_first_offered_subprotocol_is_echoed(edge):
    (accepted,) = connect(edge, "mailpulse.v1", "bearer.x")

    assert accepted == {"type": "websocket.accept", "subprotocol": "mailpulse.v1"}


def test_nothing_is_echoed_when_nothing_was_offered(edge):
    assert connect(edge) == [{"type": "websocket.accept"}]

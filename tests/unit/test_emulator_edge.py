"""The middleware in front of the emulator, with an application that records its requests."""

import pytest

from dashboard.local.emulator.edge import Edge

PORT = 8270
OURS = (b"host", b"127.0.0.1:8270")
ORIGIN = (b"origin", b"http://127.0.0.1:8270")
CORS = [(b"Access-Control-Allow-Origin", b"*"), (b"timing-allow-origin", b"*")]
CLOSED = [{"type": "websocket.close", "code": 1008}]
ENTERED = (b"sec-fetch-site", b"none")
FROM_THE_PAGE = (b"sec-fetch-site", b"same-origin")

FOREIGN_ORIGINS = [
    b"https://evil.example",
    b"http://127.0.0.1.evil.example:8270",
    b"http://127.0.0.1",
    b"http://127.0.0.1:8271",
    b"https://127.0.0.1:8270",
    b"http://localhost:8270",
    b"http://localhost:5173",
    b"http://[::1]:8270",
    b"http://evil.localhost:8270",
    b"http://[broken",
    b"null",
    b"",
]
FOREIGN_HOSTS = [
    b"rebound.evil.example:8270",
    b"127.0.0.1:8271",
    b"127.0.0.1",
    b"0.0.0.0:8270",
    b"127.0.0.2:8270",
    b"[::ffff:7f00:1]:8270",
    b"localhost.:8270",
    b"notlocalhost:8270",
    b"evil.localhost.example:8270",
    b"",
]


class Emulator:
    """Fake emulator that responds to every request and records it."""

    def __init__(self):
        self.asked = []

    async def __call__(self, scope, receive, send):
        self.asked.append(scope)
        if scope["type"] == "websocket":
            await send({"type": "websocket.accept"})
        else:
            await send({"type": "http.response.start", "status": 200, "headers": CORS})
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

    # Nothing awaits here, so that the coroutine completes without an event loop.
    with pytest.raises(StopIteration):
        edge(scope, receive, send).send(None)
    return sent


def request(edge, path="/", *headers, method="GET", host=OURS, query=b"", port=PORT):
    scope = {
        "type": "http",
        "method": method,
        "path": path,
        "raw_path": path.encode(),
        "query_string": query,
        "headers": [host, *headers],
        "server": ("127.0.0.1", port),
    }
    return ask(edge, scope)


def connect(edge, *headers, subprotocols=(), host=OURS):
    scope = {
        "type": "websocket",
        "query_string": b"",
        "headers": [host, *headers],
        "subprotocols": list(subprotocols),
        "server": ("127.0.0.1", PORT),
    }
    return ask(edge, scope)


def is_refused(edge, emulator, *arguments, **options):
    start, body = request(edge, *arguments, **options)
    assert body["body"].endswith(b".\n"), "it contains the reason"
    return start["status"] == 403 and emulator.asked == []


@pytest.mark.parametrize(
    ("path", "key"),
    [
        ("/", "index.html"),
        ("/index.html", "index.html"),
        ("/assets/main-AB12.js", "assets/main-AB12.js"),
        ("/favicon.svg", "favicon.svg"),
    ],
)
@pytest.mark.parametrize("headers", [[], [ENTERED], [FROM_THE_PAGE], [ORIGIN]])
def test_the_page_is_served_from_the_site_bucket(edge, emulator, path, key, headers):
    start, _body = request(edge, path, *headers, query=b"v=1")

    assert start["status"] == 200
    (asked,) = emulator.asked
    assert asked["path"] == f"/site-bucket/{key}"
    assert asked["raw_path"] == f"/site-bucket/{key}".encode()
    assert asked["query_string"] == b""


def test_the_page_cannot_be_framed(edge):
    start, _body = request(edge, "/")

    assert (b"content-security-policy", b"frame-ancestors 'none'") in start["headers"]


def test_a_page_that_is_not_published_yet_is_unavailable(edge, emulator):
    edge.bucket = None

    start, body = request(edge, "/")

    assert start["status"] == 503
    assert b"Reload" in body["body"]
    assert emulator.asked == []


@pytest.mark.parametrize("host", [b"localhost:8270", b"LOCALHOST:8270", b"[::1]:8270"])
def test_the_page_redirects_another_hostname_to_its_websocket_origin(edge, emulator, host):
    start, _body = request(edge, "/", ENTERED, host=(b"host", host))

    assert start["status"] == 307
    assert (b"location", b"http://127.0.0.1:8270/") in start["headers"]
    assert emulator.asked == []


def test_headers_omit_the_default_port_of_http(edge, emulator):
    origin = (b"origin", b"http://127.0.0.1")
    start, _body = request(edge, "/", origin, host=(b"host", b"127.0.0.1"), port=80)

    assert start["status"] == 200
    assert is_refused(edge, Emulator(), "/", ORIGIN, host=(b"host", b"127.0.0.1"), port=80)


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("POST", "/"),
        ("PUT", "/bucket/key"),
        ("DELETE", "/bucket/key"),
        ("OPTIONS", "/bucket/key"),
        ("GET", "/site-bucket/index.html"),
        ("GET", "/_ministack/health"),
    ],
)
def test_requests_without_browser_headers_reach_the_emulator(edge, emulator, method, path):
    start, _body = request(edge, path, method=method, query=b"x-id=GetObject")

    assert start["status"] == 200
    assert emulator.asked[0]["path"] == path
    assert emulator.asked[0]["query_string"] == b"x-id=GetObject"


@pytest.mark.parametrize("path", ["/", "/assets/app.js", "/local/health"])
@pytest.mark.parametrize(
    "host", [b"abcd1234.execute-api.localhost:8270", b"d1.cloudfront.localhost:8270"]
)
def test_hostnames_that_the_emulator_routes_are_passed_to_it(edge, emulator, host, path):
    request(edge, path, host=(b"host", host))
    connect(edge, host=(b"host", host))

    assert [asked.get("path", path) for asked in emulator.asked] == [path, path]


@pytest.mark.parametrize("host", FOREIGN_HOSTS)
@pytest.mark.parametrize("headers", [[], [ENTERED], [FROM_THE_PAGE], [ORIGIN]])
def test_hostnames_of_dns_rebinding_are_refused(edge, emulator, host, headers):
    assert is_refused(edge, emulator, "/", *headers, host=(b"host", host))
    assert is_refused(edge, emulator, "/", *headers, host=(b"host", host), method="POST")
    assert connect(edge, *headers, host=(b"host", host)) == CLOSED
    assert emulator.asked == []


@pytest.mark.parametrize("path", ["/", "/assets/app.js", "/bucket/key", "/_ministack/health"])
@pytest.mark.parametrize("method", ["GET", "HEAD", "POST", "PUT", "DELETE", "PATCH", "OPTIONS"])
@pytest.mark.parametrize(
    "header",
    [
        (b"sec-fetch-site", b"cross-site"),
        (b"sec-fetch-site", b"same-site"),  # another port of this host
        (b"sec-fetch-site", b"of-the-future"),
        (b"sec-fetch-mode", b"navigate"),
        (b"sec-fetch-dest", b"image"),
        *((b"origin", origin) for origin in FOREIGN_ORIGINS),
    ],
)
def test_requests_of_pages_of_other_origins_are_refused(edge, emulator, header, method, path):
    assert is_refused(edge, emulator, path, header, method=method)


@pytest.mark.parametrize("origin", FOREIGN_ORIGINS)
@pytest.mark.parametrize("site", [ENTERED, FROM_THE_PAGE])
def test_origin_and_fetch_site_headers_must_both_be_of_the_page(edge, emulator, origin, site):
    assert is_refused(edge, emulator, "/", site, (b"origin", origin))
    assert is_refused(edge, emulator, "/", ORIGIN, (b"sec-fetch-site", b"cross-site"))
    assert is_refused(edge, emulator, "/", site, (b"sec-fetch-site", b"cross-site"))


@pytest.mark.parametrize("headers", [[ENTERED], [FROM_THE_PAGE], [ORIGIN], [FROM_THE_PAGE, ORIGIN]])
@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/site-bucket/index.html"),
        ("GET", "/_ministack/health"),
        ("GET", "/_ministack/ses/messages"),
        ("POST", "/_ministack/reset"),
        ("POST", "/"),
        ("PUT", "/"),
        ("OPTIONS", "/"),
        ("POST", "/2015-03-31/functions/mailpulse-local-ingest/invocations"),
    ],
)
def test_the_page_can_request_only_its_own_files(edge, emulator, headers, method, path):
    assert is_refused(edge, emulator, path, *headers, method=method)


@pytest.mark.parametrize("host", [b"abcd1234.execute-api.localhost:8270", b"bucket.localhost:8270"])
@pytest.mark.parametrize("headers", [[ENTERED], [FROM_THE_PAGE]])
def test_browsers_cannot_reach_hostnames_that_the_emulator_routes(edge, emulator, host, headers):
    assert is_refused(edge, emulator, "/", *headers, host=(b"host", host))


@pytest.mark.parametrize("method", ["GET", "HEAD", "POST", "PUT", "DELETE"])
@pytest.mark.parametrize("path", ["/", "/x", "/assets/x"])
@pytest.mark.parametrize(
    "query",
    [
        b"Action=CreateStack&TemplateBody=x",
        b"Version=2010-05-15&%41ction=DeleteStack",
        b"Action",
        b"a=\xff&Action=Publish",
    ],
)
def test_no_action_is_taken_from_a_url(edge, emulator, method, path, query):
    assert is_refused(edge, emulator, path, method=method, query=query)


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("POST", "/_ministack/reset"),
        ("POST", "/_ministack/config"),
        ("GET", "/_ministack/sqs/messages"),
        ("GET", "/_ministack/health/"),
        ("GET", "/_localstack/health"),
    ],
)
def test_internal_paths_of_the_emulator_are_refused_to_all_clients(edge, emulator, method, path):
    assert is_refused(edge, emulator, path, method=method)


@pytest.mark.parametrize("path", ["/", "/bucket/key"])
def test_pages_of_other_origins_can_neither_read_nor_execute_a_response(edge, path):
    start, _body = request(edge, path)

    names = [name.lower() for name, _value in start["headers"]]
    assert not [name for name in names if name.startswith((b"access-control", b"timing-allow"))]
    assert (b"cross-origin-resource-policy", b"same-origin") in start["headers"]
    assert (b"x-content-type-options", b"nosniff") in start["headers"]


@pytest.mark.parametrize("origin", FOREIGN_ORIGINS)
def test_websockets_of_pages_of_other_origins_are_refused(edge, emulator, origin):
    assert connect(edge, (b"origin", origin), subprotocols=["mailpulse.v1"]) == CLOSED
    assert connect(edge, ORIGIN, (b"origin", origin)) == CLOSED
    assert emulator.asked == []


def test_a_browser_websocket_without_an_origin_is_refused(edge, emulator):
    assert connect(edge, (b"sec-fetch-mode", b"websocket")) == CLOSED
    assert emulator.asked == []


@pytest.mark.parametrize("headers", [[], [ORIGIN], [ORIGIN, (b"sec-fetch-mode", b"websocket")]])
def test_websockets_of_the_page_and_without_an_origin_are_accepted(edge, headers):
    assert connect(edge, *headers) == [{"type": "websocket.accept"}]


def test_websockets_of_an_allowed_origin_are_accepted(emulator):
    edge = Edge(emulator, ["http://LOCALHOST:5173/"])
    allowed = (b"origin", b"http://localhost:5173")

    assert connect(edge, allowed) == [{"type": "websocket.accept"}]
    assert connect(edge, (b"origin", b"http://localhost:5174")) == CLOSED
    emulator.asked.clear()
    assert is_refused(edge, emulator, "/", allowed), "nothing else is allowed"


def test_the_first_offered_subprotocol_is_echoed(edge):
    (accepted,) = connect(edge, subprotocols=["mailpulse.v1", "bearer.x"])

    assert accepted == {"type": "websocket.accept", "subprotocol": "mailpulse.v1"}


def test_no_subprotocol_is_echoed_if_none_was_offered(edge):
    assert connect(edge) == [{"type": "websocket.accept"}]

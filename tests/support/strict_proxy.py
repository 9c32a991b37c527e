"""A proxy between an operator's commands and the emulator, which applies AWS's rules."""

import http.client
import json
import re
import sys
import threading
from collections.abc import Callable
from functools import cache
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Self
from urllib.parse import parse_qsl, unquote, urlsplit

import boto3
import botocore.session
from support.strict import Call, Refusal, Rules

_CREDENTIALS = {"aws_access_key_id": "test", "aws_secret_access_key": "test"}


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, request: Any, client_address: Any) -> None:
        if not isinstance(
            sys.exception(), ConnectionError
        ):  # a killed command resets its connections
            super().handle_error(request, client_address)


class StrictProxy:
    """Forwards an operator's calls to the emulator unless AWS would refuse them.

    Attributes:
        endpoint_url: the emulator's endpoint; set before the first call.
        rules: may be replaced at any time.
        calls: the calls so far.
        on_call: called with the number of each call, from 0, before it is forwarded (False), and
            after it was forwarded but before its response is sent (True).
    """

    def __init__(self) -> None:
        self.endpoint_url = ""
        self.rules = Rules()
        self.calls: list[Call] = []
        self.on_call: Callable[[int, bool], None] = lambda _number, _done: None
        self._lock = threading.Lock()
        proxy = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            # Headers and body are two packets: Nagle's algorithm would delay the second by 40 ms.
            disable_nagle_algorithm = True

            def handle_any(self) -> None:
                proxy._handle(self, self.emulator)

            do_GET = do_POST = do_PUT = do_DELETE = do_HEAD = do_PATCH = handle_any

            def setup(self) -> None:
                super().setup()
                host = proxy.endpoint_url.removeprefix("http://")
                self.emulator = http.client.HTTPConnection(host, timeout=60)

            def finish(self) -> None:
                self.emulator.close()
                super().finish()

            def log_message(self, *_: object) -> None:
                pass

        self._server = _Server(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_port}"
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()

    def reset(self) -> None:
        """Reset the calls, the changes in progress and the rules."""
        self.rules = Rules()
        self.calls = []
        self.on_call = lambda _number, _done: None

    def _handle(
        self, request: BaseHTTPRequestHandler, emulator: http.client.HTTPConnection
    ) -> None:
        body = request.rfile.read(int(request.headers.get("Content-Length") or 0))
        call, protocol = _identified(request, body)
        with self._lock:
            number = len(self.calls)
            self.calls.append(call)
        self.on_call(number, False)
        try:
            self.rules.before(call, self._aws(call.region))
        except Refusal as refusal:
            _answer(
                request,
                refusal.status,
                refusal.body(protocol),
                [("x-amzn-errortype", refusal.code)],
            )
            return
        status, headers, answer = self._forward(request, emulator, body)
        self.rules.look_for_losses(call, self._aws(call.region))
        self.on_call(number, True)
        if status < 300:
            self.rules.stack_changed(call)
            if call.operation == "DescribeStacks":
                answer = self.rules.stacks(answer)
            elif call.operation == "DescribeChangeSet":
                answer = self.rules.change_set(answer)
            elif protocol == "rest-json" and answer:
                answer = json.dumps(self.rules.after(call, json.loads(answer))).encode()
        _answer(request, status, answer, headers)

    def _aws(self, region: str) -> Callable[[str], Any]:
        return lambda service: client(service, region, self.endpoint_url)

    def _forward(
        self, request: BaseHTTPRequestHandler, emulator: http.client.HTTPConnection, body: bytes
    ) -> tuple[int, list[tuple[str, str]], bytes]:
        host = self.endpoint_url.removeprefix("http://")
        headers = {
            name: value
            for name, value in request.headers.items()
            if name.lower() not in {"connection", "content-length", "expect", "transfer-encoding"}
        }
        emulator.request(request.command, request.path, body, {**headers, "Host": host})
        answer = emulator.getresponse()
        content = answer.read()
        kept = [
            (name, value)
            for name, value in answer.getheaders()
            if name.lower() not in {"connection", "content-length", "transfer-encoding", "date"}
        ]
        return answer.status, kept, content


def _answer(
    request: BaseHTTPRequestHandler, status: int, body: bytes, headers: list[tuple[str, str]]
) -> None:
    request.send_response_only(status)
    for name, value in headers:
        request.send_header(name, value)
    request.send_header("Content-Length", str(len(body)))
    request.end_headers()
    if request.command != "HEAD":
        request.wfile.write(body)


def _identified(request: BaseHTTPRequestHandler, body: bytes) -> tuple[Call, str]:
    """Return the operation of a request and the protocol of its service."""
    scope = re.search(
        r"Credential=[^/]+/\d+/([^/]+)/([^/]+)/", request.headers.get("Authorization", "")
    )
    region, service = (scope[1], scope[2]) if scope else ("", "")
    url = urlsplit(request.path)
    target = request.headers.get("X-Amz-Target")
    if target:
        return Call(service, region, target.rpartition(".")[2], json.loads(body or b"{}")), "json"
    form = dict(parse_qsl(body.decode("latin-1"))) if b"Action=" in body[:4000] else {}
    if "Action" in form:
        return Call(service, region, form.pop("Action"), form), "query"
    name = "apigatewayv2" if service == "apigateway" else service
    for method, pattern, operation in _routes(name):
        if method == request.command and (found := pattern.fullmatch(unquote(url.path))):
            query = dict(parse_qsl(url.query))
            sent = json.loads(body) if body[:1] == b"{" else {}
            return Call(
                name, region, operation, {**query, **sent, **found.groupdict()}
            ), "rest-json"
    return Call(name, region, f"{request.command} {url.path}", {}), "rest-xml"


@cache
def _routes(service: str) -> list[tuple[str, re.Pattern[str], str]]:
    """Return the operations of a REST service: method, path, name."""
    if service not in {"lambda", "apigatewayv2"}:
        return []
    model = botocore.session.Session().get_service_model(service)
    found = []
    for name in model.operation_names:
        http_ = model.operation_model(name).http
        path = re.sub(
            r"\\\{(\w+)\\?\+?\\\}",
            r"(?P<\1>[^/]+)",
            re.escape(http_["requestUri"].partition("?")[0]),
        )
        found.append((http_["method"], re.compile(f"{path}/?"), name))
    return sorted(found, key=lambda one: -len(one[1].pattern))


@cache
def client(service: str, region: str, endpoint_url: str) -> Any:
    """Return a cached client of the emulator; creating one takes longer than most calls."""
    return boto3.client(service, region, endpoint_url=endpoint_url, **_CREDENTIALS)

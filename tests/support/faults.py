"""A proxy in front of the emulator that injects AWS faults into a function's calls.

The environment variables AWS_ENDPOINT_URL_DYNAMODB and CONNECTIONS_ENDPOINT send a function's
calls through it.
"""

import http.client
import json
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Self

DYNAMODB_ERROR = "com.amazonaws.dynamodb.v20120810#"
HANG_SECONDS = 6.0  # longer than any timeout of aws/client.py


@dataclass(frozen=True)
class Call:
    """A request: a DynamoDB operation, or the connection id of a post."""

    operation: str
    connection: str
    body: bytes


Plan = Callable[[Call], str | None]
"""Returns the fault to inject into a call; None for no fault."""


class _Server(ThreadingHTTPServer):
    def handle_error(self, request: Any, client_address: Any) -> None:
        # A killed worker resets its connections, as intended: do not log it.
        if not isinstance(sys.exception(), ConnectionError):
            super().handle_error(request, client_address)


class FaultyProxy:
    """Forwards requests to the emulator; `plan` may be replaced at any time.

    Attributes:
        met: how often each fault was injected.
    """

    def __init__(self, endpoint_url: str) -> None:
        self.plan: Plan = lambda _: None
        self.met: Counter[str] = Counter()
        self._host = endpoint_url.removeprefix("http://")
        proxy = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            # Headers and body are two packets: Nagle's algorithm would delay the second by 40 ms.
            disable_nagle_algorithm = True

            def do_POST(self) -> None:
                proxy._handle(self)

            def log_message(self, *_: object) -> None:
                pass

        self._server = _Server(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self._server.server_port}"
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()

    def _handle(self, request: BaseHTTPRequestHandler) -> None:
        body = request.rfile.read(int(request.headers.get("Content-Length", 0)))
        target = request.headers.get("X-Amz-Target", "")
        call = Call(target.rpartition(".")[2], request.path.rpartition("/")[2], body)
        fault = self.plan(call)
        if fault is not None:
            self.met[fault] += 1
        match fault:
            case None:
                self._answer(request, *self._forward(request, body))
            case "hang":
                time.sleep(HANG_SECONDS)
                request.close_connection = True
            case "cut off":
                request.close_connection = True
            case "answer lost":  # the request took effect, but no response is sent
                self._forward(request, body)
                self._answer(request, 500, b'{"__type": "InternalServerError", "message": ""}')
            case "garbage":
                self._answer(request, 503, b"<html>Service Unavailable</html>")
            case "unprocessed":
                self._answer(request, *self._partly(request, body))
            case "throttled":
                kind = f"{DYNAMODB_ERROR}ProvisionedThroughputExceededException"
                self._answer(request, 400, json.dumps({"__type": kind, "message": ""}).encode())
            case status:
                self._answer(request, int(status), b'{"message": "as planned"}')

    def _partly(self, request: BaseHTTPRequestHandler, body: bytes) -> tuple[int, bytes]:
        """Forward the first half of a batch and return the rest as unprocessed."""
        wanted = json.loads(body)["RequestItems"]
        [(table, items)] = wanted.items()
        half = len(items) // 2
        if half:
            forwarded = json.dumps({"RequestItems": {table: items[:half]}}).encode()
            status, answer = self._forward(request, forwarded)
            if status != http.HTTPStatus.OK:
                return status, answer
        return 200, json.dumps({"UnprocessedItems": {table: items[half:]}}).encode()

    def _forward(self, request: BaseHTTPRequestHandler, body: bytes) -> tuple[int, bytes]:
        connection = http.client.HTTPConnection(self._host, timeout=30)
        names = ("X-Amz-Target", "Content-Type", "Authorization", "X-Amz-Date")
        headers = {name: request.headers[name] for name in names if name in request.headers}
        try:
            connection.request("POST", request.path, body, headers)
            answer = connection.getresponse()
            return answer.status, answer.read()
        finally:
            connection.close()

    def _answer(self, request: BaseHTTPRequestHandler, status: int, body: bytes) -> None:
        request.send_response(status)
        request.send_header("Content-Type", "application/x-amz-json-1.0")
        request.send_header("Content-Length", str(len(body)))
        request.end_headers()
        request.wfile.write(body)

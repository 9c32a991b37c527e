"""The emulator's server for requests of the Lambda functions."""

import asyncio
import http.client
import socket
import threading
from urllib.parse import urlsplit

import pytest

from dashboard.local.emulator.edge import Edge
from dashboard.local.emulator.functions_server import FunctionsServer


async def application(_scope, _receive, send):
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": b"served"})


@pytest.fixture
def address():
    """Return the server's address, behind the edge."""
    started = threading.Event()
    running = []

    def run():
        async def serve():
            server = FunctionsServer(Edge(application), "127.0.0.1")
            running.append(server)
            task = server.start()
            started.set()
            await task

        asyncio.run(serve())

    thread = threading.Thread(target=run)
    thread.start()
    started.wait(10)
    yield urlsplit(running[0].url)
    running[0].should_exit = True
    thread.join(10)


def post(address, **headers):
    connection = http.client.HTTPConnection(address.hostname, address.port, timeout=10)
    try:
        connection.request("POST", "/", b"{}", headers)
        return connection.getresponse().status
    finally:
        connection.close()


def test_only_requests_of_functions_are_served(address):
    assert post(address) == 200
    assert post(address, Origin="http://127.0.0.1:8270") == 403


def test_no_response_is_delayed_by_nagles_algorithm():
    # asyncio disables Nagle's algorithm only for sockets whose protocol is set to TCP.
    server = FunctionsServer(application, "127.0.0.1")

    assert server._listener.proto == socket.IPPROTO_TCP
    server._listener.close()

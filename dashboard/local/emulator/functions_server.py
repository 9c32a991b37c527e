"""The server for the requests of the Lambda functions, at a port of their own.

A function sends a few requests for each open and click, and one for each viewer and push.
Hypercorn, which serves WebSockets and the page, spends more CPU time on each than the emulator on
its response; uvicorn with httptools spends a fraction. The checks of the edge are the same.
"""

import asyncio
import socket
from collections.abc import Iterator
from contextlib import contextmanager

import uvicorn

from dashboard.local.emulator.edge import App

# Longer than a function keeps an idle connection.
_KEEP_ALIVE_SECONDS = 75


class FunctionsServer(uvicorn.Server):
    """Serves an ASGI application at a free port.

    Attributes:
        url: its address.
    """

    def __init__(self, app: App, host: str) -> None:
        # asyncio switches Nagle's algorithm off only for sockets that name their protocol. With it,
        # each response would wait 40 ms for the acknowledgement of its head.
        self._listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
        self._listener.bind((host, 0))
        self._listener.listen()
        self.url = f"http://{host}:{self._listener.getsockname()[1]}"
        super().__init__(
            uvicorn.Config(
                app,
                http="httptools",
                ws="none",
                lifespan="off",
                access_log=False,
                log_config=None,
                proxy_headers=False,
                server_header=False,
                date_header=False,
                timeout_keep_alive=_KEEP_ALIVE_SECONDS,
            )
        )

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Leave signals to the emulator's process, which stops in good order."""
        yield

    def start(self) -> asyncio.Task[None]:
        """Serve from now on."""
        return asyncio.create_task(self.serve(sockets=[self._listener]))

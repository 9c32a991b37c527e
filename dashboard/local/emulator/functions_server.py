"""HTTP server for the requests of the Lambda functions, on its own port.

A function sends a few requests for each open and click, and one for each viewer and push.
Hypercorn, which serves WebSockets and the page, spends more CPU time on each than the emulator on
its response; uvicorn with httptools spends a fraction. The edge applies the same checks.
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
    """Serves an ASGI application on a free port.

    Attributes:
        url: the base URL of the server.
    """

    def __init__(self, app: App, host: str) -> None:
        # asyncio disables Nagle's algorithm only for sockets with an explicit protocol. With it,
        # each response would wait 40 ms for the acknowledgement of its headers.
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
        """Install no signal handlers: the emulator's process handles signals itself."""
        yield

    def start(self) -> asyncio.Task[None]:
        """Start serving."""
        return asyncio.create_task(self.serve(sockets=[self._listener]))

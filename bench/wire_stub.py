"""A TLS server for benchmarks that responds to every request after a given time.

    python bench/wire_stub.py CERTIFICATE MILLISECONDS

Prints its port. It reads as little of a request as possible, to need less time than the client.
"""

import asyncio
import ssl
import sys

import uvloop

_ANSWER = (
    b"HTTP/1.1 200 OK\r\nx-amzn-requestid: 7f3c5a0e-4c1e-4b39-9d39-3c8a7a0e2a11\r\n"
    b"content-type: application/json\r\ndate: Wed, 25 Nov 2026 14:00:00 GMT\r\n"
)
# The response of BatchWriteItem, and of UpdateItem with ReturnValues.
_WRITTEN = b'{"UnprocessedItems":{},"Attributes":{}}'
_ANSWERS = {
    # The responses to a batch and to a frame.
    True: _ANSWER + b"content-length: %d\r\n\r\n" % len(_WRITTEN) + _WRITTEN,
    False: _ANSWER + b"content-length: 0\r\n\r\n",
}


class Server(asyncio.Protocol):
    """One connection."""

    seconds = 0.0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Begin."""
        self.transport = transport
        self.got = b""
        self.missing = 0

    def data_received(self, data: bytes) -> None:
        """Respond to each complete request."""
        self.got += data
        if self.missing == 0:
            head, end, _ = self.got.partition(b"\r\n\r\n")
            if not end:
                return
            length = head.lower().partition(b"content-length:")[2].split(b"\r\n", 1)[0]
            self.missing = len(head) + len(end) + int(length)
        if len(self.got) >= self.missing:
            answer = _ANSWERS[self.got.startswith(b"POST / ")]
            self.got, self.missing = b"", 0
            if self.seconds:
                asyncio.get_running_loop().call_later(self.seconds, self.transport.write, answer)
            else:
                self.transport.write(answer)


async def main() -> None:
    """Serve until the process is killed."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(sys.argv[1])
    Server.seconds = float(sys.argv[2]) / 1000
    server = await asyncio.get_running_loop().create_server(
        Server, "127.0.0.1", 0, ssl=context, backlog=512
    )
    print(server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()


uvloop.run(main())

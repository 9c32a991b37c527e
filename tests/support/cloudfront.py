"""Fake CloudFront in front of a stage's site bucket; the emulator has no CloudFront."""

import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Self
from urllib.parse import urlsplit

from botocore.exceptions import ClientError


class CloudFront:
    """Context manager that serves the objects of a bucket that CloudFront may read.

    Attributes:
        origin: the origin of the page.
        s3: a boto3 client, set after the account exists.
        bucket: the name of the bucket, set after it exists.
    """

    s3: Any

    def __init__(self) -> None:
        self.bucket = ""
        front = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                key = urlsplit(self.path).path.removeprefix("/") or "index.html"
                try:
                    found = front.s3.get_object(Bucket=front.bucket, Key=key)
                except ClientError:
                    self.send_error(403)
                    return
                body = found["Body"].read()
                self.send_response(200)
                self.send_header("Content-Type", found["ContentType"])
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                if self.command == "GET":
                    self.wfile.write(body)

            do_HEAD = do_GET  # noqa: N815 - a name of http.server

            def log_message(self, *_: object) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.origin = f"http://127.0.0.1:{self._server.server_port}"

    def __enter__(self) -> Self:
        threading.Thread(target=self._server.serve_forever, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()

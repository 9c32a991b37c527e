"""The usual boto3 code: batch_writer, and post_to_connection in sixteen threads."""

from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import boto3
from botocore.config import Config

REGION = "us-east-1"


def batch_writer(url: str, roots: Path) -> Any:
    """Return a function that writes items, in the types of the SDK, to a table."""
    table = boto3.resource("dynamodb", REGION, endpoint_url=url, verify=str(roots)).Table("facts")

    def write(items: Iterable[dict[str, Any]]) -> None:
        with table.batch_writer() as batch:
            for item in items:
                batch.put_item(Item=item)

    return write


def post_to_connections(url: str, roots: Path, threads: int = 16) -> Any:
    """Return a function that posts a frame to connections."""
    client = boto3.client(
        "apigatewaymanagementapi",
        REGION,
        endpoint_url=url,
        verify=str(roots),
        config=Config(max_pool_connections=threads),
    )
    pool = ThreadPoolExecutor(threads)

    def send(connection_ids: Sequence[str], frame: bytes) -> None:
        def post(connection_id: str) -> None:
            client.post_to_connection(ConnectionId=connection_id, Data=frame)

        for _ in pool.map(post, connection_ids):
            pass

    return send

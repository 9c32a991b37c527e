"""Measure only calls over TLS: a thousand items to DynamoDB, and frames to many connections."""

from collections.abc import Callable
from contextlib import ExitStack

from aws_stub import stub
from baselines.boto3_calls import batch_writer, post_to_connections
from comparison import Comparison

from chalicelib.aws.client import JsonService
from chalicelib.live.fan_out import FanOut
from chalicelib.live.permissions import Connection

ITEMS = 1000
BATCH = 25  # the limit of BatchWriteItem
VIEWERS = 1000
API_GATEWAY_MS = 10
FRAME = "x" * 1024
FAR = 2.0**40  # epoch seconds: no deadline


def rows(stack: ExitStack) -> list[Comparison]:
    """Compare with boto3's calls."""
    return [_write(stack), _push_cpu(stack), _push_rate(stack)]


def _write(stack: ExitStack) -> Comparison:
    server = stack.enter_context(stub(0))
    plain = [_item(number) for number in range(ITEMS)]
    items = [_typed(one) for one in plain]
    theirs = batch_writer(server.url, server.authority.path)
    dynamo = JsonService("dynamodb", server.config, context=server.authority.context)

    def ours() -> None:
        for start in range(0, ITEMS, BATCH):
            puts = [{"PutRequest": {"Item": one}} for one in items[start : start + BATCH]]
            dynamo.call("batch_write_item", RequestItems={"facts": puts})

    return Comparison(
        f"write {ITEMS:,} items of 270 bytes",
        "batch_writer",
        ours,
        lambda: theirs(plain),
        ITEMS,
        must=7,
        stretch=12,
        rounds=9,
    )


def _push_cpu(stack: ExitStack) -> Comparison:
    return Comparison(
        "push 1 KB to a connection",
        "post_to_connection in 16 threads",
        *_pushes(stack, 0),
        VIEWERS,
        must=20,
        rounds=7,
    )


def _push_rate(stack: ExitStack) -> Comparison:
    return Comparison(
        f"push 1 KB to a connection, answered after {API_GATEWAY_MS} ms",
        "post_to_connection in 16 threads",
        *_pushes(stack, API_GATEWAY_MS),
        VIEWERS,
        must=8,
        clock="wall",
        rounds=7,
    )


def _pushes(stack: ExitStack, milliseconds: float) -> tuple[Callable[[], None], ...]:
    server = stack.enter_context(stub(milliseconds))
    theirs = post_to_connections(server.url + "/prod", server.authority.path)
    fan_out = FanOut(server.config, context=server.authority.context)
    some = [Connection(f"L0SM9cOFvHcCIhw{one}=", "api/prod", 0) for one in range(VIEWERS)]
    ids = [one.id for one in some]

    def ours() -> None:
        assert fan_out.send(some, [FRAME], FAR) == ["sent"] * VIEWERS

    return ours, lambda: theirs(ids, FRAME.encode())


def _item(number: int) -> dict[str, str | int]:
    """Return an item of about 270 bytes."""
    return {
        "message_id": f"0100018b6d6c4f2a-{number:08d}-4f3e-a8b0-2f7d5f6a8f10-000000",
        "fact": "Delivery#2026-11-25T14:00:00.000Z#recipient",
        "campaign": "spring-sale",
        "at": "2026-11-25T14:00:00.000Z",
        "recipient": f"customer-{number:08d}@example.com",
        "expires": 1_800_000_000 + number,
        "class": "human",
    }


def _typed(plain: dict[str, str | int]) -> dict[str, dict[str, str]]:
    """Encode an item as DynamoDB JSON, as the functions do."""
    return {
        name: {"S": value} if isinstance(value, str) else {"N": str(value)}
        for name, value in plain.items()
    }

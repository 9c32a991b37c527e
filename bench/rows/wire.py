"""Calls over TLS, alone: a thousand items to DynamoDB, and frames to many connections."""

from collections.abc import Callable
from contextlib import ExitStack

from baselines.boto3_calls import batch_writer, post_to_connections
from client import BATCH, ITEMS, item, typed
from comparison import Comparison
from fan_out import FAR, FRAME, viewers
from rounds import stub

from chalicelib.aws import JsonService
from chalicelib.fan_out import FanOut

VIEWERS = 1000
API_GATEWAY_MS = 10


def rows(stack: ExitStack) -> list[Comparison]:
    """Compare with boto3's calls."""
    return [_write(stack), _push_cpu(stack), _push_rate(stack)]


def _write(stack: ExitStack) -> Comparison:
    server = stack.enter_context(stub(0))
    plain = [item(number) for number in range(ITEMS)]
    items = [typed(one) for one in plain]
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
    some = viewers(VIEWERS)
    ids = [one.id for one in some]

    def ours() -> None:
        assert fan_out.send(some, [FRAME], FAR) == ["sent"] * VIEWERS

    return ours, lambda: theirs(ids, FRAME.encode())

"""Count a batch of stream records of the events table: grouping only, and the whole function."""

import json
import math
from contextlib import ExitStack

import boto3
import made
from aws_stub import stub
from baselines import aggregate as naive
from comparison import Comparison

from chalicelib.aws.client import JsonService
from chalicelib.facts.forgotten import NOBODY
from chalicelib.functions.aggregate import Aggregator
from chalicelib.recipients.table import RecipientsIndex
from chalicelib.stats.grouping import group
from chalicelib.stats.table import StatsTable

SECONDS = 60  # the time span of a batch, because streams are read continuously


def rows(stack: ExitStack) -> list[Comparison]:
    """Compare with sends, deliveries, opens, clicks, and states of messages."""
    return [*grouping(1000), *grouping(10_000), whole(stack, 1000)]


def grouping(count: int) -> list[Comparison]:
    """Compare only the grouping of this many records."""
    text = json.dumps(made.stream(count, seconds=SECONDS), separators=(",", ":"))
    event = json.loads(text)
    name = f"group {count:,} stream records of {len(text) // count} bytes"

    def ours() -> None:
        group(event["Records"], NOBODY)

    return [
        Comparison(
            name,
            "json.loads of the batch",
            ours,
            lambda: json.loads(text),
            count,
            unit="share",
            must=0.5,
        ),
        Comparison(
            name, "TypeDeserializer alone", ours, lambda: naive.deserialised(event), count, rounds=7
        ),
    ]


def whole(stack: ExitStack, count: int) -> Comparison:
    """Compare the whole function with this many records."""
    server = stack.enter_context(stub(0))
    event = made.stream(count, seconds=SECONDS)
    dynamo = JsonService("dynamodb", server.config, context=server.authority.context)
    counting = Aggregator(
        StatsTable(dynamo, "stats"),
        RecipientsIndex(dynamo, "stats", retention_days=90),
        lambda _images: None,
        math.inf,  # a busy campaign is never idle
    )
    table = boto3.resource(
        "dynamodb", "us-east-1", endpoint_url=server.url, verify=str(server.authority.path)
    ).Table("stats")
    return Comparison(
        f"count {count:,} stream records, written over TLS",
        "TypeDeserializer + UpdateItem for each, boto3",
        lambda: counting.batch(event["Records"], shard=event["shardId"]),
        lambda: naive.handle(table, event),
        count,
        must=80,
        rounds=5,
    )

"""Ingest a batch of queue messages: from the text of the event to written facts.

Sends and deliveries only, because they are the most frequent, and therefore limit ingest.
"""

import json
from contextlib import ExitStack

import boto3
import made
from aws_stub import stub
from baselines import ingest as naive
from comparison import Comparison

from chalicelib.aws.client import JsonService, TimeLimit
from chalicelib.aws.queues import Queues
from chalicelib.facts.table import EventsTable
from chalicelib.functions.ingest import Ingest

EVENTS = 1000
NOW = 1_795_428_000.0  # shortly after the events of made.py


def rows(stack: ExitStack) -> list[Comparison]:
    """Compare with the two ways to write items with boto3."""
    server = stack.enter_context(stub(0))
    text = made.as_batch(made.events(EVENTS, kinds=["Send", "Delivery"]))
    dynamo = JsonService("dynamodb", server.config, context=server.authority.context)
    ingest = Ingest(
        server.config,
        EventsTable(dynamo, "events", retention_days=90, clock=lambda: NOW),
        Queues(dynamo, dynamo, "queue", "dead-letters"),  # not used
        TimeLimit(),
        clock=lambda: NOW,
    )
    table = boto3.resource(
        "dynamodb", "us-east-1", endpoint_url=server.url, verify=str(server.authority.path)
    ).Table("events")
    name = f"ingest {EVENTS:,} events, written over TLS"

    def ours() -> None:
        answer = ingest.batch(json.loads(text)["Records"])
        assert answer == {"batchItemFailures": []}

    return [
        Comparison(
            name,
            "json + checks by hand + batch_writer",
            ours,
            lambda: naive.by_batch_writer(table, json.loads(text)),
            EVENTS,
            must=4,
            stretch=7,
            rounds=7,
        ),
        Comparison(
            name,
            "json + checks by hand + put_item for each",
            ours,
            lambda: naive.put_each(table, json.loads(text)),
            EVENTS,
            must=35,
            rounds=3,
        ),
    ]

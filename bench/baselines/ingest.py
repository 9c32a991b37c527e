"""A batch of queue messages written to a table with boto3: one by one, or by batch_writer."""

from collections.abc import Mapping
from typing import Any

from baselines.decode import parse


def put_each(table: Any, event: Mapping[str, Any]) -> None:
    """Put one item after the other."""
    for record in event["Records"]:
        table.put_item(Item=_item(record["body"]))


def by_batch_writer(table: Any, event: Mapping[str, Any]) -> None:
    """Put them by the batch, duplicates left out."""
    with table.batch_writer(overwrite_by_pkeys=["message_id", "fact"]) as batch:
        for record in event["Records"]:
            batch.put_item(Item=_item(record["body"]))


def _item(body: str) -> dict[str, Any]:
    event = parse(body)
    item = {name: value for name, value in event.items() if value is not None}
    return item | {"fact": f"{event['type']}#{event['at']}"}

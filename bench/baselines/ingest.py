"""Write a batch of queue messages to a table with boto3: one by one, or with batch_writer."""

from collections.abc import Mapping
from typing import Any

from baselines.decode import parse


def put_each(table: Any, event: Mapping[str, Any]) -> None:
    """Write the items one by one."""
    for record in event["Records"]:
        table.put_item(Item=_item(record["body"]))


def by_batch_writer(table: Any, event: Mapping[str, Any]) -> None:
    """Write the items in batches, without duplicates."""
    with table.batch_writer(overwrite_by_pkeys=["message_id", "fact"]) as batch:
        for record in event["Records"]:
            batch.put_item(Item=_item(record["body"]))


def _item(body: str) -> dict[str, Any]:
    event = parse(body)
    item = {name: value for name, value in event.items() if value is not None}
    return item | {"fact": f"{event['type']}#{event['at']}"}

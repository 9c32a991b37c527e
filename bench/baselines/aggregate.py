"""Stream records counted one by one, as most examples have it: deserialise, UpdateItem."""

from collections.abc import Mapping
from typing import Any

from boto3.dynamodb.types import TypeDeserializer

_COUNTERS = {"Send": "sends", "Delivery": "deliveries", "Open": "opens", "Click": "clicks"}
_deserializer = TypeDeserializer()


def deserialised(event: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Read the records' items."""
    return [
        {
            name: _deserializer.deserialize(value)
            for name, value in record["dynamodb"]["NewImage"].items()
        }
        for record in event["Records"]
    ]


def handle(table: Any, event: Mapping[str, Any]) -> None:
    """Count each record in its campaign's item.

    Args:
        table: boto3's resource of the table.
        event: as Lambda hands it over.
    """
    for item in deserialised(event):
        counter = _COUNTERS.get(item.get("e", ""), "states")
        table.update_item(
            Key={"campaign": item["c"], "part": "summary"},
            UpdateExpression="ADD #counter :one",
            ExpressionAttributeNames={"#counter": counter},
            ExpressionAttributeValues={":one": 1},
        )

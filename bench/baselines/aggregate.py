"""Count stream records one by one, as most examples do: deserialize, UpdateItem."""

from collections.abc import Mapping
from typing import Any

from boto3.dynamodb.types import TypeDeserializer

_COUNTERS = {"Send": "sends", "Delivery": "deliveries", "Open": "opens", "Click": "clicks"}
_deserializer = TypeDeserializer()


def deserialised(event: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Deserialize the items of the records."""
    return [
        {
            name: _deserializer.deserialize(value)
            for name, value in record["dynamodb"]["NewImage"].items()
        }
        for record in event["Records"]
    ]


def handle(table: Any, event: Mapping[str, Any]) -> None:
    """Count each record in the item of its campaign.

    Args:
        table: the boto3 resource of the table.
        event: the Lambda event.
    """
    for item in deserialised(event):
        counter = _COUNTERS.get(item.get("e", ""), "states")
        table.update_item(
            Key={"campaign": item["c"], "part": "summary"},
            UpdateExpression="ADD #counter :one",
            ExpressionAttributeNames={"#counter": counter},
            ExpressionAttributeValues={":one": 1},
        )

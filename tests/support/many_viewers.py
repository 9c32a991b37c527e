"""Write the rows of many viewers into the subscriptions table, as `subscribe` would."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from chalicelib.live.permissions import EVERYTHING, Connection, Permissions
from chalicelib.live.subscriptions import Subscriptions


def viewers(
    number: int, name: str = "viewer", access: Permissions = EVERYTHING
) -> list[Connection]:
    """Return ids of viewers who have been connected for a long time."""
    return [Connection(f"{name}-{one}", "api-1/api", 0, access) for one in range(number)]


def subscribe(table: Subscriptions, connections: Iterable[Connection], topic: str) -> None:
    """Subscribe connections: write the rows of `Subscriptions.add` in batches."""
    rows = list(_rows(table, connections, topic))
    for start in range(0, len(rows), 25):
        requests = [{"PutRequest": {"Item": row}} for row in rows[start : start + 25]]
        table._dynamo.call("batch_write_item", RequestItems={table._name: requests})


def _rows(
    table: Subscriptions, connections: Iterable[Connection], topic: str
) -> Iterator[Mapping[str, Any]]:
    class RecordingDynamo:
        """Fake DynamoDB that records the items to write."""

        @staticmethod
        def call(operation: str, *, TransactItems: list[Any]) -> None:
            assert operation == "transact_write_items"
            rows.extend(write["Put"]["Item"] for write in TransactItems)

    rows: list[Mapping[str, Any]] = []
    writer = Subscriptions(RecordingDynamo, table._name, clock=table._clock)
    for connection in connections:
        writer._subscribe(connection, topic)
        yield from rows
        rows.clear()

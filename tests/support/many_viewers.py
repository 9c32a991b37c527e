"""Many viewers, written into the subscriptions table as `subscribe` would write them."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from chalicelib.live.permissions import EVERYTHING, Connection, Permissions
from chalicelib.live.subscriptions import Subscriptions


def viewers(
    number: int, name: str = "viewer", access: Permissions = EVERYTHING
) -> list[Connection]:
    """Name viewers who have been connected for long."""
    return [Connection(f"{name}-{one}", "api-1/api", 0, access) for one in range(number)]


def subscribe(table: Subscriptions, connections: Iterable[Connection], topic: str) -> None:
    """Subscribe connections: the rows are those of `Subscriptions.add`, written in batches."""
    rows = list(_rows(table, connections, topic))
    for start in range(0, len(rows), 25):
        requests = [{"PutRequest": {"Item": row}} for row in rows[start : start + 25]]
        table._dynamo.call("batch_write_item", RequestItems={table._name: requests})


def _rows(
    table: Subscriptions, connections: Iterable[Connection], topic: str
) -> Iterator[Mapping[str, Any]]:
    class Kept:
        """Stands for DynamoDB, and keeps what it is to write."""

        @staticmethod
        def call(operation: str, *, TransactItems: list[Any]) -> None:
            assert operation == "transact_write_items"
            rows.extend(write["Put"]["Item"] for write in TransactItems)

    rows: list[Mapping[str, Any]] = []
    writer = Subscriptions(Kept, table._name, clock=table._clock)
    for connection in connections:
        writer._subscribe(connection, topic)
        yield from rows
        rows.clear()

"""Who listens to what.

Two rows a subscription: topic → connection serves a push, connection → topics a disconnect and
a ping. Rows carry what a push needs, and expire a little after the longest life of a connection.

    owner                 member        endpoint    connected_at  behind
    stats/email-…/spring  L0SM9cOF…     a1b2c3/api  epoch seconds
    connection/L0SM9cOF…  stats/email-… a1b2c3/api  …             when a push was missed
"""

import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from chalicelib.aws import Service
from chalicelib.errors import ConditionFailed, InvalidRequest

MAX_SUBSCRIPTIONS = 50  # of one connection
# API Gateway ends a connection after two hours.
ROW_SECONDS = 2 * 3600 + 600


@dataclass(frozen=True, slots=True)
class Connection:
    """A WebSocket connection.

    Attributes:
        id: API Gateway's name of it.
        endpoint: API id and stage, such as `a1b2c3/api`.
        connected_at: epoch seconds.
    """

    id: str
    endpoint: str
    connected_at: int


class Subscriptions:
    """The subscriptions table."""

    def __init__(
        self, dynamo: Service, name: str, *, clock: Callable[[], float] = time.time
    ) -> None:
        self._dynamo = dynamo
        self._name = name
        self._clock = clock

    def add(self, connection: Connection, topic: str) -> None:
        """Subscribe a connection; to do it again is harmless.

        Raises:
            InvalidRequest: it has as many subscriptions as one may have.
        """
        topics = {row["member"]["S"] for row in self._rows(_owner(connection.id))}
        if topic not in topics and len(topics) >= MAX_SUBSCRIPTIONS:
            raise InvalidRequest(
                "rate_limited",
                f"this connection has {len(topics)} subscriptions, the most that one may have: "
                "unsubscribe from one first",
            )
        rows = [(topic, connection.id), (_owner(connection.id), topic)]
        self._transact(
            [
                {"Put": {"TableName": self._name, "Item": self._row(owner, member, connection)}}
                for owner, member in rows
            ]
        )

    def remove(self, connection_id: str, topic: str) -> None:
        """Unsubscribe a connection from a topic; harmless where it was not subscribed."""
        rows = [(topic, connection_id), (_owner(connection_id), topic)]
        self._transact(
            [
                {
                    "Delete": {
                        "TableName": self._name,
                        "Key": {"owner": {"S": owner}, "member": {"S": member}},
                    }
                }
                for owner, member in rows
            ]
        )

    def forget(self, connection_id: str) -> None:
        """Remove all that is known of a connection."""
        for row in list(self._rows(_owner(connection_id))):
            self.remove(connection_id, row["member"]["S"])

    def subscribers(self, topic: str) -> list[Connection]:
        """List a topic's connections; consistent, for a subscriber's snapshot is of now."""
        now = self._clock()
        return [
            Connection(
                id=row["member"]["S"],
                endpoint=row["endpoint"]["S"],
                connected_at=int(row["connected_at"]["N"]),
            )
            for row in self._rows(topic)
            if int(row["expires"]["N"]) > now
        ]

    def mark_behind(self, connection_id: str, topic: str) -> None:
        """Note that a connection missed a push; its next ping is answered with a snapshot."""
        mark = {"N": str(int(self._clock() * 1000))}
        # Where the condition fails, it has unsubscribed meanwhile.
        self._update(connection_id, topic, "SET behind = :mark", "attribute_exists(expires)", mark)

    def behind(self, connection_id: str) -> list[tuple[str, str]]:
        """List the topics of which a connection missed a push, each with its mark."""
        return [
            (row["member"]["S"], row["behind"]["N"])
            for row in self._rows(_owner(connection_id))
            if "behind" in row
        ]

    def caught_up(self, connection_id: str, topic: str, mark: str) -> None:
        """Take a mark away, unless another push has been missed since it was read."""
        self._update(connection_id, topic, "REMOVE behind", "behind = :mark", {"N": mark})

    def _row(self, owner: str, member: str, connection: Connection) -> dict[str, Any]:
        return {
            "owner": {"S": owner},
            "member": {"S": member},
            "endpoint": {"S": connection.endpoint},
            "connected_at": {"N": str(connection.connected_at)},
            "expires": {"N": str(int(self._clock()) + ROW_SECONDS)},
        }

    def _transact(self, writes: list[dict[str, Any]]) -> None:
        """Write the two rows of a subscription together: one without the other would mislead."""
        self._dynamo.call("transact_write_items", TransactItems=writes)

    def _update(
        self, connection_id: str, topic: str, expression: str, condition: str, mark: dict[str, str]
    ) -> None:
        with suppress(ConditionFailed):
            self._dynamo.call(
                "update_item",
                TableName=self._name,
                Key={"owner": {"S": _owner(connection_id)}, "member": {"S": topic}},
                UpdateExpression=expression,
                ConditionExpression=condition,
                ExpressionAttributeValues={":mark": mark},
            )

    def _rows(self, owner: str) -> Iterator[dict[str, dict[str, Any]]]:
        start: dict[str, Any] = {}
        while True:
            page = self._dynamo.call(
                "query",
                TableName=self._name,
                KeyConditionExpression="#owner = :owner",
                ExpressionAttributeNames={"#owner": "owner"},
                ExpressionAttributeValues={":owner": {"S": owner}},
                ConsistentRead=True,
                **start,
            )
            yield from page["Items"]
            if "LastEvaluatedKey" not in page:
                return
            start["ExclusiveStartKey"] = page["LastEvaluatedKey"]


def _owner(connection_id: str) -> str:
    return f"connection/{connection_id}"

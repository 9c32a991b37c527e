"""The subscriptions table: connections, their permissions, and the topics they subscribe to.

A subscription has two rows: topic and connection, read for pushes; connection and topic, read for
disconnects and pings. Rows contain all that a push needs. They expire shortly after the maximum
lifetime of a connection, or when the connection's token expires. DynamoDB deletes expired rows days
later, so reads filter them out.
https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/ttl-expired-items.html
If the API requires authentication, each connection also has a row with its permissions; without
that row its requests are rejected, and it cannot subscribe. Each connection that was opened by a
share link has one more row, so that revoking the link closes them all (auth/share_links.py).

    owner                 member        other attributes
    stats/email-…/spring  L0SM9cOF…     endpoint (a1b2c3/api), connected_at, access, behind: time of
                                        a missed push, attention, attended_at, and of the list
                                        on_screen, subscribed_at
    connection/L0SM9cOF…  stats/email-… the same without attention and attended_at
    connection/L0SM9cOF…  access        access
    connection/L0SM9cOF…  attention     attention: how closely the viewer follows its topics
    share/Zx81…           L0SM9cOF…     endpoint
"""

import random
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from typing import Any, cast

from msgspec.structs import replace

from chalicelib.aws.client import Service
from chalicelib.dynamodb import AttributeValue, Item, PageOutput
from chalicelib.errors import AwsError, ConditionFailed, InvalidRequest
from chalicelib.live.permissions import EVERYTHING, Connection, Permissions, Right
from chalicelib.live.protocol import LIST_TOPIC, Level

MAX_SUBSCRIPTIONS = 50  # per connection
MAX_GUESTS = 200  # per share link
# API Gateway closes a connection after two hours.
ROW_SECONDS = 2 * 3600 + 600

_ACCESS, _ATTENTION = "access", "attention"  # never the name of a topic
_ATTEMPTS = 5
_CONFLICTS = {
    "TransactionCanceledException",
    "TransactionConflictException",
    "TransactionInProgressException",
}


class Subscriptions:
    """The subscriptions table."""

    def __init__(
        self,
        dynamo: Service,
        name: str,
        *,
        clock: Callable[[], float] = time.time,
        pause: Callable[[float], None] = time.sleep,
    ) -> None:
        self._dynamo = dynamo
        self._name = name
        self._clock = clock
        self._pause = pause

    def admit(self, connection: Connection) -> None:
        """Store a connection's permissions; used if the API requires authentication."""
        access = connection.access
        if access.shared is not None:
            self._put(access.subject, connection.id, endpoint={"S": connection.endpoint})
        self._put_access(connection.id, access)

    def access(self, connection_id: str) -> Permissions | None:
        """Return a connection's permissions; None if they have expired or been removed."""
        item = self._item(_owner(connection_id), _ACCESS)
        return _access(item) if item and self._is_live(item) else None

    def renew(self, connection: Connection) -> None:
        """Store new permissions, and remove the subscriptions that they do not allow."""
        self._put_access(connection.id, connection.access)
        for row in list(self._topics(connection.id)):
            topic = row["member"]["S"]
            if connection.access.can_subscribe(topic):
                self._renew(connection, topic)
            else:
                self.remove(connection.id, topic)

    def add(
        self, connection: Connection, topic: str, on_screen: frozenset[str] | None = None
    ) -> None:
        """Subscribe a connection to a topic. The operation is idempotent.

        Args:
            connection: the connection.
            topic: the topic.
            on_screen: of the list, the campaigns whose changes to push; None for all.

        Raises:
            InvalidRequest: the connection has reached the limit of subscriptions, or its
                permissions no longer allow the topic.
        """
        self._subscribe(connection, topic, on_screen)
        # Read after the write, because a connection's requests are served concurrently.
        if len(self.topics(connection.id)) > MAX_SUBSCRIPTIONS:
            self.remove(connection.id, topic)
            raise InvalidRequest(
                "rate_limited",
                f"this connection has reached the limit of {MAX_SUBSCRIPTIONS} "
                "subscriptions: unsubscribe from a topic first",
            )
        if (level := self._level(connection.id)) != "active":
            self._set_level(connection.id, topic, level)
        if connection.access.until is not None:
            self._follow_access(connection, topic)

    def attend(self, connection_id: str, level: Level) -> Level:
        """Store how closely a viewer follows its topics, for current and later subscriptions.

        Returns:
            The previous level.
        """
        before = self._level(connection_id)
        self._put(_owner(connection_id), _ATTENTION, attention={"S": level})
        # Repeat while another request changes the level: a connection's are served concurrently.
        while True:
            for topic in self.topics(connection_id):
                self._set_level(connection_id, topic, level)
            if (newest := self._level(connection_id)) == level:
                return before
            level = newest

    def on_screen(self, connection_id: str) -> list[str]:
        """Return the campaigns of the list that a connection has stated to be on the screen."""
        row = self._item(_owner(connection_id), LIST_TOPIC) or {}
        return [one["S"] for one in row["on_screen"]["L"]] if "on_screen" in row else []

    def topics(self, connection_id: str) -> list[str]:
        """Return the topics to which a connection is subscribed."""
        return [row["member"]["S"] for row in filter(self._is_live, self._topics(connection_id))]

    def remove(self, connection_id: str, topic: str) -> None:
        """Unsubscribe a connection from a topic. The operation is idempotent."""
        keys = _subscription_keys(connection_id, topic)
        self._transact([{"Delete": {"TableName": self._name, "Key": _key(*key)}} for key in keys])

    def forget(self, connection_id: str) -> None:
        """Remove all rows of a connection, starting with its permissions."""
        item = self._item(_owner(connection_id), _ACCESS)
        if item is not None:
            self._delete(_owner(connection_id), _ACCESS)
            if (access := _access(item)).shared is not None:
                self._delete(access.subject, connection_id)
        for row in list(self._rows(_owner(connection_id))):
            if _is_topic(row):
                self.remove(connection_id, row["member"]["S"])
            else:
                self._delete(_owner(connection_id), row["member"]["S"])

    def subscribers(self, topic: str) -> list[Connection]:
        """Return a topic's connections; a consistent read, as snapshots are consistent too."""
        return [
            Connection(
                id=row["member"]["S"],
                endpoint=row["endpoint"]["S"],
                connected_at=int(row["connected_at"]["N"]),
                access=_access(row),
                level=_level_of(row),
                attended_at=int(row["attended_at"]["N"]) if "attended_at" in row else 0,
                behind=row["behind"]["N"] if "behind" in row else None,
                on_screen=frozenset(one["S"] for one in row["on_screen"]["L"])
                if "on_screen" in row
                else None,
                subscribed_at=int(row["subscribed_at"]["N"]) if "subscribed_at" in row else 0,
            )
            for row in filter(self._is_live, self._rows(topic))
        ]

    def has_room(self, subject: str) -> bool:
        """Return whether a share link has fewer than MAX_GUESTS connections."""
        guests = 0
        for page in self._pages(
            subject,
            # DynamoDB counts the rows that pass the filter, per page; many may have expired.
            Select="COUNT",
            FilterExpression="expires > :now",
            values={":now": {"N": str(int(self._clock()))}},
        ):
            guests += page["Count"]
            if guests >= MAX_GUESTS:
                return False
        return True

    def leave_share(self, subject: str, connection_id: str) -> None:
        """Remove the row of a connection that was opened by a share link."""
        self._delete(subject, connection_id)

    def of_share(self, subject: str) -> list[Connection]:
        """Return the connections that were opened by a share link."""
        return [
            Connection(row["member"]["S"], row["endpoint"]["S"], connected_at=0)
            for row in filter(self._is_live, self._rows(subject))
        ]

    def mark_behind(self, connection_id: str, topic: str) -> None:
        """Record that a connection missed a push.

        Its next push, or the reply to its next ping, is a snapshot.
        """
        mark = {":mark": {"N": str(int(self._clock() * 1000))}}
        for key in _subscription_keys(connection_id, topic):
            # The condition fails if the connection has unsubscribed meanwhile.
            self._update(key, "SET behind = :mark", "attribute_exists(expires)", mark)

    def behind(self, connection_id: str) -> list[tuple[str, str]]:
        """Return the topics whose push a connection missed, each with its mark."""
        return [
            (row["member"]["S"], row["behind"]["N"])
            for row in filter(self._is_live, self._topics(connection_id))
            if "behind" in row
        ]

    def caught_up(self, connection_id: str, topic: str, mark: str) -> None:
        """Remove a mark, unless another push has been missed since the mark was read."""
        values = {":mark": {"N": mark}}
        for key in _subscription_keys(connection_id, topic):
            self._update(key, "REMOVE behind", "behind = :mark", values)

    def _follow_access(self, connection: Connection, topic: str) -> None:
        """Re-read permissions after the write, so that a concurrent change is always applied."""
        while (access := self.access(connection.id)) != connection.access:
            if access is None or not access.can_subscribe(topic):
                self.remove(connection.id, topic)
                raise InvalidRequest(
                    "forbidden",
                    "the permissions of this connection have changed: send the request again",
                )
            connection = replace(connection, access=access)
            self._renew(connection, topic)

    def _subscribe(
        self, connection: Connection, topic: str, on_screen: frozenset[str] | None = None
    ) -> None:
        columns: Item = {
            "endpoint": {"S": connection.endpoint},
            "connected_at": {"N": str(connection.connected_at)},
            "expires": {"N": str(self._end(connection.access))},
            **_access_column(connection.access),
        }
        if on_screen is not None:
            # A list, because a set in DynamoDB is never empty.
            columns["on_screen"] = {"L": [{"S": one} for one in sorted(on_screen)]}
            columns["subscribed_at"] = {"N": str(int(self._clock()))}
        rows = [
            {**_key(topic, connection.id), **columns},
            {**_key(_owner(connection.id), topic), **columns},
        ]
        self._transact([{"Put": {"TableName": self._name, "Item": row}} for row in rows])

    def _renew(self, connection: Connection, topic: str) -> None:
        """Update a subscription's permissions; do nothing if the subscription was removed."""
        values = {
            ":access": _access_column(connection.access)["access"],
            ":end": {"N": str(self._end(connection.access))},
        }
        for key in _subscription_keys(connection.id, topic):
            expression = "SET access = :access, expires = :end"
            self._update(key, expression, "attribute_exists(expires)", values)

    def _level(self, connection_id: str) -> Level:
        return _level_of(self._item(_owner(connection_id), _ATTENTION) or {})

    def _set_level(self, connection_id: str, topic: str, level: Level) -> None:
        values = {":level": {"S": level}, ":now": {"N": str(int(self._clock()))}}
        expression = "SET attention = :level, attended_at = :now"
        self._update((topic, connection_id), expression, "attribute_exists(expires)", values)

    def _end(self, access: Permissions) -> int:
        """Return when a subscription expires, in epoch seconds."""
        expires = self._expires()
        return expires if access.until is None else min(access.until, expires)

    def _put_access(self, connection_id: str, access: Permissions) -> None:
        self._put(_owner(connection_id), _ACCESS, **_access_column(access))

    def _put(self, owner: str, member: str, **columns: AttributeValue) -> None:
        expires = {"N": str(self._expires())}
        self._dynamo.call(
            "put_item",
            TableName=self._name,
            Item={**_key(owner, member), "expires": expires, **columns},
        )

    def _delete(self, owner: str, member: str) -> None:
        self._dynamo.call("delete_item", TableName=self._name, Key=_key(owner, member))

    def _item(self, owner: str, member: str) -> Item | None:
        found: Item | None = self._dynamo.call(
            "get_item", TableName=self._name, Key=_key(owner, member), ConsistentRead=True
        ).get("Item")
        return found

    def _expires(self) -> int:
        return int(self._clock()) + ROW_SECONDS

    def _transact(self, writes: list[dict[str, Any]]) -> None:
        """Write both rows of a subscription in one transaction, to keep them consistent."""
        self._call("transact_write_items", TransactItems=writes)

    def _update(
        self, key: tuple[str, str], expression: str, condition: str, values: dict[str, Any]
    ) -> None:
        with suppress(ConditionFailed):
            self._call(
                "update_item",
                TableName=self._name,
                Key=_key(*key),
                UpdateExpression=expression,
                ConditionExpression=condition,
                ExpressionAttributeValues=values,
            )

    def _call(self, operation: str, **parameters: Any) -> None:
        """Write, with retries on conflicts with concurrent writes to the same rows.

        These transactions have no conditions, so a canceled one has met a conflict.
        https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/transaction-apis.html#transaction-conflict-handling
        """
        for attempt in range(_ATTEMPTS):
            try:
                self._dynamo.call(operation, **parameters)
            except AwsError as error:
                if error.code not in _CONFLICTS or attempt == _ATTEMPTS - 1:
                    raise
                self._pause(random.uniform(0, 0.05 * 2**attempt))  # noqa: S311 - jitter
            else:
                return

    def _topics(self, connection_id: str) -> Iterator[Item]:
        """Return the rows of a connection's subscriptions, including expired ones."""
        return filter(_is_topic, self._rows(_owner(connection_id)))

    def _rows(self, owner: str) -> Iterator[Item]:
        """Yield an owner's rows, including expired ones; a consistent read."""
        for page in self._pages(owner, ConsistentRead=True):
            yield from page["Items"]

    def _pages(
        self, owner: str, values: Mapping[str, Any] | None = None, **parameters: Any
    ) -> Iterator[PageOutput]:
        while True:
            page = self._dynamo.call(
                "query",
                TableName=self._name,
                KeyConditionExpression="#owner = :owner",
                ExpressionAttributeNames={"#owner": "owner"},
                ExpressionAttributeValues={":owner": {"S": owner}, **(values or {})},
                **parameters,
            )
            yield page
            if "LastEvaluatedKey" not in page:
                return
            parameters["ExclusiveStartKey"] = page["LastEvaluatedKey"]

    def _is_live(self, row: Item) -> bool:
        return int(row["expires"]["N"]) > self._clock()


def _is_topic(row: Item) -> bool:
    """Return whether a connection's row is a subscription."""
    return row["member"]["S"] not in (_ACCESS, _ATTENTION)


def _level_of(row: Item) -> Level:
    """Return the level in a row; a viewer that never stated one is active."""
    return cast("Level", row["attention"]["S"] if "attention" in row else "active")


def _subscription_keys(connection_id: str, topic: str) -> tuple[tuple[str, str], tuple[str, str]]:
    """Return the keys of a subscription's rows: the one read for pushes, and the connection's."""
    return (topic, connection_id), (_owner(connection_id), topic)


def _owner(connection_id: str) -> str:
    return f"connection/{connection_id}"


def _key(owner: str, member: str) -> dict[str, dict[str, str]]:
    return {"owner": {"S": owner}, "member": {"S": member}}


def _access_column(access: Permissions) -> Item:
    """Return permissions as a column; no column if the API requires no authentication."""
    if access.until is None:
        return {}
    columns: Item = {
        "subject": {"S": access.subject},
        "until": {"N": str(access.until)},
        "prefixes": {"L": [{"S": prefix} for prefix in access.prefixes]},
        "rights": {"L": [{"S": right} for right in sorted(access.rights)]},
        "name": {"S": access.name},
    }
    if access.shared is not None:
        columns["shared"] = {"S": access.shared}
    return {"access": {"M": columns}}


def _access(row: Item) -> Permissions:
    if "access" not in row:
        return EVERYTHING
    columns = row["access"]["M"]
    return Permissions(
        columns["subject"]["S"],
        int(columns["until"]["N"]),
        tuple(prefix["S"] for prefix in columns["prefixes"]["L"]),
        columns["shared"]["S"] if "shared" in columns else None,
        # A row of an earlier release has neither rights nor a name.
        frozenset(
            cast("Right", right["S"])
            for right in columns.get("rights", AttributeValue()).get("L", [])
        ),
        columns.get("name", AttributeValue()).get("S", ""),
    )

"""The suppressions of forgotten recipients in the stats table, under a key that no campaign has.

    campaign     part                        at
    " forgotten" forgotten-1a2b3c4d5e6f7081  epoch seconds

A suppression has no expiry: exported events may be replayed at any time.
"""

import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from typing import Any

from chalicelib.aws.client import Service
from chalicelib.errors import ConditionFailed
from chalicelib.facts.forgotten import Forgotten

PARTITION = " forgotten"
# How long a process may work with suppressions that it has read; `forget` waits longer.
CACHE_SECONDS = 10.0


class Suppressions:
    """Reads and adds suppressions.

    Args:
        dynamo: DynamoDB.
        name: the stats table.
        key: the key of pseudonyms.
        clock: returns epoch seconds.
    """

    def __init__(
        self, dynamo: Service, name: str, key: str, *, clock: Callable[[], float] = time.time
    ) -> None:
        self._dynamo = dynamo
        self._name = name
        self._key = key
        self._clock = clock
        self._forgotten = Forgotten(key)
        self._until = 0.0

    def current(self) -> Forgotten:
        """Return the forgotten recipients, as they were at most CACHE_SECONDS ago.

        Raises:
            AwsError: they could not be read.
        """
        now = self._clock()
        if now >= self._until:
            self._forgotten = self.read()
            self._until = now + CACHE_SECONDS
        return self._forgotten

    def read(self) -> Forgotten:
        """Return the forgotten recipients; a consistent read.

        Raises:
            AwsError: they could not be read.
        """
        return Forgotten(self._key, frozenset(token for token, _ in self._items()))

    def add(self, token: str, at: float) -> None:
        """Add a suppression, unless it exists.

        Args:
            token: the token of a name.
            at: epoch seconds.

        Raises:
            AwsError: it could not be written.
        """
        with suppress(ConditionFailed):
            self._dynamo.call(
                "put_item",
                TableName=self._name,
                Item={
                    "campaign": {"S": PARTITION},
                    "part": {"S": token},
                    "at": {"N": str(int(at))},
                },
                ConditionExpression="attribute_not_exists(part)",
            )

    def times(self) -> dict[str, int]:
        """Return when each suppression was added, in epoch seconds; a consistent read.

        Raises:
            AwsError: they could not be read.
        """
        return dict(self._items())

    def _items(self) -> Iterator[tuple[str, int]]:
        start: dict[str, Any] = {}
        while True:
            page = self._dynamo.call(
                "query",
                TableName=self._name,
                KeyConditionExpression="campaign = :forgotten",
                ExpressionAttributeValues={":forgotten": {"S": PARTITION}},
                ConsistentRead=True,
                **start,
            )
            for item in page["Items"]:
                yield item["part"]["S"], int(item["at"]["N"])
            if "LastEvaluatedKey" not in page:
                return
            start["ExclusiveStartKey"] = page["LastEvaluatedKey"]

"""Distributed rate limiter: reserve send slots in one DynamoDB item.

Each shard of the stats table's stream has its own publish invocations, which are unaware of each
other. One item of the subscriptions table stores the time until which all slots are reserved. A
publisher moves that time forward by its own slots, and starts to send at the previous time.

    owner   member   other attributes
    push    turn     free_at: epoch microseconds
"""

import math
import time
from collections.abc import Callable

from chalicelib.aws.client import Service
from chalicelib.dynamodb import Item
from chalicelib.errors import AwsError, ConditionFailed

# No reservation is this far ahead; a later time was written with a wrong clock, and is overwritten.
NONSENSE_SECONDS = 120

# The second attempt cannot fail: the stored time never decreases, unless a wrong clock wrote it.
_LOOKS = 3

_KEY = {"owner": {"S": "push"}, "member": {"S": "turn"}}


class RateLimiter:
    """Rate limiter of messages per second across all publishers.

    Args:
        dynamo: DynamoDB client.
        table: the subscriptions table.
        messages_per_second: the rate limit.
        clock: returns epoch seconds. Lambda's clocks agree within milliseconds; if one deviates by
            more, other publishers wait that much longer, or two send concurrently for that long.
    """

    def __init__(
        self,
        dynamo: Service,
        table: str,
        messages_per_second: int,
        *,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._dynamo = dynamo
        self._table = table
        self._messages_per_second = messages_per_second
        self._clock = clock

    def reserve(self, messages: int, latest: float) -> float | None:
        """Reserve the next send slots.

        Args:
            messages: number of messages to send.
            latest: epoch seconds by which sending must start.

        Returns:
            The start time in epoch seconds; None if it would be too late, and nothing is reserved.

        Raises:
            AwsError: the reservation failed.
        """
        now = self._clock()
        if now > latest:
            return None
        cost = math.ceil(messages * 1_000_000 / self._messages_per_second)
        for _ in range(_LOOKS):
            try:
                return self._after_others(cost, _micros(now), _micros(latest))
            except ConditionFailed as found:
                free_at = int(found.item.get("free_at", {"N": "0"})["N"])
            if _micros(latest) < free_at <= _micros(now + NONSENSE_SECONDS):
                return None
            try:
                self._at_once(cost, _micros(now))
            except ConditionFailed:
                continue  # another publisher has just reserved slots
            return now
        raise AwsError(
            "NoSendSlot",
            f"no send slot reserved in {_LOOKS} attempts: only the publish function may "
            f"write the item push/turn of {self._table}; find the other writer",
        )

    def _after_others(self, cost: int, now: int, latest: int) -> float:
        """Reserve slots after existing reservations; return the start time in epoch seconds."""
        item = self._update(
            "ADD free_at :cost",
            "free_at >= :now AND free_at <= :latest",
            {":cost": cost, ":now": now, ":latest": latest},
        )
        return (int(item["free_at"]["N"]) - cost) / 1_000_000

    def _at_once(self, cost: int, now: int) -> None:
        """Reserve slots from now on, if none are reserved."""
        self._update(
            "SET free_at = :end",
            "attribute_not_exists(free_at) OR free_at < :now OR free_at > :nonsense",
            {":end": now + cost, ":now": now, ":nonsense": now + _micros(NONSENSE_SECONDS)},
        )

    def _update(self, expression: str, condition: str, values: dict[str, int]) -> Item:
        item: Item = self._dynamo.call(
            "update_item",
            TableName=self._table,
            Key=_KEY,
            UpdateExpression=expression,
            ConditionExpression=condition,
            ExpressionAttributeValues={name: {"N": str(one)} for name, one in values.items()},
            ReturnValues="ALL_NEW",
            ReturnValuesOnConditionCheckFailure="ALL_OLD",
        )["Attributes"]
        return item


def _micros(seconds: float) -> int:
    return round(seconds * 1_000_000)

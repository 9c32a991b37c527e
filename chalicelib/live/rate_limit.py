"""RateLimiter: what is pushed a second stays below a ceiling, whoever pushes at the time.

Shards of the stats table's stream are published by invocations of their own, which know nothing of
each other. One item of the subscriptions table says until when the ceiling is taken; who is about
to push moves it forward, and begins when it stood.

    owner   member   what else
    push    turn     free_at: epoch microseconds
"""

import math
import time
from collections.abc import Callable
from typing import Any

from chalicelib.aws.client import Service
from chalicelib.errors import AwsError, ConditionFailed

# Nobody takes a turn that is as far ahead: only a clock that was wrong has left such a time.
NONSENSE_SECONDS = 120

# Of two looks only the first can miss: the time never goes back, but from nonsense.
_LOOKS = 3

_KEY = {"owner": {"S": "push"}, "member": {"S": "turn"}}


class RateLimiter:
    """Takes turns.

    Args:
        dynamo: DynamoDB.
        table: the subscriptions table.
        messages_per_second: the ceiling.
        clock: epoch seconds. Lambda's clocks agree within milliseconds; where one is fast or slow
            by more, others wait as long, or two push at once for as long.
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

    def take(self, messages: int, latest: float) -> float | None:
        """Take the next turn.

        Args:
            messages: how many are to be sent.
            latest: epoch seconds at which the turn must have begun.

        Returns:
            When it begins, in epoch seconds; None where that is too late, and no turn was taken.

        Raises:
            AwsError: none could be taken.
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
                continue  # somebody else has begun just now
            return now
        raise AwsError(
            "NoTurn",
            f"no turn in {_LOOKS} attempts: something else writes the item push/turn of "
            f"{self._table}, which nobody but the publish function may",
        )

    def _after_others(self, cost: int, now: int, latest: int) -> float:
        """Take a turn while the ceiling is taken; gives when it begins."""
        item = self._update(
            "ADD free_at :cost",
            "free_at >= :now AND free_at <= :latest",
            {":cost": cost, ":now": now, ":latest": latest},
        )
        return (int(item["free_at"]["N"]) - cost) / 1_000_000

    def _at_once(self, cost: int, now: int) -> None:
        """Take a turn while nobody has one."""
        self._update(
            "SET free_at = :end",
            "attribute_not_exists(free_at) OR free_at < :now OR free_at > :nonsense",
            {":end": now + cost, ":now": now, ":nonsense": now + _micros(NONSENSE_SECONDS)},
        )

    def _update(self, expression: str, condition: str, values: dict[str, int]) -> dict[str, Any]:
        item: dict[str, Any] = self._dynamo.call(
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

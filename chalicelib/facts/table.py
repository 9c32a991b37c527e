"""The events table: facts put, messages read and settled, activity listed."""

import heapq
import random
import time
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress

from msgspec import Struct, field

from chalicelib.aws.client import Service
from chalicelib.errors import AwsError, ConditionFailed, trace
from chalicelib.facts.fact import (
    ACTIVITY_LANES,
    Class,
    Fact,
    Item,
    activity_partition,
    from_item,
    to_item,
)
from chalicelib.facts.settle import STATE_PREFIX, State, state_from_item, state_to_item
from chalicelib.log import log

_DAY = 24 * 3600
BATCH = 25  # BatchWriteItem's limit
_BATCH_ATTEMPTS = 5


class Message(Struct):
    """What is stored of one message in one campaign."""

    facts: list[Fact] = field(default_factory=list)
    state: State | None = None


class EventsTable:
    """Stores facts and message states."""

    def __init__(
        self,
        dynamo: Service,
        name: str,
        *,
        retention_days: int,
        clock: Callable[[], float] = time.time,
        pause: Callable[[float], None] = time.sleep,
    ) -> None:
        self._dynamo = dynamo
        self._name = name
        self._retention = retention_days * _DAY
        self._clock = clock
        self._pause = pause

    def put(self, facts: Sequence[Fact]) -> list[Fact]:
        """Write facts on which nothing else depends; one that is stored already stays one.

        Args:
            facts: at most BATCH, each with an identity of its own.

        Returns:
            Those that could not be written.
        """
        expires = self._expires()
        requests = [{"PutRequest": {"Item": to_item(fact, expires)}} for fact in facts]
        try:
            for attempt in range(_BATCH_ATTEMPTS):
                if attempt:
                    self._pause(random.uniform(0, 0.05 * 2**attempt))  # noqa: S311 - jitter
                response = self._dynamo.call(
                    "batch_write_item", RequestItems={self._name: requests}
                )
                requests = response.get("UnprocessedItems", {}).get(self._name, [])
                if not requests:
                    return []
        except AwsError as error:
            if error.code == "ValidationException" and len(facts) > 1:
                # One of them is at fault: it must not keep the others from being written.
                return [fact for one in facts for fact in self.put([one])]
            log("not_stored", detail=trace(error), facts=len(facts))
        left = {_identity(request["PutRequest"]["Item"]) for request in requests}
        return [fact for fact in facts if (fact.message_id, fact.key) in left]

    def put_engagement(self, fact: Fact) -> None:
        """Write an open or click unless it is there: what it was settled to stays.

        Raises:
            AwsError: it could not be written.
        """
        self._write_if(
            "put_item",
            "attribute_not_exists(message_id)",  # else it is a duplicate
            Item=to_item(fact, self._expires()),
        )

    def message(self, message_id: str) -> dict[str, Message]:
        """Read all that is stored of a message, by campaign; consistent.

        Raises:
            AwsError: it could not be read.
        """
        messages: dict[str, Message] = defaultdict(Message)
        for item in self._query(
            KeyConditionExpression="message_id = :id",
            ExpressionAttributeValues={":id": {"S": message_id}},
            ConsistentRead=True,
        ):
            if item["fact"]["S"].startswith(STATE_PREFIX):
                state = state_from_item(item)
                messages[state.campaign].state = state
            else:
                fact = from_item(item)
                messages[fact.campaign].facts.append(fact)
        return messages

    def scan(self, campaign: str | None = None) -> Iterator[tuple[int, list[Item]]]:
        """Read the whole table, page by page.

        Args:
            campaign: whose items are wanted; None for all.

        Yields:
            How many items were looked at, and those that are wanted, in DynamoDB JSON.

        Raises:
            AwsError: it could not be read.
        """
        parameters: dict[str, object] = {}
        if campaign is not None:
            parameters = {
                "FilterExpression": "c = :campaign",
                "ExpressionAttributeValues": {":campaign": {"S": campaign}},
            }
        while True:
            page = self._dynamo.call(
                "scan", TableName=self._name, ConsistentRead=True, **parameters
            )
            yield page["ScannedCount"], page["Items"]
            if "LastEvaluatedKey" not in page:
                return
            parameters["ExclusiveStartKey"] = page["LastEvaluatedKey"]

    def reclassify(self, fact: Fact, engager: Class, reason: str, rank: int) -> None:
        """Store the class of an open or click, unless newer rules or more facts have decided it.

        Raises:
            AwsError: it could not be written.
        """
        self._write_if(
            "update_item",
            # Not where it has expired, nor over a result that rests on more.
            "attribute_exists(message_id) AND (attribute_not_exists(z) OR z < :rank)",
            Key={"message_id": {"S": fact.message_id}, "fact": {"S": fact.key}},
            UpdateExpression="SET k = :engager, w = :reason, z = :rank",
            ExpressionAttributeValues={
                ":engager": {"S": engager},
                ":reason": {"S": reason},
                ":rank": {"N": str(rank)},
            },
        )

    def put_state(self, state: State) -> None:
        """Write a message's state, unless one that rests on more facts or newer rules stands.

        Raises:
            AwsError: it could not be written.
        """
        self._write_if(
            "put_item",
            "attribute_not_exists(message_id) OR z < :rank",
            Item=state_to_item(state, self._expires()),
            ExpressionAttributeValues={":rank": {"N": str(state.settled)}},
        )

    def activity(
        self, campaign: str, hour: str, before: str | None, page: int
    ) -> Iterator[tuple[str, Fact]]:
        """List an hour's activity, newest first, each with its place in the order.

        Facts that have expired and that DynamoDB has yet to delete are left out.

        Args:
            campaign: its id.
            hour: such as `2026-11-23T10`.
            before: list only what comes after this place; None for all.
            page: how many to read at once of each lane; what is read is billed.
        """
        lanes = [
            self._activity_of_lane(activity_partition(campaign, hour, lane), before, page)
            for lane in range(ACTIVITY_LANES)
        ]
        # Lazily: the caller takes a page of an hour that may have a million.
        yield from heapq.merge(*lanes, key=lambda found: found[0], reverse=True)

    def _activity_of_lane(
        self, partition: str, before: str | None, page: int
    ) -> Iterator[tuple[str, Fact]]:
        condition = "activity = :partition"
        values = {":partition": {"S": partition}}
        if before is not None:
            condition += " AND activity_at < :before"
            values[":before"] = {"S": before}
        for item in self._query(
            IndexName="activity",
            KeyConditionExpression=condition,
            ExpressionAttributeValues=values,
            ScanIndexForward=False,
            Limit=page,
        ):
            if int(item["expires"]["N"]) > self._clock():
                yield item["activity_at"]["S"], from_item(item)

    def _write_if(self, operation: str, condition: str, **parameters: object) -> None:
        """Write where the condition holds; where it does not, what stands is right."""
        with suppress(ConditionFailed):
            self._dynamo.call(
                operation, TableName=self._name, ConditionExpression=condition, **parameters
            )

    def _query(self, **parameters: object) -> Iterator[Item]:
        while True:
            page = self._dynamo.call("query", TableName=self._name, **parameters)
            yield from page["Items"]
            if "LastEvaluatedKey" not in page:
                return
            parameters["ExclusiveStartKey"] = page["LastEvaluatedKey"]

    def _expires(self) -> int:
        """Give the end of the day after the retention: the same for duplicates of a day.

        An identical put writes no stream record.
        """
        return (int(self._clock()) + self._retention) // _DAY * _DAY + _DAY


def _identity(item: Item) -> tuple[str, str]:
    return item["message_id"]["S"], item["fact"]["S"]

"""The events table: writes facts, reads and settles emails, and lists activity."""

import heapq
import math
import random
import time
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress

from msgspec import Struct, field

from chalicelib.aws.client import Service
from chalicelib.dynamodb import Item, WriteRequest
from chalicelib.errors import AwsError, ConditionFailed, trace
from chalicelib.facts.fact import Fact
from chalicelib.facts.items import (
    ACTIVITY_LANES,
    activity_partition,
    expiry,
    from_item,
    to_item,
)
from chalicelib.facts.state import State
from chalicelib.log import log

_DAY = 24 * 3600
BATCH = 25  # BatchWriteItem's limit

Queued = Mapping[tuple[str, str], int]
"""When the events of facts arrived in the queue, in epoch milliseconds, by message id and key."""
NOT_QUEUED: Queued = {}
_BATCH_ATTEMPTS = 5


class Message(Struct):
    """The stored facts and state of one email in one campaign.

    Attributes:
        expires: when its first fact expires, in epoch seconds; infinite without facts.
    """

    facts: list[Fact] = field(default_factory=list)
    state: State | None = None
    expires: float = math.inf


class EventsTable:
    """The events table, which contains facts and email states."""

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

    def put(self, facts: Sequence[Fact], queued: Queued = NOT_QUEUED) -> list[Fact]:
        """Write facts that do not affect an email's state. The operation is idempotent.

        Args:
            facts: at most BATCH, with distinct identities.
            queued: when their events arrived in the queue.

        Returns:
            The facts that could not be written.
        """
        expires = self._expires()
        requests: list[WriteRequest] = [
            {
                "PutRequest": {
                    "Item": to_item(fact, expires, queued.get((fact.message_id, fact.key)))
                }
            }
            for fact in facts
        ]
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
                # Write the facts one by one, so that the invalid one does not block the others.
                return [fact for one in facts for fact in self.put([one], queued)]
            log("not_stored", detail=trace(error), facts=len(facts))
        left = {_identity(request["PutRequest"]["Item"]) for request in requests}
        return [fact for fact in facts if (fact.message_id, fact.key) in left]

    def put_new(self, fact: Fact, queued: int | None = None) -> None:
        """Write a fact unless it exists, so that a settled one is not overwritten.

        Args:
            fact: the fact.
            queued: when its event arrived in the queue, in epoch milliseconds, if that is known.

        Raises:
            AwsError: the item could not be written.
        """
        self._write_if(
            "put_item",
            "attribute_not_exists(message_id)",  # fails for a duplicate
            Item=to_item(fact, self._expires(), queued),
        )

    def message(self, message_id: str) -> dict[str, Message]:
        """Return the stored facts and state of an email, by campaign; a consistent read.

        Raises:
            AwsError: the items could not be read.
        """
        messages: dict[str, Message] = defaultdict(Message)
        for item in self._query(
            KeyConditionExpression="message_id = :id",
            ExpressionAttributeValues={":id": {"S": message_id}},
            ConsistentRead=True,
        ):
            match from_item(item):
                case State() as state:
                    messages[state.campaign].state = state
                case Fact() as fact:
                    message = messages[fact.campaign]
                    message.facts.append(fact)
                    message.expires = min(message.expires, expiry(item) or math.inf)
        return messages

    def scan(self, campaign: str | None = None) -> Iterator[tuple[int, list[Item]]]:
        """Read the whole table, page by page.

        Args:
            campaign: campaign whose items to return; None for all.

        Yields:
            Number of items scanned, and the matching items, in DynamoDB JSON.

        Raises:
            AwsError: the table could not be read.
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

    def put_settled(self, fact: Fact, *, over: int) -> bool:
        """Store a settled fact over an earlier form of it; it keeps its expiry.

        Args:
            fact: the fact.
            over: the rank of the earlier form. A fact that has another rank meanwhile, or has
                expired, is left as it is.

        Returns:
            Whether it was stored.

        Raises:
            AwsError: the item could not be written.
        """
        item = to_item(fact, 0)
        del item["message_id"], item["fact"], item["expires"]
        return self._write_if(
            "update_item",
            # Do not recreate an expired fact, nor overwrite a result that was not read.
            "z = :over" if over else "attribute_exists(message_id) AND attribute_not_exists(z)",
            Key={"message_id": {"S": fact.message_id}, "fact": {"S": fact.key}},
            UpdateExpression="SET " + ", ".join(f"#{name} = :{name}" for name in item),
            ExpressionAttributeNames={f"#{name}": name for name in item},
            ExpressionAttributeValues={
                **({":over": {"N": str(over)}} if over else {}),
                **{f":{name}": value for name, value in item.items()},
            },
        )

    def rewrite(self, stored: Fact, new: Fact) -> None:
        """Store the attributes in which a fact differs from its stored form; it keeps the others.

        An expired fact is not created again.

        Raises:
            AwsError: the item could not be written.
        """
        before, after = to_item(stored, 0), to_item(new, 0)
        changed = {name: value for name, value in after.items() if before.get(name) != value}
        removed = sorted(before.keys() - after.keys())
        if not changed and not removed:
            return
        sets = ", ".join(f"#{name} = :{name}" for name in changed)
        removes = ", ".join(f"#{name}" for name in removed)
        update = " ".join([f"SET {sets}"] * bool(sets) + [f"REMOVE {removes}"] * bool(removes))
        values = {f":{name}": value for name, value in changed.items()}
        self._write_if(
            "update_item",
            "attribute_exists(message_id)",
            Key={"message_id": {"S": stored.message_id}, "fact": {"S": stored.key}},
            UpdateExpression=update,
            ExpressionAttributeNames={f"#{name}": name for name in (*changed, *removed)},
            **({"ExpressionAttributeValues": values} if values else {}),
        )

    def put_state(self, state: State, *, over: int | None) -> bool:
        """Write an email's state over the one that was read.

        Args:
            state: the state.
            over: the rank of the stored state; None if there was none. A state that has another
                rank meanwhile is left as it is.

        Returns:
            Whether it was written.

        Raises:
            AwsError: the item could not be written.
        """
        return self._write_if(
            "put_item",
            "attribute_not_exists(message_id)" if over is None else "z = :over",
            Item=to_item(state, self._expires()),
            **({} if over is None else {"ExpressionAttributeValues": {":over": {"N": str(over)}}}),
        )

    def activity(
        self, campaign: str, hour: str, before: str | None, page: int
    ) -> Iterator[tuple[str, Fact]]:
        """Yield an hour's activity, newest first, each fact with its position in the order.

        Expired facts that DynamoDB has not deleted yet are omitted.

        Args:
            campaign: the campaign's id.
            hour: such as `2026-11-23T10`.
            before: position after which to start; None for the newest.
            page: number of facts to read at once from each lane; every read is billed.
        """
        lanes = [
            self._activity_of_lane(activity_partition(campaign, hour, lane), before, page)
            for lane in range(ACTIVITY_LANES)
        ]
        # Merge lazily: the caller reads a page of an hour that may have a million facts.
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
            fact = from_item(item)
            if isinstance(fact, Fact) and int(item["expires"]["N"]) > self._clock():
                yield item["activity_at"]["S"], fact

    def _write_if(self, operation: str, condition: str, **parameters: object) -> bool:
        """Write if the condition holds, and return whether it did.

        If it fails, the item was changed or deleted since it was read.
        """
        with suppress(ConditionFailed):
            self._dynamo.call(
                operation, TableName=self._name, ConditionExpression=condition, **parameters
            )
            return True
        return False

    def _query(self, **parameters: object) -> Iterator[Item]:
        while True:
            page = self._dynamo.call("query", TableName=self._name, **parameters)
            yield from page["Items"]
            if "LastEvaluatedKey" not in page:
                return
            parameters["ExclusiveStartKey"] = page["LastEvaluatedKey"]

    def _expires(self) -> int:
        """Return the end of the day on which the retention ends, in epoch seconds.

        It is the same for all duplicates of a day, and an identical put writes no stream record.
        """
        return (int(self._clock()) + self._retention) // _DAY * _DAY + _DAY


def _identity(item: Item) -> tuple[str, str]:
    return item["message_id"]["S"], item["fact"]["S"]

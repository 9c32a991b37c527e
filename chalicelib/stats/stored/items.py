"""The items of the stats table: how they are read and updated, and how conflicts end.

An item's key is a campaign and a part of it, such as `spring` and `hour#2026-11-23T10`.
"""

import random
from collections.abc import Callable, Iterator, Sequence
from itertools import islice
from typing import Any

from chalicelib.aws.client import Service
from chalicelib.dynamodb import Item, PageOutput, UpdateItemOutput
from chalicelib.errors import AwsError
from chalicelib.stats.counters import LISTED, Key

ATTEMPTS = 20
"""Of an update whose condition concurrent writes keep changing."""

LARGEST_BATCH = 100
"""Items that BatchGetItem returns at most."""

_PROMPT_ATTEMPTS = 3  # without a wait; most conflicts end with the second attempt
_CONFLICT_SECONDS = 0.01  # the duration of a write, in which another one conflicts with it
_LONGEST_WAIT_SECONDS = 1.0


class StatsItems:
    """The items of the stats table. All reads are consistent, but those of the list.

    Attributes:
        clock: returns epoch seconds.
    """

    def __init__(
        self,
        dynamo: Service,
        name: str,
        *,
        clock: Callable[[], float],
        sleep: Callable[[float], None],
    ) -> None:
        self._dynamo = dynamo
        self._name = name
        self.clock = clock
        self._sleep = sleep

    def get(self, campaign: str, part: str) -> Item | None:
        """Return an item; None if there is none."""
        item: Item | None = self._dynamo.call(
            "get_item", TableName=self._name, Key=_dynamo_key((campaign, part)), ConsistentRead=True
        ).get("Item")
        return item

    def get_each(self, keys: Sequence[Key]) -> list[Item]:
        """Return the items that exist, in the order of their keys.

        Args:
            keys: no two are equal.
        """
        found: dict[Key, Item] = {}
        for start in range(0, len(keys), LARGEST_BATCH):
            wanted = list(map(_dynamo_key, keys[start : start + LARGEST_BATCH]))
            while wanted:
                response = self._dynamo.call(
                    "batch_get_item",
                    RequestItems={self._name: {"Keys": wanted, "ConsistentRead": True}},
                )
                for item in response["Responses"].get(self._name, []):
                    found[item["campaign"]["S"], item["part"]["S"]] = item
                wanted = response.get("UnprocessedKeys", {}).get(self._name, {}).get("Keys", [])
                if wanted:
                    self._sleep(random.uniform(0, 0.1))  # noqa: S311 - jitter
        return [found[key] for key in keys if key in found]

    def with_prefix(self, campaign: str, prefix: str, *, most: int | None = None) -> Iterator[Item]:
        """Yield the items of a campaign whose parts have a prefix, the last part first."""
        items = self._query(
            "campaign = :campaign AND begins_with(part, :prefix)",
            {":campaign": {"S": campaign}, ":prefix": {"S": prefix}},
            **({"Limit": most} if most else {}),
        )
        return islice(items, most)

    def between(
        self, campaign: str, first: str, last: str, *, page: int | None = None
    ) -> Iterator[Item]:
        """Yield the items of a campaign with these parts and those between, the last part first.

        Args:
            campaign: the campaign's id.
            first: the first part.
            last: the last part.
            page: the items that are read at once; None for as many as fit in DynamoDB's 1 MB.
        """
        return self._query(
            "campaign = :campaign AND part BETWEEN :first AND :last",
            {":campaign": {"S": campaign}, ":first": {"S": first}, ":last": {"S": last}},
            **({"Limit": page} if page else {}),
        )

    def _query(self, condition: str, values: Item, **parameters: Any) -> Iterator[Item]:
        while True:
            page = self._dynamo.call(
                "query",
                TableName=self._name,
                KeyConditionExpression=condition,
                ExpressionAttributeValues=values,
                ScanIndexForward=False,
                ConsistentRead=True,
                **parameters,
            )
            yield from page["Items"]
            if "LastEvaluatedKey" not in page:
                return
            parameters["ExclusiveStartKey"] = page["LastEvaluatedKey"]

    def listed(self, **parameters: Any) -> PageOutput:
        """Return a page of the keys of all summaries, newest campaign first."""
        return self._dynamo.call(
            "query",
            TableName=self._name,
            IndexName="campaigns",
            KeyConditionExpression="listed = :listed",
            ExpressionAttributeValues={":listed": {"S": LISTED}},
            ScanIndexForward=False,
            **parameters,
        )

    def update(self, key: Key, **parameters: Any) -> UpdateItemOutput:
        """Send UpdateItem with these parameters.

        Raises:
            ConditionFailed: the item does not fulfill the condition.
            AwsError: the item could not be written.
        """
        return self._dynamo.call(
            "update_item", TableName=self._name, Key=_dynamo_key(key), **parameters
        )

    def put(self, item: Item, **parameters: Any) -> None:
        """Send PutItem with these parameters.

        Raises:
            ConditionFailed: the item that is stored does not fulfill the condition.
            AwsError: the item could not be written.
        """
        self._dynamo.call("put_item", TableName=self._name, Item=item, **parameters)

    def yield_to_others(self, attempt: int) -> None:
        """Wait after a conflict, for a random time, longer after each further one.

        Without it, a hundred shards that write an item at once exhaust all attempts: each write
        makes the others fail.
        """
        if attempt >= _PROMPT_ATTEMPTS:
            longest = min(_LONGEST_WAIT_SECONDS, _CONFLICT_SECONDS * 2 ** (attempt - 2))
            self._sleep(random.uniform(0, longest))  # noqa: S311 - jitter


def contention(key: Key) -> AwsError:
    """Return the error of an update after ATTEMPTS conflicts."""
    campaign, part = key
    return AwsError(
        "Contention", f"{campaign}/{part} changed {ATTEMPTS} times while it was updated"
    )


def _dynamo_key(key: Key) -> Item:
    campaign, part = key
    return {"campaign": {"S": campaign}, "part": {"S": part}}

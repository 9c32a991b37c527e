"""DynamoDB in memory: the tables of the template with their streams, with the interface of `Dynamo`.

It rejects the requests that AWS rejects, writes a stream record for each actual change, and divides
streams into shards that can be split. `before_write` and `after_write` are called around each write
of an item, also inside a batch: a process can die at each of them.

tests/integration/test_memory.py compares it with moto.
"""

import itertools
import zlib
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

import yaml
from support.expressions import Names, Refused, check, condition, projection, updated

from chalicelib.errors import AwsError, ConditionFailed

TEMPLATE = Path(__file__).parents[2] / "infrastructure" / "mailpulse.yaml"
MAX_ITEM_BYTES = 400 * 1024
Item = dict[str, Any]
Key = tuple[str, str]


@dataclass(eq=False)
class Shard:
    """A shard of a stream: the records of the partition keys whose hash is in a range."""

    id: str
    low: float
    high: float
    parent: "Shard | None" = None
    records: list[dict[str, Any]] = field(default_factory=list)
    is_open: bool = True


class Stream:
    """A table's stream. As in AWS, its sequence numbers have 21 digits and no padding."""

    def __init__(self, table: str) -> None:
        self.arn = f"arn:aws:dynamodb:us-east-1:123456789012:table/{table}/stream/2026"
        self.shards = [Shard("shard-0", 0, 1)]
        self._sequence = itertools.count(10**20 + 7, 13)
        self._ids = itertools.count(1)

    def split(self, shard: Shard) -> None:
        """Close a shard; its two children divide its range and are read after it."""
        assert shard.is_open
        shard.is_open = False
        middle = (shard.low + shard.high) / 2
        for low, high in ((shard.low, middle), (middle, shard.high)):
            self.shards.append(Shard(f"shard-{next(self._ids)}", low, high, shard))

    def append(self, name: str, keys: Item, old: Item | None, new: Item | None, at: float) -> None:
        change: dict[str, Any] = {
            "Keys": keys,
            "SequenceNumber": str(next(self._sequence)),
            "ApproximateCreationDateTime": at,
        }
        change |= {"OldImage": old} if old is not None else {}
        change |= {"NewImage": new} if new is not None else {}
        hashed = zlib.crc32(next(iter(keys.values()))["S"].encode()) / 2**32
        shard = next(s for s in self.shards if s.is_open and s.low <= hashed < s.high)
        shard.records.append({"eventName": name, "eventSourceARN": self.arn, "dynamodb": change})


class Table:
    """A table: partition → sort key → item."""

    def __init__(self, name: str, definition: Mapping[str, Any]) -> None:
        self.name = name
        self.keys = _key_names(definition)
        indexes = definition.get("GlobalSecondaryIndexes", [])
        self.indexes = {index["IndexName"]: _key_names(index) for index in indexes}
        self.keys_only = {
            index["IndexName"]
            for index in indexes
            if index["Projection"]["ProjectionType"] == "KEYS_ONLY"
        }
        self.partitions: dict[str, dict[str, Item]] = defaultdict(dict)
        # Index → partition of the index → items by their table keys.
        self.indexed: dict[str, dict[str, dict[Key, Item]]] = {
            index: defaultdict(dict) for index in self.indexes
        }
        self.stream = Stream(name) if "StreamSpecification" in definition else None

    def key(self, item: Item) -> Key:
        texts = [item.get(name, {}).get("S", "") for name in self.keys]
        if not all(texts):
            raise Refused(f"One or more parameter values are not valid for key {self.keys}: {item}")
        if len(texts[0].encode()) > 2048 or len(texts[1].encode()) > 1024:
            raise Refused(f"Size of a key of {self.name} has exceeded the limit")
        return texts[0], texts[1]

    def get(self, key: Key) -> Item | None:
        return self.partitions.get(key[0], {}).get(key[1])

    def put(self, key: Key, item: Item | None) -> None:
        """Store an item in the table and its indexes; None deletes it."""
        old = self.get(key)
        for index, (hashed, _) in self.indexes.items():
            if old is not None and hashed in old:
                del self.indexed[index][old[hashed]["S"]][key]
            if item is not None and hashed in item:
                self.indexed[index][item[hashed]["S"]][key] = item
        if item is None:
            del self.partitions[key[0]][key[1]]
        else:
            self.partitions[key[0]][key[1]] = item

    def items(self) -> Iterator[Item]:
        for partition in list(self.partitions.values()):
            yield from list(partition.values())


class MemoryDynamo:
    """Accepts the calls of `chalicelib.aws.client.Dynamo`.

    Attributes:
        before_write, after_write: called with (table, key) around each write of an item.
        before_call: called with (operation, parameters) at the start of each call.
        between_writes: called between the items of a batch, which are written one by one.
    """

    def __init__(self, clock: Callable[[], float]) -> None:
        self.tables = {name: Table(name, definition) for name, definition in _definitions()}
        self.before_call: Callable[[str, Mapping[str, Any]], None] = lambda *_: None
        self.before_write: Callable[[str, Key], None] = lambda *_: None
        self.after_write: Callable[[str, Key], None] = lambda *_: None
        self.between_writes: Callable[[], None] = lambda: None
        self._clock = clock

    def call(self, operation: str, **parameters: Any) -> dict[str, Any]:
        """Perform a call with the results and errors of `Dynamo.call`."""
        self.before_call(operation, parameters)
        try:
            answer: dict[str, Any] = getattr(self, f"_{operation}")(**parameters)
        except Refused as error:
            raise AwsError("ValidationException", f"{operation} failed: {error}") from error
        return answer

    def expire(self) -> int:
        """Delete expired items, as DynamoDB does within days."""
        removed = 0
        for table in self.tables.values():
            for item in table.items():
                if "expires" in item and int(item["expires"]["N"]) <= self._clock():
                    self._write(table, table.key(item), None)
                    removed += 1
        return removed

    def _get_item(self, *, TableName: str, Key: Item, ConsistentRead: bool = False) -> Item:
        del ConsistentRead
        table = self.tables[TableName]
        item = table.get(table.key(Key))
        return {} if item is None else {"Item": item}

    def _batch_get_item(self, *, RequestItems: Item) -> Item:
        [(name, wanted)] = RequestItems.items()
        keys = [self.tables[name].key(key) for key in wanted["Keys"]]
        if len(set(keys)) != len(keys) or not 0 < len(keys) <= 100:
            raise Refused("Provided list of item keys contains duplicates, or is too long or empty")
        found = [item for key in keys if (item := self.tables[name].get(key)) is not None]
        if "ProjectionExpression" in wanted:
            names = projection(wanted["ProjectionExpression"])
            found = [{one: item[one] for one in names if one in item} for item in found]
        return {"Responses": {name: found}, "UnprocessedKeys": {}}

    def _put_item(self, *, TableName: str, Item: Item, **rest: Any) -> Item:
        table = self.tables[TableName]
        key = table.key(Item)
        self._require(table.get(key), rest)
        self._write(table, key, Item)
        return {}

    def _delete_item(self, *, TableName: str, Key: Item, **rest: Any) -> Item:
        table = self.tables[TableName]
        key = table.key(Key)
        self._require(table.get(key), rest)
        self._write(table, key, None)
        return {}

    def _update_item(
        self, *, TableName: str, Key: Item, ReturnValues: str = "NONE", **rest: Any
    ) -> Item:
        table = self.tables[TableName]
        key = table.key(Key)
        old = table.get(key)
        names = self._require(old, rest)
        new = updated(old if old is not None else Key, rest["UpdateExpression"], names)
        self._write(table, key, new)
        return {"Attributes": new} if ReturnValues == "ALL_NEW" else {}

    def _batch_write_item(self, *, RequestItems: Item) -> Item:
        [(name, requests)] = RequestItems.items()
        table = self.tables[name]
        items = [request["PutRequest"]["Item"] for request in requests]
        keys = [table.key(item) for item in items]
        if len(set(keys)) != len(keys) or not 0 < len(keys) <= 25:
            raise Refused("Provided list of item keys contains duplicates, or is too long or empty")
        for item in items:
            _check_item(item)
        for key, item in zip(keys, items, strict=True):
            self._write(table, key, item)
            self.between_writes()
        return {"UnprocessedItems": {}}

    def _transact_write_items(self, *, TransactItems: list[Item]) -> Item:
        writes = []
        for entry in TransactItems:
            [(kind, write)] = entry.items()
            table = self.tables[write["TableName"]]
            item = write["Item"] if kind == "Put" else None
            writes.append((table, table.key(write["Item" if kind == "Put" else "Key"]), item))
        if len({(table.name, key) for table, key, _ in writes}) != len(writes):
            raise Refused("Transaction request cannot include multiple operations on one item")
        # All or nothing: the process cannot die in between.
        table, key, _ = writes[0]
        self.before_write(table.name, key)
        for table, key, item in writes:
            self._store(table, key, item)
        self.after_write(table.name, key)
        return {}

    def _query(
        self,
        *,
        TableName: str,
        KeyConditionExpression: str,
        IndexName: str | None = None,
        ScanIndexForward: bool = True,
        Limit: int | None = None,
        ExclusiveStartKey: Item | None = None,
        ConsistentRead: bool = False,
        Select: str | None = None,
        **rest: Any,
    ) -> Item:
        table = self.tables[TableName]
        names = check({"KeyConditionExpression": KeyConditionExpression, **rest})
        if IndexName is not None and ConsistentRead:
            raise Refused("Consistent reads are not supported on global secondary indexes")
        keys = table.keys if IndexName is None else table.indexes[IndexName]
        partition = _partition(KeyConditionExpression, names)
        if any(len(value["S"].encode()) > 2048 for value in names.values.values() if "S" in value):
            raise Refused("One or more parameter values were invalid: Size of a key is too long")
        if IndexName is None:
            candidates = iter(table.partitions.get(partition, {}).values())
        else:
            candidates = iter(table.indexed[IndexName].get(partition, {}).values())
        wanted = condition(KeyConditionExpression)
        found = [i for i in candidates if all(k in i for k in keys) and wanted(i, names)]

        def order(item: Item) -> tuple[bytes, ...]:
            return tuple(item[name]["S"].encode() for name in (*keys, *table.keys))

        found.sort(key=order, reverse=not ScanIndexForward)
        if ExclusiveStartKey is not None:
            _check_start(ExclusiveStartKey, {*keys, *table.keys}, {keys[0]: partition})
            start = order(ExclusiveStartKey)
            found = [
                i for i in found if (order(i) > start) == ScanIndexForward and order(i) != start
            ]
        page = found[:Limit]
        passes = condition(rest["FilterExpression"]) if "FilterExpression" in rest else None
        if passes is not None:
            page = [item for item in page if passes(item, names)]
        if IndexName in table.keys_only:
            page = [{name: item[name] for name in {*keys, *table.keys}} for item in page]
        answer: Item = {"Count": len(page)} | ({} if Select == "COUNT" else {"Items": page})
        if Limit is not None and len(found[:Limit]) == Limit:
            last = found[Limit - 1]
            answer["LastEvaluatedKey"] = {k: last[k] for k in {*keys, *table.keys}}
        return answer

    def _scan(self, *, TableName: str, ExclusiveStartKey: Item | None = None, **rest: Any) -> Item:
        names = check(rest)
        wanted = condition(rest["FilterExpression"]) if "FilterExpression" in rest else None
        table = self.tables[TableName]
        items = list(table.items())
        start = int(ExclusiveStartKey["at"]["N"]) if ExclusiveStartKey else 0
        page = items[start : start + 1000]
        answer: Item = {
            "Items": [item for item in page if wanted is None or wanted(item, names)],
            "ScannedCount": len(page),
        }
        if start + 1000 < len(items):
            answer["LastEvaluatedKey"] = {"at": {"N": str(start + 1000)}}
        return answer

    def _require(self, item: Item | None, rest: Mapping[str, Any]) -> Names:
        names = check(rest)
        wanted = rest.get("ConditionExpression")
        if wanted is not None and not condition(wanted)(item or {}, names):
            asked = rest.get("ReturnValuesOnConditionCheckFailure") == "ALL_OLD"
            raise ConditionFailed(item if asked and item is not None else {})
        return names

    def _write(self, table: Table, key: Key, item: Item | None) -> None:
        self.before_write(table.name, key)
        self._store(table, key, item)
        self.after_write(table.name, key)

    def _store(self, table: Table, key: Key, item: Item | None) -> None:
        if item is not None:
            _check_item(item)
        old = table.get(key)
        if old == item:
            return  # no change, no record
        table.put(key, item)
        if table.stream is not None:
            name = "REMOVE" if item is None else "INSERT" if old is None else "MODIFY"
            keys = {attribute: {"S": text} for attribute, text in zip(table.keys, key, strict=True)}
            table.stream.append(name, keys, old, item, self._clock())


def _check_item(item: Item) -> None:
    size = 0
    for name, value in item.items():
        size += len(name) + len(str(value).encode())
        [(kind, content)] = value.items()
        if kind == "SS" and (not content or len(set(content)) != len(content)):
            raise Refused(f"a set of {name} is empty or has duplicates")
        if kind == "N" and len(content.lstrip("-0")) > 38:
            raise Refused(f"{name} has more than 38 digits")
    if size > MAX_ITEM_BYTES:
        raise Refused("Item size has exceeded the maximum allowed size")


def _check_start(start: Item, names: set[str], within: Mapping[str, str]) -> None:
    """Raise an error unless the start of a page is a key of this query."""
    if start.keys() != names or not all(list(value) == ["S"] for value in start.values()):
        raise Refused("The provided starting key is invalid")
    texts = {name: value["S"] for name, value in start.items()}
    if not all(isinstance(one, str) and 0 < len(one.encode()) <= 2048 for one in texts.values()):
        raise Refused("The provided starting key is invalid: a key is empty or too long")
    if not texts.items() >= within.items():
        raise Refused("The provided starting key is outside query boundaries")


def _partition(expression: str, names: Names) -> str:
    """Return the partition key at the start of a key condition: `campaign = :campaign …`."""
    value: str = names.values[expression.split()[2]]["S"]
    return value


def _key_names(definition: Mapping[str, Any]) -> tuple[str, str]:
    hashed, ranged = (key["AttributeName"] for key in definition["KeySchema"])
    return hashed, ranged


@cache
def _definitions() -> Sequence[tuple[str, Mapping[str, Any]]]:
    """Return the template's tables by their logical names."""
    loader = type("Loader", (yaml.SafeLoader,), {})
    loader.add_multi_constructor("!", lambda *_: None)
    template = yaml.load(TEMPLATE.read_text(), Loader=loader)
    return [
        (name, resource["Properties"])
        for name, resource in template["Resources"].items()
        if resource["Type"] == "AWS::DynamoDB::Table"
    ]

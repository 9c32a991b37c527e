"""The shapes of DynamoDB's JSON that the tables send and receive.

https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/Welcome.html
"""

from typing import NotRequired, TypedDict


class AttributeValue(TypedDict, total=False):
    """A value with its type; exactly one member is present."""

    S: str
    N: str
    B: bytes
    BOOL: bool
    SS: list[str]
    L: "list[AttributeValue]"
    M: "dict[str, AttributeValue]"


Item = dict[str, AttributeValue]
"""An item, such as `{"e": {"S": "Open"}}`."""


class GetItemOutput(TypedDict):
    """The response of GetItem; `Item` is missing if there is no item."""

    Item: NotRequired[Item]


class PageOutput(TypedDict):
    """The response of Query and Scan: a page of items, and where the next page starts."""

    Items: list[Item]
    Count: int
    ScannedCount: int
    LastEvaluatedKey: NotRequired[Item]


class UpdateItemOutput(TypedDict):
    """The response of UpdateItem with ReturnValues."""

    Attributes: Item


class PutRequest(TypedDict):
    """An item to put."""

    Item: Item


class WriteRequest(TypedDict):
    """One write of BatchWriteItem."""

    PutRequest: PutRequest


class BatchWriteItemOutput(TypedDict, total=False):
    """The response of BatchWriteItem: the unprocessed writes, by table."""

    UnprocessedItems: dict[str, list[WriteRequest]]

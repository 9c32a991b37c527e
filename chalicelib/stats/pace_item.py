"""The item of the stats table with a campaign's pace, which watch computes (stats/pace.py).

    campaign  part  v        pace
    spring    pace  version  a snapshot's `pace` as JSON, without the version

It is written as a whole, whenever what it says has changed. No counter is derived from it.
"""

from collections.abc import Mapping
from typing import Any

import msgspec
from msgspec import Struct

from chalicelib.dynamodb import Item

PACE = "pace"
"""The part of a campaign's pace."""

Content = Mapping[str, Any]
"""A snapshot's `pace` without the version."""


_decoder = msgspec.json.Decoder(dict[str, Any])


class StoredPace(Struct, frozen=True):
    """The pace of a campaign as stored."""

    content: Content
    version: int


def pace_from_item(item: Item) -> StoredPace:
    """Parse the pace of a campaign from DynamoDB JSON.

    Raises:
        ValueError: the item is not a pace.
    """
    try:
        return StoredPace(_decoder.decode(item["pace"]["S"]), int(item["v"]["N"]))
    except (KeyError, TypeError, ValueError, msgspec.MsgspecError) as error:
        raise ValueError(f"not a pace: {type(error).__name__}") from error


def pace_to_text(content: Content) -> str:
    """Return the attribute of an item with this content."""
    return msgspec.json.encode(content).decode()

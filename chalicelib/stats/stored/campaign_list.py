"""The list of campaigns: an index of their summaries, newest first."""

import re
from collections.abc import Callable, Iterator
from itertools import islice
from typing import Any

from chalicelib.dynamodb import Item
from chalicelib.paging import open_place, seal
from chalicelib.ses.event import MAX_ID
from chalicelib.stats.counters import LISTED, SUMMARY, Aggregate, aggregate_from_item
from chalicelib.stats.stored.items import LARGEST_BATCH, StatsItems

# A position in the list of campaigns: a campaign, and the time of its first event.
_PLACE = re.compile(
    rf"(?P<campaign>.{{1,{MAX_ID}}})#(?P<at>[0-9-]{{10}}T[0-9:]{{8}}(?:\.[0-9]{{3}})?Z)", re.DOTALL
)


class CampaignList:
    """The list of campaigns."""

    def __init__(self, items: StatsItems) -> None:
        self._items = items

    def page(
        self, limit: int, cursor: str | None, sees: Callable[[str], bool] = lambda _: True
    ) -> tuple[list[Aggregate], str | None]:
        """Return a page of summaries, newest campaign first, and the cursor of the next page.

        Args:
            limit: at most 100.
            cursor: the cursor returned with the previous page; None for the first page.
            sees: returns whether a campaign is visible; others are omitted.

        Raises:
            InvalidRequest: the cursor is invalid.
        """
        found: list[Item] = []
        start = {"ExclusiveStartKey": _listed_key(cursor)} if cursor else {}
        page_size = limit
        while True:
            page = self._items.listed(Limit=page_size, **start)
            keys = [one for one in page["Items"] if sees(one["campaign"]["S"])]
            found += keys
            last = page.get("LastEvaluatedKey")
            if last is None or len(found) >= limit:
                break
            start, page_size = {"ExclusiveStartKey": last}, LARGEST_BATCH
        if len(found) > limit or last is not None:
            # Build the cursor from a listed campaign, never from one that is not visible.
            found = found[:limit]
            last = found[-1]
        following = f"{last['campaign']['S']}#{last['first_event_at']['S']}" if last else None
        return self._summaries(found), seal(following) if following else None

    def ids(self) -> Iterator[str]:
        """Yield the campaigns of the list in any order, with as few reads as possible."""
        return (key["campaign"]["S"] for key in self._listed())

    def all(self) -> Iterator[Aggregate]:
        """Yield all summaries, newest campaign first."""
        keys = self._listed()
        while some := list(islice(keys, LARGEST_BATCH)):
            yield from self._summaries(some)

    def _listed(self) -> Iterator[Item]:
        """Yield the keys of all summaries, newest campaign first, with as few reads as possible."""
        start: dict[str, Any] = {}
        while True:
            page = self._items.listed(**start)
            yield from page["Items"]
            if "LastEvaluatedKey" not in page:
                return
            start = {"ExclusiveStartKey": page["LastEvaluatedKey"]}

    def _summaries(self, keys: list[Item]) -> list[Aggregate]:
        # An index may briefly list an item twice when its key changes; BatchGetItem rejects that.
        campaigns = dict.fromkeys(key["campaign"]["S"] for key in keys)
        found = self._items.get_each([(campaign, SUMMARY) for campaign in campaigns])
        return list(map(aggregate_from_item, found))


def _listed_key(cursor: str) -> Item:
    """Return the index key that a cursor refers to."""
    place = open_place(cursor, _PLACE)
    return {
        "campaign": {"S": place["campaign"]},
        "part": {"S": SUMMARY},
        "listed": {"S": LISTED},
        "first_event_at": {"S": place["at"]},
    }

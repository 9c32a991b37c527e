"""The activity of campaigns, in pages."""

from collections.abc import Iterator
from itertools import groupby

from chalicelib.facts.fact import Fact
from chalicelib.stats.activity import (
    ACTIVITY,
    Page,
    entries_in,
    minute_of,
    newest_first,
    page_to_item,
)
from chalicelib.stats.stored.items import StatsItems


class ActivityPages:
    """The pages of activity; see stats/activity.py."""

    def __init__(self, items: StatsItems) -> None:
        self._items = items

    def put(self, campaign: str, page: Page) -> None:
        """Append a page of a campaign's activity; the operation is idempotent.

        Raises:
            AwsError: the item could not be written.
        """
        self._items.put(page_to_item(campaign, page))

    def entries(
        self, campaign: str, hour: str = "", *, before: str | None = None, most: int | None = None
    ) -> Iterator[tuple[str, Fact]]:
        """Yield activity, newest first, each fact once, with its position in the order.

        Args:
            campaign: the campaign's id.
            hour: such as `2026-11-23T10`; empty for all of the campaign.
            before: position after which to start; None for the newest.
            most: number of pages to read at once, because every read is billed; None for as many
                as fit in DynamoDB's 1 MB.
        """
        first = f"{ACTIVITY}#{hour}"
        # Positions begin with the time; "~" sorts after all of them.
        last = f"{ACTIVITY}#{before[:16]}~" if before and before.startswith(hour) else f"{first}~"
        items = self._items.between(campaign, first, last, page=most)
        kept = (item for item in items if int(item["expires"]["N"]) > self._items.clock())
        for _, pages in groupby(kept, minute_of):
            for position, fact in newest_first(one for page in pages for one in entries_in(page)):
                if before is None or position < before:
                    yield position, fact

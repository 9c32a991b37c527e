"""Read a campaign's activity, newest first: hour by hour, from the index of the events table."""

from collections.abc import Iterator, Sequence
from itertools import islice

from msgspec import Struct

from chalicelib.facts.fact import ACTIVITY_TYPES, Fact
from chalicelib.facts.items import ACTIVITY_LANES
from chalicelib.facts.table import EventsTable
from chalicelib.live import messages
from chalicelib.live.frames import Message
from chalicelib.stats.table import StatsTable

# Entries in a snapshot and in a push: those that the page shows.
NEWEST = 8
# Page size: facts read at once from each lane of the index; every read is billed.
_LEAST_PAGE = 5

# For each type of activity, an hour's counters that are nonzero if the hour has such activity.
_COUNTERS_OF_TYPE = {
    "Open": ("opens",),
    "Click": ("clicks",),
    "Bounce": ("hard_bounces", "soft_bounces", "undetermined_bounces", "prevented"),
    "Complaint": ("complaints", "complaints_not_spam", "complaints_prevented"),
    "DeliveryDelay": ("delivery_delays",),
    "Reject": ("rejects",),
    "Rendering Failure": ("rendering_failures",),
    "Subscription": ("unsubscribes",),
}


class Activity(Struct, frozen=True):
    """Reader of the activity of campaigns."""

    stats_table: StatsTable
    events_table: EventsTable

    def places(
        self,
        campaign: str,
        *,
        types: Sequence[str] = ACTIVITY_TYPES,
        before: str | None = None,
        page: int,
    ) -> Iterator[tuple[str, Fact]]:
        """Yield a campaign's activity, each fact with its position in the order.

        Args:
            campaign: the campaign's id.
            types: hours without activity of any of these types are not read. Facts of other types
                are included nevertheless.
            before: position after which to start; None for the newest.
            page: number of facts to read at once from each lane.
        """
        for hour in self.stats_table.hours(campaign):
            name = hour.part.removeprefix("hour#")
            if before is not None and name > before:
                continue
            counters = (counter for kind in types for counter in _COUNTERS_OF_TYPE[kind])
            if any(hour.counts.get(counter) for counter in counters):
                yield from self.events_table.activity(campaign, name, before, page)

    def newest(self, campaign: str) -> list[Message]:
        """Return the newest entries of a campaign's activity, at most NEWEST."""
        places = self.places(campaign, page=page_of(NEWEST))
        return [messages.activity(fact) for _, fact in islice(places, NEWEST)]


def page_of(limit: int) -> int:
    """Return the page size for a number of entries, of which each lane has roughly its share."""
    return max(_LEAST_PAGE, 2 * limit // ACTIVITY_LANES)

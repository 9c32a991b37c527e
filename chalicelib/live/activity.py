"""Read a campaign's activity, newest first: hour by hour, from its pages."""

import heapq
from collections.abc import Iterator, Sequence
from itertools import groupby, islice
from operator import itemgetter

from msgspec import Struct

from chalicelib.facts.fact import ACTIVITY_TYPES, Fact
from chalicelib.facts.table import EventsTable
from chalicelib.live import messages
from chalicelib.live.frames import Message
from chalicelib.live.push import NEWEST
from chalicelib.stats.activity import rank_of
from chalicelib.stats.table import StatsTable

# Facts read at once from each lane of the index of an earlier release.
_EARLIER_AT_ONCE = 25

# For each type of activity, an hour's counters that are nonzero if the hour has such activity.
_COUNTERS_OF_TYPE = {
    "Open": ("opens",),
    "Click": ("clicks",),
    # An hour that only an earlier release has counted has no reports.
    "Bounce": ("reports", "hard_bounces", "soft_bounces", "undetermined_bounces"),
    "Complaint": ("reports", "complaints"),
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
        most: int,
    ) -> Iterator[tuple[str, Fact]]:
        """Yield a campaign's activity, each fact with its position in the order.

        Args:
            campaign: the campaign's id.
            types: hours without activity of any of these types are not read. Facts of other types
                are included nevertheless.
            before: position after which to start; None for the newest.
            most: number of pages to read at once.
        """
        summary = self.stats_table.summary(campaign)
        for hour in self.stats_table.buckets(campaign, "hour#"):
            name = hour.part.removeprefix("hour#")
            if before is not None and name > before:
                continue
            counters = (counter for kind in types for counter in _COUNTERS_OF_TYPE[kind])
            if not any(hour.counts.get(counter) for counter in counters):
                continue
            places = self.stats_table.activity.entries(campaign, name, before=before, most=most)
            if summary is None or not summary.is_current:
                places = self._with_earlier(places, campaign, name, before)
            yield from places

    def newest(self, campaign: str) -> list[Message]:
        """Return the newest entries of a campaign's activity, at most NEWEST."""
        places = self.places(campaign, most=NEWEST)
        return [messages.activity(fact) for _, fact in islice(places, NEWEST)]

    def _with_earlier(
        self, places: Iterator[tuple[str, Fact]], campaign: str, hour: str, before: str | None
    ) -> Iterator[tuple[str, Fact]]:
        """Add what an earlier release has stored, which is not in pages until a recount."""
        earlier = self.events_table.activity(campaign, hour, before, _EARLIER_AT_ONCE)
        merged = heapq.merge(places, earlier, key=itemgetter(0), reverse=True)
        for position, found in groupby(merged, itemgetter(0)):
            yield position, max((fact for _, fact in found), key=rank_of)

"""For each shard of the events stream, the sequence number up to which its records are counted.

" pipeline"  shard#<hash>  see stats/positions.py
"""

from collections.abc import Collection, Iterator
from typing import Any

from chalicelib.errors import ConditionFailed
from chalicelib.stats.counters import PIPELINE
from chalicelib.stats.delays import NOTHING, Sums
from chalicelib.stats.positions import (
    SHARD,
    CountedBatch,
    Position,
    advance,
    advance_without_campaigns,
    position_from_item,
)
from chalicelib.stats.stored.items import StatsItems


class ShardPositions:
    """The positions up to which the shards are counted."""

    def __init__(self, items: StatsItems) -> None:
        self._items = items

    def put(  # noqa: PLR0913 - one for each attribute of a position
        self,
        attribute: str,
        shard: str,
        sequence: str,
        *,
        created: int,
        campaigns: Collection[str] = (),
        delays: Sums = NOTHING,
    ) -> None:
        """Store the position up to which a shard is counted; an older position has no effect.

        Args:
            attribute: the shard attribute, which identifies the shard among all streams.
            shard: the shard's id.
            sequence: sequence number of the last counted record.
            created: when that record was written, in epoch seconds.
            campaigns: the campaigns of the counted records.
            delays: what was measured of these records.

        Raises:
            AwsError: the item could not be written.
        """
        now = int(self._items.clock())
        batch = CountedBatch(shard, sequence, created, delays)
        update: dict[str, Any] | None = advance(batch, campaigns, now)
        while update is not None:
            try:
                self._items.update((PIPELINE, SHARD + attribute), **update)
            except ConditionFailed as error:
                update = advance_without_campaigns(batch, error.item, now)
            else:
                return

    def get(self, attribute: str) -> int:
        """Return the sequence number up to which a shard is counted, -1 if none.

        Args:
            attribute: the shard attribute.
        """
        item = self._items.get(PIPELINE, SHARD + attribute)
        return int(position_from_item(item).read) if item else -1

    def by_shard(self) -> dict[str, str]:
        """Return the sequence number up to which each shard is counted, by shard id."""
        return {one.shard: one.given for one in self.all()}

    def all(self) -> Iterator[Position]:
        """Yield the positions of all shards."""
        return map(position_from_item, self._items.with_prefix(PIPELINE, SHARD))

    def by_attribute(self, now: int) -> dict[str, str]:
        """Return the sequence number up to which each shard is counted, by shard attribute.

        Expired items, which DynamoDB deletes within days, are skipped: the stream's records have
        expired before them.

        Args:
            now: epoch seconds.
        """
        return {
            item["part"]["S"].removeprefix(SHARD): position_from_item(item).given
            for item in self._items.with_prefix(PIPELINE, SHARD)
            if "expires" not in item or int(item["expires"]["N"]) > now
        }

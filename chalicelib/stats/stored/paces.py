"""The paces of campaigns: each one's item, and what its summary repeats."""

from contextlib import suppress
from datetime import datetime

from chalicelib.errors import ConditionFailed
from chalicelib.stats.counters import SUMMARY
from chalicelib.stats.pace_item import (
    PACE,
    Content,
    PaceNow,
    StoredPace,
    pace_from_item,
    pace_now_to_text,
    pace_to_text,
)
from chalicelib.stats.stored.items import StatsItems


class StoredPaces:
    """The paces of campaigns, as they were computed last."""

    def __init__(self, items: StatsItems) -> None:
        self._items = items

    def get(self, campaign: str) -> StoredPace | None:
        """Return the stored pace of a campaign; None if there is none.

        Raises:
            AwsError: the item could not be read.
        """
        item = self._items.get(campaign, PACE)
        return pace_from_item(item) if item else None

    def put(self, campaign: str, content: Content, computed_at: datetime) -> StoredPace | None:
        """Store the pace of a campaign, in place of one that was computed for an earlier moment.

        Args:
            campaign: the campaign's id.
            content: the pace.
            computed_at: the moment for which it was computed, in UTC.

        Returns:
            The pace as stored; None if one for a later moment is stored already.

        Raises:
            AwsError: the item could not be written.
        """
        try:
            written = self._items.update(
                (campaign, PACE),
                UpdateExpression="SET pace = :pace, computed = :at ADD v :one",
                ConditionExpression="attribute_not_exists(computed) OR computed <= :at",
                ExpressionAttributeValues={
                    ":pace": {"S": pace_to_text(content)},
                    ":at": {"N": str(int(computed_at.timestamp()))},
                    ":one": {"N": "1"},
                },
                ReturnValues="ALL_NEW",
            )
        except ConditionFailed:
            return None
        return pace_from_item(written["Attributes"])

    def repeat(self, campaign: str, pace: PaceNow) -> None:
        """Store the pace that lists show in a campaign's summary, unless it has a newer one.

        The version of the summary stays: a recount corrects it if no event was counted meanwhile.

        Raises:
            AwsError: the summary could not be written.
        """
        with suppress(ConditionFailed):
            self._items.update(
                (campaign, SUMMARY),
                UpdateExpression="SET pace_now = :pace, pace_v = :version",
                ConditionExpression=(
                    "attribute_exists(v) AND (attribute_not_exists(pace_v) OR pace_v < :version)"
                ),
                ExpressionAttributeValues={
                    ":pace": {"S": pace_now_to_text(pace)},
                    ":version": {"N": str(pace.version)},
                },
            )

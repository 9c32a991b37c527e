"""The watch logs of campaigns, and the set of those that are judged beside the newest."""

from collections.abc import Mapping
from typing import NamedTuple

from chalicelib.dynamodb import Item
from chalicelib.stats.counters import PIPELINE
from chalicelib.stats.stored.items import StatsItems

_WATCH_LOG = "watch log"
OPEN = "open incidents"
"""The part of the pipeline with the campaigns that are judged further.

In a set, those with an open incident; in another, those that wait for their results, each with the
time of its first event: `2026-11-23T10:00:00.000Z spring`. The range that PipelineItems.get reads
includes this part.
"""


class Further(NamedTuple):
    """The campaigns that are judged even if they are not among the newest.

    Attributes:
        judged: those with an open incident or message, which are judged each minute.
        awaited: those that wait for their results, and are judged once they may be done: the time
            of each one's first event, in RFC 3339.
    """

    judged: frozenset[str] = frozenset()
    awaited: Mapping[str, str] = {}


class WatchLogs:
    """The watch logs of campaigns; see stats/watch_log.py."""

    def __init__(self, items: StatsItems) -> None:
        self._items = items

    def get(self, campaign: str) -> Item:
        """Return the item with the watch log of a campaign; an empty one if there is none.

        Raises:
            AwsError: the item could not be read.
        """
        return self._items.get(campaign, _WATCH_LOG) or {}

    def put(
        self,
        campaign: str,
        texts: tuple[str, str],
        *,
        version: int,
        held_by: str = "",
        held_until: int = 0,
    ) -> None:
        """Store the watch log of a campaign in place of the version that was read.

        Args:
            campaign: the campaign's id.
            texts: the log, and what is sent later, as JSON (stats/watch_log.py).
            version: of the log that was read; 0 if there was none.
            held_by: the check that writes and sends what is to be done; empty if nothing is.
            held_until: epoch seconds; after that, any check may do it.

        Raises:
            ConditionFailed: the log has changed since, perhaps by this call.
            AwsError: the item could not be written.
        """
        log, later = texts
        self._items.update(
            (campaign, _WATCH_LOG),
            UpdateExpression=(
                "SET #log = :log, later = :later, held_by = :by, held_until = :until, v = :next"
            ),
            ConditionExpression="v = :v" if version else "attribute_not_exists(v)",
            ExpressionAttributeNames={"#log": "log"},
            ExpressionAttributeValues={
                ":log": {"S": log},
                ":later": {"S": later},
                ":by": {"S": held_by},
                ":until": {"N": str(held_until)},
                ":next": {"N": str(version + 1)},
                **({":v": {"N": str(version)}} if version else {}),
            },
            ReturnValuesOnConditionCheckFailure="ALL_OLD",
        )

    def judge_further(self, campaign: str, *, judged: bool) -> None:
        """Store whether a campaign is judged even if it is not among the newest.

        Raises:
            AwsError: the item could not be written.
        """
        self._change_further("campaigns", campaign, added=judged)

    def await_results(self, campaign: str, first_event_at: str, *, awaited: bool) -> None:
        """Store whether a campaign waits for its results, even if it is not among the newest.

        Args:
            campaign: the campaign's id.
            first_event_at: the time of its first event; to remove it, the one that is stored.
            awaited: whether it is.

        Raises:
            AwsError: the item could not be written.
        """
        self._change_further("awaited", f"{first_event_at} {campaign}", added=awaited)

    def _change_further(self, attribute: str, member: str, *, added: bool) -> None:
        self._items.update(
            (PIPELINE, OPEN),
            UpdateExpression=f"{'ADD' if added else 'DELETE'} {attribute} :campaign",
            ExpressionAttributeValues={":campaign": {"SS": [member]}},
        )


def further_from_item(item: Item) -> Further:
    """Return the campaigns in the item with the part OPEN; an empty item has none."""
    awaited = (one.partition(" ") for one in item.get("awaited", {}).get("SS", ()))
    return Further(
        frozenset(item.get("campaigns", {}).get("SS", ())),
        {campaign: first_event_at for first_event_at, _, campaign in awaited},
    )

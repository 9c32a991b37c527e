"""The stats table: increments applied exactly once, links admitted, snapshots and lists read.

Beside the aggregates it keeps, under the campaign ` pipeline`, the pipeline's health and, for each
shard of the events stream, up to where it has been read:

    " pipeline"  shard#<lane>  shard: id  read: sequence number, padded  given: as it came  expires
"""

import random
import re
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from datetime import datetime
from typing import Any

from chalicelib.aws.client import Service
from chalicelib.errors import AwsError, ConditionFailed
from chalicelib.facts.fact import OTHER_LINK, Item
from chalicelib.paging import open_place, seal
from chalicelib.ses.event import MAX_ID
from chalicelib.stats.counters import (
    HEALTH,
    LISTED,
    PARTS,
    PIPELINE,
    SUMMARY,
    WINDOWS,
    Aggregate,
    aggregate_from_item,
    bucket_part,
    kept_until,
)
from chalicelib.stats.health import FINDINGS, Findings, Health, findings_to_item, health_from_item
from chalicelib.stats.update import CHECKPOINT_SECONDS, PendingUpdate, plan, restatement

MAX_LINKS = 250
_ATTEMPTS = 20
_MAX_HINTS = 5000
_LINKS = "links"  # the item that holds the admitted links
_BATCH_GET = 100
# As many as WINDOWS may show; an outline must fit into a frame.
_MOST_BUCKETS = {"minute": 120, "hour": 72, "day": 180}
_SHARD = "shard#"
_SEQUENCE_DIGITS = 40  # padded, so that text sorts as the numbers do
_HEALTH_KEY = {"campaign": {"S": PIPELINE}, "part": {"S": HEALTH}}
# A place in the list of campaigns: a campaign, and the time of its first event.
_PLACE = re.compile(
    rf"(?P<campaign>.{{1,{MAX_ID}}})#(?P<at>[0-9-]{{10}}T[0-9:]{{8}}(?:\.[0-9]{{3}})?Z)", re.DOTALL
)


class StatsTable:
    """Keeps and reads aggregates."""

    def __init__(
        self, dynamo: Service, name: str, *, clock: Callable[[], float] = time.time
    ) -> None:
        self._dynamo = dynamo
        self._name = name
        self._clock = clock
        # Items as last seen: a first guess that saves a failed attempt. Conditions decide.
        self._hints: dict[tuple[str, str], Mapping[str, Any]] = {}
        self._admitted: dict[str, set[str]] = {}

    def apply(self, key: tuple[str, str], touched: PendingUpdate, *, lane: str, now: int) -> None:
        """Bring an aggregate up to date with a batch; harmless when it is already.

        Raises:
            AwsError: it could not be written, or others kept writing it meanwhile.
        """
        campaign, part = key
        observed = self._hints.get(key, {})
        for _ in range(_ATTEMPTS):
            update = plan(touched, observed, part=part, lane=lane, now=now)
            if update is None:
                return
            try:
                response = self._dynamo.call(
                    "update_item",
                    TableName=self._name,
                    Key={"campaign": {"S": campaign}, "part": {"S": part}},
                    ReturnValues="ALL_NEW",
                    ReturnValuesOnConditionCheckFailure="ALL_OLD",
                    **update,
                )
            except ConditionFailed as error:
                observed = error.item
                continue
            if len(self._hints) >= _MAX_HINTS:
                self._hints.clear()
            self._hints[key] = response["Attributes"]
            return
        raise AwsError(
            "Contention", f"{campaign}/{part} changed {_ATTEMPTS} times while it was updated"
        )

    def admit_link(self, campaign: str, link_id: str) -> str:
        """Admit a link among the first 250 of its campaign.

        Returns:
            The link's id, or `other` where the campaign has 250 others.

        Raises:
            AwsError: it could not be written.
        """
        admitted = self._admitted.get(campaign, set())
        if link_id in admitted:
            return link_id
        if len(admitted) >= MAX_LINKS:
            return OTHER_LINK
        try:
            response = self._dynamo.call(
                "update_item",
                TableName=self._name,
                Key={"campaign": {"S": campaign}, "part": {"S": _LINKS}},
                UpdateExpression="ADD #ids :added",
                ConditionExpression=(
                    "attribute_not_exists(#ids) OR contains(#ids, :id) OR size(#ids) < :most"
                ),
                ExpressionAttributeNames={"#ids": "ids"},
                ExpressionAttributeValues={
                    ":added": {"SS": [link_id]},
                    ":id": {"S": link_id},
                    ":most": {"N": str(MAX_LINKS)},
                },
                ReturnValues="ALL_NEW",
                ReturnValuesOnConditionCheckFailure="ALL_OLD",
            )
            item = response["Attributes"]
        except ConditionFailed as error:
            item = error.item
        # Threads admit links at the same time: this answer decides, and not another's.
        admitted = self._admitted[campaign] = set(item["ids"]["SS"])
        return link_id if link_id in admitted else OTHER_LINK

    def restate(
        self,
        key: tuple[str, str],
        touched: PendingUpdate,
        *,
        version: int,
        lanes: Mapping[str, str],
        now: int,
    ) -> None:
        """Set an aggregate to what a recount found.

        Args:
            key: campaign and part.
            touched: all that the stored facts bring to it, as one change.
            version: the item's before the facts were read; 0 where there was none.
            lanes: up to where each is counted, for an item that has no checkpoints of its own.
            now: epoch seconds.

        Raises:
            ConditionFailed: it has changed since.
            AwsError: it could not be written.
        """
        campaign, part = key
        self._dynamo.call(
            "update_item",
            TableName=self._name,
            Key={"campaign": {"S": campaign}, "part": {"S": part}},
            **restatement(touched, part=part, version=version, lanes=lanes, now=now),
        )

    def aggregates(self, campaign: str) -> list[Aggregate]:
        """Read all aggregates of a campaign; consistent."""
        prefixes = (kind if kind == SUMMARY else f"{kind}#" for kind in PARTS)
        return [one for prefix in prefixes for one in self._parts(campaign, prefix)]

    def pause(self, at: str) -> None:
        """Note that ingest is paused for a recount.

        Raises:
            AwsError: it could not be noted.
        """
        self._change_health("SET paused_at = :at ADD v :one", {":at": {"S": at}})

    def resume(self, at: str) -> None:
        """Take a pause's note away, unless it is another's.

        Raises:
            AwsError: it could not be taken away.
        """
        with suppress(ConditionFailed):
            self._change_health(
                "REMOVE paused_at ADD v :one", {":at": {"S": at}}, condition="paused_at = :at"
            )

    def _change_health(
        self, update: str, values: Mapping[str, Any], *, condition: str | None = None
    ) -> None:
        self._dynamo.call(
            "update_item",
            TableName=self._name,
            Key=_HEALTH_KEY,
            UpdateExpression=update,
            ExpressionAttributeValues={":one": {"N": "1"}, **values},
            **({"ConditionExpression": condition} if condition else {}),
        )

    def summary(self, campaign: str) -> Aggregate | None:
        """Read a campaign's summary, None before its first event; consistent."""
        return self._get(campaign, SUMMARY)

    def health(self) -> Health:
        """Read the pipeline's health; consistent."""
        item = self._item(PIPELINE, HEALTH)
        return health_from_item(item) if item else Health()

    def put_findings(self, findings: Findings) -> None:
        """Store what a check of the pipeline found.

        Raises:
            AwsError: it could not be stored.
        """
        item = findings_to_item(findings)
        removed = [f"#{name}" for name in FINDINGS if name not in item]
        self._dynamo.call(
            "update_item",
            TableName=self._name,
            Key=_HEALTH_KEY,
            UpdateExpression=f"SET {', '.join(f'#{name} = :{name}' for name in item)}"
            + (f" REMOVE {', '.join(removed)}" if removed else "")
            + " ADD v :one",
            ExpressionAttributeNames={f"#{name}": name for name in FINDINGS},
            ExpressionAttributeValues={
                ":one": {"N": "1"},
                **{f":{name}": value for name, value in item.items()},
            },
        )

    def put_read_position(self, lane: str, shard: str, sequence: str, *, created: int) -> None:
        """Note that a shard is counted up to here; an older position changes nothing.

        Args:
            lane: names the shard within all streams.
            shard: the shard's id.
            sequence: of the last record.
            created: when that was written, in epoch seconds.

        Raises:
            AwsError: it could not be stored.
        """
        with suppress(ConditionFailed):
            self._dynamo.call(
                "update_item",
                TableName=self._name,
                Key={"campaign": {"S": PIPELINE}, "part": {"S": _SHARD + lane}},
                UpdateExpression=(
                    "SET #shard = :shard, #read = :read, #given = :given, expires = :expires"
                ),
                ConditionExpression="attribute_not_exists(#read) OR #read < :read",
                ExpressionAttributeNames={"#shard": "shard", "#read": "read", "#given": "given"},
                ExpressionAttributeValues={
                    ":shard": {"S": shard},
                    ":read": {"S": sequence.zfill(_SEQUENCE_DIGITS)},
                    ":given": {"S": sequence},
                    ":expires": {"N": str(created + CHECKPOINT_SECONDS)},
                },
            )

    def read_positions(self) -> dict[str, str]:
        """Read up to where each shard is counted: sequence number by shard id."""
        return {item["shard"]["S"]: _given(item) for item in self._items(PIPELINE, _SHARD)}

    def lanes_read(self, now: int) -> dict[str, str]:
        """Read up to where each lane is counted: sequence number by lane.

        DynamoDB deletes expired items within days; the stream's records have expired before.

        Args:
            now: epoch seconds.
        """
        return {
            item["part"]["S"].removeprefix(_SHARD): _given(item)
            for item in self._items(PIPELINE, _SHARD)
            if "expires" not in item or int(item["expires"]["N"]) > now
        }

    def shown(self, campaign: str) -> list[Aggregate]:
        """Read the parts that a snapshot shows beside the summary.

        Of minutes and hours these are the newest, as many as may be shown.
        """
        return [
            *self._kept_minutes(campaign),
            *self._parts(campaign, "hour#", most=_MOST_BUCKETS["hour"]),
            *self._parts(campaign, "day#"),
            *self._parts(campaign, "link#"),
            *self._parts(campaign, "bounce#"),
        ]

    def timeline(self, campaign: str) -> tuple[str, list[Aggregate]]:
        """Read how a campaign went, in the finest resolution that shows all of it.

        Returns:
            The resolution, and its buckets, newest first.
        """
        summary = self.summary(campaign) or Aggregate(campaign, SUMMARY)
        first, last = summary.first_event_at, summary.last_event_at
        if not first or not last:
            return "day", []
        lasted = datetime.fromisoformat(last) - datetime.fromisoformat(first)
        for resolution, window in WINDOWS.items():
            if window is not None and lasted > window:
                continue
            # Once the first minute is no longer kept, minutes do not show all of it.
            if kept_until(bucket_part(resolution, first)) > self._clock():
                most = _MOST_BUCKETS[resolution]
                buckets = list(self._parts(campaign, f"{resolution}#", most=most))
                if buckets:
                    return resolution, buckets
        return "day", []

    def hours(self, campaign: str) -> Iterator[Aggregate]:
        """Read a campaign's hours, newest first."""
        return self._parts(campaign, "hour#")

    def campaigns(
        self, limit: int, cursor: str | None, sees: Callable[[str], bool] = lambda _: True
    ) -> tuple[list[Aggregate], str | None]:
        """Read a page of summaries, the newest campaign first.

        Args:
            limit: at most 100.
            cursor: where an earlier page ended, None for the first.
            sees: tells whether a campaign is one to be listed.

        Raises:
            InvalidRequest: the cursor is none of ours.
        """
        found: list[Item] = []
        start = {"ExclusiveStartKey": _listed_key(cursor)} if cursor else {}
        page_size = limit
        while True:
            page = self._dynamo.call(
                "query",
                TableName=self._name,
                IndexName="campaigns",
                KeyConditionExpression="listed = :listed",
                ExpressionAttributeValues={":listed": {"S": LISTED}},
                ScanIndexForward=False,
                Limit=page_size,
                **start,
            )
            keys = [one for one in page["Items"] if sees(one["campaign"]["S"])]
            found += keys
            last = page.get("LastEvaluatedKey")
            if last is None or len(found) >= limit:
                break
            start, page_size = {"ExclusiveStartKey": last}, _BATCH_GET
        if len(found) > limit or last is not None:
            # It names a campaign that was listed, never one that was not to be seen.
            found = found[:limit]
            last = found[-1]
        following = f"{last['campaign']['S']}#{last['first_event_at']['S']}" if last else None
        return self._summaries(found), seal(following) if following else None

    def all_campaigns(self) -> Iterator[Aggregate]:
        """Read all summaries, the newest campaign first."""
        cursor: str | None = None
        while True:
            summaries, cursor = self.campaigns(_BATCH_GET, cursor)
            yield from summaries
            if cursor is None:
                return

    def _summaries(self, keys: list[Item]) -> list[Aggregate]:
        # An index shows an item twice for a moment when its key moves; the call refuses that.
        campaigns = list(dict.fromkeys(key["campaign"]["S"] for key in keys))
        wanted = [{"campaign": {"S": one}, "part": {"S": SUMMARY}} for one in campaigns]
        found: dict[str, Aggregate] = {}
        while wanted:
            response = self._dynamo.call(
                "batch_get_item",
                RequestItems={self._name: {"Keys": wanted, "ConsistentRead": True}},
            )
            for item in response["Responses"].get(self._name, []):
                found[item["campaign"]["S"]] = aggregate_from_item(item)
            wanted = response.get("UnprocessedKeys", {}).get(self._name, {}).get("Keys", [])
            if wanted:
                time.sleep(random.uniform(0, 0.1))  # noqa: S311 - jitter
        return [found[one] for one in campaigns if one in found]

    def _get(self, campaign: str, part: str) -> Aggregate | None:
        item = self._item(campaign, part)
        return aggregate_from_item(item) if item else None

    def _item(self, campaign: str, part: str) -> Item | None:
        item: Item | None = self._dynamo.call(
            "get_item",
            TableName=self._name,
            Key={"campaign": {"S": campaign}, "part": {"S": part}},
            ConsistentRead=True,
        ).get("Item")
        return item

    def _kept_minutes(self, campaign: str) -> Iterator[Aggregate]:
        """Read a campaign's newest minutes, without those that DynamoDB has yet to delete.

        https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/ttl-expired-items.html
        """
        now = self._clock()
        minutes = self._parts(campaign, "minute#", most=_MOST_BUCKETS["minute"])
        return (one for one in minutes if kept_until(one.part) > now)

    def _parts(self, campaign: str, prefix: str, *, most: int | None = None) -> Iterator[Aggregate]:
        return map(aggregate_from_item, self._items(campaign, prefix, most=most))

    def _items(self, campaign: str, prefix: str, *, most: int | None = None) -> Iterator[Item]:
        start: dict[str, Any] = {"Limit": most} if most else {}
        while True:
            page = self._dynamo.call(
                "query",
                TableName=self._name,
                KeyConditionExpression="campaign = :campaign AND begins_with(part, :prefix)",
                ExpressionAttributeValues={
                    ":campaign": {"S": campaign},
                    ":prefix": {"S": prefix},
                },
                ScanIndexForward=False,
                ConsistentRead=True,
                **start,
            )
            yield from page["Items"]
            if most or "LastEvaluatedKey" not in page:
                return
            start["ExclusiveStartKey"] = page["LastEvaluatedKey"]


def _listed_key(cursor: str) -> Item:
    """Return the key of the list's index that a cursor names."""
    place = open_place(cursor, _PLACE)
    return {
        "campaign": {"S": place["campaign"]},
        "part": {"S": SUMMARY},
        "listed": {"S": LISTED},
        "first_event_at": {"S": place["at"]},
    }


def _given(position: Item) -> str:
    """Give a position's sequence number as it came; a version before kept it padded alone."""
    given: str = position.get("given", position["read"])["S"]
    return given

"""The stats table: exactly-once updates of aggregates, and what is read of them.

The items that are no aggregates are read and written by the attributes of StatsTable, each in its
own module of the package `stored`.
"""

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from heapq import nsmallest
from itertools import islice
from typing import NamedTuple

from chalicelib.aws.client import Service
from chalicelib.dynamodb import Item
from chalicelib.errors import ConditionFailed
from chalicelib.stats.counters import (
    AGES,
    PARTS,
    PROVIDER,
    REPLY,
    SINGLE_PARTS,
    SUMMARY,
    UNDELIVERED,
    UNDELIVERED_WINDOW,
    WINDOWS,
    Aggregate,
    Key,
    aggregate_from_item,
    bucket_part,
    kept_until,
    link_part,
    variant_part,
)
from chalicelib.stats.links import LEADERS, MAX_LINKS, MAX_RANKED, rank
from chalicelib.stats.positions import SHARD
from chalicelib.stats.stored.activity import ActivityPages
from chalicelib.stats.stored.campaign_list import CampaignList
from chalicelib.stats.stored.items import ATTEMPTS, StatsItems, contention
from chalicelib.stats.stored.paces import StoredPaces
from chalicelib.stats.stored.pipeline import PipelineItems
from chalicelib.stats.stored.positions import ShardPositions
from chalicelib.stats.stored.remarks import RemarkItems
from chalicelib.stats.stored.subject_samples import SubjectSamples
from chalicelib.stats.stored.watch_logs import WatchLogs
from chalicelib.stats.update import (
    INVOCATION_SECONDS,
    PendingUpdate,
    checkpoints,
    plan,
    restatement,
    sums,
)

_MAX_HINTS = 5000
_FEW_CHECKPOINTS = 12  # with fewer, a summary takes one write unit
_FINISHED_SECONDS = 600  # until finished shards are read again
# The maximum that WINDOWS shows; a sparkline must fit in a frame.
_MOST_BUCKETS = {"minute": 120, "hour": 72, "day": 180}
_MOST_UNDELIVERED = UNDELIVERED_WINDOW // timedelta(minutes=1)


class Applied(NamedTuple):
    """The result of applying a batch to an aggregate.

    Attributes:
        item: the item as written, or, if there was nothing to update, as last read.
        counts: the increments that this call has added.
        is_written: whether there was something to update.
        is_repeated: whether some of the batch was counted before, by an invocation that may have
            ended before it was done.
    """

    item: Item
    counts: Mapping[str, int]
    is_written: bool
    is_repeated: bool


class StatsTable:
    """The stats table: updates and reads aggregates.

    Attributes:
        campaigns: the list of campaigns.
        activity: the pages of activity.
        subjects: the samples of subjects.
        paces: the paces, as they were computed last.
        remarks: the settings of alarms, incidents and notes.
        watch_logs: the watch logs, and which campaigns are judged further.
        positions: the positions up to which the shards of the events stream are counted.
        pipeline: health, and the results of checks, recounts and comparisons.
    """

    def __init__(
        self,
        dynamo: Service,
        name: str,
        *,
        clock: Callable[[], float] = time.time,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._items = items = StatsItems(dynamo, name, clock=clock, sleep=sleep)
        self.campaigns = CampaignList(items)
        self.activity = ActivityPages(items)
        self.subjects = SubjectSamples(items)
        self.paces = StoredPaces(items)
        self.remarks = RemarkItems(items)
        self.watch_logs = WatchLogs(items)
        self.positions = ShardPositions(items)
        self.pipeline = PipelineItems(items)
        # Items as last read, to avoid a failed first attempt. They may be stale: conditions decide.
        self._hints: dict[Key, Item] = {}
        self._finished: dict[str, int] = {}
        self._finished_until = 0.0

    def apply(self, key: Key, pending: PendingUpdate, *, attribute: str, now: int) -> Applied:
        """Apply a batch to an aggregate; the operation is idempotent.

        Raises:
            AwsError: the item could not be written, or concurrent writes kept conflicting.
        """
        observed = self._hints.get(key, {})
        for attempt in range(ATTEMPTS):
            update = plan(
                pending,
                observed,
                part=key[1],
                attribute=attribute,
                now=now,
                # Once, because other shards remove the same checkpoints.
                finished=None if attempt else self._finished_shards(observed, now),
            )
            uncounted = pending.uncounted(observed, attribute)
            is_repeated = uncounted is not pending.changes
            if update is None:
                return Applied(observed, {}, is_written=False, is_repeated=is_repeated)
            try:
                response = self._items.update(
                    key,
                    ReturnValues="ALL_NEW",
                    ReturnValuesOnConditionCheckFailure="ALL_OLD",
                    **update,
                )
            except ConditionFailed as error:
                observed = error.item
                self._items.yield_to_others(attempt)
                continue
            if len(self._hints) >= _MAX_HINTS:
                self._hints.clear()
            self._hints[key] = response["Attributes"]
            return Applied(
                response["Attributes"], sums(uncounted), is_written=True, is_repeated=is_repeated
            )
        raise contention(key)

    def _finished_shards(self, observed: Item, now: int) -> Mapping[str, int]:
        """Return the read positions of shards that no running invocation reads, by attribute.

        They are read only for an item with many checkpoints, and then kept for some minutes.
        """
        if checkpoints(observed) > _FEW_CHECKPOINTS and now >= self._finished_until:
            stored_before = now - INVOCATION_SECONDS
            self._finished = {
                one.part.removeprefix(SHARD): int(one.read)
                for one in self.positions.all()
                if 0 < one.stored_at < stored_before
            }
            self._finished_until = now + _FINISHED_SECONDS
        return self._finished

    def restate(
        self,
        key: Key,
        pending: PendingUpdate,
        *,
        version: int,
        positions: Mapping[str, str],
        now: int,
    ) -> None:
        """Set an aggregate to the result of a recount.

        Args:
            key: campaign and part.
            pending: contributions of all stored facts to the aggregate, as one change.
            version: the item's version before the facts were read; 0 if there was no item.
            positions: sequence number up to which records are counted, by shard attribute; used for
                an item that has no checkpoints of its own.
            now: epoch seconds.

        Raises:
            ConditionFailed: the item has changed since.
            AwsError: the item could not be written.
        """
        self._items.update(
            key, **restatement(pending, part=key[1], version=version, positions=positions, now=now)
        )

    def aggregates(self, campaign: str) -> list[Aggregate]:
        """Return all aggregates of a campaign; consistent reads."""
        prefixes = (kind if kind in SINGLE_PARTS else f"{kind}#" for kind in PARTS)
        return [one for prefix in prefixes for one in self._parts(campaign, prefix)]

    def summary(self, campaign: str) -> Aggregate | None:
        """Return a campaign's summary, None before its first event; a consistent read."""
        item = self._items.get(campaign, SUMMARY)
        return aggregate_from_item(item) if item else None

    def shown(self, campaign: str, tags: Sequence[str] = ()) -> list[Aggregate]:
        """Return the parts that a snapshot shows besides the summary.

        For minutes and hours, these are the newest, up to the maximum that is shown.

        Args:
            campaign: the campaign's id.
            tags: the tags that the campaign keeps, whose variants to return.
        """
        return [
            *self._kept_minutes(campaign, "minute", _MOST_BUCKETS["minute"]),
            *self._parts(campaign, "hour#", most=_MOST_BUCKETS["hour"]),
            *self._parts(campaign, "day#"),
            *self._links(campaign),
            *self._parts(campaign, "bounce#"),
            *self.parts([(campaign, AGES), *_variants(campaign, tags)]),
            *self._parts(campaign, f"{PROVIDER}#"),
            *self._parts(campaign, f"{REPLY}#", most=MAX_RANKED),
            *self._kept_minutes(campaign, UNDELIVERED, _MOST_UNDELIVERED),
        ]

    def variants(self, campaign: str, tags: Sequence[str]) -> list[Aggregate]:
        """Return the variants of a campaign with these tags that exist; consistent reads."""
        return self.parts(_variants(campaign, tags))

    def _links(self, campaign: str) -> list[Aggregate]:
        """Return a campaign's links; of more than MAX_RANKED, those that led at the last check."""
        links = list(islice(self._parts(campaign, "link#"), MAX_RANKED + 1))
        if len(links) <= MAX_RANKED:
            return links
        item = self._items.get(campaign, LEADERS)
        if item is None:  # until the next check
            return links[:MAX_RANKED]
        return self.parts([(campaign, link_part(one["S"])) for one in item["ids"]["L"]])

    def put_leaders(self, campaign: str) -> None:
        """Store which links lead, if the campaign has more links than are ranked on reading.

        Raises:
            AwsError: the links could not be read, or the item not be written.
        """
        links = [link for link in self._parts(campaign, "link#") if link.url]
        if len(links) <= MAX_RANKED:
            return
        leaders = nsmallest(MAX_LINKS, links, key=rank)
        ids = [{"S": link.part.partition("#")[2]} for link in leaders]
        self._items.update(
            (campaign, LEADERS),
            UpdateExpression="SET ids = :ids",
            ExpressionAttributeValues={":ids": {"L": ids}},
        )

    def timeline(self, campaign: str) -> tuple[str, list[Aggregate]]:
        """Return a campaign's timeline at the finest resolution that covers all of it.

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
            # Once the first minute has expired, minutes no longer cover the whole campaign.
            if kept_until(bucket_part(resolution, first)) > self._items.clock():
                most = _MOST_BUCKETS[resolution]
                buckets = list(self._parts(campaign, f"{resolution}#", most=most))
                if buckets:
                    return resolution, buckets
        return "day", []

    def buckets(self, campaign: str, prefix: str) -> Iterator[Aggregate]:
        """Yield a campaign's time buckets whose parts have a prefix, newest first.

        Args:
            campaign: the campaign's id.
            prefix: such as `day#`, or `minute#2026-11-23T10` for the minutes of an hour.
        """
        return self._parts(campaign, prefix)

    def providers(self, campaign: str) -> dict[str, Mapping[str, int]]:
        """Return the counters of a campaign at each mailbox provider."""
        prefix = f"{PROVIDER}#"
        found = self._parts(campaign, prefix)
        return {one.part.removeprefix(prefix): one.counts for one in found}

    def ages(self, campaigns: Sequence[str]) -> list[Mapping[str, int]]:
        """Return the counters of ages of campaigns, in their order; none count nothing."""
        found = self.parts([(campaign, AGES) for campaign in campaigns])
        counts = {one.campaign: one.counts for one in found}
        return [counts.get(campaign, {}) for campaign in campaigns]

    def summaries(self, campaigns: Sequence[str]) -> list[Aggregate]:
        """Return the summaries of campaigns, in their order; consistent reads."""
        return self.parts([(campaign, SUMMARY) for campaign in campaigns])

    def parts(self, keys: Sequence[Key]) -> list[Aggregate]:
        """Return the aggregates of these keys that exist, in their order; consistent reads."""
        return list(map(aggregate_from_item, self._items.get_each(keys)))

    def _kept_minutes(self, campaign: str, kind: str, most: int) -> Iterator[Aggregate]:
        """Return a campaign's newest minutes, without expired ones that are not yet deleted.

        https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/ttl-expired-items.html
        """
        now = self._items.clock()
        minutes = self._parts(campaign, f"{kind}#", most=most)
        return (one for one in minutes if kept_until(one.part) > now)

    def _parts(self, campaign: str, prefix: str, *, most: int | None = None) -> Iterator[Aggregate]:
        return map(aggregate_from_item, self._items.with_prefix(campaign, prefix, most=most))


def _variants(campaign: str, tags: Sequence[str]) -> list[Key]:
    """Return the keys of the variants with these tags."""
    return [(campaign, variant_part(one)) for one in tags]

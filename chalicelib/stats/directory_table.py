"""Keep the directory of campaigns in the stats table up to date, and read it.

Aggregate notes the campaigns of each batch with the read position that it writes anyway. Watch
moves them to a second set of the same item, updates their entries, and removes them from that set.
Each step may be repeated or interrupted, and several invocations may run at once:

- An update moves campaigns from one set to the other, so that no crash loses one.
- The bucket is read before the summaries and written if it has not changed since, so that an older
  summary never replaces a newer one.
- Campaigns are removed only if none were moved since, because those may have been counted after
  their summaries were read.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from datetime import datetime, timedelta
from typing import Any

from chalicelib.aws.client import Service
from chalicelib.dynamodb import Item
from chalicelib.errors import AwsError, ConditionFailed
from chalicelib.log import log
from chalicelib.stats.counters import PIPELINE
from chalicelib.stats.directory import (
    BUCKETS,
    DIRECTORY,
    FORMAT,
    STATE,
    Entry,
    State,
    bucket_number,
    bucket_part,
    by_bucket,
    entries_in,
    entry_of,
    packed,
    state_from_item,
)
from chalicelib.stats.positions import Position, position_from_item
from chalicelib.stats.stored.pipeline import Pipeline
from chalicelib.stats.table import StatsTable

# Campaigns whose entries one invocation updates, so that it takes a few seconds; the following
# invocations continue.
MOST_CAMPAIGNS = 2000
_ATTEMPTS = 20
# Read positions, and the campaigns noted with them, are kept for 25 hours.
_NOTES_KEPT = timedelta(hours=24)
# Lambda's longest invocation: one of an earlier release may still write what was counted already.
_LONGEST_INVOCATION = timedelta(minutes=15)
_STATE_KEY = {"campaign": {"S": PIPELINE}, "part": {"S": STATE}}


class Directory:
    """The directory of campaigns: updated by watch, and read by the functions that serve lists."""

    def __init__(self, dynamo: Service, name: str, stats_table: StatsTable) -> None:
        self._dynamo = dynamo
        self._name = name
        self._stats_table = stats_table
        self._kept: Sequence[Entry] = ()
        self._kept_version: int | None = None

    def entries(self) -> Sequence[Entry] | None:
        """Return all entries, newest campaign first; None while the directory is not complete.

        They are read again only if the directory has changed.

        Raises:
            AwsError: the directory could not be read.
        """
        state = self._state()
        if not state.is_complete:
            return None
        if state.version != self._kept_version:
            try:
                found = [one for item in self._buckets(0, BUCKETS) for one in entries_in(item)]
            except ValueError as error:
                log("directory_unreadable", detail=str(error))
                return None
            found.sort(key=lambda one: (one.first_event_at, one.campaign), reverse=True)
            self._kept, self._kept_version = found, state.version
        return self._kept

    def update(self, pipeline: Pipeline, now: datetime) -> bool:
        """Update the entries of changed campaigns, and continue or request a build.

        Args:
            pipeline: as read at the start of this invocation.
            now: the current time, in UTC.

        Returns:
            Whether there was anything to do.

        Raises:
            AwsError: the directory could not be updated; the next invocation continues.
        """
        state = pipeline.directory
        if state.left:
            # Requested by an earlier invocation: the index has the campaigns counted until then.
            self._build(state)
        has_changes = self._update_touched(pipeline.positions, now)
        is_requested = self._request_build(pipeline, now)
        return bool(state.left) or has_changes or is_requested

    def request_build(self, now: datetime) -> None:
        """Request that later invocations of watch build all entries again, from the summaries.

        Args:
            now: the current time, in UTC.

        Raises:
            AwsError: the request could not be stored.
        """
        self._request(now)

    def update_entries(self, changed: Iterable[str], now: datetime) -> None:
        """Update the entries of campaigns that have changed without an event.

        Args:
            changed: the campaigns.
            now: the current time, in UTC.

        Raises:
            AwsError: the entries could not be updated.
        """
        self._refresh(by_bucket(changed), now)
        self._change_state("ADD v :one")

    def _update_touched(self, positions: Iterable[Position], now: datetime) -> bool:
        """Update the entries of the campaigns that aggregate has noted."""
        moved = [self._moved(one) if one.touched else one for one in positions]
        found = [one for one in moved if one is not None and one.pending]
        if not found:
            return False
        campaigns = sorted(set().union(*(one.pending for one in found)))[:MOST_CAMPAIGNS]
        self._refresh(by_bucket(campaigns), now)
        self._change_state("ADD v :one")
        for one in found:
            done = one.pending.intersection(campaigns)
            if done:
                self._remove_pending(one, done)
        return True

    def _moved(self, position: Position) -> Position | None:
        """Move a shard's campaigns to `pending`; return the new position, None if it expired."""
        if position.pending:  # after a crash; an item has at most 400 KB
            return position
        try:
            answer = self._dynamo.call(
                "update_item",
                TableName=self._name,
                Key=_key(position.part),
                UpdateExpression="ADD pending :touched, moves :one DELETE touched :touched",
                ConditionExpression="attribute_exists(#read)",
                ExpressionAttributeNames={"#read": "read"},
                ExpressionAttributeValues={
                    ":touched": {"SS": sorted(position.touched)},
                    ":one": {"N": "1"},
                },
                ReturnValues="ALL_NEW",
            )
        except ConditionFailed:
            return None
        return position_from_item(answer["Attributes"])

    def _remove_pending(self, position: Position, campaigns: Iterable[str]) -> None:
        with suppress(ConditionFailed):
            self._dynamo.call(
                "update_item",
                TableName=self._name,
                Key=_key(position.part),
                UpdateExpression="DELETE pending :done",
                ConditionExpression="moves = :moves",
                ExpressionAttributeValues={
                    ":done": {"SS": sorted(campaigns)},
                    ":moves": {"N": str(position.moves)},
                },
            )

    def _refresh(
        self,
        changed: Mapping[int, set[str]],
        now: datetime | None,
        items: Mapping[int, Item] | None = None,
    ) -> None:
        """Make the entries of campaigns equal to their summaries; those without one are removed.

        Args:
            changed: campaigns by the number of their bucket.
            now: the time at which to request a build if a bucket is in another format, because it
                lacks campaigns afterwards; None if the campaigns are all of their buckets.
            items: buckets that have been read; others are read one by one.
        """
        for _ in range(_ATTEMPTS):
            buckets = {
                number: (items or {}).get(number) or self._bucket(number) for number in changed
            }
            if now and any(_entries_in(one) is None for one in buckets.values()):
                self._request(now, is_lost=True)
            campaigns = sorted(set().union(*changed.values()))
            found = {one.campaign: entry_of(one) for one in self._stats_table.summaries(campaigns)}
            conflicts: dict[int, set[str]] = {}
            for number, ids in changed.items():
                entries = [found[one] for one in ids if one in found]
                try:
                    self._put_bucket(number, buckets[number], ids, filter(None, entries))
                except ConditionFailed:
                    conflicts[number] = ids
            if not conflicts:
                return
            changed, items = conflicts, None
        raise AwsError(
            "Contention",
            f"buckets {sorted(changed)} of the directory changed {_ATTEMPTS} times while they were "
            "updated",
        )

    def _put_bucket(
        self, number: int, item: Item, campaigns: set[str], entries: Iterable[Entry]
    ) -> None:
        """Replace the entries of campaigns in a bucket as read, unless they are equal."""
        before = _entries_in(item) or []
        kept = [one for one in before if one.campaign not in campaigns]
        after = sorted([*kept, *entries], key=lambda one: one.campaign)
        if after == before and (item.get("format") == {"S": FORMAT} or not (item or after)):
            return
        self._dynamo.call(
            "update_item",
            TableName=self._name,
            Key={"campaign": {"S": DIRECTORY}, "part": {"S": bucket_part(number)}},
            UpdateExpression="SET entries = :entries, #format = :format ADD v :one",
            ConditionExpression="v = :v" if item else "attribute_not_exists(v)",
            ExpressionAttributeNames={"#format": "format"},
            ExpressionAttributeValues={
                ":entries": {"B": packed(after)},
                ":format": {"S": FORMAT},
                ":one": {"N": "1"},
                **({":v": item["v"]} if item else {}),
            },
        )

    def _build(self, state: State) -> None:
        """Build buckets from the list of campaigns, and from the entries that they have."""
        listed = by_bucket(self._stats_table.campaigns.ids())
        stop, campaigns = state.next_bucket, 0
        while stop < min(BUCKETS, state.next_bucket + state.left) and campaigns < MOST_CAMPAIGNS:
            campaigns += len(listed.get(stop, ()))
            stop += 1
        items = {bucket_number(one): one for one in self._buckets(state.next_bucket, stop)}
        changed = {
            number: listed.get(number, set())
            | {one.campaign for one in _entries_in(items.get(number, {})) or ()}
            for number in range(state.next_bucket, stop)
            if number in listed or number in items
        }
        self._refresh(changed, None, items)
        left = state.left - (stop - state.next_bucket)
        names = {"#left": "left"}
        values = {
            ":left": {"N": str(left)},
            ":next": {"N": str(stop % BUCKETS)},
            ":builds": {"N": str(state.builds)},
        }
        update = "SET #left = :left, next_bucket = :next"
        if not left:
            update += ", #format = :format"
            names["#format"] = "format"
            values[":format"] = {"S": FORMAT}
        log("directory_built", buckets=stop - state.next_bucket, left=left)
        with suppress(ConditionFailed):  # another build has been requested since
            self._change_state(f"{update} ADD v :one", names, values, condition="builds = :builds")
            return
        self._change_state("ADD v :one")

    def _request_build(self, pipeline: Pipeline, now: datetime) -> bool:
        """Request that later invocations build all buckets, if campaigns were not noted.

        Until a build after an earlier release's work has ended, the directory is not complete.
        """
        state, positions = pipeline.directory, pipeline.positions
        unnoted = [one for one in positions if one.unnoted or not one.is_noted]
        full = [one for one in positions if one.full]
        recounted_at = pipeline.health.recounted_at
        is_lost = (
            bool(unnoted)
            or _may_have_expired(pipeline, now)
            or not (state.is_complete or state.left)
        )
        is_due = state.again_at is not None and not state.left and state.again_at <= now.timestamp()
        if not (is_lost or full or is_due or recounted_at != state.recounted_at):
            return False
        self._request(now, recounted_at, is_lost=is_lost, is_due=is_due)
        for one in {*unnoted, *full}:
            self._forget_reasons(one)
        return True

    def _request(
        self,
        now: datetime,
        recounted_at: str | None = None,
        *,
        is_lost: bool = False,
        is_due: bool = False,
    ) -> None:
        names = {"#left": "left"}
        update, values = "SET #left = :all", {":all": {"N": str(BUCKETS)}}
        if recounted_at is not None:
            update += ", recounted_at = :recounted"
            values[":recounted"] = {"S": recounted_at}
        if is_lost:
            update += ", again_at = :again REMOVE #format"
            names["#format"] = "format"
            values[":again"] = {"N": str(int((now + _LONGEST_INVOCATION).timestamp()))}
        elif is_due:
            update += " REMOVE again_at"
        self._change_state(f"{update} ADD builds :one, v :one", names, values)

    def _forget_reasons(self, position: Position) -> None:
        """Remove from a position why a build was requested, unless the reason has changed."""
        for reason in ("unnoted", "full"):
            if (seen := getattr(position, reason)) is not None:
                self._forget(position, "REMOVE #name", "#name = :seen", reason, seen)
        if not position.is_noted:
            self._forget(position, "SET noted = :seen", "#name = :seen", "read", position.read)

    def _forget(
        self, position: Position, update: str, condition: str, name: str, seen: str
    ) -> None:
        with suppress(ConditionFailed):
            self._dynamo.call(
                "update_item",
                TableName=self._name,
                Key=_key(position.part),
                UpdateExpression=update,
                ConditionExpression=condition,
                ExpressionAttributeNames={"#name": name},
                ExpressionAttributeValues={":seen": {"S": seen}},
            )

    def _state(self) -> State:
        item: Item = self._dynamo.call(
            "get_item", TableName=self._name, Key=_STATE_KEY, ConsistentRead=True
        ).get("Item", {})
        return state_from_item(item)

    def _change_state(
        self,
        update: str,
        names: Mapping[str, str] | None = None,
        values: Mapping[str, Any] | None = None,
        *,
        condition: str | None = None,
    ) -> None:
        self._dynamo.call(
            "update_item",
            TableName=self._name,
            Key=_STATE_KEY,
            UpdateExpression=update,
            ExpressionAttributeValues={":one": {"N": "1"}, **(values or {})},
            **({"ExpressionAttributeNames": names} if names else {}),
            **({"ConditionExpression": condition} if condition else {}),
        )

    def _bucket(self, number: int) -> Item:
        item: Item = self._dynamo.call(
            "get_item",
            TableName=self._name,
            Key={"campaign": {"S": DIRECTORY}, "part": {"S": bucket_part(number)}},
            ConsistentRead=True,
        ).get("Item", {})
        return item

    def _buckets(self, start: int, stop: int) -> Iterator[Item]:
        """Yield the buckets that exist from `start` to before `stop`; consistent reads."""
        parameters: dict[str, Any] = {}
        while True:
            page = self._dynamo.call(
                "query",
                TableName=self._name,
                KeyConditionExpression="campaign = :campaign AND part BETWEEN :first AND :last",
                ExpressionAttributeValues={
                    ":campaign": {"S": DIRECTORY},
                    ":first": {"S": bucket_part(start)},
                    ":last": {"S": bucket_part(stop - 1)},
                },
                ConsistentRead=True,
                **parameters,
            )
            yield from page["Items"]
            if "LastEvaluatedKey" not in page:
                return
            parameters["ExclusiveStartKey"] = page["LastEvaluatedKey"]


def _entries_in(item: Item) -> list[Entry] | None:
    """Return the entries of a bucket that may not exist; None if they cannot be read."""
    if not item:
        return []
    try:
        return entries_in(item)
    except ValueError as error:
        log("directory_unreadable", detail=str(error))
        return None


def _key(part: str) -> Item:
    return {"campaign": {"S": PIPELINE}, "part": {"S": part}}


def _may_have_expired(pipeline: Pipeline, now: datetime) -> bool:
    """Return whether noted campaigns may have expired before they were moved."""
    findings = pipeline.health.findings
    if findings is None or findings.listed_at is None:
        return pipeline.directory.is_complete  # otherwise, a build is due anyway
    return now - datetime.fromisoformat(findings.listed_at) > _NOTES_KEPT

"""The stats table: exactly-once updates of aggregates, snapshots and lists.

Under the campaign ` pipeline` it also contains the pipeline's health and, for each shard of the
events stream, the sequence number up to which its records are counted:

    " pipeline"  shard#<hash>  see stats/positions.py
"""

import random
import re
import time
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import suppress
from datetime import datetime, timedelta
from heapq import nsmallest
from itertools import groupby, islice
from typing import Any, NamedTuple

from chalicelib.aws.client import Service
from chalicelib.dynamodb import Item, PageOutput
from chalicelib.errors import AwsError, ConditionFailed
from chalicelib.facts.fact import Fact
from chalicelib.paging import open_place, seal
from chalicelib.ses.event import MAX_ID
from chalicelib.stats.activity import (
    ACTIVITY,
    Page,
    entries_in,
    minute_of,
    newest_first,
    page_to_item,
)
from chalicelib.stats.counters import (
    AGES,
    CURRENT_UPDATES,
    HEALTH,
    LISTED,
    PARTS,
    PIPELINE,
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
from chalicelib.stats.delays import NOTHING, Sums
from chalicelib.stats.directory import STATE, State, state_from_item
from chalicelib.stats.health import FINDINGS, Findings, Health, findings_to_item, health_from_item
from chalicelib.stats.incident_item import (
    INCIDENT,
    SETTINGS,
    incident_from_item,
    incident_part,
    incident_to_text,
    settings_from_item,
    settings_update,
)
from chalicelib.stats.incidents import Incident, StoredSettings
from chalicelib.stats.links import LEADERS, MAX_LINKS, MAX_RANKED, rank
from chalicelib.stats.note_item import NOTES, notes_from_item, notes_update
from chalicelib.stats.notes import Notes, StoredNotes
from chalicelib.stats.pace_item import (
    PACE,
    Content,
    PaceNow,
    StoredPace,
    pace_from_item,
    pace_now_to_text,
    pace_to_text,
)
from chalicelib.stats.positions import (
    SHARD,
    CountedBatch,
    Position,
    advance,
    advance_without_campaigns,
    delays_from_item,
    position_from_item,
)
from chalicelib.stats.proof import RECOUNT, Proof, proof_from_item, proof_to_item
from chalicelib.stats.reconciled import (
    RECONCILIATION,
    Reconciled,
    Stored,
    result_to_text,
    stored_from_item,
    tried_before,
)
from chalicelib.stats.subjects import (
    SUBJECTS,
    SubjectSample,
    sample_from_item,
    sample_to_map,
)
from chalicelib.stats.update import (
    INVOCATION_SECONDS,
    ConditionalField,
    PendingUpdate,
    checkpoints,
    plan,
    restatement,
    sums,
)

_ATTEMPTS = 20
_PROMPT_ATTEMPTS = 3  # without a wait; most conflicts end with the second attempt
_CONFLICT_SECONDS = 0.01  # the duration of a write, in which another one conflicts with it
_LONGEST_WAIT_SECONDS = 1.0
_MAX_HINTS = 5000
_FEW_CHECKPOINTS = 12  # with fewer, a summary takes one write unit
_FINISHED_SECONDS = 600  # until finished shards are read again
_BATCH_GET = 100
# The maximum that WINDOWS shows; a sparkline must fit in a frame.
_MOST_BUCKETS = {"minute": 120, "hour": 72, "day": 180}
_MOST_UNDELIVERED = UNDELIVERED_WINDOW // timedelta(minutes=1)
_WATCH_LOG = "watch log"
_HEALTH_KEY = {"campaign": {"S": PIPELINE}, "part": {"S": HEALTH}}
# The campaigns with an open incident, and those that wait for their results, each with the time of
# its first event: `2026-11-23T10:00:00.000Z spring`. `pipeline` reads it, too: its part is in the
# same range.
_OPEN = "open incidents"
_OPEN_KEY = {"campaign": {"S": PIPELINE}, "part": {"S": _OPEN}}
_MARKED = "marked tests"
_MARKED_KEY = {"campaign": {"S": PIPELINE}, "part": {"S": _MARKED}}
_RECONCILIATION_KEY = {"campaign": {"S": PIPELINE}, "part": {"S": RECONCILIATION}}
# A position in the list of campaigns: a campaign, and the time of its first event.
_PLACE = re.compile(
    rf"(?P<campaign>.{{1,{MAX_ID}}})#(?P<at>[0-9-]{{10}}T[0-9:]{{8}}(?:\.[0-9]{{3}})?Z)", re.DOTALL
)


class Further(NamedTuple):
    """The campaigns that are judged even if they are not among the newest.

    Attributes:
        judged: those with an open incident or message, which are judged each minute.
        awaited: those that wait for their results, and are judged once they may be done: the time
            of each one's first event, in RFC 3339.
    """

    judged: frozenset[str] = frozenset()
    awaited: Mapping[str, str] = {}


class Marked(NamedTuple):
    """The campaigns that were recently marked as tests, or as no tests any more.

    Attributes:
        at: when the last of them was marked, in epoch seconds.
    """

    campaigns: frozenset[str] = frozenset()
    at: int = 0


class Pipeline(NamedTuple):
    """What the stats table stores of the pipeline.

    Attributes:
        delays: what has been measured of each shard's events, by the part of its position.
        further: campaigns that are judged even if they are not among the newest.
        marked: see stats/marked_tests.py.
    """

    health: Health
    positions: Sequence[Position]
    directory: State
    delays: Mapping[str, Sums] = {}
    reconciled: Stored = Stored()
    further: Further = Further()
    marked: Marked = Marked()


class Results(NamedTuple):
    """What the page shows of the pipeline.

    Attributes:
        reconciled: the last comparison with SES.
        proofs: the recounts, newest first.
        alarms: the settings of alarms of all campaigns.
    """

    health: Health
    reconciled: Reconciled | None
    proofs: Sequence[Proof]
    alarms: StoredSettings


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


class Remarks(NamedTuple):
    """What is known of a campaign beside its numbers.

    Attributes:
        alarms: the settings of its alarms.
        incidents: the latest first.
        notes: the notes on its timeline.
    """

    alarms: StoredSettings
    incidents: list[Incident]
    notes: StoredNotes


class StatsTable:
    """The stats table: updates and reads aggregates."""

    def __init__(
        self,
        dynamo: Service,
        name: str,
        *,
        clock: Callable[[], float] = time.time,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._dynamo = dynamo
        self._name = name
        self._clock = clock
        self._sleep = sleep
        # Items as last read, to avoid a failed first attempt. They may be stale: conditions decide.
        self._hints: dict[tuple[str, str], Item] = {}
        self._subjects: dict[str, Item] = {}
        self._finished: dict[str, int] = {}
        self._finished_until = 0.0

    def apply(self, key: Key, pending: PendingUpdate, *, attribute: str, now: int) -> Applied:
        """Apply a batch to an aggregate; the operation is idempotent.

        Raises:
            AwsError: the item could not be written, or concurrent writes kept conflicting.
        """
        campaign, part = key
        observed = self._hints.get(key, {})
        for attempt in range(_ATTEMPTS):
            update = plan(
                pending,
                observed,
                part=part,
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
                self._yield_to_others(attempt)
                continue
            if len(self._hints) >= _MAX_HINTS:
                self._hints.clear()
            self._hints[key] = response["Attributes"]
            return Applied(
                response["Attributes"], sums(uncounted), is_written=True, is_repeated=is_repeated
            )
        raise AwsError(
            "Contention", f"{campaign}/{part} changed {_ATTEMPTS} times while it was updated"
        )

    def add_subjects(self, campaign: str, sample: SubjectSample) -> ConditionalField | None:
        """Add emails to a campaign's sample of subjects; the operation is idempotent.

        Returns:
            The campaign's subject, for its summary; None if none of the emails is in the sample.

        Raises:
            AwsError: the item could not be read or written, or concurrent writes kept conflicting.
        """
        if len(self._subjects) >= _MAX_HINTS:
            self._subjects.clear()
        item = self._subjects.get(campaign) or self._item(campaign, SUBJECTS) or {}
        for attempt in range(_ATTEMPTS):
            stored = sample_from_item(item)
            merged = stored.merged(sample)
            if merged == stored:
                self._subjects[campaign] = item
                is_sampled = not stored.subjects.keys().isdisjoint(sample.subjects)
                return stored.field() if is_sampled else None
            version = item.get("v", {"N": "0"})
            try:
                item = self._dynamo.call(
                    "update_item",
                    TableName=self._name,
                    Key={"campaign": {"S": campaign}, "part": {"S": SUBJECTS}},
                    UpdateExpression="SET subjects = :subjects ADD v :one",
                    ConditionExpression="attribute_not_exists(v) OR v = :v",
                    ExpressionAttributeValues={
                        ":subjects": sample_to_map(merged),
                        ":one": {"N": "1"},
                        ":v": version,
                    },
                    ReturnValues="ALL_NEW",
                    ReturnValuesOnConditionCheckFailure="ALL_OLD",
                )["Attributes"]
            except ConditionFailed as error:
                item = error.item
                self._yield_to_others(attempt)
        raise AwsError(
            "Contention", f"{campaign}/{SUBJECTS} changed {_ATTEMPTS} times while it was updated"
        )

    def _finished_shards(self, observed: Item, now: int) -> Mapping[str, int]:
        """Return the read positions of shards that no running invocation reads, by attribute.

        They are read only for an item with many checkpoints, and then kept for some minutes.
        """
        if checkpoints(observed) > _FEW_CHECKPOINTS and now >= self._finished_until:
            stored_before = now - INVOCATION_SECONDS
            self._finished = {
                one.part.removeprefix(SHARD): int(one.read)
                for one in self._positions()
                if 0 < one.stored_at < stored_before
            }
            self._finished_until = now + _FINISHED_SECONDS
        return self._finished

    def _yield_to_others(self, attempt: int) -> None:
        """Wait after a conflict, for a random time, longer after each further one.

        Without it, a hundred shards that write an item at once exhaust all attempts: each write
        makes the others fail.
        """
        if attempt >= _PROMPT_ATTEMPTS:
            longest = min(_LONGEST_WAIT_SECONDS, _CONFLICT_SECONDS * 2 ** (attempt - 2))
            self._sleep(random.uniform(0, longest))  # noqa: S311 - jitter

    def remove_subjects(self, campaign: str, message_ids: Collection[str]) -> None:
        """Remove emails of a forgotten recipient from a campaign's sample of subjects.

        Args:
            campaign: the campaign's id.
            message_ids: the emails.

        Raises:
            AwsError: the item could not be read or written, or concurrent writes kept conflicting.
        """
        for _ in range(_ATTEMPTS):
            self._subjects.pop(campaign, None)
            item = self._item(campaign, SUBJECTS) or {}
            stored = sample_from_item(item)
            new = stored.without(message_ids)
            if new == stored:
                return
            with suppress(ConditionFailed):
                self._dynamo.call(
                    "update_item",
                    TableName=self._name,
                    Key={"campaign": {"S": campaign}, "part": {"S": SUBJECTS}},
                    UpdateExpression="SET subjects = :subjects ADD v :one, removals :one",
                    ConditionExpression="v = :v",
                    ExpressionAttributeValues={
                        ":subjects": sample_to_map(new),
                        ":one": {"N": "1"},
                        ":v": item["v"],
                    },
                )
                return
        raise AwsError(
            "Contention", f"{campaign}/{SUBJECTS} changed {_ATTEMPTS} times while it was updated"
        )

    def put_subject(self, campaign: str) -> None:
        """Set a summary's subject after emails were removed from the sample; none if it is empty.

        Raises:
            AwsError: an item could not be read or written.
        """
        sample = sample_from_item(self._item(campaign, SUBJECTS) or {})
        subject = sample.field()
        if not sample.removals:
            return
        value = subject.values.get("subject")
        with suppress(ConditionFailed):
            self._dynamo.call(
                "update_item",
                TableName=self._name,
                Key={"campaign": {"S": campaign}, "part": {"S": SUMMARY}},
                UpdateExpression=(
                    "SET subject_by = :rank"
                    + (" REMOVE subject" if value is None else ", subject = :subject")
                    + f" ADD v :one, {CURRENT_UPDATES} :one"
                ),
                ConditionExpression="subject_by > :rank",
                ExpressionAttributeValues={
                    ":rank": {"S": subject.rank},
                    ":one": {"N": "1"},
                    **({} if value is None else {":subject": {"S": value}}),
                },
            )

    def restate(
        self,
        key: tuple[str, str],
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
        campaign, part = key
        self._dynamo.call(
            "update_item",
            TableName=self._name,
            Key={"campaign": {"S": campaign}, "part": {"S": part}},
            **restatement(pending, part=part, version=version, positions=positions, now=now),
        )

    def aggregates(self, campaign: str) -> list[Aggregate]:
        """Return all aggregates of a campaign; consistent reads."""
        prefixes = (kind if kind in SINGLE_PARTS else f"{kind}#" for kind in PARTS)
        return [one for prefix in prefixes for one in self._parts(campaign, prefix)]

    def pause(self, at: str) -> None:
        """Record that ingest is paused for a recount.

        Raises:
            AwsError: the item could not be written.
        """
        self._change_health("SET paused_at = :at ADD v :one", {":at": {"S": at}})

    def resume(self, at: str) -> None:
        """Remove the record of a pause, unless it belongs to another pause.

        What remains is `recounted_at`: watch then builds the directory of campaigns again.

        Raises:
            AwsError: the item could not be written.
        """
        with suppress(ConditionFailed):
            self._change_health(
                "SET recounted_at = :at REMOVE paused_at ADD v :one",
                {":at": {"S": at}},
                condition="paused_at = :at",
            )

    def put_proof(self, proof: Proof) -> None:
        """Store the result of a recount, unless a later one is stored.

        Raises:
            AwsError: the item could not be written.
        """
        with suppress(ConditionFailed):
            self._dynamo.call(
                "put_item",
                TableName=self._name,
                Item=proof_to_item(proof),
                ConditionExpression="attribute_not_exists(#at) OR #at < :at",
                ExpressionAttributeNames={"#at": "at"},
                ExpressionAttributeValues={":at": {"S": proof.at}},
            )

    def proofs(self) -> list[Proof]:
        """Return the results of the last recounts, of all campaigns and of one, newest first."""
        found = map(proof_from_item, self._items(PIPELINE, RECOUNT))
        return sorted(found, key=lambda one: one.at, reverse=True)

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
        """Return a campaign's summary, None before its first event; a consistent read."""
        return self._get(campaign, SUMMARY)

    def health(self) -> Health:
        """Return the pipeline's health; a consistent read."""
        item = self._item(PIPELINE, HEALTH)
        return health_from_item(item) if item else Health()

    def put_findings(self, findings: Findings) -> None:
        """Store the findings of a health check.

        Raises:
            AwsError: the item could not be written.
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

    def put_read_position(  # noqa: PLR0913 - one for each attribute of a position
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
        now = int(self._clock())
        key = {"campaign": {"S": PIPELINE}, "part": {"S": SHARD + attribute}}
        batch = CountedBatch(shard, sequence, created, delays)
        update: dict[str, Any] | None = advance(batch, campaigns, now)
        while update is not None:
            try:
                self._dynamo.call("update_item", TableName=self._name, Key=key, **update)
            except ConditionFailed as error:
                update = advance_without_campaigns(batch, error.item, now)
            else:
                return

    def read_position(self, attribute: str) -> int:
        """Return the sequence number up to which a shard is counted, -1 if none.

        Args:
            attribute: the shard attribute.
        """
        item = self._item(PIPELINE, SHARD + attribute)
        return int(position_from_item(item).read) if item else -1

    def read_positions(self) -> dict[str, str]:
        """Return the sequence number up to which each shard is counted, by shard id."""
        return {one.shard: one.given for one in self._positions()}

    def _positions(self) -> Iterator[Position]:
        return map(position_from_item, self._items(PIPELINE, SHARD))

    def pipeline(self) -> Pipeline:
        """Return the pipeline's health, the read positions and the directory's state.

        One consistent query reads all of them, in the range `directory`, `health`,
        `incident settings`, `marked tests`, `open incidents`, `reconciliation`, `recount#`,
        `shard#`.
        """
        items = list(
            self._query(
                "campaign = :campaign AND part BETWEEN :first AND :last",
                {
                    ":campaign": {"S": PIPELINE},
                    ":first": {"S": STATE},
                    ":last": {"S": f"{SHARD}~"},
                },
            )
        )
        by_part = {item["part"]["S"]: item for item in items}
        shards = {part: one for part, one in by_part.items() if part.startswith(SHARD)}
        return Pipeline(
            health_from_item(by_part.get(HEALTH, {})),
            list(map(position_from_item, shards.values())),
            state_from_item(by_part.get(STATE, {})),
            {part: delays_from_item(one) for part, one in shards.items()},
            stored_from_item(by_part.get(RECONCILIATION, {})),
            _further_from_item(by_part.get(_OPEN, {})),
            _marked_from_item(by_part.get(_MARKED, {})),
        )

    def results(self) -> Results:
        """Return what the page shows of the pipeline; one consistent query."""
        items = self._query(
            "campaign = :campaign AND part BETWEEN :first AND :last",
            {
                ":campaign": {"S": PIPELINE},
                ":first": {"S": HEALTH},
                ":last": {"S": f"{RECOUNT}~"},
            },
        )
        by_part = {item["part"]["S"]: item for item in items}
        proofs = [proof_from_item(one) for part, one in by_part.items() if part.startswith(RECOUNT)]
        return Results(
            health_from_item(by_part.get(HEALTH, {})),
            stored_from_item(by_part.get(RECONCILIATION, {})).result,
            sorted(proofs, key=lambda one: one.at, reverse=True),
            settings_from_item(by_part.get(SETTINGS, {})),
        )

    def begin_reconciliation(self, now: datetime) -> bool:
        """Record that a comparison begins; return False if another one began in the last hour.

        Raises:
            AwsError: the item could not be written.
        """
        try:
            self._dynamo.call(
                "update_item",
                TableName=self._name,
                Key=_RECONCILIATION_KEY,
                UpdateExpression="SET tried = :now",
                ConditionExpression="attribute_not_exists(tried) OR tried <= :before",
                ExpressionAttributeValues={
                    ":now": {"N": str(int(now.timestamp()))},
                    ":before": {"N": str(tried_before(now))},
                },
            )
        except ConditionFailed:
            return False
        return True

    def put_reconciled(self, result: Reconciled) -> None:
        """Store the result of a comparison, unless one of a later day is stored.

        Raises:
            AwsError: the item could not be written.
        """
        with suppress(ConditionFailed):
            self._dynamo.call(
                "update_item",
                TableName=self._name,
                Key=_RECONCILIATION_KEY,
                UpdateExpression="SET #result = :result, #day = :day ADD v :one",
                ConditionExpression="attribute_not_exists(#day) OR #day <= :day",
                ExpressionAttributeNames={"#result": "result", "#day": "day"},
                ExpressionAttributeValues={
                    ":result": {"S": result_to_text(result)},
                    ":day": {"S": result.day},
                    ":one": {"N": "1"},
                },
            )

    def positions_by_attribute(self, now: int) -> dict[str, str]:
        """Return the sequence number up to which each shard is counted, by shard attribute.

        Expired items, which DynamoDB deletes within days, are skipped: the stream's records have
        expired before them.

        Args:
            now: epoch seconds.
        """
        return {
            item["part"]["S"].removeprefix(SHARD): position_from_item(item).given
            for item in self._items(PIPELINE, SHARD)
            if "expires" not in item or int(item["expires"]["N"]) > now
        }

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
            *self._aggregates([(campaign, AGES), *_variants(campaign, tags)]),
            *self._parts(campaign, f"{PROVIDER}#"),
            *self._parts(campaign, f"{REPLY}#", most=MAX_RANKED),
            *self._kept_minutes(campaign, UNDELIVERED, _MOST_UNDELIVERED),
        ]

    def variants(self, campaign: str, tags: Sequence[str]) -> list[Aggregate]:
        """Return the variants of a campaign with these tags that exist; consistent reads."""
        return self._aggregates(_variants(campaign, tags))

    def _links(self, campaign: str) -> list[Aggregate]:
        """Return a campaign's links; of more than MAX_RANKED, those that led at the last check."""
        links = list(islice(self._parts(campaign, "link#"), MAX_RANKED + 1))
        if len(links) <= MAX_RANKED:
            return links
        item = self._item(campaign, LEADERS)
        if item is None:  # until the next check
            return links[:MAX_RANKED]
        return self._aggregates([(campaign, link_part(one["S"])) for one in item["ids"]["L"]])

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
        self._dynamo.call(
            "update_item",
            TableName=self._name,
            Key={"campaign": {"S": campaign}, "part": {"S": LEADERS}},
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
            if kept_until(bucket_part(resolution, first)) > self._clock():
                most = _MOST_BUCKETS[resolution]
                buckets = list(self._parts(campaign, f"{resolution}#", most=most))
                if buckets:
                    return resolution, buckets
        return "day", []

    def put_page(self, campaign: str, page: Page) -> None:
        """Append a page of a campaign's activity; the operation is idempotent.

        Raises:
            AwsError: the item could not be written.
        """
        self._dynamo.call("put_item", TableName=self._name, Item=page_to_item(campaign, page))

    def activity(
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
        items = self._query(
            "campaign = :campaign AND part BETWEEN :first AND :last",
            {
                ":campaign": {"S": campaign},
                ":first": {"S": first},
                ":last": {"S": last},
            },
            **({"Limit": most} if most else {}),
        )
        kept = (item for item in items if int(item["expires"]["N"]) > self._clock())
        for _, pages in groupby(kept, minute_of):
            for position, fact in newest_first(one for page in pages for one in entries_in(page)):
                if before is None or position < before:
                    yield position, fact

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
        found = self._aggregates([(campaign, AGES) for campaign in campaigns])
        counts = {one.campaign: one.counts for one in found}
        return [counts.get(campaign, {}) for campaign in campaigns]

    def pace(self, campaign: str) -> StoredPace | None:
        """Return the stored pace of a campaign; None if there is none.

        Raises:
            AwsError: the item could not be read.
        """
        item = self._item(campaign, PACE)
        return pace_from_item(item) if item else None

    def put_pace(self, campaign: str, content: Content, computed_at: datetime) -> StoredPace | None:
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
            written = self._dynamo.call(
                "update_item",
                TableName=self._name,
                Key={"campaign": {"S": campaign}, "part": {"S": PACE}},
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

    def put_pace_now(self, campaign: str, pace: PaceNow) -> None:
        """Store the pace that lists show in a campaign's summary, unless it has a newer one.

        The version of the summary stays: a recount corrects it if no event was counted meanwhile.

        Raises:
            AwsError: the summary could not be written.
        """
        with suppress(ConditionFailed):
            self._dynamo.call(
                "update_item",
                TableName=self._name,
                Key={"campaign": {"S": campaign}, "part": {"S": SUMMARY}},
                UpdateExpression="SET pace_now = :pace, pace_v = :version",
                ConditionExpression=(
                    "attribute_exists(v) AND (attribute_not_exists(pace_v) OR pace_v < :version)"
                ),
                ExpressionAttributeValues={
                    ":pace": {"S": pace_now_to_text(pace)},
                    ":version": {"N": str(pace.version)},
                },
            )

    def watch_log(self, campaign: str) -> Item:
        """Return the item with the watch log of a campaign; an empty one if there is none.

        Raises:
            AwsError: the item could not be read.
        """
        return self._item(campaign, _WATCH_LOG) or {}

    def put_watch_log(
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
        self._dynamo.call(
            "update_item",
            TableName=self._name,
            Key={"campaign": {"S": campaign}, "part": {"S": _WATCH_LOG}},
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
        self._dynamo.call(
            "update_item",
            TableName=self._name,
            Key=_OPEN_KEY,
            UpdateExpression=f"{'ADD' if added else 'DELETE'} {attribute} :campaign",
            ExpressionAttributeValues={":campaign": {"SS": [member]}},
        )

    def put_incident(self, campaign: str, incident: Incident) -> None:
        """Store an incident, unless a later version of it is stored; the operation is idempotent.

        Raises:
            AwsError: the item could not be written.
        """
        with suppress(ConditionFailed):
            self._dynamo.call(
                "update_item",
                TableName=self._name,
                Key={"campaign": {"S": campaign}, "part": {"S": incident_part(incident.id)}},
                UpdateExpression="SET incident = :incident, v = :version",
                ConditionExpression="attribute_not_exists(v) OR v < :version",
                ExpressionAttributeValues={
                    ":incident": {"S": incident_to_text(incident)},
                    ":version": {"N": str(incident.version)},
                },
            )

    def remarks(self, campaign: str) -> Remarks:
        """Return what is known of a campaign beside its numbers.

        Raises:
            AwsError: the items could not be read.
        """
        items = {one["part"]["S"]: one for one in self._items(campaign, INCIDENT)}
        settings = settings_from_item(items.pop(SETTINGS, {}))
        notes = notes_from_item(items.pop(NOTES, {}))
        found = map(incident_from_item, items.values())
        return Remarks(settings, sorted(found, key=lambda one: (-one.began_at, one.id)), notes)

    def change_notes(self, campaign: str, change: Callable[[Notes], Notes]) -> StoredNotes:
        """Change the notes of a campaign, and return them.

        Args:
            campaign: the campaign's id.
            change: returns the changed notes. It is called again if others changed them meanwhile,
                or if the response to a write was lost, and then returns the same notes.

        Raises:
            AwsError: the item could not be read or written, or concurrent writes kept conflicting.
        """
        item = self._item(campaign, NOTES) or {}
        for attempt in range(_ATTEMPTS):
            stored = notes_from_item(item)
            notes = change(stored.notes)
            if notes == stored.notes:
                return stored
            try:
                written = self._dynamo.call(
                    "update_item",
                    TableName=self._name,
                    Key={"campaign": {"S": campaign}, "part": {"S": NOTES}},
                    ReturnValues="ALL_NEW",
                    ReturnValuesOnConditionCheckFailure="ALL_OLD",
                    **notes_update(notes, stored.version),
                )
            except ConditionFailed as error:
                item = error.item
                self._yield_to_others(attempt)
                continue
            return notes_from_item(written["Attributes"])
        raise AwsError(
            "Contention", f"{campaign}/{NOTES} changed {_ATTEMPTS} times while it was updated"
        )

    def alarm_settings(self, campaign: str = PIPELINE) -> StoredSettings:
        """Return the settings of a campaign's alarms; by default, those of all campaigns.

        Raises:
            AwsError: the item could not be read.
        """
        return settings_from_item(self._item(campaign, SETTINGS) or {})

    def change_alarm_settings(
        self, changes: Mapping[str, Any], campaign: str = PIPELINE
    ) -> StoredSettings:
        """Change settings of a campaign's alarms, by default of all campaigns, and return them.

        Whether a campaign is a test is repeated in its summary; see stats/marked_tests.py.

        Args:
            changes: some of `kinds`, `snooze_until`, `test` and `quiet`; None restores the default.
            campaign: the campaign's id.

        Raises:
            AwsError: the item could not be written.
        """
        if "test" in changes:
            self._note_marked(campaign)
        written = self._dynamo.call(
            "update_item",
            TableName=self._name,
            Key={"campaign": {"S": campaign}, "part": {"S": SETTINGS}},
            ReturnValues="ALL_NEW",
            **settings_update(changes),
        )
        stored = settings_from_item(written["Attributes"])
        if "test" in changes:
            self.put_test(campaign, stored)
        return stored

    def _note_marked(self, campaign: str) -> None:
        self._dynamo.call(
            "update_item",
            TableName=self._name,
            Key=_MARKED_KEY,
            UpdateExpression="SET marked_at = :now ADD marked :campaign",
            ExpressionAttributeValues={
                ":now": {"N": str(int(self._clock()))},
                ":campaign": {"SS": [campaign]},
            },
        )

    def put_test(self, campaign: str, stored: StoredSettings) -> None:
        """Store in a campaign's summary whether it is a test, unless newer settings say so.

        A campaign without events gets a summary without any, which lists leave out.

        Args:
            campaign: the campaign's id.
            stored: its settings.

        Raises:
            AwsError: the summary could not be written.
        """
        with suppress(ConditionFailed):
            self._dynamo.call(
                "update_item",
                TableName=self._name,
                Key={"campaign": {"S": campaign}, "part": {"S": SUMMARY}},
                UpdateExpression=(
                    f"SET is_test = :test, alarms_v = :version ADD v :one, {CURRENT_UPDATES} :one"
                ),
                ConditionExpression="attribute_not_exists(alarms_v) OR alarms_v < :version",
                ExpressionAttributeValues={
                    ":test": {"BOOL": stored.settings.test},
                    ":version": {"N": str(stored.version)},
                    ":one": {"N": "1"},
                },
            )

    def forget_marked(self, marked: Marked) -> None:
        """Remove the campaigns that were marked, unless another one was marked since.

        Raises:
            AwsError: the item could not be written.
        """
        with suppress(ConditionFailed):
            self._dynamo.call(
                "update_item",
                TableName=self._name,
                Key=_MARKED_KEY,
                UpdateExpression="REMOVE marked, marked_at",
                ConditionExpression="marked_at = :at",
                ExpressionAttributeValues={":at": {"N": str(marked.at)}},
            )

    def hours(self, campaign: str) -> Iterator[Aggregate]:
        """Yield a campaign's hours, newest first."""
        return self._parts(campaign, "hour#")

    def campaigns(
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
            page = self._list_page(Limit=page_size, **start)
            keys = [one for one in page["Items"] if sees(one["campaign"]["S"])]
            found += keys
            last = page.get("LastEvaluatedKey")
            if last is None or len(found) >= limit:
                break
            start, page_size = {"ExclusiveStartKey": last}, _BATCH_GET
        if len(found) > limit or last is not None:
            # Build the cursor from a listed campaign, never from one that is not visible.
            found = found[:limit]
            last = found[-1]
        following = f"{last['campaign']['S']}#{last['first_event_at']['S']}" if last else None
        return self._summaries(found), seal(following) if following else None

    def summaries(self, campaigns: Sequence[str]) -> list[Aggregate]:
        """Return the summaries of campaigns, in their order; consistent reads."""
        return self._aggregates([(campaign, SUMMARY) for campaign in campaigns])

    def parts(self, keys: Sequence[Key]) -> list[Aggregate]:
        """Return the aggregates of these keys that exist, in their order; consistent reads."""
        return self._aggregates(keys)

    def listed_campaigns(self) -> Iterator[str]:
        """Yield the campaigns of the list in any order, with as few reads as possible."""
        return (key["campaign"]["S"] for key in self._listed())

    def all_campaigns(self) -> Iterator[Aggregate]:
        """Yield all summaries, newest campaign first."""
        keys = self._listed()
        while some := list(islice(keys, _BATCH_GET)):
            yield from self._summaries(some)

    def _listed(self) -> Iterator[Item]:
        """Yield the keys of all summaries, newest campaign first, with as few reads as possible."""
        start: dict[str, Any] = {}
        while True:
            page = self._list_page(**start)
            yield from page["Items"]
            if "LastEvaluatedKey" not in page:
                return
            start = {"ExclusiveStartKey": page["LastEvaluatedKey"]}

    def _list_page(self, **parameters: Any) -> PageOutput:
        """Read the keys of summaries, newest campaign first."""
        return self._dynamo.call(
            "query",
            TableName=self._name,
            IndexName="campaigns",
            KeyConditionExpression="listed = :listed",
            ExpressionAttributeValues={":listed": {"S": LISTED}},
            ScanIndexForward=False,
            **parameters,
        )

    def _summaries(self, keys: list[Item]) -> list[Aggregate]:
        # An index may briefly list an item twice when its key changes; BatchGetItem rejects that.
        campaigns = dict.fromkeys(key["campaign"]["S"] for key in keys)
        return self._aggregates([(campaign, SUMMARY) for campaign in campaigns])

    def _aggregates(self, keys: Sequence[tuple[str, str]]) -> list[Aggregate]:
        """Return the aggregates that exist, in the order of their keys; consistent reads."""
        found: dict[tuple[str, str], Aggregate] = {}
        for start in range(0, len(keys), _BATCH_GET):
            wanted: list[Item] = [
                {"campaign": {"S": campaign}, "part": {"S": part}}
                for campaign, part in keys[start : start + _BATCH_GET]
            ]
            while wanted:
                response = self._dynamo.call(
                    "batch_get_item",
                    RequestItems={self._name: {"Keys": wanted, "ConsistentRead": True}},
                )
                for item in response["Responses"].get(self._name, []):
                    found[item["campaign"]["S"], item["part"]["S"]] = aggregate_from_item(item)
                wanted = response.get("UnprocessedKeys", {}).get(self._name, {}).get("Keys", [])
                if wanted:
                    time.sleep(random.uniform(0, 0.1))  # noqa: S311 - jitter
        return [found[key] for key in keys if key in found]

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

    def _kept_minutes(self, campaign: str, kind: str, most: int) -> Iterator[Aggregate]:
        """Return a campaign's newest minutes, without expired ones that are not yet deleted.

        https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/ttl-expired-items.html
        """
        now = self._clock()
        minutes = self._parts(campaign, f"{kind}#", most=most)
        return (one for one in minutes if kept_until(one.part) > now)

    def _parts(self, campaign: str, prefix: str, *, most: int | None = None) -> Iterator[Aggregate]:
        return map(aggregate_from_item, self._items(campaign, prefix, most=most))

    def _items(self, campaign: str, prefix: str, *, most: int | None = None) -> Iterator[Item]:
        items = self._query(
            "campaign = :campaign AND begins_with(part, :prefix)",
            {":campaign": {"S": campaign}, ":prefix": {"S": prefix}},
            **({"Limit": most} if most else {}),
        )
        return islice(items, most)

    def _query(
        self, condition: str, values: Mapping[str, Any], **parameters: Any
    ) -> Iterator[Item]:
        """Yield items in descending order of their parts; consistent reads."""
        while True:
            page = self._dynamo.call(
                "query",
                TableName=self._name,
                KeyConditionExpression=condition,
                ExpressionAttributeValues=values,
                ScanIndexForward=False,
                ConsistentRead=True,
                **parameters,
            )
            yield from page["Items"]
            if "LastEvaluatedKey" not in page:
                return
            parameters["ExclusiveStartKey"] = page["LastEvaluatedKey"]


def _variants(campaign: str, tags: Sequence[str]) -> list[Key]:
    """Return the keys of the variants with these tags."""
    return [(campaign, variant_part(one)) for one in tags]


def _further_from_item(item: Item) -> Further:
    awaited = (one.partition(" ") for one in item.get("awaited", {}).get("SS", ()))
    return Further(
        frozenset(item.get("campaigns", {}).get("SS", ())),
        {campaign: first_event_at for first_event_at, _, campaign in awaited},
    )


def _marked_from_item(item: Item) -> Marked:
    return Marked(
        frozenset(item.get("marked", {}).get("SS", ())),
        int(item.get("marked_at", {"N": "0"})["N"]),
    )


def _listed_key(cursor: str) -> Item:
    """Return the index key that a cursor refers to."""
    place = open_place(cursor, _PLACE)
    return {
        "campaign": {"S": place["campaign"]},
        "part": {"S": SUMMARY},
        "listed": {"S": LISTED},
        "first_event_at": {"S": place["at"]},
    }

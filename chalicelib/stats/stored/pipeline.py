"""The items of the pipeline: its health, and the results of checks, recounts and comparisons."""

from collections.abc import Mapping, Sequence
from contextlib import suppress
from datetime import datetime
from typing import Any, NamedTuple

from chalicelib.errors import ConditionFailed
from chalicelib.stats.counters import HEALTH, PIPELINE
from chalicelib.stats.delays import Sums
from chalicelib.stats.directory import STATE, State, state_from_item
from chalicelib.stats.health import FINDINGS, Findings, Health, findings_to_item, health_from_item
from chalicelib.stats.incident_item import SETTINGS, settings_from_item
from chalicelib.stats.incidents import StoredSettings
from chalicelib.stats.positions import SHARD, Position, delays_from_item, position_from_item
from chalicelib.stats.proof import RECOUNT, Proof, proof_from_item, proof_to_item
from chalicelib.stats.reconciled import (
    RECONCILIATION,
    Reconciled,
    Stored,
    result_to_text,
    stored_from_item,
    tried_before,
)
from chalicelib.stats.stored.items import StatsItems
from chalicelib.stats.stored.remarks import MARKED, Marked, marked_from_item
from chalicelib.stats.stored.watch_logs import OPEN, Further, further_from_item

_HEALTH_KEY = (PIPELINE, HEALTH)
_RECONCILIATION_KEY = (PIPELINE, RECONCILIATION)


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


class PipelineItems:
    """The items of the pipeline."""

    def __init__(self, items: StatsItems) -> None:
        self._items = items

    def get(self) -> Pipeline:
        """Return the pipeline's health, the read positions and the directory's state.

        One consistent query reads all of them, in the range `directory`, `health`,
        `incident settings`, `marked tests`, `open incidents`, `reconciliation`, `recount#`,
        `shard#`.
        """
        items = self._items.between(PIPELINE, STATE, f"{SHARD}~")
        by_part = {item["part"]["S"]: item for item in items}
        shards = {part: one for part, one in by_part.items() if part.startswith(SHARD)}
        return Pipeline(
            health_from_item(by_part.get(HEALTH, {})),
            list(map(position_from_item, shards.values())),
            state_from_item(by_part.get(STATE, {})),
            {part: delays_from_item(one) for part, one in shards.items()},
            stored_from_item(by_part.get(RECONCILIATION, {})),
            further_from_item(by_part.get(OPEN, {})),
            marked_from_item(by_part.get(MARKED, {})),
        )

    def results(self) -> Results:
        """Return what the page shows of the pipeline; one consistent query."""
        items = self._items.between(PIPELINE, HEALTH, f"{RECOUNT}~")
        by_part = {item["part"]["S"]: item for item in items}
        proofs = [proof_from_item(one) for part, one in by_part.items() if part.startswith(RECOUNT)]
        return Results(
            health_from_item(by_part.get(HEALTH, {})),
            stored_from_item(by_part.get(RECONCILIATION, {})).result,
            sorted(proofs, key=lambda one: one.at, reverse=True),
            settings_from_item(by_part.get(SETTINGS, {})),
        )

    def health(self) -> Health:
        """Return the pipeline's health; a consistent read."""
        item = self._items.get(PIPELINE, HEALTH)
        return health_from_item(item) if item else Health()

    def put_findings(self, findings: Findings) -> None:
        """Store the findings of a health check.

        Raises:
            AwsError: the item could not be written.
        """
        item = findings_to_item(findings)
        removed = [f"#{name}" for name in FINDINGS if name not in item]
        self._items.update(
            _HEALTH_KEY,
            UpdateExpression=f"SET {', '.join(f'#{name} = :{name}' for name in item)}"
            + (f" REMOVE {', '.join(removed)}" if removed else "")
            + " ADD v :one",
            ExpressionAttributeNames={f"#{name}": name for name in FINDINGS},
            ExpressionAttributeValues={
                ":one": {"N": "1"},
                **{f":{name}": value for name, value in item.items()},
            },
        )

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

    def _change_health(
        self, update: str, values: Mapping[str, Any], *, condition: str | None = None
    ) -> None:
        self._items.update(
            _HEALTH_KEY,
            UpdateExpression=update,
            ExpressionAttributeValues={":one": {"N": "1"}, **values},
            **({"ConditionExpression": condition} if condition else {}),
        )

    def put_proof(self, proof: Proof) -> None:
        """Store the result of a recount, unless a later one is stored.

        Raises:
            AwsError: the item could not be written.
        """
        with suppress(ConditionFailed):
            self._items.put(
                proof_to_item(proof),
                ConditionExpression="attribute_not_exists(#at) OR #at < :at",
                ExpressionAttributeNames={"#at": "at"},
                ExpressionAttributeValues={":at": {"S": proof.at}},
            )

    def proofs(self) -> list[Proof]:
        """Return the results of the last recounts, of all campaigns and of one, newest first."""
        found = map(proof_from_item, self._items.with_prefix(PIPELINE, RECOUNT))
        return sorted(found, key=lambda one: one.at, reverse=True)

    def begin_reconciliation(self, now: datetime) -> bool:
        """Record that a comparison begins; return False if another one began in the last hour.

        Raises:
            AwsError: the item could not be written.
        """
        try:
            self._items.update(
                _RECONCILIATION_KEY,
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
            self._items.update(
                _RECONCILIATION_KEY,
                UpdateExpression="SET #result = :result, #day = :day ADD v :one",
                ConditionExpression="attribute_not_exists(#day) OR #day <= :day",
                ExpressionAttributeNames={"#result": "result", "#day": "day"},
                ExpressionAttributeValues={
                    ":result": {"S": result_to_text(result)},
                    ":day": {"S": result.day},
                    ":one": {"N": "1"},
                },
            )

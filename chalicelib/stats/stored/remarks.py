"""What is known of a campaign beside its numbers: settings of alarms, incidents and notes."""

from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import Any, NamedTuple

from chalicelib.dynamodb import Item
from chalicelib.errors import ConditionFailed
from chalicelib.stats.counters import CURRENT_UPDATES, PIPELINE, SUMMARY
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
from chalicelib.stats.note_item import NOTES, notes_from_item, notes_update
from chalicelib.stats.notes import Notes, StoredNotes
from chalicelib.stats.stored.items import ATTEMPTS, StatsItems, contention

MARKED = "marked tests"
"""The part of the pipeline with the campaigns that were recently marked as tests, or as none."""


class Marked(NamedTuple):
    """The campaigns that were recently marked as tests, or as no tests any more.

    Attributes:
        at: when the last of them was marked, in epoch seconds.
    """

    campaigns: frozenset[str] = frozenset()
    at: int = 0


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


class RemarkItems:
    """The remarks of campaigns."""

    def __init__(self, items: StatsItems) -> None:
        self._items = items

    def get(self, campaign: str) -> Remarks:
        """Return what is known of a campaign beside its numbers.

        Raises:
            AwsError: the items could not be read.
        """
        items = {one["part"]["S"]: one for one in self._items.with_prefix(campaign, INCIDENT)}
        settings = settings_from_item(items.pop(SETTINGS, {}))
        notes = notes_from_item(items.pop(NOTES, {}))
        found = map(incident_from_item, items.values())
        return Remarks(settings, sorted(found, key=lambda one: (-one.began_at, one.id)), notes)

    def put_incident(self, campaign: str, incident: Incident) -> None:
        """Store an incident, unless a later version of it is stored; the operation is idempotent.

        Raises:
            AwsError: the item could not be written.
        """
        with suppress(ConditionFailed):
            self._items.update(
                (campaign, incident_part(incident.id)),
                UpdateExpression="SET incident = :incident, v = :version",
                ConditionExpression="attribute_not_exists(v) OR v < :version",
                ExpressionAttributeValues={
                    ":incident": {"S": incident_to_text(incident)},
                    ":version": {"N": str(incident.version)},
                },
            )

    def change_notes(self, campaign: str, change: Callable[[Notes], Notes]) -> StoredNotes:
        """Change the notes of a campaign, and return them.

        Args:
            campaign: the campaign's id.
            change: returns the changed notes. It is called again if others changed them meanwhile,
                or if the response to a write was lost, and then returns the same notes.

        Raises:
            AwsError: the item could not be read or written, or concurrent writes kept conflicting.
        """
        item = self._items.get(campaign, NOTES) or {}
        for attempt in range(ATTEMPTS):
            stored = notes_from_item(item)
            notes = change(stored.notes)
            if notes == stored.notes:
                return stored
            try:
                written = self._items.update(
                    (campaign, NOTES),
                    ReturnValues="ALL_NEW",
                    ReturnValuesOnConditionCheckFailure="ALL_OLD",
                    **notes_update(notes, stored.version),
                )
            except ConditionFailed as error:
                item = error.item
                self._items.yield_to_others(attempt)
                continue
            return notes_from_item(written["Attributes"])
        raise contention((campaign, NOTES))

    def alarm_settings(self, campaign: str = PIPELINE) -> StoredSettings:
        """Return the settings of a campaign's alarms; by default, those of all campaigns.

        Raises:
            AwsError: the item could not be read.
        """
        return settings_from_item(self._items.get(campaign, SETTINGS) or {})

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
        written = self._items.update(
            (campaign, SETTINGS), ReturnValues="ALL_NEW", **settings_update(changes)
        )
        stored = settings_from_item(written["Attributes"])
        if "test" in changes:
            self.put_test(campaign, stored)
        return stored

    def _note_marked(self, campaign: str) -> None:
        self._items.update(
            (PIPELINE, MARKED),
            UpdateExpression="SET marked_at = :now ADD marked :campaign",
            ExpressionAttributeValues={
                ":now": {"N": str(int(self._items.clock()))},
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
            self._items.update(
                (campaign, SUMMARY),
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
            self._items.update(
                (PIPELINE, MARKED),
                UpdateExpression="REMOVE marked, marked_at",
                ConditionExpression="marked_at = :at",
                ExpressionAttributeValues={":at": {"N": str(marked.at)}},
            )


def marked_from_item(item: Item) -> Marked:
    """Return the campaigns in the item with the part MARKED; an empty item has none."""
    return Marked(
        frozenset(item.get("marked", {}).get("SS", ())), int(item.get("marked_at", {"N": "0"})["N"])
    )

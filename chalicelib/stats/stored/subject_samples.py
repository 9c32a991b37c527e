"""The samples of subjects: each campaign's, and the subject in its summary."""

from collections.abc import Collection
from contextlib import suppress
from typing import TYPE_CHECKING

from chalicelib.errors import ConditionFailed
from chalicelib.stats.counters import CURRENT_UPDATES, SUMMARY
from chalicelib.stats.stored.items import ATTEMPTS, StatsItems, contention
from chalicelib.stats.subjects import SUBJECTS, SubjectSample, sample_from_item, sample_to_map
from chalicelib.stats.update import ConditionalField

if TYPE_CHECKING:
    from chalicelib.dynamodb import Item

_MOST_KNOWN = 5000


class SubjectSamples:
    """The samples of the subjects of campaigns; see stats/subjects.py."""

    def __init__(self, items: StatsItems) -> None:
        self._items = items
        self._known: dict[str, Item] = {}  # as last read or written; conditions decide

    def add(self, campaign: str, sample: SubjectSample) -> ConditionalField | None:
        """Add emails to a campaign's sample of subjects; the operation is idempotent.

        Returns:
            The campaign's subject, for its summary; None if none of the emails is in the sample.

        Raises:
            AwsError: the item could not be read or written, or concurrent writes kept conflicting.
        """
        if len(self._known) >= _MOST_KNOWN:
            self._known.clear()
        item = self._known.get(campaign) or self._items.get(campaign, SUBJECTS) or {}
        for attempt in range(ATTEMPTS):
            stored = sample_from_item(item)
            merged = stored.merged(sample)
            if merged == stored:
                self._known[campaign] = item
                is_sampled = not stored.subjects.keys().isdisjoint(sample.subjects)
                return stored.field() if is_sampled else None
            version = item.get("v", {"N": "0"})
            try:
                item = self._items.update(
                    (campaign, SUBJECTS),
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
                self._items.yield_to_others(attempt)
        raise contention((campaign, SUBJECTS))

    def remove(self, campaign: str, message_ids: Collection[str]) -> None:
        """Remove emails of a forgotten recipient from a campaign's sample of subjects.

        Args:
            campaign: the campaign's id.
            message_ids: the emails.

        Raises:
            AwsError: the item could not be read or written, or concurrent writes kept conflicting.
        """
        for _ in range(ATTEMPTS):
            self._known.pop(campaign, None)
            item = self._items.get(campaign, SUBJECTS) or {}
            stored = sample_from_item(item)
            new = stored.without(message_ids)
            if new == stored:
                return
            with suppress(ConditionFailed):
                self._items.update(
                    (campaign, SUBJECTS),
                    UpdateExpression="SET subjects = :subjects ADD v :one, removals :one",
                    ConditionExpression="v = :v",
                    ExpressionAttributeValues={
                        ":subjects": sample_to_map(new),
                        ":one": {"N": "1"},
                        ":v": item["v"],
                    },
                )
                return
        raise contention((campaign, SUBJECTS))

    def repeat(self, campaign: str) -> None:
        """Set a summary's subject after emails were removed from the sample; none if it is empty.

        Raises:
            AwsError: an item could not be read or written.
        """
        sample = sample_from_item(self._items.get(campaign, SUBJECTS) or {})
        subject = sample.field()
        if not sample.removals:
            return
        value = subject.values.get("subject")
        with suppress(ConditionFailed):
            self._items.update(
                (campaign, SUMMARY),
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

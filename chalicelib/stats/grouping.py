"""Convert stream records of the events table to pending updates of aggregate items.

Counters are the sum over the items of the events table, so a record adds the contribution of its
new image minus that of its old image. An INSERT adds, a reclassification moves one from human to
bot counters, and a changed expiry adds nothing. REMOVE is ignored, because retention never changes
a total. A minute counts only changes that are stored while it is kept (counters.kept_until): a
later change to one of its facts does not alter it.

stats/update.py explains how each record counts exactly once.
"""

from collections import defaultdict
from collections.abc import Hashable, Iterable, Iterator, Mapping
from datetime import UTC, datetime
from operator import itemgetter
from typing import Any

from msgspec import Struct, field
from msgspec.structs import replace

from chalicelib.errors import trace
from chalicelib.facts.fact import Fact
from chalicelib.facts.forgotten import Forgotten
from chalicelib.facts.items import expiry, from_item
from chalicelib.facts.replies import ReplyClass
from chalicelib.facts.settle import needs_upgrade
from chalicelib.facts.state import State
from chalicelib.stats.activity import entry_of, is_activity
from chalicelib.stats.contributions import Named, contributions, difference, grouping_key
from chalicelib.stats.counters import HEALTH, PIPELINE, SUMMARY, Key, kept_until
from chalicelib.stats.first_and_last import FirstAndLast
from chalicelib.stats.subjects import SubjectSample
from chalicelib.stats.tags import TagSet
from chalicelib.stats.update import Change, ConditionalField, PendingUpdate

StreamRecord = Mapping[str, Any]
"""A change in the stream: the `dynamodb` member of a record in Lambda's event."""

_created = itemgetter("ApproximateCreationDateTime")


class Batch(Struct):
    """A batch of records, grouped by the aggregate item that they update.

    Attributes:
        subjects: sample of the subjects of each campaign's emails.
        tags: the tags of each campaign's emails.
        activity: new and reclassified entries of each campaign's activity.
        activity_expires: when the last of these facts expires, in epoch seconds.
        quarantined: the reason for each malformed record.
    """

    pending: dict[Key, PendingUpdate] = field(default_factory=lambda: defaultdict(PendingUpdate))
    subjects: dict[str, SubjectSample] = field(default_factory=lambda: defaultdict(SubjectSample))
    tags: dict[str, TagSet] = field(default_factory=lambda: defaultdict(TagSet))
    activity: dict[str, list[Fact]] = field(default_factory=lambda: defaultdict(list))
    activity_expires: int = 0
    quarantined: list[str] = field(default_factory=list)

    def index(self, new: Fact, old: Fact | State | None, expires: int | None) -> None:
        """Add a fact to the sample of subjects, to the tags and to the activity."""
        if new.tags:
            self.tags[new.campaign].add(new.tags)
        if new.subject:
            self.subjects[new.campaign].add(new.message_id, new.subject)
        if is_activity(new) or (isinstance(old, Fact) and is_activity(old)):
            entry = entry_of(new)
            if isinstance(old, Fact) and replace(entry_of(old), settled=entry.settled) == entry:
                return  # only what no list shows has changed
            self.activity[new.campaign].append(entry)
            self.activity_expires = max(self.activity_expires, expires or 0)

    def in_writing_order(self) -> Iterator[tuple[Key, PendingUpdate]]:
        """Return the items with summaries last, so that a summary is never ahead of its parts."""
        return iter(
            sorted(self.pending.items(), key=lambda entry: (entry[0][1] == SUMMARY, entry[0]))
        )


class _Group(Struct):
    """Records with the same contribution, and the first record's images."""

    new: Fact | State
    old: Fact | State | None
    records: list[StreamRecord]


def group(records: Iterable[Mapping[str, Any]], forgotten: Forgotten) -> Batch:
    """Group a batch of stream records, in Lambda's format. Malformed records raise no error.

    The contribution is computed once for all records with the same grouping key. Names of forgotten
    recipients, in records from before, do not get into the activity.
    """
    batch = Batch()
    groups: dict[Hashable, _Group] = {}
    firsts: dict[str, FirstAndLast] = defaultdict(FirstAndLast)
    malformed: list[StreamRecord] = []
    created = 0.0
    for record in records:
        if record.get("eventName") == "REMOVE":
            continue
        change = record["dynamodb"]
        created = max(created, _created(change))
        try:
            image = change["NewImage"]
            new, expires = forgotten.stored(from_item(image)), expiry(image)
            image = change.get("OldImage")
            old = None if image is None else forgotten.stored(from_item(image))
        except (KeyError, ValueError) as error:
            batch.quarantined.append(f"{trace(error)}; message {_message_id(change)}")
            malformed.append(change)
            continue
        key = grouping_key(new), old and grouping_key(old)
        if (found := groups.get(key)) is None:
            groups[key] = _Group(new, old, [change])
        else:
            found.records.append(change)
        if isinstance(new, Fact):
            firsts[new.campaign].add(new, expires)
            batch.index(new, old, expires)
    for one in groups.values():
        _add(one, batch)
    for campaign, values in firsts.items():
        for value in values.fields():
            batch.pending[campaign, SUMMARY].move(value)
        batch.pending[campaign, SUMMARY].tags = batch.tags[campaign].tags()
    if malformed:
        batch.pending[PIPELINE, HEALTH].changes.append(Change(malformed, {"quarantined": 1}))
    if created:
        # To the minute: otherwise each batch would write and push the pipeline's health.
        arrived = datetime.fromtimestamp(int(created), UTC).strftime("%Y-%m-%dT%H:%M:00Z")
        batch.pending[PIPELINE, HEALTH].move(
            ConditionalField("last_event_at", arrived, keep_lowest=False, values={})
        )
    return batch


def _add(group: _Group, batch: Batch) -> None:
    """Add a group's contribution to the pending updates."""
    latest = max(map(_created, group.records))
    whole = contributions(group.new) if group.old is None else difference(group.new, group.old)
    if needs_upgrade(group.new):
        batch.pending[group.new.campaign, SUMMARY].outdated = True
    for keys, counts, name in whole:
        change = Change(group.records, counts)
        for key in keys:
            until = kept_until(key[1])
            counted = change if latest < until else change.before(until)
            if counted is None:
                continue
            batch.pending[key].changes.append(counted)
            if name is not None:
                batch.pending[key].move(name_field(name))


def name_field(name: Named) -> ConditionalField:
    """Return what identifies a link or reply as a conditional field of its aggregate item."""
    if isinstance(name, ReplyClass):
        return ConditionalField("reply", " ".join(name), keep_lowest=True, values={})
    values = {} if name.label is None else {"label": name.label}
    return ConditionalField("url", name.url, keep_lowest=True, values=values)


def _message_id(record: StreamRecord) -> Any:
    return record.get("Keys", {}).get("message_id", {}).get("S")

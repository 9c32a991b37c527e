"""Compose pushes: what a batch of the stats table's stream changed, for each group of viewers."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from typing import NamedTuple

from chalicelib.dynamodb import Item
from chalicelib.errors import trace
from chalicelib.live import messages
from chalicelib.live.frames import Message, frames
from chalicelib.live.permissions import Connection, Permissions
from chalicelib.live.protocol import CAMPAIGN_TOPIC_PREFIX, HEALTH_TOPIC, LIST_TOPIC
from chalicelib.log import log
from chalicelib.stats.activity import ACTIVITY, Entries, entries_in, newest_first
from chalicelib.stats.counters import (
    HEALTH,
    PIPELINE,
    SHOWN_PARTS,
    SUMMARY,
    Aggregate,
    Key,
    aggregate_from_item,
)
from chalicelib.stats.health import Health, health_from_item
from chalicelib.stats.incident_item import (
    INCIDENT,
    SETTINGS,
    incident_from_item,
    settings_from_item,
)
from chalicelib.stats.incidents import Incident, StoredSettings
from chalicelib.stats.note_item import NOTES, notes_from_item
from chalicelib.stats.notes import StoredNotes
from chalicelib.stats.pace_item import PACE, StoredPace, pace_from_item
from chalicelib.stats.proof import RECOUNT
from chalicelib.stats.reconciled import RECONCILIATION

# Activity entries in a snapshot and in a push: those that the page shows.
NEWEST = 8

# The first event of a new campaign is older than its arrival.
_NEW_SECONDS = 300

_HEALTH_KEY = PIPELINE, HEALTH
_RESULTS = (RECONCILIATION, RECOUNT.removesuffix("#"))


class Group(NamedTuple):
    """Viewers with the same permissions, and the frames that each receives."""

    frames: Sequence[str]
    connections: Sequence[Connection]


class Push(NamedTuple):
    """A push to all or some of a topic's viewers; each permitted viewer is in one group."""

    topic: str
    groups: Sequence[Group]

    @property
    def viewers(self) -> int:
        """Number of viewers."""
        return sum(len(group.connections) for group in self.groups)

    @property
    def messages(self) -> int:
        """Number of messages to all viewers together."""
        return sum(len(group.frames) * len(group.connections) for group in self.groups)


class PipelineResult(NamedTuple):
    """What only the snapshot of the pipeline has; a push of it is the whole snapshot.

    It is the result of a comparison with SES or of a recount, or the settings of all alarms.
    """

    version: int = 0


Change = (
    Aggregate
    | Health
    | Entries
    | StoredPace
    | Incident
    | StoredSettings
    | StoredNotes
    | PipelineResult
)
Changed = Mapping[Key, Change]
"""The newest state of each item that has changed, in the order of the changes."""


def newest(images: Iterable[Item]) -> dict[Key, Change]:
    """Return the newest state of each item that a topic shows; malformed images are logged.

    Args:
        images: images of items of the stats table, oldest first, in DynamoDB JSON.
    """
    found: dict[Key, Change] = {}
    for image in images:
        try:
            aggregate = aggregate_from_item(image)
            key, kind = (aggregate.campaign, aggregate.part), aggregate.part.partition("#")[0]
            if key == _HEALTH_KEY:
                found[key] = health_from_item(image)
            elif aggregate.campaign == PIPELINE and kind in _RESULTS:
                found[key] = PipelineResult(aggregate.version)
            elif kind == ACTIVITY:
                found[key] = Entries(entries_in(image))
            elif kind == PACE:
                found[key] = pace_from_item(image)
            elif kind == INCIDENT:
                found[key] = incident_from_item(image)
            elif kind == SETTINGS:
                settings = settings_from_item(image)
                is_of_all = aggregate.campaign == PIPELINE
                found[key] = PipelineResult(settings.version) if is_of_all else settings
            elif kind == NOTES:
                found[key] = notes_from_item(image)
            elif kind in SHOWN_PARTS:
                found[key] = aggregate
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            # An exception would block this shard's pushes for a day.
            keys = {name: image[name] for name in ("campaign", "part") if name in image}
            log("not_an_aggregate", detail=trace(error), keys=keys)
    return found


def version(change: Change) -> tuple[int, int]:
    """Return the version of a change, and that of the pace in a summary, which has its own."""
    pace = change.pace if isinstance(change, Aggregate) else None
    return change.version, pace.version if pace else 0


def changes(changed: Changed) -> dict[str, Message]:
    """Return each topic's changes."""
    topics: dict[str, Message] = {}
    parts: dict[str, list[Aggregate]] = defaultdict(list)
    pages: dict[str, list[Entries]] = defaultdict(list)
    others: dict[str, Message] = defaultdict(dict)
    for (campaign, _), one in changed.items():
        match one:
            case Health():
                topics[HEALTH_TOPIC] = messages.health(one)
            case PipelineResult():
                continue  # see needs_snapshot
            case Entries():
                pages[campaign].append(one)
            case StoredPace() | StoredSettings() | StoredNotes():
                others[campaign] |= _member(one)
            case Incident():
                others[campaign].setdefault("incidents", []).append(messages.incident(one))
            case Aggregate():
                parts[campaign].append(one)
    for campaign in {**parts, **pages, **others}:
        stats = messages.campaign_stats(parts[campaign]) | others[campaign]
        if campaign in pages:
            listed = newest_first(entry for page in pages[campaign] for entry in page.entries)
            stats["activity"] = [messages.activity(fact) for _, fact in listed[:NEWEST]]
        topics[CAMPAIGN_TOPIC_PREFIX + campaign] = stats
    summaries = [one for some in parts.values() for one in some if one.part == SUMMARY]
    # No list has a campaign before its first event, although it may be marked as a test.
    summaries = [one for one in summaries if one.first_event_at is not None]
    if summaries:
        entries = [messages.campaign_entry(summary) for summary in summaries]
        topics[LIST_TOPIC] = messages.campaign_list(entries)
    return topics


def _member(one: StoredPace | StoredSettings | StoredNotes) -> Message:
    """Compose the member of a campaign's changes that one item has."""
    match one:
        case StoredPace():
            return {"pace": messages.pace(one)}
        case StoredSettings():
            return {"alarms": [messages.alarm_settings("campaign", one)]}
        case StoredNotes():
            return {"notes": messages.notes(one)}


def needs_snapshot(changed: Changed) -> bool:
    """Return whether something has changed that only the snapshot of the pipeline has."""
    return any(isinstance(one, PipelineResult) for one in changed.values())


def compose(topic: str, changes: Message, subscribers: Iterable[Connection]) -> Push:
    """Compose the frames for each group of a topic's subscribers that see the same changes."""
    groups = []
    for (access, listed), group in _by_view(subscribers, topic, changes).items():
        visible = messages.seen(changes, access)
        if visible is not None and listed is not None:
            campaigns = [one for one in visible["campaigns"] if one["id"] in listed]
            visible = {**visible, "campaigns": campaigns} if campaigns else None
        if visible is not None:
            groups.append(Group(frames(messages.push(topic, visible)), group))
    return Push(topic, groups)


def _by_view(
    subscribers: Iterable[Connection], topic: str, changes: Message
) -> dict[tuple[Permissions, frozenset[str] | None], list[Connection]]:
    """Group a topic's subscribers by permissions and, of the list, the changed campaigns they view.

    Subscribers without the permission to subscribe are left out.
    """
    groups: dict[tuple[Permissions, frozenset[str] | None], list[Connection]] = {}
    for connection in subscribers:
        access = connection.access
        if access.can_subscribe(topic):
            seen = Permissions(prefixes=access.prefixes, shared=access.shared)
            listed = None if connection.on_screen is None else _listed(connection, changes)
            groups.setdefault((seen, listed), []).append(connection)
    return groups


def _listed(connection: Connection, changes: Message) -> frozenset[str]:
    """Return the changed campaigns that are on a viewer's screen, or have begun since."""
    since = datetime.fromtimestamp(connection.subscribed_at - _NEW_SECONDS, UTC)
    began = since.strftime("%Y-%m-%dT%H:%M:%SZ")
    return frozenset(
        one["id"]
        for one in changes["campaigns"]
        if one["id"] in (connection.on_screen or ()) or (one["first_event_at"] or "") > began
    )

"""Compose pushes: what a batch of the stats table's stream changed, for each group of viewers."""

from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

from chalicelib.dynamodb import Item
from chalicelib.errors import trace
from chalicelib.live import messages
from chalicelib.live.frames import Message, frames
from chalicelib.live.permissions import Connection, Permissions
from chalicelib.live.protocol import CAMPAIGN_TOPIC_PREFIX, HEALTH_TOPIC, LIST_TOPIC
from chalicelib.log import log
from chalicelib.stats.counters import (
    HEALTH,
    PARTS,
    PIPELINE,
    SUMMARY,
    Aggregate,
    Key,
    aggregate_from_item,
)
from chalicelib.stats.health import Health, health_from_item

_HEALTH_KEY = PIPELINE, HEALTH


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


Changed = Mapping[Key, Aggregate | Health]
"""The newest state of each item that has changed, in the order of the changes."""


def newest(images: Iterable[Item]) -> dict[Key, Aggregate | Health]:
    """Return the newest state of each item that a topic shows; malformed images are logged.

    Args:
        images: images of items of the stats table, oldest first, in DynamoDB JSON.
    """
    found: dict[Key, Aggregate | Health] = {}
    for image in images:
        try:
            aggregate = aggregate_from_item(image)
            key = aggregate.campaign, aggregate.part
            if topics_of(key):
                found[key] = health_from_item(image) if key == _HEALTH_KEY else aggregate
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            # An exception would block this shard's pushes for a day.
            keys = {name: image[name] for name in ("campaign", "part") if name in image}
            log("not_an_aggregate", detail=trace(error), keys=keys)
    return found


def changes(changed: Changed) -> dict[str, Message]:
    """Return each topic's changes."""
    topics: dict[str, Message] = {}
    campaigns: dict[str, list[Aggregate]] = {}
    for (campaign, _), one in changed.items():
        if isinstance(one, Health):
            topics[HEALTH_TOPIC] = messages.health(one)
        else:
            campaigns.setdefault(campaign, []).append(one)
    for campaign, parts in campaigns.items():
        topics[CAMPAIGN_TOPIC_PREFIX + campaign] = messages.campaign_stats(parts)
    summaries = [one for parts in campaigns.values() for one in parts if one.part == SUMMARY]
    if summaries:
        entries = [messages.campaign_entry(summary) for summary in summaries]
        topics[LIST_TOPIC] = messages.campaign_list(entries)
    return topics


def topics_of(key: Key) -> list[str]:
    """Return the topics that show an item of the stats table."""
    campaign, part = key
    if key == _HEALTH_KEY:
        return [HEALTH_TOPIC]
    if campaign == PIPELINE or part.partition("#")[0] not in PARTS:
        return []
    topic = CAMPAIGN_TOPIC_PREFIX + campaign
    return [topic, LIST_TOPIC] if part == SUMMARY else [topic]


def compose(topic: str, changes: Message, subscribers: Iterable[Connection]) -> Push:
    """Compose the frames for each group of a topic's subscribers with the same permissions."""
    groups = []
    for access, group in _by_permissions(subscribers, topic).items():
        visible = messages.seen(changes, access)
        if visible is not None:
            groups.append(Group(frames(messages.push(topic, visible)), group))
    return Push(topic, groups)


def _by_permissions(
    subscribers: Iterable[Connection], topic: str
) -> dict[Permissions, list[Connection]]:
    """Group a topic's subscribers by what they may see; skip those not permitted to subscribe."""
    groups: dict[Permissions, list[Connection]] = {}
    for connection in subscribers:
        access = connection.access
        if access.can_subscribe(topic):
            seen = Permissions(prefixes=access.prefixes, shared=access.shared)
            groups.setdefault(seen, []).append(connection)
    return groups

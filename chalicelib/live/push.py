"""Compose pushes: what a batch of the stats table's stream changed, for each group of viewers."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

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
    aggregate_from_item,
)
from chalicelib.stats.health import health_from_item


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


def changes(records: Iterable[Mapping[str, Any]]) -> dict[str, Message]:
    """Return each topic's changes, composed from the newest image of each item.

    Args:
        records: records of the stats table's stream, in Lambda's format.
    """
    newest: dict[tuple[str, str], Aggregate] = {}
    topics: dict[str, Message] = {}
    for record in records:
        image = record["dynamodb"].get("NewImage")
        if image is None:  # the item has expired
            continue
        try:
            aggregate = aggregate_from_item(image)
            if (aggregate.campaign, aggregate.part) == (PIPELINE, HEALTH):
                topics[HEALTH_TOPIC] = messages.health(health_from_item(image))
                continue
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            # An exception would block this shard's pushes for a day.
            log("not_an_aggregate", detail=trace(error), keys=record["dynamodb"].get("Keys"))
            continue
        newest[aggregate.campaign, aggregate.part] = aggregate
    campaigns: dict[str, list[Aggregate]] = {}
    for (campaign, part), aggregate in newest.items():
        if part.partition("#")[0] in PARTS:
            campaigns.setdefault(campaign, []).append(aggregate)
    for campaign, parts in campaigns.items():
        topics[CAMPAIGN_TOPIC_PREFIX + campaign] = messages.campaign_stats(parts)
    summaries = [one for parts in campaigns.values() for one in parts if one.part == SUMMARY]
    if summaries:
        entries = [messages.campaign_entry(summary) for summary in summaries]
        topics[LIST_TOPIC] = messages.campaign_list(entries)
    return topics


def compose(topic: str, changes: Message, subscribers: Iterable[Connection]) -> Push:
    """Compose the frames for each group of a topic's subscribers with the same permissions."""
    groups = []
    for prefixes, group in _by_prefixes(subscribers, topic).items():
        visible = messages.seen(changes, Permissions(prefixes=prefixes).can_see)
        if visible is not None:
            groups.append(Group(frames(messages.push(topic, visible)), group))
    return Push(topic, groups)


def _by_prefixes(
    subscribers: Iterable[Connection], topic: str
) -> dict[tuple[str, ...], list[Connection]]:
    """Group a topic's subscribers by visible prefixes; skip those not permitted to subscribe."""
    groups: dict[tuple[str, ...], list[Connection]] = {}
    for connection in subscribers:
        if connection.access.can_subscribe(topic):
            groups.setdefault(connection.access.prefixes, []).append(connection)
    return groups

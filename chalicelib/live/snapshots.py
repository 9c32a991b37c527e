"""Compose the snapshots of topics."""

import time
from collections.abc import Callable, Collection
from datetime import UTC, datetime

from msgspec import Struct

from chalicelib.live import messages
from chalicelib.live.activity import Activity
from chalicelib.live.frames import Message
from chalicelib.live.permissions import EVERYTHING, Permissions
from chalicelib.live.protocol import HEALTH_TOPIC, LIST_TOPIC, campaign_of
from chalicelib.stats.table import StatsTable

# Campaigns in a snapshot of the list; listCampaigns returns the others.
MOST_LISTED = 100


class Snapshots(Struct, frozen=True):
    """Reader of the snapshots of topics."""

    stats_table: StatsTable
    activity: Activity
    clock: Callable[[], float] = time.time

    def of(
        self,
        topic: str,
        access: Permissions = EVERYTHING,
        on_screen: Collection[str] = (),
        *,
        replaces_pushes: bool = False,
    ) -> Message:
        """Return what a connection may see of a topic.

        Args:
            topic: the topic.
            access: the connection's permissions.
            on_screen: of the list, further campaigns that the viewer has on the screen.
            replaces_pushes: whether the viewer has missed pushes; see messages.campaign_snapshot.
        """
        if topic == LIST_TOPIC:
            newest, cursor = self.stats_table.campaigns.page(MOST_LISTED, None, access.can_see)
            known = {one.campaign for one in newest}
            others = [one for one in on_screen if one not in known and access.can_see(one)]
            newest += self.stats_table.summaries(sorted(others))
            listed = messages.campaign_list(list(map(messages.campaign_entry, newest)))
            return listed | ({"cursor": cursor} if cursor else {})
        if topic == HEALTH_TOPIC:
            return messages.pipeline(*self.stats_table.pipeline.results(), access)
        campaign = campaign_of(topic) or ""
        summary = self.stats_table.summary(campaign)
        snapshot = messages.campaign_snapshot(
            campaign,
            summary,
            self.stats_table.shown(campaign, summary.tags if summary else ()),
            datetime.fromtimestamp(self.clock(), UTC),
            replaces_pushes=replaces_pushes,
        )
        if access.shared is not None:
            return messages.seen(snapshot, access) or {}
        if (pace := self.stats_table.paces.get(campaign)) is not None:
            snapshot["pace"] = messages.pace(pace)
        remarks = self.stats_table.remarks.get(campaign)
        of_all = self.stats_table.remarks.alarm_settings()
        snapshot["incidents"] = list(map(messages.incident, remarks.incidents))
        snapshot["notes"] = messages.notes(remarks.notes)
        snapshot["alarms"] = [
            messages.alarm_settings(
                "campaign", remarks.alarms, may_change=access.may_set_alarms(campaign)
            ),
            messages.alarm_settings("all", of_all, may_change=access.may_set_alarms(None)),
        ]
        snapshot["may_share"] = access.can_share(campaign)
        snapshot["activity"] = self.activity.newest(campaign)
        return snapshot

"""Compose the snapshots of topics."""

from msgspec import Struct

from chalicelib.live import messages
from chalicelib.live.activity import Activity
from chalicelib.live.frames import Message
from chalicelib.live.permissions import EVERYTHING, Permissions
from chalicelib.live.protocol import HEALTH_TOPIC, LIST_TOPIC, campaign_of
from chalicelib.stats.table import StatsTable


class Snapshots(Struct, frozen=True):
    """Reader of the snapshots of topics."""

    stats_table: StatsTable
    activity: Activity

    def of(self, topic: str, access: Permissions = EVERYTHING) -> Message:
        """Return what a connection with these permissions may see of a topic."""
        if topic == LIST_TOPIC:
            entries = map(messages.campaign_entry, self.stats_table.all_campaigns())
            return messages.campaign_list([one for one in entries if access.can_see(one["id"])])
        if topic == HEALTH_TOPIC:
            return messages.health(self.stats_table.health(), access.can_see)
        campaign = campaign_of(topic) or ""
        snapshot = messages.campaign_snapshot(
            campaign, self.stats_table.summary(campaign), self.stats_table.shown(campaign)
        )
        if access.shared is None:  # activity contains recipients
            snapshot["activity"] = self.activity.newest(campaign)
        return snapshot

"""Compute what earlier campaigns would count at each age of a campaign: the action `getUsual`."""

from datetime import datetime

from chalicelib.live.frames import Message
from chalicelib.stats.directory_table import Directory
from chalicelib.stats.pace import running_campaign, usual_content
from chalicelib.stats.pace_table import EarlierCampaigns, read_sends
from chalicelib.stats.table import StatsTable


class UsualCounts:
    """The usual counts of campaigns. Earlier campaigns are kept in the process for an hour."""

    def __init__(self, stats_table: StatsTable, directory: Directory) -> None:
        self._stats_table = stats_table
        self._earlier = EarlierCampaigns(stats_table, directory)

    def of(self, campaign: str, now: datetime) -> Message:
        """Return the members of the reply to `getUsual`.

        `campaigns` is None if the campaign has no events, if most of its human opens and clicks
        were counted by an earlier release, or while the directory of campaigns is not complete.

        Args:
            campaign: the campaign's id.
            now: the current time, in UTC.

        Raises:
            AwsError: an item could not be read.
        """
        unknown: Message = {"campaigns": None}
        summary = self._stats_table.summary(campaign)
        if summary is None or summary.first_event_at is None:
            return unknown
        earlier = self._earlier.read(summary, now)
        if earlier is None:
            return unknown
        [ages] = self._stats_table.ages([campaign])
        sends = read_sends(self._stats_table, campaign)
        running = running_campaign(summary, ages, sends, now)
        return unknown if running is None else dict(usual_content(running, earlier, sends))

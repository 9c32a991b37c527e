"""Compute the pace of campaigns, and store it; watch does so each minute.

What was read is kept in the process: the counters of a running campaign until its summary changes,
its sends until their number changes, and the counters of earlier campaigns for an hour. A minute
without a change therefore reads only the stored pace, and it writes nothing unless a number has
moved. Checks may run at once, crash or continue late: what is stored is read, not remembered, and a
pace for an earlier moment never replaces one for a later moment.

A pace is stored in three places, in this order: its own item, the campaign's summary, and the entry
of the directory of campaigns. Each later one has the version of the first, so that a process that
finds another version, or does not know which version is there, writes it again.
"""

from collections.abc import Collection, Iterator, Mapping, Sequence
from datetime import datetime
from itertools import islice

from msgspec import Struct, field

from chalicelib.insight.curves import SendBucket
from chalicelib.insight.history import Campaign
from chalicelib.stats.counters import Aggregate
from chalicelib.stats.directory import Entry
from chalicelib.stats.directory_table import Directory
from chalicelib.stats.last_sends import last_part_with_sends
from chalicelib.stats.pace import (
    content_of,
    earlier_campaign,
    earlier_entries,
    hour_of,
    is_due,
    running_campaign,
    says_the_same,
    send_buckets,
)
from chalicelib.stats.pace_item import StoredPace, pace_now
from chalicelib.stats.table import StatsTable

# The last hours with sends of which the minutes are read; of earlier ones, the hour suffices.
_HOURS_WITH_MINUTES = 4
_MOST_HOURS = 72


class _Kept(Struct):
    """What is kept of the pace of a running campaign.

    Attributes:
        in_summary: the version of the pace in the summary, as far as it is known; 0 for none.
        in_directory: the version of the pace in the directory; None if it is not known.
        computed_at: when the pace was last computed and stored; None if it was not.
    """

    in_summary: int = 0
    in_directory: int | None = None
    computed_at: datetime | None = None


class _Counters(Struct):
    """What was read of a running campaign.

    Attributes:
        version: the version of the summary after which `ages` was read.
        hour: the hour in which it was read.
        sent: the number of sends when `sends` was read.
        providers_at: the version and the hour of `providers`.
    """

    version: int = -1
    hour: str = ""
    ages: Mapping[str, int] = field(default_factory=dict)
    sent: int = 0
    sends: Sequence[SendBucket] = ()
    providers_at: tuple[int, str] = (-1, "")
    providers: Mapping[str, Mapping[str, int]] = field(default_factory=dict)


class Paces:
    """The pace of the running campaigns.

    Attributes:
        counters: the counters of the running campaigns.
        earlier: the campaigns with which they are compared.
    """

    def __init__(self, stats_table: StatsTable, directory: Directory) -> None:
        self._stats_table = stats_table
        self._directory = directory
        self.counters = RunningCounters(stats_table)
        self.earlier = EarlierCampaigns(stats_table, directory)
        self._running: dict[str, _Kept] = {}

    def keep_only(self, campaigns: Collection[str]) -> None:
        """Drop what is kept of campaigns that are no longer among the newest."""
        self._running = {name: one for name, one in self._running.items() if name in campaigns}
        self.counters.keep_only(campaigns)

    def update(self, summary: Aggregate, now: datetime) -> bool:
        """Compute the pace of a campaign if it is due, and store it if it has changed.

        Args:
            summary: the campaign's summary.
            now: the current time, in UTC.

        Returns:
            Whether it was stored.

        Raises:
            AwsError: an item could not be read or written.
        """
        kept = self._running.get(summary.campaign) or _Kept()
        first = summary.first_event_at
        if first is None or not is_due(datetime.fromisoformat(first), kept.computed_at, now):
            return False
        earlier = self.earlier.read(summary, now)
        if earlier is None:
            return False
        self._running[summary.campaign] = kept
        ages, sends = self.counters.read(summary, now)
        running = running_campaign(summary, ages, sends, now)
        # Read each time: another process may have stored it, and a write of this process may have
        # succeeded without a response.
        stored = self._stats_table.paces.get(summary.campaign)
        is_stored = False
        if running is not None:
            content = content_of(running, earlier)
            if stored is None or not says_the_same(content, stored.content):
                stored = self._stats_table.paces.put(summary.campaign, content, now)
                is_stored = stored is not None
        self._repeat_in_summary(kept, summary, stored)
        kept.computed_at = now
        return is_stored

    def update_directory(self, now: datetime) -> None:
        """Update the entries of campaigns whose pace has changed in the directory of campaigns.

        Args:
            now: the current time, in UTC.

        Raises:
            AwsError: the entries could not be updated; the next call repeats it.
        """
        changed = {
            campaign: one.in_summary
            for campaign, one in self._running.items()
            if one.in_summary and one.in_summary != one.in_directory
        }
        if changed:
            self._directory.update_entries(changed, now)
            for campaign, version in changed.items():
                self._running[campaign].in_directory = version

    def _repeat_in_summary(
        self, kept: _Kept, summary: Aggregate, stored: StoredPace | None
    ) -> None:
        """Write what lists show of the stored pace to the summary, unless it is known to be there.

        The summary may be the one of an earlier check, so the highest known version counts.
        """
        in_summary = summary.pace.version if summary.pace else 0
        if in_summary > kept.in_summary:
            kept.in_summary, kept.in_directory = in_summary, None
        if stored is not None and stored.version > kept.in_summary:
            self._stats_table.paces.repeat(summary.campaign, pace_now(stored))
            kept.in_summary = stored.version


class RunningCounters:
    """Counters of running campaigns as last read: by age, by mailbox provider, and their sends."""

    def __init__(self, stats_table: StatsTable) -> None:
        self._stats_table = stats_table
        self._read: dict[str, _Counters] = {}

    def keep_only(self, campaigns: Collection[str]) -> None:
        """Drop what is kept of campaigns that are no longer among the newest."""
        self._read = {name: one for name, one in self._read.items() if name in campaigns}

    def read(
        self, summary: Aggregate, now: datetime
    ) -> tuple[Mapping[str, int], Sequence[SendBucket]]:
        """Return the counters of a campaign's ages, and its sends (see `send_buckets`).

        Args:
            summary: the campaign's summary.
            now: the current time, in UTC.

        Raises:
            AwsError: an item could not be read.
        """
        kept = self._read.setdefault(summary.campaign, _Counters())
        # Each hour in any case: a recount may have corrected them.
        hour = hour_of(now)
        if (kept.version, kept.hour) != (summary.version, hour):
            [ages] = self._stats_table.ages([summary.campaign])
            sent = summary.counts.get("sends", 0)
            if sent != kept.sent:
                kept.sends = read_sends(self._stats_table, summary.campaign)
                kept.sent = sent
            kept.ages, kept.version, kept.hour = ages, summary.version, hour
        return kept.ages, kept.sends

    def providers(self, summary: Aggregate, now: datetime) -> Mapping[str, Mapping[str, int]]:
        """Return the counters of a campaign at each mailbox provider, and at `other`.

        Args:
            summary: the campaign's summary.
            now: the current time, in UTC.

        Raises:
            AwsError: an item could not be read.
        """
        kept = self._read.setdefault(summary.campaign, _Counters())
        at = summary.version, hour_of(now)
        if kept.providers_at != at:
            kept.providers = self._stats_table.providers(summary.campaign)
            kept.providers_at = at
        return kept.providers


class EarlierCampaigns:
    """The campaigns with which others are compared, as read in the current hour."""

    def __init__(self, stats_table: StatsTable, directory: Directory) -> None:
        self._stats_table = stats_table
        self._directory = directory
        # Of the current hour: the directory, the campaigns that were read, and the results.
        self._hour = ""
        self._entries: Sequence[Entry] | None = None
        self._read: dict[str, Campaign | None] = {}
        self._found: dict[tuple[str | None, ...], list[Campaign]] = {}
        # The number of sends of a campaign, and its last hour with any.
        self._last_hours: dict[str, tuple[int, str | None]] = {}

    def read(self, summary: Aggregate, now: datetime) -> list[Campaign] | None:
        """Return the campaigns before a campaign; None while the directory is not complete.

        Args:
            summary: the campaign's summary.
            now: the current time, in UTC.

        Raises:
            AwsError: an item could not be read.
        """
        hour = hour_of(now)
        if hour != self._hour or self._entries is None:
            self._entries = self._directory.entries()
            self._hour, self._read, self._found = hour, {}, {}
        if self._entries is None:
            return None
        key = (summary.campaign, summary.first_event_at, summary.sender)
        if key not in self._found:
            self._found[key] = self._find(self._entries, summary, now)
        return self._found[key]

    def _find(self, entries: Sequence[Entry], summary: Aggregate, now: datetime) -> list[Campaign]:
        chosen = earlier_entries(entries, summary)
        missing = [one for one in chosen if one.campaign not in self._read]
        found = self._stats_table.ages([one.campaign for one in missing])
        for entry, ages in zip(missing, found, strict=True):
            hour_of_last = self._last_hour(entry)
            self._read[entry.campaign] = earlier_campaign(entry, ages, hour_of_last, now)
        kept = (self._read[one.campaign] for one in chosen)
        return [one for one in kept if one is not None]

    def _last_hour(self, entry: Entry) -> str | None:
        """Return the part of a campaign's last hour with sends, None if it has none."""
        sent = entry.count("sends")
        known = self._last_hours.get(entry.campaign)
        if known is None or known[0] != sent:
            self._last_hours[entry.campaign] = known = sent, self._read_last_hour(entry.campaign)
        return known[1]

    def _read_last_hour(self, campaign: str) -> str | None:
        part = last_part_with_sends(self._stats_table, campaign, "hour")
        return part if part and part.startswith("hour#") else None


def read_sends(stats_table: StatsTable, campaign: str) -> list[SendBucket]:
    """Read a campaign's sends: by minute in its last hours with sends, otherwise by hour or day.

    Raises:
        AwsError: an item could not be read.
    """
    return send_buckets(_read_buckets(stats_table, campaign))


def _read_buckets(stats_table: StatsTable, campaign: str) -> Iterator[Aggregate]:
    """Yield a campaign's days, its last hours, and the minutes of the last hours with sends."""
    yield from stats_table.buckets(campaign, "day#")
    with_sends = []
    for hour in islice(stats_table.buckets(campaign, "hour#"), _MOST_HOURS):
        yield hour
        if hour.counts.get("sends", 0) > 0:
            with_sends.append(hour.part.removeprefix("hour#"))
    for prefix in with_sends[:_HOURS_WITH_MINUTES]:
        yield from stats_table.buckets(campaign, f"minute#{prefix}")

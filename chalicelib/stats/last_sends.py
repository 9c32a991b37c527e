"""When a campaign has sent its last email, as finely as its counters tell."""

from datetime import datetime, timedelta
from typing import Literal

from chalicelib.stats.counters import bucket_start
from chalicelib.stats.table import StatsTable

_LENGTHS = {"day": timedelta(days=1), "hour": timedelta(hours=1), "minute": timedelta(minutes=1)}


def last_part_with_sends(
    stats_table: StatsTable, campaign: str, finest: Literal["hour", "minute"]
) -> str | None:
    """Return the part of the last bucket with sends, such as `minute#2026-11-23T10:00`.

    Args:
        stats_table: the counters.
        campaign: the campaign's id.
        finest: the resolution; where its buckets have expired, a coarser one is returned.

    Returns:
        None if SES reported no sends.

    Raises:
        AwsError: a bucket could not be read.
    """
    last = None
    within = ""
    for resolution in _LENGTHS:
        buckets = stats_table.buckets(campaign, f"{resolution}#{within}")
        found = next((one.part for one in buckets if one.counts.get("sends", 0) > 0), None)
        if found is None:
            break
        last, within = found, found.partition("#")[2]
        if resolution == finest:
            break
    return last


def sent_until(stats_table: StatsTable, campaign: str) -> datetime | None:
    """Return when the last minute with sends ended, or the last hour; None if there were none.

    Raises:
        AwsError: a bucket could not be read.
    """
    part = last_part_with_sends(stats_table, campaign, "minute")
    if part is None:
        return None
    return datetime.fromisoformat(bucket_start(part)) + _LENGTHS[part.partition("#")[0]]

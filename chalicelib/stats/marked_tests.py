"""Repeat in lists which campaigns are marked as tests.

The settings of a campaign's alarms say whether it is a test. Its summary repeats that, with the
version of the settings, and so does its entry in the directory of campaigns. The request that marks
a campaign makes three writes, and may crash before each of them:

1. It notes the campaign in the item ` pipeline`/`marked tests`, with the time.
2. It changes the settings.
3. It repeats the mark in the summary, unless that has the mark of newer settings.

Watch repeats the third step, and updates the entries, for each campaign that was noted. It forgets
them when no campaign was noted for longer than a request can take: by then, it has read the
settings after their last change.
"""

from datetime import datetime, timedelta

from chalicelib.stats.directory_table import Directory
from chalicelib.stats.stored.pipeline import Pipeline
from chalicelib.stats.table import StatsTable

# Lambda's longest invocation, and therefore longer than between two writes of a request.
NOTED_FOR = timedelta(minutes=15)


def repeat_marks(
    stats_table: StatsTable, directory: Directory, pipeline: Pipeline, now: datetime
) -> None:
    """Repeat the marks of the campaigns that were noted in their summaries and entries.

    While the directory is being built, the entries wait for its end.

    Args:
        stats_table: the stats table.
        directory: the directory of campaigns.
        pipeline: as read at the start of this invocation.
        now: the current time, in UTC.

    Raises:
        AwsError: an item could not be read or written; the next invocation repeats it.
    """
    marked = pipeline.marked
    if not marked.campaigns:
        return
    for campaign in sorted(marked.campaigns):
        stats_table.remarks.put_test(campaign, stats_table.remarks.alarm_settings(campaign))
    if not pipeline.directory.is_complete:
        return
    directory.update_entries(marked.campaigns, now)
    if now.timestamp() - marked.at >= NOTED_FOR.total_seconds():
        stats_table.remarks.forget_marked(marked)

"""The results of a campaign that is done, for one message to the subscribers of alarms.

They are stored in the watch log when the message is due, so that it is the same if it is sent
again. insight/done.py describes when a campaign is done.
"""

from datetime import datetime

from msgspec import Struct

from chalicelib.stats.counters import Aggregate
from chalicelib.stats.pace_item import Figures

Usual = tuple[int, int]
"""The interval of what earlier campaigns make likely at this age."""


class DoneReport(Struct, frozen=True):
    """The results of a campaign that is done.

    Attributes:
        minute: when it was done, in minutes since 1970, UTC.
        sent: without those that SES did not attempt, because their addresses are suppressed.
        opened, clicked: emails with a human open, and with a human click.
        usual_opened, usual_clicked: None if nothing can be said.
    """

    minute: int
    sent: int
    delivered: int
    opened: int
    clicked: int
    usual_opened: Usual | None = None
    usual_clicked: Usual | None = None


def done_report(summary: Aggregate, now: datetime) -> DoneReport:
    """Return the results of a campaign from its summary."""
    counts, pace = summary.counts, summary.pace
    return DoneReport(
        int(now.timestamp()) // 60,
        max(0, counts.get("sends", 0) - counts.get("prevented", 0)),
        counts.get("deliveries", 0),
        counts.get("unique_human_opens", 0),
        counts.get("unique_human_clicks", 0),
        _usual(pace.human_opens if pace else None),
        _usual(pace.human_clicks if pace else None),
    )


def _usual(figures: Figures | None) -> Usual | None:
    return figures and figures[2:]

"""Rank the links of a campaign."""

from datetime import UTC, datetime, timedelta

from chalicelib.facts.links import kind, normalised
from chalicelib.stats.counters import Aggregate

# A snapshot shows the first MAX_LINKS; up to MAX_RANKED are ranked when it is read. A campaign with
# more has its leaders stored each minute (functions/watch.py).
MAX_LINKS = 250
MAX_RANKED = 1000

_CHANGING = timedelta(minutes=10)

LEADERS = "leaders"
"""The part of a campaign that holds the ids of its leading links."""


def rank(link: Aggregate) -> tuple[bool, int, int, str]:
    """Return a sort key: most human clickers first; links that end a subscription come last."""
    url = normalised(link.url or "")
    return (
        kind(url) == "unsubscribe",
        -link.counts.get("unique_human_clicks", 0),
        -link.counts.get("human_clicks", 0),
        url,
    )


def has_changing_ranks(campaign: Aggregate, now: float) -> bool:
    """Return whether a campaign may have more links than are ranked, and new clicks.

    Args:
        campaign: the campaign's summary.
        now: epoch seconds.
    """
    since = (datetime.fromtimestamp(now, UTC) - _CHANGING).strftime("%Y-%m-%dT%H:%M:%SZ")
    return campaign.counts.get("clicks", 0) > MAX_RANKED and (campaign.last_event_at or "") > since

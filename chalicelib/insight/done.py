"""Judge whether a campaign is done, so that its results can be reported once.

A campaign is done if its first event was a day ago, nothing has been sent for an hour, and all its
emails have an outcome: they are delivered, bounced or rejected, or SES retries them no longer.
docs/alarms.md describes the rule. All functions are pure.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta

from chalicelib.insight.curves import SendBucket

DONE_AFTER = timedelta(hours=24)
"""The least age of a campaign: most opens and clicks follow within a day."""

DONE_UNTIL = timedelta(hours=72)
"""The age from which on a campaign is not reported any more."""

QUIET_AFTER_SENDING = timedelta(hours=1)
"""How long nothing has been sent."""

# https://docs.aws.amazon.com/ses/latest/dg/send-email-concepts-deliverability.html
RETRIED_FOR = timedelta(hours=14)
"""How long SES tries to deliver an email at most."""

LEAST_DELIVERIES = 100
"""Smaller campaigns are not reported: tests, and emails that are sent one by one."""

PUNCTUAL_SECONDS = 60
"""While events are counted later than this, the counters are incomplete."""

# Emails that fail to render have no Send event, so they are none of those that are sent.
_OUTCOMES = (
    *("deliveries", "hard_bounces", "soft_bounces", "undetermined_bounces"),
    *("prevented", "rejects"),
)


def may_become_done(counts: Mapping[str, int], age: timedelta) -> bool:
    """Return whether a campaign has the size, and is not too old to be reported."""
    return age < DONE_UNTIL and counts.get("deliveries", 0) >= LEAST_DELIVERIES


def may_be_done(counts: Mapping[str, int], age: timedelta) -> bool:
    """Return whether a campaign has the size and the age; otherwise, its sends need not be read."""
    return age >= DONE_AFTER and may_become_done(counts, age)


def is_done(
    counts: Mapping[str, int], age: timedelta, sends: Sequence[SendBucket], now: datetime
) -> bool:
    """Return whether a campaign is done.

    Args:
        counts: its counters, by the names of stats/counters.py.
        age: the time since its first event.
        sends: all emails that SES has accepted. Those of a bucket may be of its end.
        now: the current time.
    """
    if not may_be_done(counts, age):
        return False
    idle = now - max((one.start + one.length for one in sends), default=now - age)
    if idle < QUIET_AFTER_SENDING:
        return False
    outcomes = sum(counts.get(name, 0) for name in _OUTCOMES)
    return outcomes >= counts.get("sends", 0) or idle >= RETRIED_FOR

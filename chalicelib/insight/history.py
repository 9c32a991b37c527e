"""The campaigns with which a campaign is compared."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Literal, NamedTuple

from msgspec import Struct

from chalicelib.insight.curves import Curve, Sent

Metric = Literal["unique_human_opens", "unique_human_clicks", "readers"]
"""The counters that have response curves, by their names in stats/counters.py."""

MOST_CAMPAIGNS = 20
FEWEST_CAMPAIGNS = 5
LEAST_DELIVERIES_OF_EARLIER = 500
LEAST_DELIVERIES = 200
LEAST_EXPECTED = 5

Reason = Literal[
    "nothing_sent", "too_few_deliveries", "too_few_campaigns", "too_early", "no_response_expected"
]


class Silence(NamedTuple):
    """Why nothing is said: what there is of the data, and how much is needed.

    Attributes:
        reason: what there is too little of: emails sent or delivered, earlier campaigns that are
            old enough, or expected opens or clicks at this age.
    """

    reason: Reason
    have: int
    need: int


class Campaign(Struct, frozen=True):
    """A campaign as its counters describe it.

    Attributes:
        group: what comparable campaigns share: the sender, or the value of a tag.
        first_event_at: orders campaigns, together with the id.
        last_accepted_at: when SES accepted its last email.
        curves: one for each metric; they count no open or click that is not yet known.
        known_at: when its counters were read; None if that is now.
    """

    id: str
    group: str
    first_event_at: datetime
    last_accepted_at: datetime
    deliveries: int
    curves: Mapping[Metric, Curve]
    known_at: datetime | None = None

    def complete_until(self, now: datetime) -> float:
        """Return the age in seconds that all of its emails had reached when it was read.

        At greater ages, its curves miss those of its emails that were not as old yet.
        """
        until = now if self.known_at is None else min(now, self.known_at)
        return (until - self.last_accepted_at).total_seconds()


class Running(Struct, frozen=True):
    """A campaign at one moment, compared with those before it.

    Attributes:
        now: the moment up to which its counters are known.
        emails: all emails that SES has accepted so far, by age; see curves.sending.
    """

    campaign: Campaign
    now: datetime
    emails: Sequence[Sent]

    @property
    def oldest_seconds(self) -> float:
        """The age of its first email in seconds."""
        return max(one.age_seconds for one in self.emails)

    @property
    def youngest_seconds(self) -> float:
        """The age of its last email in seconds."""
        return min(one.age_seconds for one in self.emails)


def comparable(campaign: Campaign, others: Iterable[Campaign]) -> list[Campaign]:
    """Return the campaigns with which a campaign is compared, in the order of their start.

    These are the 20 latest of its group before it, by time of the first event and id, with 500
    deliveries or more. Campaigns without any human open or click are left out: they had no
    tracking, and a zero is not a rate that a later campaign can be expected to reach.

    Args:
        campaign: the campaign to compare.
        others: any campaigns, in any order; it may be among them.
    """
    position = (campaign.first_event_at, campaign.id)
    earlier = [
        one
        for one in others
        if one.group == campaign.group
        and (one.first_event_at, one.id) < position
        and one.deliveries >= LEAST_DELIVERIES_OF_EARLIER
        and any(curve.total for curve in one.curves.values())
    ]
    earlier.sort(key=lambda one: (one.first_event_at, one.id))
    return earlier[-MOST_CAMPAIGNS:]


def complete(past: Iterable[Campaign], now: datetime, age_seconds: float) -> list[Campaign]:
    """Return the campaigns whose curves are complete up to an age."""
    return [one for one in past if one.complete_until(now) >= age_seconds]


def silence(running: Running, complete_campaigns: int) -> Silence | None:
    """Return why a campaign is not compared; None if there is enough data."""
    sent = sum(one.emails for one in running.emails)
    if sent == 0:
        return Silence("nothing_sent", 0, 1)
    if running.campaign.deliveries < LEAST_DELIVERIES:
        return Silence("too_few_deliveries", running.campaign.deliveries, LEAST_DELIVERIES)
    if complete_campaigns < FEWEST_CAMPAIGNS:
        return Silence("too_few_campaigns", complete_campaigns, FEWEST_CAMPAIGNS)
    return None

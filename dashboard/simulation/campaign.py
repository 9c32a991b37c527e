"""The settings of a simulated campaign."""

from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from dashboard.simulation.audience import SENDERS, SUBJECTS

# Later opens are possible, but rare.
_HORIZON_SECONDS = 2 * 86400.0
# The time for events that are not sped up: deliveries, scanners, a reader's interval between links,
# late arrivals.
_SETTLING_SECONDS = 90.0


@dataclass(frozen=True)
class Behaviour:
    """The recipients' behavior; shares are 0 to 1.

    Attributes:
        speed: factor by which people and privacy proxies are faster than in reality.
        rendering_failures: share of emails whose template could not be rendered.
        rejects: share of emails sent that SES refuses to deliver.
        bounces: share of emails sent that bounce.
        bots: share of mailboxes with a privacy proxy, a prefetcher or a scanner.
        opens: share of people who open the email.
        clicks: share of people with an open who follow a link.
        unsubscribes: share of people with an open who opt out.
        complaints: share of delivered emails that are marked as spam.
        duplicates: share of events that arrive more than once.
        variants: number of variants of the emails, which are sent by turns; 0 for none.
        lift: factor by which more people click in each variant than in the one before.
    """

    speed: float = 1200.0
    rendering_failures: float = 0.0003
    rejects: float = 0.0003
    bounces: float = 0.02
    bots: float = 0.4
    opens: float = 0.42
    clicks: float = 0.14
    unsubscribes: float = 0.008
    complaints: float = 0.001
    duplicates: float = 0.02
    variants: int = 2
    lift: float = 1.0


@dataclass(frozen=True)
class Campaign:
    """A campaign to simulate. The same settings yield the same events.

    Attributes:
        id: value of the message tag that identifies the campaign.
        start: when the first email is sent, in UTC.
        recipients: number of recipients, with one email each.
        rate: emails sent per second.
        duration: seconds after which the campaign is cut off; None to play all events.
        tag: name of the message tag that identifies campaigns.
    """

    id: str
    start: datetime
    subject: str = SUBJECTS["spring-sale"]
    sender: str = SENDERS[0]
    recipients: int = 2000
    rate: float = 50.0
    duration: float | None = None
    seed: int = 1
    tag: str = "campaign"
    configuration_set: str = "simulated"
    behaviour: Behaviour = field(default_factory=Behaviour)

    @property
    def seconds(self) -> float:
        """The maximum duration in seconds."""
        whole = (
            self.recipients / self.rate
            + _HORIZON_SECONDS / self.behaviour.speed
            + _SETTLING_SECONDS
        )
        return whole if self.duration is None else min(self.duration, whole)

    def ending(self, moment: datetime) -> "Campaign":
        """Return a copy of the campaign that is moved in time to end at a moment."""
        return replace(self, start=moment - timedelta(seconds=self.seconds))

"""What there is to set about a simulated campaign."""

from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from dashboard.simulation.audience import SENDERS, SUBJECTS

# Life goes on after this, but hardly anybody opens a mail of the day before yesterday.
_HORIZON_SECONDS = 2 * 86400.0
# What is not sped up: deliveries, scanners, a reader's way from link to link, late arrivals.
_SETTLING_SECONDS = 90.0


@dataclass(frozen=True)
class Behaviour:
    """What becomes of mails; shares are 0 to 1.

    Attributes:
        speed: how many times faster than life people and privacy proxies are.
        rendering_failures: of mails, those whose template could not be filled in.
        rejects: of mails sent, those that SES refuses to deliver.
        bounces: of mails sent, those that bounce.
        machines: of mailboxes, those in which a privacy proxy, a prefetcher or a scanner reads.
        opens: of people, those who open it.
        clicks: of people who open it, those who follow a link.
        unsubscribes: of people who open it, those who opt out.
        complaints: of mails delivered, those marked as spam.
        duplicates: of events, those that arrive more than once.
    """

    speed: float = 1200.0
    rendering_failures: float = 0.0003
    rejects: float = 0.0003
    bounces: float = 0.02
    machines: float = 0.4
    opens: float = 0.42
    clicks: float = 0.14
    unsubscribes: float = 0.008
    complaints: float = 0.001
    duplicates: float = 0.02


@dataclass(frozen=True)
class Campaign:
    """A campaign to be simulated. The same settings give the same events.

    Attributes:
        id: value of the message tag that names the campaign.
        start: when the first mail is sent, in UTC.
        recipients: how many get it, one mail each.
        rate: sends per second.
        duration: seconds after which it ends, whatever would have come; None: when nothing comes.
        tag: name of the message tag that names campaigns.
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
        """How long it lasts at most."""
        whole = (
            self.recipients / self.rate
            + _HORIZON_SECONDS / self.behaviour.speed
            + _SETTLING_SECONDS
        )
        return whole if self.duration is None else min(self.duration, whole)

    def ending(self, moment: datetime) -> "Campaign":
        """Move it in time, so that it is over at a moment."""
        return replace(self, start=moment - timedelta(seconds=self.seconds))

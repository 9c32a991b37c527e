"""Simulate the life of one email: delivered or bounced, opened by people and bots, clicked.

The shares and distributions are rough averages of newsletters, meant to look realistic on a page;
they are not a source of statistics. Intervals of hours are divided by `speed`. Intervals of seconds
are not: chalicelib/facts/classify.py and settle.py depend on them, and would classify an
accelerated person as a bot.
"""

import math
from dataclasses import dataclass
from datetime import datetime, timedelta
from random import Random

from dashboard.simulation import audience, reports
from dashboard.simulation.campaign import Campaign
from dashboard.simulation.payloads import Mail, domain_of, identifier, timestamp

VARIANTS = "abcdef"
_MILLISECOND = timedelta(milliseconds=1)
# People take at least this long to open an email after it was sent; prefetchers do not.
_SOONEST_READER_SECONDS = 5.0
_WITHOUT_A_TIME = {"Send", "Reject", "Rendering Failure"}


@dataclass(frozen=True, slots=True)
class Happening:
    """An occurrence that SES reports for an email.

    Attributes:
        type: the event type, as SES spells it.
        own: the type's own object in the event.
        after: when it happened, in seconds since the campaign's start.
    """

    type: str
    mail: Mail
    own: reports.Own
    after: float


def life(campaign: Campaign, rng: Random, index: int, sent_after: float) -> list[Happening]:
    """Return all occurrences of one email of a campaign.

    Args:
        campaign: the email's campaign.
        rng: the source of all randomness.
        index: the index of the recipient in the campaign.
        sent_after: when the email is sent, in seconds since the campaign's start.

    Returns:
        All occurrences, unordered. No two have the same millisecond: the time is part of a fact's
        identity, and facts of the same identity count as one.
    """
    at = campaign.start + timedelta(seconds=sent_after)
    at = at.replace(microsecond=at.microsecond // 1000 * 1000)
    number = campaign.behaviour.variants
    variant = VARIANTS[index % number] if number else None
    mail = Mail(
        message_id=identifier(at, rng),
        at=at,
        recipient=audience.address(rng, index),
        subject=campaign.subject,
        sender=campaign.sender,
        configuration_set=campaign.configuration_set,
        tags={**({} if variant is None else {"variant": variant}), campaign.tag: campaign.id},
        mta=rng.choice(audience.MTAS),
    )
    one = _Life(campaign, mail, rng, sent_after)
    one.live()
    return one.happenings


class _Life:
    """The state of one simulated email. `after` is in seconds since it was sent."""

    def __init__(self, campaign: Campaign, mail: Mail, rng: Random, sent_after: float) -> None:
        self.happenings: list[Happening] = []
        self._mail = mail
        self._rng = rng
        self._sent_after = sent_after
        self._shares = campaign.behaviour
        self._taken: set[datetime] = set()
        site = f"https://{domain_of(mail.sender)}"
        lift = self._shares.lift ** VARIANTS.index(mail.tags.get("variant", VARIANTS[0]))
        self._clicks = min(1.0, self._shares.clicks * lift)
        self._links = [f"{site}/{campaign.id}{path}" for path in audience.PATHS]
        self._links.append(f"{site}/unsubscribe/{mail.message_id[17:30]}")  # a link of its own

    def live(self) -> None:
        if self._chance(self._shares.rendering_failures):
            self._report(
                "Rendering Failure",
                0,
                {
                    "errorMessage": "Attribute 'firstName' is not present in the rendering data.",
                    "templateName": "Newsletter",
                },
            )
            return
        self._report("Send", 0, {})
        if self._chance(self._shares.rejects):
            self._report("Reject", 0, {"reason": "Bad content"})
            return
        delivered = self._arrive()
        if delivered is None:
            return
        self._be_read(delivered)
        if self._chance(self._shares.complaints):
            self._complain(delivered + 2 + self._hours(3, 1.0))

    def _arrive(self) -> float | None:
        """Report the delivery or bounce; return the delivery time, None if undelivered."""
        after = min(self._rng.lognormvariate(-0.1, 0.7), 60.0)
        bounces = self._chance(self._shares.bounces)
        if bounces and self._chance(0.65):
            bounce_type = "Permanent" if self._chance(0.93) else "Undetermined"
            self._report("Bounce", after, reports.bounce(self._mail, self._rng, bounce_type))
            return None
        if bounces and self._chance(0.3):
            reply = reports.out_of_office(self._mail, self._rng)
            self._report("Bounce", after + self._rng.uniform(0, 2), reply)
        elif bounces or self._chance(0.01):
            for _ in range(self._rng.choice((1, 1, 2))):
                after += 2 + self._hours(0.3, 0.5)
                self._report("DeliveryDelay", after, reports.delay(self._mail, self._rng))
            after += 2 + self._hours(0.3, 0.5)
            if bounces:
                self._report("Bounce", after, reports.bounce(self._mail, self._rng, "Transient"))
                return None
        self._report("Delivery", after, reports.delivery(self._mail, self._rng, after))
        return after

    def _be_read(self, delivered: float) -> None:
        reader = "human"
        if self._chance(self._shares.bots):
            reader = self._rng.choices(("apple", "prefetcher", "scanner"), (86, 9, 5))[0]
        if reader == "apple":
            # The proxy fetches the images, so the person's own opens are invisible.
            if self._chance(0.93):
                self._open(
                    delivered + 0.5 + self._hours(0.4, 1.2),
                    audience.APPLE_MAIL_PRIVACY,
                    by_bot=True,
                )
            self._human(delivered, audience.APPLE_BROWSERS, seen=False)
            return
        if reader == "prefetcher":
            self._open(self._rng.uniform(0.8, 2.5), audience.GMAIL_PREFETCH, by_bot=True)
        elif reader == "scanner":
            self._scan(delivered + self._rng.uniform(1, 15))
        self._human(delivered, audience.BROWSERS, seen=True)

    def _human(self, delivered: float, browsers: tuple[str, ...], *, seen: bool) -> None:
        """Simulate a person's opens, clicks and unsubscription, each of which may not happen."""
        if not self._chance(self._shares.opens):
            return
        after = max(delivered, _SOONEST_READER_SECONDS) + self._hours(1.5, 1.3)
        if seen:
            shown_by = audience.reader(self._rng)
            self._open(after, shown_by, by_bot=False)
            again = after
            while self._chance(0.25):
                again += 2 + self._hours(3, 1.0)
                self._open(again, shown_by, by_bot=False)
        if self._chance(self._clicks):
            browser = self._rng.choice(browsers)
            for link in self._chosen_links():
                # Slowly: three links within ten seconds would be a scanner's burst.
                after += self._rng.uniform(6, 25)
                self._click(after, browser, link, by_bot=False)
        if self._chance(self._shares.unsubscribes):
            after += self._rng.uniform(3, 20)
            self._report("Subscription", after, reports.unsubscription(self._rng))

    def _scan(self, after: float) -> None:
        """Follow three or more links within seconds, and open the email too."""
        agent = self._rng.choice(audience.SCANNERS)
        self._open(after + self._rng.uniform(-0.5, 1), agent, by_bot=True)
        for link in self._rng.sample(self._links, self._rng.randint(3, len(self._links))):
            self._click(after, agent, link, by_bot=True)
            after += self._rng.uniform(0.1, 1.2)

    def _chosen_links(self) -> list[str]:
        """Return one to three links, preferring the first."""
        count = self._rng.choices((1, 2, 3), (70, 22, 8))[0]
        weights = [1 / (rank + 1) for rank in range(len(self._links))]
        return list(dict.fromkeys(self._rng.choices(self._links, weights, k=count)))

    def _open(self, after: float, agent: str | None, *, by_bot: bool) -> None:
        own = reports.engagement(self._rng, agent, by_bot=by_bot)
        self._report("Open", after, own)

    def _click(self, after: float, agent: str, link: str, *, by_bot: bool) -> None:
        own = reports.click(self._rng, agent, link, by_bot=by_bot)
        self._report("Click", after, own)

    def _complain(self, after: float) -> None:
        arrived_at = timestamp(self._mail.at + timedelta(seconds=after))
        self._report("Complaint", after, reports.complaint(self._mail, self._rng, arrived_at))

    def _report(self, event_type: str, after: float, own: reports.Own) -> None:
        if event_type not in _WITHOUT_A_TIME:
            at = self._mail.at + timedelta(milliseconds=round(after * 1000))
            while at in self._taken:
                at += _MILLISECOND
            self._taken.add(at)
            own = {"timestamp": timestamp(at), **own}
        self.happenings.append(Happening(event_type, self._mail, own, self._sent_after + after))

    def _hours(self, median: float, spread: float) -> float:
        """Return a random log-normal number of hours, in accelerated seconds."""
        seconds = self._rng.lognormvariate(math.log(median * 3600), spread)
        return seconds / self._shares.speed

    def _chance(self, share: float) -> bool:
        return self._rng.random() < share

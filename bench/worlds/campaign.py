"""Generate a labelled campaign, and the raw SES events that report it."""

import json
import math
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from random import Random
from typing import NamedTuple

from bench.worlds import networks, parameters, people, scanners
from bench.worlds.email import PROXY_FETCHES, Email, Hit, Label, SesLabels, delay
from bench.worlds.networks import Pool
from bench.worlds.parameters import Audience, Parameters
from dashboard.simulation.payloads import ACCOUNT, identifier, timestamp

EMAILS = 2500
_START = datetime(2026, 11, 2, 9, 0, tzinfo=UTC)
_PER_SECOND = 20
_MOST_SCANNED = 0.5
_SITE = "https://news.example.com"


@dataclass
class Organisation:
    """Recipients who share an office, a mail system and perhaps a scanner.

    Attributes:
        left: the number of its recipients to whom the campaign has not been sent yet.
        vendor: the scanner that follows the links of its emails; None if it has none.
    """

    domain: str
    office: Pool
    left: int
    workspace: bool
    vendor: scanners.Vendor | None


class Labelled(NamedTuple):
    """A raw SES event, as raw SNS delivery passes it on; the truth about an open or click."""

    text: str
    label: Label | None


@dataclass
class Campaign:
    """A campaign with the truth about its opens and clicks."""

    id: str
    emails: list[Email] = field(default_factory=list)

    def without_ses_labels(self) -> "Campaign":
        """Return the same campaign as SES reports it without `isBotEvent`."""
        emails = [
            replace(email, hits=[(hit._replace(is_bot=None), label) for hit, label in email.hits])
            for email in self.emails
        ]
        return Campaign(self.id, emails)

    def ses_on_prefetches(self) -> str:
        """Return what SES mostly reports of Apple's and Gmail's prefetches, `None` if nothing."""
        found = Counter(
            hit.is_bot
            for email in self.emails
            for hit, label in email.hits
            if label.kind in PROXY_FETCHES
        )
        return str(found.most_common(1)[0][0]) if found else "None"

    def events(self) -> Iterator[Labelled]:
        """Yield the events of all emails, in the order of emails."""
        for email in self.emails:
            yield from events_of(email, self.id)


def generate(  # noqa: PLR0913 - the coordinates of a campaign among all
    seed: int,
    audience: Audience,
    links: int,
    perturbation: str = "none",
    *,
    labelled: bool = False,
    emails: int = EMAILS,
) -> Campaign:
    """Generate a campaign; the same arguments always return the same one.

    Args:
        seed: of all randomness: see parameters.SEEDS.
        audience: the kind of list.
        links: links of each email; the last of several is a personal link to unsubscribe.
        perturbation: a key of parameters.PERTURBATIONS.
        labelled: whether SES reports `isBotEvent`. It changes nothing else.
        emails: the number of emails.
    """
    chosen = parameters.parameters(audience, perturbation)
    # Campaigns that differ in the perturbation only begin alike, for comparisons.
    rng = Random(f"{seed} {audience} {links}")
    ses = SesLabels(chosen, Random(f"{seed} {audience} {links} labels"))
    campaign = Campaign(f"{audience}-{links}-{seed}")
    sender = _Sender(chosen, rng, ses, links)
    for number in range(emails):
        email = sender.send(number)
        email.hits.sort(key=lambda one: one[0].after)
        campaign.emails.append(email)
    return campaign if labelled else campaign.without_ses_labels()


class _Sender:
    """Sends the emails of one campaign to a list."""

    def __init__(self, chosen: Parameters, rng: Random, ses: SesLabels, links: int) -> None:
        self._parameters = chosen
        self._rng = rng
        self._ses = ses
        self._links = links
        self._vendors = scanners.vendors(chosen, rng)
        spread = chosen.scanned_spread
        self._scanned = min(
            _MOST_SCANNED, chosen.scanned * rng.lognormvariate(-(spread**2) / 2, spread)
        )
        self._organisation: Organisation | None = None

    def send(self, number: int) -> Email:
        """Return an email with all that happens to it."""
        rng, chosen = self._rng, self._parameters
        organisation = self._next_organisation(number)
        office = organisation.office if organisation else None
        size = rng.randint(3, 6) if rng.random() < chosen.several else 1
        email = self._email(number, size, organisation)
        vendor = organisation.vendor if organisation else None
        scanner = vendor.pool if vendor else None
        readers = [people.person(chosen, rng, office, scanner) for _ in range(size)]
        if size > 1 and rng.random() < chosen.together:
            people.read_together(email, readers, chosen, rng)
        else:
            for one in readers:
                people.live(email, one, chosen, rng)
        self._scan(email, readers[0].mailbox, organisation)
        scanners.follow_under_its_name(email, chosen, rng)
        scanners.react_to_clicks(email, chosen, rng)
        return email

    def _scan(self, email: Email, mailbox: str, organisation: Organisation | None) -> None:
        rng, chosen = self._rng, self._parameters
        office = None
        if organisation:
            vendor = organisation.vendor
            scans = vendor is not None and rng.random() < chosen.gateway
            office = organisation.office
        else:
            vendor = rng.choice(self._vendors)
            scans = rng.random() < self._scanned
        if scans and vendor:
            scanners.Scan(email, vendor, chosen, rng, office).run()
        if mailbox == "gmail":
            workspace = organisation is not None and organisation.workspace
            scanners.scan_by_google(email, chosen, rng, workspace=workspace)

    def _next_organisation(self, number: int) -> Organisation | None:
        rng, chosen = self._rng, self._parameters
        if self._organisation and self._organisation.left:
            self._organisation.left -= 1
            return self._organisation
        self._organisation = None
        size = max(1, round(delay(rng, chosen.organisation_size)))
        # Each step is a person at home or the first of several recipients of an organisation.
        recipients = chosen.organisation_size.median * math.exp(
            chosen.organisation_size.deviation**2 / 2
        )
        home = (1 - chosen.organisations) * recipients
        if rng.random() >= chosen.organisations / (chosen.organisations + home):
            return None
        follows = rng.random() < self._scanned / chosen.gateway
        self._organisation = Organisation(
            domain=f"company{number}.example",
            office=networks.somewhere("office", rng),
            left=size - 1,
            workspace=rng.random() < chosen.workspace,
            vendor=rng.choice(self._vendors) if follows else None,
        )
        return self._organisation

    def _email(self, number: int, size: int, organisation: Organisation | None) -> Email:
        rng = self._rng
        sent = _START + timedelta(milliseconds=round(number * 1000 / _PER_SECOND))
        domain = organisation.domain if organisation else "mail.example"
        recipients = tuple(f"reader{number}.{one}@{domain}" for one in range(size))
        return Email(
            identifier(sent, rng),
            sent,
            recipients,
            _links(self._links, number),
            delivered=min(rng.lognormvariate(-0.1, 0.7), 60.0),
            ses=self._ses,
        )


def _links(count: int, number: int) -> tuple[str, ...]:
    """Return the links of an email: one in three has its identity in the query."""
    if count == 1:
        return (f"{_SITE}/offer",)
    content = [
        f"{_SITE}/read?story={one}" if one % 3 == 2 else f"{_SITE}/stories/{one}"
        for one in range(count - 1)
    ]
    return (*content, f"{_SITE}/unsubscribe/r{number:05}x{number * 7919 % 99991:05}")


def events_of(email: Email, campaign: str) -> Iterator[Labelled]:
    """Yield the events of one email: the send, the delivery, and opens and clicks by time."""
    mail = json.dumps(_mail(email, campaign), separators=(",", ":"))
    yield Labelled(_event("Send", mail, "send", {}), None)
    delivered = email.sent + timedelta(milliseconds=round(email.delivered * 1000))
    own: dict[str, object] = {
        "timestamp": timestamp(delivered),
        "recipients": email.recipients,
    }
    yield Labelled(_event("Delivery", mail, "delivery", own), None)
    for hit, label in email.hits:
        yield Labelled(_event(hit.type, mail, hit.type.lower(), _own(email, hit)), label)


def _event(event_type: str, mail: str, key: str, own: dict[str, object]) -> str:
    text = json.dumps(own, separators=(",", ":"))
    return f'{{"eventType":"{event_type}","mail":{mail},"{key}":{text}}}\n'


def _own(email: Email, hit: Hit) -> dict[str, object]:
    at = timestamp(email.sent + timedelta(milliseconds=hit.after))
    own: dict[str, object] = {"timestamp": at, "ipAddress": hit.address}
    if hit.agent is not None:
        own["userAgent"] = hit.agent
    if hit.link is not None:
        own |= {"link": hit.link, "linkTags": None}
    if hit.is_bot is not None:
        own["isBotEvent"] = hit.is_bot
    return own


def _mail(email: Email, campaign: str) -> dict[str, object]:
    recipients: Sequence[str] = email.recipients
    return {
        "timestamp": timestamp(email.sent),
        "source": "News <news@example.com>",
        "sendingAccountId": ACCOUNT,
        "messageId": email.message_id,
        "destination": recipients,
        "headersTruncated": False,
        "headers": [],
        "commonHeaders": {
            "from": ["News <news@example.com>"],
            "to": recipients,
            "subject": "What is new in November",
        },
        "tags": {"ses:configuration-set": ["newsletters"], "campaign": [campaign]},
    }

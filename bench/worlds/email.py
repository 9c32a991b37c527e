"""An email of a labelled campaign, and its opens and clicks."""

from dataclasses import dataclass, field
from datetime import datetime
from random import Random
from typing import Literal, NamedTuple

from bench.worlds.parameters import Delay, Parameters

_LAST_SECONDS = 60 * 86_400.0  # SES reports opens and clicks for 60 days


class Hit(NamedTuple):
    """An open or click as SES reports it.

    Attributes:
        after: milliseconds since SES accepted the email.
        agent: the user agent; None if the request had none.
        link: the URL of a click; None for an open.
        is_bot: SES's `isBotEvent`; None if SES reports none.
    """

    type: Literal["Open", "Click"]
    after: int
    agent: str | None
    address: str
    link: str | None
    is_bot: str | None


class Label(NamedTuple):
    """The truth about an open or click: whether a person made it, and its kind (KINDS)."""

    human: bool
    kind: str


class SesLabels:
    """SES's `isBotEvent`, whose accuracy is not published: see Parameters.ses_knows.

    SES recognises networks, and a fetch through Apple's proxy looks the same whether a person reads
    the email or not.
    """

    def __init__(self, parameters: Parameters, rng: Random) -> None:
        self._parameters = parameters
        self._rng = rng
        self._knows_proxies = rng.random() < parameters.ses_knows_proxies
        self._known: dict[str, bool] = {}

    def label(self, label: Label, address: str) -> str:
        """Return `Likely` or `Unlikely`."""
        likely = self._rng.random() >= self._parameters.ses_misses
        if label.kind in PROXY_FETCHES:
            likely = likely and self._knows_proxies
        elif label.human:
            likely = self._rng.random() < self._parameters.ses_false
        elif label.kind not in NAMED:
            network = address.rpartition(".")[0]
            if network not in self._known:
                self._known[network] = self._rng.random() < self._parameters.ses_knows
            likely = likely and self._known[network]
        return "Likely" if likely else "Unlikely"


@dataclass
class Email:
    """An email with its labelled opens and clicks.

    Attributes:
        sent: when SES accepted it, in UTC, in whole milliseconds.
        delivered: seconds from `sent` to the delivery.
        hits: opens and clicks with their labels, ordered by time once the email is complete.
    """

    message_id: str
    sent: datetime
    recipients: tuple[str, ...]
    links: tuple[str, ...]
    delivered: float
    ses: SesLabels
    hits: list[tuple[Hit, Label]] = field(default_factory=list)
    _taken: set[tuple[str | None, int]] = field(default_factory=set)

    @property
    def unsubscribe_link(self) -> str | None:
        """The personal link to unsubscribe, the last one; None if the email has a single link."""
        return self.links[-1] if len(self.links) > 1 else None

    def add(self, after: float, request: "Request", label: Label) -> None:
        """Add an open or a click, `after` seconds since the email was sent."""
        if after > _LAST_SECONDS:
            return
        moment = round(after * 1000)
        # Two events of the same time and link would be one fact.
        while (request.link, moment) in self._taken:
            moment += 1
        self._taken.add((request.link, moment))
        is_bot = self.ses.label(label, request.address)
        kind: Literal["Open", "Click"] = "Open" if request.link is None else "Click"
        hit = Hit(kind, moment, request.agent, request.address, request.link, is_bot)
        self.hits.append((hit, label))


class Request(NamedTuple):
    """A request for the images of an email, or for a link."""

    agent: str | None
    address: str
    link: str | None = None


def delay(rng: Random, of: Delay) -> float:
    """Return a log-normal delay in seconds, from its median and the deviation of its logarithm."""
    return of.median * rng.lognormvariate(0, of.deviation)


def human(kind: str) -> Label:
    """Return the label of a person's open or click."""
    return Label(human=True, kind=kind)


def bot(kind: str) -> Label:
    """Return the label of a bot's open or click."""
    return Label(human=False, kind=kind)


HUMAN_OPENS = (
    "apple_read",
    "gmail_proxy_read",
    "yahoo_proxy_read",
    "outlook_proxy_read",
    "mail_program_read",
)
HUMAN_CLICKS = (
    "person",
    "quick_person",
    "together",
    "unsubscriber",
    "images_off",
    "old_browser",
    "office",
    "mobile",
    "vpn",
    "private_relay",
    "isolated",
    "no_agent",
    "double_click",
    "return",
    "forwarded",
)
BOT_OPENS = ("apple_preload", "gmail_prefetch", "scanner_open")
BOT_CLICKS = (
    "scanner_burst",
    "slow_sweep",
    "sampler",
    "unsubscribe_scan",
    "no_agent_scan",
    "detonation",
    "workspace_scan",
    "gmail_sampling",
    "echo",
    "check_at_click",
    "declared",
    "preview",
    "hover_preview",
)
KINDS = (*HUMAN_OPENS, *HUMAN_CLICKS, *BOT_OPENS, *BOT_CLICKS)

PROXY_FETCHES = {"apple_preload", "apple_read", "gmail_prefetch"}
NAMED = {"declared", "preview", "gmail_sampling"}

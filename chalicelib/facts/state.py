"""The state of an email: what its facts contribute to unique counts. See facts/settle.py."""

from collections.abc import Mapping
from typing import Annotated

from msgspec import Meta, Struct, field

from chalicelib.facts.fact import LinkId, Name, Provider
from chalicelib.facts.reputation import ComplaintCounter

ATTRIBUTES = {
    "message_id": "message_id",
    "campaign": "c",
    "settled": "z",
    "opened_at": "uo",
    "human_opened_at": "uho",
    "clicked_at": "uc",
    "human_clicked_at": "uhc",
    "links": "ul",
    "generation": "x",
    "private_opened_at": "up",
    "human_engaged_at": "ue",
    "human_links": "hl",
    "bounces": "bb",
    "complaints": "cc",
    "networks": "jn",
    "sent_at": "m",
    "tags": "v",
    "provider": "mp",
    "providers": "mn",
    "opened_with": "ow",
    "clicked_with": "cw",
}

Bounce = Annotated[str, Meta(pattern=r"\A[^#]{24}#[A-Za-z]+#[A-Za-z0-9 _-]{1,50}\Z")]
"""Time, type and subtype of a bounce, such as `2026-11-23T10:00:00.000Z#Permanent#NoEmail`."""

NetworkCode = Annotated[str, Meta(pattern=r"\A(-|sq?b?)\Z")]
"""The bits of a network (facts/networks.py)."""

DeviceCode = Annotated[str, Meta(pattern=r"\A[a-z]{3}\Z")]
"""The code of a class of user agents (facts/devices.py)."""


class State(Struct, frozen=True, rename=ATTRIBUTES, omit_defaults=True):
    """First open and click times of an email, and more that counts once; None if it never happened.

    Attributes:
        settled: rank of the state: the version of the rules, and a revision (facts/settle.py).
        human_clicked_at: first human click on a link that is not an unsubscribe link.
        links: time of the first click by link id.
        generation: GENERATION when the state was written.
        private_opened_at: first open through a privacy proxy.
        human_engaged_at: first human open or click, including those on unsubscribe links.
        human_links: ids of the links with a human click.
        bounces: the first bounce that is final, by recipient (Fact.recipient_id).
        complaints: time of the first complaint by counter.
        networks: what the email shows about each network, by its own rules alone.
        sent_at: when SES accepted the email (`mail.timestamp`); None in a state that an earlier
            release has written.
        tags: as of its facts (Fact.tags); empty in a state that an earlier release has written.
        provider: the mailbox provider at which its opens and clicks count (Fact.provider).
        providers: the provider of a bounce, by recipient as in `bounces`, or of a complaint, by
            counter, where it is another one.
        opened_with: the device and mail program of the first human open; None without one, and in a
            state that an earlier release has written.
        clicked_with: the same of the first human click on a link that is not an unsubscribe link.
    """

    message_id: str
    campaign: Name
    settled: int
    opened_at: str | None = None
    human_opened_at: str | None = None
    clicked_at: str | None = None
    human_clicked_at: str | None = None
    links: Mapping[LinkId, str] = field(default_factory=dict)
    generation: int = 1
    private_opened_at: str | None = None
    human_engaged_at: str | None = None
    human_links: tuple[LinkId, ...] = ()
    bounces: Mapping[str, Bounce] = field(default_factory=dict)
    complaints: Mapping[ComplaintCounter, str] = field(default_factory=dict)
    networks: Mapping[str, NetworkCode] = field(default_factory=dict)
    sent_at: str | None = None
    tags: Mapping[str, str] = field(default_factory=dict)
    provider: Provider | None = None
    providers: Mapping[str, Provider] = field(default_factory=dict)
    opened_with: DeviceCode | None = None
    clicked_with: DeviceCode | None = None

    def provider_of(self, report: str) -> str | None:
        """Return the provider of a bounce, by recipient, or of a complaint, by counter."""
        return self.providers.get(report, self.provider)

"""Merge a campaign's emails and activity into the list of its recipients."""

from collections.abc import Callable, Iterable, Mapping
from typing import Literal, NamedTuple

from chalicelib.facts.fact import Fact, is_settled
from chalicelib.facts.providers import provider
from chalicelib.facts.settle import is_click_of_reader, is_engaged
from chalicelib.recipients.pages import Sent

State = Literal["all", "not_opened", "opened", "clicked", "bounced"]


class Recipient(NamedTuple):
    """An email to a recipient, in the order of the list.

    An email to several addresses has a recipient for each. SES does not report whose its opens
    and clicks are, so they count for all of them.

    Attributes:
        name: the address, or its pseudonym.
        provider: the mailbox provider (facts/providers.py), else the domain; None if neither is
            known.
        engaged_at: first human open or click.
        clicked_at: first human click on a link that is not an unsubscribe link.
        bounced_at: first final bounce.
    """

    name: str
    message_id: str
    provider: str | None
    sent_at: str
    engaged_at: str | None
    clicked_at: str | None
    bounced_at: str | None

    @property
    def state(self) -> str:
        """`bounced`, `clicked`, `opened` or `not_opened`: the first that applies."""
        if self.bounced_at is not None:
            return "bounced"
        if self.clicked_at is not None:
            return "clicked"
        return "not_opened" if self.engaged_at is None else "opened"

    @property
    def last_at(self) -> str:
        """Time of the newest of the email's events that the list knows."""
        times = (self.sent_at, self.engaged_at, self.clicked_at, self.bounced_at)
        return max(at for at in times if at is not None)


IN_STATE: dict[str, Callable[[Recipient], bool]] = {
    "all": lambda _: True,
    "not_opened": lambda one: one.engaged_at is None,
    "opened": lambda one: one.engaged_at is not None,
    "clicked": lambda one: one.clicked_at is not None,
    "bounced": lambda one: one.bounced_at is not None,
}
"""Whether a recipient is listed in a state; a bounced one is also not opened."""


class Audience(NamedTuple):
    """The recipients of a campaign, ordered by name and message.

    Attributes:
        sends: number of sends that the list explains; the campaign's `sends` if it is complete.
    """

    recipients: list[Recipient]
    sends: int


def merge(sent: Mapping[str, Sent], activity: Iterable[Fact]) -> Audience:
    """Return the recipients of a campaign.

    Args:
        sent: the campaign's emails, by message id.
        activity: each fact of the campaign's activity once, newest first, so that the last one
            noted of an email is its first.
    """
    engaged: dict[str, str] = {}
    clicked: dict[str, str] = {}
    bounced: dict[tuple[str, str], str] = {}
    for fact in activity:
        if is_engaged(fact):
            engaged[fact.message_id] = fact.at
        if is_click_of_reader(fact):
            clicked[fact.message_id] = fact.at
        if fact.type == "Bounce" and fact.recipient is not None and is_settled(fact):
            bounced[fact.message_id, fact.recipient] = fact.at
    recipients = [
        Recipient(
            name,
            message_id,
            provider(domain, email.isp if len(email.recipients) == 1 else None) or domain or None,
            email.at,
            engaged.get(message_id),
            clicked.get(message_id),
            bounced.get((message_id, name)),
        )
        for message_id, email in sent.items()
        for name, domain in email.recipients.items()
    ]
    recipients.sort(key=lambda one: one[:2])
    return Audience(recipients, sum(one.count for one in sent.values()))

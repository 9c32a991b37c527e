"""Find the first and last values of a campaign's facts, which its summary shows."""

from collections.abc import Iterator
from math import inf

from msgspec import Struct

from chalicelib.facts.fact import Fact
from chalicelib.stats.counters import EPOCH_DIGITS, LISTED
from chalicelib.stats.update import ConditionalField

_LAST = "~"  # sorts after every time


class FirstAndLast(Struct):
    """Running first and last values of a campaign's facts, in any order.

    Attributes:
        first_event_at: time of the earliest event.
        last_event_at: time of the latest event.
        facts_until: when the first fact expires, in epoch seconds.
        sender: time and message id of the earliest email that has a sender, and its sender.
    """

    first_event_at: str = _LAST
    last_event_at: str = ""
    facts_until: float = inf
    sender: tuple[str, str, str] = (_LAST, "", "")

    def add(self, fact: Fact, expires: int | None) -> None:
        """Include a fact.

        Args:
            fact: the fact.
            expires: when it expires, in epoch seconds; None if never.
        """
        self.first_event_at = min(self.first_event_at, fact.at)
        self.last_event_at = max(self.last_event_at, fact.at)
        if expires is not None and expires < self.facts_until:
            self.facts_until = expires
        if fact.sender and (fact.mail_at, fact.message_id, fact.sender) < self.sender:
            self.sender = fact.mail_at, fact.message_id, fact.sender

    def fields(self) -> Iterator[ConditionalField]:
        """Yield the values as conditional fields of the summary."""
        # To the second: with milliseconds, concurrent shards would conflict on the condition.
        first, last = f"{self.first_event_at[:19]}Z", f"{self.last_event_at[:19]}Z"
        yield ConditionalField("first_event_at", first, keep_lowest=True, values={"listed": LISTED})
        yield ConditionalField("last_event_at", last, keep_lowest=False, values={})
        if self.facts_until < inf:
            until = f"{self.facts_until:0{EPOCH_DIGITS}.0f}"  # as text, to sort as a number
            yield ConditionalField("facts_until", until, keep_lowest=True, values={})
        mail_at, message_id, sender = self.sender
        if mail_at != _LAST:
            email = f"{mail_at}#{message_id}"
            yield ConditionalField("sender_of", email, keep_lowest=True, values={"sender": sender})

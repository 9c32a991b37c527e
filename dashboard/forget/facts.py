"""Rewrite the facts that name a recipient."""

import time
from collections.abc import Callable, Iterable, Iterator

from msgspec import Struct, field
from msgspec.structs import replace

from chalicelib.dynamodb import Item
from chalicelib.facts.fact import Fact
from chalicelib.facts.forgotten import Forgotten, Spellings, with_masked_texts
from chalicelib.facts.items import from_item
from chalicelib.facts.suppressions import Suppressions
from chalicelib.facts.table import EventsTable
from chalicelib.stats.subjects import SubjectSample

_IDENTIFIED = {"Delivery", "DeliveryDelay", "Bounce", "Complaint"}


class FactsPass(Struct):
    """The result of one pass over the events table.

    Attributes:
        read: number of items read.
        rewritten: number of facts that were rewritten, or have to be.
        not_understood: number of items that are neither facts nor states, and stay as they are.
        emails: message ids of emails to the recipient, by campaign.
        tokens: tokens of names of the recipient, among them the pseudonyms of other spellings, by
            which release 0.1.0 stored facts.
        subjects: samples of the subjects of campaigns, without those of the recipient.
    """

    read: int = 0
    rewritten: int = 0
    not_understood: int = 0
    emails: dict[str, set[str]] = field(default_factory=dict)
    tokens: set[str] = field(default_factory=set)
    subjects: dict[str, SubjectSample] = field(default_factory=dict)


def erased(fact: Fact, recipient: Forgotten, spellings: Spellings) -> Fact:
    """Return a fact without what identifies a recipient, including texts about others."""
    new = recipient.fact(fact)
    if new.subject and spellings.are_in(new.subject):
        new = replace(new, subject=None)
    texts = (new.sender, new.detail, new.link)
    if any(text and spellings.are_in(text) for text in texts):
        return with_masked_texts(new)
    return new


class FactsEraser(Struct, frozen=True):
    """Rewrites facts of a recipient. Each step is idempotent, and can be repeated at any time.

    Attributes:
        spellings: the address.
        writes: whether to write; otherwise facts are only counted.
    """

    events_table: EventsTable
    suppressions: Suppressions
    spellings: Spellings
    writes: bool = True

    def run(
        self, recipient: Forgotten, campaigns: Iterable[str], progress: Callable[[str], None]
    ) -> FactsPass:
        """Read the whole table once, and rewrite what names the recipient.

        Args:
            recipient: the tokens of this recipient alone.
            campaigns: the campaigns whose subjects to sample.
            progress: called with the progress.

        Raises:
            AwsError: a table could not be read or written.
        """
        found = FactsPass(subjects={one: SubjectSample() for one in campaigns})
        for scanned, items in self.events_table.scan():
            found.read += scanned
            self._rewrite(items, recipient, found)
            progress(f"{found.read:,} items read, {found.rewritten:,} facts of the recipient")
        return found

    def _rewrite(self, items: Iterable[Item], recipient: Forgotten, found: FactsPass) -> None:
        known = {*found.tokens}
        changes = list(self._changes(items, recipient, found))
        found.rewritten += len(changes)
        if not self.writes:
            return
        # Before the facts: a run that is interrupted in between finds them again.
        for token in found.tokens - known - recipient.tokens:
            self.suppressions.add(token, time.time())
        for stored, new in changes:
            self.events_table.rewrite(stored, new)

    def _changes(
        self, items: Iterable[Item], recipient: Forgotten, found: FactsPass
    ) -> Iterator[tuple[Fact, Fact]]:
        """Yield the facts that change, as they are stored and as they are to be."""
        for item in items:
            try:
                stored = from_item(item)
            except ValueError:
                found.not_understood += 1
                continue
            if not isinstance(stored, Fact):
                continue
            new = erased(stored, recipient, self.spellings)
            is_named = stored.recipient is not None and recipient.is_forgotten(stored.recipient)
            if is_named or new.subject != stored.subject:
                found.emails.setdefault(stored.campaign, set()).add(stored.message_id)
            if stored.recipient is not None and is_named:
                found.tokens.add(recipient.token(stored.recipient))
                if stored.type in _IDENTIFIED:
                    found.tokens.add(recipient.token(stored.recipient_id))
            if new.subject and stored.campaign in found.subjects:
                found.subjects[stored.campaign].add(stored.message_id, new.subject)
            if new != stored:
                yield stored, new

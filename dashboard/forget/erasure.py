"""Erase a recipient from what is stored, in steps that can be repeated after an interruption."""

import time
from datetime import UTC, datetime

from msgspec import Struct

from chalicelib.errors import CommandError
from chalicelib.facts.forgotten import Forgotten, Spellings
from chalicelib.facts.suppressions import CACHE_SECONDS
from chalicelib.stats.directory_table import Directory
from chalicelib.stats.subjects import SubjectSample
from dashboard.forget.facts import FactsEraser, FactsPass
from dashboard.forget.lists import ListsEraser, ListsPass
from dashboard.functions import FUNCTIONS
from dashboard.installation import Installation
from dashboard.progress import Reporter
from dashboard.sqs.dead_letters import receive
from dashboard.sqs.queue import delete_messages, show_messages

# An invocation works with the suppressions of its start, which it may have read a little before.
WAIT_SECONDS = CACHE_SECONDS + max(FUNCTIONS[name][0] for name in ("ingest", "aggregate")) + 5
_MOST_PASSES = 10


class Outcome(Struct, frozen=True):
    """The result of an erasure.

    Attributes:
        tokens: the tokens that replace the recipient's names.
        campaigns: campaigns with emails to the recipient.
        facts: number of facts that were rewritten.
        lists: number of pages of lists and other items of the stats table that were rewritten.
        dead_letters: number of dead letters that were deleted.
        not_understood: number of items that could not be read, and were not changed.
    """

    tokens: list[str]
    campaigns: list[str]
    facts: int
    lists: int
    dead_letters: int
    not_understood: int


class Erasure(Struct, frozen=True):
    """Replaces what names a recipient in facts, lists and dead letters; totals stay.

    Attributes:
        writes: whether to write; otherwise what names the recipient is only counted.
        wait_seconds: how long after its suppression an address may still be stored.
    """

    installation: Installation
    spellings: Spellings
    steps: Reporter
    writes: bool = True
    wait_seconds: float = WAIT_SECONDS

    def run(self) -> Outcome:
        """Perform all steps.

        Raises:
            CommandError: a recount is running, or events are still stored by the old name.
            AwsError: a table or queue could not be read or written.
        """
        if self.writes:
            self.suppress()
        facts, lists = self.facts(), self.lists()
        if self.writes:
            self._directory()
        return Outcome(
            tokens=sorted(self._recipient(facts).tokens),
            campaigns=sorted(facts.emails),
            facts=facts.rewritten,
            lists=lists.rewritten,
            dead_letters=self._dead_letters(),
            not_understood=facts.not_understood + lists.not_understood,
        )

    def suppress(self) -> None:
        """Store the suppressions, and wait until every invocation applies them.

        Raises:
            CommandError: a recount is running, which may store what it has read before.
        """
        installation = self.installation
        suppressions, tokens = installation.suppressions, self._recipient().tokens
        with self.steps.step("Store the suppression"):
            for token in sorted(tokens):
                suppressions.add(token, installation.clock())
        paused_at = installation.stats_table.pipeline.health().paused_at
        if paused_at is not None:
            raise CommandError(
                f"a recount has been running since {paused_at}, and may store the address again: "
                "wait until it has ended, or run `recount` if it was killed, then run `forget` "
                "again. New events are already stored without the address"
            )
        times = suppressions.times()
        until = max(times[token] for token in tokens) + self.wait_seconds
        with self.steps.step("Wait until ingest and aggregate apply it") as step:
            while (left := until - installation.clock()) > 0:
                step.progress(f"{left:.0f} s")
                time.sleep(min(left, 5.0))

    def facts(self) -> FactsPass:
        """Rewrite the facts, in passes until one finds nothing more; return their sum.

        Raises:
            CommandError: events are still stored by the old name.
            AwsError: a table could not be read or written.
        """
        installation = self.installation
        eraser = FactsEraser(
            installation.events_table,
            installation.suppressions,
            self.spellings,
            self.writes,
        )
        whole = FactsPass()
        with self.steps.step("Rewrite the facts" if self.writes else "Read the facts") as step:
            for _ in range(_MOST_PASSES):
                found = eraser.run(self._recipient(whole), whole.emails, step.progress)
                before = whole
                whole = _sum(before, found) if self.writes else found
                is_same = (whole.emails, whole.tokens) == (before.emails, before.tokens)
                if is_same and not (self.writes and found.rewritten):
                    break
                if self.writes:
                    # Before the next pass, which samples what remains.
                    for campaign, message_ids in whole.emails.items():
                        installation.stats_table.subjects.remove(campaign, message_ids)
            else:
                raise self._never_ends()
            step.result = f"{whole.rewritten:,} facts name the recipient, of {whole.read:,} items"
            if self.writes:
                self._put_subjects(whole.subjects)
                step.result = f"{whole.rewritten:,} facts rewritten, of {whole.read:,} items"
        return whole

    def _put_subjects(self, samples: dict[str, SubjectSample]) -> None:
        """Fill the samples of subjects up again, and correct the summaries."""
        for campaign, sample in sorted(samples.items()):
            self.installation.stats_table.subjects.add(campaign, sample)
            self.installation.stats_table.subjects.repeat(campaign)

    def lists(self) -> ListsPass:
        """Rewrite the lists, in passes until one finds nothing more; return their sum.

        Raises:
            CommandError: lists are still written with the old name.
            AwsError: the table could not be read or written.
        """
        installation = self.installation
        table = installation.config.stats_table
        eraser = ListsEraser(installation.dynamo, table, self.spellings, self.writes)
        # All forgotten recipients: the suppressions have further names of this one.
        forgotten = installation.suppressions.read() if self.writes else self._recipient()
        rewritten = 0
        with self.steps.step("Rewrite the lists" if self.writes else "Read the lists") as step:
            for _ in range(_MOST_PASSES):
                found = eraser.run(forgotten, step.progress)
                rewritten += found.rewritten
                if not (self.writes and found.rewritten):
                    break
            else:
                raise self._never_ends()
            step.result = f"{rewritten:,} pages of lists {self._done}"
        return ListsPass(found.read, rewritten, found.not_understood)

    def _directory(self) -> None:
        """Have watch build the directory of campaigns again, which repeats their subjects."""
        installation = self.installation
        directory = Directory(
            installation.dynamo, installation.config.stats_table, installation.stats_table
        )
        directory.request_build(datetime.fromtimestamp(installation.clock(), UTC))

    def _dead_letters(self) -> int:
        """Delete the dead letters that name the recipient; return their number."""
        sqs = self.installation.clients("sqs")
        url = self.installation.queues.dead_letter_queue_url
        named: list[str] = []
        others: list[str] = []
        title = "Delete the dead letters" if self.writes else "Read the dead letters"
        with self.steps.step(title) as step:
            try:
                for letter in receive(sqs, url):
                    (named if self.spellings.are_in(letter.body) else others).append(letter.receipt)
                    step.progress(f"{len(named) + len(others):,} read")
                if self.writes:
                    delete_messages(sqs, url, named)
            finally:
                show_messages(sqs, url, others if self.writes else [*others, *named])
            step.result = f"{len(named):,} dead letters {'deleted' if self.writes else 'found'}"
        return len(named)

    @property
    def _done(self) -> str:
        return "rewritten" if self.writes else "found"

    def _recipient(self, facts: FactsPass | None = None) -> Forgotten:
        """Return the tokens of the recipient's names, with those that were found in facts."""
        everyone = Forgotten(self.installation.config.pseudonym_key)
        tokens = frozenset(map(everyone.token, self.spellings.names))
        return Forgotten(everyone.key, tokens | (facts.tokens if facts else set()))

    def _never_ends(self) -> CommandError:
        return CommandError(
            f"the recipient was still stored by name after {_MOST_PASSES} passes: check that all "
            "functions have been deployed with this version, then run `forget` again"
        )


def _sum(earlier: FactsPass, last: FactsPass) -> FactsPass:
    return FactsPass(
        last.read,
        earlier.rewritten + last.rewritten,
        last.not_understood,
        {
            campaign: earlier.emails.get(campaign, set()) | last.emails.get(campaign, set())
            for campaign in (*earlier.emails, *last.emails)
        },
        earlier.tokens | last.tokens,
        last.subjects,
    )

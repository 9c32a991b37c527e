"""Counts of a campaign and its providers, from the beginning and from later marks on.

A trouble that begins late is small beside all that was sent before. A mark remembers the counts of
a minute, so that the emails sent after it can be judged by themselves.
"""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from msgspec import Struct

MARK_EVERY = 3
"""Minutes between two marks, after the first ten, which are a minute apart."""

_FIRST_MARKS = 10

# Of the marks whose number is a multiple of each, this many of the latest are kept. A provider
# reports delays a minute or two after the emails were sent.
_KEPT_OF_MULTIPLES = {1: 3, 2: 2, 4: 2, 8: 2}
_LEAST_SENDS_MARKED = 20


class Row(NamedTuple):
    """Cumulative counts of a campaign or provider.

    Attributes:
        sent: emails that SES tried to send.
        settled: those that were delivered or have bounced.
        delayed: reports of delays, of which an email may have several.
        bounced: hard bounces; at a provider, soft ones, too.
        failed: emails that failed to render; of the campaign only.
    """

    sent: int = 0
    settled: int = 0
    delivered: int = 0
    delayed: int = 0
    bounced: int = 0
    failed: int = 0

    @property
    def pending(self) -> int:
        """Emails of which it is not known what becomes of them."""
        return max(0, self.sent - self.settled)

    def without(self, part: "Row") -> "Row":
        """Return the counts of the others."""
        return Row(*(max(0, all_ - some) for all_, some in zip(self, part, strict=True)))


class Mark(Struct, frozen=True):
    """Counts at an earlier minute, from which on emails are judged by themselves.

    Attributes:
        number: of the mark, from 1 on; the beginning of the campaign is number 0.
        rows: by provider; the campaign's is that of the provider "". Those of small providers are
            left out, so that their emails count from the beginning.
    """

    number: int = 0
    minute: int = 0
    rows: Mapping[str, Row] = {}


BEGINNING = Mark()
NOTHING = Row()
CAMPAIGN = ""


class Since(NamedTuple):
    """What became of emails since a mark.

    Attributes:
        sent: emails that were sent since.
        open: these, and those of which it was not known at the mark what becomes of them: any that
            is delivered or bounces since is one of these.
        known: of those sent since, delivered, bounced or reported as delayed, at most.
        settled: of the open ones, delivered or bounced since.
        delivered: of those sent since, at least.
        waiting: more than at the mark are delayed and not delivered yet.
        bounced: of the open ones.
        failed: emails that failed to render since; they are not among those sent.
    """

    sent: int
    open: int
    known: int
    settled: int
    delivered: int
    waiting: int
    bounced: int
    failed: int


def marked(marks: Sequence[Mark], rows: Mapping[str, Row], minute: int) -> tuple[Mark, ...]:
    """Return the marks to keep, with a new one if it is due and anything was sent since the last.

    They are the closer together the later they are: of the last 3, 6, 12, 24 minutes, or so.
    """
    last = marks[-1] if marks else None
    sent_before = last.rows.get(CAMPAIGN, NOTHING).sent if last else 0
    every = MARK_EVERY if last and last.number >= _FIRST_MARKS else 1
    if (last and minute - last.minute < every) or rows[CAMPAIGN].sent <= sent_before:
        return tuple(marks)
    new = Mark(
        last.number + 1 if last else 1,
        minute,
        {
            provider: row
            for provider, row in rows.items()
            if provider == CAMPAIGN or row.sent >= _LEAST_SENDS_MARKED
        },
    )
    known = [*marks, new]
    kept = {
        one.number
        for multiple, latest in _KEPT_OF_MULTIPLES.items()
        for one in [mark for mark in known if mark.number % multiple == 0][-latest:]
    }
    return tuple(one for one in known if one.number in kept)


def rows_of(
    counts: Mapping[str, int], providers: Mapping[str, Mapping[str, int]]
) -> dict[str, Row]:
    """Return the counts of the campaign and of its providers."""

    def row(of_one: Mapping[str, int], bounced: int) -> Row:
        count = of_one.get
        delivered = count("deliveries", 0)
        returned = count("hard_bounces", 0) + count("soft_bounces", 0)
        return Row(
            max(0, count("sends", 0) - count("prevented", 0)),
            max(0, delivered + returned + count("undetermined_bounces", 0)),
            max(0, delivered),
            max(0, count("delivery_delays", 0)),
            max(0, bounced),
            max(0, count("rendering_failures", 0)),
        )

    rows = {
        provider: row(one, one.get("hard_bounces", 0) + one.get("soft_bounces", 0))
        for provider, one in providers.items()
    }
    return {CAMPAIGN: row(counts, counts.get("hard_bounces", 0)), **rows}


def since_mark(before: Row, now: Row) -> Since:
    """Return what became of emails between two moments.

    Args:
        before: the counts at the first.
        now: the counts at the second.
    """
    sent = max(0, now.sent - before.sent)
    pending = before.pending
    waiting = min(sent, max(0, min(now.delayed - before.delayed, now.pending - pending)))
    return Since(
        sent,
        sent + pending,
        sent - min(sent - waiting, max(0, now.pending - pending - waiting)),
        min(sent + pending, max(0, now.settled - before.settled)),
        min(sent, max(0, now.delivered - before.delivered - pending)),
        waiting,
        min(sent + pending, max(0, now.bounced - before.bounced)),
        max(0, now.failed - before.failed),
    )

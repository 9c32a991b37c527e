"""Count what a command skips in exported files, and report it on standard error."""

from collections import Counter
from dataclasses import dataclass, field

import click

from dashboard.replay.exports import Record
from dashboard.replay.layers import Unreadable

_MOST_COMPLAINTS = 20


@dataclass
class Skipped:
    """Records and files that are skipped, and the reasons.

    Attributes:
        refused: number of refused records by reason.
        complaints: the first refused records and unreadable files, each with its reason.
        unreadable: number of files, and files in archives, that could not be read to the end.
    """

    refused: Counter[str] = field(default_factory=Counter)
    complaints: list[str] = field(default_factory=list)
    unreadable: int = 0

    @property
    def has_any(self) -> bool:
        """Whether anything was skipped."""
        return bool(self.refused or self.unreadable)

    def refuse(self, record: Record, reason: str, detail: str) -> None:
        """Record that a record is skipped."""
        self.refused[reason] += 1
        self._complain(f"{record.place}: {reason}: {detail}")

    def report(self, error: Unreadable) -> None:
        """Record that a file, or a part of it, cannot be read."""
        self.unreadable += 1
        self._complain(str(error))

    def print_complaints(self) -> None:
        """Print the first complaints to standard error, and the number of the others."""
        for complaint in self.complaints:
            click.echo(complaint, err=True)
        hidden = self.refused.total() + self.unreadable - len(self.complaints)
        if hidden:
            click.echo(f"… and {hidden:,} more", err=True)

    def summary(self, skipped: str) -> str:
        """Return the numbers of what was skipped, as the end of a sentence; empty if nothing was.

        Args:
            skipped: what happened to the records, such as `not sent`.
        """
        reasons = ", ".join(f"{number:,} {reason}" for reason, number in self.refused.items())
        refused = f"; {skipped}: {reasons}" if reasons else ""
        files = "file" if self.unreadable == 1 else "files"
        unread = f"; {self.unreadable} {files} not read completely" if self.unreadable else ""
        return refused + unread

    def _complain(self, complaint: str) -> None:
        if len(self.complaints) < _MOST_COMPLAINTS:
            self.complaints.append(complaint)

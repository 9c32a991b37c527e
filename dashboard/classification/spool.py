"""Spool facts: keep each once in a temporary file, and read those of an email together."""

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import groupby
from types import TracebackType
from typing import Self

import msgspec

from chalicelib.errors import CommandError
from chalicelib.facts.fact import Fact, is_settled

_CACHE_KIBIBYTES = 64 * 1024
# The keys order facts by email, as they are read. Facts that count by themselves are counted when
# they are added, so only their identity is stored.
_TABLES = f"""
    PRAGMA journal_mode = OFF;
    PRAGMA cache_size = -{_CACHE_KIBIBYTES};
    CREATE TABLE counted (message TEXT, fact TEXT, PRIMARY KEY (message, fact)) WITHOUT ROWID;
    CREATE TABLE settled (
        campaign TEXT, message TEXT, fact TEXT, body BLOB,
        PRIMARY KEY (campaign, message, fact)
    ) WITHOUT ROWID;
"""


class Spool:
    """Facts of any number of events, each once.

    SQLite keeps them in a file that has no name, so that nothing remains however the process ends.
    """

    def __init__(self) -> None:
        with _explained():
            self._database = sqlite3.connect("", isolation_level=None)
            self._database.executescript(_TABLES)
            self._database.execute("BEGIN")

    def __enter__(self) -> Self:
        """Return the spool, which is deleted at the end of the block."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Delete all facts."""
        self._database.close()

    def add(self, fact: Fact) -> bool:
        """Store a fact; return whether it is new.

        As in the events table, the first of several facts with one identity is kept.

        Raises:
            CommandError: it cannot be stored.
        """
        with _explained():
            if is_settled(fact):
                row = (fact.campaign, fact.message_id, fact.key, msgspec.msgpack.encode(fact))
                statement = "INSERT OR IGNORE INTO settled VALUES (?, ?, ?, ?)"
                return self._database.execute(statement, row).rowcount > 0
            statement = "INSERT OR IGNORE INTO counted VALUES (?, ?)"
            return self._database.execute(statement, (fact.message_id, fact.key)).rowcount > 0

    def campaigns(self) -> list[str]:
        """Return the campaigns of facts that count by an email's state, sorted.

        Raises:
            CommandError: they cannot be read.
        """
        with _explained():
            rows = self._database.execute("SELECT DISTINCT campaign FROM settled ORDER BY campaign")
            return [name for (name,) in rows]

    def emails(self, campaign: str) -> Iterator[list[Fact]]:
        """Yield the facts of each email of a campaign that count by its state (fact.is_settled).

        Raises:
            CommandError: they cannot be read.
        """
        statement = "SELECT message, body FROM settled WHERE campaign = ? ORDER BY message, fact"
        decoder = msgspec.msgpack.Decoder(Fact)
        with _explained():
            rows = self._database.execute(statement, (campaign,))
            for _, found in groupby(rows, key=lambda row: row[0]):
                yield [decoder.decode(body) for _, body in found]


@contextmanager
def _explained() -> Iterator[None]:
    try:
        yield
    except sqlite3.Error as error:
        raise CommandError(
            f"cannot store the events in a temporary file: {error}. Set SQLITE_TMPDIR to a folder "
            "with more space"
        ) from error

"""Notes on the timeline of a campaign, such as "reminder sent". Pure.

A removed note stays as a tombstone, without its text and author, for as long as a push with the
note can still arrive: a record of a stream is at most a day old.
"""

from collections.abc import Mapping
from typing import NamedTuple

from msgspec import Struct

from chalicelib.errors import InvalidRequest

MOST_NOTES = 100
"""Notes that a campaign has at once."""

# Notes and tombstones together: an item of a table has at most 400 KB.
_MOST_STORED = 500

TOMBSTONE_SECONDS = 2 * 86_400


class Note(Struct, frozen=True, omit_defaults=True):
    """A note on the timeline of a campaign. Its text never changes.

    Attributes:
        at: the moment that it is about: RFC 3339, UTC.
        text: empty if it was removed.
        by: the user who wrote it, as other users recognize them; empty if unknown or removed.
        removed_at: epoch seconds; None if it was not removed.
    """

    at: str
    text: str = ""
    by: str = ""
    removed_at: int | None = None

    @property
    def version(self) -> int:
        """1, and 2 once it is removed."""
        return 1 if self.removed_at is None else 2


Notes = Mapping[str, Note]
"""The notes of a campaign and the tombstones of removed ones, by id."""


class StoredNotes(NamedTuple):
    """The notes of a campaign, as stored.

    Attributes:
        notes: with the tombstones of removed ones.
        version: increases with each change; 0 if there never was a note.
    """

    notes: Notes
    version: int = 0

    @property
    def in_order(self) -> list[tuple[str, Note]]:
        """The notes with their ids, the earliest moment first."""
        return sorted(self.notes.items(), key=lambda one: (one[1].at, one[0]))


def added(notes: Notes, identity: str, note: Note, now: int) -> Notes:
    """Return the notes with another one; the same ones if it is there already.

    Args:
        notes: the notes as stored.
        identity: the id of the new note.
        note: the new note.
        now: epoch seconds.

    Raises:
        InvalidRequest: the campaign has as many notes as it may have.
    """
    if identity in notes:
        return notes
    stored = _without_old_tombstones(notes, now)
    if sum(one.removed_at is None for one in stored.values()) >= MOST_NOTES:
        raise InvalidRequest(
            "invalid_request",
            f"this campaign has {MOST_NOTES} notes, which is the maximum: remove one first",
        )
    if len(stored) >= _MOST_STORED:
        raise InvalidRequest(
            "rate_limited",
            f"{len(stored) - MOST_NOTES} or more notes of this campaign were removed within two "
            "days, which is the maximum: add this note tomorrow",
        )
    return {**stored, identity: note}


def removed(notes: Notes, identity: str, now: int) -> Notes:
    """Return the notes with a tombstone for one; the same ones if it has been removed already.

    Args:
        notes: the notes as stored.
        identity: the id of the note to remove.
        now: epoch seconds.

    Raises:
        InvalidRequest: the campaign has no such note.
    """
    note = notes.get(identity)
    if note is None:
        raise InvalidRequest(
            "not_found",
            f"this campaign has no note {identity!r}: it may have been removed before",
        )
    if note.removed_at is not None:
        return notes
    stored = _without_old_tombstones(notes, now)
    return {**stored, identity: Note(note.at, removed_at=now)}


def _without_old_tombstones(notes: Notes, now: int) -> Notes:
    return {
        identity: one
        for identity, one in notes.items()
        if one.removed_at is None or one.removed_at > now - TOMBSTONE_SECONDS
    }

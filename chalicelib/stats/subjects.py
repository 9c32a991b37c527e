"""Find the subject of a campaign from a sample of its emails, regardless of their order.

Emails of a campaign may have different subjects, for example with the recipient's name. The subject
shown is the most frequent one in a sample: the 100 emails with the lowest hashes. The sample is a
function of the set of emails, takes little space, and changes rarely once it is full.
"""

from collections.abc import Collection
from hashlib import blake2b

from msgspec import Struct, field

from chalicelib.dynamodb import AttributeValue, Item
from chalicelib.stats.update import ConditionalField

SUBJECTS = "subjects"
"""The part of a campaign's sample."""

_SIZE = 100
_HASH_BYTES = 8
_MOST_REMOVALS = 999_999


def _hash(message_id: str, subject: str) -> str:
    """Return the hash of an email, 16 hex digits."""
    email = f"{message_id} {subject}".encode()
    return blake2b(email, digest_size=_HASH_BYTES).hexdigest()


class SubjectSample(Struct):
    """The subjects of the emails with the lowest hashes, by hash.

    Attributes:
        removals: how often emails of forgotten recipients were removed.
    """

    subjects: dict[str, str] = field(default_factory=dict)
    removals: int = 0

    def add(self, message_id: str, subject: str) -> None:
        """Add an email."""
        self.subjects[_hash(message_id, subject)] = subject
        if len(self.subjects) > 10 * _SIZE:
            self._shrink()

    def merged(self, other: "SubjectSample") -> "SubjectSample":
        """Return the sample of the emails of both samples."""
        merged = SubjectSample(self.subjects | other.subjects, max(self.removals, other.removals))
        merged._shrink()
        return merged

    def without(self, message_ids: Collection[str]) -> "SubjectSample":
        """Return the sample without emails, with another number of removals if it has any."""
        kept = {
            one: subject
            for one, subject in self.subjects.items()
            if all(_hash(message_id, subject) != one for message_id in message_ids)
        }
        return SubjectSample(kept, self.removals + (len(kept) < len(self.subjects)))

    def field(self) -> ConditionalField:
        """Return the subject as a conditional field of the summary.

        Its rank falls with every email that enters the sample, so the latest sample's subject wins.
        It also falls with every removal: a hyphen sorts before the digits.
        """
        counts: dict[str, int] = {}
        for subject in self.subjects.values():
            counts[subject] = counts.get(subject, 0) + 1
        rank = f"{_SIZE - len(self.subjects):03d}#{max(self.subjects, default='')}"
        if self.removals:
            rank = f"-{max(0, _MOST_REMOVALS - self.removals):06d}#{rank}"
        subjects = sorted(counts, key=lambda text: (-counts[text], text))
        values = {"subject": subjects[0]} if subjects else {}
        return ConditionalField("subject_by", rank, keep_lowest=True, values=values)

    def _shrink(self) -> None:
        if len(self.subjects) > _SIZE:
            lowest = sorted(self.subjects)[:_SIZE]
            self.subjects = {one: self.subjects[one] for one in lowest}


def sample_from_item(item: Item) -> SubjectSample:
    """Parse a sample from DynamoDB JSON; an empty item is an empty sample."""
    stored = item.get("subjects", {}).get("M", {})
    return SubjectSample(
        {one: subject for subject, hashes in stored.items() for one in hashes["SS"]},
        int(item.get("removals", {"N": "0"})["N"]),
    )


def sample_to_map(sample: SubjectSample) -> AttributeValue:
    """Return a sample's attribute in DynamoDB JSON: hashes by subject, since most are equal."""
    hashes: dict[str, list[str]] = {}
    for one, subject in sorted(sample.subjects.items()):
        hashes.setdefault(subject, []).append(one)
    return {"M": {subject: {"SS": these} for subject, these in hashes.items()}}

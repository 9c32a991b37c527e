"""Evidence about the networks of a campaign: what its emails show about where bots click from.

An email gives each network that it was clicked from three bits, by the rules of facts/rules.py
alone. Their sums over the emails of a campaign are the network's evidence. An email sees the
evidence of the others: the sums without its own bits. So a class depends only on the set of facts
of the campaign, whatever the order in which they are settled.

A network never decides alone: offices, VPNs and Private Relay share addresses.
"""

from collections.abc import Mapping
from typing import NamedTuple


class Bits(NamedTuple):
    """What one email shows about a network.

    Attributes:
        seen: whether it was clicked from this network.
        quiet: whether it was clicked from this network before any mailbox open.
        sure: whether the email's own rules find a click from this network to be a bot's.
    """

    seen: bool = False
    quiet: bool = False
    sure: bool = False


_LETTERS = "sqb"
_NONE = "-"


def to_code(bits: Bits) -> str:
    """Return bits as a text, such as `sq`: seen and quiet; `-` without any."""
    return "".join(one for one, bit in zip(_LETTERS, bits, strict=True) if bit) or _NONE


def from_code(code: str) -> Bits:
    """Return the bits of a text that to_code returned."""
    return Bits(*(letter in code for letter in _LETTERS))


class Evidence(NamedTuple):
    """Numbers of emails that have each of the bits."""

    seen: int = 0
    quiet: int = 0
    sure: int = 0

    def plus(self, bits: Bits) -> "Evidence":
        """Return the evidence with one more email."""
        return Evidence(*(number + bit for number, bit in zip(self, bits, strict=True)))

    def without(self, bits: Bits) -> "Evidence":
        """Return the evidence without one email; numbers may be negative until it is counted."""
        return Evidence(*(number - bit for number, bit in zip(self, bits, strict=True)))


class Reputation(NamedTuple):
    """What the evidence of a network comes to.

    Attributes:
        is_quiet: nearly all emails were clicked before anything was opened.
        is_scanner: at least every second email has a sure bot's click.
    """

    is_quiet: bool = False
    is_scanner: bool = False


NO_EVIDENCE: Mapping[str, Evidence] = {}

# Assumed, and confirmed on the campaigns to tune (docs/bots.md): a few other quiet emails may be
# those of colleagues whose images are off, and it takes a single sure bot to find most others.
_LEAST_QUIET = 5
_LEAST_SURE = 1

# What an email can show: a network that it was not clicked from has no other bits.
_POSSIBLE = (
    Bits(),
    *(Bits(seen=True, quiet=quiet, sure=sure) for quiet in (False, True) for sure in (False, True)),
)


def reputation(others: Evidence) -> Reputation:
    """Return what the evidence of the other emails comes to."""
    return Reputation(
        others.seen >= _LEAST_QUIET and others.quiet * 5 >= others.seen * 4,
        others.sure >= _LEAST_SURE and others.sure * 2 >= others.seen,
    )


def may_change(before: Evidence, after: Evidence) -> bool:
    """Return whether the reputation that some email sees differs before and after a change."""
    return any(
        reputation(before.without(bits)) != reputation(after.without(bits)) for bits in _POSSIBLE
    )

"""Addresses of people, proxies and scanners, from ranges that the Internet does not use.

IPv4 addresses are of the reserved block 240.0.0.0/4, whose first byte names the owner, and IPv6
addresses are of the block for documentation: RFC 1112, RFC 3849.
"""

from dataclasses import dataclass
from random import Random

OWNERS = {
    "apple": 240,
    "google": 241,
    "microsoft": 242,
    "yahoo": 243,
    "hosting": 244,
    "office": 245,
    "home": 246,
    "mobile": 247,
    "vpn": 248,
}
_BY_BYTE = {str(first): name for name, first in OWNERS.items()}
_NETWORKS = 2**16  # /24 networks of an owner


@dataclass(frozen=True)
class Pool:
    """Networks of an owner, /24 each: `first` and those after it."""

    owner: str
    first: int
    size: int = 1

    def network(self, rng: Random) -> int:
        """Return one of the networks."""
        return self.first + rng.randrange(self.size)

    def address(self, rng: Random, network: int | None = None) -> str:
        """Return an address of the given network, or of any."""
        one = self.network(rng) if network is None else network
        return f"{OWNERS[self.owner]}.{one >> 8 & 255}.{one & 255}.{rng.randrange(1, 255)}"


APPLE = Pool("apple", 0, 1200)  # its proxies, and Private Relay
GMAIL = Pool("google", 0, 24)
WORKSPACE = Pool("google", 200, 30)
MICROSOFT = Pool("microsoft", 0, 160)  # Outlook's proxies and Defender share it: warmbly#410
YAHOO = Pool("yahoo", 0, 12)
MOBILE = Pool("mobile", 0, 120)
VPN = Pool("vpn", 0, 40)


def owner(address: str) -> str:
    """Return the owner of an address, which a published list of networks would name."""
    return _BY_BYTE.get(address.partition(".")[0], "home")


def somewhere(name: str, rng: Random, size: int = 1) -> Pool:
    """Return a random pool of an owner."""
    return Pool(name, rng.randrange(2000, _NETWORKS - size), size)


def home(rng: Random) -> str:
    """Return a home's address; every third is of IPv6."""
    if rng.random() < 1 / 3:
        return f"2001:db8:{rng.randrange(_NETWORKS):x}::{rng.randrange(1, _NETWORKS):x}"
    return somewhere("home", rng).address(rng)

"""A bill: quantities times prices."""

from collections.abc import Mapping
from dataclasses import dataclass

from dashboard.costs.prices import PRICES


@dataclass(frozen=True, slots=True)
class Line:
    """A line of a bill; `price` is a key of PRICES."""

    what: str
    price: str
    quantity: float

    @property
    def usd(self) -> float:
        """The amount in US dollars."""
        return PRICES[self.price].of(self.quantity)


@dataclass(frozen=True, slots=True)
class Bill:
    """The cost of a part of a deployment."""

    title: str
    lines: tuple[Line, ...]

    @property
    def usd(self) -> float:
        """The total in US dollars."""
        return sum(line.usd for line in self.lines)


def counted(counts: Mapping[str, float], prefix: str) -> float:
    """Return the sum of the counts whose names begin with a prefix."""
    return sum(number for name, number in counts.items() if name.startswith(prefix))


def many(count: int, noun: str) -> str:
    """Return a count with its noun."""
    return f"{count:,} {noun}" if count == 1 else f"{count:,} {noun}s"

"""The mailbox providers of a campaign and the SMTP replies of their servers, from its snapshot."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from msgspec import Struct

from chalicelib.facts.providers import OTHER
from chalicelib.facts.reply_causes import ACTORS
from chalicelib.stats.counters import PROVIDER_COUNTERS
from dashboard.deploy import glossary

Stats = Mapping[str, Any]
"""A campaign's snapshot of the wire contract."""

# Numerator and denominator of each rate, as on the page; None for what SES tried to send.
_RATES = {
    "delivered": ("deliveries", None),
    "hard_bounces": ("hard_bounces", None),
    "soft_bounces": ("soft_bounces", None),
    "complaints": ("complaints", "deliveries"),
    "opened": ("unique_human_opens", "deliveries"),
    "clicked": ("unique_human_clicks", "deliveries"),
}
RATES = tuple(_RATES)


class Provider(Struct, frozen=True):
    """A mailbox provider, or all of them.

    Attributes:
        label: its name in words.
        counts: its counters.
        rates: each of RATES as a fraction of 1; None if it is not known.
    """

    label: str
    counts: Mapping[str, int]
    rates: Mapping[str, float | None]


class Reply(Struct, frozen=True):
    """A class of SMTP replies.

    Attributes:
        text: status and text.
        cause: the cause in words.
        actor: who can act, in words; empty if the cause is not known.
        advice: what to do; empty if the cause is not known.
        providers: each provider with the number of these replies.
    """

    text: str
    count: int
    cause: str
    actor: str
    advice: str
    providers: Sequence[tuple[str, int]]


def providers(stats: Stats) -> list[Provider]:
    """Return the providers, those with the most sends first, then `other`, then the sums.

    Empty if the campaign has none, because an earlier release stored its events.
    """
    rows = sorted(stats.get("providers", ()), key=lambda row: row["provider"] == OTHER)
    if not rows:
        return []
    sums = {name: sum(row[name] for row in rows) for name in PROVIDER_COUNTERS}
    found = [_provider(_label(row["provider"]), row) for row in rows]
    return [*found, _provider(glossary.PROVIDERS["all"], sums)]


def replies(stats: Stats) -> list[Reply]:
    """Return the most frequent replies."""
    return [
        Reply(
            f"{row['status']} {row['text']}".strip(),
            row["count"],
            glossary.REPLY_CAUSES.get(row["cause"], glossary.PROVIDERS["unknown_cause"]),
            glossary.REPLY_ACTORS[ACTORS[row["cause"]]] if row["cause"] else "",
            glossary.REPLY_ADVICE.get(row["cause"], ""),
            [(_label(name), number) for name, number in row["providers"].items()],
        )
        for row in stats.get("replies", ())
    ]


def _provider(label: str, counts: Mapping[str, int]) -> Provider:
    tried = counts["sends"] - counts["prevented"]
    rates = {
        name: _rate(counts[part], tried if whole is None else counts[whole])
        for name, (part, whole) in _RATES.items()
    }
    return Provider(label, {name: counts[name] for name in PROVIDER_COUNTERS}, rates)


def _rate(part: int, whole: int) -> float | None:
    return part / whole if 0 <= part <= whole and whole else None


def _label(name: str) -> str:
    return glossary.PROVIDERS["other"] if name == OTHER else name


def in_one_line(numbers: Iterable[tuple[str, int]]) -> str:
    """Return providers with their numbers, such as `Gmail 22, All others 4`."""
    return ", ".join(f"{name} {number:,}" for name, number in numbers)

"""The incidents of a campaign in words, from its snapshot."""

from collections.abc import Mapping
from typing import Any

from msgspec import Struct

from chalicelib.stats.alarm_texts import WORDS, Words, happened
from dashboard.figures.campaign import Stats
from dashboard.figures.formats import parse


class Incident(Struct, frozen=True):
    """A trouble of the campaign.

    Attributes:
        id: identifies it in the campaign, such as `provider_delays:Microsoft`.
        title: what happens, in a few words.
        happened: a sentence with the numbers when it began.
        to_do: what to do while it is running.
        level: `critical` or `warning`.
        began_at, ended_at: RFC 3339; `ended_at` is None while it is running.
        affected, total: the numbers when it began, as in the wire contract.
    """

    id: str
    title: str
    happened: str
    to_do: str
    level: str
    began_at: str
    ended_at: str | None
    affected: int
    total: int

    @property
    def is_running(self) -> bool:
        """Whether it has not ended."""
        return self.ended_at is None


def incidents(stats: Stats) -> list[Incident]:
    """Return the incidents, the latest first; none if the snapshot has no such member."""
    return [_incident(one) for one in stats.get("incidents", ())]


def _incident(one: Mapping[str, Any]) -> Incident:
    values = one["values"]
    provider, since = values.get("provider", ""), values.get("since")
    # A later release may have further kinds.
    words = WORDS.get(one["kind"]) or Words(one["kind"], "", "", "")
    before = (parse(one["began_at"]) - parse(since)).total_seconds() if since else 0
    return Incident(
        one["incident"],
        words.title.format(provider=provider),
        happened(
            words,
            provider,
            affected=values["affected"],
            total=values["total"],
            minutes=round(before / 60),
        ),
        words.to_do.format(provider=provider),
        one["level"],
        one["began_at"],
        one["ended_at"],
        values["affected"],
        values["total"],
    )

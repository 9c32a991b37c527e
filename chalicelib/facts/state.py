"""The state of an email: what its facts contribute to unique counts. See facts/settle.py."""

from collections.abc import Mapping

from msgspec import Struct, field

from chalicelib.facts.fact import LinkId, Name

ATTRIBUTES = {
    "message_id": "message_id",
    "campaign": "c",
    "settled": "z",
    "opened_at": "uo",
    "human_opened_at": "uho",
    "clicked_at": "uc",
    "human_clicked_at": "uhc",
    "links": "ul",
}


class State(Struct, frozen=True, rename=ATTRIBUTES, omit_defaults=True):
    """First open and click times of an email, for unique counts; None if it never happened.

    Attributes:
        settled: rank of the rules and facts that determined the state (settle.rank).
        links: time of the first click by link id.
    """

    message_id: str
    campaign: Name
    settled: int
    opened_at: str | None = None
    human_opened_at: str | None = None
    clicked_at: str | None = None
    human_clicked_at: str | None = None
    links: Mapping[LinkId, str] = field(default_factory=dict)

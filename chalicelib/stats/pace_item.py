"""The item of the stats table with a campaign's pace, which watch computes (stats/pace.py).

    campaign  part     v        pace                                              computed
    spring    pace     version  a snapshot's `pace` as JSON, without the version  epoch seconds
    spring    summary           pace_v: the version, pace_now: the pace that lists show, as JSON

It is written as a whole, whenever what it says has changed. No counter is derived from it. It is
replaced only by a pace for a later moment, so that a check that takes long does no harm. The part
of it that lists show is repeated in the campaign's summary, without a new version of the summary.
"""

from collections.abc import Mapping
from typing import Any

import msgspec
from msgspec import Struct

from chalicelib.dynamodb import Item

PACE = "pace"
"""The part of a campaign's pace."""

Content = Mapping[str, Any]
"""A snapshot's `pace` without the version."""

Figures = tuple[int, int, int, int]
"""Of a metric: the actual number, the expected one, and the interval of the expected one."""

_decoder = msgspec.json.Decoder(dict[str, Any])
_figures_decoder = msgspec.json.Decoder(tuple[Figures | None, Figures | None])
_FIGURES = ("actual", "expected", "low", "high")


class StoredPace(Struct, frozen=True):
    """The pace of a campaign as stored."""

    content: Content
    version: int


class PaceNow(Struct, frozen=True, array_like=True, gc=False):
    """The part of a campaign's pace that lists show.

    Attributes:
        version: the version of the pace that it is a part of.
        human_opens, human_clicks: None if nothing can be said of them.
    """

    version: int
    human_opens: Figures | None = None
    human_clicks: Figures | None = None

    @property
    def ratio(self) -> float | None:
        """The actual number divided by the expected one, of human opens or else of human clicks."""
        for figures in (self.human_opens, self.human_clicks):
            if figures is not None and (expected := figures[1]):
                return figures[0] / expected
        return None

    def metrics(self) -> dict[str, dict[str, int]]:
        """Return what is known of each metric, as the pace of a snapshot has it."""
        metrics = {"human_opens": self.human_opens, "human_clicks": self.human_clicks}
        return {
            name: dict(zip(_FIGURES, figures, strict=True))
            for name, figures in metrics.items()
            if figures is not None
        }


def pace_now(stored: StoredPace) -> PaceNow:
    """Return the part of a pace that lists show."""

    def figures(metric: str) -> Figures | None:
        found = stored.content.get(metric)
        if found is None:
            return None
        return found["actual"], found["expected"], found["low"], found["high"]

    return PaceNow(stored.version, figures("human_opens"), figures("human_clicks"))


def pace_now_from_summary(item: Item) -> PaceNow | None:
    """Parse the pace in a campaign's summary, in DynamoDB JSON.

    It is None if there is none, or if that of another release cannot be read.
    """
    if "pace_now" not in item:
        return None
    try:
        figures = _figures_decoder.decode(item["pace_now"]["S"])
        return PaceNow(int(item["pace_v"]["N"]), *figures)
    except (KeyError, ValueError, msgspec.MsgspecError):
        return None


def pace_now_to_text(pace: PaceNow) -> str:
    """Return the attribute `pace_now` of a summary."""
    return msgspec.json.encode((pace.human_opens, pace.human_clicks)).decode()


def pace_from_item(item: Item) -> StoredPace:
    """Parse the pace of a campaign from DynamoDB JSON.

    Raises:
        ValueError: the item is not a pace.
    """
    try:
        return StoredPace(_decoder.decode(item["pace"]["S"]), int(item["v"]["N"]))
    except (KeyError, TypeError, ValueError, msgspec.MsgspecError) as error:
        raise ValueError(f"not a pace: {type(error).__name__}") from error


def pace_to_text(content: Content) -> str:
    """Return the attribute of an item with this content."""
    return msgspec.json.encode(content).decode()

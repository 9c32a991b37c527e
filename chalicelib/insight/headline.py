"""Choose the one thing to say about a campaign, as data; readers put it into words."""

from collections.abc import Mapping, Sequence

from msgspec import Struct

from chalicelib.insight.history import Metric, Silence
from chalicelib.insight.pace import Forecast, Pace


class Headline(Struct, frozen=True):
    """The one sentence about a campaign.

    Attributes:
        age_seconds: the age of the campaign's first email.
        metric: what the sentence is about.
        pace: how the campaign does for its age; Silence if nothing can be said.
        forecast: what it will count; None if that is final or cannot be said.
    """

    age_seconds: int
    metric: Metric
    pace: Pace | Silence
    forecast: Forecast | None


def headline(
    age_seconds: int,
    paces: Mapping[Metric, Pace | Silence],
    forecasts: Mapping[Metric, Sequence[Forecast | Silence]],
) -> Headline:
    """Return the sentence about a campaign.

    It is about the first metric that is not as usual, otherwise about the first of which anything
    can be said, with its nearest forecast that is not final.

    Args:
        age_seconds: the age of the campaign's first email.
        paces: at least one, the most important first.
        forecasts: of these metrics, the nearest first.
    """
    said = {metric: one for metric, one in paces.items() if isinstance(one, Pace)}
    unusual = [metric for metric, one in said.items() if one.verdict != "usual"]
    metric = next(iter([*unusual, *said, *paces]))
    ahead = (one for one in forecasts.get(metric, ()) if isinstance(one, Forecast))
    return Headline(
        age_seconds,
        metric,
        paces[metric],
        next((one for one in ahead if not one.final), None),
    )

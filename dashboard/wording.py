"""Sentences about a campaign in English, for terminals and reports."""

from collections.abc import Sequence

from chalicelib.insight.headline import Headline
from chalicelib.insight.history import Metric, Silence
from chalicelib.insight.pace import Forecast, Pace
from chalicelib.insight.variants import LEAST_DELIVERIES, Judgement, Variant

_METRICS: dict[Metric, str] = {
    "unique_human_opens": "human opens",
    "unique_human_clicks": "human clicks",
    "readers": "readers",
}
_MINUTE, _HOUR, _DAY = 60, 3600, 86_400


def age(seconds: float) -> str:
    """Return an age in its largest unit: `42 min`, `3 h`, `2 d`; hours up to two days."""
    if seconds < _HOUR:
        return f"{int(seconds // _MINUTE)} min"
    if seconds < 2 * _DAY:
        return f"{int(seconds // _HOUR)} h"
    return f"{int(seconds // _DAY)} d"


def sentence(headline: Headline) -> str:
    """Return the headline as text."""
    if isinstance(headline.pace, Silence):
        return silence(headline.pace, headline.metric)
    said = pace(headline.pace, headline.age_seconds)
    return f"{said} {forecast(headline.forecast)}" if headline.forecast else said


def silence(reason: Silence, metric: Metric) -> str:
    """Return why nothing is said about a campaign."""
    have, need = reason.have, reason.need
    match reason.reason:
        case "nothing_sent":
            return "Nothing has been sent yet."
        case "too_few_deliveries":
            return f"Too few deliveries to judge: {have} of {need}."
        case "too_few_campaigns":
            return f"Not enough history yet: {have} of {need} campaigns."
        case "too_early":
            return f"Too early to tell: usually {have} {_METRICS[metric]} by now, {need} needed."
        case "no_response_expected":
            return f"Too few {_METRICS[metric]} to forecast: about {have} expected, {need} needed."


def pace(found: Pace, age_seconds: int) -> str:
    """Return how a campaign does for its age."""
    metric = _METRICS[found.metric]
    usual = found.expected
    if found.verdict == "usual":
        head = f"As many {metric} as usual after {age(age_seconds)}"
    else:
        head = f"{found.ratio:.1f} times the usual {metric} after {age(age_seconds)}"
    return (
        f"{head}: {found.actual:,}, usually {usual.low:,.0f} to {usual.high:,.0f}"
        f" ({usual.campaigns} earlier campaigns)."
    )


def forecast(found: Forecast) -> str:
    """Return what a campaign will count."""
    estimate = found.estimate
    if found.final:
        return f"{estimate.expected:,.0f} {_METRICS[found.metric]} within {age(found.age_seconds)}."
    return (
        f"About {estimate.expected:,.0f} expected within {age(found.age_seconds)}"
        f" ({estimate.low:,.0f} to {estimate.high:,.0f})."
    )


def judgement(found: Judgement, variants: Sequence[Variant]) -> str:
    """Return which variant is best.

    Args:
        found: what variants.judge returns.
        variants: the variants that were judged.
    """
    if found.verdict == "too_few":
        least = min(one.deliveries for one in variants)
        return f"Too few deliveries to judge: {least} of {LEAST_DELIVERIES} for a variant."
    probability = max(found.probabilities)
    if found.verdict == "too_early":
        return f"Too early to tell: {found.best} leads, with a probability of {probability:.0%}."
    # 100% would be a promise.
    return f"{found.best} is the best, with a probability of {min(probability, 0.999):.1%}."

"""The variants of a campaign side by side, and which is best: the `variants` of its snapshot."""

from collections.abc import Mapping, Sequence
from typing import Any

from msgspec import Struct

from chalicelib.insight import variants as insight
from chalicelib.insight.variants import FEWEST, LEAST_DELIVERIES, MOST

Stats = Mapping[str, Any]
"""A campaign's snapshot of the wire contract."""

TITLE = "Variants"
ABOUT = (
    "Compared by their human clicks, as a share of the delivered emails. A variant is called the "
    "best from a probability of 99% on, because figures that are looked at often are sometimes "
    "ahead by chance."
)
_REST = "other values"
_TOO_FEW = "Too few deliveries to judge: {have} of {need} for a variant."
_TOO_EARLY = "Too early to tell: {best} leads, with a probability of {probability}."
_DECIDED = "{best} is the best, with a probability of {probability}."
_ONLY_SOME = "Of the {most} values with the most deliveries: "


class Variant(Struct, frozen=True):
    """The emails with one value of a tag.

    Attributes:
        value: the value; None for the rest, which is of several values.
        label: the value in words.
        humans: emails with a human click; None if that is unknown.
        rate: `humans` as a fraction of `deliveries`; None if that is unknown.
        probability: that its rate is the highest; None if it is not judged.
    """

    value: str | None
    label: str
    deliveries: int
    humans: int | None
    rate: float | None
    probability: float | None


class Tag(Struct, frozen=True):
    """The variants of one tag.

    Attributes:
        name: the tag's name.
        variants: in the order of their values; the rest is last.
        judgement: which is best; empty if there is only one.
    """

    name: str
    variants: tuple[Variant, ...]
    judgement: str


def tags(stats: Stats) -> list[Tag]:
    """Return the variants of each tag; none if the campaign's emails have no such tags."""
    found: dict[str, list[Mapping[str, Any]]] = {}
    for row in stats.get("variants", ()):
        found.setdefault(row["tag"], []).append(row)
    return [_tag(name, rows) for name, rows in sorted(found.items())]


def _tag(name: str, rows: Sequence[Mapping[str, Any]]) -> Tag:
    rest = [row for row in rows if row.get("rest")]
    values = sorted((row for row in rows if not row.get("rest")), key=lambda row: row["value"])
    compared = sorted(values, key=lambda row: -row["counts"]["deliveries"])[:MOST]
    probabilities, judgement = _judgement(compared)
    if judgement and len(values) > MOST:
        judgement = _ONLY_SOME.format(most=MOST) + judgement
    variants = [_variant(row, probabilities.get(row["value"])) for row in values]
    return Tag(name, (*variants, *(_variant(row, None) for row in rest)), judgement)


def _variant(row: Mapping[str, Any], probability: float | None) -> Variant:
    counts = row["counts"]
    is_rest = bool(row.get("rest"))
    return Variant(
        None if is_rest else row["value"],
        _REST if is_rest else row["value"] or "(empty)",
        counts["deliveries"],
        counts["unique_human_clicks"],
        row["rates"]["human_click"],
        probability,
    )


def _judgement(rows: Sequence[Mapping[str, Any]]) -> tuple[dict[str, float], str]:
    """Return the probability of each value that it is the best, and the judgement in words."""
    if len(rows) < FEWEST:
        return {}, ""
    compared = [
        insight.Variant(
            row["value"], row["counts"]["deliveries"], row["counts"]["unique_human_clicks"] or 0
        )
        for row in rows
    ]
    found = insight.judge(compared)
    if found.verdict == "too_few":
        least = min(one.deliveries for one in compared)
        return {}, _TOO_FEW.format(have=f"{least:,}", need=LEAST_DELIVERIES)
    probabilities = dict(zip((one.name for one in compared), found.probabilities, strict=True))
    highest = max(found.probabilities)
    if found.verdict == "too_early":
        return probabilities, _TOO_EARLY.format(best=found.best, probability=f"{highest:.0%}")
    # 100% would be a promise.
    sure = f"{min(highest, 0.999):.1%}"
    return probabilities, _DECIDED.format(best=found.best, probability=sure)

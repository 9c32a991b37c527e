"""The figures of a campaign, arranged and labeled as on the page, from its snapshot."""

from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta
from typing import Any, Literal

from msgspec import Struct

from chalicelib.facts.fact import OTHER_LINK
from chalicelib.facts.reputation import AUTO_REPLY, bounce_counter
from chalicelib.stats.counters import RATES, WINDOWS
from dashboard.deploy import glossary
from dashboard.figures import rates
from dashboard.figures.formats import count, parse, percent

Stats = Mapping[str, Any]
"""A campaign's snapshot of the wire contract."""

Resolution = Literal["minute", "hour", "day"]

STEPS: dict[Resolution, timedelta] = {
    "minute": timedelta(minutes=1),
    "hour": timedelta(hours=1),
    "day": timedelta(days=1),
}

# Each counter of the funnel, its rate of the step before, and that of delivered emails.
_FUNNEL = (
    ("sends", "Sent", None, None),
    ("deliveries", "Delivered", "delivery", None),
    ("readers", "Read", "read", "read"),
    ("unique_human_clicks", "Human clicks", "human_click_to_open", "human_click"),
)
_TEXTS = glossary.texts()


class Tile(Struct, frozen=True):
    """A key number with its remarks.

    Attributes:
        label: its heading.
        definition: what it counts.
        value: the number as text.
        lines: remarks below it.
        verdict: whether it endangers the account's reputation.
    """

    label: str
    definition: str
    value: str
    lines: tuple[str, ...]
    verdict: rates.Verdict = rates.Verdict("ok", "")


class Step(Struct, frozen=True):
    """A step of the funnel; rates are fractions of 1, and None for steps that have none."""

    label: str
    count: int | None
    of_step: float | None
    of_delivered: float | None


class Rate(Struct, frozen=True):
    """A rate with its numerator, denominator and definition."""

    name: str
    formula: str
    explanation: str
    part: int | None
    whole: int | None
    value: float | None


class Kind(Struct, frozen=True):
    """A kind of bot, with its shares of all opens and clicks."""

    name: str
    label: str
    explanation: str
    opens: int
    clicks: int
    of_opens: float | None
    of_clicks: float | None


class Link(Struct, frozen=True):
    """A link with its clicks.

    Attributes:
        url: with `*` for personal parts.
        label: its label; None if it has none.
        kind: `link`, `unsubscribe`, `mailto`, `tel` or `other`, which is the sum of all others.
        humans: emails with a human click on it; None if that is unknown.
        rate: `humans` as a fraction of the delivered emails; None if that is unknown.
        human_clicks: their clicks.
        clicks: all clicks.
    """

    url: str
    label: str | None
    kind: str
    humans: int | None
    rate: float | None
    human_clicks: int
    clicks: int


class Bounces(Struct, frozen=True):
    """The bounces of one kind.

    Attributes:
        meaning: the kind in words.
        kind: type and subtype, such as `Hard · NoEmail`.
        code: the same as in SES, such as `Permanent/NoEmail`.
        count: their number.
    """

    meaning: str
    kind: str
    code: str
    count: int


def tiles(stats: Stats) -> list[Tile]:
    """Return the key numbers."""
    text = glossary.CAMPAIGN | glossary.KEY_NUMBERS
    counts = stats["counts"]
    delivered = text["of_delivered"].format(total=count(counts["deliveries"]))
    tried = rates.attempted(counts) if counts["prevented"] else counts["sends"]
    of_tried = text["of_attempted" if counts["prevented"] else "of_sent"].format(total=count(tried))
    replies = auto_replies(stats)

    def shown(name: str, digits: int = 1) -> str:
        return percent(rates.shown(name, stats), digits)

    def missing(name: str) -> tuple[str, ...]:
        event = rates.missing_event(name, stats)
        return () if event is None else (text["missing"].format(event=event),)

    def both(human: str, humans: str, everyone: str) -> tuple[str, ...]:
        including = f"{text['including_bots']}: {percent(stats['rates'][everyone])}"
        return (f"{count(counts[humans])} {delivered}", including, *missing(human))

    rejected = f"{count(counts['rejects'])} {text['rejected']}"
    failed = f"{count(counts['rendering_failures'])} {text['template_errors']}"
    soft = f"{count(max(0, counts['soft_bounces'] - replies))} {text['soft']}"
    unclear = f"{count(counts['undetermined_bounces'])} {text['undetermined']}"
    return [
        Tile(
            glossary.LABELS["sends"],
            _TEXTS["count.sends"],
            count(counts["sends"]),
            (f"{count(counts['prevented'])} {text['prevented']}", f"{rejected}, {failed}"),
        ),
        Tile(
            glossary.LABELS["deliveries"],
            _TEXTS["rate.delivery"],
            shown("delivery"),
            (
                f"{count(counts['deliveries'])} {of_tried}",
                f"{count(counts['delivery_delays'])} {text['delayed']}",
                *missing("delivery"),
            ),
        ),
        Tile(text["opened"], _TEXTS["rate.read"], shown("read"), both("read", "readers", "open")),
        Tile(
            text["clicked"],
            _TEXTS["rate.human_click"],
            shown("human_click"),
            both("human_click", "unique_human_clicks", "click"),
        ),
        Tile(
            text["bounced"],
            _TEXTS["rate.bounce"],
            shown("bounce"),
            (
                f"{count(counts['hard_bounces'])} {text['hard']}",
                f"{soft}, {unclear}",
                f"{count(replies)} {text['replies']}",
                *missing("bounce"),
            ),
            rates.verdict("bounce", counts),
        ),
        Tile(
            text["complained"],
            _TEXTS["rate.complaint"],
            shown("complaint", 2),
            (f"{count(counts['complaints'])} {delivered}", *missing("complaint")),
            rates.verdict("complaint", counts),
        ),
        Tile(
            glossary.LABELS["unsubscribes"],
            _TEXTS["rate.unsubscribe"],
            shown("unsubscribe"),
            (f"{count(counts['unsubscribes'])} {delivered}", *missing("unsubscribe")),
        ),
    ]


def funnel(stats: Stats) -> list[Step]:
    """Return the steps from sent to clicked."""
    return [
        Step(
            label,
            stats["counts"][name],
            stats["rates"][of_step] if of_step else None,
            stats["rates"][of_delivered] if of_delivered else None,
        )
        for name, label, of_step, of_delivered in _FUNNEL
    ]


def all_rates(stats: Stats) -> list[Rate]:
    """Return every rate, with its numerator and denominator."""
    found = []
    for name, (part, _) in RATES.items():
        formula, _, explanation = _TEXTS[f"rate.{name}"].partition(". ")
        whole = rates.denominator(name, stats["counts"])
        value = rates.shown(name, stats)
        found.append(Rate(name, formula, explanation, stats["counts"][part], whole, value))
    return found


def all_counts(stats: Stats) -> list[tuple[str, str, int | None]]:
    """Return every counter: its label, its definition and its value."""
    return [
        (glossary.LABELS[name], _TEXTS[f"count.{name}"], value)
        for name, value in stats["counts"].items()
    ]


def engagers(stats: Stats) -> list[tuple[str, int, int]]:
    """Return the opens and clicks by humans, bots and unknown ones."""
    counts = stats["counts"]
    rows = [
        (label, counts[f"{of}_opens"], counts[f"{of}_clicks"])
        for of, label in (("human", glossary.BOTS["human"]), ("machine", glossary.BOTS["bot"]))
    ]
    opens, clicks = (
        max(0, counts[what] - counts[f"human_{what}"] - counts[f"machine_{what}"])
        for what in ("opens", "clicks")
    )
    return [*rows, (glossary.BOTS["unknown"], opens, clicks)]


def kinds_of_bots(stats: Stats) -> list[Kind]:
    """Return the opens and clicks by each kind of bot."""
    opens, clicks = stats["counts"]["opens"], stats["counts"]["clicks"]
    return [
        Kind(
            name,
            label,
            glossary.KINDS_OF_BOTS_HELP[name],
            (of := stats["bots"]["kinds"][name])["opens"],
            of["clicks"],
            of["opens"] / opens if opens else None,
            of["clicks"] / clicks if clicks else None,
        )
        for name, label in glossary.KINDS_OF_BOTS.items()
    ]


def links(stats: Stats) -> list[Link]:
    """Return the links, those with the most human clickers first, `other` and unsubscribe last."""
    found = list(_links(stats))
    places = {"other": 1, "unsubscribe": 2}
    return sorted(
        found,
        key=lambda one: (places.get(one.kind, 0), -(one.humans or 0), -one.human_clicks, one.url),
    )


def _links(stats: Stats) -> Iterator[Link]:
    delivered = stats["counts"]["deliveries"]
    for link in stats["links"]:
        humans = link["unique_human_clicks"]
        if not humans and link["human_clicks"]:  # an earlier release did not count them
            humans = None
        known = humans is not None and delivered and humans <= delivered
        is_other = link["id"] == OTHER_LINK
        yield Link(
            glossary.LINKS["other"] if is_other else link["url"],
            link["label"],
            "other" if is_other else link["kind"],
            humans,
            humans / delivered if known else None,
            link["human_clicks"],
            link["clicks"],
        )


def bounces(stats: Stats) -> list[Bounces]:
    """Return the bounces by kind: the most frequent first, replies and emails not sent last."""

    def place(bounce: Mapping[str, Any]) -> tuple[int, int]:
        last = 2 if _is_prevented(bounce) else int(bounce["subtype"] == AUTO_REPLY)
        return last, -bounce["count"]

    return [
        Bounces(
            bounce_meaning(one["type"], one["subtype"]),
            f"{_type_of(one)} · {one['subtype']}",
            f"{one['type']}/{one['subtype']}",
            one["count"],
        )
        for one in sorted(stats["bounces"], key=place)
    ]


def bounce_meaning(kind: str | None, subtype: str | None) -> str:
    """Return a kind of bounce in words, or its name if SES has added it."""
    return glossary.BOUNCES.get(f"{kind}/{subtype}", subtype or kind or "")


def auto_replies(stats: Stats) -> int:
    """Return the out-of-office replies among the soft bounces."""
    return sum(
        one["count"]
        for one in stats["bounces"]
        if (one["type"], one["subtype"]) == ("Transient", AUTO_REPLY)
    )


def _is_prevented(bounce: Mapping[str, Any]) -> bool:
    return bounce_counter(bounce["type"], bounce["subtype"]) == "prevented"


def _type_of(bounce: Mapping[str, Any]) -> str:
    if _is_prevented(bounce):
        return glossary.ACTIVITY["not_a_bounce"]
    return glossary.BOUNCE_TYPES[bounce["type"]]


def resolution(stats: Stats) -> Resolution:
    """Return the finest resolution whose buckets cover all of the campaign.

    Minutes expire after two days; after that, it is hours.
    """
    first, last = (stats["campaign"][name] for name in ("first_event_at", "last_event_at"))
    if first is not None and last is not None:
        lasted = parse(last) - parse(first)
        for found in STEPS:
            window = WINDOWS[found]
            if stats["timeline"][found] and (window is None or lasted < window):
                return found
    return "day"


def buckets(stats: Stats, of: Resolution) -> list[tuple[datetime, Mapping[str, int]]]:
    """Return the timeline, oldest first, with empty buckets between those that have events."""
    known = {parse(one["at"]): one for one in stats["timeline"][of]}
    if not known:
        return []
    first, last = min(known), max(known)
    length = (last - first) // STEPS[of] + 1
    times = (first + number * STEPS[of] for number in range(length))
    return [(at, known.get(at, {})) for at in times]


def notices(stats: Stats) -> list[str]:
    """Return what a reader must know about the numbers."""
    campaign = stats["campaign"]
    if campaign["first_event_at"] is None:
        return [glossary.CAMPAIGN["waiting"]]
    if campaign["recount_needed"]:
        command = glossary.CAMPAIGN["recount_command"].format(id=campaign["id"])
        text = f"{glossary.CAMPAIGN['recount']} {glossary.CAMPAIGN['recount_how']}: {command}"
        return [text]
    return []

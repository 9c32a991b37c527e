"""Draw a campaign for a terminal of at least 80 columns.

Texts from emails are only inserted without control characters, and never as markup.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import timedelta
from typing import Any, NamedTuple

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from chalicelib.stats.counters import RATES
from dashboard.deploy import glossary
from dashboard.figures import campaign, pipeline, rates
from dashboard.figures.campaign import Stats
from dashboard.figures.formats import ago, count, parse, percent, plain
from dashboard.live.feed import View

_BLOCKS = "·▁▂▃▄▅▆▇█"
_COLUMNS = 80
_MINUTES = 50
_BAR_COLUMNS = 30
_URL_COLUMNS = 46
_MOST_LINKS = 5
_LEVELS = {"ok": "green", "none": "dim", "note": "yellow", "late": "bold red"}
_CONNECTIONS = {
    "connecting": (glossary.STATUS["connecting"], "dim"),
    "live": (glossary.STATUS["live"], "green"),
    "polling": ("Polling", "yellow"),
}
_VERDICTS = {"ok": "bold", "watch": "bold yellow", "bad": "bold red"}


class KeyNumber(NamedTuple):
    """A counter with its rate; the rate is None for sent emails."""

    label: str
    counter: str
    rate: str | None
    digits: int = 1


KEY_NUMBERS = (
    KeyNumber(glossary.LABELS["sends"], "sends", None),
    *(
        KeyNumber(glossary.RATE_LABELS[rate], RATES[rate][0], rate, 2 if rate == "complaint" else 1)
        for rate in ("delivery", "read", "human_click", "bounce", "complaint", "unsubscribe")
    ),
)
_SERIES = ("sends", "human_opens", "human_clicks")


def frame(view: View, name: str, height: int | None = None) -> RenderableType:
    """Return a campaign as a whole.

    Args:
        view: the campaign.
        name: its name.
        height: lines of the terminal; links and activity are cut to fit. None for all lines.
    """
    head, foot = _head(view, name), _pipeline(view)
    if view.stats is None:
        return Group(*head, *foot)
    blocks: list[Sequence[RenderableType]] = [
        [_tiles(view.stats)],
        [Text(glossary.FUNNEL["title"], "dim"), *_funnel(view.stats)],
        [Text(f"Last {_MINUTES} minutes, and the most in one of them", "dim"), *_minutes(view)],
    ]
    # The key numbers have four lines, and a block is preceded by an empty one; notices wrap.
    wrapped = sum(len(one) // _COLUMNS for one in campaign.notices(view.stats))
    fixed = len(head) + wrapped + len(foot) + 1 + 5 + 6 + 5
    left = None if height is None else height - fixed
    for title, rows, most in (
        (glossary.LINKS["title"], _links(view.stats), _MOST_LINKS),
        (glossary.ACTIVITY["live"], _activity(view), len(view.activity)),
    ):
        fits = most if left is None else min(most, left - 2)
        if rows and fits > 0:
            block = [Text(title, "dim"), *rows[:fits]]
            blocks.append(block)
            left = None if left is None else left - len(block) - 1
    spaced: Iterator[RenderableType] = (one for block in blocks for one in (Text(), *block))
    return Group(*head, *spaced, Text(), *foot)


def line(view: View, stats: Stats) -> str:
    """Return the key numbers as one line, for output that is not a terminal."""
    parts = []
    for one in KEY_NUMBERS:
        number = f"{one.label.lower()} {count(stats['counts'][one.counter])}"
        if one.rate is not None:
            number += f" ({percent(rates.shown(one.rate, stats), one.digits)})"
        parts.append(number)
    return f"{view.now:%Y-%m-%dT%H:%M:%SZ} {', '.join(parts)}"


def _head(view: View, name: str) -> list[RenderableType]:
    status = Table.grid(expand=True)
    status.add_column(no_wrap=True, overflow="ellipsis", ratio=1)
    status.add_column(no_wrap=True, justify="right")
    status.add_row(Text(plain(name), "bold"), _status(view))
    lines: list[RenderableType] = [status]
    facts = view.stats["campaign"] if view.stats else {}
    about = " · ".join(plain(facts[one]) for one in ("subject", "sender") if facts.get(one))
    if about:
        lines.append(_cut(Text(about, "dim")))
    if view.stats:
        lines += [Text(plain(one), "yellow") for one in campaign.notices(view.stats)]
    return lines


def _status(view: View) -> Text:
    last = view.stats["campaign"]["last_event_at"] if view.stats else None
    if last is None:
        since = glossary.STATUS["no_events"]
    else:
        since = glossary.STATUS["last_event"].format(ago=ago(last, view.now))
    if view.connection is None:
        return Text(since, "dim")
    state, style = _CONNECTIONS[view.connection]
    return Text.assemble(("● ", style), state, (f"  {since}", "dim"))


def _tiles(stats: Stats) -> Table:
    table = Table.grid(expand=True, padding=(0, 1, 0, 0))
    labels, values, parts, wholes = [], [], [], []
    for one in KEY_NUMBERS:
        table.add_column(no_wrap=True)
        labels.append(Text(one.label, "dim"))
        number = stats["counts"][one.counter]
        if one.rate is None:
            values.append(Text(count(number), "bold"))
            parts.append(Text())
            wholes.append(Text())
            continue
        style = "bold"
        if one.rate in ("bounce", "complaint"):
            style = _VERDICTS[rates.verdict(one.rate, stats["counts"]).level]
        values.append(Text(percent(rates.shown(one.rate, stats), one.digits), style))
        parts.append(Text(count(number)))
        whole = rates.denominator(one.rate, stats["counts"])
        wholes.append(Text(f"of {count(whole)}", "dim"))
    for row in (labels, values, parts, wholes):
        table.add_row(*row)
    return table


def _funnel(stats: Stats) -> Iterator[Text]:
    steps = campaign.funnel(stats)
    most = max(1, *(step.count or 0 for step in steps))
    for number, step in enumerate(steps):
        bar = "█" * round(_BAR_COLUMNS * (step.count or 0) / most)
        of_step = f"{percent(step.of_step)} of the step before" if number else ""
        yield Text.assemble(
            f"{step.label:<13}",
            (f"{bar:<{_BAR_COLUMNS}}", "blue"),
            f" {count(step.count):>10}",
            (f"  {of_step}", "dim"),
        )


def _minutes(view: View) -> Iterator[Text]:
    assert view.stats is not None
    end = view.now.replace(second=0, microsecond=0)
    known = {parse(one["at"]): one for one in view.stats["timeline"]["minute"]}
    times = [end - timedelta(minutes=back) for back in reversed(range(_MINUTES))]
    for counter in _SERIES:
        numbers = [known.get(at, {}).get(counter, 0) for at in times]
        most = max(numbers)
        yield Text.assemble(
            f"{glossary.LABELS[counter]:<13}", (sparkline(numbers), "blue"), f" {count(most):>10}"
        )


def sparkline(numbers: Sequence[int]) -> str:
    """Return a bar of one character for each number; 0 is a dot."""
    most = max(*numbers, 1)
    return "".join(_BLOCKS[-(-number * (len(_BLOCKS) - 1) // most)] for number in numbers)


def _links(stats: Stats) -> list[Text]:
    found = [one for one in campaign.links(stats) if one.kind not in ("other", "unsubscribe")]
    return [
        Text.assemble(
            f"{_shortened(one.label or one.url):<{_URL_COLUMNS}}",
            f" {count(one.humans):>9} ",
            (f"humans, {count(one.clicks)} clicks", "dim"),
        )
        for one in found[:_MOST_LINKS]
    ]


def _activity(view: View) -> list[Text]:
    return [_cut(_event(one)) for one in view.activity]


def _event(one: Mapping[str, Any]) -> Text:
    """Return an entry of the activity, without its recipient."""
    about: Iterable[str | None]
    if one["type"] == "Bounce":
        about = [campaign.bounce_meaning(one.get("bounce_type"), one.get("detail"))]
    else:
        reason = glossary.REASONS.get(one.get("reason", "").split(", ")[0])
        about = [one.get("label") or one.get("link"), reason]
    who = glossary.ENGAGERS.get(one.get("engager", ""), "")
    return Text.assemble(
        (f"{parse(one['at']):%H:%M:%S}", "dim"),
        f"  {glossary.EVENTS.get(one['type'], plain(one['type'])):<15} {who:<8}",
        plain(" · ".join(filter(None, about))),
    )


def _pipeline(view: View) -> list[RenderableType]:
    lines = []
    if view.health is not None:
        found = pipeline.state(view.health, view.now)
        as_of = f"  as of {view.now:%Y-%m-%d %H:%M:%S} UTC"
        lines.append(Text.assemble((found.text, _LEVELS[found.level]), (as_of, "dim")))
        lines += [_cut(Text(f"  {plain(one.text)}", "yellow")) for one in found.problems]
    if view.problem:
        lines.append(_cut(Text(f"  {plain(view.problem)}", "yellow")))
    return list(lines)


def _cut(text: Text) -> Text:
    text.no_wrap, text.overflow = True, "ellipsis"
    return text


def _shortened(text: str) -> str:
    bare = plain(text).removeprefix("https://").removeprefix("http://").removeprefix("www.")
    return bare if len(bare) <= _URL_COLUMNS else f"{bare[: _URL_COLUMNS - 1]}…"

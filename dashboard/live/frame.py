"""Draw a campaign for a terminal of at least 80 columns.

Texts from emails are only inserted without control characters, and never as markup.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import timedelta
from textwrap import wrap
from typing import Any, NamedTuple

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from chalicelib.stats.counters import RATES
from dashboard.deploy import glossary
from dashboard.figures import campaign, pipeline, rates, variants
from dashboard.figures.campaign import Stats
from dashboard.figures.formats import DASH, age, ago, count, parse, percent, plain
from dashboard.figures.incidents import incidents
from dashboard.figures.pace import METRICS, Pace, pace
from dashboard.live.feed import View

_BLOCKS = "·▁▂▃▄▅▆▇█"
_COLUMNS = 80
_MINUTES = 50
_BAR_COLUMNS = 30
_URL_COLUMNS = 46
_MOST_LINKS = 5
_LABEL_COLUMNS = 11
_PACE_COLUMNS = 35  # the last column needs one less, so that millions fit 80 columns
_VARIANT_COLUMNS = 30
_LEVELS = {"ok": "green", "none": "dim", "note": "yellow", "late": "bold red"}
_CONNECTIONS = {
    "connecting": (glossary.STATUS["connecting"], "dim"),
    "live": (glossary.STATUS["live"], "green"),
    "polling": ("Polling", "yellow"),
}
_PACES = {"above": "bold green", "usual": "bold", "below": "bold yellow"}
_INCIDENTS = {"critical": "bold red", "warning": "bold yellow"}
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
        height: lines of the terminal; what does not fit is left out. None for all lines.
    """
    head, foot = _head(view, name), _pipeline(view)
    if view.stats is None:
        return Group(*head, *foot)
    # The key numbers have four lines, and each block is preceded by an empty one; texts wrap.
    wrapped = sum(max(0, len(wrap(one, _COLUMNS)) - 1) for one in _sentences(view.stats))
    left = None if height is None else height - len(head) - wrapped - len(foot) - 1 - 5 - 6
    blocks = _fitting(view, view.stats, left)
    shown: list[Sequence[RenderableType]] = [
        [_tiles(view.stats)],
        blocks.pop("incidents", ()),
        blocks.pop("pace", ()),
        [Text(glossary.FUNNEL["title"], "dim"), *_funnel(view.stats)],
        *blocks.values(),
    ]
    spaced: Iterator[RenderableType] = (one for block in shown if block for one in (Text(), *block))
    return Group(*head, *spaced, Text(), *foot)


def _fitting(view: View, stats: Stats, left: int | None) -> dict[str, Sequence[RenderableType]]:
    """Return the blocks that fit, in order: some as a whole, links and activity in part.

    Args:
        view: the campaign.
        stats: its snapshot.
        left: the lines that are left; None for as many as are needed.
    """
    found: dict[str, Sequence[RenderableType]] = {}
    minutes = f"Last {_MINUTES} minutes, and the most in one of them"
    for name, title, rows, is_divisible in (
        ("incidents", Text(glossary.INCIDENT["title"], "dim"), list(_incidents(stats)), True),
        ("minutes", Text(minutes, "dim"), list(_minutes(view)), False),
        ("pace", _pace_title(), _pace(pace(stats)), False),
        ("variants", Text(variants.TITLE, "dim"), list(_variants(stats)), False),
        ("links", Text(glossary.LINKS["title"], "dim"), _links(stats), True),
        ("activity", Text(glossary.ACTIVITY["live"], "dim"), _activity(view), True),
    ):
        fits = len(rows) if left is None else min(len(rows), left - 2)
        if fits > 0 and (is_divisible or fits == len(rows)):
            found[name] = [title, *rows[:fits]]
            left = None if left is None else left - fits - 2
    return found


def line(view: View, stats: Stats) -> str:
    """Return the key numbers as one line, for output that is not a terminal."""
    parts = []
    for one in KEY_NUMBERS:
        number = f"{one.label.lower()} {count(stats['counts'][one.counter])}"
        if one.rate is not None:
            number += f" ({percent(rates.shown(one.rate, stats), one.digits)})"
        parts.append(number)
    parts += [
        f"pace of {metric.label.lower()} {metric.now.text.lower()}"
        for metric in pace(stats).metrics
        if metric.now
    ]
    parts += [f"incident: {plain(one.title)}" for one in incidents(stats) if one.is_running]
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
        if sentence := pace(view.stats).sentence:
            lines.append(Text(sentence))
    return lines


def _sentences(stats: Stats) -> list[str]:
    """Return the texts of the head that may wrap."""
    return [*campaign.notices(stats), pace(stats).sentence]


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


def _incidents(stats: Stats) -> Iterator[Text]:
    """Yield the lines of the incidents, running ones first: what happens, and what to do."""
    for one in sorted(incidents(stats), key=lambda incident: not incident.is_running):
        style = _INCIDENTS.get(one.level, "yellow") if one.is_running else ""
        times = f"{_span(one.began_at, one.ended_at)}  "
        yield _cut(Text.assemble((times, "dim"), (plain(one.title), style)))
        if one.is_running:
            text = plain(f"{one.happened} {one.to_do}")
            yield from (Text(f"  {found}") for found in wrap(text, _COLUMNS - 2))


def _span(began_at: str, ended_at: str | None) -> str:
    """Return from when to when an incident lasted; the date of the end only if it is another."""
    began, ended = parse(began_at), parse(ended_at) if ended_at else None
    if ended is None:
        return f"Since {began:%b %-d, %H:%M}"
    is_same_day = began.date() == ended.date()
    return f"{began:%b %-d, %H:%M} to {ended:{'%H:%M' if is_same_day else '%b %-d, %H:%M'}}"


def _pace_title() -> Text:
    columns = "".join(f"{glossary.LABELS[one]:<{_PACE_COLUMNS}}" for one in METRICS)
    return Text(f"{glossary.PACE['title']:<{_LABEL_COLUMNS}}{columns}".rstrip(), "dim")


def _pace(found: Pace) -> list[Text]:
    """Return a column for each metric: its number, what is usual, and what is expected."""
    if not found.metrics:
        return []
    so_far, usual = Text(f"{'So far':<{_LABEL_COLUMNS}}"), [f"{'Usually':<{_LABEL_COLUMNS}}"]
    for one in found.metrics:
        number = f"{count(one.now.actual)}  " if one.now else ""
        verdict = one.now.text if one.now else glossary.PACE["not_yet"]
        style = _PACES[one.now.verdict if one.now else "usual"]
        so_far.append(number).append(verdict, style)
        so_far.append(" " * max(1, _PACE_COLUMNS - len(number) - len(verdict)))
        usual.append(f"{one.now.usual if one.now else DASH:<{_PACE_COLUMNS}}")
    ahead = [
        [f"{f'After {age(hours * 3600)}':<{_LABEL_COLUMNS}}"]
        + [
            f"{forecast.text if (forecast := one.after(hours)) else DASH:<{_PACE_COLUMNS}}"
            for one in found.metrics
        ]
        for hours in found.hours
    ]
    so_far.rstrip()
    return [_cut(so_far), *(_cut(Text("".join(one).rstrip())) for one in (usual, *ahead))]


def _variants(stats: Stats) -> Iterator[Text]:
    for tag in variants.tags(stats):
        for one in tag.variants:
            name = plain(f"{tag.name}: {one.label}")
            yield Text.assemble(
                f"{_ellipsis(name, _VARIANT_COLUMNS):<{_VARIANT_COLUMNS}}",
                f" {percent(one.rate):>6} ",
                (f" {count(one.humans)} human clicks of {count(one.deliveries)}", "dim"),
            )
        if tag.judgement:
            yield _cut(Text(f"  {plain(tag.judgement)}"))


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
    return _ellipsis(bare, _URL_COLUMNS)


def _ellipsis(text: str, columns: int) -> str:
    return text if len(text) <= columns else f"{text[: columns - 1]}…"

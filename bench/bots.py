"""Measure how well rules tell the opens and clicks of people from those of bots.

    python bench/bots.py [--seeds tune] [--campaigns 4] [--steps] [--json results.json] [--write]

Generates labelled campaigns (bench/worlds), applies each rule set (bench/rule_sets.py) to the same
events, and compares the classes with the truth. A *cell* is a kind of list, a number of links, a
perturbation, and whether SES reports `isBotEvent`. `--write` updates the tables in docs/bots.md.
"""

import json
import sys
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from random import Random
from statistics import median
from typing import Any, Literal, get_args

import click

ROOT = Path(__file__).parents[1]
sys.path[:0] = [str(ROOT), str(ROOT / "tests")]

from bench.documents import write_parts
from bench.rule_sets import MAILPULSE, RULE_SETS, STEPS, Message, RuleSet
from bench.worlds import parameters
from bench.worlds.campaign import Campaign, events_of, generate
from bench.worlds.email import BOT_CLICKS, BOT_OPENS, HUMAN_CLICKS, HUMAN_OPENS, Email, Label
from bench.worlds.parameters import Audience, Delay

DOCUMENT = ROOT / "docs" / "bots.md"
LINKS = (10, 5, 1)
PERTURBED_LINKS = 5
_RESAMPLES = 300

Type = Literal["Open", "Click"]
TYPES: tuple[Type, ...] = get_args(Type)


@dataclass(frozen=True)
class Cell:
    """The conditions of some campaigns.

    Attributes:
        label: `absent` if SES does not report `isBotEvent`, else its value for prefetches.
    """

    audience: Audience
    links: int
    perturbation: str
    label: Literal["absent", "Likely", "Unlikely"]


@dataclass(frozen=True)
class Score:
    """The result of a rule set for one campaign.

    Attributes:
        right, missed, wrong: by type: people's opens or clicks that it found, those that it did
            not, and the bots' that it took for people's.
        truth, found: by type: emails opened or clicked by a person, in truth and by the rule set;
            without clicks on links to unsubscribe.
        kinds: by kind: opens or clicks judged rightly, and all.
    """

    rules: str
    cell: Cell
    right: dict[str, int]
    missed: dict[str, int]
    wrong: dict[str, int]
    truth: dict[str, int]
    found: dict[str, int]
    kinds: dict[str, tuple[int, int]]

    def error(self, type_: Type) -> float:
        """Return the relative error of the number of emails that people opened or clicked."""
        return self.found[type_] / max(1, self.truth[type_]) - 1


def cells(perturbations: Iterable[str]) -> Iterator[tuple[Audience, int, str]]:
    """Yield kinds of lists, links and perturbations; perturbed campaigns have five links."""
    for audience in parameters.AUDIENCES:
        for links in LINKS:
            yield audience, links, "none"
        for perturbation in perturbations:
            if perturbation != "none":
                yield audience, PERTURBED_LINKS, perturbation


def scores(
    coordinates: tuple[Audience, int, str], seed: int, emails: int, rule_sets: Sequence[RuleSet]
) -> Iterator[Score]:
    """Generate a campaign, and yield the scores of the rule sets, with and without SES's label."""
    present = generate(seed, *coordinates, labelled=True, emails=emails)
    absent = present.without_ses_labels()
    label: Literal["Likely", "Unlikely"] = (
        "Likely" if present.ses_on_prefetches() == "Likely" else "Unlikely"
    )
    for rules in rule_sets:
        without = score(rules, Cell(*coordinates, "absent"), absent)
        yield without
        cell = Cell(*coordinates, label)
        yield score(rules, cell, present) if rules.uses_label else replace(without, cell=cell)


def score(rules: RuleSet, cell: Cell, campaign: Campaign) -> Score:
    """Return the score of a rule set for a campaign."""
    messages = [
        _message(email, campaign.id, with_events=rules.uses_events) for email in campaign.emails
    ]
    outcomes: dict[str, Counter[str]] = defaultdict(Counter)
    kinds: dict[str, tuple[int, int]] = {}
    for email, classes in zip(campaign.emails, rules.judge(messages), strict=True):
        truth: set[str] = set()
        found: set[str] = set()
        for (hit, label), is_human in zip(email.hits, classes, strict=True):
            outcomes[_outcome(label, is_human=is_human)][hit.type] += 1
            right, total = kinds.get(label.kind, (0, 0))
            kinds[label.kind] = (right + (label.human == is_human), total + 1)
            if hit.link is None or hit.link != email.unsubscribe_link:
                truth |= {hit.type} if label.human else set()
                found |= {hit.type} if is_human else set()
        outcomes["truth"].update(truth)
        outcomes["found"].update(found)
    named: dict[str, dict[str, int]] = {
        name: {one: outcomes[name][one] for one in TYPES}
        for name in ("right", "missed", "wrong", "truth", "found")
    }
    return Score(rules.name, cell, kinds=kinds, **named)


def _message(email: Email, campaign: str, *, with_events: bool) -> Message:
    events = [event.text for event in events_of(email, campaign)] if with_events else ()
    return Message([hit for hit, _ in email.hits], email.links, events)


def _outcome(label: Label, *, is_human: bool) -> str:
    if label.human:
        return "right" if is_human else "missed"
    return "wrong" if is_human else "rejected"


def f1(found: Sequence[Score], type_: Type) -> float:
    """Return the F1 of people's opens or clicks, over all campaigns together."""
    right = sum(one.right[type_] for one in found)
    errors = sum(one.missed[type_] + one.wrong[type_] for one in found)
    return 2 * right / (2 * right + errors) if right else 0.0


def signed_error(found: Sequence[Score], type_: Type) -> float:
    """Return the median of the campaigns' relative errors of unique opens or clicks."""
    return median(one.error(type_) for one in found)


def absolute_error(found: Sequence[Score], type_: Type) -> float:
    """Return the median of their absolute values."""
    return median(abs(one.error(type_)) for one in found)


Measure = Callable[[Sequence[Score], Type], float]


def interval(found: Sequence[Score], measure: Measure, type_: Type) -> tuple[float, float]:
    """Return a 95% confidence interval: a bootstrap of the campaigns within each cell."""
    rng = Random(f"{measure.__name__} {type_}")
    groups = [group for _, group in _grouped(found, lambda one: one.cell)]
    values = sorted(measure(_resampled(groups, rng), type_) for _ in range(_RESAMPLES))
    outside = _RESAMPLES * 25 // 1000
    return values[outside], values[-1 - outside]


def _resampled(groups: Sequence[list[Score]], rng: Random) -> list[Score]:
    return [one for group in groups for one in rng.choices(group, k=len(group))]


def tables(found: Sequence[Score]) -> str:
    """Return the tables in Markdown."""
    plain = [one for one in found if one.cell.perturbation == "none"]
    absent = [one for one in plain if one.cell.label == "absent"]
    uses_label = {rules.name for rules in RULE_SETS if rules.uses_label}
    present = [one for one in plain if one.cell.label != "absent" and one.rules in uses_label]
    own = [one for one in plain if one.rules == MAILPULSE.name]
    parts = {
        "SES does not report `isBotEvent`": _by_rules(absent),
        **{
            f"SES reports `isBotEvent`, and calls prefetches `{label}`": _by_rules(some)
            for label, some in sorted(_grouped(present, lambda one: one.cell.label))
        },
        "Mailpulse's rules by number of links": _by_cell(own),
        "Perturbations: F1 of clicks, absolute error of unique human clicks": (
            _by_perturbation(found)
        ),
        "Share judged rightly, by kind": _by_kind(absent),
    }
    return "\n\n".join(f"### {title}\n\n{table}" for title, table in parts.items())


_FIGURES = (
    "opens F1",
    "clicks F1",
    "unique human opens",
    "absolute",
    "unique human clicks",
    "absolute",
)


def _figures(found: Sequence[Score]) -> Iterator[str]:
    yield _figure(found, f1, "Open")
    yield _figure(found, f1, "Click")
    for type_ in TYPES:
        yield _figure(found, signed_error, type_)
        yield _figure(found, absolute_error, type_)


def _by_rules(found: Sequence[Score]) -> str:
    rows = []
    for name, ours in _grouped(found, lambda one: one.rules):
        rows.append(_row(f"**{name}**", "all", *_figures(ours)))
        rows += [
            _row("", audience, *_figures(some))
            for audience, some in _grouped(ours, lambda one: one.cell.audience)
        ]
    return _table(["rules", "list", *_FIGURES], rows)


def _by_cell(found: Sequence[Score]) -> str:
    rows = [
        _row(
            cell.audience,
            str(cell.links),
            cell.label,
            *_figures(ours),
        )
        for cell, ours in sorted(_grouped(found, lambda one: one.cell), key=_order)
    ]
    return _table(["list", "links", "`isBotEvent` of prefetches", *_FIGURES], rows)


def _order(group: tuple[Cell, list[Score]]) -> tuple[bool, str, str, int]:
    cell = group[0]
    return cell.label != "absent", cell.label, cell.audience, -cell.links


def _by_perturbation(found: Sequence[Score]) -> str:
    chosen = [one for one in found if one.cell.links == PERTURBED_LINKS]
    columns = dict.fromkeys(
        (one.rules, one.cell.label == "absent") for one in chosen if _has_a_column(one)
    )
    rows = []
    conditions = _grouped(chosen, lambda one: (one.cell.audience, one.cell.perturbation))
    for (audience, perturbation), ours in conditions:
        values = dict(_grouped(ours, lambda one: (one.rules, one.cell.label == "absent")))
        rows.append(_row(audience, perturbation, *(_clicks(values[one]) for one in columns)))
    names = [name if is_absent else f"{name} with `isBotEvent`" for name, is_absent in columns]
    return _table(["list", "perturbation", *names], rows)


def _has_a_column(one: Score) -> bool:
    """Return whether a rule set's clicks differ from those without rules, or by SES's label."""
    if one.cell.label == "absent":
        return one.rules not in {"Mautic", "ClickDimensions", "SES's label alone"}
    return one.rules == MAILPULSE.name


def _clicks(found: Sequence[Score]) -> str:
    error = absolute_error(found, "Click")
    return f"{_share(f1(found, 'Click'))}, {_percent(error, '')}"


def steps(found: Sequence[Score]) -> str:
    """Return a table of Mailpulse's rules one after the other, in Markdown."""
    rows = []
    for name, ours in _grouped(found, lambda one: one.rules):
        values = [name if name == STEPS[0].name else f"+ `{name}`"]
        for is_absent in (True, False):
            some = [one for one in ours if (one.cell.label == "absent") == is_absent]
            values += [_share(f1(some, type_)) for type_ in TYPES]
            values.append(_percent(absolute_error(some, "Click"), ""))
        rows.append(_row(*values))
    figures = ("opens F1", "clicks F1", "unique human clicks")
    with_label = [f"{one}, with `isBotEvent`" for one in figures]
    return _table(["rules", *figures, *with_label], rows)


def _by_kind(found: Sequence[Score]) -> str:
    names = list(dict.fromkeys(one.rules for one in found))
    totals: dict[tuple[str, str], Counter[str]] = defaultdict(Counter)
    for one in found:
        for kind, (right, total) in one.kinds.items():
            totals[kind, one.rules].update(right=right, total=total)
    rows = []
    for title, kinds in (
        ("people's opens", HUMAN_OPENS),
        ("bots' opens", BOT_OPENS),
        ("people's clicks", HUMAN_CLICKS),
        ("bots' clicks", BOT_CLICKS),
    ):
        rows.append(_row(f"**{title}**", *[""] * (len(names) + 1)))
        for kind in kinds:
            counts = [totals[kind, name] for name in names]
            cases = counts[0]["total"]
            shares = (f"{one['right'] / cases:.0%}" if cases else "" for one in counts)
            rows.append(_row(f"`{kind}`", *shares, f"{cases:,}"))
    return _table(["", *names, "cases"], rows)


def _grouped(
    found: Iterable[Score], key: Callable[[Score], Any]
) -> Iterable[tuple[Any, list[Score]]]:
    groups: dict[Any, list[Score]] = {}
    for one in found:
        groups.setdefault(key(one), []).append(one)
    return groups.items()


def _figure(found: Sequence[Score], measure: Measure, type_: Type) -> str:
    """Return a figure with its confidence interval."""
    low, high = interval(found, measure, type_)
    value = measure(found, type_)
    if measure is f1:
        return f"**{_share(value)}** ({_share(low)} to {_share(high)})"
    sign = "+" if measure is signed_error else ""
    return f"**{_percent(value, sign)}** ({_percent(low, sign)} to {_percent(high, sign)})"


def _share(value: float) -> str:
    return f"{value:.3f}".removeprefix("0")


def _percent(value: float, sign: str) -> str:
    return f"{100 * value:{sign}.0f}%"


def _row(*values: str) -> str:
    return f"| {' | '.join(values)} |"


def _table(columns: Sequence[str], rows: Iterable[str]) -> str:
    return "\n".join([_row(*columns), f"|{'---|' * len(columns)}", *rows])


def parameter_table() -> str:
    """Return the parameters of the campaigns with their values and sources, in Markdown."""
    consumer, business = (parameters.AUDIENCES[one] for one in ("consumer", "business"))
    rows = []
    for name, source in parameters.sources().items():
        values = [_value(getattr(one, name)) for one in (consumer, business)]
        shown = values[1] if values[0] != values[1] else "the same"
        rows.append(_row(f"`{name}`", source.meaning, values[0], shown, str(source)))
    references = [f"- {name}: <{url}>" for name, url in parameters.SOURCES.items()]
    table = _table(["parameter", "meaning", "consumer", "business", "source"], rows)
    return "\n".join([table, "", "Sources:", "", *references])


def _value(value: Any) -> str:
    if isinstance(value, dict):
        return ", ".join(f"{_value(key)}: {one:g}" for key, one in value.items())
    if isinstance(value, Delay):
        return f"median {value.median:,g}, deviation {value.deviation:g}"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, tuple):
        return " to ".join(f"{one:g}" for one in value)
    return f"{value:g}" if isinstance(value, float) else str(value)


@click.command()
@click.option("--seeds", type=click.Choice(list(parameters.SEEDS)), default="report")
@click.option("--campaigns", default=4, show_default=True, help="Campaigns of each cell.")
@click.option("--emails", default=2500, show_default=True, help="Emails of each campaign.")
@click.option(
    "--rules",
    type=click.Choice([one.name for one in RULE_SETS]),
    multiple=True,
    help="Measure these rule sets only; may be repeated.",
)
@click.option("--steps", "by_step", is_flag=True, help="Measure Mailpulse's rules one by one.")
@click.option("--perturbations/--no-perturbations", default=True)
@click.option("--json", "json_file", type=click.Path(path_type=Path), help="Write all scores.")
@click.option("--write", is_flag=True, help="Update the tables in docs/bots.md.")
def main(  # noqa: PLR0913 - the options of the command
    *,
    seeds: str,
    campaigns: int,
    emails: int,
    rules: tuple[str, ...],
    by_step: bool,
    perturbations: bool,
    json_file: Path | None,
    write: bool,
) -> None:
    """Measure the rule sets, and print the tables."""
    if rules and (write or by_step):
        raise click.UsageError("--write and --steps have their own rule sets: omit --rules")
    rule_sets = STEPS if by_step else [one for one in RULE_SETS if not rules or one.name in rules]
    found: list[Score] = []
    chosen = parameters.SEEDS[seeds][:campaigns]
    for coordinates in cells(parameters.PERTURBATIONS if perturbations and not by_step else ()):
        click.echo(f"{', '.join(map(str, coordinates))} …", err=True)
        for seed in chosen:
            found += scores(coordinates, seed, emails, rule_sets)
    measured = (
        f"{campaigns} campaigns of {emails:,} emails in each cell; seeds to {seeds}:"
        f" {chosen[0]} to {chosen[-1]}."
    )
    text = f"{steps(found) if by_step else tables(found)}\n\n{measured}"
    print(text)
    if json_file:
        json_file.write_text(json.dumps([asdict(one) for one in found]) + "\n")
    if write:
        parts = {"steps" if by_step else "results": text, "parameters": parameter_table()}
        write_parts(DOCUMENT, "bench/bots.py", parts)


if __name__ == "__main__":
    main()

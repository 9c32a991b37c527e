"""Regenerate docs/cost.md from the measurements.

    python bench/cost_document.py

tests/unit/test_costs.py checks that the document is up to date.
"""

import json
import shlex
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import jinja2
from click.testing import CliRunner

ROOT = Path(__file__).parents[1]
sys.path[:0] = [str(ROOT)]

from dashboard.commands import cost
from dashboard.costs import alternatives, model
from dashboard.costs.bill import counted
from dashboard.functions import FUNCTIONS

DOCUMENT = ROOT / "docs" / "cost.md"

STEPS = ROOT / "bench" / "cost_steps.json"

Campaign = dict[str, Any]
Hour = dict[str, dict[str, float]]

_MESSAGES = ("requests", "answers")


def block(options: str = "") -> str:
    """Return the command and its output."""
    said = CliRunner().invoke(cost.command, shlex.split(options)).output.strip()
    return f"```console\n$ python -m dashboard cost {options}".rstrip() + f"\n{said}\n```"


def rows(campaigns: list[Campaign]) -> str:
    """Return the table of the AWS usage per event, for each measured campaign."""

    def an_event(role: str, counted: str) -> Callable[[Campaign], str]:
        return lambda one: f"{one['roles'][role].get(counted, 0) / _events(one):.2f}"

    def events_each(role: str) -> Callable[[Campaign], str]:
        return lambda one: f"{_events(one) / one['roles'][role]['invocations']:.1f}"

    told: dict[str, Callable[[Campaign], str]] = {
        "events": lambda one: f"{_events(one):,}",
        "write units per event: facts and states": an_event("ingest", "write units EventsTable"),
        "… aggregates, pages of activity and recipients, positions": an_event(
            "aggregate", "write units StatsTable"
        ),
        "read units per event: classification": an_event("ingest", "read units EventsTable"),
        "events per invocation of ingest": events_each("ingest"),
        "events per invocation of aggregate": events_each("aggregate"),
    }
    heads = [f"{one['recipients']:,} recipients, {one['rate']:.0f} per second" for one in campaigns]
    return _table("Campaign", heads, {what: list(map(of, campaigns)) for what, of in told.items()})


def hours(campaigns: list[Campaign]) -> str:
    """Return the table of the AWS usage per viewer and hour: the first and the eighth hour."""
    told: dict[str, Callable[[Hour], float]] = {
        "messages: pushes": lambda one: _of(one, ("push", "health"), "messages"),
        "messages: activity, asked and answered": lambda one: _of(one, ("activity",), *_MESSAGES),
        "messages: pings, snapshots": lambda one: _of(one, ("ping", "connect"), *_MESSAGES),
        "read units: activity": lambda one: _of(one, ("activity",), "read units"),
        "read units: others": lambda one: _of(one, ("ping", "connect"), "read units"),
        "bytes": lambda one: _of(one, tuple(one), "bytes"),
    }
    looked = [one["viewers"]["active"][at] for one in campaigns for at in (0, -1)]
    heads = [f"{one['recipients']:,}, {at}" for one in campaigns for at in ("first", "eighth")]
    return _table(
        "One viewer for an hour",
        heads,
        {what: [f"{of(one):,.0f}" for one in looked] for what, of in told.items()},
    )


def steps() -> str:
    """Return the table of the cost of each scenario after each step."""
    kept = json.loads(STEPS.read_text())
    scenarios = list(kept[0]["usd"])
    return _table(
        "Step",
        scenarios,
        {one["step"]: [f"{one['usd'][name]:.4g}" for name in scenarios] for one in kept},
    )


def needs(functions: dict[str, dict[str, float]]) -> str:
    """Return the table of the memory and CPU time of each function."""
    heads = ["peak MB", "start s", "first batch s", "next batch s", "has MB", "duration s"]
    told = {}
    for name, one in functions.items():
        megabytes = FUNCTIONS[name][1]
        told[f"`{name}`"] = [
            f"{one['peak']:.0f}",
            f"{one['init']:.2f}",
            f"{one['first']:.2f}",
            f"{one['next']:.3f}",
            str(megabytes),
            f"{one['next'] * model.VCPU_MB / megabytes:.2f}",
        ]
    return _table("Function", heads, told)


def document() -> str:
    """Return the document."""
    measured = json.loads(cost.MEASURED.read_text())
    campaigns, functions = measured["campaigns"], measured["functions"]
    cold = functions["websocket_connect"]["first"] * model.VCPU_MB / 128
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(Path(__file__).parent),
        undefined=jinja2.StrictUndefined,
        autoescape=False,  # not HTML
        keep_trailing_newline=True,
    )
    return environment.get_template("cost.md.j2").render(
        block=block,
        rows=rows(campaigns),
        hours=hours(campaigns),
        steps=steps(),
        needs=needs(functions),
        costs=model,
        others=alternatives,
        cold=cold,
    )


def _of(hour: Hour, kinds: tuple[str, ...], *names: str) -> float:
    return sum(counted(hour[kind], name) for kind in kinds for name in names)


def _events(one: Campaign) -> int:
    events: int = one["roles"]["source"]["events"]
    return events


def _table(head: str, heads: list[str], told: dict[str, list[str]]) -> str:
    lines = [f"| {head} | " + " | ".join(heads) + " |", "|---" * (len(heads) + 1) + "|"]
    return "\n".join([*lines, *(f"| {what} | {' | '.join(row)} |" for what, row in told.items())])


if __name__ == "__main__":
    DOCUMENT.write_text(document())

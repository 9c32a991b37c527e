"""`make bench`: compare the performance with baselines, as one table.

    python bench/run.py [decode aggregate …]

Each module of bench/rows runs in a separate process, on the first available core; the server that
it calls (bench/wire_stub.py) runs on the last one. Results are written to bench/results.json row by
row, so that a partial run keeps the other rows; the table in docs/performance.md is generated from
it. The exit status is 1 if a 'must' is missed.
"""

import json
import os
import platform
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import click

BENCH = Path(__file__).parent
ROWS = BENCH / "rows"
RESULTS = BENCH / "results.json"
PAGE = BENCH.parent / "docs" / "performance.md"
TIMES, NONE = "×", "–"  # noqa: RUF001 - as they are written in text
BEGIN, END = "<!-- the table: written by `make bench` -->", "<!-- end of the table -->"


@click.command()
@click.argument("names", nargs=-1, metavar="[ROW]…")
@click.option(
    "--write/--no-write", default=True, help="Write bench/results.json and docs/performance.md."
)
def main(names: tuple[str, ...], *, write: bool) -> None:
    """Measure all rows, or those in the arguments, and print the table."""
    known = sorted(path.stem for path in ROWS.glob("[a-z]*.py"))
    if unknown := set(names) - set(known):
        raise click.UsageError(f"unknown rows {', '.join(sorted(unknown))}: use {' '.join(known)}")
    results = json.loads(RESULTS.read_text()) if RESULTS.exists() else {}
    for name in names or known:
        click.echo(f"{name} …", err=True)
        results[name] = {"measured": _today(), "machine": machine(), "rows": measured(name)}
    results = {name: results[name] for name in known if name in results}
    if write:
        RESULTS.write_text(json.dumps(results, indent=1, ensure_ascii=False) + "\n")
        before, _, rest = PAGE.read_text().partition(BEGIN)
        PAGE.write_text(f"{before}{BEGIN}\n\n{table(results)}\n{END}{rest.partition(END)[2]}")
    shown = {name: results[name] for name in names or results}
    print(table(shown))
    missed = [row for one in shown.values() for row in one["rows"] if row["met"] is False]
    sys.exit(1 if missed else 0)


def measured(name: str) -> list[dict[str, Any]]:
    """Measure the rows of a module in a separate process."""
    command = [sys.executable, str(BENCH / "one.py"), name]
    answer = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=False)
    if answer.returncode:
        raise click.ClickException(
            f"the rows of {name} could not be measured: see the output above"
        )
    rows: list[dict[str, Any]] = json.loads(answer.stdout)
    return rows


def table(results: dict[str, Any]) -> str:
    """Return the table in Markdown."""
    lines = [
        "| operation | baseline | ratio (quartiles) | must | stretch | met | ours, baseline |",
        "|---|---|---|---|---|---|---|",
    ]
    runs = set()
    for one in results.values():
        runs.add(f"{one['measured']}, {one['machine']}")
        lines += [_line(row) for row in one["rows"]]
    return "\n".join([*lines, "", *(f"Measured {run}." for run in sorted(runs)), ""])


def _line(row: dict[str, Any]) -> str:
    sign, digits = (TIMES, 1) if row["unit"] == "times faster" else ("", 3)
    bound = "≥" if sign else "≤"

    def number(value: float) -> str:
        return f"{value:.{0 if value >= 100 else digits}f}{sign and f' {sign}'}"

    def target(value: float | None) -> str:
        return NONE if value is None else f"{bound} {value:g}{sign and f' {sign}'}"

    met = {None: NONE, True: "yes", False: "**no**"}[row["met"]]
    spread = f"{number(row['low'])} to {number(row['high'])}"
    return (
        f"| {row['name']} | {row['baseline']} | **{number(row['ratio'])}** ({spread}) "
        f"| {target(row['must'])} | {target(row['stretch'])} | {met} "
        f"| {number_of(row['ours'])}, {number_of(row['theirs'])} {row['measure']} |"
    )


def number_of(value: float) -> str:
    """Format a number with three digits, or as an integer if it has more."""
    return f"{value:,.0f}" if value >= 100 else f"{value:.3g}"


def machine() -> str:
    """Describe the machine without its host name."""
    models = [
        line.partition(":")[2].strip()
        for line in Path("/proc/cpuinfo").read_text().splitlines()
        if line.startswith("model name")
    ]
    return (
        f"{len(os.sched_getaffinity(0))} cores of {models[0] if models else platform.machine()}, "
        f"Python {platform.python_version()}"
    )


def _today() -> str:
    return f"{datetime.now(UTC):%Y-%m-%d}"


if __name__ == "__main__":
    main()

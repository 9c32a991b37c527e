"""Rows of `make bench` counted in instructions, where the clock is too loud: needs valgrind.

    python bench/instructions.py

Instructions are the same in each run, whatever else the machine does. They leave memory out.
Only rows that call nothing outside their process can be counted so. Each side runs in processes of
its own, a few times and some more times: the difference is what it takes.
"""

import shutil
import subprocess
import sys
from contextlib import ExitStack
from pathlib import Path

ROOT = Path(__file__).parents[1]
sys.path[:0] = [str(ROOT), str(ROOT / "bench"), str(ROOT / "tests")]

import click
from comparison import Comparison
from rows import aggregate, decode

FEW, MORE = 2, 8


def pure_rows() -> list[Comparison]:
    """List the rows that can be counted."""
    with ExitStack() as stack:
        return [decode.rows(stack)[0], *(aggregate.grouping(count)[0] for count in (1000, 10_000))]


def counted(row: int, side: str) -> float:
    """Count the instructions of one call of a row's side."""
    totals = []
    for times in (FEW, MORE):
        done = subprocess.run(
            [
                *("valgrind", "--tool=callgrind", "--callgrind-out-file=/dev/null"),
                *(sys.executable, __file__, "--row", str(row), "--side", side),
                *("--times", str(times)),
            ],
            capture_output=True,
            text=True,
            check=True,
        )
        [line] = [one for one in done.stderr.splitlines() if "Collected" in one]
        totals.append(int(line.rpartition(":")[2]))
    return (totals[1] - totals[0]) / (MORE - FEW)


@click.command()
@click.option("--row", type=int, hidden=True)
@click.option("--side", type=click.Choice(["ours", "theirs"]), hidden=True)
@click.option("--times", type=int, hidden=True)
def main(row: int | None, side: str | None, times: int | None) -> None:
    """Count, and print."""
    rows = pure_rows()
    if row is not None and side is not None and times is not None:
        for _ in range(times):
            getattr(rows[row], side)()
        return
    if shutil.which("valgrind") is None:
        raise click.ClickException("valgrind is not on PATH: install it (apt-get install valgrind)")
    for number, one in enumerate(rows):
        ours, theirs = (counted(number, side) / one.units for side in ("ours", "theirs"))
        ratio = theirs / ours if one.unit == "times faster" else ours / theirs
        print(
            f"{one.name}, beside {one.baseline}: {ratio:.3g} {one.unit}, must {one.must:g}; "
            f"{ours:,.0f} and {theirs:,.0f} instructions each"
        )


if __name__ == "__main__":
    main()

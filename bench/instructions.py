"""Count the instructions of rows of `make bench`, for machines with noisy timing.

    python bench/instructions.py

Requires valgrind. The number of instructions is the same in each run, regardless of the machine's
load. It excludes memory and the kernel. Each side runs in separate processes with different numbers
of calls; the difference is the cost of the calls.
"""

import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from contextlib import ExitStack, redirect_stdout
from pathlib import Path

ROOT = Path(__file__).parents[1]
sys.path[:0] = [str(ROOT), str(ROOT / "bench"), str(ROOT / "tests")]

import click
from comparison import Comparison
from rows import aggregate, decode

ROWS: dict[str, Callable[[ExitStack], Comparison]] = {
    "decode": lambda stack: decode.rows(stack)[0],
    "group": lambda _: aggregate.grouping(1000)[0],
    "group-10000": lambda _: aggregate.grouping(10_000)[0],
    "count": lambda stack: aggregate.whole(stack, 1000),
}
TIMES = 1, 4


@click.group(invoke_without_command=True)
@click.pass_context
def main(context: click.Context) -> None:
    """Count the instructions of all rows and print them."""
    if context.invoked_subcommand is not None:
        return
    if shutil.which("valgrind") is None:
        raise click.ClickException(
            "valgrind is not on PATH: install it with apt-get install valgrind"
        )
    for name, make in ROWS.items():
        with ExitStack() as stack:
            row = make(stack)
        ours, theirs = (counted(name, side) / row.units for side in ("ours", "theirs"))
        ratio = theirs / ours if row.unit == "times faster" else ours / theirs
        print(
            f"{row.name}, compared with {row.baseline}: {ratio:.3g} {row.unit}, must {row.must:g}; "
            f"{ours:,.0f} and {theirs:,.0f} instructions each"
        )


@main.command(hidden=True)
@click.argument("name")
@click.argument("side")
@click.argument("times", type=int)
def run(name: str, side: str, times: int) -> None:
    """Run one side of a row several times."""
    with ExitStack() as stack:
        call = getattr(ROWS[name](stack), side)
        nowhere = stack.enter_context(Path(os.devnull).open("w"))
        with redirect_stdout(nowhere):
            for _ in range(times):
                call()


def counted(name: str, side: str) -> float:
    """Count the instructions per call of one side of a row."""
    totals = []
    for times in TIMES:
        done = subprocess.run(
            [
                *("valgrind", "--tool=callgrind", "--callgrind-out-file=/dev/null"),
                *(sys.executable, __file__, "run", name, side, str(times)),
            ],
            env={**os.environ, "PYTHONHASHSEED": os.environ.get("PYTHONHASHSEED", "0")},
            capture_output=True,
            text=True,
            check=True,
        )
        [line] = [one for one in done.stderr.splitlines() if "Collected" in one]
        totals.append(int(line.rpartition(":")[2]))
    return (totals[1] - totals[0]) / (TIMES[1] - TIMES[0])


if __name__ == "__main__":
    main()

"""Measure the rows of one module of bench/rows, and print them as JSON, for bench/run.py.

python bench/one.py decode
"""

import importlib
import json
import os
import sys
from contextlib import ExitStack, redirect_stdout
from dataclasses import asdict
from pathlib import Path

ROOT = Path(__file__).parents[1]
sys.path[:0] = [str(ROOT), str(ROOT / "bench"), str(ROOT / "tests")]

from comparison import measure


def main() -> None:
    """Measure on one core; servers that the rows start run on another one."""
    cores = sorted(os.sched_getaffinity(0))
    module = importlib.import_module(f"rows.{sys.argv[1]}")
    with ExitStack() as stack:
        rows = module.rows(stack)
        os.sched_setaffinity(0, cores[:1])
        # The functions log as in Lambda, but to /dev/null, because stdout has the results.
        with Path(os.devnull).open("w") as nowhere, redirect_stdout(nowhere):
            results = [asdict(measure(row)) for row in rows]
    json.dump(results, sys.stdout)


if __name__ == "__main__":
    main()

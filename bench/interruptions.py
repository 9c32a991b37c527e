"""Kill a deployment, an upgrade and a removal at each of their calls, and run each again.

    .venv/bin/python bench/interruptions.py            # all moments; continues where it was stopped
    .venv/bin/python bench/interruptions.py --fresh    # from the beginning

Each life of a stage takes one moment of each command (tests/support/interruptions.py says what must
hold then). What was tried is kept in .mailpulse/interruptions, under a digest of the code that was
tried. Exit status 1 when the law was broken at a moment.
"""

import argparse
import hashlib
import json
import subprocess
import sys
import time
from collections.abc import Iterable
from itertools import zip_longest
from pathlib import Path

PROJECT = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(PROJECT), str(PROJECT / "tests")]

from support import interruptions
from support.account import account
from support.interruptions import COMMANDS, Moment

Life = list[Moment | None]

_GOLDEN_RATIO = (5**0.5 - 1) / 2


def digest() -> str:
    """Return a digest of all that a deployment is made of."""
    found = hashlib.sha256()
    for name in ("app.py", "chalicelib", "dashboard", "infrastructure", "tests/support"):
        top = PROJECT / name
        for path in [top] if top.is_file() else sorted(top.rglob("*.*")):
            if path.is_file() and path.suffix != ".pyc":
                found.update(path.read_bytes())
    return found.hexdigest()[:16]


def lane(number: int, lanes: int, results: Path) -> None:
    """Live the lives of one lane, and note each as a line of JSON."""
    with account() as own:
        expected = interruptions.undisturbed(own)
        tried = {json.loads(line)["life"] for line in _lines(results)}
        lives = list(zip_longest(*(expected.moments(command) for command in COMMANDS)))
        if number == 0:
            calls = {command: len(expected.calls[command]) for command in COMMANDS}
            print(f"{calls} calls, {len(lives)} lives, {len(tried)} of them tried before")
        # A run that is stopped early has tried a spread of them.
        spread = sorted(range(len(lives)), key=lambda life: life * _GOLDEN_RATIO % 1)
        for life in spread[number::lanes]:
            if life in tried:
                continue
            moments: Life = list(lives[life])
            broken = ""
            try:
                interruptions.live(own, expected, *moments)
            except AssertionError as error:
                broken = str(error)
            note = {"life": life, "moments": [str(one) for one in moments if one], "broken": broken}
            with results.open("a") as file:
                file.write(json.dumps(note) + "\n")
            if broken:
                print(f"BROKEN: {broken[:2000]}", flush=True)


def main() -> None:
    """Run the lanes side by side, and sum up."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--lanes", type=int, default=2, help="how many lives at once (2)")
    parser.add_argument("--fresh", action="store_true", help="forget what was tried before")
    parser.add_argument("--lane", type=int, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    results = PROJECT / ".mailpulse" / "interruptions" / f"{digest()}.jsonl"
    if arguments.lane is not None:
        lane(arguments.lane, arguments.lanes, results)
        return
    results.parent.mkdir(parents=True, exist_ok=True)
    if arguments.fresh:
        results.unlink(missing_ok=True)
    began = time.monotonic()
    options = ("--lanes", str(arguments.lanes))
    lanes = [
        subprocess.Popen([sys.executable, __file__, *options, "--lane", str(number)])
        for number in range(arguments.lanes)
    ]
    ended = [one.wait() for one in lanes]
    notes = [json.loads(line) for line in _lines(results)]
    moments = sum(len(one["moments"]) for one in notes)
    broken = [one for one in notes if one["broken"]]
    print(
        f"{moments} moments in {len(notes)} lives, {time.monotonic() - began:.0f} s: "
        f"the law was broken in {len(broken)}"
    )
    sys.exit(1 if broken or any(ended) or not notes else 0)


def _lines(results: Path) -> Iterable[str]:
    return results.read_text().splitlines() if results.exists() else []


if __name__ == "__main__":
    main()

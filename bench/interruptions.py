"""Kill a deployment, an upgrade, and a removal at each of their calls, and run each again.

    .venv/bin/python bench/interruptions.py            # all moments; resumes after a stop
    .venv/bin/python bench/interruptions.py --fresh    # from the beginning

Calls that only read do not change the account, so the moments are before and after each call that
changes something. Each life of a stage tests one moment of each command;
tests/support/interruptions.py defines the required result. Results are saved in
.mailpulse/interruptions, by a digest of the code. The exit status is 1 if a moment failed.
"""

import argparse
import hashlib
import json
import subprocess
import sys
import time
from dataclasses import asdict
from itertools import zip_longest
from pathlib import Path

PROJECT = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(PROJECT), str(PROJECT / "tests")]

from support import interruptions
from support.account import account
from support.interruptions import COMMANDS, Moment, Undisturbed

_GOLDEN_RATIO = (5**0.5 - 1) / 2


def digest() -> str:
    """Return a digest of all files that a deployment depends on."""
    found = hashlib.sha256()
    for name in ("app.py", "chalicelib", "dashboard", "infrastructure", "tests/support"):
        top = PROJECT / name
        for path in [top] if top.is_file() else sorted(top.rglob("*.*")):
            if path.is_file() and path.suffix != ".pyc":
                found.update(path.read_bytes())
    return found.hexdigest()[:16]


def plan(path: Path) -> Undisturbed:
    """Return the expected result of an uninterrupted life, which is run once and saved."""
    if not path.exists():
        with account() as own:
            path.write_text(json.dumps(asdict(interruptions.undisturbed(own))))
    kept = json.loads(path.read_text())
    moments = {
        command: [Moment(**one) for one in found] for command, found in kept["moments"].items()
    }
    return Undisturbed(**{**kept, "moments": moments})


def lives(expected: Undisturbed) -> list[tuple[Moment | None, ...]]:
    """Return lives that cover all moments; the first few cover a sample."""
    found = list(zip_longest(*(expected.moments[command] for command in COMMANDS)))
    return [found[one] for one in sorted(range(len(found)), key=lambda i: i * _GOLDEN_RATIO % 1)]


def lane(number: int, lanes: int, results: Path) -> None:
    """Run the lives of one lane, and record each as a line of JSON."""
    expected = plan(results.with_suffix(".plan.json"))
    tried = {tuple(json.loads(line)["moments"]) for line in _lines(results)}
    with account() as own:
        for moments in lives(expected)[number::lanes]:
            names = [str(one) for one in moments if one]
            if tuple(names) in tried:
                continue
            broken = ""
            try:
                interruptions.live(own, expected, *moments)
            except AssertionError as error:
                broken = str(error)
            with results.open("a") as file:
                file.write(json.dumps({"moments": names, "broken": broken}) + "\n")
            print(f"{'; '.join(names)}{': BROKEN: ' + broken[:2000] if broken else ''}", flush=True)


def main() -> None:
    """Run the lanes in parallel, and print a summary."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--lanes", type=int, default=2, help="number of parallel lives (2)")
    parser.add_argument("--fresh", action="store_true", help="discard earlier results")
    parser.add_argument("--lane", type=int, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    results = PROJECT / ".mailpulse" / "interruptions" / f"{digest()}.jsonl"
    if arguments.lane is not None:
        lane(arguments.lane, arguments.lanes, results)
        return
    results.parent.mkdir(parents=True, exist_ok=True)
    if arguments.fresh:
        for path in (results, results.with_suffix(".plan.json")):
            path.unlink(missing_ok=True)
    began = time.monotonic()
    expected = plan(results.with_suffix(".plan.json"))
    for command in COMMANDS:
        print(
            f"{command}: {expected.calls[command]} calls, {len(expected.changes[command])} of them "
            f"change something, {len(expected.moments[command])} different moments"
        )
    print(f"{len(lives(expected))} lives, {len(_lines(results))} of them already done", flush=True)
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
        f"{len(broken)} failed"
    )
    sys.exit(1 if broken or any(ended) or not notes else 0)


def _lines(results: Path) -> list[str]:
    return results.read_text().splitlines() if results.exists() else []


if __name__ == "__main__":
    main()

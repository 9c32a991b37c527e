"""What a cold start imports: processor time, with bytecode and without, beside boto3's.

    python bench/imports.py [--rounds 9] [--json]

The functions' archive, as `deploy` makes it for this machine, is unpacked twice, once without its
bytecode. Each measurement is a fresh process that can write no bytecode, as in Lambda; the standard
library and boto3 are compiled, as the runtime's are. Measured in turn, again and again: medians,
with the middle half in brackets, and ratios of medians. `chalice + two boto3 clients` is what a
function starts with that others would write.
"""

import json
import os
import platform
import statistics
import subprocess
import sys
import sysconfig
import tempfile
import zipfile
from pathlib import Path

import click

ROOT = Path(__file__).parents[1]
sys.path[:0] = [str(ROOT)]

from dashboard import archive, functions

STAGE = "bench"
BASELINE = "chalice + two boto3 clients"
VARIABLES = {
    **dict.fromkeys(("EVENTS_TABLE", "STATS_TABLE", "SUBSCRIPTIONS_TABLE"), "t"),
    **dict.fromkeys(("QUEUE_URL", "DEAD_LETTER_QUEUE_URL"), "https://q"),
    "QUEUE_ARN": "arn:aws:sqs:us-east-1:123456789012:events",
    "EVENTS_STREAM_ARN": "arn:aws:dynamodb:us-east-1:123456789012:table/e/stream/1",
    "STATS_STREAM_ARN": "arn:aws:dynamodb:us-east-1:123456789012:table/s/stream/1",
    "PSEUDONYM_KEY": "p" * 64,
    "SHARE_KEY": "s" * 64,
    "ISSUER": "https://issuer.example.com",
    "CLIENT_ID": "page",
    "ALLOWED_ORIGINS": "https://page.example.com",
    "AWS_REGION": "us-east-1",
    "AWS_ACCESS_KEY_ID": "none",
    "AWS_SECRET_ACCESS_KEY": "none",
    "PYTHONDONTWRITEBYTECODE": "1",
}
# What each function makes of itself at its first event, beside importing app.py.
PARTS = {
    "ingest": "parts.ingest",
    "aggregate": "parts.count",
    "publish": "parts.publish",
    "watch": "parts.watch",
    "websocket_connect": "parts.sign_in.admit; parts.tokens",
    "websocket_message": "parts.session, parts.pusher",
    "websocket_disconnect": "parts.subscriptions",
}
PROGRAMS = {
    BASELINE: """
import chalice.app, boto3
boto3.client("dynamodb", region_name="us-east-1")
boto3.client("apigatewaymanagementapi", region_name="us-east-1", endpoint_url="https://e")
""",
    "chalice": "import chalice.app",
    "app.py": "import app",
    "tokens": "import chalicelib.auth",
    **{
        f"{name}, first event": f"import app; from chalicelib import handlers\n"
        f"parts = handlers.parts(); {made}"
        for name, made in PARTS.items()
    },
}


def unpack(folder: Path) -> dict[str, Path]:
    """Unpack the archive, with bytecode and without."""
    build = folder / "build"
    policies = {name: {"Version": "2012-10-17", "Statement": []} for name in functions.FUNCTIONS}
    functions.prepare(build, STAGE, VARIABLES, policies)
    machine = "arm64" if platform.machine() in {"arm64", "aarch64"} else "x86_64"
    path = archive.make(build, machine)
    codes = {"bytecode": folder / "with", "sources": folder / "without"}
    for code in codes.values():
        with zipfile.ZipFile(path) as packed:
            packed.extractall(code)
    for bytecode in codes["sources"].rglob("*.pyc"):
        bytecode.unlink()
    return codes


def measure(code: Path, program: str) -> float:
    """Give the processor time of a fresh process that runs the program, in ms."""
    path = f"import sys, time; sys.path[:0] = [{str(code)!r}]\n"
    path += f"sys.path.append({sysconfig.get_paths()['purelib']!r})\n"
    end = "\nprint((time.process_time() - began) * 1000)"
    done = subprocess.run(
        [sys.executable, "-S", "-c", f"{path}began = time.process_time()\n{program}{end}"],
        env={**VARIABLES, "PATH": os.environ["PATH"]},
        cwd=code,
        capture_output=True,
        text=True,
        check=True,
    )
    return float(done.stdout.split()[0])


def quartiles(times: list[float]) -> tuple[float, float, float]:
    """Give the median and the middle half."""
    low, middle, high = statistics.quantiles(times, n=4)
    return low, middle, high


@click.command()
@click.option("--rounds", default=9, show_default=True)
@click.option("--json", "as_json", is_flag=True, help="Print one line of JSON.")
def main(*, rounds: int, as_json: bool) -> None:
    """Measure, and print a table."""
    times: dict[tuple[str, str], list[float]] = {}
    with tempfile.TemporaryDirectory() as folder:
        codes = unpack(Path(folder))
        for number in range(rounds + 1):
            for name, program in PROGRAMS.items():
                for kind, code in codes.items():
                    took = measure(code, program)
                    if number:  # the first round fills the machine's caches
                        times.setdefault((name, kind), []).append(took)
    # A function of others comes as Chalice packs it, in sources.
    baseline = statistics.median(times[BASELINE, "sources"])
    rows = {}
    for name in PROGRAMS:
        of = {kind: quartiles(times[name, kind]) for kind in codes}
        rows[name] = {
            "ms": of["bytecode"][1],
            "ms_from_sources": of["sources"][1],
            "times_faster": of["sources"][1] / of["bytecode"][1],
            "of_baseline": of["bytecode"][1] / baseline,
            "middle_half": {kind: [low, high] for kind, (low, _, high) in of.items()},
        }
    if as_json:
        print(json.dumps({"bench": "imports", "rounds": rounds, "rows": rows}))
        return
    print(f"{'':<34}{'bytecode ms':>20}{'sources ms':>20}{'faster':>8}{'of baseline':>13}")
    for name, row in rows.items():
        cells = [
            f"{row[key]:6.1f} [{row['middle_half'][kind][0]:.1f}-{row['middle_half'][kind][1]:.1f}]"
            for key, kind in (("ms", "bytecode"), ("ms_from_sources", "sources"))
        ]
        print(
            f"{name:<34}{cells[0]:>20}{cells[1]:>20}{row['times_faster']:>8.2f}"
            f"{row['of_baseline']:>12.0%}"
        )


if __name__ == "__main__":
    main()

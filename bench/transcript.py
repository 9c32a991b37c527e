"""Record docs/transcript.md: the commands of a stage, from its first deployment to its removal.

    python bench/transcript.py

The commands run one after the other on the local emulator, in place of an AWS account. It takes
about two minutes.
"""

import shlex
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from datetime import UTC, datetime
from itertools import groupby
from pathlib import Path

import click

ROOT = Path(__file__).parents[1]
sys.path[:0] = [str(ROOT), str(ROOT / "tests")]

from support import commands, live
from support.operator import LOCAL_CONNECTIONS as ENDPOINT
from support.operator import credentials

TRANSCRIPT = ROOT / "docs" / "transcript.md"
REGION = "eu-central-1"
OPERATOR = "ops@example.com"
STAGE = "--stage prod"
NEW = "--configuration-set newsletters --new-configuration-set"
# Lines of a list of resources that are shown before it is shortened, and at its end.
FIRST, LAST = 8, 2
SECONDS = 300
HEAD = """\
# A stage from its first deployment to its removal

Recorded on {date} with `bench/transcript.py`, on the local emulator in place of an AWS account
(`AWS_ENDPOINT_URL`; hence the setting `CONNECTIONS_ENDPOINT`). It was not run in AWS. The failures
that `doctor` reports are limitations of the emulator: it serves neither CloudFront nor Cognito over
HTTPS, and the schedule of `watch` had not run yet. Long lists are shortened (…).

"""


def recorded(command: str, environment: dict[str, str]) -> Iterator[str]:
    """Run a command; yield it, its output without repeated lines of lists, and its exit status."""
    yield f"$ {command}"
    arguments = shlex.split(command)
    program = {"python": sys.executable, "cfn-lint": str(Path(sys.executable).parent / "cfn-lint")}
    done = subprocess.run(
        [program[arguments[0]], *arguments[1:]],
        cwd=ROOT,
        env=environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=SECONDS,
        check=False,
    )
    for _, lines in groupby(done.stdout.splitlines(), key=lambda line: line.partition("  ")[0]):
        yield from _shortened(list(lines))
    yield f"exit status {done.returncode}"
    yield ""


def _shortened(lines: list[str]) -> list[str]:
    return lines if len(lines) <= FIRST + LAST else [*lines[:FIRST], "…", *lines[-LAST:]]


def script(build: Path) -> list[str]:
    """Return the commands, of which `package` writes to a folder."""
    groups = shlex.quote('GROUP_PREFIXES={"acme": ["acme-"]}')
    return [
        f"python -m dashboard deploy {STAGE} {NEW} --plan",
        f"python -m dashboard deploy {STAGE} {NEW} --alarm-email {OPERATOR} --set {ENDPOINT}",
        f"python -m dashboard users add ann@example.com --group acme {STAGE}",
        f"python -m dashboard users list {STAGE}",
        f"python -m dashboard share add spring-sale --days 14 {STAGE}",
        f"python -m dashboard share list {STAGE}",
        f"python -m dashboard doctor {STAGE} --no-mail",
        f"python -m dashboard deploy {STAGE} --set RETENTION_DAYS=120 --set {groups}",
        f"python -m dashboard recount --all {STAGE}",
        f"python -m dashboard forget ada@example.com --dry-run {STAGE}",
        f"python -m dashboard destroy {STAGE}",
        f"python -m dashboard destroy {STAGE} --yes",
        f"python -m dashboard deploy {STAGE} --set RETENTION_DAYS=120",
        f"python -m dashboard destroy {STAGE} --delete-data --yes",
        f"python -m dashboard destroy {STAGE} --yes",
        f"python -m dashboard package {STAGE} --out {build}",
        f"cfn-lint {build}/functions.json",
    ]


@click.command()
def main() -> None:
    """Record the transcript."""
    with tempfile.TemporaryDirectory() as scratch:
        account = live.Live(Path(scratch) / "state", "--no-demo", python=sys.executable)
        build = Path(scratch) / "build"
        environment = {
            **commands.without_aws(),
            **credentials(account.info["endpoint_url"]),
            "AWS_DEFAULT_REGION": REGION,
            "COLUMNS": "200",
        }
        try:
            lines = [line for one in script(build) for line in recorded(one, environment)]
        finally:
            account.stop()
    text = "\n".join(lines).replace(str(build), "build").rstrip()
    head = HEAD.format(date=datetime.now(UTC).date())
    TRANSCRIPT.write_text(f"{head}```console\n{text}\n```\n")


if __name__ == "__main__":
    main()

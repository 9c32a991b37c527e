"""Run Chalice, and do not believe it when it says that all is well."""

import shutil
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

from chalicelib.errors import CommandError

# What it says before it goes on with functions that cannot work.
_WITHOUT_PACKAGES = "Could not install dependencies"


def run(build: Path, arguments: list[str], environment: Mapping[str, str], log: Path) -> None:
    """Run a command of Chalice.

    Args:
        build: the folder that `functions.prepare` filled.
        arguments: such as `["deploy", "--stage", "prod"]`.
        environment: the environment to run it in; it decides which account is meant.
        log: where to put what Chalice says.

    Raises:
        CommandError: Chalice failed, or left packages out; says its last words and where to find
            the others.
    """
    command = [sys.executable, "-c", "import sys, chalice.cli; sys.exit(chalice.cli.main())"]
    with log.open("w") as output:
        status = subprocess.run(
            [*command, *arguments],
            cwd=build,
            env=dict(environment),
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            check=False,
        ).returncode
    said = log.read_text()
    if status != 0:
        last_words = " ".join(said.strip().split("\n\n")[-1].split())
        raise CommandError(
            f"`chalice {arguments[0]}` ended with status {status}: {last_words[-500:]} (see {log})"
        )
    if _WITHOUT_PACKAGES in said:
        # Chalice keeps what it packed, and would take it the next time without a word.
        shutil.rmtree(build / ".chalice" / "deployments")
        raise CommandError(
            "Chalice found no build for Lambda's machines of what requirements.txt names, and went "
            f"on without it (see {log}): look whether pip can reach PyPI, and run this again"
        )

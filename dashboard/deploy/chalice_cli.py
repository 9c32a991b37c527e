"""Run Chalice."""

import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

from chalicelib.errors import CommandError


def run(build: Path, arguments: list[str], environment: Mapping[str, str], log: Path) -> None:
    """Run a command of Chalice.

    Args:
        build: the folder that `functions.prepare` filled.
        arguments: such as `["deploy", "--stage", "prod"]`.
        environment: the environment to run it in; it decides which account is meant.
        log: where to put what Chalice says.

    Raises:
        CommandError: Chalice failed; says its last words and where to find the others.
    """
    command = [sys.executable, "-c", "import sys, chalice.cli; sys.exit(chalice.cli.main())"]
    with log.open("w") as output:
        status = subprocess.run(
            [*command, *arguments],
            cwd=build,
            # Chalice imports app.py, and would take what Python leaves beside it for our code.
            env={**environment, "PYTHONDONTWRITEBYTECODE": "1"},
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            check=False,
        ).returncode
    if status != 0:
        last_words = " ".join(log.read_text().strip().split("\n\n")[-1].split())
        raise CommandError(
            f"`chalice {arguments[0]}` ended with status {status}: {last_words[-500:]} (see {log})"
        )

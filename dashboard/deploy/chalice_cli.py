"""Run Chalice."""

import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

from chalicelib.errors import CommandError


def run(build: Path, arguments: list[str], environment: Mapping[str, str], log: Path) -> None:
    """Run a Chalice command.

    Args:
        build: the folder that `chalice_project.prepare` filled.
        arguments: such as `["deploy", "--stage", "prod"]`.
        environment: the environment of the process; it selects the account.
        log: the file that receives Chalice's output.

    Raises:
        CommandError: Chalice failed; the message has the end of its output and the path of the log.
    """
    command = [sys.executable, "-c", "import sys, chalice.cli; sys.exit(chalice.cli.main())"]
    with log.open("w") as output:
        status = subprocess.run(
            [*command, *arguments],
            cwd=build,
            # Chalice imports app.py, and would package any __pycache__ that Python leaves next to
            # it.
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

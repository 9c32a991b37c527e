"""An engineer at a terminal, with credentials of the account that an emulator stands for."""

import os
import subprocess
import sys
from dataclasses import dataclass

from dashboard.paths import PROJECT

# Where API Gateway takes messages for its connections, on the emulator.
LOCAL_CONNECTIONS = "CONNECTIONS_ENDPOINT={endpoint}/_aws/execute-api/{api_id}/{stage}"
REGION = ("--region", "us-east-1")


@dataclass(frozen=True)
class Operator:
    """Runs commands of Mailpulse."""

    endpoint_url: str

    def run(self, command: str, *arguments: str, answer: str | None = None) -> tuple[int, str, str]:
        """Run one command; give its status, standard output and standard error."""
        kept = {name: value for name, value in os.environ.items() if not name.startswith("AWS_")}
        done = subprocess.run(
            [sys.executable, "-m", "dashboard", *command.split(), *arguments],
            cwd=PROJECT,
            env=kept
            | {
                "AWS_ENDPOINT_URL": self.endpoint_url,
                "AWS_ACCESS_KEY_ID": "test",
                "AWS_SECRET_ACCESS_KEY": "test",
                "AWS_CONFIG_FILE": os.devnull,
                "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
            },
            input=answer,
            stdin=subprocess.DEVNULL if answer is None else None,
            capture_output=True,
            text=True,
            check=False,
            timeout=240,
        )
        return done.returncode, done.stdout, done.stderr

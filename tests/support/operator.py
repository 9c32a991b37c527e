"""Run commands as an engineer with credentials of the emulated account."""

import os
import platform
import pty
from collections.abc import Mapping
from dataclasses import dataclass

from support import commands

# The emulator's endpoint of API Gateway's management API.
LOCAL_CONNECTIONS = "CONNECTIONS_ENDPOINT={endpoint}/_aws/execute-api/{api_id}/{stage}"
REGION = ("--region", "us-east-1")
# Functions run on this host, which must be able to import their cryptography.
HERE = (
    "--architecture",
    "arm64" if platform.machine() in {"arm64", "aarch64"} else "x86_64",
)


def credentials(endpoint_url: str) -> Mapping[str, str]:
    """Return an engineer's environment, without any AWS configuration files."""
    return {
        "AWS_ENDPOINT_URL": endpoint_url,
        "AWS_ACCESS_KEY_ID": "test",
        "AWS_SECRET_ACCESS_KEY": "test",
        "AWS_CONFIG_FILE": os.devnull,
        "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
    }


@dataclass(frozen=True)
class Operator:
    """Runs Mailpulse commands."""

    endpoint_url: str

    def run(self, *arguments: str, types: str | None = None) -> tuple[int, str, str]:
        """Run a command, with a terminal only if there is input; return status, output and error."""
        terminal, stdin = pty.openpty() if types else (None, None)
        if terminal is not None:
            os.write(terminal, f"{types}\n".encode())
        environment = {**commands.without_aws(), **credentials(self.endpoint_url)}
        command = commands.of_project().start(*arguments, environment=environment, stdin=stdin)
        stdout, stderr = command.communicate()
        if terminal is not None:
            os.close(terminal)
            os.close(stdin)
        return command.wait(), stdout, stderr

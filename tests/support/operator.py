"""An engineer at a terminal, with credentials of the account that an emulator stands for."""

import os
import platform
import pty
from collections.abc import Mapping
from dataclasses import dataclass

from support import commands

# Where API Gateway takes messages for its connections, on the emulator.
LOCAL_CONNECTIONS = "CONNECTIONS_ENDPOINT={endpoint}/_aws/execute-api/{api_id}/{stage}"
REGION = ("--region", "us-east-1")
# Functions run on this machine, and so must the cryptography that goes with them.
HERE = (
    "--architecture",
    "arm64" if platform.machine() in {"arm64", "aarch64"} else "x86_64",
)


def credentials(endpoint_url: str) -> Mapping[str, str]:
    """What stands in an engineer's environment, and no configuration beside it."""
    return {
        "AWS_ENDPOINT_URL": endpoint_url,
        "AWS_ACCESS_KEY_ID": "test",
        "AWS_SECRET_ACCESS_KEY": "test",
        "AWS_CONFIG_FILE": os.devnull,
        "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
    }


@dataclass(frozen=True)
class Operator:
    """Runs commands of Mailpulse."""

    endpoint_url: str

    def run(self, *arguments: str, types: str | None = None) -> tuple[int, str, str]:
        """Run one command, at no terminal unless they type; give status, output and error."""
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

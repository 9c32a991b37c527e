"""The configuration of the emulator, which it reads from its environment."""

import os

from dashboard.paths import StateDir

HOST = "127.0.0.1"
REGION = "us-east-1"
ACCESS_KEY = "test"

# The port in the emulator's queue URLs. They outlive a run, so it is a placeholder: clients use the
# port in the requests' Host header, functions the one in AWS_ENDPOINT_URL.
_PORT_IN_NAMES = "4566"


def emulator_environment(state: StateDir, endpoint_url: str) -> dict[str, str]:
    """Return the environment of ministack, which its Lambda workers inherit."""
    kept = {name: os.environ[name] for name in ("PATH", "HOME", "LANG", "TZ") if name in os.environ}
    return kept | {
        "BIND_HOST": HOST,
        "GATEWAY_PORT": _PORT_IN_NAMES,
        "AWS_ENDPOINT_URL": endpoint_url,
        "AWS_ACCESS_KEY_ID": ACCESS_KEY,
        "AWS_SECRET_ACCESS_KEY": ACCESS_KEY,
        "MINISTACK_REGION": REGION,
        "PERSIST_STATE": "1",
        "STATE_DIR": str(state.emulator),
        "S3_PERSIST": "1",
        "S3_DATA_DIR": str(state.objects),
        "TMPDIR": str(state.scratch),
        "LOG_LEVEL": "WARNING",
        # Disable unused listeners; the first would be open to the whole network.
        "IOT_MTLS_ENABLED": "0",
        "SFTP_ENABLED": "0",
        # Disable Docker: the emulator would look for containers of other emulators and remove them.
        "DOCKER_HOST": f"unix://{state.scratch / 'no-docker.sock'}",
    }

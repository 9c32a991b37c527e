"""AWS clients for local endpoints.

Regardless of the operator's AWS configuration, a local command must never reach a real account:
clients get their own endpoint, region and credentials, and child processes get an environment with
no others.
"""

import os
from functools import cache
from typing import Any

import botocore.config
import botocore.session

from dashboard.local.emulator.environment import ACCESS_KEY, REGION

# Keeps botocore from reading ~/.aws and the instance's own credentials.
_ISOLATION = {
    "AWS_ACCESS_KEY_ID": ACCESS_KEY,
    "AWS_SECRET_ACCESS_KEY": ACCESS_KEY,
    "AWS_DEFAULT_REGION": REGION,
    "AWS_CONFIG_FILE": os.devnull,
    "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
    "AWS_EC2_METADATA_DISABLED": "true",
}


def environment(endpoint_url: str) -> dict[str, str]:
    """Return the environment of a child process that can reach only the local endpoint."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("AWS_")}
    return kept | _ISOLATION | {"AWS_ENDPOINT_URL": endpoint_url}


class LocalSession:
    """Makes clients for one local endpoint.

    Attributes:
        endpoint_url: the endpoint.
        client: returns the client of a service, which is made once.
    """

    def __init__(self, endpoint_url: str) -> None:
        self.endpoint_url = endpoint_url
        self.client = cache(self._client)
        # A session without a profile: AWS_PROFILE may name one that does not exist here.
        self._session = botocore.session.Session(session_vars={"profile": (None, [], None, None)})
        self._session.set_config_variable("config_file", os.devnull)

    def _client(self, service: str) -> Any:
        """Return a client with short timeouts, because its endpoint is on this machine."""
        return self._session.create_client(
            service,
            region_name=REGION,
            endpoint_url=self.endpoint_url,
            aws_access_key_id=ACCESS_KEY,
            aws_secret_access_key=ACCESS_KEY,
            config=botocore.config.Config(
                connect_timeout=5,
                read_timeout=60,
                retries={"mode": "standard", "total_max_attempts": 3},
            ),
        )

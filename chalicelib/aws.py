"""The calls to AWS, each with its deadlines.

Everything above speaks the services' own JSON, and catches the errors of errors.py only.
"""

import threading
from collections.abc import Callable
from contextlib import suppress
from typing import Any, Literal

import boto3
from botocore.config import Config as ClientConfig
from botocore.exceptions import BotoCoreError, ClientError
from botocore.parsers import ResponseParserError

from chalicelib.config import Config
from chalicelib.errors import AwsError, ConditionFailed

# These services answer in milliseconds: what takes seconds has failed.
_QUICK_CALLS = ClientConfig(
    connect_timeout=2,
    read_timeout=5,
    parameter_validation=False,
    retries={"mode": "standard", "total_max_attempts": 4},
)
# A slow browser must not hold up the others: one attempt, and a short one.
_CONNECTION_CALLS = ClientConfig(
    connect_timeout=1,
    read_timeout=2,
    max_pool_connections=32,
    parameter_validation=False,
    retries={"total_max_attempts": 1},
)

# Beside the errors that a service reports itself: no connection, no answer in time, an answer that
# is not the service's.
_NO_ANSWER = (BotoCoreError, ResponseParserError)

Outcome = Literal["sent", "gone", "failed"]
"""What became of a message to a connection; `failed` may have arrived all the same."""


Clients = Callable[[str], Any]
"""Makes the boto3 client of a service, such as `dynamodb`."""


class Service:
    """Calls one service of AWS."""

    def __init__(self, name: str, clients: Clients) -> None:
        self._client = clients(name)

    def call(self, operation: str, **parameters: Any) -> dict[str, Any]:
        """Make one call, such as `update_item`; throttling and 5xx are tried again first.

        Raises:
            ConditionFailed: a condition did not hold; has the item as it was found.
            AwsError: anything else that kept failing.
        """
        try:
            response: dict[str, Any] = getattr(self._client, operation)(**parameters)
        except ClientError as error:
            code = error.response["Error"]["Code"]
            if code == "ConditionalCheckFailedException":
                raise ConditionFailed(error.response.get("Item", {})) from error
            raise AwsError(code, f"{operation} failed: {error}") from error
        except _NO_ANSWER as error:
            raise AwsError(error.__class__.__name__, f"{operation} failed: {error}") from error
        return response


def clients(config: Config) -> Clients:
    """Make clients for a function: its region, its role, and AWS_ENDPOINT_URL where it is set."""
    return lambda name: boto3.client(name, region_name=config.region, config=_QUICK_CALLS)


class Connections:
    """Posts to the WebSocket connections of API Gateway."""

    def __init__(self, config: Config) -> None:
        self._config = config
        self._clients: dict[str, Any] = {}
        self._lock = threading.Lock()

    def post(self, endpoint: str, connection_id: str, frame: str) -> Outcome:
        """Send one frame.

        Args:
            endpoint: API id and stage, such as `a1b2c3/api`; each row of a subscription has it.
            connection_id: API Gateway's name of the connection.
            frame: a text of at most 32 KB.
        """
        client = self._client(endpoint)
        try:
            client.post_to_connection(ConnectionId=connection_id, Data=frame.encode())
        except ClientError as error:
            gone = error.response["ResponseMetadata"]["HTTPStatusCode"] == 410  # noqa: PLR2004
            return "gone" if gone else "failed"
        except _NO_ANSWER:
            return "failed"
        return "sent"

    def close(self, endpoint: str, connection_id: str) -> None:
        """End a connection. One that cannot be ended now hears nothing more, and dies idle."""
        client = self._client(endpoint)
        with suppress(ClientError, *_NO_ANSWER):
            client.delete_connection(ConnectionId=connection_id)

    def _client(self, endpoint: str) -> Any:
        with self._lock:
            if endpoint not in self._clients:
                self._clients[endpoint] = boto3.client(
                    "apigatewaymanagementapi",
                    region_name=self._config.region,
                    endpoint_url=self._config.connections_url(endpoint),
                    config=_CONNECTION_CALLS,
                )
            return self._clients[endpoint]

"""AWS through boto3, for operators: with their profiles and their single sign-on.

The functions have a client of their own, chalicelib/aws/client.py.
"""

from collections.abc import Callable
from contextlib import suppress
from typing import Any

import boto3
from botocore.exceptions import BotoCoreError, ClientError
from botocore.parsers import ResponseParserError

from chalicelib.aws.client import Services
from chalicelib.errors import AwsError, ConditionFailed
from chalicelib.live.gateway import ManagementApi

Clients = Callable[..., Any]
"""Makes the boto3 client of a service, such as `dynamodb`; `region_name` means another region."""

# Beside the errors that a service reports itself: no connection, no answer in time, an answer that
# is not the service's.
_NO_ANSWER = (BotoCoreError, ResponseParserError)


class Service:
    """Calls one service of AWS, as chalicelib.aws.client.Service has it."""

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


def services(clients: Clients) -> Services:
    """Give services by an operator's clients."""
    return lambda name: Service(name, clients)


class OperatorManagementApi(ManagementApi):
    """The WebSocket connections of API Gateway, which an operator's command may end."""

    def close(self, endpoint: str, connection_id: str) -> None:
        """End a connection. One that cannot be ended now hears nothing more, and dies idle."""
        client = boto3.client(
            "apigatewaymanagementapi",
            region_name=self._config.region,
            endpoint_url=self._config.connections_url(endpoint),
        )
        with suppress(ClientError, *_NO_ANSWER):
            client.delete_connection(ConnectionId=connection_id)

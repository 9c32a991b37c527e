"""boto3 clients for operators, with their profiles and single sign-on.

The functions use their own client, chalicelib/aws/client.py.
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
"""Makes the boto3 client of a service, such as `dynamodb`; `region_name` selects another region."""

# Errors without a valid response from the service: no connection, a timeout, an unparsable
# response.
_NO_ANSWER = (BotoCoreError, ResponseParserError)


class Service:
    """Calls one AWS service, with the interface of chalicelib.aws.client.Service."""

    def __init__(self, name: str, clients: Clients) -> None:
        self._client = clients(name)

    def call(self, operation: str, **parameters: Any) -> Any:
        """Make one call, such as `update_item`, retrying on throttling and 5xx.

        Raises:
            ConditionFailed: a condition did not hold; has the existing item.
            AwsError: the call failed for another reason, after any retries.
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
    """Return services that use an operator's clients."""
    return lambda name: Service(name, clients)


class OperatorManagementApi(ManagementApi):
    """API Gateway's management API of WebSocket connections, for use by an operator's command."""

    def close(self, endpoint: str, connection_id: str) -> None:
        """Close a connection. If that fails, it receives no more pushes and times out."""
        client = boto3.client(
            "apigatewaymanagementapi",
            region_name=self._config.region,
            endpoint_url=self._config.connections_url(endpoint),
        )
        with suppress(ClientError, *_NO_ANSWER):
            client.delete_connection(ConnectionId=connection_id)

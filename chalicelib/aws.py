"""The calls to AWS: DynamoDB, SQS and the connections of API Gateway, each with its deadlines.

Everything above speaks DynamoDB's own JSON, and catches the errors of errors.py only.
"""

import threading
from typing import Any, Literal

import boto3
from botocore.config import Config as ClientConfig
from botocore.exceptions import BotoCoreError, ClientError

from chalicelib.config import Config
from chalicelib.errors import AwsError, ConditionFailed

# DynamoDB and SQS answer in milliseconds: what takes seconds has failed.
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

Outcome = Literal["sent", "gone", "failed"]
"""What became of a message to a connection; `failed` may have arrived all the same."""


class Dynamo:
    """Calls DynamoDB."""

    def __init__(self, config: Config) -> None:
        self._client = _client("dynamodb", config, config.endpoint_url, _QUICK_CALLS)

    def call(self, operation: str, **parameters: Any) -> dict[str, Any]:
        """Make one call, such as `update_item`; throttling and 5xx are tried again first.

        Raises:
            ConditionFailed: a condition did not hold; has the item as it was found.
            AwsError: anything else that kept failing.
        """
        try:
            response: dict[str, Any] = getattr(self._client, operation)(**parameters)
        except ClientError as error:
            if error.response["Error"]["Code"] == "ConditionalCheckFailedException":
                raise ConditionFailed(error.response.get("Item", {})) from error
            raise _aws_error(operation, error) from error
        except BotoCoreError as error:
            raise _aws_error(operation, error) from error
        return response


class Queue:
    """Sends to SQS."""

    def __init__(self, config: Config) -> None:
        self._client = _client("sqs", config, config.endpoint_url, _QUICK_CALLS)

    def send(self, queue_url: str, body: str, attributes: dict[str, str]) -> None:
        """Send one message with text attributes.

        Raises:
            AwsError: it was not taken.
        """
        try:
            self._client.send_message(
                QueueUrl=queue_url,
                MessageBody=body,
                MessageAttributes={
                    name: {"DataType": "String", "StringValue": value}
                    for name, value in attributes.items()
                },
            )
        except (ClientError, BotoCoreError) as error:
            raise _aws_error("send_message", error) from error


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
        except BotoCoreError:
            return "failed"
        return "sent"

    def _client(self, endpoint: str) -> Any:
        with self._lock:
            if endpoint not in self._clients:
                self._clients[endpoint] = _client(
                    "apigatewaymanagementapi",
                    self._config,
                    self._config.connections_url(endpoint),
                    _CONNECTION_CALLS,
                )
            return self._clients[endpoint]


def _client(service: str, config: Config, endpoint_url: str | None, calls: ClientConfig) -> Any:
    return boto3.client(service, region_name=config.region, endpoint_url=endpoint_url, config=calls)


def _aws_error(operation: str, error: Exception) -> AwsError:
    code = error.__class__.__name__
    if isinstance(error, ClientError):
        code = error.response["Error"]["Code"]
    return AwsError(code, f"{operation} failed: {error}")

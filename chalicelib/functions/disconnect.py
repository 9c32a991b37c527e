"""Lambda function disconnect: remove what is stored of a WebSocket connection."""

import time
from collections.abc import Callable, Mapping
from functools import cache
from typing import Any

from chalicelib.aws.client import Services, TimeLimit
from chalicelib.aws.client import services as aws_services
from chalicelib.config import Config, load
from chalicelib.live.subscriptions import Subscriptions
from chalicelib.log import log


def build(
    config: Config, *, services: Services | None = None, clock: Callable[[], float] = time.time
) -> Subscriptions:
    """Build the subscriptions table over AWS's services."""
    dynamo = (services or aws_services(config, TimeLimit()))("dynamodb")
    return Subscriptions(dynamo, config.subscriptions_table, clock=clock)


@cache
def function() -> Subscriptions:
    """Return this process's subscriptions table, built from its environment."""
    return build(load())


def handler(event: Mapping[str, Any]) -> None:
    """Remove a connection's rows.

    API Gateway makes a best effort to call this; rows that it does not remove expire.
    https://docs.aws.amazon.com/apigateway/latest/developerguide/apigateway-websocket-api-route-keys-connect-disconnect.html
    """
    connection_id = event["requestContext"]["connectionId"]
    function().forget(connection_id)
    log("disconnect", connection=connection_id)

"""Remove the stored state of a closed WebSocket connection."""

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
    """Build the subscriptions table and its AWS client."""
    dynamo = (services or aws_services(config, TimeLimit()))("dynamodb")
    return Subscriptions(dynamo, config.subscriptions_table, clock=clock)


@cache
def function() -> Subscriptions:
    """Return this process's subscriptions table, configured from the environment."""
    return build(load())


def handler(event: Mapping[str, Any]) -> None:
    """Remove a connection's rows.

    API Gateway invokes this on a best-effort basis; rows that are not removed expire.
    https://docs.aws.amazon.com/apigateway/latest/developerguide/apigateway-websocket-api-route-keys-connect-disconnect.html
    """
    connection_id = event["requestContext"]["connectionId"]
    function().forget(connection_id)
    log("disconnect", connection=connection_id)

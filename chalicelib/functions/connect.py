"""Lambda function connect: accept a WebSocket connection, or refuse it."""

import time
from collections.abc import Callable, Mapping
from functools import cache
from typing import Any

from chalicelib.auth import authenticator
from chalicelib.auth.authenticator import Authenticator
from chalicelib.aws.client import Services, TimeLimit
from chalicelib.aws.client import services as aws_services
from chalicelib.config import Config, load
from chalicelib.errors import Forbidden, Unauthorized
from chalicelib.live.permissions import Connection
from chalicelib.live.subscriptions import Subscriptions
from chalicelib.log import log

SUBPROTOCOL = "mailpulse.v1"


def build(
    config: Config, *, services: Services | None = None, clock: Callable[[], float] = time.time
) -> Authenticator | None:
    """Build what admits connections; None if anyone may connect."""
    dynamo = (services or aws_services(config, TimeLimit()))("dynamodb")
    subscriptions = Subscriptions(dynamo, config.subscriptions_table, clock=clock)
    return authenticator.build(config, dynamo, subscriptions, clock, loads_verifier=True)


@cache
def function() -> Authenticator | None:
    """Return this process's function, built from its environment."""
    return build(load())


def handler(event: Mapping[str, Any]) -> dict[str, Any]:
    """Accept a connection or refuse it; nothing can be sent to it before the handshake has ended.

    A client that offers our subprotocol is answered with it alone, and never with the token that it
    offers beside it.
    """
    headers = {name.lower(): value for name, value in (event.get("headers") or {}).items()}
    offered = [one.strip() for one in headers.get("sec-websocket-protocol", "").split(",")]
    connection = Connection.of(event["requestContext"])
    viewer = None
    if (sign_in := function()) is not None:
        # A raised error would be a 502: https://github.com/aws/chalice/issues/1772
        try:
            viewer = sign_in.admit(connection, offered, headers.get("origin")).subject
        except Unauthorized as error:
            log("refused", connection=connection.id, reason=str(error))
            return {"statusCode": 403 if isinstance(error, Forbidden) else 401}
    log("connect", connection=connection.id, viewer=viewer)
    if SUBPROTOCOL in offered:
        return {"statusCode": 200, "headers": {"Sec-WebSocket-Protocol": SUBPROTOCOL}}
    return {"statusCode": 200}

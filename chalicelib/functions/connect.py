"""Accept or reject a WebSocket connection."""

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
    """Build the authenticator; return None if every connection is accepted."""
    dynamo = (services or aws_services(config, TimeLimit()))("dynamodb")
    subscriptions = Subscriptions(dynamo, config.subscriptions_table, clock=clock)
    return authenticator.build(config, dynamo, subscriptions, clock, loads_verifier=True)


@cache
def function() -> Authenticator | None:
    """Return this process's authenticator, configured from the environment."""
    return build(load())


def handler(event: Mapping[str, Any]) -> dict[str, Any]:
    """Accept or reject a connection. No message can be sent to it before the handshake has ended.

    If the client offers this API's subprotocol, the response contains that subprotocol alone, never
    the token that the client offers in the same header.
    """
    headers = {name.lower(): value for name, value in (event.get("headers") or {}).items()}
    offered = [one.strip() for one in headers.get("sec-websocket-protocol", "").split(",")]
    connection = Connection.of(event["requestContext"])
    viewer = None
    if (sign_in := function()) is not None:
        # An exception would become a 502: https://github.com/aws/chalice/issues/1772
        try:
            viewer = sign_in.admit(connection, offered, headers.get("origin")).subject
        except Unauthorized as error:
            log("refused", connection=connection.id, reason=str(error))
            return {"statusCode": 403 if isinstance(error, Forbidden) else 401}
    log("connect", connection=connection.id, viewer=viewer)
    if SUBPROTOCOL in offered:
        return {"statusCode": 200, "headers": {"Sec-WebSocket-Protocol": SUBPROTOCOL}}
    return {"statusCode": 200}

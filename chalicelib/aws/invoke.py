"""Invocations of the function that this process runs: what they do, it need not wait for.

https://docs.aws.amazon.com/lambda/latest/api/API_Invoke.html
"""

import ssl
import time
from collections.abc import Callable
from urllib.parse import quote

from chalicelib.aws.client import SignedRequests
from chalicelib.aws.connection_pool import Timeouts
from chalicelib.config import Config
from chalicelib.errors import ConfigError

# Lambda only takes the event in. Whoever waits here holds a shard, and can do the work itself.
_DEADLINES = Timeouts(connect=1, answer=2)


class Invocations:
    """Invokes this very function, asynchronously.

    Args:
        config: says which it is, and where Lambda is.
        deadlines: of each attempt.
        context: what TLS connections are verified by, where not as usual.
        clock: epoch seconds.
        pause: waits some seconds.

    Raises:
        ConfigError: it is not known which function this is.
    """

    def __init__(
        self,
        config: Config,
        *,
        deadlines: Timeouts = _DEADLINES,
        context: Callable[[str], ssl.SSLContext] | None = None,
        clock: Callable[[], float] = time.time,
        pause: Callable[[float], None] = time.sleep,
    ) -> None:
        if not config.function_name:
            raise ConfigError(
                "AWS_LAMBDA_FUNCTION_NAME is not set: only where Lambda sets it can a function "
                "invoke itself"
            )
        name = quote(config.function_name, safe="")
        self._path = f"/2015-03-31/functions/{name}/invocations"
        self._lambda = SignedRequests(
            "lambda", config, deadlines=deadlines, context=context, clock=clock, pause=pause
        )

    def invoke(self, event: bytes) -> None:
        """Have an event worked off by an invocation of its own; Lambda tries it three times.

        Args:
            event: JSON, of at most 1 MB.

        Raises:
            AwsError: Lambda kept refusing it, or not answering; it may have taken it all the same.
        """
        headers = ("content-type", "application/json"), ("x-amz-invocation-type", "Event")
        self._lambda.post("invoke", self._path, headers, event)

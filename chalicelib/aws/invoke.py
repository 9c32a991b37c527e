"""Asynchronous invocations of a function of the same stage.

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

# Lambda only queues the event. The caller blocks a shard meanwhile, and can do the work itself.
_DEADLINES = Timeouts(connect=1, answer=2)


class Invocations:
    """Client that invokes a function asynchronously.

    Args:
        config: provides the name of the function that runs in this process, which contains the
            stage, and Lambda's endpoint.
        function: the function's name in app.py.
        deadlines: timeouts of each attempt.
        context: returns the SSL context that verifies the server's certificate; None for the
            default.
        clock: returns epoch seconds.
        pause: sleeps for a number of seconds.

    Raises:
        ConfigError: the name of the function that runs in this process is not set.
    """

    def __init__(  # noqa: PLR0913 - all but two have defaults
        self,
        config: Config,
        function: str,
        *,
        deadlines: Timeouts = _DEADLINES,
        context: Callable[[str], ssl.SSLContext] | None = None,
        clock: Callable[[], float] = time.time,
        pause: Callable[[float], None] = time.sleep,
    ) -> None:
        if not config.function_name:
            raise ConfigError(
                "AWS_LAMBDA_FUNCTION_NAME is not set: functions are invoked only from Lambda"
            )
        stage = config.function_name.rpartition("-")[0]  # such as mailpulse-dev
        name = quote(f"{stage}-{function}", safe="")
        self._path = f"/2015-03-31/functions/{name}/invocations"
        self._lambda = SignedRequests(
            "lambda", config, deadlines=deadlines, context=context, clock=clock, pause=pause
        )

    def invoke(self, event: bytes) -> None:
        """Invoke the function with an event; Lambda attempts it up to three times.

        Args:
            event: JSON of at most 1 MB.

        Raises:
            AwsError: Lambda rejected the event or did not respond, after retries; it may have
                accepted the event anyway.
        """
        headers = ("content-type", "application/json"), ("x-amz-invocation-type", "Event")
        self._lambda.post("invoke", self._path, headers, event)

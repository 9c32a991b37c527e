"""Push changes of the stats table to viewers whose page is visible, but who do not look at it.

The function reads the same stream as publish, with a longer batching window: these viewers receive
the changes of a few seconds in one push.
"""

from collections.abc import Mapping
from typing import Any

from chalicelib.functions.publish import function


def handler(event: Mapping[str, Any]) -> None:
    """Push a batch of the stats table's stream to visible viewers.

    Raises:
        AwsError: subscribers could not be read, the rate limiter failed, or a missed push could not
            be recorded. Lambda retries the event; a repeated push is harmless.
    """
    function().batch(event["Records"], "visible")

"""Shorten the waits of a command under test by SLEEP_FACTOR.

Python imports this module at startup if its folder is on PYTHONPATH.
"""

import os
import time

_factor = float(os.environ.get("SLEEP_FACTOR", "1"))
_sleep = time.sleep


def _shortened(seconds: float) -> None:
    _sleep(seconds * _factor)


time.sleep = _shortened

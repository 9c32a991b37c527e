"""Shortens the waits of a command that a test runs: SLEEP_FACTOR is their new length.

Python imports this module at its start where its folder is on PYTHONPATH.
"""

import os
import time

_factor = float(os.environ.get("SLEEP_FACTOR", "1"))
_sleep = time.sleep


def _shortened(seconds: float) -> None:
    _sleep(seconds * _factor)


time.sleep = _shortened

"""A Python interpreter whose wall clock can be set, also in its child processes."""

import sys
from pathlib import Path

# Python imports it at startup, because its folder is on the path.
_SITECUSTOMIZE = """
import sys, time
real = time.time
def of_the_machine():
    with open({offset!r}) as file:
        return real() + float(file.read())
time.time = of_the_machine
sys.executable = {python!r}
"""


class Clock:
    """The wall clock of a host.

    Attributes:
        python: the interpreter with this clock, for `sys.executable`.
    """

    def __init__(self, folder: Path) -> None:
        folder.mkdir()
        self._offset = folder / "offset"
        self.step_to(0)
        python = folder / "python"
        self.python = str(python)
        code = _SITECUSTOMIZE.format(offset=str(self._offset), python=self.python)
        (folder / "sitecustomize.py").write_text(code)
        python.write_text(f'#!/bin/sh\nPYTHONPATH={folder} exec {sys.executable} "$@"\n')
        python.chmod(0o755)

    def step_to(self, seconds: float) -> None:
        """Set the clock this many seconds ahead of the real one; behind it if negative."""
        replacement = self._offset.with_suffix(".new")
        replacement.write_text(str(seconds))
        replacement.replace(self._offset)

"""A Python whose wall clock can be set, in each process that it starts as well."""

import sys
from pathlib import Path

# Imported by Python at each start, because its folder is on the path.
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
    """The wall clock of a machine.

    Attributes:
        python: the interpreter that sees it, for `sys.executable`.
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
        """Set it as many seconds ahead of the real clock, or behind it."""
        replacement = self._offset.with_suffix(".new")
        replacement.write_text(str(seconds))
        replacement.replace(self._offset)

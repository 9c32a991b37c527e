"""Say what is being done and how long it took, on standard error."""

import time
from collections.abc import Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.status import Status
from rich.text import Text


class Step:
    """A piece of work that is under way; set `result` to say more about it than its title."""

    def __init__(self, title: str, status: Status) -> None:
        self.result = title
        self._title = title
        self._status = status

    def progress(self, text: str) -> None:
        """Show how far it is, where there is a terminal to show it."""
        self._status.update(Text(f"{self._title} … {text}"))


class Steps:
    """The steps of a command: a spinner on a terminal, one line each when done.

    A line reads `✓ The functions are deployed  2.1 s`; times are in seconds.
    """

    def __init__(self, console: Console | None = None) -> None:
        self._console = console or Console(stderr=True, highlight=False)
        self._started = time.monotonic()

    @property
    def elapsed(self) -> float:
        """Seconds since the command began."""
        return time.monotonic() - self._started

    @contextmanager
    def step(self, title: str) -> Iterator[Step]:
        """Show `title` while the work is done, then its result with the time it took."""
        started = time.monotonic()
        try:
            with self._console.status(Text(f"{title} …")) as status:
                step = Step(title, status)
                yield step
        except BaseException:
            self._line("✗", "red", title, time.monotonic() - started)
            raise
        self._line("✓", "green", step.result, time.monotonic() - started)

    def say(self, text: str) -> None:
        """Say something that is no step."""
        self._console.print(Text(text), soft_wrap=True)

    def warn(self, text: str) -> None:
        """Say something that the operator should know."""
        line = Text.assemble(("! ", "yellow"), text)
        self._console.print(line, soft_wrap=True)

    def _line(self, mark: str, style: str, text: str, seconds: float) -> None:
        line = Text.assemble((mark, style), f" {text}", (f"  {seconds:.1f} s", "dim"))
        self._console.print(line, soft_wrap=True)

"""Report the steps of a command and their durations on standard error."""

import time
from collections.abc import Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.status import Status
from rich.text import Text

_LINE_EVERY_SECONDS = 5.0


class Step:
    """A step in progress; set `result` to replace its title when it is done."""

    def __init__(self, title: str, status: Status) -> None:
        self.result = title
        self._title = title
        self._status = status
        self._printed_at = time.monotonic()

    def progress(self, text: str, *, at_once: bool = False) -> None:
        """Show the progress: immediately on a terminal; elsewhere as a line, at most every 5 s.

        Args:
            text: the progress.
            at_once: whether to print a line even if the last one is more recent.
        """
        self._status.update(Text(f"{self._title} … {text}"))
        console, now = self._status.console, time.monotonic()
        if not console.is_terminal and (at_once or now - self._printed_at >= _LINE_EVERY_SECONDS):
            console.print(Text(f"… {text}"), soft_wrap=True)
            self._printed_at = now


class Reporter:
    """The steps of a command: a spinner on a terminal, one line each when done.

    A line reads `✓ Deploy the functions  2.1 s`; times are in seconds.
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
        """Show `title` during the block, then its result with the duration."""
        started = time.monotonic()
        try:
            with self._console.status(Text(f"{title} …")) as status:
                step = Step(title, status)
                yield step
        except BaseException:
            self._line("✗", "red", title, time.monotonic() - started)
            raise
        self._line("✓", "green", step.result, time.monotonic() - started)

    def info(self, text: str) -> None:
        """Print a message that is not a step."""
        self._console.print(Text(text), soft_wrap=True)

    def warn(self, text: str) -> None:
        """Print a warning."""
        line = Text.assemble(("! ", "yellow"), text)
        self._console.print(line, soft_wrap=True)

    def _line(self, mark: str, style: str, text: str, seconds: float) -> None:
        line = Text.assemble((mark, style), f" {text}", (f"  {seconds:.1f} s", "dim"))
        self._console.print(line, soft_wrap=True)

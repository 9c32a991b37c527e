"""The progress of a step, with and without a terminal."""

import io

import pytest
from rich.console import Console

from dashboard import progress
from dashboard.progress import Reporter


class Clock:
    """A clock that a test sets."""

    def __init__(self):
        self.now = 0.0

    def monotonic(self):
        return self.now


@pytest.fixture
def clock(monkeypatch):
    clock = Clock()
    monkeypatch.setattr(progress, "time", clock)
    return clock


@pytest.fixture
def printed():
    return io.StringIO()


def test_progress_is_printed_at_most_every_5_seconds(clock, printed):
    with Reporter(Console(file=printed)).step("Working") as step:
        for second in range(1, 13):
            clock.now = second
            step.progress(f"{second} s")

    assert printed.getvalue().splitlines() == ["… 5 s", "… 10 s", "✓ Working  12.0 s"]


def test_urgent_progress_is_printed_at_once(clock, printed):
    with Reporter(Console(file=printed)).step("Working") as step:
        step.progress("nothing new")
        step.progress("new", at_once=True)
        clock.now = 4.9
        step.progress("nothing new")

    assert printed.getvalue().splitlines() == ["… new", "✓ Working  4.9 s"]


def test_progress_on_a_terminal_leaves_no_lines(clock, printed):
    with Reporter(Console(file=printed, force_terminal=True)).step("Working") as step:
        clock.now = 60
        step.progress("much", at_once=True)

    assert not [line for line in printed.getvalue().splitlines() if line.startswith("… much")]

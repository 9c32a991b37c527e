"""Run tasks that mostly wait for AWS side by side, in a few threads."""

import threading
from collections import deque
from collections.abc import Callable, Iterable

# More gain nothing: with 512 MB a function has 0.29 of a processor, which eight requests keep busy.
_THREADS = 8

Task = Callable[[], None]
Run = Callable[[Iterable[Task]], None]
"""Runs tasks and returns when all have ended; raises the first error that one of them raised."""


def in_threads(tasks: Iterable[Task]) -> None:
    """Run tasks side by side; this thread runs some of them, too."""
    waiting = deque(tasks)
    errors: list[BaseException] = []

    def work() -> None:
        while True:
            try:
                task = waiting.popleft()
            except IndexError:
                return
            try:
                task()
            except BaseException as error:  # noqa: BLE001 - raised below, in the caller's thread
                errors.append(error)

    threads = [threading.Thread(target=work) for _ in range(min(_THREADS, len(waiting)) - 1)]
    for thread in threads:
        thread.start()
    work()
    for thread in threads:
        thread.join()
    if errors:
        raise errors[0]

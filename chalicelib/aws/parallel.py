"""Run tasks that mostly wait for AWS in a few parallel threads."""

import threading
from collections import deque
from collections.abc import Callable, Iterable

# More threads gain nothing: a function with 512 MB has 0.29 of a CPU, which eight requests keep
# busy.
_THREADS = 8

Task = Callable[[], None]
Run = Callable[[Iterable[Task]], None]
"""Runs tasks and returns when all have ended; raises the first error that a task raised."""


def in_threads(tasks: Iterable[Task]) -> None:
    """Run tasks in parallel, some of them in the current thread."""
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

"""Tests do not replace the clock of the whole process, and each file has a name of its own."""

import re
from collections import Counter
from pathlib import Path

TESTS = Path(__file__).parents[1]

# A thread that a test has left behind and that loops over `time.sleep` would advance the fake clock
# of a later test by years.
OF_THE_PROCESS = re.compile(r"setattr\((?:\w+\.)*time, \"(?:sleep|monotonic|perf_counter)\"")


def test_no_test_replaces_the_waiting_of_other_threads():
    found = [path.name for path in TESTS.rglob("*.py") if OF_THE_PROCESS.search(path.read_text())]

    assert found == []


def test_such_a_replacement_is_recognized():
    for name in ("module.time", "time"):
        assert OF_THE_PROCESS.search(f'monkeypatch.setattr({name}, "sleep", fake)')


def test_no_two_files_of_tests_have_the_same_name():
    """Pytest imports them by their names, and reports the second one as an error."""
    names = Counter(path.name for path in TESTS.rglob("test_*.py"))

    assert [name for name, files in names.items() if files > 1] == []

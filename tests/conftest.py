"""Settings of all tests."""

import os
from pathlib import Path

import pytest
from hypothesis import settings

# A machine that is busy is slow, and no example is wrong for that. `make soak` runs many more.
settings.register_profile("default", deadline=None, max_examples=30)
settings.register_profile("soak", deadline=None, max_examples=1000)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "default"))

TESTS = Path(__file__).parent

# Where there are several processes, what takes longest begins first, and what is short comes last:
# they end at the same time.
ORDER = ("e2e", "browser", "integration", "laws", "unit")


def pytest_collection_modifyitems(items):
    """Give each file to one process (`-n`), unless its tests have a group that shares more."""
    for item in items:
        if not any(item.iter_markers("xdist_group")):
            item.add_marker(pytest.mark.xdist_group(str(item.path.relative_to(TESTS))))
    items.sort(key=lambda item: ORDER.index(item.path.relative_to(TESTS).parts[0]))

"""Settings and fixtures of all tests."""

import os
import weakref

import pytest
from hypothesis import settings
from xdist.scheduler import LoadScopeScheduling

from chalicelib.aws.connection_pool import ConnectionPool

# No deadline: an example may be slow on a busy host. `make soak` runs many more examples.
settings.register_profile("default", deadline=None, max_examples=30)
settings.register_profile("soak", deadline=None, max_examples=1000)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "default"))

# The slowest tests start first, so that all processes end at about the same time.
ORDER = ("e2e", "browser", "integration", "laws", "unit")

# Files whose tests share an emulator. Each other file is a group of its own.
GROUPS = {
    "tests/e2e/test_cloudformation.py": "account",
    "tests/e2e/test_deploy.py": "account",
    "tests/e2e/test_destroy.py": "account",
    "tests/e2e/test_doctor_run.py": "account",
    "tests/e2e/test_users.py": "account",
    "tests/e2e/test_commands.py": "dashboard",
    "tests/e2e/test_counts.py": "dashboard",
    "tests/e2e/test_forget.py": "dashboard",
    "tests/e2e/test_many_viewers.py": "dashboard",
    "tests/e2e/test_numbers.py": "dashboard",
    "tests/e2e/test_reconcile.py": "dashboard",
    "tests/e2e/test_up.py": "dashboard",
    "tests/browser/test_foreign_pages.py": "browser",
    "tests/browser/test_page.py": "browser",
    "tests/browser/test_views.py": "browser",
}
# Files whose tests are independent of each other: each test is a group of its own.
ALONE = {"tests/e2e/test_up_starts.py"}


def group_of(nodeid):
    """Return the group of a test; all tests of a group run in one process."""
    file = nodeid.partition("::")[0]
    return nodeid if file in ALONE else GROUPS.get(file, file)


def pytest_collection_modifyitems(items):
    items.sort(key=lambda item: ORDER.index(item.nodeid.split("/")[1]))


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config, log):
    """Schedule by groups; `--dist loadgroup` of pytest-xdist 3.8 has no effect in pytest 9.2."""

    class ByGroups(LoadScopeScheduling):
        def _split_scope(self, nodeid):
            return group_of(nodeid)

    return ByGroups(config, log)


@pytest.fixture(scope="session")
def connection_pools():
    """Return the connection pools created by this test, and those created before it."""
    made, before = [], weakref.WeakSet()
    make = ConnectionPool.__init__

    def noted(self, *arguments, **options):
        make(self, *arguments, **options)
        made.append(self)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(ConnectionPool, "__init__", noted)
        yield made, before


@pytest.fixture(autouse=True)
def no_connection_stays_open(connection_pools):
    """Close the connections that a function keeps open for its next invocation."""
    yield
    made, before = connection_pools
    for pool in (*made, *before):
        pool.close()
    before.update(made)
    made.clear()

"""One dashboard for all end-to-end tests that do not stop or break it."""

import pytest
from support import live


@pytest.fixture(scope="session")
def dashboard(tmp_path_factory):
    """A running `up --no-demo`, empty at first; tests use campaigns of their own."""
    yield from live.running(tmp_path_factory.mktemp("dashboard") / "state", "--no-demo")


@pytest.fixture
def client(dashboard):
    """A WebSocket that is closed after the test."""
    with dashboard.client() as client:
        yield client

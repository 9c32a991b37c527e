"""One dashboard, and one account, for all end-to-end tests that do not stop or break it."""

import pytest
from support import live


@pytest.fixture(scope="session")
def dashboard(tmp_path_factory):
    """A running `up --no-demo`, empty at first; tests use campaigns of their own."""
    yield from live.running(tmp_path_factory.mktemp("dashboard") / "state", "--no-demo")


@pytest.fixture(scope="session")
def account(tmp_path_factory):
    """An emulator that stands for an AWS account; each test deploys stages of its own names."""
    yield from live.running(
        tmp_path_factory.mktemp("account") / "state",
        *("--no-demo", "--allow-origin", "http://127.0.0.1"),
    )


@pytest.fixture
def client(dashboard):
    """A WebSocket that is closed after the test."""
    with dashboard.client() as client:
        yield client

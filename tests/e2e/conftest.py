"""The dashboard and the account that all non-destructive end-to-end tests share."""

import pytest
from support import live


@pytest.fixture(scope="session")
def dashboard(tmp_path_factory):
    """Run `up --no-demo` without events; each test uses its own campaigns."""
    yield from live.running(tmp_path_factory.mktemp("dashboard") / "state", "--no-demo")


@pytest.fixture(scope="session")
def account(tmp_path_factory):
    """Run an emulator in place of an AWS account; each test deploys stages with its own names."""
    yield from live.running(
        tmp_path_factory.mktemp("account") / "state",
        *("--no-demo", "--allow-origin", "http://127.0.0.1"),
    )


@pytest.fixture
def client(dashboard):
    """Return a WebSocket client that is closed after the test."""
    with dashboard.client() as client:
        yield client

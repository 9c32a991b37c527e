"""`up` started, stopped, killed and started again: each test runs one of its own."""

import subprocess

import pytest
from support import live
from support.client import campaign_topic

DAY = 24 * 3600


@pytest.fixture
def state_dir(tmp_path):
    return tmp_path / "state"


def ended(process: subprocess.Popen) -> tuple[int, str, str]:
    stdout, stderr = process.communicate(timeout=live.START_SECONDS)
    return process.returncode, stdout, stderr


def emulator_of(dashboard) -> int:
    """Find the process of the emulator: the only child that `up` has while it runs."""
    children = subprocess.run(
        ["pgrep", "-P", str(dashboard.process.pid)], capture_output=True, text=True, check=True
    )
    return int(children.stdout)


def workers_in(state_dir) -> list[str]:
    found = subprocess.run(
        ["pgrep", "-f", f"{state_dir}/tmp/"], capture_output=True, text=True, check=False
    )
    return found.stdout.split()


def count(dashboard, campaign, number, counter="sends"):
    with dashboard.client() as client:
        client.subscribe(campaign_topic(campaign))
        client.wait_for(campaign_topic(campaign), lambda known: known.counts[counter] >= number, 60)
        return client.snapshot(campaign_topic(campaign)).counts[counter]

"""The state folder: who holds it, and what is kept in it."""

import json
import os
import subprocess
import sys

import pytest

from chalicelib.errors import CommandError
from dashboard import running
from dashboard.emulator_process import listen
from dashboard.paths import StateDir

WHERE = running.Running(
    dashboard="http://127.0.0.1:1/",
    websocket="ws://127.0.0.1:1/x",
    topic_arn="arn:aws:sns:us-east-1:000000000000:topic",
    queue_url="http://127.0.0.1:1/000000000000/queue",
    endpoint_url="http://127.0.0.1:1",
)


@pytest.fixture
def state(tmp_path):
    return StateDir(tmp_path / "state")


@pytest.fixture
def said():
    return []


def test_folder_that_is_held_names_its_holder(state, said):
    refusal = pytest.raises(CommandError, match=rf"process {os.getpid()}\) uses .*--state-dir")
    with running.locked(state, said.append), refusal, running.locked(state, said.append):
        pass
    assert said == []


def test_folder_is_free_again_after_use(state, said):
    for _ in range(2):
        with running.locked(state, said.append):
            pass


def test_child_of_a_killed_holder_is_waited_for(state, said):
    # It inherits the lock from a process that ends, as the emulator does from `up`.
    hold = (
        "import os, sys, subprocess; from dashboard import running;"
        "from dashboard.paths import StateDir; from pathlib import Path\n"
        "with running.locked(StateDir(Path(sys.argv[1])), print) as lock:\n"
        "    subprocess.Popen(['sleep', '1'], pass_fds=[lock]); os._exit(0)"
    )
    subprocess.run([sys.executable, "-c", hold, str(state.root)], check=True)
    state.running.write_text("{}")

    with running.locked(state, said.append):
        assert not state.running.exists()

    (line,) = said
    assert "was killed" in line


def test_folder_that_cannot_be_made_is_an_error(tmp_path, said):
    (tmp_path / "file").write_text("")
    state = StateDir(tmp_path / "file" / "state")

    refusal = pytest.raises(CommandError, match=r"cannot be used .*--state-dir")
    with refusal, running.locked(state, said.append):
        pass


def test_running_dashboard_is_announced_while_it_runs(state):
    state.root.mkdir()

    with running.announced(state, WHERE):
        announced = json.loads(state.running.read_text())

    assert announced == json.loads(WHERE.as_json()) | {"pid": os.getpid()}
    assert not state.running.exists()


def test_pseudonym_key_never_changes_and_is_nobody_elses(state):
    state.root.mkdir()

    key = running.read_pseudonym_key(state)

    assert len(key) == 64
    assert running.read_pseudonym_key(state) == key
    assert state.pseudonym_key.stat().st_mode & 0o777 == 0o600


def test_port_in_use_is_named_with_the_remedy():
    with listen(0) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(CommandError, match=rf"port {port} .* cannot be used .*--port"):
            listen(port)

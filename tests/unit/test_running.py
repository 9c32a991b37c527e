"""The state folder: its lock, and its contents."""

import json
import os
import re
import subprocess
import sys

import pytest

from chalicelib.errors import CommandError
from dashboard.local import running
from dashboard.local.emulator.generations import Generations
from dashboard.local.emulator.process import listen
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


def test_a_locked_folder_names_the_process_that_holds_it(state, said):
    refusal = pytest.raises(CommandError, match=rf"process {os.getpid()}\) uses .*--state-dir")
    with running.locked(state, said.append), refusal, running.locked(state, said.append):
        pass
    assert said == []


def test_a_folder_is_unlocked_after_use(state, said):
    for _ in range(2):
        with running.locked(state, said.append):
            pass


def test_a_child_of_a_killed_holder_is_awaited(state, said):
    # It inherits the lock of an ended process, as the emulator does from `up`.
    hold = (
        "import os, sys, subprocess; from dashboard.local import running;"
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


def test_a_folder_that_cannot_be_created_is_an_error(tmp_path, said):
    (tmp_path / "file").write_text("")
    state = StateDir(tmp_path / "file" / "state")

    refusal = pytest.raises(CommandError, match=r"cannot use .*--state-dir")
    with refusal, running.locked(state, said.append):
        pass


def test_a_running_dashboard_is_announced_while_it_runs(state):
    state.root.mkdir()

    with running.announced(state, WHERE):
        announced = json.loads(state.running.read_text())

    assert announced == json.loads(WHERE.as_json()) | {"pid": os.getpid()}
    assert not state.running.exists()


def test_the_pseudonym_key_never_changes_and_only_its_owner_can_read_it(state):
    state.root.mkdir()

    key = running.read_pseudonym_key(state)

    assert len(key) == 64
    assert running.read_pseudonym_key(state) == key
    assert state.pseudonym_key.stat().st_mode & 0o777 == 0o600


KEY_DAMAGES = ["", "\n", "0" * 63, "0" * 65, "x" * 64, "\0" * 64, "ABCDEF" + "0" * 58]


@pytest.fixture
def installed(state):
    """Return the state folder of a previous run."""
    state.root.mkdir()
    state.emulator.mkdir()
    with Generations(state.emulator).writing() as new:
        (new / "dynamodb.json").write_text("{}")
    key = running.read_pseudonym_key(state)
    config = {"stages": {"local": {"environment_variables": {"PSEUDONYM_KEY": key, "X": "1"}}}}
    (state.build / ".chalice").mkdir(parents=True)
    (state.build / ".chalice" / "config.json").write_text(json.dumps(config, indent=2))
    return state


def test_the_state_of_a_run_and_an_empty_folder_are_intact(installed, tmp_path):
    running.check(installed)
    running.check(StateDir(tmp_path / "new"))


@pytest.mark.parametrize("content", [*KEY_DAMAGES, None])
def test_a_damaged_pseudonym_key_is_refused_and_never_replaced(installed, content):
    key = installed.pseudonym_key.read_text()
    installed.pseudonym_key.unlink()
    if content is not None:
        installed.pseudonym_key.write_text(content)

    with pytest.raises(CommandError, match=r"pseudonym\.key is damaged: ") as refused:
        running.check(installed)

    assert installed.pseudonym_key.exists() == (content is not None)
    assert content is None or installed.pseudonym_key.read_text() == content
    remedy = re.search("by `(.*)`", str(refused.value))[1]
    subprocess.run(remedy, shell=True, check=True)
    running.check(installed)
    assert running.read_pseudonym_key(installed) == key


@pytest.mark.parametrize(
    "content",
    ["", "{", "[]", "{}", '{"since": "now", "uncounted": 0}', '{"since": 1, "uncounted": null}'],
)
def test_a_damaged_record_of_unsaved_data_is_refused(installed, content):
    installed.unsaved.write_text(content)

    with pytest.raises(CommandError, match=r"unsaved\.json is damaged: ") as refused:
        running.check(installed)

    assert installed.unsaved.read_text() == content
    subprocess.run(re.search("Run `(.*)`", str(refused.value))[1], shell=True, check=True)
    running.check(installed)


@pytest.mark.parametrize("content", ["", "{", "[]", "null", '{"pid": 1}', b"\xff"])
def test_a_damaged_address_of_the_running_dashboard_is_refused(installed, content):
    data = content if isinstance(content, bytes) else content.encode()
    installed.running.write_bytes(data)

    with pytest.raises(CommandError, match=r"cannot read .*running\.json .*: start `python"):
        running.read_running(installed)


def test_state_of_an_earlier_version_is_made_private(installed, said):
    for path in (installed.root, *installed.root.rglob("*")):
        path.chmod(path.stat().st_mode | 0o077)

    with running.locked(installed, said.append):
        pass

    open_to_others = [
        path for path in (installed.root, *installed.root.rglob("*")) if path.stat().st_mode & 0o077
    ]
    assert open_to_others == []


def test_a_folder_with_other_files_keeps_its_permissions(installed, said):
    other = installed.root / "holiday.jpg"
    other.touch()
    for path in (installed.root, installed.pseudonym_key, other):
        path.chmod(0o755)

    with running.locked(installed, said.append):
        pass

    paths = (installed.root, other, installed.pseudonym_key)
    assert [path.stat().st_mode & 0o777 for path in paths] == [0o755, 0o755, 0o700]


def test_a_port_in_use_is_reported_with_a_remedy():
    with listen(0) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(CommandError, match=rf"cannot use port {port} .*--port"):
            listen(port)

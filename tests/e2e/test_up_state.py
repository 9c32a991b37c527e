"""The saved state of `up`: its permissions, and how damage to it is handled."""

import re
import shutil
import signal
import subprocess

import pytest
from support import live, ses
from support.client import campaign_topic

from chalicelib.errors import CommandError
from dashboard.local import running
from dashboard.local.emulator.generations import Generations
from dashboard.paths import StateDir


def sends(dashboard, campaign, number):
    """Wait until this many sends are counted."""
    with dashboard.client() as client:
        topic = campaign_topic(campaign)
        client.subscribe(topic)
        client.wait_for(topic, lambda known: known.counts["sends"] >= number, 60)
        return client.snapshot(topic).counts["sends"]


def readable_by_others(folder):
    return [
        f"{path.lstat().st_mode:o} {path}"
        for path in (folder, *folder.rglob("*"))
        if path.lstat().st_mode & 0o077
    ]


def writes(folder):
    """When each file was last written, and its inode: reading 60 files 60 times takes long."""
    return {
        path: (path.stat().st_ino, path.stat().st_mtime_ns)
        for path in folder.rglob("*")
        if path.is_file()
    }


def contents(folder):
    return {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}


@pytest.fixture(scope="module")
def left(tmp_path_factory):
    """Return the state folder of two runs: one event counted in the first, two in the second.

    It has two saves, the last of each run: those that a slow run made in between are removed.
    """
    state = StateDir(tmp_path_factory.mktemp("left") / "state")
    last_saves = tmp_path_factory.mktemp("last-saves")
    for number in (1, 2):
        dashboard = live.Live(state.root, "--no-demo")
        dashboard.publish(ses.a_send(f"kept-{number}", campaign="kept"))
        assert sends(dashboard, "kept", number) == number
        if number == 2:
            state.replay.mkdir(mode=0o700)
            assert readable_by_others(state.root) == [], "while it runs"
        assert dashboard.stop() == 0
        assert readable_by_others(state.root) == [], "when it has stopped"
        latest = Generations(state.emulator).latest()
        shutil.copytree(latest, last_saves / latest.name)
    for save in state.emulator.iterdir():
        if save.name.isdecimal():
            shutil.rmtree(save)
    shutil.copytree(last_saves, state.emulator, dirs_exist_ok=True)
    return state


@pytest.fixture
def state(left, tmp_path):
    """Return a copy of the state folder."""
    shutil.copytree(left.root, tmp_path / "state")
    return StateDir(tmp_path / "state")


def cut(path):
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])


def flip(path):
    damaged = bytearray(path.read_bytes())
    damaged[len(damaged) // 2] ^= 0x10
    path.write_bytes(damaged)


@pytest.mark.parametrize(
    "damage", [cut, flip, lambda path: path.unlink()], ids=["cut", "flip", "delete"]
)
def test_damage_to_any_saved_file_is_refused_and_nothing_is_overwritten(state, damage):
    latest = Generations(state.emulator).latest()
    files = [path for path in latest.rglob("*") if path.is_file()]
    assert {path.name for path in files} >= {"cloudformation.json", "dynamodb.json", "lambda.json"}

    for path in (*files, state.pseudonym_key):
        whole = path.read_bytes()
        damage(path)
        before = writes(state.root)
        with pytest.raises(CommandError, match=r"is damaged: .* It was left unchanged"):
            running.check(state)
        assert writes(state.root) == before, path
        path.write_bytes(whole)
    running.check(state)


def test_damaged_state_is_reported_in_one_line_whose_remedy_works(state):
    damaged = Generations(state.emulator).latest() / "cloudformation.json"
    cut(damaged)
    before = contents(state.emulator)

    refused = live.start(state.root)
    stdout, stderr = refused.communicate(timeout=live.START_SECONDS)

    assert (refused.returncode, stdout) == (1, "")
    (line,) = stderr.splitlines()
    assert str(damaged) in line
    assert contents(state.emulator) == before
    subprocess.run(re.search("run `(.*)`", line)[1], shell=True, check=True)
    dashboard = live.Live(state.root, "--no-demo")
    try:
        assert sends(dashboard, "kept", 1) == 1
        # The event that the previous state lacks is redelivered and counted once.
        dashboard.publish(*(ses.a_send(f"kept-{one}", campaign="kept") for one in (1, 2)))
        assert sends(dashboard, "kept", 2) == 2
    finally:
        assert dashboard.stop() == 0
    assert damaged.parent.with_name(f"{damaged.parent.name}.damaged").exists(), (
        "the damaged state is kept for a manual repair"
    )


def test_state_that_this_version_cannot_load_is_refused_and_kept(state):
    generations = Generations(state.emulator)
    whole = generations.latest()
    with generations.writing() as newer:
        shutil.copytree(whole, newer, dirs_exist_ok=True)
        (newer / "sqs.json").write_text('{"__ministack_format__": 99, "payload": {"queues": 1}}')
    before = contents(state.emulator)

    refused = live.start(state.root)
    _stdout, stderr = refused.communicate(timeout=live.START_SECONDS)

    assert refused.returncode == 1
    assert "sqs state is format v99" in stderr.splitlines()[-1]
    assert contents(state.emulator) == before


def test_a_damaged_record_of_the_deployment_is_rebuilt(state):
    cut(state.build / ".chalice" / "deployed" / "local.json")

    dashboard = live.Live(state.root, "--no-demo")
    try:
        assert sends(dashboard, "kept", 2) == 2
        dashboard.publish(ses.a_send("kept-3", campaign="kept"))
        assert sends(dashboard, "kept", 3) == 3
    finally:
        assert dashboard.stop(signal.SIGINT) == 0


def test_state_of_an_earlier_version_is_loaded(state):
    latest = Generations(state.emulator).latest()
    for path in latest.iterdir():
        if path.name != "manifest.json":
            path.rename(state.emulator / path.name)
    for path in state.emulator.iterdir():
        if path.name.isdecimal():
            shutil.rmtree(path)
    for path in (state.root, *state.root.rglob("*")):
        path.chmod(path.stat().st_mode | 0o055)

    dashboard = live.Live(state.root, "--no-demo")
    try:
        assert sends(dashboard, "kept", 2) == 2
        assert readable_by_others(state.root) == []
    finally:
        assert dashboard.stop() == 0

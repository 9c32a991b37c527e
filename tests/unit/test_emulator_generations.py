"""Saved states are complete or absent after any interruption, and damage is detected."""

import os
import shutil
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from chalicelib.errors import CommandError
from dashboard import durable
from dashboard.local.emulator.generations import Generations

FILES = ("dynamodb.json", "lambda.json", "lambda-blobs/ab12.zip")
START_ANEW = "Delete the folder."


def save(folder, content):
    with Generations(folder).writing() as new:
        for name in FILES:
            (new / name).parent.mkdir(exist_ok=True)
            (new / name).write_text(f'"{content}"')


def check(folder):
    Generations(folder).check("true", START_ANEW)


def content(folder):
    latest = Generations(folder).latest()
    return {(latest / name).read_text() for name in FILES}


@pytest.fixture
def folder(tmp_path):
    folder = tmp_path / "emulator"
    folder.mkdir()
    return folder


@pytest.fixture
def saved(folder):
    for number in (1, 2):
        save(folder, number)
    return folder


def test_an_empty_folder_is_not_damage(tmp_path):
    check(tmp_path / "missing")

    assert Generations(tmp_path / "missing").latest() is None


def test_the_latest_and_the_previous_state_are_kept(folder):
    for number in range(1, 5):
        save(folder, number)
        check(folder)
        assert content(folder) == {f'"{number}"'}

    assert sorted(path.name for path in folder.iterdir()) == ["3", "4"]


def test_a_failed_save_changes_nothing(saved):
    def save_half():
        with Generations(saved).writing() as new:
            durable.write(new / FILES[0], "half of it")
            raise OSError("the disk is full")

    with pytest.raises(OSError, match="full"):
        save_half()

    check(saved)
    assert content(saved) == {'"2"'}
    save(saved, 3)
    assert content(saved) == {'"3"'}


def crashed(folder, at) -> bool:
    """Save in a process that dies before the given file operation; return whether it did.

    Audit events report each operation: https://docs.python.org/3/library/audit_events.html.
    """
    child = os.fork()
    if not child:
        count = 0

        def crash(event, arguments):
            nonlocal count
            if event.startswith(("os.", "open")) and str(folder) in str(arguments):
                count += 1
                if count == at:
                    os._exit(9)

        sys.addaudithook(crash)
        save(folder, 3)
        os._exit(0)
    status = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    assert status in (0, 9)
    return status == 9


def test_a_crash_at_any_file_operation_of_a_save_leaves_an_intact_state(saved, tmp_path):
    at = 0
    was_new = False
    while True:
        at += 1
        folder = tmp_path / str(at) / "emulator"
        shutil.copytree(saved, folder)
        more = crashed(folder, at)
        check(folder)
        found = content(folder)
        assert found in ({'"2"'}, {'"3"'}), "files of two saves"
        assert not was_new or found == {'"3"'}, "the new state is durable"
        was_new = found == {'"3"'}
        save(folder, 4)
        check(folder)
        assert content(folder) == {'"4"'}
        assert len(list(folder.iterdir())) == 2, "no files of the crash remain"
        if not more:
            break

    assert at > 20
    assert was_new


def test_all_files_are_synced_before_a_state_is_renamed(saved, monkeypatch):
    synced, before = set(), set()
    fsync, rename = os.fsync, Path.rename

    def note_fsync(descriptor):
        synced.add(Path(f"/proc/self/fd/{descriptor}").readlink().name)
        fsync(descriptor)

    def note_rename(path, target):
        before.update(synced)
        synced.clear()
        return rename(path, target)

    monkeypatch.setattr(os, "fsync", note_fsync)
    monkeypatch.setattr(Path, "rename", note_rename)
    save(saved, 3)

    names = {Path(name).name for name in FILES}
    assert before >= {*names, "lambda-blobs", "3.tmp", "manifest.json.tmp"}
    assert synced == {"emulator"}, "so is its name"


def truncate(path):
    path.write_bytes(path.read_bytes()[:-1])


def empty(path):
    path.write_bytes(b"")


def corrupt(path):
    damaged = bytearray(path.read_bytes())
    damaged[len(damaged) // 2] ^= 1
    path.write_bytes(damaged)


def replace_by_other_json(path):
    path.write_text("[]")


DAMAGES = [truncate, empty, corrupt, replace_by_other_json, Path.unlink]


def snapshot(folder):
    return {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}


@pytest.mark.parametrize("damage", DAMAGES)
@pytest.mark.parametrize("name", [*FILES, "manifest.json"])
def test_damage_is_refused_and_the_remedy_restores_the_previous_state(saved, name, damage):
    path = saved / "2" / name
    damage(path)
    before = snapshot(saved)

    with pytest.raises(CommandError) as refused:
        check(saved)

    # A wrong digest in the manifest looks like the damage of another file.
    assert str(path if damage is not corrupt else path.parent) in str(refused.value)
    assert snapshot(saved) == before, "nothing is overwritten"
    remedy = str(refused.value).rpartition(" run `")[2].partition("`")[0]
    subprocess.run(remedy, shell=True, check=True)
    check(saved)
    assert content(saved) == {'"1"'}


def test_a_file_that_was_not_saved_is_refused(saved):
    (saved / "2" / "sqs.json").write_text("{}")

    with pytest.raises(CommandError, match=r"sqs\.json is damaged: it belongs to a different save"):
        check(saved)


def test_damage_without_an_intact_previous_state_is_reported(saved):
    truncate(saved / "1" / "dynamodb.json")
    truncate(saved / "2" / "lambda.json")

    with pytest.raises(CommandError, match=rf"lambda.json .*no earlier intact state.*{START_ANEW}"):
        check(saved)


@pytest.fixture
def of_an_earlier_version(folder):
    for name in FILES:
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).write_text('{"payload": "old"}')
    return folder


def test_state_of_an_earlier_version_is_migrated(of_an_earlier_version):
    folder = of_an_earlier_version
    Generations(folder).adopt(START_ANEW)
    Generations(folder).adopt(START_ANEW)

    check(folder)
    assert content(folder) == {'{"payload": "old"}'}
    assert [path.name for path in folder.iterdir()] == ["1"]


def test_a_migration_resumes_after_a_crash(of_an_earlier_version):
    folder = of_an_earlier_version
    Generations(folder).adopt(START_ANEW)
    for name in FILES[1:]:  # as if a crash had occurred between the first and the second deletion
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).write_text('{"payload": "old"}')

    Generations(folder).adopt(START_ANEW)

    assert content(folder) == {'{"payload": "old"}'}
    assert [path.name for path in folder.iterdir()] == ["1"]


def test_state_that_an_earlier_version_saved_since_is_not_deleted(of_an_earlier_version):
    folder = of_an_earlier_version
    save(folder, "taken over")
    before = snapshot(folder)

    with pytest.raises(CommandError, match=r"written by an earlier version .* move the \*\.json"):
        Generations(folder).adopt(START_ANEW)

    assert snapshot(folder) == before


@pytest.mark.parametrize("damage", [truncate, empty])
def test_damaged_state_of_an_earlier_version_is_refused(of_an_earlier_version, damage):
    damage(of_an_earlier_version / "lambda.json")
    before = snapshot(of_an_earlier_version)

    with pytest.raises(CommandError, match=rf"lambda.json is damaged: .*{START_ANEW}"):
        Generations(of_an_earlier_version).adopt(START_ANEW)

    assert snapshot(of_an_earlier_version) == before


def test_a_durable_file_is_readable_only_by_its_owner(tmp_path):
    path = tmp_path / "file"
    path.write_text("readable by all")
    path.chmod(0o644)

    durable.write(path, "secret")

    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert [one.name for one in tmp_path.iterdir()] == ["file"]


def test_permissions_of_other_users_are_removed_without_following_links(tmp_path):
    outside, folder = tmp_path / "outside", tmp_path / "state"
    outside.write_text("")
    outside.chmod(0o644)
    (folder / "deep").mkdir(parents=True)
    for path, mode in ((folder, 0o755), (folder / "deep", 0o777), (folder / "run", 0o755)):
        path.touch()
        path.chmod(mode)
    (folder / "link").symlink_to(outside)

    durable.restrict(folder)

    modes = [
        stat.S_IMODE(path.stat().st_mode) for path in (folder, folder / "deep", folder / "run")
    ]
    assert modes == [0o700, 0o700, 0o700]
    assert stat.S_IMODE(outside.stat().st_mode) == 0o644

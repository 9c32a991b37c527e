"""The build of the page: when it runs, and its errors."""

import os

import pytest

from chalicelib.errors import CommandError
from dashboard.deploy import frontend


def write(path, at, text="{}"):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    os.utime(path, (at, at))


def program(folder, name, script):
    (folder / name).write_text(f"#!/bin/sh\n{script}\n")
    (folder / name).chmod(0o755)


@pytest.fixture
def static(tmp_path):
    """Return a page with sources from second 100 that was built at second 200."""
    static = tmp_path / "static"
    write(static / "src" / "views" / "app.js", 100)
    write(static / "build.mjs", 100)
    write(static / "package-lock.json", 100)
    write(static / "node_modules" / ".package-lock.json", 150)
    write(static / "dist" / "manifest.json", 200)
    return static


@pytest.fixture
def programs(tmp_path, monkeypatch):
    """Return the folder of a PATH with a supported node and an npm that builds."""
    folder = tmp_path / "bin"
    folder.mkdir()
    program(folder, "node", "echo v22.1.0")
    program(folder, "npm", 'echo "$@" >> npm.log; mkdir -p dist; echo {} > dist/manifest.json')
    monkeypatch.setenv("PATH", f"{folder}:/usr/bin:/bin")
    return folder


def test_a_page_newer_than_its_sources_is_up_to_date(static):
    assert frontend.is_current(static)


@pytest.mark.parametrize("changed", ["src/views/app.js", "build.mjs", "package-lock.json"])
def test_a_page_older_than_a_source_is_out_of_date(static, changed):
    write(static / changed, 300)

    assert not frontend.is_current(static)


def test_a_page_that_was_not_built_is_out_of_date(static):
    (static / "dist" / "manifest.json").unlink()

    assert not frontend.is_current(static)


def test_a_build_installs_packages_only_if_their_lock_is_newer(static, programs):
    frontend.build(static)
    write(static / "package-lock.json", 300)
    frontend.build(static)

    calls = (static / "npm.log").read_text().splitlines()
    assert calls == ["run --silent build", "ci --no-audit --no-fund", "run --silent build"]


def test_a_missing_node_is_reported_with_a_remedy(static, programs, monkeypatch):
    (programs / "node").unlink()
    monkeypatch.setenv("PATH", str(programs))

    with pytest.raises(CommandError, match=r"`node`, .* is not on PATH: install Node.js 20"):
        frontend.build(static)


def test_an_outdated_node_is_reported_with_its_version(static, programs):
    program(programs, "node", "echo v18.19.0")

    with pytest.raises(
        CommandError, match=r"returned 'v18.19.0', but Node.js 20 is required: install"
    ):
        frontend.build(static)


def test_a_failed_build_quotes_its_output(static, programs):
    program(programs, "npm", "echo 'no such module' >&2; exit 3")

    with pytest.raises(CommandError, match=r"`npm run .* failed with status 3:\nno such module"):
        frontend.build(static)


def test_a_build_without_a_manifest_is_a_failure(static, programs):
    (static / "dist" / "manifest.json").unlink()
    program(programs, "npm", "true")

    with pytest.raises(CommandError, match=r"manifest\.json"):
        frontend.build(static)

"""`share` creates, lists and revokes links; it shows their names as they were given."""

import json

import pytest
from click.testing import CliRunner
from msgspec.structs import replace

from dashboard.cli import cli
from dashboard.commands import share

# Markup and an emoji code of the library that prints the table.
NAME = "[red]Client[/] :smile:"


@pytest.fixture
def run(installation, monkeypatch):
    """Return a function that runs the command on a local stage, in a wide terminal."""
    installation.config = replace(
        installation.config, share_key="a key of thirty-two bytes, or more"
    )
    monkeypatch.setattr(share, "find", lambda *_: installation)
    monkeypatch.setattr(share, "read_running", lambda _: {"dashboard": "http://127.0.0.1:1/"})
    monkeypatch.setenv("COLUMNS", "200")
    return lambda *arguments: CliRunner().invoke(cli, ["share", *arguments])


def test_a_link_is_listed_with_the_name_that_it_was_given(installation, run):
    added = run("add", "spring", "--name", f" {NAME} ", "--json")
    run("add", "spring")

    assert json.loads(added.stdout)["name"] == NAME
    shown = run("list").stdout
    assert shown.count(NAME) == 1
    assert len(shown.splitlines()) == 3
    listed = [json.loads(line) for line in run("list", "--json").stdout.splitlines()]
    assert sorted(one["name"] for one in listed) == ["", NAME]
    assert {one.name for one in installation.shares.all()} == {"", NAME}


@pytest.mark.parametrize(
    ("name", "problem"),
    [
        ("x" * 81, "the name has 81 characters: shorten it to 80 or fewer"),
        ("a\x1b[31mb", "character 2 of the name is U+001B: remove it"),
        ("caf\udce9", "character 4 of the name is U+DCE9: remove it"),
    ],
)
def test_a_bad_name_creates_no_link(installation, run, name, problem):
    refused = run("add", "spring", "--name", name)

    assert refused.exit_code == 1
    assert problem in refused.output
    assert list(installation.shares.all()) == []

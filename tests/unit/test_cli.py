"""The command line in general: help, errors in one line, exit status."""

import importlib
import tomllib
from pathlib import Path

import click
import pytest
from click.shell_completion import BashComplete
from click.testing import CliRunner

from chalicelib.errors import CommandError
from dashboard import cli

README = Path(__file__).parents[2] / "README.md"
PYPROJECT = README.with_name("pyproject.toml")


@pytest.mark.parametrize("name", sorted(cli.COMMANDS))
def test_each_command_has_help_and_is_in_the_readme(name):
    shown = CliRunner().invoke(cli.cli, [name, "--help"])

    assert shown.exit_code == 0
    command = cli.cli.get_command(click.Context(cli.cli), name)
    assert command.help
    assert all(option.help for option in command.params if isinstance(option, click.Option)), (
        "an option without help"
    )
    assert f"python -m dashboard {name}" in README.read_text()


def test_all_commands_are_listed():
    shown = CliRunner().invoke(cli.cli, ["--help"])

    assert all(name in shown.output for name in cli.COMMANDS)


def test_an_expected_failure_is_one_line_with_status_1(monkeypatch):
    @click.command()
    def command():
        raise CommandError("the port is taken")

    monkeypatch.setattr(cli.Commands, "get_command", lambda *_: command)
    failed = CliRunner().invoke(cli.cli, ["up"])

    assert failed.exit_code == 1
    assert failed.output == "Error: the port is taken\n"


def test_the_console_script_runs_the_command_line():
    scripts = tomllib.loads(PYPROJECT.read_text())["project"]["scripts"]
    module, _, name = scripts["mailpulse"].partition(":")

    assert getattr(importlib.import_module(module), name) is cli.main


@pytest.mark.parametrize(
    ("typed", "completed"), [("mailpulse recou", "recount"), ("mailpulse recount --ap", "--apply")]
)
def test_the_shell_completes_commands_and_options(typed, completed):
    completion = BashComplete(cli.cli, {}, "mailpulse", "_MAILPULSE_COMPLETE")
    *words, started = typed.split()[1:]

    assert [one.value for one in completion.get_completions(words, started)] == [completed]


def test_an_unknown_command_exits_with_status_2():
    assert CliRunner().invoke(cli.cli, ["upp"]).exit_code == 2

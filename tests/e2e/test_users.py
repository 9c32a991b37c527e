"""Manage the users of a stage: the template's user pool, on the emulator."""

import itertools
import json
import os

import pytest
from click.testing import CliRunner
from support.operator import credentials

from dashboard.cli import cli
from dashboard.paths import TEMPLATE

REGION = "us-east-1"
numbers = itertools.count(1)


@pytest.fixture
def account(account, monkeypatch):
    """Return an account, and set the environment for commands to use it."""
    for name in [name for name in os.environ if name.startswith("AWS_")]:
        monkeypatch.delenv(name)
    for name, value in credentials(account.info["endpoint_url"]).items():
        monkeypatch.setenv(name, value)
    return account


def make_stage(account, **parameters):
    """Create the stack of a stage; return a function that runs its commands."""
    stage = f"people-{next(numbers)}"
    cloudformation = account.aws("cloudformation")
    cloudformation.create_stack(
        StackName=f"mailpulse-{stage}",
        TemplateBody=TEMPLATE.read_text(),
        Parameters=[
            {"ParameterKey": key, "ParameterValue": value}
            for key, value in {"Stage": stage, "Serving": "aws", **parameters}.items()
        ],
    )
    cloudformation.get_waiter("stack_create_complete").wait(
        StackName=f"mailpulse-{stage}", WaiterConfig={"Delay": 1}
    )
    return commands(stage)


def commands(stage):
    def users(*arguments):
        return CliRunner().invoke(cli, ["users", *arguments, "--stage", stage, "--region", REGION])

    return users


@pytest.fixture
def users(account):
    return make_stage(account)


def test_an_added_user_is_listed_with_groups(users):
    added = users("add", "ann@example.com", "--group", "news", "--group", "admins")
    users("add", "bob@example.com")

    assert added.exit_code == 0, added.output
    assert "ann@example.com was invited." in added.stdout
    [ann, bob] = map(json.loads, users("list", "--json").stdout.splitlines())
    assert (ann["email"], ann["groups"]) == ("ann@example.com", ["admins", "news"])
    assert ann["status"] == "FORCE_CHANGE_PASSWORD"
    assert (bob["email"], bob["groups"]) == ("bob@example.com", [])
    shown = users("list").stdout
    assert "admins, news" in shown
    assert "2 users." in shown


def test_an_existing_user_is_added_to_groups_without_another_invitation(users):
    users("add", "ann@example.com")

    again = users("add", "ann@example.com", "--group", "news")

    assert again.exit_code == 0, again.output
    assert "already exists, and was not invited again" in again.stdout
    [ann] = map(json.loads, users("list", "--json").stdout.splitlines())
    assert ann["groups"] == ["news"]


def test_a_removed_user_is_no_longer_listed(users):
    users("add", "ann@example.com")

    removed = users("remove", "ann@example.com")

    assert removed.exit_code == 0, removed.output
    assert users("list").stdout == "No users yet.\n"


def test_removing_an_unknown_user_is_an_error(users):
    failed = users("remove", "zoe@example.com")

    assert failed.exit_code == 1
    assert failed.stderr == (
        "Error: no user with the address zoe@example.com: run `users list` to see all users\n"
    )


@pytest.mark.parametrize("address", ["ann", "ann@", "@example.com", "ann@host", "a b@example.com"])
def test_an_invalid_email_address_is_not_invited(users, address):
    failed = users("add", address)

    assert failed.exit_code == 1
    assert failed.stderr.startswith(f"Error: {address!r} is not an email address")
    assert users("list").stdout == "No users yet.\n"


def test_users_of_an_external_issuer_are_managed_there(account):
    users = make_stage(account, Issuer="https://login.example.com")

    failed = users("list")

    assert failed.exit_code == 1
    assert "sign in with https://login.example.com and are managed there" in failed.stderr


def test_a_missing_stage_has_no_users(account):
    failed = commands("nowhere")("list")

    assert failed.exit_code == 1
    assert "no stage nowhere in account 000000000000, region us-east-1" in failed.stderr

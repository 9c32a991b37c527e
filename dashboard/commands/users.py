"""`users`: the users of a stage's user pool."""

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict
from typing import Any, TypeVar

import click
from botocore.exceptions import BotoCoreError, ClientError
from rich.console import Console
from rich.table import Table

from chalicelib.errors import CommandError
from dashboard.cognito.users import People
from dashboard.commands.deploy import find_place
from dashboard.deploy import stack
from dashboard.deploy.remote import Place

F = TypeVar("F", bound=Callable[..., Any])

_OPTIONS = (
    click.option("--stage", required=True, help="Stage of the installation, such as prod."),
    click.option("--region", help="AWS region (default: the configured one)."),
    click.option("--json", "as_json", is_flag=True, help="Print each user as one line of JSON."),
)


def _options(command: F) -> F:
    for option in reversed(_OPTIONS):
        command = option(command)
    return command


@click.group("users")
def command() -> None:
    """Manage the users who can sign in to a stage, in its Cognito user pool."""


@command.command("add")
@click.argument("email")
@click.option(
    "--group",
    "groups",
    multiple=True,
    help="Group to add the user to, created if it does not exist; can be repeated.",
)
@_options
def add_command(
    *, email: str, groups: tuple[str, ...], stage: str, region: str | None, as_json: bool
) -> None:
    """Invite a user. Cognito emails them a temporary password."""
    with _people(stage, region) as people:
        new = people.add(email, groups)
    if as_json:
        print(json.dumps({"email": email, "invited": new, "groups": list(groups)}))
        return
    print(f"{email} was invited." if new else f"{email} already exists, and was not invited again.")
    if groups:
        print(f"Groups from the next sign-in: {', '.join(groups)}.")


@command.command("list")
@_options
def list_command(*, stage: str, region: str | None, as_json: bool) -> None:
    """Show all users with their groups."""
    with _people(stage, region) as people:
        found = people.all()
    if as_json:
        for person in found:
            print(json.dumps(asdict(person)))
        return
    console = Console(highlight=False)
    if found:
        table = Table("email", "status", "groups", "created", box=None)
        for person in found:
            table.add_row(person.email, person.status, ", ".join(person.groups), person.created)
        console.print(table)
    console.print(f"{len(found)} users." if found else "No users yet.")


@command.command("remove")
@click.argument("email")
@_options
def remove_command(*, email: str, stage: str, region: str | None, as_json: bool) -> None:
    """Remove a user. Open pages stay connected until their tokens expire, within an hour."""
    with _people(stage, region) as people:
        people.remove(email)
    print(json.dumps({"email": email}) if as_json else f"{email} was removed.")


@contextmanager
def _people(stage: str, region: str | None) -> Iterator[People]:
    place = find_place(stage, region)
    try:
        yield People(place.clients("cognito-idp"), _pool(place))
    except (BotoCoreError, ClientError) as error:
        raise CommandError(f"AWS rejected a request: {error}") from error


def _pool(place: Place) -> str:
    """Return the ID of a stage's user pool.

    Raises:
        CommandError: there is no such stage, or an external issuer manages its users.
    """
    outputs = stack.find_outputs(place.clients("cloudformation"), place.stack_name)
    if outputs is None:
        raise CommandError(
            f"no stage {place.stage} in account {place.account}, region {place.region}: "
            "deploy it first, or check --stage, --region and AWS_PROFILE"
        )
    if "UserPoolId" in outputs:
        return outputs["UserPoolId"]
    if "Issuer" in outputs:
        raise CommandError(
            f"stage {place.stage} has no user pool: its users sign in with "
            f"{outputs['Issuer']} and are managed there"
        )
    raise CommandError(f"stage {place.stage} is not deployed: run `deploy` first")

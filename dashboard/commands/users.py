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
    click.option("--stage", required=True, help="Which installation, such as prod."),
    click.option("--region", help="AWS region, if not the configured one."),
    click.option("--json", "as_json", is_flag=True, help="Print JSON for programs, a line each."),
)


def _options(command: F) -> F:
    for option in reversed(_OPTIONS):
        command = option(command)
    return command


@click.group("users")
def command() -> None:
    """Say who may sign in to a stage: the people of its user pool."""


@command.command("add")
@click.argument("email")
@click.option(
    "--group", "groups", multiple=True, help="A group to be in, made if missing; may be repeated."
)
@_options
def add_command(
    *, email: str, groups: tuple[str, ...], stage: str, region: str | None, as_json: bool
) -> None:
    """Invite somebody. Cognito writes to them, with a password for the first time."""
    with _people(stage, region) as people:
        new = people.add(email, groups)
    if as_json:
        print(json.dumps({"email": email, "invited": new, "groups": list(groups)}))
        return
    print(f"{email} is invited." if new else f"{email} is there already, and not invited again.")
    if groups:
        print(f"In {', '.join(groups)} from the next sign-in on.")


@command.command("list")
@_options
def list_command(*, stage: str, region: str | None, as_json: bool) -> None:
    """Show who may sign in, their groups, and since when."""
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
    console.print(f"{len(found)} may sign in." if found else "Nobody may sign in yet.")


@command.command("remove")
@click.argument("email")
@_options
def remove_command(*, email: str, stage: str, region: str | None, as_json: bool) -> None:
    """Shut somebody out. A page that is open goes on until its token ends, within an hour."""
    with _people(stage, region) as people:
        people.remove(email)
    print(json.dumps({"email": email}) if as_json else f"{email} may not sign in any more.")


@contextmanager
def _people(stage: str, region: str | None) -> Iterator[People]:
    place = find_place(stage, region)
    try:
        yield People(place.clients("cognito-idp"), _pool(place))
    except (BotoCoreError, ClientError) as error:
        raise CommandError(f"AWS did not do it: {error}") from error


def _pool(place: Place) -> str:
    """Return the ID of a stage's user pool.

    Raises:
        CommandError: there is no such stage, or an external issuer manages its users.
    """
    outputs = stack.find_outputs(place.clients("cloudformation"), place.stack_name)
    if outputs is None:
        raise CommandError(
            f"there is no stage {place.stage} in account {place.account}, region {place.region}: "
            "deploy it first, or check --stage, --region and AWS_PROFILE"
        )
    if "UserPoolId" in outputs:
        return outputs["UserPoolId"]
    if "Issuer" in outputs:
        raise CommandError(
            f"stage {place.stage} has no user pool: its people sign in with {outputs['Issuer']}, "
            "and are managed there"
        )
    raise CommandError(
        f"stage {place.stage} has nobody who could sign in: it is not deployed; deploy it first"
    )

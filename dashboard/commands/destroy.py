"""`destroy`: remove Mailpulse from an AWS account, retaining its data unless asked to delete it."""

import shlex
import sys

import click
from botocore.exceptions import BotoCoreError, ClientError

from chalicelib.errors import CommandError
from dashboard.commands.deploy import find_place
from dashboard.deploy.remote import Place, refuse_what_a_pipeline_deploys
from dashboard.progress import Reporter
from dashboard.teardown import inventory, removal
from dashboard.teardown.inventory import Inventory

_KINDS = {"EventsTable": "facts", "StatsTable": "aggregates"}


@click.command("destroy")
@click.option("--stage", required=True, help="Stage of the installation, such as prod.")
@click.option("--region", help="AWS region (default: the configured one).")
@click.option(
    "--delete-data", is_flag=True, help="Also delete the stored events, the logs, and the secrets."
)
@click.option("--yes", is_flag=True, help="Do not ask for confirmation.")
def command(*, stage: str, region: str | None, delete_data: bool, yes: bool) -> None:
    """Remove Mailpulse from your AWS account.

    Lists what it removes and keeps, and asks for confirmation. Without --delete-data, it keeps the
    data for the next `deploy` of the stage. Safe to run again, also after a failure.
    """
    steps = Reporter()
    place = find_place(stage, region)
    steps.info(f"Stage {stage} in account {place.account}, region {place.region}")
    try:
        refuse_what_a_pipeline_deploys(place)
        found = inventory.take(place)
        if not found.is_running and not found.has_data:
            raise CommandError(
                f"no stage {stage} in account {place.account}, region {place.region}: "
                "nothing to remove. Check --stage, --region and AWS_PROFILE"
            )
        for action, name, what in rows(found, delete_data=delete_data):
            print(f"{action:<8} {name:<44} {what}")
        if not found.is_running and not delete_data:
            removal.forget_build(place)
            steps.info("Only the data is left, and it is kept. To delete it, use --delete-data.")
            return
        for line in warnings(found, delete_data=delete_data):
            steps.warn(line)
        if not yes:
            _ask(stage)
        removal.remove(place, found, steps, delete_data=delete_data)
    except (BotoCoreError, ClientError) as error:
        raise CommandError(
            f"AWS rejected a request: {error}. Fix the cause and run the same command again; "
            "it continues where it stopped"
        ) from error
    print(_farewell(place, found, delete_data=delete_data))


def rows(found: Inventory, *, delete_data: bool) -> list[tuple[str, str, str]]:
    """Return the stage's resources: whether each is removed or kept, its name, and its type."""
    removed = [
        *((name, "function") for name in found.functions),
        *((uuid, f"event source of {name}") for uuid, name in found.mappings.items()),
        *((name, "schedule rule") for name in found.rules),
        *((api, "WebSocket API") for api in found.apis),
        *((name, "IAM role") for name in found.roles),
    ]
    if found.stack:
        kinds = found.stack.kinds
        removed += [(name, f"{kinds[name]} of the stack") for name in found.stack.beside_data]
    data = [
        *(
            (one.name, f"about {one.items:,} {_kind(one.name)}, {_size(one.size_bytes)}")
            for one in found.tables
        ),
        *((name, "parameter of the stage") for name in found.parameters),
        *((name, "log") for name in found.log_groups),
    ]
    return [
        *(("Remove", *row) for row in removed),
        *(("Delete" if delete_data else "Keep", *row) for row in data),
    ]


def warnings(found: Inventory, *, delete_data: bool) -> list[str]:
    """Return the consequences of the removal that the list of resources does not show."""
    queued, dead = found.waiting
    kinds = found.stack.kinds if found.stack else {}
    lines = []
    if queued or dead:
        lines.append(
            f"About {queued} messages are waiting to be stored, and {dead} are in the "
            "dead-letter queue. They are deleted with their queues."
        )
    if "ConfigurationSet" in kinds and found.stack:
        lines.append(
            "SES will reject emails with the configuration set "
            f"{found.stack.names['ConfigurationSet']}. First remove it from your sending code."
        )
    if found.people:
        lines.append(
            f"The user accounts are deleted, about {found.people}. To see them, run `users list`."
        )
    if delete_data and found.tables:
        lines.append(
            "The data of all campaigns is deleted. If point-in-time recovery is enabled, "
            "DynamoDB keeps a system backup of each table for 35 days."
        )
    return lines


def _ask(stage: str) -> None:
    if not sys.stdin.isatty():
        raise CommandError(
            "nothing was removed: cannot ask for confirmation without a terminal. To skip "
            "the confirmation, use --yes"
        )
    typed = click.prompt(f"To confirm, type {stage}", default="", show_default=False, err=True)
    if typed != stage:
        raise CommandError(f"nothing was removed: you typed {typed!r}, not {stage}")


def _farewell(place: Place, found: Inventory, *, delete_data: bool) -> str:
    if delete_data:
        return f"Stage {place.stage} and its data were removed."
    settings = [
        word for name, value in found.chosen.items() for word in ("--set", f"{name}={value}")
    ]
    again = shlex.join(
        ["deploy", "--stage", place.stage, "--region", place.region, *settings],
    )
    if found.stack is None or not found.stack.can_be_kept:
        return (
            f"Stage {place.stage} was removed. Its tables no longer belong to a stack. To import "
            'them into a stage, see "Removing it" in docs/operations.md'
        )
    return (
        f"Stage {place.stage} was removed. The stack {place.stack_name} still has its data. To "
        f"use it again, run:\n  python -m dashboard {again}"
    )


def _kind(table: str) -> str:
    return next(kind for resource, kind in _KINDS.items() if f"-{resource}-" in table)


def _size(size_bytes: float) -> str:
    for unit in ("B", "KB", "MB", "GB"):
        if size_bytes < 1000:  # noqa: PLR2004 - the next unit
            return f"{size_bytes:.3g} {unit}"
        size_bytes /= 1000
    return f"{size_bytes:.3g} TB"

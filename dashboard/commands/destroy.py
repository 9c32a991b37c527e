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
@click.option("--stage", required=True, help="Which installation, such as prod.")
@click.option("--region", help="AWS region, if not the configured one.")
@click.option(
    "--delete-data", is_flag=True, help="Delete what SES reported, too, the logs and the secrets."
)
@click.option("--yes", is_flag=True, help="Do not ask.")
def command(*, stage: str, region: str | None, delete_data: bool, yes: bool) -> None:
    """Remove Mailpulse from your AWS account.

    Lists what it removes and what it keeps, and asks. The data is kept, and the next `deploy` of
    the stage takes it up, unless --delete-data is given. Safe to run again, also after it failed.
    """
    steps = Reporter()
    place = find_place(stage, region)
    steps.info(f"Stage {stage} in account {place.account}, region {place.region}")
    try:
        refuse_what_a_pipeline_deploys(place)
        found = inventory.take(place)
        if not found.is_running and not found.has_data:
            raise CommandError(
                f"there is no stage {stage} in account {place.account}, region {place.region}: "
                "nothing to remove. Check --stage, --region and AWS_PROFILE"
            )
        for action, name, what in rows(found, delete_data=delete_data):
            print(f"{action:<8} {name:<44} {what}")
        if not found.is_running and not delete_data:
            removal.forget_build(place)
            steps.info("Only data is left of it, which is kept; --delete-data deletes it.")
            return
        for line in warnings(found, delete_data=delete_data):
            steps.warn(line)
        if not yes:
            _ask(stage)
        removal.remove(place, found, steps, delete_data=delete_data)
    except (BotoCoreError, ClientError) as error:
        raise CommandError(
            f"AWS refused: {error}. Correct that and run the same command again: it continues "
            "from where it is"
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
            f"About {queued} messages wait to be stored, and {dead} are set aside: they are lost "
            "with their queues."
        )
    if "ConfigurationSet" in kinds and found.stack:
        lines.append(
            f"SES will refuse mail that names the configuration set "
            f"{found.stack.names['ConfigurationSet']}: take it out of what sends, first."
        )
    if found.people:
        lines.append(
            f"About {found.people} people can sign in: `users list` says who. Their accounts go."
        )
    if delete_data and found.tables:
        lines.append(
            "The numbers of all campaigns are deleted. DynamoDB keeps a system backup of each "
            "table for 35 days, where point-in-time recovery is on."
        )
    return lines


def _ask(stage: str) -> None:
    if not sys.stdin.isatty():
        raise CommandError(
            "nothing was removed: there is no terminal to ask at. --yes removes it without asking"
        )
    typed = click.prompt(f"Type {stage} to remove it", default="", show_default=False, err=True)
    if typed != stage:
        raise CommandError(f"nothing was removed: {typed!r} is not {stage}")


def _farewell(place: Place, found: Inventory, *, delete_data: bool) -> str:
    if delete_data:
        return f"Stage {place.stage} is removed, with its data."
    settings = [
        word for name, value in found.chosen.items() for word in ("--set", f"{name}={value}")
    ]
    again = shlex.join(
        ["deploy", "--stage", place.stage, "--region", place.region, *settings],
    )
    if found.stack is None or not found.stack.can_be_kept:
        return (
            f"Stage {place.stage} is removed. Its tables belong to no stack any more: "
            'docs/operations.md, "Removing it", says how a stage takes them up'
        )
    return (
        f"Stage {place.stage} is removed. The stack {place.stack_name} holds its data, which this "
        f"takes up again:\n  python -m dashboard {again}"
    )


def _kind(table: str) -> str:
    return next(kind for resource, kind in _KINDS.items() if f"-{resource}-" in table)


def _size(size_bytes: float) -> str:
    for unit in ("B", "KB", "MB", "GB"):
        if size_bytes < 1000:  # noqa: PLR2004 - the next unit
            return f"{size_bytes:.3g} {unit}"
        size_bytes /= 1000
    return f"{size_bytes:.3g} TB"

"""`package`: a template of the functions, for a pipeline that deploys with CloudFormation."""

import json
import os
import shutil
from collections.abc import Mapping
from pathlib import Path

import click

from dashboard.deploy import chalice_project, event_sources, sam_template, settings
from dashboard.paths import PROJECT
from dashboard.progress import Reporter

# Chalice requires a region; its package is the same for all.
_ANY_REGION = "us-east-1"
_TEMPLATE = "functions.json"


@click.command("package")
@click.option("--stage", required=True, help="Stage of the installation, such as prod.")
@click.option(
    "--out",
    required=True,
    type=click.Path(file_okay=False, path_type=Path),
    help="Folder for the template and the code.",
)
@click.option(
    "--set",
    "assignments",
    metavar="NAME=VALUE",
    multiple=True,
    help="Setting of the functions, such as STORE_ADDRESSES=true; all others have their defaults.",
)
@click.option(
    "--architecture",
    type=click.Choice(chalice_project.ARCHITECTURES),
    default=chalice_project.ARCHITECTURES[0],
    show_default=True,
    help="Architecture of the functions.",
)
def command(*, stage: str, out: Path, assignments: tuple[str, ...], architecture: str) -> None:
    """Package the functions for a CI/CD pipeline, instead of `deploy`. Makes no AWS calls.

    Prints the path of the template. For the next steps, see infrastructure/README.md.
    """
    chosen = settings.chosen(assignments)
    with Reporter().step("Package the functions"):
        print(package(stage, out, chosen, architecture=architecture))


def package(
    stage: str,
    out: Path,
    chosen: Mapping[str, str],
    *,
    with_packages: bool = True,
    architecture: str = chalice_project.ARCHITECTURES[0],
) -> Path:
    """Write the template of a stage's functions and their code, and return the template's path.

    Args:
        stage: the Chalice stage.
        out: the folder, created if it is missing.
        chosen: settings of the functions; the others have their defaults.
        with_packages: as in `chalice_project.prepare`.
        architecture: the instruction set of the functions, one of chalice_project.ARCHITECTURES.

    Raises:
        CommandError: Chalice failed; the message has the reason.
    """
    # The user pool's client unless another is chosen: with an external issuer, there is no such
    # output.
    outputs = sam_template.Placeholders(ClientId="${ClientId}")
    keys = {"PSEUDONYM_KEY": "${PseudonymKey}", "SHARE_KEY": "${ShareKey}"}
    variables = settings.compose(outputs, kept={}, chosen=chosen, keys=keys)
    build = PROJECT / ".mailpulse" / "package" / stage
    chalice_project.prepare(
        build,
        stage,
        variables,
        chalice_project.roles(outputs),
        with_packages=with_packages,
        architecture=architecture,
    )
    environment = {**os.environ, "AWS_DEFAULT_REGION": _ANY_REGION}
    template, code = chalice_project.package(build, stage, environment, build / "package.log")
    finished = sam_template.finish(json.loads(template.read_text()), stage, event_sources.OPTIONS)
    out.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(code, out / code.name)
    (out / _TEMPLATE).write_text(json.dumps(finished, indent=2) + "\n")
    return out / _TEMPLATE

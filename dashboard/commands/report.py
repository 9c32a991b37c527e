"""`report`: the numbers of a campaign as a document, as JSON or as CSV."""

from collections.abc import Callable
from pathlib import Path

import click

from chalicelib.errors import CommandError
from dashboard.figures import reading
from dashboard.figures.reading import Reading
from dashboard.installation import find, installation_options
from dashboard.progress import Reporter
from dashboard.report.document import document
from dashboard.report.programs import as_csv, as_json

_FORMATS: dict[str, Callable[[Reading], str]] = {
    "html": document,
    "json": as_json,
    "csv": as_csv,
}


@click.command("report")
@click.argument("campaign")
@click.option(
    "--format",
    "form",
    type=click.Choice(list(_FORMATS)),
    help="Format of the report (default: that of FILE's name, otherwise html).",
)
@click.option(
    "--output",
    "file",
    type=click.Path(dir_okay=False, path_type=Path),
    metavar="FILE",
    help="File to write, replaced if it exists (default: standard output).",
)
@installation_options
def command(  # noqa: PLR0913 - one for each option
    *,
    campaign: str,
    form: str | None,
    file: Path | None,
    stage: str | None,
    region: str | None,
    state_dir: Path,
) -> None:
    """Write the numbers of CAMPAIGN as one HTML file that prints on A4, as JSON or as CSV.

    The report has no addresses of recipients. All times are UTC.
    """
    installation = find(state_dir, stage, region)
    reading.require(installation, campaign)
    text = _FORMATS[form or _format_of(file)](reading.read(installation, campaign))
    if file is None:
        click.echo(text, nl=False)
        return
    try:
        file.write_text(text, encoding="utf-8", newline="")
    except OSError as error:
        raise CommandError(
            f"cannot write {file} ({error.strerror}): choose another file with --output"
        ) from error
    Reporter().info(f"The report was written to {file}.")


def _format_of(file: Path | None) -> str:
    suffix = file.suffix.removeprefix(".").lower() if file else ""
    return suffix if suffix in _FORMATS else "html"

"""`reconcile`: our counts of each day beside SES's own, with the causes of the differences."""

import json
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

import click
from rich.console import Console

from chalicelib.aws.ses_metrics import DAYS_KEPT
from chalicelib.errors import CommandError
from dashboard.installation import find, installation_options
from dashboard.progress import Reporter
from dashboard.reconcile import reading, text
from dashboard.reconcile.sources import Request

_DAYS = 7
# CloudWatch's first values are of the day before the first one to compare.
_MOST_DAYS = DAYS_KEPT - 2
_DATE = click.DateTime(formats=["%Y-%m-%d"])


@click.command("reconcile")
@click.option(
    "--from", "first", type=_DATE, metavar="DATE", help="First day (default: a week before --to)."
)
@click.option(
    "--to", "last", type=_DATE, metavar="DATE", help="Last day, which must be over (default: "
    "yesterday)."
)  # fmt: skip
@click.option("--by-day", is_flag=True, help="Show every day of every metric.")
@click.option(
    "--facts",
    is_flag=True,
    help="Read all stored facts as well, for the causes that no counter has: emails to several "
    "recipients or to the mailbox simulator, repeated reports, automatic replies.",
)
@click.option(
    "--configuration-set",
    metavar="NAME",
    help="Compare with SES's metrics of a configuration set, not of the account. It needs a "
    "CloudWatch event destination with the dimension ses:configuration-set.",
)
@click.option(
    "--tolerance",
    type=click.FloatRange(0, 100),
    default=0.1,
    show_default=True,
    metavar="PERCENT",
    help="Unexplained difference, in percent of SES's count, up to which the exit status is 0.",
)
@click.option("--json", "as_json", is_flag=True, help="Print the result as one line of JSON.")
@installation_options
def command(  # noqa: PLR0913 - one for each option
    *,
    first: datetime | None,
    last: datetime | None,
    by_day: bool,
    facts: bool,
    configuration_set: str | None,
    tolerance: float,
    as_json: bool,
    stage: str | None,
    region: str | None,
    state_dir: Path,
) -> None:
    """Compare the counts of each UTC day with SES's own metrics.

    Explains the differences, and shows how far the account is from the lines at which SES
    intervenes, and the last recount. Changes nothing. The exit status is 1 if a difference above
    the tolerance is unexplained, or if SES has published no metrics.
    """
    installation = find(state_dir, stage, region)
    now = datetime.fromtimestamp(installation.clock(), UTC)
    request = request_of(first, last, now, facts=facts, configuration_set=configuration_set)
    found = reading.read(installation, request, Reporter())
    fraction = tolerance / 100
    if as_json:
        print(json.dumps(text.as_json(found, fraction)))
    else:
        text.show(found, fraction, Console(highlight=False), by_day=by_day)
    if not found.is_published:
        of = f"the configuration set {configuration_set}" if configuration_set else "SES"
        raise CommandError(
            f"CloudWatch has no metrics of {of} in {found.region} from {request.first} to "
            f"{request.last}: check in which region SES sends"
        )
    if text.failing(found, fraction):
        sys.exit(1)


def request_of(
    first: datetime | None,
    last: datetime | None,
    now: datetime,
    *,
    facts: bool = False,
    configuration_set: str | None = None,
) -> Request:
    """Return the days to compare.

    Raises:
        CommandError: the last day is not over, or the first one is after it or too long ago.
    """
    today = now.date()
    until = today - timedelta(days=1) if last is None else last.date()
    since = until - timedelta(days=_DAYS - 1) if first is None else first.date()
    if until >= today:
        raise CommandError(
            f"{until} is not over in UTC: use --to {today - timedelta(days=1)}, or an earlier day"
        )
    if since > until:
        raise CommandError(f"--from {since} is after --to {until}")
    earliest = today - timedelta(days=_MOST_DAYS)
    if since < earliest:
        raise CommandError(
            f"CloudWatch has no values of 15 minutes of {since} anymore: use --from {earliest}, or "
            "a later day"
        )
    return Request(since, until, facts, configuration_set)

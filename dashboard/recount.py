"""`recount`: do the stored facts and the counters agree? And if not, restate the counters."""

import json
import sys
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import click
from rich.console import Console
from rich.table import Table

from chalicelib.checkpoint import Touched
from chalicelib.errors import AwsError, CommandError
from chalicelib.facts import ENGAGEMENTS
from chalicelib.ingest import settle_message
from chalicelib.metrics import SUMMARY, Aggregate
from dashboard.comparison import Difference, Facts, differences
from dashboard.installation import Installation, find, installation_options
from dashboard.pausing import Pause, ingest_paused, wait_until_counted
from dashboard.steps import Steps

_MOST_SHOWN = 50


@dataclass(frozen=True)
class Outcome:
    """What a recount found.

    Attributes:
        compared: campaigns that were compared.
        expiring: campaigns that could not be: their facts have begun to expire.
        facts: how many facts and states were read.
        not_understood: stored items that are neither.
        differences: where counters were not what the facts say.
        restated: aggregates that were set to it.
    """

    compared: Sequence[str]
    expiring: Sequence[str]
    facts: int
    not_understood: int
    differences: Sequence[Difference]
    restated: int


@click.command("recount")
@click.argument("campaign", required=False)
@click.option("--all", "every", is_flag=True, help="Every campaign.")
@click.option("--apply", "applies", is_flag=True, help="Set the counters to what the facts say.")
@click.option(
    "--reclassify", is_flag=True, help="First judge all opens and clicks by today's rules."
)
@click.option("--json", "as_json", is_flag=True, help="Print the outcome as one line of JSON.")
@installation_options
def command(  # noqa: PLR0913 - one for each option
    *,
    campaign: str | None,
    every: bool,
    applies: bool,
    reclassify: bool,
    as_json: bool,
    stage: str | None,
    region: str | None,
    state_dir: Path,
) -> None:
    """Compare the counters of CAMPAIGN, or of --all, with the stored facts.

    Pauses ingest meanwhile (events wait in the queue) and resumes it whatever happens. Exit status
    1 when a difference was found and not restated.
    """
    if (campaign is None) != every:
        raise click.UsageError("name one campaign, or give --all")
    installation = find(state_dir, stage, region)
    outcome = recount(installation, campaign, Steps(), applies=applies, reclassify=reclassify)
    if as_json:
        print(json.dumps(asdict(outcome)))
    else:
        _show(outcome, applies=applies)
    if outcome.differences and not applies:
        sys.exit(1)


def recount(
    installation: Installation,
    campaign: str | None,
    steps: Steps,
    *,
    applies: bool = False,
    reclassify: bool = False,
) -> Outcome:
    """Compare counters with the stored facts, and restate them if asked.

    Args:
        installation: whose.
        campaign: None for all.
        steps: is told what is done.
        applies: whether to set the counters to what the facts say.
        reclassify: whether to settle all messages by today's rules first.

    Raises:
        CommandError: there is no such campaign, its facts have begun to expire, or the pause of
            ingest did not hold.
        AwsError: something could not be read or written.
    """
    summaries = _summaries(installation, campaign)
    now = time.time()
    expiring = sorted(
        name for name, one in summaries.items() if one.facts_until and one.facts_until <= now
    )
    if campaign is not None and expiring:
        raise CommandError(
            f"facts of {campaign!r} have begun to expire ({_day(summaries[campaign])}): the sum "
            "over the rest is too low, and its counters stay as they are"
        )
    with ingest_paused(installation, steps) as pause:
        if reclassify:
            _reclassify(installation, campaign, steps)
            wait_until_counted(installation, steps)
        facts = _read(installation, campaign, steps)
        # A campaign may have begun between the two looks.
        summaries = _summaries(installation, campaign)
        compared = sorted(({*summaries} | facts.campaigns()) - {*expiring})
        found: list[Difference] = []
        restated = 0
        with steps.step("The counters are compared") as step:
            for number, one in enumerate(compared):
                step.progress(f"{number} of {len(compared)} campaigns")
                mine = _compare(installation, one, facts, now)
                found += mine
                if applies and mine:
                    restated += _restate(pause, one, facts, mine, now)
    return Outcome(compared, expiring, facts.read, facts.not_understood, found, restated)


def _summaries(installation: Installation, campaign: str | None) -> dict[str, Aggregate]:
    stats_table = installation.parts.stats_table
    if campaign is None:
        return {one.campaign: one for one in stats_table.all_campaigns()}
    summary = stats_table.summary(campaign)
    if summary is None:
        raise CommandError(f"there is no campaign {campaign!r}: check its name on the page")
    return {campaign: summary}


def _read(installation: Installation, campaign: str | None, steps: Steps) -> Facts:
    facts = Facts()
    looked_at = 0
    with steps.step("The stored facts are read") as step:
        for scanned, items in installation.parts.events_table.scan(campaign):
            looked_at += scanned
            for item in items:
                facts.add(item)
            step.progress(f"{looked_at:,} items")
        step.result = f"{facts.read:,} stored facts are read"
    return facts


def _reclassify(installation: Installation, campaign: str | None, steps: Steps) -> None:
    """Settle every message that has opens or clicks by today's rules."""
    events_table = installation.parts.events_table
    with steps.step("The messages are settled by today's rules") as step:
        messages: set[str] = set()
        for _, items in events_table.scan(campaign):
            messages |= {
                item["message_id"]["S"]
                for item in items
                if item.get("e", {}).get("S") in ENGAGEMENTS
            }
            step.progress(f"{len(messages):,} messages with opens or clicks found")
        changes = 0
        for number, message_id in enumerate(sorted(messages)):
            if number % 100 == 0:
                step.progress(f"{number:,} of {len(messages):,} messages")
            changes += settle_message(events_table, message_id)
        step.result = f"{len(messages):,} messages are settled, {changes:,} items changed"


def _compare(
    installation: Installation, campaign: str, facts: Facts, now: float
) -> list[Difference]:
    aggregates = installation.parts.stats_table.aggregates(campaign)
    return list(differences(campaign, facts.of(campaign, now), aggregates, now))


def _restate(
    pause: Pause, campaign: str, facts: Facts, found: Sequence[Difference], now: float
) -> int:
    """Set the aggregates that differ; return how many."""
    pause.require()
    stats_table = pause.installation.parts.stats_table
    versions = {one.part: one.version for one in stats_table.aggregates(campaign)}
    wanted = facts.of(campaign, now)
    parts = {difference.part for difference in found}
    # The summary last, as counting writes it: it never runs ahead of its parts.
    for part in sorted(parts, key=lambda part: (part == SUMMARY, part)):
        try:
            stats_table.restate(
                (campaign, part),
                wanted.get(part, Touched()),
                version=versions.get(part, 0),
                now=int(now),
            )
        except AwsError as error:
            raise CommandError(
                f"{campaign}/{part} could not be restated ({error}): run recount again"
            ) from error
    return len(parts)


def _show(outcome: Outcome, *, applies: bool) -> None:
    console = Console(highlight=False)
    if outcome.differences:
        table = Table("campaign", "part", "what", "counted", "facts say", box=None)
        for one in outcome.differences[:_MOST_SHOWN]:
            table.add_row(one.campaign, one.part, one.name, str(one.counted), str(one.stored))
        console.print(table)
        if len(outcome.differences) > _MOST_SHOWN:
            console.print(f"… and {len(outcome.differences) - _MOST_SHOWN} more; --json has all")
    if outcome.expiring:
        console.print(
            f"{len(outcome.expiring)} campaigns were left out, whose facts have begun to expire: "
            + ", ".join(outcome.expiring[:10])
        )
    if outcome.not_understood:
        console.print(f"{outcome.not_understood} stored items could not be understood")
    verdict = f"{len(outcome.differences)} differences" if outcome.differences else "No difference"
    done = f"; {outcome.restated} aggregates restated" if applies and outcome.restated else ""
    console.print(
        f"{verdict} between {outcome.facts:,} stored facts and the counters of "
        f"{len(outcome.compared)} campaigns{done}."
    )


def _day(summary: Aggregate) -> str:
    return time.strftime("%Y-%m-%d", time.gmtime(summary.facts_until or 0))

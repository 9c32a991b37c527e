"""`recount`: compare the counters with the stored facts, and restate the counters on request."""

import json
import sys
import time
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path

import click
from rich.console import Console
from rich.table import Table

from chalicelib.errors import AwsError, CommandError
from chalicelib.facts.fact import SETTLED_TYPES, Fact
from chalicelib.facts.items import expiry, from_item
from chalicelib.facts.rules import RULES_VERSION
from chalicelib.functions.ingest import settle_message
from chalicelib.log import log
from chalicelib.stats.activity import entry_of, is_activity, pages
from chalicelib.stats.counters import NETWORK, SUMMARY, Aggregate, network_of
from chalicelib.stats.jobs import Job, job_to_body
from chalicelib.stats.proof import Proof
from chalicelib.stats.update import PendingUpdate
from dashboard.installation import Installation, find, installation_options
from dashboard.progress import Reporter
from dashboard.recount.comparison import (
    Difference,
    Facts,
    counters_compared,
    differences,
    drift,
    is_compared,
)
from dashboard.recount.pausing import Pause, ingest_paused, wait_until_counted

_MOST_SHOWN = 50


@dataclass(frozen=True)
class Outcome:
    """The result of a recount.

    Attributes:
        compared: campaigns that were compared.
        expiring: campaigns that were not compared, because their facts have begun to expire.
        facts: number of facts and states read.
        counters: number of counters that were compared.
        not_understood: number of stored items that are neither facts nor states.
        differences: counters that differ from the facts.
        outdated: compared campaigns that an earlier release has counted, by its definitions.
        restated: number of aggregates that were corrected.
    """

    compared: Sequence[str]
    expiring: Sequence[str]
    facts: int
    counters: int
    not_understood: int
    differences: Sequence[Difference]
    outdated: Sequence[str]
    restated: int


@dataclass(frozen=True)
class _Look:
    """The data of a recount: each campaign's aggregates by part, read before the facts.

    In this order, a fact that is counted after its aggregate was read changes the version on which
    restating the aggregate is conditional.
    """

    aggregates: dict[str, dict[str, Aggregate]]
    facts: Facts


@click.command("recount")
@click.argument("campaign", required=False)
@click.option("--all", "every", is_flag=True, help="Every campaign.")
@click.option(
    "--apply",
    "applies",
    is_flag=True,
    help="Correct the counters to match the facts, and count what earlier releases stored by the "
    "current definitions.",
)
@click.option(
    "--reclassify", is_flag=True, help="First reclassify all opens and clicks by the current rules."
)
@click.option("--json", "as_json", is_flag=True, help="Print the result as one line of JSON.")
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

    Pauses ingest meanwhile (events wait in the queue) and always resumes it. The exit status is 1
    if differences were found and not corrected.
    """
    if (campaign is None) != every:
        raise click.UsageError("specify a campaign, or --all")
    installation = find(state_dir, stage, region)
    outcome = recount(installation, campaign, Reporter(), applies=applies, reclassify=reclassify)
    if as_json:
        print(json.dumps(asdict(outcome)))
    else:
        _show(outcome, applies=applies)
    if outcome.differences and not applies:
        sys.exit(1)


def recount(
    installation: Installation,
    campaign: str | None,
    steps: Reporter,
    *,
    applies: bool = False,
    reclassify: bool = False,
) -> Outcome:
    """Compare counters with the stored facts, and restate them on request.

    Args:
        installation: the installation.
        campaign: None for all.
        steps: reports progress.
        applies: whether to set the counters to the sums of the facts.
        reclassify: whether to settle all messages by the current rules first.

    Raises:
        CommandError: there is no such campaign, its facts have begun to expire, or ingest's pause
            was ended.
        AwsError: a table could not be read or written.
    """
    summaries = list(_summaries(installation, campaign))
    names = {one.campaign for one in summaries}
    outdated = {one.campaign for one in summaries if not one.is_current}
    with ingest_paused(installation, steps) as pause:
        if reclassify or (applies and outdated):
            selected = None if reclassify else outdated
            # What an email shows about networks does not depend on their evidence, which is
            # complete once the first pass is counted: the second pass is the last.
            for _ in range(2):
                changes = _settle(installation, campaign, steps, selected)
                wait_until_counted(installation, steps)
                if not changes:
                    break
        if applies and outdated:
            _list_activity(installation, campaign, steps, outdated)
        look = _look(installation, campaign, names, steps, applies=applies)
        pause.require()
        # Anything ingested despite the pause is counted by now, and has changed a version.
        wait_until_counted(installation, steps)
        now = time.time()
        expiring = sorted(
            name for name, parts in look.aggregates.items() if _is_expiring(parts, now)
        )
        compared = sorted(look.aggregates.keys() - {*expiring})
        found: list[Difference] = []
        restated, counters, outdated = 0, 0, set()
        with steps.step("Compare the counters") as step:
            for number, one in enumerate(compared):
                step.progress(f"{number} of {len(compared)} campaigns")
                aggregates = look.aggregates[one]
                expected = look.facts.of(one, now)
                mine = list(differences(one, expected, aggregates.values(), now))
                counters += counters_compared(expected, aggregates.values(), now)
                if SUMMARY in aggregates and not aggregates[SUMMARY].is_current:
                    outdated.add(one)
                if mine or (applies and one in outdated):
                    _require_unchanged(installation, one, look, now)
                    found += mine
                    restated += _restate(pause, one, look, mine, now) if applies else 0
                if applies:
                    _index(installation, one, look)
        facts = look.facts
        outcome = Outcome(
            compared,
            expiring,
            facts.read,
            counters,
            facts.not_understood,
            found,
            [] if applies else sorted(outdated),
            restated,
        )
        # Before the pause ends, whose end is the only other trace of a recount.
        installation.stats_table.pipeline.put_proof(
            _proof(outcome, campaign, pause.at, applies=applies)
        )
    return outcome


def _proof(outcome: Outcome, campaign: str | None, started: str, *, applies: bool) -> Proof:
    """Return what to store of the result of a recount."""
    return Proof(
        at=datetime.now(UTC).isoformat(timespec="milliseconds"),
        started=started,
        of=campaign,
        campaigns=len(outcome.compared),
        expiring=len(outcome.expiring),
        facts=outcome.facts,
        counters=outcome.counters,
        differences=len(outcome.differences),
        drift=drift(outcome.differences),
        restated=outcome.restated,
        applied=applies,
    )


def _summaries(installation: Installation, campaign: str | None) -> Iterable[Aggregate]:
    stats_table = installation.stats_table
    if campaign is None:
        return stats_table.campaigns.all()
    summary = stats_table.summary(campaign)
    if summary is None:
        raise CommandError(f"no campaign {campaign!r}: check its name on the page")
    if _is_expiring({SUMMARY: summary}, time.time()):
        raise CommandError(
            f"some facts of {campaign!r} have expired ({_day(summary)}): the remaining facts "
            "are incomplete, so its counters were not changed"
        )
    return [summary]


def _is_expiring(parts: Mapping[str, Aggregate], now: float) -> bool:
    """Return whether some of a campaign's facts may have expired."""
    until = parts[SUMMARY].facts_until if SUMMARY in parts else None
    return until is not None and until <= now


def _look(
    installation: Installation,
    campaign: str | None,
    names: set[str],
    steps: Reporter,
    *,
    applies: bool,
) -> _Look:
    stats_table = installation.stats_table
    while True:
        with steps.step("Read the counters"):
            aggregates = {
                name: {one.part: one for one in stats_table.aggregates(name)}
                for name in sorted(names)
            }
        facts = _read(installation, campaign, steps, indexes=applies)
        unlisted = facts.campaigns() - names
        if not unlisted:
            return _Look(aggregates, facts)
        # The list of campaigns lags behind, or lacks campaigns that were never counted.
        names = names | unlisted


def _read(
    installation: Installation, campaign: str | None, steps: Reporter, *, indexes: bool
) -> Facts:
    facts = Facts(installation.suppressions.read(), indexes=indexes)
    looked_at = 0
    with steps.step("Read the facts") as step:
        for scanned, items in installation.events_table.scan(campaign):
            looked_at += scanned
            for item in items:
                facts.add(item)
            step.progress(f"{looked_at:,} items")
        step.result = f"{facts.read:,} facts read"
    return facts


def _settle(
    installation: Installation, campaign: str | None, steps: Reporter, campaigns: set[str] | None
) -> int:
    """Settle messages by the current rules and definitions, unless facts may have expired.

    Args:
        installation: the installation.
        campaign: the campaign to read; None for all.
        steps: reports progress.
        campaigns: the campaigns to settle; None for all.

    Returns:
        Number of items changed.
    """
    odd = 0
    with steps.step("Reclassify the messages by the current rules") as step:
        messages: dict[str, set[str]] = defaultdict(set)
        for _, items in installation.events_table.scan(campaign):
            for item in items:
                if item.get("e", {}).get("S") in SETTLED_TYPES:
                    messages[item["message_id"]["S"]].add(item.get("c", {}).get("S", ""))
            step.progress(f"{len(messages):,} messages with opens, clicks or bounces found")
        now, forgotten = time.time(), installation.suppressions.read()
        whole = {
            name
            for name in set().union(*messages.values())
            if (campaigns is None or name in campaigns)
            and (
                (summary := installation.stats_table.summary(name)) is None
                or not _is_expiring({SUMMARY: summary}, now)
            )
        }
        changes = 0
        for number, (message_id, found) in enumerate(sorted(messages.items())):
            if number % 100 == 0:
                step.progress(f"{number:,} of {len(messages):,} messages")
            try:
                changes += settle_message(
                    installation.events_table,
                    installation.networks,
                    message_id,
                    forgotten,
                    found & whole,
                )
            except ValueError as error:  # as in ingest, one message must not fail the others
                odd += 1
                log("not_settled", message_id=message_id, detail=str(error))
        step.result = f"{len(messages):,} messages reclassified, {changes:,} items changed"
    if odd:
        steps.warn(
            f"{odd:,} messages could not be reclassified: they have invalid items, or a "
            "newer version of Mailpulse has classified them."
        )
    return changes


def _list_activity(
    installation: Installation, campaign: str | None, steps: Reporter, campaigns: set[str]
) -> None:
    """Write the pages of activity that an earlier release has not written.

    Args:
        installation: the installation.
        campaign: the campaign to read; None for all.
        steps: reports progress.
        campaigns: the campaigns whose activity to list.
    """
    listed, forgotten = 0, installation.suppressions.read()
    with steps.step("List the activity that an earlier release has stored") as step:
        for number, (_, items) in enumerate(installation.events_table.scan(campaign)):
            entries: dict[str, list[Fact]] = defaultdict(list)
            expires = 0
            for item in items:
                try:
                    stored, until = forgotten.stored(from_item(item)), expiry(item)
                except ValueError:
                    continue  # the comparison reports it
                if isinstance(stored, Fact) and is_activity(stored):
                    entries[stored.campaign].append(entry_of(stored))
                    expires = max(expires, until or 0)
            for name in campaigns & entries.keys():
                # A repeated recount replaces the pages, unless the table has changed meanwhile.
                for page in pages(entries[name], f"recount#{number}", expires):
                    installation.stats_table.activity.put(name, page)
                listed += len(entries[name])
            step.progress(f"{listed:,} entries")
        step.result = f"{listed:,} entries"


def _require_unchanged(installation: Installation, campaign: str, look: _Look, now: float) -> None:
    """Require that nothing was counted since the counters were read, which would be a difference.

    Raises:
        CommandError: a counter has changed.
    """

    def versions(aggregates: Iterable[Aggregate]) -> dict[str, int]:
        return {one.part: one.version for one in aggregates if is_compared(one.part, now)}

    if versions(installation.stats_table.aggregates(campaign)) != versions(
        look.aggregates[campaign].values()
    ):
        raise CommandError(
            f"events of {campaign!r} were counted during the comparison, although ingest is "
            "paused: run `recount` again"
        )


def _restate(
    pause: Pause, campaign: str, look: _Look, found: Sequence[Difference], now: float
) -> int:
    """Restate the aggregates that differ, and an outdated summary; return their number."""
    pause.require()
    stats_table = pause.installation.stats_table
    positions = stats_table.positions.by_attribute(int(now))
    before = look.aggregates[campaign]
    wanted = look.facts.of(campaign, now)
    parts = {difference.part for difference in found}
    if SUMMARY in before and not before[SUMMARY].is_current:
        parts.add(SUMMARY)
    if SUMMARY in parts and campaign in look.facts.subjects:
        stats_table.subjects.add(campaign, look.facts.subjects[campaign])
    # Before the evidence changes; ingest, which does the jobs, is paused.
    _send_jobs(pause.installation, campaign, parts)
    # The summary last, as in counting: it is never ahead of its parts.
    for part in sorted(parts, key=lambda part: (part == SUMMARY, part)):
        counts = before[part].counts if part in before else {}
        try:
            stats_table.restate(
                (campaign, part),
                wanted.get(part, PendingUpdate()).over(counts),
                version=before[part].version if part in before else 0,
                positions=positions,
                now=int(now),
            )
        except AwsError as error:
            raise CommandError(
                f"{campaign}/{part} could not be corrected ({error}): run `recount` again"
            ) from error
    return len(parts)


def _send_jobs(installation: Installation, campaign: str, parts: Iterable[str]) -> None:
    """Have ingest settle the emails of networks whose evidence was corrected, once it resumes.

    Raises:
        AwsError: a job could not be sent.
    """
    networks = (network_of(part) for part in parts if part.startswith(f"{NETWORK}#"))
    installation.queues.send(
        [(job_to_body(Job(campaign, one)), 0) for rules, one in networks if rules == RULES_VERSION]
    )


def _index(installation: Installation, campaign: str, look: _Look) -> None:
    """Append a campaign's recipients to their index, unless it agrees with the facts.

    The pages expire with the facts, as the activity does: otherwise, all recipients would be listed
    as those who have not opened once the activity has expired.

    Raises:
        AwsError: the index could not be read or written.
    """
    by_expiry = look.facts.sent[campaign]
    sent = {entry.message_id: entry for some in by_expiry.values() for entry in some}
    if installation.recipients.sent(campaign) != sent:
        for expires, some in by_expiry.items():
            installation.recipients.append(campaign, some, f"recount#{expires}", expires)


def _show(outcome: Outcome, *, applies: bool) -> None:
    console = Console(highlight=False)
    if outcome.differences:
        table = Table("campaign", "part", "counter", "counted", "from facts", box=None)
        for one in outcome.differences[:_MOST_SHOWN]:
            table.add_row(one.campaign, one.part, one.name, str(one.counted), str(one.stored))
        console.print(table)
        if len(outcome.differences) > _MOST_SHOWN:
            console.print(
                f"… and {len(outcome.differences) - _MOST_SHOWN} more; use --json to see all"
            )
    if outcome.expiring:
        console.print(
            f"{len(outcome.expiring)} campaigns were skipped because some of their facts "
            "have expired: " + ", ".join(outcome.expiring[:10])
        )
    if outcome.outdated:
        console.print(
            f"{len(outcome.outdated)} campaigns were counted by an earlier release, by its "
            "definitions: run `recount --apply` to count them by the current ones"
        )
    if outcome.not_understood:
        console.print(f"{outcome.not_understood} stored items are invalid")
    verdict = f"{len(outcome.differences)} differences" if outcome.differences else "No difference"
    done = f"; {outcome.restated} aggregates corrected" if applies and outcome.restated else ""
    console.print(
        f"{verdict} between {outcome.facts:,} stored facts and the {outcome.counters:,} counters "
        f"of {len(outcome.compared)} campaigns{done}."
    )


def _day(summary: Aggregate) -> str:
    return time.strftime("%Y-%m-%d", time.gmtime(summary.facts_until or 0))

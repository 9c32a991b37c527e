"""Read our counts and SES's, and compare them."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from chalicelib.insight import runway
from chalicelib.insight.day_counts import (
    ByDay,
    Emails,
    Known,
    OurDay,
    Source,
    TheirDay,
    day_after,
    days_between,
)
from chalicelib.insight.reconciliation import Comparison, is_published, reconcile
from chalicelib.insight.runway import Runway
from chalicelib.stats import daily
from chalicelib.stats.health import LAG_SECONDS
from chalicelib.stats.proof import Proof
from chalicelib.stats.reconciled import SETTLED_AFTER
from dashboard.installation import Installation
from dashboard.progress import Reporter
from dashboard.reconcile import emails
from dashboard.reconcile.account import Account
from dashboard.reconcile.sources import Request, day_of, find_ses, published, rates, vdm
from dashboard.reconcile.standing import TenantStanding, sent_days, standings


@dataclass(frozen=True)
class Reconciliation:
    """What was read and compared.

    Attributes:
        region: the region in which SES sends.
        configuration_set: the configuration set that the stage was deployed with, which VDM's
            metrics are of; None for all.
        is_published: whether CloudWatch has SES's metrics of these days.
        account: its status; None if it could not be read.
        runways: how far the account is from SES's lines.
        share: the part of the account's emails that we counted; None if nothing was sent.
        proofs: the last recounts, newest first.
        notes: what could not be read, or limits what was compared.
    """

    request: Request
    region: str
    configuration_set: str | None
    comparisons: Sequence[Comparison]
    is_published: bool
    account: Account | None
    runways: Sequence[Runway]
    share: float | None
    tenants: Sequence[TenantStanding]
    proofs: Sequence[Proof]
    notes: Sequence[str]


def read(installation: Installation, request: Request, steps: Reporter) -> Reconciliation:
    """Read and compare everything.

    Raises:
        CommandError: CloudWatch's metrics must not be read.
        AwsError: the tables or CloudWatch could not be read.
    """
    now = datetime.fromtimestamp(installation.clock(), UTC)
    days = days_between(request.first, request.last)
    ses = find_ses(installation)
    with steps.step("Read the counters"):
        since = min(request.first - timedelta(days=1), now.date() - timedelta(days=runway.DAYS - 1))
        counted = daily.read(
            installation.stats_table,
            since,
            now.date(),
            last_hours={day_after(days[0], -1), *days},
            apart={daily.DOCTOR},
        )
        proofs = installation.stats_table.pipeline.proofs()
    with steps.step("Read SES's metrics"):
        theirs: dict[Source, dict[str, TheirDay]] = {"cloudwatch": published(ses, request, now)}
        found_rates = rates(ses, now)
        account = ses.optional("the account's status", "ses:GetAccount", ses.account_api.account)
    # Without the facts, only the emails of `doctor` are known to be to the simulator.
    found = _read_emails(installation, steps) if request.facts else Emails(simulator=counted.apart)
    queues = installation.queues
    oldest = queues.oldest_seconds(now.timestamp())
    health = installation.stats_table.pipeline.health()
    lag = (health.findings and health.findings.stream_lag_seconds) or 0
    if lag > LAG_SECONDS:
        ses.notes.append(
            f"stored events have not been counted for {lag} s, so the newest are missing: run "
            "`doctor`"
        )
    elsewhere: ByDay = {}
    if account is not None and account.has_vdm:
        with steps.step("Read the metrics of Virtual Deliverability Manager"):
            if counts := vdm(ses, request, has_engagement=account.has_engagement):
                theirs["vdm"], elsewhere = counts
    known = Known(
        counted.days,
        theirs,
        emails=found,
        elsewhere=elsewhere,
        waiting=sum(queues.depths()),
        waiting_since=None if oldest is None else day_of(now - timedelta(seconds=oldest)),
        dead_letters=queues.dead_letters(),
        quarantined=health.quarantined,
        first_day=counted.first_day,
        unsettled=day_after(day_of(now - SETTLED_AFTER)),
    )
    if counted.outdated:
        ses.notes.append(
            f"{counted.outdated} campaigns were counted by an earlier release, by its definitions: "
            "run `recount --all --apply`"
        )
    sent = sent_days(ses, counted.days, account, now)
    return Reconciliation(
        request,
        ses.region,
        ses.named,
        reconcile(days, known),
        is_published(days, known),
        account,
        [runway.runway(kind, rate, sent) for kind, rate in found_rates.items()],
        _share(days, known),
        standings(ses, account, now),
        proofs,
        ses.notes,
    )


def _read_emails(installation: Installation, steps: Reporter) -> Emails:
    with steps.step("Read the facts") as step:

        def progress(done: emails.Progress) -> None:
            step.progress(f"{done.items:,} items")
            step.result = f"{done.items:,} facts and states read"

        return emails.read(installation.events_table.scan(), progress)


def _share(days: Sequence[str], known: Known) -> float | None:
    """Return the part of the account's emails that we counted."""
    theirs = sum(
        known.theirs["cloudwatch"].get(day, TheirDay()).counts.get("sends", 0) for day in days
    )
    ours = sum(known.ours.get(day, OurDay()).counts.get("sends", 0) for day in days)
    return ours / theirs if theirs else None

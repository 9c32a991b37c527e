"""Show what `reconcile` found: as text for a terminal, and as JSON."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict
from typing import Any

from msgspec import to_builtins
from rich.console import Console
from rich.table import Table
from rich.text import Text

from chalicelib.insight.day_counts import Source
from chalicelib.insight.difference_causes import Cause, CauseName
from chalicelib.insight.reconciliation import Comparison
from chalicelib.insight.runway import LINES, Kind, Runway
from chalicelib.stats.proof import Proof
from dashboard.reconcile.reading import Reconciliation
from dashboard.reconcile.standing import TenantStanding

_CAUSES: Mapping[CauseName, str] = {
    "several_recipients": "emails to several recipients",
    "repeated_reports": "repeated reports of a bounce or complaint",
    "simulator": "emails to SES's mailbox simulator",
    "suppressed": "addresses on a suppression list",
    "not_spam": "reports that an email is not spam",
    "automatic_replies": "automatic replies",
    "undetermined": "bounces without a recognizable reason",
    "around_midnight": "events around midnight",
    "reported_later": "counted by SES a day later",
    "waiting": "events that wait in the queue",
    "dead_letters": "dead letters",
    "quarantined": "stored events that could not be counted",
    "other_configuration_sets": "other configuration sets",
    "before_the_first_event": "before the first event of Mailpulse",
}
_SOURCES: Mapping[Source, str] = {
    "cloudwatch": "CloudWatch",
    "vdm": "Virtual Deliverability Manager",
}
_EVENTS: Mapping[Kind, str] = {"bounces": "hard bounces", "complaints": "complaints"}
_REPORTS = {"bounces", "complaints"}
# Shares of the account's emails below which our counts are no basis for its runway.
_MOST_OF_THE_ACCOUNT = 0.9


def failing(found: Reconciliation, tolerance: float) -> list[Comparison]:
    """Return the comparisons with an unexplained difference above the tolerance, a fraction."""
    return [one for one in found.comparisons if not one.is_within(tolerance)]


def as_json(found: Reconciliation, tolerance: float) -> dict[str, Any]:
    """Return everything for programs; rates and the tolerance are fractions."""
    return {
        "from": found.request.first.isoformat(),
        "to": found.request.last.isoformat(),
        "region": found.region,
        "configuration_set": found.request.configuration_set,
        "facts_read": found.request.facts,
        "tolerance": tolerance,
        "ok": found.is_published and not failing(found, tolerance),
        "is_published": found.is_published,
        "comparisons": [_comparison(one, tolerance) for one in found.comparisons],
        "account": found.account and asdict(found.account),
        "share_of_account": found.share,
        "runways": to_builtins(found.runways),
        "tenants": [
            {**asdict(one.tenant), "emails": one.emails, "runways": to_builtins(one.runways)}
            for one in found.tenants
        ],
        "recounts": to_builtins(found.proofs),
        "notes": list(found.notes),
    }


def _comparison(one: Comparison, tolerance: float) -> dict[str, Any]:
    return {
        "source": one.source,
        "metric": one.metric,
        "day": one.day,
        "mailpulse": one.ours,
        "ses": one.theirs,
        "difference": one.difference,
        "causes": to_builtins(one.causes),
        "unexplained": one.unexplained,
        "is_within_tolerance": one.is_within(tolerance),
    }


def show(
    found: Reconciliation, tolerance: float, console: Console, *, by_day: bool = False
) -> None:
    """Print everything: of each metric, the sum and the days that say more, or all days."""
    for source in dict.fromkeys(one.source for one in found.comparisons):
        mine = [one for one in found.comparisons if one.source == source]
        shown = mine if by_day else list(_informative(mine))
        console.print(_table(source, shown, tolerance, found))
        console.print()
    for line in (*_verdict(found, tolerance), *_standing(found), *_recounts(found.proofs)):
        console.print(Text(line), soft_wrap=True)
    for note in dict.fromkeys(found.notes):
        console.print(Text.assemble(("! ", "yellow"), note), soft_wrap=True)


def _informative(comparisons: Sequence[Comparison]) -> Iterator[Comparison]:
    """Yield the sums, and the days whose differences the sum neither shows nor explains."""
    sums = {one.metric: one for one in comparisons if one.day is None}
    several = len({one.day for one in comparisons}) > 2  # noqa: PLR2004 - the sum and one day
    for one in comparisons:
        hidden = one.difference and not sums[one.metric].difference
        if one.day is None or (several and (one.unexplained or hidden)):
            yield one


def _table(
    source: Source, comparisons: Sequence[Comparison], tolerance: float, found: Reconciliation
) -> Table:
    request = found.request
    name = request.configuration_set or (found.configuration_set if source == "vdm" else None)
    scope = f"the configuration set {name}" if name else "the account"
    table = Table(
        title=f"{request.first} to {request.last} (UTC), {_SOURCES[source]} for {scope} "
        f"in {found.region}",
        title_justify="left",
        box=None,
    )
    table.add_column("", no_wrap=True)
    for name in ("Mailpulse", "SES", "difference"):
        table.add_column(name, justify="right", no_wrap=True)
    table.add_column("explanation")
    for one in comparisons:
        table.add_row(
            one.metric.replace("_", " ") if one.day is None else f"  {one.day}",
            f"{one.ours:,}",
            "-" if one.theirs is None else f"{one.theirs:,}",
            f"{one.difference:+,}" if one.difference else "",
            _explanation(one, tolerance),
        )
    return table


def _explanation(one: Comparison, tolerance: float) -> Text:
    if one.theirs is None:
        return Text("SES has not published this metric", "dim")
    if not one.difference:
        return Text("")
    parts = [_cause(cause) for cause in one.causes if _helps(cause, one.difference)]
    if not one.unexplained:
        return Text(", ".join(parts))
    style = "yellow" if one.is_within(tolerance) else "bold red"
    rest = Text(f"unexplained: {one.unexplained:+,}", style)
    return Text(", ").join([rest, *map(Text, parts)])


def _helps(cause: Cause, difference: int) -> bool:
    """Return whether a cause can contribute in the direction of the difference."""
    return cause.high > 0 if difference > 0 else cause.low < 0


def _cause(cause: Cause) -> str:
    bound = max(cause.low, cause.high, key=abs)
    amount = f"{abs(bound):,}" if cause.low == cause.high else f"up to {abs(bound):,}"
    return f"{_CAUSES[cause.name]} ({amount})"


def _verdict(found: Reconciliation, tolerance: float) -> Iterator[str]:
    missing = failing(found, tolerance)
    if not found.is_published:
        return
    if not missing:
        rest = sum(abs(one.unexplained) for one in found.comparisons if one.day)
        yield (
            f"Every difference is explained, except for {rest:,} within {tolerance:.2%}."
            if rest
            else "Every difference is explained."
        )
        return
    names = dict.fromkeys(one.metric.replace("_", " ") for one in missing)
    yield f"Unexplained differences of more than {tolerance:.2%}: {', '.join(names)}."
    # Facts explain what is too much, and reports that are too few.
    if not found.request.facts and any(
        one.unexplained > 0 or one.metric in _REPORTS for one in missing
    ):
        yield "Run `reconcile --facts` to explain more, from the stored facts."
    if found.request.configuration_set is None and any(one.unexplained < 0 for one in missing):
        yield (
            "SES counts all emails of the account, also those of other configuration sets and of "
            "none; with Virtual Deliverability Manager or --configuration-set, they are told apart."
        )


def _standing(found: Reconciliation) -> Iterator[str]:
    if found.account is not None:
        sending = "enabled" if found.account.sending else "disabled"
        yield f"The account is {found.account.enforcement}, and sending is {sending}."
    yield from map(_runway, found.runways)
    share = found.share if found.request.configuration_set is None else None
    if found.runways and share is not None and share < _MOST_OF_THE_ACCOUNT:
        yield (
            f"Mailpulse counts only {share:.0%} of the account's emails, so the account is "
            "probably farther from the lines."
        )
    for one in found.tenants:
        yield from _tenant(one)


def _runway(one: Runway) -> str:
    review, pause = LINES[one.kind]
    rate = f"{_EVENTS[one.kind].capitalize()}: {one.rate:.3%}"
    if one.line is None:
        return f"{rate}, above {pause:.1%}, from which SES may pause sending."
    verb = "reviews the account" if one.line == review else "may pause sending"
    if one.remaining is None:
        return f"{rate}; SES {verb} from {one.line:.1%}. Nothing was sent in the last days."
    most = "at most" if one.is_most else "about"
    low, high = _about(one.low), _about(one.high)
    spread = "" if low == high else f" ({low} to {high})"
    doubt = "" if one.is_matched else "; SES's rate is not that of any of the last days"
    return (
        f"{rate}; {most} {_about(one.remaining)}{spread} more until SES {verb}, from "
        f"{one.line:.1%}, if nothing else is sent{doubt}."
    )


def _about(number: int | None) -> str:
    """Return an estimate, rounded down to two digits from a hundred."""
    estimate = number or 0
    unit = 10 ** max(0, len(str(estimate)) - 2)
    return f"{estimate // unit * unit:,}"


def _tenant(one: TenantStanding) -> Iterator[str]:
    impact = f", findings of {one.tenant.impact} impact" if one.tenant.impact else ""
    volume = "" if one.emails is None else f", {one.emails:,} emails in 30 days"
    yield f"Tenant {one.tenant.name}: sending is {one.tenant.sending}{impact}{volume}."
    for found in one.runways:
        yield f"  {_runway(found)}"


def _recounts(proofs: Sequence[Proof]) -> Iterator[str]:
    if not any(one.of is None for one in proofs):
        yield "No recount of all campaigns is stored: run `recount --all`."
    for one in proofs:
        of = f"{one.campaigns:,} campaigns" if one.of is None else f"the campaign {one.of}"
        if not one.differences:
            result = "no difference"
        else:
            result = f"{one.differences:,} differences, {one.drift:,} in sum, " + (
                "corrected" if one.applied else "not corrected: run `recount --apply`"
            )
        yield (
            f"Recount of {of} at {one.at[:16]}Z: {one.counters:,} counters compared with "
            f"{one.facts:,} facts, {result}."
        )

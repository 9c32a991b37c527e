"""What `reconcile` prints; docs/reconciliation.md shows the same."""

from datetime import date
from io import StringIO
from pathlib import Path

import pytest
from msgspec.structs import replace
from rich.console import Console

from chalicelib.insight.day_counts import Known, OurDay, TheirDay, days_between
from chalicelib.insight.difference_causes import Cause
from chalicelib.insight.reconciliation import Comparison, reconcile
from chalicelib.insight.runway import SentDay, runway
from chalicelib.stats.proof import Proof
from dashboard.reconcile import text
from dashboard.reconcile.account import Account, Tenant
from dashboard.reconcile.reading import Reconciliation
from dashboard.reconcile.sources import Request
from dashboard.reconcile.standing import TenantStanding

DOCUMENT = Path(__file__).parents[2] / "docs" / "reconciliation.md"
FIRST, LAST = date(2026, 11, 22), date(2026, 11, 28)
DAYS = days_between(FIRST, LAST)
TOLERANCE = 0.001
PROOF = Proof(
    at="2026-11-28T03:10:11.000Z",
    started="2026-11-28T03:08:00.000Z",
    of=None,
    campaigns=212,
    expiring=3,
    facts=1_200_000,
    counters=48_211,
    differences=0,
    drift=0,
    restated=0,
    applied=False,
)


def a_week():
    """Return what is known of a week with common differences."""
    ours, theirs = {}, {}
    for number, day in enumerate(DAYS):
        sends, deliveries = 12_000 + 100 * number, 11_800 + 90 * number
        both = {"sends": sends, "deliveries": deliveries, "clicks": 330}
        bounces = {"hard_bounces": 80, "soft_bounces": 30, "prevented": 12}
        ours[day] = OurDay({**both, **bounces, "complaints": 4, "opens": 4100}, {"sends": 20})
        theirs[day] = TheirDay({**both, "bounces": 118, "complaints": 4, "opens": 4100})
    theirs[DAYS[1]].counts["complaints"] -= 1
    theirs[DAYS[2]].counts["complaints"] += 1
    theirs[DAYS[3]].counts["opens"] += 3
    theirs[DAYS[4]].counts["sends"] -= 3
    theirs[DAYS[5]].counts["sends"] += 3
    theirs[DAYS[5]] = replace(theirs[DAYS[5]], first_minutes={"sends": 5})
    return Known(ours, {"cloudwatch": theirs})


def found(comparisons=(), **more):
    sent = [SentDay(12_000, 80, 4)] * 60
    defaults = {
        "request": Request(FIRST, LAST),
        "region": "eu-central-1",
        "configuration_set": None,
        "is_published": True,
        "account": Account(
            sending=True, enforcement="HEALTHY", has_vdm=False, has_engagement=False
        ),
        "runways": [runway("bounces", 80 / 12_000, sent), runway("complaints", 0.00042, sent)],
        "share": 1.0,
        "tenants": [],
        "proofs": [PROOF],
        "notes": [],
    }
    return Reconciliation(**{**defaults, "comparisons": comparisons, **more})


def printed(of, width=150, **options):
    output = StringIO()
    text.show(of, TOLERANCE, Console(file=output, width=width, highlight=False), **options)
    return [line.rstrip() for line in output.getvalue().splitlines()]


def test_the_document_shows_what_is_printed():
    shown = DOCUMENT.read_text().split("```")[1].strip("\n").splitlines()

    assert printed(found(reconcile(DAYS, a_week()))) == shown


def test_every_day_is_printed_on_request():
    lines = printed(found(reconcile(DAYS, a_week())), by_day=True)

    assert sum(line.strip().startswith("2026-11-22") for line in lines[2:]) == 8


def test_a_narrow_terminal_wraps_only_the_explanation():
    for line in printed(found(reconcile(DAYS, a_week())), width=80):
        assert len(line) <= 80 or line[0] != " ", line


@pytest.mark.parametrize(
    ("difference", "causes", "expected"),
    [
        (5, [Cause("simulator", 0, 7)], "emails to SES's mailbox simulator (up to 7)"),
        (5, [Cause("simulator", 5, 5)], "emails to SES's mailbox simulator (5)"),
        (5, [Cause("waiting", -9, 0)], "unexplained: +5"),
        (-9, [Cause("waiting", -2, 0), Cause("simulator", 0, 1)],
         "unexplained: -7, events that wait in the queue (up to 2)"),
    ],
)  # fmt: skip
def test_only_causes_in_the_direction_of_a_difference_are_named(difference, causes, expected):
    rest = difference - min(
        max(difference, sum(one.low for one in causes)), sum(one.high for one in causes)
    )
    one = Comparison("cloudwatch", "sends", None, 100 + difference, 100, causes, rest)

    assert any(expected in line for line in printed(found([one])))


def test_a_tenant_has_its_status_and_its_own_runway():
    days = [SentDay(1200, 12, 0, 500)]
    standing = TenantStanding(
        Tenant("acme", "ENABLED", "LOW"), 1200, [runway("bounces", 0.01, days)]
    )

    lines = printed(found(tenants=[standing, TenantStanding(Tenant("new", "DISABLED", None))]))

    assert (
        "Tenant acme: sending is ENABLED, findings of LOW impact, 1,200 emails in 30 days." in lines
    )
    assert "Tenant new: sending is DISABLED." in lines
    assert any(line.startswith("  Hard bounces: 1.000%; about 48 more until") for line in lines)


@pytest.mark.parametrize(
    ("rate", "days", "expected"),
    [
        (0.12, 60, "Hard bounces: 12.000%, above 10.0%, from which SES may pause sending."),
        (0.06, 60, "more until SES may pause sending, from 10.0%"),
        (0.01, 0, "SES reviews the account from 5.0%. Nothing was sent in the last days."),
        (0.04, 60, "SES's rate is not that of any of the last days."),
    ],
)
def test_a_runway_says_what_comes_next_and_what_is_doubtful(rate, days, expected):
    one = runway("bounces", rate, [SentDay(1000, 10, 0)] * days)

    assert any(expected in line for line in printed(found(runways=[one])))


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"differences": 2, "drift": 9, "applied": True}, "2 differences, 9 in sum, corrected."),
        ({"differences": 2, "drift": 9}, "not corrected: run `recount --apply`."),
        ({"of": "spring"}, "Recount of the campaign spring at 2026-11-28T03:10Z"),
        ({"of": "spring"}, "No recount of all campaigns is stored: run `recount --all`."),
    ],
)
def test_a_recount_says_whether_the_counters_agree(changes, expected):
    assert any(expected in line for line in printed(found(proofs=[replace(PROOF, **changes)])))

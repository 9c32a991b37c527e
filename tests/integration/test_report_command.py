"""`report` reads a campaign from the tables, without addresses, and explains what it cannot do."""

import csv
import json
from datetime import UTC, datetime

import pytest
from click.testing import CliRunner
from support import ses

from dashboard.cli import cli
from dashboard.commands import report

EMAILS = [f"spring-{number}" for number in range(4)]


@pytest.fixture
def run(installation, monkeypatch):
    """Return a function that runs the command."""
    monkeypatch.setattr(report, "find", lambda *_: installation)
    return lambda *arguments: CliRunner().invoke(cli, ["report", *arguments])


@pytest.fixture
def _spring(pipeline):
    """Count the events of a campaign: four emails, a bounce, two opens, a click."""
    pipeline.run(
        *[ses.a_send(one, campaign="spring") for one in EMAILS],
        *[ses.a_delivery(one, campaign="spring") for one in EMAILS[:3]],
        ses.a_bounce(EMAILS[3], campaign="spring", subtype="NoEmail"),
        *[ses.an_open(one, campaign="spring") for one in EMAILS[:2]],
        ses.a_click(EMAILS[0], campaign="spring"),
    )


@pytest.mark.usefixtures("_spring")
def test_json_has_the_same_numbers_as_the_snapshot_of_a_viewer(pipeline, run):
    now = datetime.fromtimestamp(pipeline.now, UTC)
    pipeline.parts.stats_table.paces.put("spring", {"campaigns": 3, "needed": 5}, now)

    written = run("spring", "--format", "json")

    found = json.loads(written.stdout)
    shown = pipeline.parts.snapshots.of("stats/email-campaign/spring")
    del shown["activity"], shown["alarms"], shown["may_share"]
    assert written.exit_code == 0
    assert {name: found[name] for name in shown} == shown
    assert found["as_of"].endswith("Z")
    assert found["pipeline"]["$type"] == "Health"
    assert found["pace"] == {"version": 1, "campaigns": 3, "needed": 5}


@pytest.mark.usefixtures("_spring")
@pytest.mark.parametrize("form", ["html", "json", "csv"])
def test_no_report_has_an_address_of_a_recipient(run, form):
    written = run("spring", "--format", form)

    assert written.exit_code == 0
    assert "example.com/spring" in written.stdout, "the link"
    assert "ada" not in written.stdout
    assert "@" not in written.stdout.replace("@page", "").replace("@media", "")


@pytest.mark.usefixtures("_spring")
def test_the_ending_of_the_file_selects_the_format(run, tmp_path):
    file = tmp_path / "spring.csv"

    written = run("spring", "--output", str(file))

    assert (written.exit_code, written.stdout) == (0, "")
    with file.open(newline="") as lines:
        rows = [row for row in csv.reader(lines) if row[:2] == ["rate", "delivery"]]
    assert rows == [["rate", "delivery", "3", "4", "0.75"]]


@pytest.mark.usefixtures("_spring")
@pytest.mark.parametrize("name", ["Spring", "sprint", "spri"])
def test_an_unknown_campaign_is_an_error_with_similar_names(run, name):
    failed = run(name)

    assert failed.exit_code == 1
    assert failed.output == f"Error: no campaign {name!r}: did you mean 'spring'?\n"


def test_without_similar_names_the_error_says_what_to_check(run):
    failed = run("spring")

    assert failed.exit_code == 1
    assert "no campaign 'spring' has events yet: check its name on the page" in failed.output


@pytest.mark.usefixtures("_spring")
def test_a_file_that_cannot_be_written_is_an_error(run, tmp_path):
    file = tmp_path / "missing" / "report.html"

    failed = run("spring", "--output", str(file))

    assert failed.exit_code == 1
    assert f"cannot write {file} (No such file or directory)" in failed.output


def test_without_an_installation_the_error_says_how_to_start_one(tmp_path):
    failed = CliRunner().invoke(cli, ["report", "spring", "--state-dir", str(tmp_path)])

    assert failed.exit_code == 1
    assert "Mailpulse is not running" in failed.output

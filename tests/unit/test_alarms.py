"""Each alarm is documented, and the CloudWatch dashboard shows its function."""

import json
import re
from pathlib import Path

import pytest
from support.template import RESOURCES, WRITTEN

from chalicelib.aws import function_metrics
from dashboard.functions import FUNCTIONS

OPERATIONS = Path(__file__).parents[2] / "docs" / "operations.md"
ALARMS = {
    name: one["Properties"]
    for name, one in RESOURCES.items()
    if one["Type"] == "AWS::CloudWatch::Alarm"
}
WIDGETS = json.loads(RESOURCES["Dashboard"]["Properties"]["DashboardBody"])["widgets"]


def rows(widget):
    """Return the metrics of a widget with the shorthands `...` and `.` expanded."""
    before = []
    for row in widget["properties"]["metrics"]:
        names = [one for one in row if isinstance(one, str)]
        if names[0] == "...":
            names = before[: len(before) - len(names) + 1] + names[1:]
        before = [
            old if one == "." else one for one, old in zip(names, before or names, strict=True)
        ]
        yield before


SHOWN = [row for widget in WIDGETS if widget["type"] == "metric" for row in rows(widget)]


def test_alarms_report_that_watch_fails_and_that_it_does_not_run():
    watched = {
        one["MetricName"]: one["TreatMissingData"]
        for one in ALARMS.values()
        if one["Dimensions"][0]["Value"] == "mailpulse-${Stage}-watch"
    }

    assert watched == {"Errors": "notBreaching", "Invocations": "breaching"}


def test_watch_judges_each_other_function():
    assert {*FUNCTIONS} - {"watch"} == {*function_metrics.FUNCTIONS}


def test_the_dashboard_is_created_only_on_request():
    assert RESOURCES["Dashboard"]["Condition"] == "WithDashboard"
    assert WRITTEN["Parameters"]["CloudWatchDashboard"]["Default"] == "false"


@pytest.mark.parametrize("name", ALARMS)
def test_each_alarm_has_an_action_and_a_description(name):
    assert ALARMS[name]["AlarmActions"] == ["AlarmTopic"]
    assert len(ALARMS[name]["AlarmDescription"]) <= 1024
    assert f"`{name}`" in OPERATIONS.read_text().partition("## What an alarm means")[2]


def test_every_documented_alarm_exists():
    explained = OPERATIONS.read_text().partition("## What an alarm means")[2]
    explained = explained.partition("\n\n`watch`")[0]

    assert set(re.findall(r"^\| `(\w+Alarm)`", explained, re.MULTILINE)) == ALARMS.keys()


@pytest.mark.parametrize(
    "metric", ["Invocations", "Errors", "Throttles", "Duration", "ConcurrentExecutions"]
)
def test_the_dashboard_shows_each_function(metric):
    shown = {row[3] for row in SHOWN if row[:2] == ["AWS/Lambda", metric]}

    assert shown == {f"mailpulse-${{Stage}}-{name}" for name in FUNCTIONS}


def test_the_dashboard_shows_the_metrics_and_states_of_the_alarms():
    watched = {(one["Namespace"], one["MetricName"]) for one in ALARMS.values()}
    [states] = [one for one in WIDGETS if one["type"] == "alarm"]

    assert watched <= {(row[0], row[1]) for row in SHOWN}
    assert set(states["properties"]["alarms"]) == {f"${{{name}.Arn}}" for name in ALARMS}


def test_widgets_do_not_overlap():
    taken = [
        (x, y)
        for one in WIDGETS
        for x in range(one["x"], one["x"] + one["width"])
        for y in range(one["y"], one["y"] + one["height"])
    ]

    assert len(taken) == len(set(taken))
    assert max(x for x, _ in taken) < 24

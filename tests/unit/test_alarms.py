"""Each alarm is documented, and the CloudWatch dashboard shows its function."""

import json
import re
from pathlib import Path

import pytest
from support.template import RESOURCES

from dashboard.functions import FUNCTIONS

OPERATIONS = Path(__file__).parents[2] / "docs" / "operations.md"
ALARMS = {
    name: one["Properties"]
    for name, one in RESOURCES.items()
    if one["Type"] == "AWS::CloudWatch::Alarm"
}
WIDGETS = json.loads(RESOURCES["Dashboard"]["Properties"]["DashboardBody"])["widgets"]


def functions_of(metric):
    return {one["Dimensions"][0]["Value"] for one in ALARMS.values() if one["MetricName"] == metric}


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


@pytest.mark.parametrize("metric", ["Errors", "Throttles"])
def test_each_function_has_an_alarm(metric):
    assert functions_of(metric) == {f"mailpulse-${{Stage}}-{name}" for name in FUNCTIONS}


@pytest.mark.parametrize("name", ALARMS)
def test_each_alarm_has_an_action_and_a_description(name):
    assert ALARMS[name]["AlarmActions"] == ["AlarmTopic"]
    assert len(ALARMS[name]["AlarmDescription"]) <= 1024
    assert f"`{name}`" in OPERATIONS.read_text().partition("## What an alarm means")[2]


def test_every_documented_alarm_exists():
    assert set(re.findall(r"`(\w+Alarm)`", OPERATIONS.read_text())) == ALARMS.keys()


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

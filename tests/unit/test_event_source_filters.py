"""The filters of event sources pass what the functions read."""

import json

import pytest

from chalicelib.stats.counters import SHOWN_PARTS
from chalicelib.stats.incident_item import SETTINGS, incident_part
from chalicelib.stats.note_item import NOTES
from chalicelib.stats.pace_item import PACE
from dashboard.deploy.event_sources import OPTIONS


@pytest.mark.parametrize("part", [*SHOWN_PARTS, PACE, incident_part("bounces"), SETTINGS, NOTES])
@pytest.mark.parametrize("function", ["publish", "publish_visible"])
def test_the_functions_that_push_receive_each_part_that_pages_show(function, part):
    [one] = OPTIONS[function]["FilterCriteria"]["Filters"]
    passed = json.loads(one["Pattern"])["dynamodb"]["Keys"]["part"]["S"]

    assert part.startswith(tuple(prefix["prefix"] for prefix in passed))

"""docs/alarms-transcript.md shows each kind of alarm as it arrives."""

import pytest

from bench.alarm_transcript import DOCUMENT, SCENARIOS, run, section, sns_and_sqs
from chalicelib.stats.incidents import ALARM_KINDS


@pytest.fixture(autouse=True)
def _credentials(monkeypatch):
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "testing")


def test_the_transcript_has_a_section_for_each_kind_of_alarm():
    sections = [line[4:-1] for line in DOCUMENT.read_text().splitlines() if line[:3] == "## "]

    assert sections == list(SCENARIOS) == list(ALARM_KINDS)


@pytest.mark.parametrize("kind", ["pipeline_late", "template_errors"])
def test_an_alarm_arrives_as_its_transcript_shows(kind):
    with sns_and_sqs() as endpoint:
        scenario, messages = run(kind, endpoint)

    assert [one.attributes["state"] for one in messages] == ["began", "ended"]
    assert section(kind, scenario, messages) in DOCUMENT.read_text()

"""`classify` as a program: without AWS, and into a pipe."""

import json
import subprocess
import sys

import pytest
from support import commands, ses

from dashboard.paths import PROJECT

EMAILS = 3000


@pytest.fixture
def export(tmp_path):
    path = tmp_path / "export.jsonl"
    clicks = (ses.raw(ses.a_click(f"m-{number:04}")) for number in range(EMAILS))
    path.write_text("".join(clicks))
    return path


def test_it_needs_neither_credentials_nor_a_network_nor_an_installation(export, tmp_path):
    environment = {"HOME": str(tmp_path), "AWS_EC2_METADATA_DISABLED": "true"}
    process = commands.of_project().start("classify", str(export), environment=environment)
    stdout, stderr = process.communicate()

    assert process.returncode == 0
    assert stderr == f"{EMAILS:,} events read, {EMAILS:,} different opens and clicks.\n"
    *lines, last = map(json.loads, stdout.splitlines())
    assert [one["message_id"] for one in lines] == [f"m-{one:04}" for one in range(EMAILS)]
    assert last["campaigns"]["spring"]["clicks"] == EMAILS
    assert list(tmp_path.iterdir()) == [export]


def test_a_reader_that_stops_reading_ends_it_without_a_traceback(export):
    with subprocess.Popen(
        [sys.executable, "-m", "dashboard", "classify", str(export)],
        cwd=PROJECT,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        first = json.loads(process.stdout.readline())
        process.stdout.close()
        errors = process.stderr.read()

    assert first["message_id"] == "m-0000"
    assert process.returncode == 1
    assert errors == f"{EMAILS:,} events read, {EMAILS:,} different opens and clicks.\n"

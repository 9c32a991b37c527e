"""`live` and `report` on a running installation."""

import json
import os
import pty
import signal
import subprocess
import sys
import time

import pytest
from support import commands, ses
from support.client import campaign_topic
from support.live import PROJECT

# The word after the status's dot, which has a color of its own.
LIVE = b"\x1b[0mLive"


@pytest.fixture
def start(dashboard):
    """Return a function that starts a command, and stops it after the test."""
    started = []

    def begin(*arguments):
        options = ("--state-dir", str(dashboard.state_dir))
        service = commands.of_project().start_service(*arguments, *options, environment=os.environ)
        started.append(service)
        return service

    yield begin
    for service in started:
        service.kill()
        service.stdout.close()
        service.stderr.close()


@pytest.fixture
def counted(dashboard, client):
    """Return a function that publishes events of a campaign, and waits until it has `sends`."""

    def publish(name, *numbers, sends):
        dashboard.publish(*[ses.a_send(f"{name}-{number}", campaign=name) for number in numbers])
        client.subscribe(campaign_topic(name))
        client.wait_for(campaign_topic(name), lambda known: known.counts["sends"] == sends)

    return publish


def test_live_once_prints_the_numbers_of_a_campaign(start, counted):
    counted("once", 1, 2, 3, sends=3)

    service = start("live", "once", "--once")

    assert service.wait() == 0
    printed = service.stdout.read()
    assert "once" in printed.splitlines()[0]
    assert "Sent         ██████████████████████████████          3" in printed
    assert "3 not sent" not in printed
    assert max(map(len, printed.splitlines())) <= 80
    assert service.stderr.read() == ""


def test_live_once_of_an_unknown_campaign_is_an_error(start):
    service = start("live", "no-such-campaign", "--once")

    assert service.wait() == 1
    assert service.stderr.read().startswith("Error: no campaign 'no-such-campaign'")


def test_live_prints_a_line_for_each_change_until_it_is_interrupted(start, counted, client):
    counted("lines", 1, 2, sends=2)

    service = start("live", "lines")
    assert "Z sent 2, delivered 0 (0.0%), read 0 (" in service.stdout.readline()
    counted("lines", 3, sends=3)
    assert "Z sent 3, delivered 0 (0.0%), read 0 (" in service.stdout.readline()
    service.send_signal(signal.SIGINT)

    assert service.wait() == 0
    assert service.stderr.read() == "", "it was connected, and ended without a traceback"


def test_live_waits_for_the_first_event_of_a_campaign(start, counted):
    service = start("live", "to-be-sent")
    assert "sent 0," in service.stdout.readline()
    assert "Waiting for its first event." in service.stderr.readline()

    counted("to-be-sent", 1, sends=1)

    assert "sent 1," in service.stdout.readline()


@pytest.fixture
def _interruptible():
    """Reset SIGINT, which shells ignore in background jobs, for the processes of a test."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.mark.usefixtures("_interruptible")
def test_live_draws_on_a_terminal_and_leaves_the_last_numbers(dashboard, counted):
    counted("drawn", 1, 2, sends=2)
    terminal, inside = pty.openpty()
    process = subprocess.Popen(
        [
            *(sys.executable, "-m", "dashboard", "live", "drawn"),
            *("--state-dir", str(dashboard.state_dir)),
        ],
        cwd=PROJECT,
        stdin=inside,
        stdout=inside,
        stderr=inside,
        env={**os.environ, "TERM": "xterm", "COLUMNS": "80", "LINES": "40"},
    )
    os.close(inside)
    drawn = b""
    until = time.monotonic() + 60
    status, rest = None, b""
    try:
        while LIVE not in drawn and time.monotonic() < until:
            drawn += os.read(terminal, 65536)
        process.send_signal(signal.SIGINT)
        while chunk := os.read(terminal, 65536):
            rest += chunk
    except OSError:  # Linux reports the end of a terminal's other side as an error
        status = process.wait(timeout=30)
    finally:
        process.kill()
        process.wait()
        os.close(terminal)

    assert LIVE in drawn
    assert status == 0
    assert b"Traceback" not in rest
    after_the_screen = rest.rpartition(b"\x1b[?1049l")[2]
    assert b"Pipeline" in after_the_screen or b"Funnel" in after_the_screen


def test_report_has_the_numbers_of_the_snapshot(start, counted, client):
    counted("reported", 1, 2, sends=2)

    service = start("report", "reported", "--format", "json")
    written = json.loads(service.stdout.read())

    assert service.wait() == 0
    assert written["counts"] == client.snapshot(campaign_topic("reported")).counts
    assert "activity" not in written


def test_report_writes_one_html_file(start, counted, tmp_path):
    counted("written", 1, sends=1)
    file = tmp_path / "written.html"

    service = start("report", "written", "--output", str(file))

    assert service.wait() == 0
    assert service.stderr.read() == f"The report was written to {file}.\n"
    assert file.read_text().startswith("<!doctype html>")

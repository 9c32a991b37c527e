"""Start, stop, kill and restart `up`; each test runs its own."""

import os
import re
import signal
import subprocess
import sys
import time

import pytest
from support import live, ses
from support.client import campaign_topic
from support.clock import Clock

DAY = 24 * 3600


@pytest.fixture
def state_dir(tmp_path):
    return tmp_path / "state"


def emulator_of(dashboard) -> int:
    """Return the emulator's process, the only child of a running `up`."""
    children = subprocess.run(
        ["pgrep", "-P", str(dashboard.process.pid)], capture_output=True, text=True, check=True
    )
    return int(children.stdout)


def workers_in(state_dir) -> list[str]:
    found = subprocess.run(
        ["pgrep", "-f", f"{state_dir}/tmp/"], capture_output=True, text=True, check=False
    )
    return found.stdout.split()


def count(dashboard, campaign, number, counter="sends"):
    with dashboard.client() as client:
        client.subscribe(campaign_topic(campaign))
        client.wait_for(campaign_topic(campaign), lambda known: known.counts[counter] >= number, 60)
        return client.snapshot(campaign_topic(campaign)).counts[counter]


def test_data_survives_a_restart(state_dir):
    first = live.Live(state_dir, python=sys.executable)
    first.publish(*(ses.a_send(f"kept-{number}", campaign="kept") for number in range(25)))
    assert count(first, "kept", 25) == 25
    assert first.stop() == 0
    assert not (state_dir / "running.json").exists()
    assert workers_in(state_dir) == []

    second = live.Live(state_dir, python=sys.executable)
    try:
        assert not [line for line in second.said if line.startswith("!")]
        # Records after a restart are counted from the first one on, and records counted before it are
        # not counted again.
        second.publish(*(ses.a_send(f"kept-{number}", campaign="kept") for number in range(40)))
        assert count(second, "kept", 40) == 40
        mappings = second.aws("lambda").list_event_source_mappings()["EventSourceMappings"]
        assert len(mappings) == 4
        (ingest,) = (m for m in mappings if m["FunctionArn"].endswith("-ingest"))
        assert ingest["FunctionResponseTypes"] == ["ReportBatchItemFailures"]
        variables = second.aws("lambda").get_function_configuration(
            FunctionName="mailpulse-local-ingest"
        )["Environment"]["Variables"]
        assert variables["REPORTS_BATCH_ITEM_FAILURES"] == "true"
    finally:
        assert second.stop() == 0


def test_events_are_counted_after_the_clock_steps_back(state_dir, tmp_path):
    clock = Clock(tmp_path / "clock")
    first = live.Live(state_dir, python=clock.python)
    first.publish(*(ses.a_send(f"day-{number}", campaign="day") for number in range(20)))
    assert count(first, "day", 20) == 20

    clock.step_to(-DAY)
    first.publish(*(ses.a_send(f"day-{number}", campaign="day") for number in range(40)))
    assert count(first, "day", 40) == 40
    assert first.stop() == 0

    clock.step_to(-2 * DAY)
    second = live.Live(state_dir, python=clock.python)
    try:
        second.publish(*(ses.a_send(f"day-{number}", campaign="day") for number in range(60)))
        assert count(second, "day", 60) == 60
    finally:
        assert second.stop() == 0


def test_events_are_counted_when_the_clock_steps_back_between_two_runs(state_dir, tmp_path):
    clock = Clock(tmp_path / "clock")
    clock.step_to(DAY)
    first = live.Live(state_dir, python=clock.python)
    first.publish(*(ses.a_send(f"run-{number}", campaign="run") for number in range(20)))
    assert count(first, "run", 20) == 20
    assert first.stop() == 0

    clock.step_to(0)
    second = live.Live(state_dir, python=clock.python)
    try:
        second.publish(*(ses.a_send(f"run-{number}", campaign="run") for number in range(40)))
        assert count(second, "run", 40) == 40
    finally:
        assert second.stop() == 0


def test_a_stop_processes_the_queued_events_first(state_dir):
    first = live.Live(state_dir)
    first.publish(*(ses.a_send(f"late-{number}", campaign="late") for number in range(300)))
    assert first.stop() == 0

    second = live.Live(state_dir)
    try:
        assert count(second, "late", 300) == 300
        assert second.queued() == 0
    finally:
        assert second.stop() == 0


def test_a_second_signal_leaves_messages_for_the_next_start_and_loses_none(state_dir):
    first = live.Live(state_dir)
    # Opens take longer to ingest than to publish, so that some are left in the queue.
    first.publish(*(ses.an_open(f"hasty-{number}", campaign="hasty") for number in range(3000)))
    first.process.send_signal(signal.SIGINT)
    first.wait_until_said(
        r"Stopping: .* To leave the events for the next start, press Ctrl-C again"
    )
    first.wait_until_said(r"… [1-9][\d,]* messages to ingest, .* press Ctrl-C again")
    first.process.send_signal(signal.SIGINT)
    # It does not wait for the 20 s that the first signal allows.
    first.wait_until_said(r"… [\d,]+ messages kept in the queue|saving", 10)
    assert first.wait() == 0
    assert re.search(r"; [1-9][\d,]* messages kept in the queue for the next start", first.said[-1])

    second = live.Live(state_dir)
    try:
        assert not [line for line in second.said if line.startswith("!")]
        assert count(second, "hasty", 3000, "opens") == 3000
    finally:
        assert second.stop() == 0


def test_the_emulator_of_a_killed_up_saves_its_state(state_dir):
    first = live.Live(state_dir)
    first.publish(*(ses.a_send(f"orphan-{number}", campaign="orphan") for number in range(50)))
    assert first.stop(signal.SIGKILL) == -signal.SIGKILL

    second = live.Live(state_dir)  # waits for the emulator of the first run
    try:
        assert not [line for line in second.said if line.startswith("!")]
        assert count(second, "orphan", 50) == 50
    finally:
        assert second.stop() == 0


def test_up_exits_if_the_emulator_is_killed_and_the_next_start_reports_the_loss(state_dir):
    first = live.Live(state_dir)
    first.publish(ses.a_send("lost-1", campaign="lost"))
    assert count(first, "lost", 1) == 1

    os.kill(emulator_of(first), signal.SIGKILL)

    assert first.wait() == 1
    assert "the local AWS emulator was killed by signal 9" in first.said[-1]
    until = time.monotonic() + 10
    while workers_in(state_dir):
        assert time.monotonic() < until, "Lambda workers outlived the emulator"
        time.sleep(0.1)

    second = live.Live(state_dir)
    try:
        (warning,) = (line for line in second.said if line.startswith("!"))
        assert "was killed" in warning
        assert "are lost" in warning
    finally:
        assert second.stop() == 0


def test_a_killed_emulator_keeps_its_last_saved_state(state_dir):
    first = live.Live(state_dir)
    unsaved = state_dir / "unsaved.json"
    at_start = unsaved.read_text()
    first.publish(*(ses.a_send(f"safe-{number}", campaign="safe") for number in range(30)))
    assert count(first, "safe", 30) == 30
    until = time.monotonic() + 60
    while unsaved.read_text() == at_start:
        assert time.monotonic() < until, "no copy was saved"
        time.sleep(0.1)

    half_replayed = state_dir / "replay" / "export.note"
    half_replayed.parent.mkdir()
    half_replayed.write_text("{}")

    os.kill(emulator_of(first), signal.SIGKILL)
    assert first.wait() == 1

    second = live.Live(state_dir)
    try:
        assert not half_replayed.exists(), "events of a replay may be lost, too"
        assert count(second, "safe", 30) == 30
        # Facts and counters are consistent: a redelivered fact is not counted again.
        second.publish(*(ses.a_send(f"safe-{number}", campaign="safe") for number in range(35)))
        assert count(second, "safe", 35) == 35
    finally:
        assert second.stop() == 0

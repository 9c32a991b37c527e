"""The output of a running `up`, the requests that it serves, and those that it refuses."""

import json
import os
import socket
import subprocess
import sys
import urllib.error
import urllib.request

import pytest
from support import live


@pytest.fixture
def state_dir(tmp_path):
    return tmp_path / "state"


def ended(process: subprocess.Popen) -> tuple[int, str, str]:
    stdout, stderr = process.communicate(timeout=live.START_SECONDS)
    return process.returncode, stdout, stderr


def test_the_first_line_shows_every_address(dashboard):
    info = dashboard.info

    assert list(info) == ["dashboard", "websocket", "topic_arn", "queue_url", "endpoint_url"]
    assert info["dashboard"].startswith("http://127.0.0.1:")
    assert info["websocket"].startswith("ws://127.0.0.1:")
    attributes = dashboard.aws("sns").get_topic_attributes(TopicArn=info["topic_arn"])
    assert attributes["Attributes"]["SubscriptionsConfirmed"] == "1"
    running = json.loads((dashboard.state_dir / "running.json").read_text())
    assert running == info | {"pid": dashboard.process.pid}


def test_steps_are_printed_with_their_durations(dashboard):
    steps = [line for line in dashboard.said if line.startswith("✓")]

    assert len(steps) >= 4
    assert all(line.endswith(" s") for line in steps)


def test_the_page_is_served_at_the_root(dashboard):
    with urllib.request.urlopen(dashboard.info["dashboard"]) as answer:
        page = answer.read().decode()
        headers = answer.headers

    assert dashboard.info["websocket"] in page
    assert headers["Content-Type"] == "text/html; charset=utf-8"
    assert headers["Cache-Control"] == "no-cache"
    script = page.split('type="module" src="')[1].split('"')[0]
    with urllib.request.urlopen(dashboard.info["dashboard"] + script) as answer:
        assert "javascript" in answer.headers["Content-Type"]
        assert "immutable" in answer.headers["Cache-Control"]


def test_requests_of_foreign_web_pages_are_refused(dashboard):
    request = urllib.request.Request(
        dashboard.info["endpoint_url"], headers={"Origin": "https://evil.example"}
    )
    with pytest.raises(urllib.error.HTTPError) as refused:
        urllib.request.urlopen(request)
    with refused.value as answer:
        assert answer.code == 403


def test_expired_items_are_deleted_from_the_tables(dashboard):
    dynamodb = dashboard.aws("dynamodb")
    tables = [
        dashboard.output(name) for name in ("EventsTable", "StatsTable", "SubscriptionsTable")
    ]

    states = [
        dynamodb.describe_time_to_live(TableName=table)["TimeToLiveDescription"] for table in tables
    ]

    assert sorted(dynamodb.list_tables()["TableNames"]) == sorted(tables)
    assert all(state["TimeToLiveStatus"] == "ENABLED" for state in states)
    assert all(state["AttributeName"] == "expires" for state in states)


def test_a_port_in_use_is_reported_in_one_line(state_dir):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]

        status, stdout, stderr = ended(live.start(state_dir, "--port", str(port)))

    assert status == 1
    assert stdout == ""
    (line,) = stderr.splitlines()
    assert f"port {port}" in line
    assert "--port" in line


def test_a_second_up_in_a_state_folder_is_refused_in_one_line(dashboard):
    status, stdout, stderr = ended(live.start(dashboard.state_dir))

    assert status == 1
    assert stdout == ""
    (line,) = stderr.splitlines()
    assert str(dashboard.process.pid) in line
    assert "--state-dir" in line


def test_a_missing_node_is_reported_in_one_line(state_dir, tmp_path, monkeypatch):
    # An outdated page, and a PATH without node.
    script = (
        "import sys; from pathlib import Path; from dashboard.deploy import frontend; "
        "frontend.build(Path(sys.argv[1]))"
    )
    (tmp_path / "empty").mkdir()

    failed = subprocess.run(
        [sys.executable, "-c", script, str(tmp_path)],
        cwd=live.PROJECT,
        env=os.environ | {"PATH": str(tmp_path / "empty")},
        capture_output=True,
        text=True,
        check=False,
    )

    assert failed.returncode == 1
    assert "`node`, which builds the page, is not on PATH" in failed.stderr

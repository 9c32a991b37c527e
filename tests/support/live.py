"""Run `python -m dashboard up`, and use its interfaces."""

import json
import os
import queue
import re
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Any

import boto3
from support import commands
from support.client import Client

from dashboard.sqs.topic import Topic

PROJECT = Path(__file__).parents[2]
START_SECONDS = 120
STOP_SECONDS = (
    240  # above the 180 s after which `up` itself reports that its emulator has not stopped
)
CREDENTIALS = {
    "region_name": "us-east-1",
    "aws_access_key_id": "test",
    "aws_secret_access_key": "test",
}


def start(state_dir: Path, *options: str, python: str = sys.executable) -> subprocess.Popen[str]:
    """Start the command; its standard output and error are pipes."""
    return subprocess.Popen(
        [python, "-m", "dashboard", *_arguments(state_dir, *options)],
        cwd=PROJECT,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def _arguments(state_dir: Path, *options: str) -> list[str]:
    always = ("--no-open", "--json", "--port", "0", "--state-dir", str(state_dir))
    return ["up", *always, *options]


class Live:
    """A dashboard that runs until it is stopped.

    Args:
        state_dir: where it keeps its data.
        options: of `up`.
        python: which starts it; without one, it is forked from a process that has imported it.

    Attributes:
        info: the object that `up --json` prints.
        said: the lines on standard error so far.
    """

    def __init__(self, state_dir: Path, *options: str, python: str | None = None) -> None:
        self.state_dir = state_dir
        project = commands.of_project()
        self.process = (
            start(state_dir, *options, python=python)
            if python
            else project.start_service(*_arguments(state_dir, *options), environment=os.environ)
        )
        self.said: list[str] = []
        self._clients: dict[str, Any] = {}
        self._lines: queue.SimpleQueue[str] = queue.SimpleQueue()
        self._readers = [
            threading.Thread(target=self._read_stderr, daemon=True),
            threading.Thread(target=self._read_stdout, daemon=True),
        ]
        for reader in self._readers:
            reader.start()
        line = self._lines.get(timeout=START_SECONDS)
        if not line:
            self._join()
            raise AssertionError("`up` ended before it was ready:\n" + "\n".join(self.said))
        self.info = json.loads(line)

    def client(self, **options) -> Client:
        """Open a WebSocket."""
        return Client(self.info["websocket"], **options)

    def aws(self, service: str):
        """Return a cached boto3 client of the emulator; creating one takes longer than most calls."""
        if service not in self._clients:
            self._clients[service] = boto3.client(
                service, endpoint_url=self.info["endpoint_url"], **CREDENTIALS
            )
        return self._clients[service]

    def output(self, name: str) -> str:
        """Return an output of the stack, such as the name of a table."""
        [stack] = self.aws("cloudformation").describe_stacks(StackName="mailpulse-local")["Stacks"]
        return {one["OutputKey"]: one["OutputValue"] for one in stack["Outputs"]}[name]

    def publish(self, *events: dict | str) -> None:
        """Publish SES events to the topic; strings are published unchanged."""
        messages = [event if isinstance(event, str) else json.dumps(event) for event in events]
        Topic(self.aws("sns"), self.info["topic_arn"]).publish_batch(messages)

    def queued(self) -> int:
        """Count the messages in the queue, including those that are being ingested."""
        return self._count(self.info["queue_url"])

    def dead_letters(self) -> int:
        """Count the messages in the dead-letter queue."""
        return self._count(self.output("DeadLetterQueueUrl"))

    def wait_until_ingested(self, timeout: float = 60) -> None:
        """Wait until the queue is empty."""
        until = time.monotonic() + timeout
        while queued := self.queued():
            assert time.monotonic() < until, f"{queued} messages are still in the queue"
            time.sleep(0.05)

    def wait_until_said(self, pattern: str, timeout: float = STOP_SECONDS) -> None:
        """Wait for a line on standard error."""
        until = time.monotonic() + timeout
        while not any(re.search(pattern, line) for line in self.said):
            assert time.monotonic() < until, f"no line has {pattern!r}:\n" + "\n".join(self.said)
            time.sleep(0.02)

    def stop(self, signal_number: int = signal.SIGTERM) -> int:
        """Stop the dashboard and return its exit status."""
        self.process.send_signal(signal_number)
        return self.wait()

    def wait(self) -> int:
        """Wait until the dashboard ends and return its exit status."""
        status = self.process.wait(timeout=STOP_SECONDS)
        self._join()
        return status

    def _count(self, queue_url: str) -> int:
        attributes = self.aws("sqs").get_queue_attributes(
            QueueUrl=queue_url, AttributeNames=["All"]
        )["Attributes"]
        return int(attributes["ApproximateNumberOfMessages"]) + int(
            attributes["ApproximateNumberOfMessagesNotVisible"]
        )

    def _join(self) -> None:
        for reader in self._readers:
            reader.join(timeout=5)
        self.process.stdout.close()
        self.process.stderr.close()
        for client in self._clients.values():
            client.close()

    def _read_stdout(self) -> None:
        for line in self.process.stdout:
            self._lines.put(line)
        self._lines.put("")

    def _read_stderr(self) -> None:
        for line in self.process.stderr:
            self.said.append(line.rstrip("\n"))


def running(state_dir: Path, *options: str):
    """Run a dashboard during a fixture; print its output if it fails."""
    live = Live(state_dir, *options)
    try:
        yield live
    finally:
        if live.process.poll() is None:
            live.stop()
    assert live.process.returncode == 0, "\n".join(live.said)

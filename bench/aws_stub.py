"""Run a stub of AWS (wire_stub.py) on another core, for benchmarks of network calls."""

import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[1]
sys.path[:0] = [str(ROOT), str(ROOT / "tests")]

from support.stub import Authority

from chalicelib.config import Config

# The same length as Lambda's.
CREDENTIALS = {
    "AWS_ACCESS_KEY_ID": "AKIAIOSFODNN7EXAMPLE",
    "AWS_SECRET_ACCESS_KEY": "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY",
    "AWS_SESSION_TOKEN": "F" * 900,
}


@dataclass(frozen=True)
class Stub:
    """A running stub server: its URL, and an SSL context that trusts its certificate."""

    url: str
    authority: Authority

    @property
    def config(self) -> Config:
        """Settings that make the functions use the stub as AWS."""
        names = ("events_table", "stats_table", "subscriptions_table", "pseudonym_key")
        others = ("queue_url", "dead_letter_queue_url", "events_stream_arn")
        return Config(
            **dict.fromkeys((*names, *others), "x"),
            endpoint_url=self.url,
            connections_endpoint=self.url + "/{stage}",
        )


@contextmanager
def stub(milliseconds: float) -> Iterator[Stub]:
    """Run the stub on the last core, and this process on the first."""
    os.environ.update(CREDENTIALS)
    cores = sorted(os.sched_getaffinity(0))
    with tempfile.TemporaryDirectory() as folder:
        authority = Authority(Path(folder))
        certificate = authority.certificate("127.0.0.1")
        process = subprocess.Popen(
            [
                sys.executable,
                str(Path(__file__).with_name("wire_stub.py")),
                str(certificate),
                str(milliseconds),
            ],
            stdout=subprocess.PIPE,
            text=True,
        )
        try:
            os.sched_setaffinity(process.pid, {cores[-1]})
            os.sched_setaffinity(0, {cores[0]})
            yield Stub(f"https://127.0.0.1:{process.stdout.readline().strip()}", authority)
        finally:
            os.sched_setaffinity(0, cores)
            process.terminate()
            process.wait()

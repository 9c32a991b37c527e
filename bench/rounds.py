"""What measurements of the wire share: a stub on the other core, rounds A B A B, medians."""

import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[1]
sys.path[:0] = [str(ROOT), str(ROOT / "tests")]

from support.stub import Authority

from chalicelib.config import Config

# As long as Lambda's.
CREDENTIALS = {
    "AWS_ACCESS_KEY_ID": "AKIAIOSFODNN7EXAMPLE",
    "AWS_SECRET_ACCESS_KEY": "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY",
    "AWS_SESSION_TOKEN": "F" * 900,
}


@dataclass(frozen=True)
class Stub:
    """A running stub server: its URL, and what trusts its certificate."""

    url: str
    authority: Authority

    @property
    def config(self) -> Config:
        """Settings of functions to which it is AWS."""
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


@dataclass(frozen=True)
class Taken:
    """What a run took, in seconds: of the processor, and by the clock."""

    cpu: float
    wall: float


def taken(run: Callable[[], None]) -> Taken:
    """Measure one run."""
    cpu, wall = time.process_time(), time.perf_counter()
    run()
    return Taken(time.process_time() - cpu, time.perf_counter() - wall)


def interleaved(runs: Mapping[str, Callable[[], Taken]], rounds: int) -> dict[str, list[Taken]]:
    """Measure each run once a round, A B A B; a first round that nothing counts warms up."""
    results: dict[str, list[Taken]] = {name: [] for name in runs}
    for one in range(rounds + 1):
        for name, run in runs.items():
            result = run()
            if one:
                results[name].append(result)
    return results


def ratio(dividend: list[float], divisor: list[float]) -> str:
    """Give the median ratio of pairs of one round each, and its spread."""
    ratios = [one / other for one, other in zip(dividend, divisor, strict=True)]
    return f"{statistics.median(ratios):.1f} ({min(ratios):.1f} to {max(ratios):.1f})"

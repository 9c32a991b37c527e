"""A frame of 1 KB to many connections: fan_out.py beside boto3 in sixteen threads.

    python bench/fan_out.py [--rounds 5]

Over TLS to a stub on another core. Processor time where it answers at once; messages a second where
it takes 10 ms, as API Gateway does; then a cold start with twenty viewers, in processes of their
own, until all are told: Chalice and the client, without what else a function imports.
"""

import os
import statistics
import subprocess
import sys

import click
from baselines.boto3_calls import post_to_connections
from rounds import ROOT, Stub, Taken, interleaved, ratio, stub, taken

from chalicelib.fan_out import FanOut
from chalicelib.subscriptions import Connection

FRAME = "x" * 1024
FAR = 2.0**40  # epoch seconds: no deadline
VIEWERS = 20

COLD = """
import os, sys, time
sys.path[:0] = {path!r}
before = time.process_time()
import chalice.app
url, roots = sys.argv[1:]
"""
COLD_BOTO3 = """
from baselines.boto3_calls import post_to_connections
post_to_connections(url, roots, 10)([f"viewer-{one}" for one in range(20)], b"x" * 1024)
"""
COLD_OURS = """
import ssl
from chalicelib import config
from chalicelib.fan_out import FanOut
from chalicelib.subscriptions import Connection
fan_out = FanOut(config.load(), context=lambda host: ssl.create_default_context(cafile=roots))
viewers = [Connection(f"viewer-{one}", "api/prod", 0) for one in range(20)]
outcomes = fan_out.send(viewers, ["x" * 1024], 2**40)
assert outcomes == ["sent"] * 20, outcomes
"""
IMPORTS_BOTO3 = """
import boto3
for service in ("dynamodb", "apigatewaymanagementapi"):
    boto3.client(service, "us-east-1", endpoint_url=url)
"""
IMPORTS_OURS = """
from chalicelib import aws, config, fan_out
aws.services(config.load())("dynamodb")
"""
COLD_END = """
print(time.process_time() - before)
"""


def viewers(number: int) -> list[Connection]:
    """Make subscribers."""
    return [Connection(f"L0SM9cOFvHcCIhw{one}=", "api/prod", 0) for one in range(number)]


def warm(server: Stub, number: int, rounds: int) -> dict[str, list[Taken]]:
    """Send to many, with connections that are open."""
    theirs = post_to_connections(server.url + "/prod", server.authority.path)
    fan_out = FanOut(server.config, context=server.authority.context)
    some = viewers(number)
    ids = [one.id for one in some]

    def ours() -> None:
        assert fan_out.send(some, [FRAME], FAR) == ["sent"] * number

    return interleaved(
        {
            "boto3": lambda: taken(lambda: theirs(ids, FRAME.encode())),
            "ours": lambda: taken(ours),
        },
        rounds,
    )


def cold(server: Stub, program: str) -> Taken:
    """Run a program in a process of its own; its CPU, and the time until it has ended."""
    path = [str(ROOT), str(ROOT / "bench")]
    names = ("EVENTS_TABLE", "STATS_TABLE", "SUBSCRIPTIONS_TABLE", "PSEUDONYM_KEY")
    others = ("QUEUE_URL", "DEAD_LETTER_QUEUE_URL", "EVENTS_STREAM_ARN")
    environment = {
        **os.environ,
        **dict.fromkeys((*names, *others), "x"),
        "CONNECTIONS_ENDPOINT": server.url + "/{stage}",
    }
    text = COLD.format(path=path) + program + COLD_END
    printed = []

    def run() -> None:
        done = subprocess.run(
            [sys.executable, "-c", text, server.url + "/prod", str(server.authority.path)],
            env=environment,
            capture_output=True,
            text=True,
            check=True,
        )
        printed.append(float(done.stdout))

    wall = taken(run).wall
    return Taken(printed[0], wall)


def column(results: dict[str, list[Taken]], name: str, measure: str) -> list[float]:
    """Give one measure of each round."""
    return [getattr(one, measure) for one in results[name]]


@click.command()
@click.option("--rounds", default=5, show_default=True)
def main(rounds: int) -> None:
    """Measure and print."""
    with stub(0) as server:
        number = 2000
        results = warm(server, number, rounds)
    for name in results:
        cpu = statistics.median(column(results, name, "cpu"))
        print(f"{name:<6} {cpu / number * 1e6:7.1f} µs of CPU a message")
    print(
        "CPU, boto3 ÷ ours:",
        ratio(column(results, "boto3", "cpu"), column(results, "ours", "cpu")) + "; must 20",
    )

    with stub(10) as server:
        results = warm(server, number, rounds)
        for name in results:
            wall = statistics.median(column(results, name, "wall"))
            print(f"{name:<6} {number / wall:7.0f} messages a second at 10 ms")
        print(
            "rate, ours ÷ boto3:",
            ratio(column(results, "boto3", "wall"), column(results, "ours", "wall")) + "; must 8",
        )

        starts = processes(server, {"boto3": COLD_BOTO3, "ours": COLD_OURS}, rounds)
        imports = processes(server, {"boto3": IMPORTS_BOTO3, "ours": IMPORTS_OURS}, rounds)
    for name in starts:
        wall, cpu = (statistics.median(column(starts, name, one)) for one in ("wall", "cpu"))
        print(f"{name:<6} {wall * 1000:7.0f} ms cold, {cpu * 1000:.0f} ms CPU after Python's start")
    for measure in ("wall", "cpu"):
        by = ratio(column(starts, "boto3", measure), column(starts, "ours", measure))
        print(f"cold ({measure}), boto3 ÷ ours: {by}; must 2.3")
    shares = zip(column(imports, "ours", "cpu"), column(imports, "boto3", "cpu"), strict=True)
    share = statistics.median(100 * ours / theirs for ours, theirs in shares)
    print(f"imports: {share:.0f} % of Chalice and two clients of boto3; must 30")


def processes(server: Stub, programs: dict[str, str], rounds: int) -> dict[str, list[Taken]]:
    """Run programs in processes of their own."""
    return interleaved(
        {name: lambda text=text: cold(server, text) for name, text in programs.items()}, rounds
    )


if __name__ == "__main__":
    main()

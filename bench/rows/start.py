"""Measure cold starts: imports with and without bytecode, and a push to twenty viewers.

Each measurement runs a new process that cannot write bytecode, as in Lambda, from the unpacked
archive of `deploy`. boto3 and the standard library are compiled, as in the runtime.
"""

import os
import platform
import subprocess
import sys
import sysconfig
import tempfile
import zipfile
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path

from aws_stub import ROOT, Stub, stub
from comparison import OWN, Comparison

from dashboard.deploy import bundle, chalice_project

ROUNDS = 11
VIEWERS = 20
API_GATEWAY_MS = 10
VARIABLES = {
    **dict.fromkeys(("EVENTS_TABLE", "STATS_TABLE", "SUBSCRIPTIONS_TABLE"), "t"),
    **dict.fromkeys(("QUEUE_URL", "DEAD_LETTER_QUEUE_URL"), "https://q"),
    "QUEUE_ARN": "arn:aws:sqs:us-east-1:123456789012:events",
    "EVENTS_STREAM_ARN": "arn:aws:dynamodb:us-east-1:123456789012:table/e/stream/1",
    "STATS_STREAM_ARN": "arn:aws:dynamodb:us-east-1:123456789012:table/s/stream/1",
    "PSEUDONYM_KEY": "p" * 64,
    "SHARE_KEY": "s" * 64,
    "ISSUER": "https://issuer.example.com",
    "CLIENT_ID": "page",
    "ALLOWED_ORIGINS": "https://page.example.com",
    "AWS_REGION": "us-east-1",
    "AWS_ACCESS_KEY_ID": "none",
    "AWS_SECRET_ACCESS_KEY": "none",
    "PYTHONDONTWRITEBYTECODE": "1",
}
# The maximum share of the baseline until each function is ready for its first event. Functions that
# verify tokens load cryptography, and have no target.
MOST = {
    **dict.fromkeys(("ingest", "aggregate", "publish", "watch", "message", "disconnect"), 0.3),
    "connect": None,
}
# For these functions, the gain from bytecode is measured.
COMPILED = ("ingest", "aggregate", "publish")
BOTO3 = """
import chalice.app, boto3
boto3.client("dynamodb", region_name="us-east-1")
boto3.client("apigatewaymanagementapi", region_name="us-east-1", endpoint_url="https://e")
"""
COLD_BOTO3 = """
import chalice.app
from baselines.boto3_calls import post_to_connections
post_to_connections({url!r} + "/prod", {roots!r}, 10)(
    [f"viewer-{{one}}" for one in range({viewers})], b"x" * 1024)
"""
COLD_OURS = """
import ssl
import chalice.app
from chalicelib import config
from chalicelib.live.fan_out import FanOut
from chalicelib.live.permissions import Connection
fan_out = FanOut(config.load(), context=lambda host: ssl.create_default_context(cafile={roots!r}))
viewers = [Connection(f"viewer-{{one}}", "api/prod", 0) for one in range({viewers})]
outcomes = fan_out.send(viewers, ["x" * 1024], 2**40)
assert outcomes == ["sent"] * {viewers}, outcomes
"""


def rows(stack: ExitStack) -> list[Comparison]:
    """Compare with chalice and boto3."""
    folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
    compiled, sources = _unpacked(folder)
    ready = {
        name: f"import app\nfrom chalicelib import functions\nfunctions.prepare({name!r})"
        for name in MOST
    }
    return [
        *(
            Comparison(
                f"import all that {name} needs",
                "chalice and two clients of boto3",
                _process(compiled, ready[name]),
                _process(compiled, BOTO3, with_boto3=True),
                1,
                unit="share",
                must=must,
                stretch=must and 0.2,
                clock=OWN,
                rounds=ROUNDS,
            )
            for name, must in MOST.items()
        ),
        *(
            Comparison(
                f"import all that {name} needs, with bytecode",
                "without bytecode in the archive",
                _process(compiled, ready[name]),
                _process(sources, ready[name]),
                1,
                must=1.9,
                clock=OWN,
                rounds=ROUNDS,
            )
            for name in COMPILED
        ),
        _cold_publish(stack, compiled),
    ]


def _cold_publish(stack: ExitStack, code: Path) -> Comparison:
    server = stack.enter_context(stub(API_GATEWAY_MS))
    sides = [
        _process(
            code,
            program.format(url=server.url, roots=str(server.authority.path), viewers=VIEWERS),
            with_boto3=with_boto3,
            server=server,
        )
        for program, with_boto3 in ((COLD_OURS, False), (COLD_BOTO3, True))
    ]
    return Comparison(
        f"start cold and tell {VIEWERS} viewers, each answered after {API_GATEWAY_MS} ms",
        "post_to_connection in 10 threads",
        *sides,
        1,
        must=2.3,
        stretch=3,
        clock="wall",
        rounds=ROUNDS,
    )


def _unpacked(folder: Path) -> list[Path]:
    """Unpack the archive for this machine, and the source archive that Chalice would create."""
    roles = {name: f"arn:aws:iam::000000000000:role/{name}" for name in chalice_project.FUNCTIONS}
    machine = "arm64" if platform.machine() in {"arm64", "aarch64"} else "x86_64"
    codes = []
    for number, make in enumerate((bundle.make, bundle.as_chalice_does)):
        build, code = folder / f"build-{number}", folder / f"code-{number}"
        chalice_project.prepare(build, "bench", VARIABLES, roles)
        with zipfile.ZipFile(make(build, machine)) as packed:
            packed.extractall(code)
        codes.append(code)
    return codes


def _process(
    code: Path, program: str, *, with_boto3: bool = False, server: Stub | None = None
) -> Callable[[], float]:
    """Return a function that runs a program in a new process and returns its CPU seconds."""
    # Besides the archive, Lambda has boto3 and the standard library, but no other packages.
    beside = [sysconfig.get_paths()["purelib"], str(ROOT / "bench")] if with_boto3 else []
    text = (
        f"import sys, time\nsys.path[:0] = [{str(code)!r}]\nsys.path += {beside!r}\n"
        f"began = time.process_time()\n{program}\nprint(time.process_time() - began)"
    )
    environment = {**VARIABLES, "PATH": os.environ["PATH"]}
    if server is not None:
        environment["CONNECTIONS_ENDPOINT"] = server.url + "/{stage}"

    def run() -> float:
        done = subprocess.run(
            [sys.executable, "-S", "-c", text],
            env=environment,
            cwd=code,
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode:
            raise RuntimeError(f"a measured process failed: {done.stderr}")
        return float(done.stdout.split()[-1])

    return run

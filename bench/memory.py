"""Measure the memory and CPU time of each function, for its start and its largest batch.

    python bench/memory.py [--write]

Each function runs as in Lambda: a new process imports app.py and handles events sequentially. AWS
is moto, and API Gateway and the issuer are small servers, all in another process. Prints the peak
resident memory and the CPU seconds; --write saves them in dashboard/costs/measured.json for `python
-m dashboard cost`.
"""

import base64
import json
import logging
import os
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from itertools import islice
from pathlib import Path
from typing import Any

import click

ROOT = Path(__file__).parents[1]
sys.path[:0] = [str(ROOT), str(ROOT / "tests")]

import boto3
import jwt
from moto.server import ThreadedMotoServer
from support import doctored, ses
from support.world import START, World

from chalicelib.live.permissions import EVERYTHING, Connection
from chalicelib.live.subscriptions import Subscriptions
from dashboard.aws_session import Service
from dashboard.functions import FUNCTIONS
from dashboard.paths import TEMPLATE
from dashboard.simulation.arrivals import arrivals
from dashboard.simulation.campaign import Campaign

BATCHES = 3
LINKS = 250
MINUTES = 2800
VIEWERS = 100
RECORD_BYTES = 6000
TOPIC = "stats/email-campaign/spring"
ORIGIN = "https://page.example.com"
MEASURED = ROOT / "dashboard" / "costs" / "measured.json"

# Runs in the new process, with as little code as Lambda's runtime. (The peak of getrusage is
# that of the parent process, if that was higher.)
CHILD = """
import json, sys, time
handler = getattr(__import__("app"), sys.argv[1])
init = time.process_time()
spent = []
for line in open(sys.argv[2]):
    event = json.loads(line)
    began = time.process_time()
    handler(event, None)
    spent.append(time.process_time() - began)
[peak] = [int(line.split()[1]) / 1024 for line in open("/proc/self/status") if "VmHWM" in line]
print(json.dumps({"init": init, "first": spent[0], "next": min(spent[1:]), "peak": peak}),
      file=sys.stderr)
"""


class Gateway(BaseHTTPRequestHandler):
    """An API Gateway stub that accepts messages to connections."""

    protocol_version = "HTTP/1.1"

    def do_POST(self) -> None:
        """Accept a frame."""
        self.rfile.read(int(self.headers["Content-Length"]))
        self.send_response(200)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_: Any) -> None:
        """Say nothing."""


class Aws:
    """moto with the stack."""

    def __init__(self) -> None:
        self.moto = ThreadedMotoServer(port=0, verbose=False)
        self.moto.start()
        host, port = self.moto.get_host_and_port()
        self.url = f"http://{host}:{port}"
        gateway = ThreadingHTTPServer(("127.0.0.1", 0), Gateway)
        threading.Thread(target=gateway.serve_forever, daemon=True).start()
        self.gateway = f"http://127.0.0.1:{gateway.server_port}"
        cloudformation = self.client("cloudformation")
        parameters = {"Stage": "test", "Serving": "local"}
        cloudformation.create_stack(
            StackName="mailpulse-test",
            TemplateBody=TEMPLATE.read_text(),
            Parameters=[
                {"ParameterKey": name, "ParameterValue": value}
                for name, value in parameters.items()
            ],
        )
        [stack] = cloudformation.describe_stacks(StackName="mailpulse-test")["Stacks"]
        self.outputs = {one["OutputKey"]: one["OutputValue"] for one in stack["Outputs"]}

    def client(self, service: str) -> Any:
        """Return a client."""
        return boto3.client(
            service,
            endpoint_url=self.url,
            region_name="us-east-1",
            aws_access_key_id="test",
            aws_secret_access_key="test",
        )

    def fill(self, world: World) -> None:
        """Write the in-memory items to the tables."""
        dynamodb = self.client("dynamodb")
        for name, table in world.dynamo.tables.items():
            requests = [{"PutRequest": {"Item": item}} for item in table.items()]
            for at in range(0, len(requests), 25):
                dynamodb.batch_write_item(RequestItems={self.outputs[name]: requests[at : at + 25]})


def world_of_a_big_campaign() -> World:
    """Create a campaign of two days with 250 links, and a hundred viewers."""
    world = World()
    start = datetime.fromtimestamp(START, UTC) - timedelta(minutes=MINUTES)
    for minute in range(MINUTES):
        at = (start + timedelta(minutes=minute)).strftime("%Y-%m-%dT%H:%M:%S.000Z")
        message = f"m-{minute}"
        world.arrive(
            ses.a_click(message, link=f"https://example.com/{minute % LINKS}", at=at),
            ses.a_delivery(message, at=at),
        )
    while world.queue:
        world.ingest(*islice(world.queue, 100))
        while world.running:
            world.running[0].step()
    return world


def of_stream(world: World, table: str) -> list[dict[str, Any]]:
    """Return the records of a table's stream."""
    return [one for shard in world.dynamo.tables[table].stream.shards for one in shard.records]


def long(record: dict[str, Any]) -> dict[str, Any]:
    """Return a record of the maximum size in a batch of a thousand, 6 MB in total."""
    more = RECORD_BYTES - len(json.dumps(record))
    change = record["dynamodb"]
    image = {**change["NewImage"], "padding": {"S": "x" * max(0, more)}}
    return {**record, "dynamodb": {**change, "NewImage": image}}


def events_of(world: World, token: str) -> dict[str, list[dict[str, Any]]]:
    """Return the largest events of each function."""
    campaign = Campaign("spring", datetime.fromtimestamp(START, UTC), recipients=3000, rate=100.0)
    engaged = [one.text for one in arrivals(campaign) if one.happening.type in {"Open", "Click"}]
    batches = [engaged[at * 100 : at * 100 + 100] for at in range(BATCHES)]
    facts, stats = of_stream(world, "EventsTable"), of_stream(world, "StatsTable")

    def request(body: dict[str, Any] | None, number: int = 0) -> dict[str, Any]:
        return {
            "requestContext": {
                "connectionId": f"viewer-{number}",
                "apiId": "api",
                "stage": "test",
                "connectedAt": int(START) * 1000,
                "domainName": "api.example.com",
                "eventType": "MESSAGE",
                "routeKey": "$default",
            },
            "headers": {
                "Origin": ORIGIN,
                "Sec-WebSocket-Protocol": f"mailpulse.v1, bearer.{token}",
            },
            "body": None if body is None else json.dumps(body),
        }

    said = ("version", "id", "detail-type", "source", "account", "time", "region", "resources")
    watch = dict.fromkeys(said, "")
    return {
        "ingest": [_sqs(texts) for texts in batches],
        "aggregate": [
            {
                "Records": [long(_aws(one)) for one in facts[at * 1000 : at * 1000 + 1000]],
                "shardId": "shard-1",
            }
            for at in range(BATCHES)
        ],
        "publish": [
            {"Records": [_aws(one) for one in stats[at * 1000 : at * 1000 + 1000]]}
            for at in range(BATCHES)
        ],
        "watch": [{**watch, "detail": {}}] * BATCHES,
        "websocket_connect": [request(None, number) for number in range(BATCHES)],
        "websocket_message": [request({"action": "subscribe", "id": TOPIC})] * BATCHES,
        "websocket_disconnect": [request(None, number) for number in range(BATCHES)],
    }


def _sqs(texts: list[str]) -> dict[str, Any]:
    return ses.in_sqs_event(*texts)


def _aws(record: dict[str, Any]) -> dict[str, Any]:
    """Add members that AWS sends and Chalice's event class requires."""
    return {
        **record,
        "eventID": "1",
        "awsRegion": "us-east-1",
        "dynamodb": {**record["dynamodb"], "SizeBytes": 1, "StreamViewType": "NEW_AND_OLD_IMAGES"},
    }


# Logged by functions that failed.
_FAILURES = ('"failed": 1', "quarantined", "refused", "closed", '_missed"', "probe_failed")


def _binary(value: bytes) -> str:
    """Encode binary attributes as Lambda does."""
    return base64.b64encode(value).decode()


def run(function: str, events: list[dict[str, Any]], environment: dict[str, str]) -> dict[str, Any]:
    """Run a function in a separate process; return its memory and CPU times."""
    handler = function.removeprefix("websocket_")
    with tempfile.NamedTemporaryFile("w", suffix=".jsonl") as file:
        file.writelines(json.dumps(event, default=_binary) + "\n" for event in events)
        file.flush()
        done = subprocess.run(
            [sys.executable, "-c", CHILD, handler, file.name],
            cwd=ROOT,
            env=environment,
            capture_output=True,
            text=True,
            check=False,
        )
    if done.returncode or any(one in done.stdout for one in _FAILURES):
        raise SystemExit(f"{function} failed: {done.stderr[-2000:]} {done.stdout[-500:]}")
    found: dict[str, Any] = json.loads(done.stderr.splitlines()[-1])
    return {name: round(value, 4) for name, value in found.items()}


def measure() -> Iterator[tuple[str, dict[str, Any]]]:
    """Run each function; return its memory and CPU times."""
    world = world_of_a_big_campaign()
    aws = Aws()
    with tempfile.TemporaryDirectory() as folder, doctored.public(Path(folder)) as public:
        token = jwt.encode(
            {
                "iss": public.issuer,
                "sub": "user-1",
                "aud": "page",
                "exp": int(datetime.now(UTC).timestamp()) + 3600,
            },
            doctored.KEY,
            "RS256",
            headers={"kid": "1"},
        )
        events = events_of(world, token)
        # Count the campaign now, from the records of its creation.
        world.drain()
        events["publish"] = events_of(world, token)["publish"]
        aws.fill(world)
        environment = {
            "PATH": os.environ["PATH"],
            "AWS_ENDPOINT_URL": aws.url,
            "AWS_REGION": "us-east-1",
            "AWS_DEFAULT_REGION": "us-east-1",
            "AWS_ACCESS_KEY_ID": "test",
            "AWS_SECRET_ACCESS_KEY": "test",
            "SSL_CERT_FILE": str(Path(folder) / "certificate.pem"),
            "EVENTS_TABLE": aws.outputs["EventsTable"],
            "STATS_TABLE": aws.outputs["StatsTable"],
            "SUBSCRIPTIONS_TABLE": aws.outputs["SubscriptionsTable"],
            "QUEUE_URL": aws.outputs["QueueUrl"],
            "DEAD_LETTER_QUEUE_URL": aws.outputs["DeadLetterQueueUrl"],
            "EVENTS_STREAM_ARN": aws.outputs["EventsStreamArn"],
            "PSEUDONYM_KEY": "key",
            "CONNECTIONS_ENDPOINT": aws.gateway,
            "ISSUER": public.issuer,
            "CLIENT_ID": "page",
            "ALLOWED_ORIGINS": ORIGIN,
        }
        # A hundred signed-in viewers.
        _subscribe(aws, environment)
        for function in FUNCTIONS:
            yield function, run(function, events[function], environment)


def _subscribe(aws: Aws, environment: dict[str, str]) -> None:
    """Connect and subscribe a hundred viewers."""
    subscriptions = Subscriptions(
        Service("dynamodb", aws.client), environment["SUBSCRIPTIONS_TABLE"]
    )
    for number in range(VIEWERS):
        connection = Connection(f"viewer-{number}", "api/test", int(START), EVERYTHING)
        subscriptions.admit(connection)
        subscriptions.add(connection, TOPIC)


@click.command()
@click.option("--write", is_flag=True, help="Save the result in dashboard/costs/measured.json.")
def main(*, write: bool) -> None:
    """Measure the memory and CPU times of each function."""
    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    print(f"{'function':<22}{'peak MB':>9}{'init s':>9}{'first s':>9}{'next s':>9}{'has MB':>9}")
    found = {}
    for name, one in measure():
        found[name] = one
        print(
            f"{name:<22}{one['peak']:>9.0f}{one['init']:>9.2f}{one['first']:>9.2f}"
            f"{one['next']:>9.3f}{FUNCTIONS[name][1]:>9}",
            flush=True,
        )
    if write:
        kept = json.loads(MEASURED.read_text()) if MEASURED.exists() else {"campaigns": []}
        MEASURED.write_text(json.dumps({**kept, "functions": found}, indent=1) + "\n")


if __name__ == "__main__":
    main()

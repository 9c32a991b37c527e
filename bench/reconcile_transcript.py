"""Record the run of `reconcile` in docs/reconciliation.md, on an AWS account of moto.

    python bench/reconcile_transcript.py [--write]

Publishes the events of three days to the functions, and to CloudWatch the metrics that SES would
publish of them, with differences that have a cause and with one that has none. The clock is fixed,
so each run prints the same.
"""

import sys
from contextlib import redirect_stdout
from datetime import UTC, datetime
from io import StringIO
from pathlib import Path
from typing import Any

import click
import pytest
from click.testing import CliRunner

ROOT = Path(__file__).parents[1]
sys.path[:0] = [str(ROOT), str(ROOT / "tests")]

from integration.conftest import Pipeline
from support import moto_account, ses

from bench.documents import write_parts
from chalicelib.config import Config
from dashboard.cli import cli
from dashboard.commands import reconcile
from dashboard.installation import Installation

DOCUMENT = ROOT / "docs" / "reconciliation.md"
DAYS = ("2026-11-21", "2026-11-22", "2026-11-23")
NOW = datetime(2026, 11, 25, 9, 30, tzinfo=UTC)
EMAILS = 50  # of each day
# What SES counts otherwise than the functions: day → metric → difference.
DIFFERENCES = {
    # Two emails of the last seconds of a day, which SES counts in the next one.
    "2026-11-21": {"Send": -2},
    "2026-11-22": {"Send": +2, "Complaint": -1},
    # An email that was sent to an address of the account's suppression list, a complaint of the day
    # before, and three opens whose events have not arrived.
    "2026-11-23": {"Bounce": -1, "Complaint": +1, "Open": +3},
}


class Account:
    """SES of an account without Virtual Deliverability Manager and tenants, which moto lacks."""

    def get_account(self) -> dict[str, Any]:
        """Return the standing of the account."""
        return {"SendingEnabled": True, "EnforcementStatus": "HEALTHY"}

    def list_tenants(self) -> dict[str, Any]:
        """Return no tenants."""
        return {"Tenants": []}


def events_of(day: str) -> list[dict[str, Any]]:
    """Return the events of a day: sends, deliveries, 20 opens, 3 bounces and a complaint."""
    events = []
    for number in range(EMAILS):
        name, to = f"{day}-{number}", [f"r{number}@example.com"]
        # The last two are sent in the last seconds of the day.
        at = f"{day}T{'23:59:58' if number >= EMAILS - 2 else '10:00:00'}.000Z"
        of_email = {"to": to, "campaign": "autumn"}
        events.append(ses.a_send(name, at=at, **of_email))
        if number < 2:
            events.append(ses.a_bounce(name, at=at, feedback=f"f-{name}", **of_email))
        elif number == 2 and "Bounce" in DIFFERENCES[day]:
            suppressed = {"subtype": "OnAccountSuppressionList", "feedback": f"f-{name}"}
            events.append(ses.a_bounce(name, at=at, **suppressed, **of_email))
        elif number < EMAILS - 2:
            events.append(ses.a_delivery(name, at=at, **of_email))
        if 10 <= number < 30:
            events.append(ses.an_open(name, at=f"{day}T10:40:00.000Z", **of_email))
        if number == 30:
            events.append(ses.a_complaint(name, at=f"{day}T12:00:00.000Z", **of_email))
    return events


def publish(day: str, events: list[dict[str, Any]]) -> None:
    """Publish to CloudWatch what SES counts on a day."""
    counts = {
        metric: sum(one["eventType"] == metric for one in events)
        for metric in ("Send", "Delivery", "Bounce", "Complaint", "Open")
    }
    for metric, count in counts.items():
        number = count + DIFFERENCES[day].get(metric, 0)
        first = max(0, DIFFERENCES[day].get(metric, 0)) if metric == "Send" else 0
        _put(metric, f"{day}T10:00:00+00:00", number - first)
        _put(metric, f"{day}T00:00:00+00:00", first)


def _put(metric: str, at: str, count: int) -> None:
    moto_account.client("cloudwatch").put_metric_data(
        Namespace="AWS/SES",
        MetricData=[
            {
                "MetricName": metric,
                "Timestamp": datetime.fromisoformat(at),
                "Value": count,
                "Unit": "Count",
            }
        ],
    )


def run() -> str:
    """Return the command, what it prints, and its exit status."""
    account = moto_account.Filled(moto_account.make_stack).account()
    with redirect_stdout(StringIO()), account as outputs:
        config = Config(
            events_table=outputs["EventsTable"],
            stats_table=outputs["StatsTable"],
            subscriptions_table=outputs["SubscriptionsTable"],
            queue_url=outputs["QueueUrl"],
            dead_letter_queue_url=outputs["DeadLetterQueueUrl"],
            events_stream_arn=outputs["EventsStreamArn"],
            pseudonym_key="key",
            reports_batch_item_failures=True,
        )
        with pytest.MonkeyPatch.context() as patch:
            return _run(Pipeline(config, patch), patch)


def _run(pipeline: Pipeline, patch: pytest.MonkeyPatch) -> str:
    pipeline.run(ses.a_send("m-0", campaign="summer", at="2026-11-19T10:00:00.000Z"))
    for day in DAYS:
        events = events_of(day)
        pipeline.run(*events)
        publish(day, events)
    installation = Installation(
        "test",
        lambda service, **_: Account() if service == "sesv2" else moto_account.client(service),
        pipeline.config,
        NOW.timestamp,
    )
    patch.setattr(reconcile, "find", lambda *_: installation)
    arguments = ["reconcile", "--from", DAYS[0], "--to", DAYS[-1]]
    done = CliRunner().invoke(cli, arguments, env={"COLUMNS": "120"})
    lines = [line.rstrip() for line in done.stdout.strip("\n").splitlines()]
    command = f"$ python -m dashboard {' '.join(arguments)}"
    return "\n".join([command, *lines, f"exit status {done.exit_code}"])


@click.command()
@click.option("--write", is_flag=True, help="Update docs/reconciliation.md.")
def main(*, write: bool) -> None:
    """Record a run of `reconcile`."""
    text = run()
    click.echo(text)
    if write:
        part = {"run": f"```console\n{text}\n```"}
        write_parts(DOCUMENT, "bench/reconcile_transcript.py", part)


if __name__ == "__main__":
    main()

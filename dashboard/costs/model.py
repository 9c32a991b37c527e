"""Compute the cost of Mailpulse: measured calls times prices. No clock, no network, no files.

Measured values (bench/calls.py, bench/memory.py) are in measured.json. Assumptions are the
constants of this module.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from dashboard.costs.prices import PRICES
from dashboard.functions import FUNCTIONS

# The memory with which a function has one full vCPU.
# https://docs.aws.amazon.com/lambda/latest/dg/configuration-memory.html
VCPU_MB = 1769
# Round trip of a DynamoDB call: AWS documents single-digit milliseconds.
CALL_SECONDS = 0.005
# A batch of pushes holds its shard for the interval, and is billed for as long. For more than 5,000
# viewers of one campaign it takes longer; their batches (docs/scale.md) are not included.
PUSH_SECONDS = 1.0
# One log line of the function itself per invocation, and Lambda's START, END and REPORT.
LOG_BYTES = 600
# Lambda receives ten messages per SQS request, deletes as many with another, and polls an empty
# queue with five concurrent long polls of 20 s each.
SQS_BATCH = 10
IDLE_POLLS_PER_MINUTE = 15
# With sign-in, each request reads the permissions of its connection.
ACCESS_READS = 1
MONTH_MINUTES = 43_800
# As in infrastructure/mailpulse.yaml.
ALARMS = 3
DASHBOARDS = 0  # only on request
SHARDS = 4

# The naive design: one invocation per event, one update per counter, and one message per event and
# viewer, sent one after the other.
NAIVE_MB = 256
NAIVE_SECONDS = 0.1
NAIVE_SECONDS_A_PUSH = 0.011  # boto3, at 10 ms per API Gateway response: 90 messages a second
NAIVE_WRITES = 4  # 2 KB for the event itself, plus a total and a minute
NAIVE_POLLS_PER_HOUR = 1800

Measured = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Line:
    """A line of a bill; `price` is a key of PRICES."""

    what: str
    price: str
    quantity: float

    @property
    def usd(self) -> float:
        """The amount in US dollars."""
        return PRICES[self.price].of(self.quantity)


@dataclass(frozen=True, slots=True)
class Bill:
    """The cost of a part of a deployment."""

    title: str
    lines: tuple[Line, ...]

    @property
    def usd(self) -> float:
        """The total in US dollars."""
        return sum(line.usd for line in self.lines)


def profile(measured: Measured, recipients: int) -> Mapping[str, Any]:
    """Return the measured campaign that represents one of this size.

    The largest one that is not larger, else the smallest: a small campaign's events share batches
    less often, so each costs more.
    """
    campaigns = sorted(measured["campaigns"], key=lambda one: int(one["recipients"]))
    smaller = [one for one in campaigns if one["recipients"] <= recipients]
    chosen: Mapping[str, Any] = smaller[-1] if smaller else campaigns[0]
    return chosen


def events_of(measured: Measured, recipients: int) -> float:
    """Return the number of events of a campaign of this size in two days."""
    chosen = profile(measured, recipients)
    return float(chosen["roles"]["source"]["events"]) * recipients / float(chosen["recipients"])


def campaign(measured: Measured, recipients: int) -> Bill:
    """Return the cost of a campaign's events until they are counted, without viewers."""
    chosen = profile(measured, recipients)
    scale = recipients / chosen["recipients"]
    roles, watch = chosen["roles"], chosen["roles"]["watch"]["invocations"]
    events = roles["source"]["events"] * scale
    ingest, aggregate, publish = (roles[name] for name in ("ingest", "aggregate", "publish"))
    pushes = (publish["invocations"] - watch) * scale  # excludes those for watch's updates
    invocations = (ingest["invocations"] + aggregate["invocations"]) * scale + pushes
    facts = _sum(ingest, "write units EventsTable") * scale
    seconds = {
        "ingest": _busy(measured, "ingest", events / 100) + ingest["calls"] * scale * CALL_SECONDS,
        "aggregate": _busy(measured, "aggregate", aggregate["calls"] * scale / 1000)
        + aggregate["calls"] * scale * CALL_SECONDS,
        "publish": pushes * PUSH_SECONDS,
    }
    reads = (_sum(ingest, "read units") + _sum(publish, "read units") - watch) * scale
    return Bill(
        f"A campaign to {recipients:,} recipients: {events:,.0f} events in two days",
        (
            Line("SNS: SES publishes", "SNS publish", events),
            Line("SNS: delivery to SQS", "SNS to SQS", events),
            Line("SQS: sent, received, deleted", "SQS request", events * (1 + 2 / SQS_BATCH)),
            Line("Lambda: invocations", "Lambda request", invocations),
            Line("Lambda: duration", "Lambda arm64", _gigabytes(seconds)),
            Line("DynamoDB: facts, states, activity", "DynamoDB write", facts),
            Line(
                "DynamoDB: aggregates",
                "DynamoDB write",
                (_sum(aggregate, "write") + _sum(ingest, "write units StatsTable")) * scale,
            ),
            Line("DynamoDB: reads", "DynamoDB read", reads),
            Line("Logs", "CloudWatch Logs", invocations * LOG_BYTES / 1e9),
        ),
    )


def viewing(measured: Measured, recipients: int, viewers: int, hours: int) -> Bill:
    """Return the cost of viewers during a campaign's first hours, with the page's requests."""
    measured_hours = profile(measured, recipients)["viewer_hours"]
    looked = [measured_hours[min(hour, len(measured_hours) - 1)] for hour in range(hours)]

    def of(*names: str) -> float:
        return viewers * float(sum(hour.get(name, 0) for hour in looked for name in names))

    requests = of("requests")
    connects = viewers * math.ceil(hours / 2)  # a connection lasts at most two hours
    seconds = {
        "websocket_message": _busy(measured, "websocket_message", requests)
        + of("calls") * CALL_SECONDS,
        "websocket_connect": _busy(measured, "websocket_connect", connects),
    }
    return Bill(
        f"{_many(viewers, 'viewer')} for {_many(hours, 'hour')}",
        (
            Line("WebSocket: pushes", "WebSocket message", of("pushes")),
            Line(
                "WebSocket: pings, requests, replies",
                "WebSocket message",
                of("requests", "answers"),
            ),
            Line("WebSocket: connected", "WebSocket minute", viewers * hours * 60),
            Line("Lambda: invocations", "Lambda request", requests + 2 * connects),
            Line("Lambda: duration", "Lambda arm64", _gigabytes(seconds)),
            Line("DynamoDB: reads", "DynamoDB read", of("read units") + requests * ACCESS_READS),
            Line("DynamoDB: subscriptions", "DynamoDB write", of("write units")),
            Line("Data to browsers", "data out", of("bytes")),
            Line("Logs", "CloudWatch Logs", (requests + 2 * connects) * LOG_BYTES / 1e9),
        ),
    )


def standing(measured: Measured) -> Bill:
    """Return the cost of a month without emails and viewers."""
    watch = profile(measured, 0)["roles"]["watch"]
    per_run = {name: number / watch["invocations"] for name, number in watch.items()}
    seconds = {
        "watch": _busy(measured, "watch", MONTH_MINUTES)
        + MONTH_MINUTES * per_run["calls"] * CALL_SECONDS
    }
    # Each write of watch invokes publish, which finds no subscribers.
    invocations = 2 * MONTH_MINUTES
    return Bill(
        "A month without emails",
        (
            Line("SQS: polling", "SQS request", IDLE_POLLS_PER_MINUTE * MONTH_MINUTES),
            Line("SQS: queue depths, for watch", "SQS request", 2 * MONTH_MINUTES),
            Line("CloudWatch: message ages, for watch", "CloudWatch request", MONTH_MINUTES),
            Line("Streams: lag, for watch", "DynamoDB streams", SHARDS * MONTH_MINUTES),
            Line("Lambda: invocations", "Lambda request", invocations),
            Line("Lambda: duration", "Lambda arm64", _gigabytes(seconds)),
            Line("DynamoDB: writes", "DynamoDB write", _sum(per_run, "write") * MONTH_MINUTES),
            Line("DynamoDB: reads", "DynamoDB read", (_sum(per_run, "read") + 1) * MONTH_MINUTES),
            Line("CloudWatch: alarms", "CloudWatch alarm", ALARMS),
            Line("CloudWatch: dashboard", "CloudWatch dashboard", DASHBOARDS),
            Line("Logs", "CloudWatch Logs", invocations * LOG_BYTES / 1e9),
        ),
    )


def naive(measured: Measured, recipients: int, viewers: int, hours: int) -> Bill:
    """Return the cost of the naive design, which pushes each event to every current viewer."""
    chosen = profile(measured, recipients)
    scale = recipients / chosen["recipients"]
    events = chosen["roles"]["source"]["events"] * scale
    looked = chosen["viewer_hours"][:hours]
    pushes = viewers * scale * sum(hour["events"] for hour in looked)
    seconds = events * NAIVE_SECONDS + pushes * NAIVE_SECONDS_A_PUSH
    return Bill(
        "The naive design: one write per event",
        (
            Line("SNS: SES publishes", "SNS publish", events),
            Line("Lambda: invocations", "Lambda request", events),
            Line("Lambda: duration", "Lambda arm64", seconds * NAIVE_MB / 1024),
            Line("DynamoDB: writes", "DynamoDB write", events * NAIVE_WRITES),
            Line("DynamoDB: subscriptions", "DynamoDB read", events / 2),
            Line("WebSocket: pushes", "WebSocket message", pushes),
            Line("WebSocket: connected", "WebSocket minute", viewers * hours * 60),
            Line("Logs", "CloudWatch Logs", events * LOG_BYTES / 1e9),
        ),
    )


def polling(viewers: int, hours: int) -> Bill:
    """Return the cost of a page without WebSocket that polls every two seconds."""
    asked = viewers * hours * NAIVE_POLLS_PER_HOUR
    return Bill(
        "A page that polls every two seconds instead",
        (
            Line("API Gateway: REST requests", "REST request", asked),
            Line("Lambda: invocations", "Lambda request", asked),
            Line("Lambda: duration", "Lambda arm64", asked * 0.05 * NAIVE_MB / 1024),
            Line("DynamoDB: reads", "DynamoDB read", asked * 2),
            Line("Logs", "CloudWatch Logs", asked * LOG_BYTES / 1e9),
        ),
    )


def _many(count: int, noun: str) -> str:
    return f"{count} {noun}" if count == 1 else f"{count} {noun}s"


def _sum(counts: Mapping[str, float], prefix: str) -> float:
    return sum(number for name, number in counts.items() if name.startswith(prefix))


def _busy(measured: Measured, function: str, batches: float) -> float:
    """Return the duration of batches in seconds, given the function's share of a vCPU."""
    processor: float = measured["functions"][function]["next"]
    return batches * processor * VCPU_MB / FUNCTIONS[function][1]


def _gigabytes(seconds: Mapping[str, float]) -> float:
    """Convert seconds by function to GB-seconds in total."""
    return sum(FUNCTIONS[name][1] / 1024 * spent for name, spent in seconds.items())

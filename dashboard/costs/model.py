"""Compute the cost of Mailpulse: measured calls times prices. No clock, no network, no files.

Measured values (bench/calls.py, bench/memory.py) are in measured.json. Assumptions are the
constants of this module.
"""

import math
from collections.abc import Mapping
from typing import Any

from dashboard.costs.bill import Bill, Line, counted, many
from dashboard.functions import FUNCTIONS

# The memory with which a function has one full vCPU.
# https://docs.aws.amazon.com/lambda/latest/dg/configuration-memory.html
VCPU_MB = 1769
# Round trip of a DynamoDB call: AWS documents single-digit milliseconds.
CALL_SECONDS = 0.005
# The function's own line per invocation, about 80 bytes; the time and level that Lambda adds to it;
# and the 26 bytes that CloudWatch Logs adds to each event. Lambda's own lines are left out.
LOG_BYTES = 160
# Lambda receives ten messages per SQS request, deletes as many with another, and polls an empty
# queue with five concurrent long polls of 20 s each.
SQS_BATCH = 10
IDLE_POLLS_PER_MINUTE = 15
# With sign-in, each request reads the permissions of its connection.
ACCESS_READS = 1
MONTH_MINUTES = 43_800
DAYS_A_MONTH = MONTH_MINUTES / 60 / 24
# What watch compares each day with SES (day_counts.METRICS), and SES's two reputation rates.
SES_METRICS = 10
# As in infrastructure/mailpulse.yaml.
ALARMS = 3
DASHBOARDS = 0  # only on request
RECOVERABLE = ("EventsTable", "StatsTable")

LEVELS = ("active", "visible", "hidden")

Measured = Mapping[str, Any]
Attention = Mapping[str, float]
"""The share of the time that viewers have each of the LEVELS of attention; the sum is one."""

ALL_ACTIVE: Attention = {"active": 1.0, "visible": 0.0, "hidden": 0.0}


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
    roles = chosen["roles"]
    events = roles["source"]["events"] * scale
    ingest, aggregate, publish = (roles[name] for name in ("ingest", "aggregate", "publish"))
    invocations = sum(one["invocations"] for one in (ingest, aggregate, publish)) * scale
    received = max(events / SQS_BATCH, ingest["invocations"] * scale)
    seconds = {
        "ingest": _busy(measured, "ingest", events / 100) + _calls(ingest) * scale,
        "aggregate": _busy(measured, "aggregate", aggregate["calls"] * scale / 1000)
        + _calls(aggregate) * scale,
        "publish": _calls(publish) * scale,
    }
    facts = counted(ingest, "write units EventsTable")
    aggregates = counted(aggregate, "write units") + counted(ingest, "write units StatsTable")
    reads = sum(counted(one, "read units") for one in (ingest, aggregate, publish))
    return Bill(
        f"A campaign to {recipients:,} recipients: {events:,.0f} events in two days",
        (
            Line("SNS: SES publishes", "SNS publish", events),
            Line("SNS: delivery to SQS", "SNS to SQS", events),
            Line("SQS: sent, received, deleted", "SQS request", events + 2 * received),
            Line("Lambda: invocations", "Lambda request", invocations),
            Line("Lambda: duration", "Lambda arm64", _gigabytes(seconds)),
            Line("DynamoDB: facts, states, activity", "DynamoDB write", facts * scale),
            Line("DynamoDB: aggregates", "DynamoDB write", aggregates * scale),
            Line("DynamoDB: reads", "DynamoDB read", reads * scale),
            Line("Logs", "CloudWatch Logs", invocations * LOG_BYTES / 1e9),
        ),
    )


def storage(measured: Measured, recipients: int) -> Bill:
    """Return the cost of what a campaign stores, until it has expired after 90 days.

    Counters never expire; they are billed for 90 days too.
    """
    chosen = profile(measured, recipients)
    scale = float(recipients / chosen["recipients"] / 1e9 / DAYS_A_MONTH)

    def stored(name: str) -> float:
        kept = f"stored byte-days {name}"
        roles = [one for role, one in chosen["roles"].items() if not role.startswith("idle")]
        total: float = sum(one.get(kept, 0) for one in roles)
        return scale * total

    return Bill(
        "What it stores, for 90 days",
        (
            Line("DynamoDB: facts and states", "DynamoDB storage", stored("EventsTable")),
            Line("DynamoDB: activity index", "DynamoDB storage", stored("EventsTable/activity")),
            Line(
                "DynamoDB: aggregates",
                "DynamoDB storage",
                stored("StatsTable") + stored("StatsTable/campaigns"),
            ),
            Line(
                "DynamoDB: point-in-time recovery",
                "DynamoDB recovery",
                sum(map(stored, RECOVERABLE)),
            ),
        ),
    )


def viewing(
    measured: Measured,
    recipients: int,
    viewers: int,
    hours: int,
    attention: Attention = ALL_ACTIVE,
) -> Bill:
    """Return the cost of viewers during a campaign's first hours, with the page's requests.

    A level of attention that was not measured costs as much as an active viewer: the measured code
    does not distinguish it.
    """
    chosen = profile(measured, recipients)

    def of(kinds: tuple[str, ...], *names: str) -> float:
        total = 0.0
        for level, share in attention.items():
            measured_hours = chosen["viewers"].get(level) or chosen["viewers"]["active"]
            for hour in range(hours):
                looked = measured_hours[min(hour, len(measured_hours) - 1)]
                for kind in kinds:
                    total += share * sum(counted(looked[kind], name) for name in names)
        return viewers * total

    pushes, activity, others = ("push", "health"), ("activity",), ("ping", "connect")
    asked = ("activity", "ping", "connect")
    requests = of(asked, "requests")
    connects = viewers * math.ceil(hours / 2)  # a connection lasts at most two hours
    seconds = {
        "websocket_message": _busy(measured, "websocket_message", requests)
        + of(asked, "calls") * CALL_SECONDS,
        "websocket_connect": _busy(measured, "websocket_connect", connects),
        "publish": sum(chosen["slept_by_hour"][:hours]) if viewers else 0,
    }
    return Bill(
        f"{many(viewers, 'viewer')} for {many(hours, 'hour')}{_attention_text(attention)}",
        (
            Line("WebSocket: pushes", "WebSocket message", of(pushes, "messages")),
            Line("WebSocket: activity", "WebSocket message", of(activity, "requests", "answers")),
            Line("WebSocket: pings, snapshots", "WebSocket message", of(others, "requests", "ans")),
            Line("WebSocket: connected", "WebSocket minute", viewers * hours * 60),
            Line("Lambda: invocations", "Lambda request", requests + 2 * connects),
            Line("Lambda: duration", "Lambda arm64", _gigabytes(seconds)),
            Line("DynamoDB: reads, activity", "DynamoDB read", of(activity, "read units")),
            Line(
                "DynamoDB: reads, others",
                "DynamoDB read",
                of(others, "read units") + requests * ACCESS_READS,
            ),
            Line("DynamoDB: subscriptions", "DynamoDB write", of(others, "write units")),
            Line("Data to browsers", "data out", of((*pushes, *asked), "bytes")),
            Line("Logs", "CloudWatch Logs", (requests + 2 * connects) * LOG_BYTES / 1e9),
        ),
    )


def standing(measured: Measured) -> Bill:
    """Return the cost of a month without emails and viewers."""
    roles = profile(measured, 0)["roles"]
    runs = float(roles["idle watch"]["invocations"])

    def monthly(prefix: str) -> float:
        found = (counted(roles.get(role, {}), prefix) for role in ("idle watch", _IDLE_PUBLISH))
        return MONTH_MINUTES / runs * sum(found)

    calls = MONTH_MINUTES / runs * roles["idle watch"]["calls"]
    seconds = {"watch": _busy(measured, "watch", MONTH_MINUTES) + calls * CALL_SECONDS}
    invocations = monthly("invocations")
    ages = monthly("CloudWatch requests")
    return Bill(
        "A month without emails",
        (
            Line("SQS: polling", "SQS request", IDLE_POLLS_PER_MINUTE * MONTH_MINUTES),
            Line("SQS: queue depths, for watch", "SQS request", monthly("SQS requests")),
            Line("CloudWatch: message ages, for watch", "CloudWatch request", ages),
            Line(
                "CloudWatch: SES's metrics, for watch",
                "CloudWatch metric",
                SES_METRICS * DAYS_A_MONTH,
            ),
            Line("Streams: lag, for watch", "DynamoDB streams", monthly("stream reads")),
            Line("Lambda: invocations", "Lambda request", invocations),
            Line("Lambda: duration", "Lambda arm64", _gigabytes(seconds)),
            Line("DynamoDB: writes", "DynamoDB write", monthly("write units")),
            Line("DynamoDB: reads", "DynamoDB read", monthly("read units")),
            Line("CloudWatch: alarms", "CloudWatch alarm", ALARMS),
            Line("CloudWatch: dashboard", "CloudWatch dashboard", DASHBOARDS),
            Line("Logs", "CloudWatch Logs", invocations * LOG_BYTES / 1e9),
        ),
    )


_IDLE_PUBLISH = "idle watch publish"


def _attention_text(attention: Attention) -> str:
    if attention["active"] == 1:
        return ""
    return " (" + ", ".join(f"{share:.0%} {level}" for level, share in attention.items()) + ")"


def _calls(counts: Mapping[str, float]) -> float:
    """Return the time that a role waits for DynamoDB, in seconds."""
    return counts["calls"] * CALL_SECONDS


def _busy(measured: Measured, function: str, batches: float) -> float:
    """Return the duration of batches in seconds, given the function's share of a vCPU."""
    processor: float = measured["functions"][function]["next"]
    return batches * processor * VCPU_MB / FUNCTIONS[function][1]


def _gigabytes(seconds: Mapping[str, float]) -> float:
    """Convert seconds by function to GB-seconds in total."""
    return sum(FUNCTIONS[name][1] / 1024 * spent for name, spent in seconds.items())

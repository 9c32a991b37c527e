"""Compute the cost of other designs for the same campaign and viewers.

The naive design invokes a function for each event, which updates each counter and sends one message
to each viewer. The sensible one counts in the same way, and its page polls every two seconds.
"""

from dashboard.costs.bill import Bill, Line
from dashboard.costs.model import DAYS_A_MONTH, LOG_BYTES, Measured, profile

EVENT_MB = 256
EVENT_SECONDS = 0.1
PUSH_SECONDS = 0.011  # boto3, at 10 ms per API Gateway response: 90 messages a second
EVENT_WRITES = 4  # 2 KB for the event itself, plus a total and a minute
EVENT_BYTES = 2048
KEPT_DAYS = 90
POLLS_PER_HOUR = 1800
POLL_SECONDS = 0.05
POLL_READS = 2


def naive(measured: Measured, recipients: int, viewers: int, hours: int) -> Bill:
    """Return the cost of the naive design, which pushes each event to every current viewer."""
    chosen = profile(measured, recipients)
    scale = recipients / chosen["recipients"]
    events = chosen["roles"]["source"]["events"] * scale
    pushes = viewers * scale * sum(chosen["events_by_hour"][:hours])
    return Bill(
        "The naive design: one write per event, one message per event and viewer",
        (
            *_counting(events, pushes * PUSH_SECONDS),
            Line("DynamoDB: subscriptions", "DynamoDB read", events / 2),
            Line("WebSocket: pushes", "WebSocket message", pushes),
            Line("WebSocket: connected", "WebSocket minute", viewers * hours * 60),
        ),
    )


def polling(
    measured: Measured, recipients: int, viewers: int, hours: int, price: str = "HTTP request"
) -> Bill:
    """Return the cost of the sensible design, whose page polls an API every two seconds."""
    chosen = profile(measured, recipients)
    events = chosen["roles"]["source"]["events"] * recipients / chosen["recipients"]
    asked = viewers * hours * POLLS_PER_HOUR
    kind = price.split(maxsplit=1)[0]
    return Bill(
        f"The sensible design: one write per event, a page that polls ({kind} API)",
        (
            *_counting(events, 0),
            Line("API Gateway: requests", price, asked),
            Line("Lambda: invocations for polls", "Lambda request", asked),
            Line(
                "Lambda: duration of polls", "Lambda arm64", asked * POLL_SECONDS * EVENT_MB / 1024
            ),
            Line("DynamoDB: reads", "DynamoDB read", asked * POLL_READS),
            Line("Logs of polls", "CloudWatch Logs", asked * LOG_BYTES / 1e9),
        ),
    )


def _counting(events: float, push_seconds: float) -> tuple[Line, ...]:
    seconds = events * EVENT_SECONDS + push_seconds
    stored = events * EVENT_BYTES / 1e9 * KEPT_DAYS / DAYS_A_MONTH
    return (
        Line("SNS: SES publishes", "SNS publish", events),
        Line("Lambda: invocations", "Lambda request", events),
        Line("Lambda: duration", "Lambda arm64", seconds * EVENT_MB / 1024),
        Line("DynamoDB: writes", "DynamoDB write", events * EVENT_WRITES),
        Line("DynamoDB: storage", "DynamoDB storage", stored),
        Line("DynamoDB: point-in-time recovery", "DynamoDB recovery", stored),
        Line("Logs", "CloudWatch Logs", events * LOG_BYTES / 1e9),
    )

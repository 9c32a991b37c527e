"""AWS's prices in us-east-1, without free tiers, each with its source and date.

A price whose source is UNVERIFIED is AWS's commonly known list price, which was not looked up for
this table. Other regions may cost more. Check AWS's own pages before you decide:
https://calculator.aws
"""

from dataclasses import dataclass

UNVERIFIED = "list price, not verified here"


@dataclass(frozen=True, slots=True)
class Price:
    """A price.

    Attributes:
        usd: US dollars for `per` units.
        unit: the unit.
        source: where the price was found; UNVERIFIED if it was not looked up.
        seen: the date of the source; empty if it has none.
    """

    usd: float
    per: int
    unit: str
    source: str
    seen: str = ""

    def of(self, quantity: float) -> float:
        """Return the price of a quantity, in US dollars."""
        return quantity * self.usd / self.per


_MILLION = 1_000_000
_LAMBDA = "cloudchipr.com/blog/aws-lambda-pricing"
_GATEWAY = "awsforengineers.com/blog/aws-api-gateway-pricing-explained"
_DYNAMODB = "airbyte.com, on DynamoDB on demand since 2024-11"
_CLOUDWATCH = "factualminds.com/blog/amazon-cloudwatch-pricing-metrics-logs-alarms-dashboards"

PRICES = {
    "SNS publish": Price(
        0.50,
        _MILLION,
        "message",
        "factualminds.com/blog/amazon-sns-pricing-publishes-fanout-protocols",
        "2026-06-13",
    ),
    "SNS to SQS": Price(0, _MILLION, "message", UNVERIFIED),
    "SQS request": Price(
        0.40, _MILLION, "request", "cloudburn.io/blog/amazon-sqs-pricing", "2026-03-14"
    ),
    "Lambda request": Price(0.20, _MILLION, "invocation", _LAMBDA, "2024"),
    "Lambda arm64": Price(13.3334, _MILLION, "GB-second", _LAMBDA, "2024"),
    "DynamoDB write": Price(0.625, _MILLION, "write unit", _DYNAMODB, "2025-07"),
    "DynamoDB read": Price(0.125, _MILLION, "read unit", _DYNAMODB, "2025-07"),
    "DynamoDB storage": Price(0.25, 1, "GB-month", "aws.amazon.com/dynamodb/pricing"),
    "DynamoDB recovery": Price(0.20, 1, "GB-month", "finops.com.py/services/dynamodb/backups"),
    "DynamoDB streams": Price(0.02, 100_000, "read by watch", UNVERIFIED),
    "WebSocket message": Price(1.00, _MILLION, "message of 32 KB", _GATEWAY, "2025-05-19"),
    "WebSocket minute": Price(
        0.25,
        _MILLION,
        "connection-minute",
        "repost.aws/questions/QU7IqgooGeQmqudOsmzTw5YQ",
    ),
    "data out": Price(0.09, 1_000_000_000, "byte to the internet", _GATEWAY, "2025-05-19"),
    "REST request": Price(3.50, _MILLION, "request", _GATEWAY, "2025-05-19"),
    "HTTP request": Price(1.00, _MILLION, "request", _GATEWAY, "2025-05-19"),
    "CloudWatch Logs": Price(0.50, 1, "GB ingested", _CLOUDWATCH, "2026-06-13"),
    "CloudWatch alarm": Price(0.10, 1, "alarm-month", UNVERIFIED),
    "CloudWatch dashboard": Price(3.00, 1, "dashboard-month", _CLOUDWATCH, "2026-06-13"),
    "CloudWatch request": Price(0.01, 1000, "request", UNVERIFIED),
    "CloudWatch metric": Price(0.01, 1000, "metric read", UNVERIFIED),
}
"""Excluded: CloudFront and S3, sign-in, and SES itself.

A page is small, and the first TB and ten million requests per month of CloudFront are free:
aws.amazon.com/cloudfront/pricing
"""

# Charged once for each unit by which the warm throughput of a table is raised: the price of a
# provisioned unit for an hour. That AWS charges one hour was not verified.
WARM_WRITE_UNIT = Price(
    0.00065,
    1,
    "write unit per second",
    "oneuptime.com/blog/post/2026-02-12-dynamodb-on-demand-vs-provisioned",
    "2026-02-12",
)

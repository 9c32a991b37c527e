"""Read the metrics that SES publishes to CloudWatch.

SES publishes the metrics of an account without dimensions and without configuration. Those of a
configuration set need a CloudWatch event destination with the dimension `ses:configuration-set`:
https://docs.aws.amazon.com/ses/latest/dg/event-publishing-retrieving-cloudwatch.html
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Literal

from msgspec import Struct

from chalicelib.aws.client import Service

# CloudWatch keeps values of 5 minutes for 63 days.
# https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/cloudwatch_concepts.html
DAYS_KEPT = 62
PERIOD_SECONDS = 900
_HOUR = 3600
_NEWEST_SECONDS = 2 * 24 * _HOUR

Points = Sequence[tuple[float, float]]
"""Values by their time in epoch seconds."""


class SesMetrics(Struct, frozen=True):
    """SES's metrics of an account in CloudWatch, or of one configuration set."""

    cloudwatch: Service
    configuration_set: str | None = None

    def read(
        self,
        metrics: Sequence[str],
        start: int,
        end: int,
        *,
        period: int = PERIOD_SECONDS,
        statistic: Literal["Sum", "Average"] = "Sum",
    ) -> dict[str, Points]:
        """Return the values of metrics, each of a period; periods without values are missing.

        Args:
            metrics: names such as `Send`.
            start: epoch seconds, a multiple of the period.
            end: epoch seconds.
            period: seconds.
            statistic: what each value is of its period.

        Raises:
            AwsError: the metrics could not be read.
        """
        found: dict[str, list[tuple[float, float]]] = {metric: [] for metric in metrics}
        request: dict[str, Any] = {
            "MetricDataQueries": [
                self._query(number, metric, period, statistic)
                for number, metric in enumerate(metrics)
            ],
            "StartTime": start,
            "EndTime": end,
            "ScanBy": "TimestampAscending",
        }
        while True:
            page = self.cloudwatch.call("get_metric_data", **request)
            for result in page["MetricDataResults"]:
                points = zip(result["Timestamps"], result["Values"], strict=True)
                found[metrics[int(result["Id"][1:])]] += [(_epoch(at), one) for at, one in points]
            if not page.get("NextToken"):
                return {metric: points for metric, points in found.items() if points}
            request["NextToken"] = page["NextToken"]

    def newest(self, metrics: Sequence[str], now: int) -> dict[str, float]:
        """Return the newest value of each metric in the last two days; averages of an hour.

        Args:
            metrics: names such as `Reputation.BounceRate`.
            now: epoch seconds.

        Raises:
            AwsError: the metrics could not be read.
        """
        start = (now - _NEWEST_SECONDS) // _HOUR * _HOUR
        points = self.read(metrics, start, now, period=_HOUR, statistic="Average")
        return {metric: max(values)[1] for metric, values in points.items()}

    def _query(self, number: int, metric: str, period: int, statistic: str) -> Mapping[str, Any]:
        dimensions = []
        if self.configuration_set is not None:
            dimensions = [{"Name": "ses:configuration-set", "Value": self.configuration_set}]
        return {
            "Id": f"m{number}",
            "MetricStat": {
                "Metric": {"Namespace": "AWS/SES", "MetricName": metric, "Dimensions": dimensions},
                "Period": period,
                "Stat": statistic,
            },
            "ReturnData": True,
        }


def _epoch(at: datetime | float) -> float:
    """Return a time in epoch seconds; boto3 returns a datetime, CloudWatch's JSON a number."""
    return at.timestamp() if isinstance(at, datetime) else at

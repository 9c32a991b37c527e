"""Read from CloudWatch which functions fail, are throttled, or process their stream too late.

CloudWatch bills each metric that is read. Lambda's sums over all functions of the region are read
first, and those of each function only if the sums show failures.
https://docs.aws.amazon.com/lambda/latest/dg/monitoring-metrics-types.html
"""

from msgspec import Struct

from chalicelib.aws.client import Service

# watch is missing: it is judged by alarms, and its own errors report what it has found.
FUNCTIONS = (
    *("ingest", "aggregate", "publish", "publish_visible"),
    *("websocket_connect", "websocket_message", "websocket_disconnect"),
)
LOOK_SECONDS = 600

_PERIOD = 300
_PERIODS = 4
_LATE_MILLISECONDS = 60_000


class FunctionMetrics(Struct, frozen=True):
    """The metrics of a stage's functions.

    Attributes:
        prefix: what the names of the stage's functions begin with, such as `mailpulse-prod-`.
    """

    cloudwatch: Service
    prefix: str

    def failing(self, now: float) -> tuple[str, ...]:
        """Return what fails repeatedly, such as `ingest: Errors`.

        A failure is repeated if it occurs in two of four periods of five minutes: a single one is
        retried.

        Args:
            now: epoch seconds.

        Raises:
            AwsError: a metric could not be read.
        """
        found = [
            f"{function}: {metric}"
            for metric in ("Errors", "Throttles")
            if self._is_repeated(metric, None, now)
            for function in FUNCTIONS
            if self._is_repeated(metric, function, now)
        ]
        found += [
            f"{function}: IteratorAge"
            for function in ("publish", "publish_visible")
            if self._is_repeated("IteratorAge", function, now)
        ]
        return tuple(found)

    def _is_repeated(self, metric: str, function: str | None, now: float) -> bool:
        end = int(now) // _PERIOD * _PERIOD
        start = end - _PERIODS * _PERIOD
        statistic, limit = (
            ("Maximum", _LATE_MILLISECONDS) if metric == "IteratorAge" else ("Sum", 0)
        )
        answer = self.cloudwatch.call(
            "get_metric_statistics",
            Namespace="AWS/Lambda",
            MetricName=metric,
            Dimensions=[{"Name": "FunctionName", "Value": self.prefix + function}]
            if function
            else [],
            StartTime=start,
            EndTime=end,
            Period=_PERIOD,
            Statistics=[statistic],
        )
        failed = [point for point in answer["Datapoints"] if point[statistic] > limit]
        return len(failed) > 1

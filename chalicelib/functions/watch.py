"""Every minute: queues, stream and campaigns → the pipeline's health."""

import time
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from functools import cache
from typing import Any, TypeVar

from msgspec import Struct
from msgspec.structs import asdict

from chalicelib.aws.client import Services, TimeLimit
from chalicelib.aws.client import services as aws_services
from chalicelib.aws.queues import Queues
from chalicelib.aws.stream_lag import EventsStream
from chalicelib.config import Config, load
from chalicelib.errors import AwsError
from chalicelib.log import log
from chalicelib.stats.health import Findings, untracked
from chalicelib.stats.table import StatsTable

# Tracking is a matter of campaigns that are being sent, and those are the newest.
_CAMPAIGNS = 25

# Some seconds of reading; what was not reached is read in the next minutes, and unknown until then.
_PAGES = 200
_SECONDS = 20  # a page of expired records has 1 MB, and the function's time-out is a minute

T = TypeVar("T")


class HealthMonitor(Struct, frozen=True):
    """Looks whether everything flows."""

    queues: Queues
    stream: EventsStream
    stats_table: StatsTable
    clock: Callable[[], float] = time.time

    def check(self) -> Findings:
        """Look at everything and store what was found; what cannot be found out stays unknown.

        Raises:
            AwsError: it could not be stored.
        """
        now = self.clock()
        findings = Findings(
            checked_at=datetime.fromtimestamp(now, UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
            waiting=_unless_it_fails(self.queues.waiting),
            oldest_seconds=_unless_it_fails(lambda: self.queues.oldest_seconds(now)),
            dead_letters=_unless_it_fails(self.queues.dead_letters),
            stream_lag_seconds=_unless_it_fails(lambda: self._stream_lag(now)),
            untracked=_unless_it_fails(lambda: self._untracked(now)),
        )
        self.stats_table.put_findings(findings)
        log("watch", **asdict(findings))
        return findings

    def _stream_lag(self, now: float) -> int:
        oldest = self.stream.oldest_unread(self.stats_table.read_positions(), _PAGES, _SECONDS)
        return 0 if oldest is None else max(0, round(now - oldest))

    def _untracked(self, now: float) -> tuple[str, ...]:
        summaries, _ = self.stats_table.campaigns(_CAMPAIGNS, None)
        return untracked(summaries, now)


def _unless_it_fails(probe: Callable[[], T | None]) -> T | None:
    """One thing that cannot be found out must not hide the others."""
    try:
        return probe()
    except AwsError as error:
        log("not_found_out", detail=str(error))
        return None


def build(
    config: Config, *, services: Services | None = None, clock: Callable[[], float] = time.time
) -> HealthMonitor:
    """Build the function over AWS's services."""
    call = services or aws_services(config, TimeLimit())
    return HealthMonitor(
        Queues(call("sqs"), call("cloudwatch"), config.queue_url, config.dead_letter_queue_url),
        EventsStream(call("dynamodbstreams"), config.events_stream_arn),
        StatsTable(call("dynamodb"), config.stats_table, clock=clock),
        clock,
    )


@cache
def function() -> HealthMonitor:
    """Return this process's function, built from its environment."""
    return build(load())


def handler(_event: Mapping[str, Any]) -> None:
    """Check the pipeline's health; EventBridge calls this each minute."""
    function().check()

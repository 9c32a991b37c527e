"""Measure the pipeline's health each minute, from the queues, the stream and the campaigns."""

import time
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from functools import cache, partial
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
from chalicelib.stats.health import Findings, unsent, untracked
from chalicelib.stats.links import has_changing_ranks
from chalicelib.stats.table import StatsTable

# The newest campaigns: missing tracking matters only for campaigns that are being sent.
_CAMPAIGNS = 25

# Limits for reading the stream, so that it takes a few seconds. Shards not reached are read in the
# following minutes; until then, the lag is unknown.
_PAGES = 200
_SECONDS = 20  # a page of expired records has 1 MB, and the function's timeout is a minute

T = TypeVar("T")


class HealthMonitor(Struct, frozen=True):
    """The watch function: measures and stores the pipeline's health."""

    queues: Queues
    stream: EventsStream
    stats_table: StatsTable
    clock: Callable[[], float] = time.time

    def check(self) -> Findings:
        """Measure and store the pipeline's health; a failed measurement is stored as unknown.

        Raises:
            AwsError: the findings could not be stored.
        """
        now = self.clock()
        newest = _unless_it_fails(lambda: self.stats_table.campaigns(_CAMPAIGNS, None)[0])
        findings = Findings(
            checked_at=datetime.fromtimestamp(now, UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
            waiting=_unless_it_fails(self.queues.waiting),
            oldest_seconds=_unless_it_fails(lambda: self.queues.oldest_seconds(now)),
            dead_letters=_unless_it_fails(self.queues.dead_letters),
            stream_lag_seconds=_unless_it_fails(lambda: self._stream_lag(now)),
            untracked=None if newest is None else untracked(newest, now),
            unsent=None if newest is None else unsent(newest, now),
        )
        self.stats_table.put_findings(findings)
        for campaign in newest or ():
            if has_changing_ranks(campaign, now):
                _unless_it_fails(partial(self.stats_table.put_leaders, campaign.campaign))
        log("watch", **asdict(findings))
        return findings

    def _stream_lag(self, now: float) -> int:
        oldest = self.stream.oldest_unread(self.stats_table.read_positions(), _PAGES, _SECONDS)
        return 0 if oldest is None else max(0, round(now - oldest))


def _unless_it_fails(probe: Callable[[], T | None]) -> T | None:
    """Return the probe's result, or None if it fails, so that other probes still run."""
    try:
        return probe()
    except AwsError as error:
        log("probe_failed", detail=str(error))
        return None


def build(
    config: Config, *, services: Services | None = None, clock: Callable[[], float] = time.time
) -> HealthMonitor:
    """Build the function and its AWS clients."""
    call = services or aws_services(config, TimeLimit())
    return HealthMonitor(
        Queues(call("sqs"), call("cloudwatch"), config.queue_url, config.dead_letter_queue_url),
        EventsStream(call("dynamodbstreams"), config.events_stream_arn),
        StatsTable(call("dynamodb"), config.stats_table, clock=clock),
        clock,
    )


@cache
def function() -> HealthMonitor:
    """Return this process's function, configured from the environment."""
    return build(load())


def handler(_event: Mapping[str, Any]) -> None:
    """Measure the pipeline's health. EventBridge invokes this each minute."""
    function().check()

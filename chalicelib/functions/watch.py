"""Measure and judge the pipeline's health each minute.

The function ends with an error while something is wrong. CloudWatch counts these errors without
charge, and one alarm on them replaces an alarm for each symptom.
"""

import time
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from functools import cache, partial
from typing import Any, Literal, TypeVar
from zlib import crc32

from msgspec import Struct
from msgspec.structs import asdict

from chalicelib.aws.client import Services, TimeLimit
from chalicelib.aws.client import services as aws_services
from chalicelib.aws.function_metrics import LOOK_SECONDS, FunctionMetrics
from chalicelib.aws.queues import Queues
from chalicelib.aws.ses_metrics import SesMetrics
from chalicelib.aws.stream_lag import EventsStream
from chalicelib.aws.topics import AlarmTopic
from chalicelib.config import Config, load
from chalicelib.errors import AwsError, PipelineFault, trace
from chalicelib.insight.done import DONE_AFTER
from chalicelib.log import log
from chalicelib.stats.counters import Aggregate
from chalicelib.stats.day_check import DayCheck, uncounted_events
from chalicelib.stats.delays import Delay, Reading, added, delays, kept
from chalicelib.stats.directory_table import Directory
from chalicelib.stats.health import Findings, late_seconds, unsent, untracked
from chalicelib.stats.incident_table import CampaignAlarms
from chalicelib.stats.links import has_changing_ranks
from chalicelib.stats.marked_tests import repeat_marks
from chalicelib.stats.pace_table import Paces
from chalicelib.stats.reconciled import due
from chalicelib.stats.stored.pipeline import Pipeline
from chalicelib.stats.stored.watch_logs import Further
from chalicelib.stats.table import StatsTable

# The newest campaigns: missing tracking matters only for campaigns that are being sent.
_CAMPAIGNS = 25

# Limits for reading the stream, so that it takes a few seconds. Shards not reached are read in the
# following minutes; until then, the lag is unknown.
_PAGES = 200
_SECONDS = 20  # a page of expired records has 1 MB, and the function's timeout is a minute

# While nothing happens, a check is stored every fifth minute, when the fifth invocation is due.
_IDLE_SECONDS = 270
# While nothing is sent, only functions that serve pages can fail; reading metrics costs.
_IDLE_LOOK_SECONDS = 3600
# The comparison with SES takes up to half of the function's minute: a check that took longer than
# this leaves it to the next one.
_RECONCILE_BEFORE_SECONDS = 15
# Campaigns that have left the newest and may be done are judged once in so many minutes.
_AWAITED_MINUTES = 10

T = TypeVar("T")


class HealthMonitor(Struct):
    """The watch function: measures, stores and judges the pipeline's health.

    It also updates the directory of campaigns, and the pace of those that are running, and judges
    whether these are in trouble. Once a day, it compares the counts with SES's own metrics.

    Attributes:
        counted: the read position of each shard at this process's last complete check.
        newest: the summaries of the newest campaigns at that check.
        readings: the delays that this process has read in the last minutes, oldest first.
    """

    queues: Queues
    stream: EventsStream
    stats_table: StatsTable
    directory: Directory
    functions: FunctionMetrics
    paces: Paces
    alarms: CampaignAlarms
    day_check: DayCheck
    clock: Callable[[], float] = time.time
    counted: Mapping[str, str] | None = None
    newest: Sequence[Aggregate] = ()
    readings: Sequence[Reading] = ()

    def check(self) -> Findings:
        """Measure and store the pipeline's health; a failed measurement is stored as unknown.

        While nothing happens, most checks end early: they neither read the stream nor write.

        Raises:
            PipelineFault: the pipeline is late or fails, or a measurement failed; the findings are
                stored.
            AwsError: the findings could not be stored.
        """
        now = self.clock()
        probes = _Probes()
        pipeline = probes.run("the last check", self.stats_table.pipeline.get)
        last = pipeline.health.findings if pipeline else None
        waiting, in_flight = probes.run("the queue", self.queues.depths) or (None, None)
        dead = probes.run("the dead-letter queue", self.queues.dead_letters)
        positions = pipeline and {one.shard: one.given for one in pipeline.positions}
        measured = self._delays(pipeline, now)
        directory = self._update_directory(pipeline, now, probes)
        self._repeat_marks(pipeline, now, probes)
        is_idle = (
            directory == "unchanged"
            and last is not None
            and (waiting, in_flight, dead) == (0, 0, last.dead_letters)
            and positions is not None
            and positions == self.counted
        )
        look_every = _IDLE_LOOK_SECONDS if is_idle else LOOK_SECONDS
        if last is not None and is_idle and _is_quiet(last, now, look_every):
            # Nothing was counted, but what is usual changes with the age.
            self._update_campaigns(pipeline, late_seconds(last), now, probes)
            self._reconcile(pipeline, last, in_flight, now, probes)
            log("watch", unchanged_since=last.checked_at)
            if probes.failed:
                raise PipelineFault("; ".join(probes.failed))
            return last
        newest = probes.run(
            "campaigns", lambda: self.stats_table.campaigns.page(_CAMPAIGNS, None)[0]
        )
        findings = Findings(
            checked_at=_rfc3339(now),
            waiting=waiting,
            oldest_seconds=probes.run("the oldest event", lambda: self.queues.oldest_seconds(now))
            if waiting or in_flight
            else waiting,
            dead_letters=dead,
            stream_lag_seconds=None
            if positions is None
            else probes.run("the delay of counting", lambda: self._stream_lag(positions, now)),
            untracked=None if newest is None else untracked(newest, now),
            unsent=None if newest is None else unsent(newest, now),
            listed_at=_rfc3339(now) if directory else last.listed_at if last else None,
            delays=measured,
            **self._functions(last, now, look_every, probes),
        )
        self.stats_table.pipeline.put_findings(findings)
        if newest is not None:  # otherwise, the next check must not rely on this one
            self.counted, self.newest = positions, newest
        for campaign in newest or ():
            if has_changing_ranks(campaign, now):
                probes.run("links", partial(self.stats_table.put_leaders, campaign.campaign))
        self._update_campaigns(pipeline, late_seconds(findings), now, probes)
        self._reconcile(pipeline, findings, in_flight, now, probes)
        log("watch", **asdict(findings))
        problems = [*findings.problems(), *probes.failed]
        if problems:
            raise PipelineFault("; ".join(problems))
        return findings

    def _update_campaigns(
        self, pipeline: Pipeline | None, late: int | None, now: float, probes: "_Probes"
    ) -> None:
        """Update the pace of campaigns, and judge whether they are in trouble or done.

        These are the newest, and those that are judged further. Each may fail by itself.
        """
        at = datetime.fromtimestamp(now, UTC)
        further = pipeline.further if pipeline else Further()
        newest = {one.campaign for one in self.newest}
        self.paces.keep_only(newest | further.judged | further.awaited.keys())
        due = probes.run("campaigns that may be done", partial(_due, further, at)) or set()
        names = sorted((further.judged | due) - newest)
        read = partial(self.stats_table.summaries, names)
        older = probes.run("older campaigns", read) or ()
        if self._update_paces((*self.newest, *older), at, probes) & {*names}:
            older = probes.run("older campaigns", read) or ()  # their results include the pace
        if pipeline is None:
            return
        # While the directory is being built, its entries wait for the next check.
        if pipeline.directory.is_complete:
            probes.run("the directory", partial(self.paces.update_directory, at))
        # While ingest is paused for a recount, events wait, and counters change.
        if pipeline.health.paused_at is not None:
            return
        for summary in (*self.newest, *older):
            update = partial(self.alarms.update, summary, late, at, further)
            probes.run("the alarms of a campaign", update)

    def _update_paces(
        self, summaries: Sequence[Aggregate], at: datetime, probes: "_Probes"
    ) -> set[str]:
        """Update the pace of campaigns, and return those of which it was stored."""
        return {
            one.campaign
            for one in summaries
            if probes.run("the pace of a campaign", partial(self.paces.update, one, at))
        }

    def _reconcile(
        self,
        pipeline: Pipeline | None,
        findings: Findings,
        in_flight: int | None,
        now: float,
        probes: "_Probes",
    ) -> None:
        """Compare the last day with SES's metrics, once a day, if this check has time for it.

        What SES does not publish, or a missing permission, is a result and no failed check. While
        it is not known which events are still to be counted, the comparison waits.
        """
        at = datetime.fromtimestamp(now, UTC)
        day = pipeline and due(pipeline.reconciled, at)
        if pipeline is None or day is None or self.clock() - now > _RECONCILE_BEFORE_SECONDS:
            return
        uncounted = uncounted_events(findings, in_flight, pipeline.health.quarantined)
        if uncounted is None:
            return

        def compare() -> None:
            if self.stats_table.pipeline.begin_reconciliation(at):
                result = self.day_check.compare(day, at, uncounted)
                self.stats_table.pipeline.put_reconciled(result)

        probes.run("the comparison with SES", compare)

    def _update_directory(
        self, pipeline: Pipeline | None, now: float, probes: "_Probes"
    ) -> Literal["changed", "unchanged"] | None:
        """Return whether the directory of campaigns was updated; None if that failed."""
        if pipeline is None:
            return None
        at = datetime.fromtimestamp(now, UTC)
        changed = probes.run("the directory", lambda: self.directory.update(pipeline, at))
        return None if changed is None else "changed" if changed else "unchanged"

    def _repeat_marks(self, pipeline: Pipeline | None, now: float, probes: "_Probes") -> None:
        """Repeat in lists which campaigns were marked as tests."""
        if pipeline is None:
            return
        at = datetime.fromtimestamp(now, UTC)
        repeat = partial(repeat_marks, self.stats_table, self.directory, pipeline, at)
        probes.run("test campaigns", repeat)

    def _functions(
        self, last: Findings | None, now: float, look_every: int, probes: "_Probes"
    ) -> dict[str, Any]:
        """Return what is known of failing functions, measured once in each interval."""
        if last is not None and not _is_due(last, now, look_every):
            return {"failing": last.failing, "functions_at": last.functions_at}
        failing = probes.run("the functions' metrics", lambda: self.functions.failing(now))
        return {"failing": failing, "functions_at": None if failing is None else _rfc3339(now)}

    def _delays(self, pipeline: Pipeline | None, now: float) -> tuple[Delay, ...] | None:
        """Return how long the events of the last minutes took, and keep what was read."""
        if pipeline is None:
            return None
        before = kept(self.readings, now)
        read = Reading(now, pipeline.delays)
        self.readings = [*before, read]
        return delays(added(before[0], read)) if before else None

    def _stream_lag(self, positions: Mapping[str, str], now: float) -> int:
        oldest = self.stream.oldest_unread(positions, _PAGES, _SECONDS)
        return 0 if oldest is None else max(0, round(now - oldest))


class _Probes:
    """Measurements, each of which may fail without preventing the others.

    Attributes:
        failed: a sentence for each failed measurement.
    """

    def __init__(self) -> None:
        self.failed: list[str] = []

    def run(self, what: str, probe: Callable[[], T]) -> T | None:
        """Return the probe's result, or None if it fails."""
        try:
            return probe()
        except (AwsError, ArithmeticError, ValueError) as error:
            detail = str(error) if isinstance(error, AwsError) else trace(error)
            log("probe_failed", probe=what, detail=detail)
            self.failed.append(f"watch cannot check {what}: {detail}")
            return None


def _due(further: Further, at: datetime) -> set[str]:
    """Return the campaigns that wait for their results, may be done, and are judged this minute.

    Each is judged once in some minutes, in which about as many are judged each minute.
    """
    turn = int(at.timestamp()) // 60 % _AWAITED_MINUTES
    return {
        campaign
        for campaign, first_event_at in further.awaited.items()
        if at - datetime.fromisoformat(first_event_at) >= DONE_AFTER
        and crc32(campaign.encode("utf-8", "surrogatepass")) % _AWAITED_MINUTES == turn
    }


def _is_quiet(last: Findings, now: float, look_every: int) -> bool:
    """Return whether the last check is recent, found nothing to do, and had no problem."""
    return (
        now - datetime.fromisoformat(last.checked_at).timestamp() < _IDLE_SECONDS
        and (last.waiting, last.oldest_seconds, last.stream_lag_seconds) == (0, 0, 0)
        and not _is_due(last, now, look_every)
        and not any(last.problems())
    )


def _is_due(last: Findings, now: float, look_every: int) -> bool:
    """Return whether the functions' metrics are to be read, once in each interval of the clock."""
    if last.functions_at is None:
        return True
    looked = datetime.fromisoformat(last.functions_at).timestamp()
    return now // look_every > looked // look_every


def _rfc3339(now: float) -> str:
    return datetime.fromtimestamp(now, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def build(
    config: Config, *, services: Services | None = None, clock: Callable[[], float] = time.time
) -> HealthMonitor:
    """Build the function and its AWS clients."""
    call = services or aws_services(config, TimeLimit())
    dynamo = call("dynamodb")
    stats_table = StatsTable(dynamo, config.stats_table, clock=clock)
    directory = Directory(dynamo, config.stats_table, stats_table)
    paces = Paces(stats_table, directory)
    topic = AlarmTopic(call("sns"), config.alarm_topic_arn) if config.alarm_topic_arn else None
    return HealthMonitor(
        Queues(call("sqs"), call("cloudwatch"), config.queue_url, config.dead_letter_queue_url),
        EventsStream(call("dynamodbstreams"), config.events_stream_arn),
        stats_table,
        directory,
        FunctionMetrics(call("cloudwatch"), config.function_name.removesuffix("watch")),
        paces,
        CampaignAlarms(stats_table, paces, topic, page_url=config.page_url, clock=clock),
        DayCheck(stats_table, SesMetrics(call("cloudwatch"))),
        clock,
    )


@cache
def function() -> HealthMonitor:
    """Return this process's function, configured from the environment."""
    return build(load())


def handler(event: Mapping[str, Any]) -> None:
    """Measure the pipeline's health, and judge campaigns. EventBridge invokes this each minute.

    If `doctor` invokes it with the detail `test_alarm`, it only sends a test message.

    Raises:
        PipelineFault: the pipeline is late or fails, or could not be checked.
        ConfigError, AwsError: the test message could not be sent.
    """
    if event.get("detail", {}).get("test_alarm"):
        function().alarms.send_test()
    else:
        function().check()

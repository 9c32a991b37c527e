"""Check the data flow: the queues, counting, and the watch function."""

from collections.abc import Iterator
from datetime import datetime, timedelta

from chalicelib.aws.queues import Queues
from chalicelib.stats.health import LAG_SECONDS, OLD_SECONDS, SILENT_SECONDS, failure
from chalicelib.stats.table import StatsTable
from dashboard.aws_session import Service
from dashboard.checks.finding import Finding, Subject, fail, ok, warn

_FRESH = timedelta(seconds=SILENT_SECONDS)


def check_queues(subject: Subject) -> Iterator[Finding]:
    """Check that the dead-letter queue is empty and that no event has waited for long."""
    queues = Queues(
        Service("sqs", subject.clients),
        Service("cloudwatch", subject.clients),
        subject.output("QueueUrl"),
        subject.output("DeadLetterQueueUrl"),
    )
    dead, (visible, in_flight) = queues.dead_letters(), queues.depths()
    # Until an event that could not be stored is tried again, it is in flight.
    waiting = f"{visible} events are waiting" + (f" and {in_flight} in flight" if in_flight else "")
    if dead:
        yield warn(
            f"{dead} messages are in the dead-letter queue",
            f"to see why, run python -m dashboard dlq list --stage {subject.stage}",
        )
    else:
        yield ok("the dead-letter queue is empty")
    oldest = queues.oldest_seconds(subject.clock().timestamp())
    if oldest is not None and oldest > OLD_SECONDS:
        yield fail(
            f"{waiting}, the oldest for {oldest} s",
            "see the log of ingest; no events are lost for 14 days",
        )
    elif oldest is None and (visible or in_flight):
        yield warn(
            f"{waiting}, and CloudWatch has no data on their age",
            "run `doctor` again in a few minutes",
        )
    else:
        yield ok(waiting + (f", the oldest for {oldest} s" if oldest else ""))


def check_health(subject: Subject) -> Iterator[Finding]:
    """Check that watch has run recently, and report its findings."""
    stats_table = StatsTable(Service("dynamodb", subject.clients), subject.output("StatsTable"))
    health = stats_table.pipeline.health()
    found = health.findings
    log = "see the log of watch, and its rule in EventBridge"
    if found is None:
        yield fail("the pipeline has not been checked yet", f"wait a minute, then {log}")
    elif subject.clock() - datetime.fromisoformat(found.checked_at) > _FRESH:
        yield fail(f"the last check of the pipeline was at {found.checked_at}", log)
    elif found.stream_lag_seconds is None:
        yield warn("watch cannot measure the processing delay", log)
    elif found.stream_lag_seconds > LAG_SECONDS:
        yield fail(
            f"the processing delay is {found.stream_lag_seconds} s", "see the log of aggregate"
        )
    else:
        yield ok(
            f"checked at {found.checked_at}, the processing delay is {found.stream_lag_seconds} s"
        )
    for one in (found.failing or ()) if found else ():
        yield fail(failure(one), "see its log")
    if health.paused_at is not None:
        yield warn(
            f"ingest has been paused since {health.paused_at}",
            "wait until the recount has finished; if none is running, run `deploy`",
        )
    if found is not None and found.untracked:
        yield warn(
            f"delivered but never opened: {', '.join(found.untracked)}",
            "check that open tracking is enabled and that the emails are HTML",
        )

"""Check the data flow: the queues, counting, and the watch function."""

from collections.abc import Iterator
from datetime import datetime, timedelta

from chalicelib.aws.queues import Queues
from chalicelib.stats.table import StatsTable
from dashboard.aws_session import Service
from dashboard.checks.finding import Finding, Subject, fail, ok, warn

# watch runs once a minute.
_FRESH = timedelta(minutes=3)
# The thresholds of the template's alarms.
_OLD_SECONDS = 300
_LAG_SECONDS = 60


def check_queues(subject: Subject) -> Iterator[Finding]:
    """Check that the dead-letter queue is empty and that no event has waited for long."""
    queues = Queues(
        Service("sqs", subject.clients),
        Service("cloudwatch", subject.clients),
        subject.output("QueueUrl"),
        subject.output("DeadLetterQueueUrl"),
    )
    dead, waiting = queues.dead_letters(), queues.waiting()
    if dead:
        yield warn(
            f"{dead} messages were set aside",
            f"python -m dashboard dlq list --stage {subject.stage} says why",
        )
    else:
        yield ok("no message was set aside")
    oldest = queues.oldest_seconds(subject.clock().timestamp())
    if oldest is not None and oldest > _OLD_SECONDS:
        yield fail(
            f"{waiting} events wait, the oldest for {oldest} s",
            "look at the log of ingest; nothing is lost for 14 days",
        )
    elif oldest is None and waiting:
        yield warn(
            f"{waiting} events wait, and CloudWatch does not say for how long",
            "look again in some minutes",
        )
    else:
        yield ok(f"{waiting} events wait" + (f", the oldest for {oldest} s" if oldest else ""))


def check_health(subject: Subject) -> Iterator[Finding]:
    """Check that watch has run lately, and what it has found."""
    stats_table = StatsTable(Service("dynamodb", subject.clients), subject.output("StatsTable"))
    health = stats_table.health()
    found = health.findings
    log = "look at the log of watch, and at its rule in EventBridge"
    if found is None:
        yield fail("nobody has watched the pipeline yet", f"wait a minute; then {log}")
    elif subject.clock() - datetime.fromisoformat(found.checked_at) > _FRESH:
        yield fail(f"the pipeline was last watched at {found.checked_at}", log)
    elif found.stream_lag_seconds is None:
        yield warn("watch cannot find out how far counting is behind", log)
    elif found.stream_lag_seconds > _LAG_SECONDS:
        yield fail(
            f"counting is {found.stream_lag_seconds} s behind", "look at the log of aggregate"
        )
    else:
        yield ok(f"watched at {found.checked_at}, counting is {found.stream_lag_seconds} s behind")
    if health.paused_at is not None:
        yield warn(
            f"ingest is paused since {health.paused_at}",
            "wait for the recount that paused it; if none is running, run `deploy`",
        )
    if found is not None and found.untracked:
        yield warn(
            f"delivered and never opened: {', '.join(found.untracked)}",
            "is open tracking on, and is the mail HTML?",
        )

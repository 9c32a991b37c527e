"""The daily comparison with SES's metrics, which is a part of the health check."""

from datetime import UTC, datetime, timedelta

import pytest
from support import handlers, moto_account, ses

from chalicelib.errors import AwsError, PipelineFault
from chalicelib.live.permissions import Connection
from chalicelib.stats import day_check
from chalicelib.stats.reconciled import Reconciled

VIEWER = Connection("viewer-1", "api-1/api", connected_at=0)
HEALTH = "stats/health"
DAY = "2026-11-23"
# After the day of the events of ses.py, when SES's metrics of it are complete.
NEXT_DAY = datetime(2026, 11, 24, 1, 30, tzinfo=UTC).timestamp()


@pytest.fixture
def compared(pipeline):
    """Return a function that runs a check after the day, and returns the comparison."""

    def run(now=NEXT_DAY):
        pipeline.now = now
        handlers.watch({})
        return pipeline.snapshot(VIEWER, HEALTH)["reconciliation"]

    return run


def publish(metric, value, at=f"{DAY}T10:00:00+00:00", unit="Count"):
    moto_account.client("cloudwatch").put_metric_data(
        Namespace="AWS/SES",
        MetricData=[
            {
                "MetricName": metric,
                "Timestamp": datetime.fromisoformat(at),
                "Value": value,
                "Unit": unit,
            }
        ],
    )


def count_three(pipeline):
    pipeline.run(
        ses.a_send("m-0", campaign="winter", at="2026-11-20T10:00:00.000Z"),
        *[ses.a_send(f"m-{number}") for number in range(1, 4)],
        ses.a_delivery("m-1"),
    )


def of_metric(reconciliation, metric):
    return next(one for one in reconciliation["metrics"] if one["metric"] == metric)


def test_a_day_is_compared_with_the_metrics_of_ses(pipeline, compared):
    count_three(pipeline)
    publish("Send", 3)
    publish("Delivery", 4)

    found = compared()

    assert (found["day"], found["state"], found["share"]) == (DAY, "compared", 1.0)
    assert of_metric(found, "sends")["unexplained"] == 0
    assert of_metric(found, "deliveries")["unexplained"] == -3
    assert of_metric(found, "opens")["ours"] == 0


def test_the_runway_is_estimated_from_the_rates_of_ses(pipeline, compared):
    count_three(pipeline)
    publish("Send", 3)
    publish("Reputation.BounceRate", 0.01, at=f"{DAY}T23:10:00+00:00", unit="None")

    [runway] = compared()["runways"]

    assert (runway["kind"], runway["rate"], runway["line"]) == ("bounces", 0.01, 0.05)
    assert runway["remaining"] is not None


def test_a_day_is_compared_once(pipeline, compared, monkeypatch):
    count_three(pipeline)
    publish("Send", 3)
    first = compared()

    def fail(*_):
        raise AssertionError("compared again")

    monkeypatch.setattr(day_check.DayCheck, "compare", fail)

    assert compared(NEXT_DAY + 4 * 3600) == first


@pytest.mark.parametrize("in_flight", [False, True])
def test_events_that_wait_to_be_stored_explain_what_is_missing(pipeline, compared, in_flight):
    """An event that could not be stored is mostly in flight: it is tried again after a while."""
    count_three(pipeline)
    publish("Send", 4)
    sqs, queue = moto_account.client("sqs"), pipeline.config.queue_url
    sqs.send_message(QueueUrl=queue, MessageBody="waiting")
    if in_flight:
        sqs.receive_message(QueueUrl=queue, VisibilityTimeout=300)

    sends = of_metric(compared(), "sends")

    assert (sends["unexplained"], sends["causes"]) == (0, [{"name": "waiting", "most": 1}])


@pytest.mark.parametrize("late", [NEXT_DAY - 3600, None])
def test_a_day_is_compared_once_all_stored_events_are_counted(
    pipeline, compared, monkeypatch, late
):
    """It is not known how many of them are missing, nor of which day they are."""
    count_three(pipeline)
    publish("Send", 4)

    def oldest_unread(*_):
        if late is None:
            raise AwsError("Throttling", "get_records failed")
        return late

    pipeline.now = NEXT_DAY
    with monkeypatch.context() as patch:
        patch.setattr(type(pipeline.parts.events_stream), "oldest_unread", oldest_unread)
        with pytest.raises(PipelineFault):
            handlers.watch({})
    assert pipeline.snapshot(VIEWER, HEALTH)["reconciliation"] is None
    pipeline.run(ses.a_send("m-4"))

    assert of_metric(compared(NEXT_DAY + 60), "sends")["unexplained"] == 0


def test_an_account_without_metrics_is_no_failure(pipeline, compared):
    count_three(pipeline)

    assert compared()["state"] == "unpublished"


@pytest.mark.parametrize(
    ("code", "state"), [("AccessDeniedException", "denied"), ("Throttling", "failed")]
)
def test_metrics_that_cannot_be_read_are_no_failure(pipeline, compared, monkeypatch, code, state):
    def fail(*_, **__):
        raise AwsError(code, "get_metric_data failed")

    monkeypatch.setattr(day_check.SesMetrics, "read", fail)

    assert compared()["state"] == state


def test_a_missing_permission_that_is_granted_is_noticed_within_an_hour(
    pipeline, compared, monkeypatch
):
    def fail(*_, **__):
        raise AwsError("AccessDeniedException", "get_metric_data failed")

    count_three(pipeline)
    publish("Send", 3)
    with monkeypatch.context() as patch:
        patch.setattr(day_check.SesMetrics, "read", fail)
        compared()

    assert compared(NEXT_DAY + 3540)["state"] == "denied"
    assert compared(NEXT_DAY + 3600)["state"] == "compared"


def test_too_many_campaigns_are_not_compared(pipeline, compared, monkeypatch):
    count_three(pipeline)
    publish("Send", 3)
    monkeypatch.setattr(day_check, "_MOST_CAMPAIGNS", 1)

    assert compared()["state"] == "too_many"


def test_of_too_many_days_the_runway_uses_fewer(pipeline, compared, monkeypatch):
    for number in range(30):
        at = datetime(2026, 11, 23, 10, tzinfo=UTC) - timedelta(days=number)
        sent = at.strftime("%Y-%m-%dT%H:%M:%S.000Z")
        pipeline.run(ses.a_send(f"m-{number}", at=sent))
    publish("Send", 1)
    monkeypatch.setattr(day_check, "_MOST_KEYS", 20)

    assert compared()["days"] == 14

    monkeypatch.setattr(day_check, "_MOST_KEYS", 1)
    assert compared(NEXT_DAY + 24 * 3600)["state"] == "too_many"


def test_a_check_that_took_long_leaves_the_comparison_to_the_next_one(pipeline, monkeypatch):
    count_three(pipeline)
    pipeline.now = NEXT_DAY
    monitor = pipeline.parts.watch
    times = iter([NEXT_DAY, NEXT_DAY + 16])
    monitor.clock = lambda: next(times, NEXT_DAY + 16)
    monitor.check()

    assert pipeline.snapshot(VIEWER, HEALTH)["reconciliation"] is None


def test_one_of_two_checks_at_a_time_compares(pipeline):
    table, now = pipeline.parts.stats_table, datetime.fromtimestamp(NEXT_DAY, UTC)

    assert table.pipeline.begin_reconciliation(now)
    assert not table.pipeline.begin_reconciliation(now + timedelta(minutes=59))
    assert table.pipeline.begin_reconciliation(now + timedelta(minutes=60))


def test_an_earlier_day_does_not_replace_a_later_one(pipeline):
    table = pipeline.parts.stats_table
    later = Reconciled("2026-11-23", "2026-11-24T01:30:00Z", "compared")
    table.pipeline.put_reconciled(later)
    table.pipeline.put_reconciled(Reconciled("2026-11-22", "2026-11-24T01:31:00Z", "compared"))

    assert table.pipeline.results().reconciled == later
    assert table.pipeline.get().reconciled.version == 1


def test_a_comparison_is_pushed_with_everything_else(pipeline):
    count_three(pipeline)
    publish("Send", 3)
    pipeline.now = NEXT_DAY
    pipeline.ask(VIEWER, action="subscribe", id=HEALTH)
    pipeline.connections.sent.clear()

    handlers.watch({})
    pipeline.publish()

    expected = pipeline.snapshot(VIEWER, HEALTH)
    for settings in expected["alarms"]:
        del settings["may_change"]  # it depends on the viewer
    assert pipeline.connections.sent[VIEWER.id][-1]["changes"] == expected

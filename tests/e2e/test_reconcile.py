"""`reconcile` reads the counters, the facts, CloudWatch and SES of a running `up`."""

import json
import os
import re
from datetime import UTC, datetime, timedelta

import pytest
from msgspec.structs import replace
from support import commands, ses
from support.client import campaign_topic
from support.world import CONFIG

from chalicelib.aws.client import TimeLimit, services
from chalicelib.aws.ses_metrics import SesMetrics
from chalicelib.insight.day_counts import TheirDay, their_days

# A day of its own, with events of no other test.
DAY = datetime.now(UTC).replace(hour=12, minute=0, second=0, microsecond=0) - timedelta(days=4)
AT = DAY.strftime("%Y-%m-%dT%H:%M:%S.000Z")


@pytest.fixture
def run(dashboard):
    def run(*arguments):
        process = commands.of_project().start(
            *("reconcile", "--from", f"{DAY:%F}", "--to", f"{DAY:%F}", *arguments),
            *("--state-dir", str(dashboard.state_dir)),
            environment=os.environ,
        )
        stdout, stderr = process.communicate(timeout=60)
        return process.returncode, stdout, stderr

    return run


def from_function(dashboard, monkeypatch):
    """Return SES's metrics as a function reads them, without boto3."""
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "test")
    config = replace(CONFIG, endpoint_url=dashboard.info["endpoint_url"])
    start = int((DAY - timedelta(hours=12)).timestamp())
    metrics = SesMetrics(services(config, TimeLimit())("cloudwatch"))
    return their_days(metrics.read(["Send", "Delivery"], start, start + 86_400))


def publish(dashboard, **metrics):
    """Publish metrics in the place of SES."""
    dashboard.aws("cloudwatch").put_metric_data(
        Namespace="AWS/SES",
        MetricData=[
            {"MetricName": name, "Timestamp": DAY, "Value": value, "Unit": "Count"}
            for name, value in metrics.items()
        ],
    )


def test_the_counts_of_a_day_agree_until_ses_counts_more(dashboard, client, run, monkeypatch):
    campaign = "reconciled"
    before = (DAY - timedelta(days=1)).strftime("%Y-%m-%dT%H:%M:%S.000Z")
    dashboard.publish(
        ses.a_send("earlier-1", campaign="earlier", at=before),
        *[ses.a_send(f"{campaign}-{number}", campaign=campaign, at=AT) for number in range(5)],
        ses.a_delivery(
            f"{campaign}-5", campaign=campaign, at=AT, to=["ada@example.com", "ben@example.com"]
        ),
    )
    client.subscribe(campaign_topic(campaign))
    client.wait_for(campaign_topic(campaign), lambda known: known.counts["deliveries"] == 2)
    client.wait_for(campaign_topic(campaign), lambda known: known.counts["sends"] == 5)
    dashboard.wait_until_ingested()
    status, _, stderr = run()
    assert status == 1
    assert "CloudWatch has no metrics of SES" in stderr

    publish(dashboard, Send=5, Delivery=1)
    status, stdout, stderr = run("--facts", "--json")

    assert status == 0, stdout
    assert "facts and states read" in stderr
    found = json.loads(stdout)
    [sends] = [
        one for one in found["comparisons"] if (one["metric"], one["day"]) == ("sends", f"{DAY:%F}")
    ]
    assert (sends["mailpulse"], sends["ses"]) == (5, 5)
    assert found["account"]["sending"] is True

    published = TheirDay({"sends": 5, "deliveries": 1})
    assert from_function(dashboard, monkeypatch) == {f"{DAY:%F}": published}

    # Dead letters and quarantined records of other tests explain some.
    publish(dashboard, Send=1000)
    status, stdout, _ = run("--by-day", "--facts")
    assert status == 1, stdout
    assert len(re.findall(r"unexplained: -\d", stdout)) == 2, "of the sum and of the day"

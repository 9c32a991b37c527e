"""The cost model: measured calls times prices."""

import json

import pytest
from click.testing import CliRunner

from bench.cost_document import DOCUMENT, document
from dashboard.commands import cost
from dashboard.costs import model
from dashboard.costs.prices import PRICES, UNVERIFIED, Price
from dashboard.functions import FUNCTIONS
from dashboard.paths import TEMPLATE

HOUR = {
    "pushes": 100,
    "requests": 10,
    "answers": 12,
    "read units": 40,
    "write units": 4,
    "calls": 20,
    "bytes": 1000,
    "events": 600,
}


def measured_campaign(recipients=1000, events=3000):
    return {
        "recipients": recipients,
        "roles": {
            "source": {"events": events},
            "ingest": {
                "invocations": 300,
                "calls": 900,
                "read units EventsTable": 200,
                "write units EventsTable": 4000,
                "write units EventsTable/activity": 1000,
                "write units StatsTable": 6,
            },
            "aggregate": {"invocations": 400, "calls": 2400, "write units StatsTable": 2400},
            "publish": {"invocations": 500, "calls": 700, "read units SubscriptionsTable": 700},
            "watch": {
                "invocations": 100,
                "calls": 400,
                "read units StatsTable": 300,
                "write units StatsTable": 100,
            },
        },
        "viewer_hours": [HOUR, {**HOUR, "pushes": 10, "events": 60}],
    }


MEASURED = {
    "campaigns": [measured_campaign(), measured_campaign(10_000, events=29_000)],
    "functions": {name: {"next": 0.1} for name in FUNCTIONS},
}


def quantities(bill):
    return {line.what: line.quantity for line in bill.lines}


def test_a_line_is_its_quantity_times_its_price():
    line = model.Line("writes", "DynamoDB write", 2_000_000)

    assert line.usd == pytest.approx(1.25)
    assert Price(0.4, 1000, "request", "here").of(500) == pytest.approx(0.2)


def test_each_event_costs_a_publication_and_its_queue_requests():
    found = quantities(model.campaign(MEASURED, 1000))

    assert found["SNS: SES publishes"] == 3000
    assert found["SQS: sent, received, deleted"] == pytest.approx(3000 * 1.2)


def test_dynamodb_requests_equal_the_measured_ones():
    found = quantities(model.campaign(MEASURED, 1000))

    assert found["DynamoDB: facts, states, activity"] == 5000
    assert found["DynamoDB: aggregates"] == 2406
    assert found["DynamoDB: reads"] == 200 + 700 - 100, (
        "pushes of watch do not belong to the campaign"
    )
    assert found["Lambda: invocations"] == 300 + 400 + 500 - 100


def test_a_campaign_is_priced_by_the_next_smaller_measured_one():
    assert model.events_of(MEASURED, 9_999) == pytest.approx(9_999 * 3)
    assert model.events_of(MEASURED, 20_000) == pytest.approx(20_000 * 2.9)
    assert model.events_of(MEASURED, 10) == pytest.approx(30)


def test_a_push_is_billed_for_as_long_as_it_holds_its_shard():
    [duration] = [
        line for line in model.campaign(MEASURED, 1000).lines if line.what == "Lambda: duration"
    ]
    pushing = 400 * model.PUSH_SECONDS * FUNCTIONS["publish"][1] / 1024

    assert duration.quantity > pushing


def test_the_cost_of_viewers_grows_with_their_hours():
    one = quantities(model.viewing(MEASURED, 1000, viewers=1, hours=1))
    four = quantities(model.viewing(MEASURED, 1000, viewers=2, hours=4))

    assert one["WebSocket: pushes"] == 100
    assert one["WebSocket: pings, requests, replies"] == 22
    assert one["WebSocket: connected"] == 60
    assert one["DynamoDB: reads"] == 50
    assert four["WebSocket: pushes"] == 2 * (100 + 3 * 10), (
        "later hours cost as much as the last measured one"
    )


def test_no_viewers_cost_nothing():
    assert model.viewing(MEASURED, 1000, viewers=0, hours=8).usd == 0


def test_a_month_without_sends_still_costs_monitoring():
    found = quantities(model.standing(MEASURED))

    assert found["DynamoDB: writes"] == model.MONTH_MINUTES
    assert found["DynamoDB: reads"] == (3 + 1) * model.MONTH_MINUTES


def test_the_model_has_the_alarms_of_the_template_and_no_dashboard():
    template = TEMPLATE.read_text()

    assert template.count("Type: AWS::CloudWatch::Alarm\n") == model.ALARMS
    assert model.DASHBOARDS == 0, "the dashboard is created only on request"


def test_the_naive_design_pushes_each_event_to_each_viewer():
    found = quantities(model.naive(MEASURED, 1000, viewers=20, hours=2))

    assert found["WebSocket: pushes"] == 20 * 660
    assert found["Lambda: invocations"] == 3000
    assert found["DynamoDB: writes"] == 3000 * model.NAIVE_WRITES


def test_each_price_cites_its_source():
    for name, price in PRICES.items():
        assert price.source == UNVERIFIED or "." in price.source, name
        assert price.usd >= 0


def test_each_price_is_used():
    bills = [
        model.campaign(MEASURED, 1000),
        model.viewing(MEASURED, 1000, 1, 1),
        model.standing(MEASURED),
        model.naive(MEASURED, 1000, 1, 1),
        model.polling(1, 1),
    ]

    assert {line.price for bill in bills for line in bill.lines} == PRICES.keys()


def test_json_output_has_the_same_totals():
    told = json.loads(CliRunner().invoke(cost.command, ["--json"]).output)

    for bill in ("campaign", "viewing", "standing", "naive", "polling"):
        assert told[bill]["usd"] == pytest.approx(sum(one["usd"] for one in told[bill]["lines"]))
    hours = told["viewing"]["usd"] / (20 * 8)
    assert told["usd_per_viewer_hour"] == pytest.approx(hours)


def test_the_document_agrees_with_the_measurement_and_the_command():
    assert DOCUMENT.read_text() == document(), "run python bench/cost_document.py"

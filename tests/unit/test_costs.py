"""The cost model: measured calls times prices."""

import json

import pytest
from click.testing import CliRunner

from bench.cost_document import DOCUMENT, document
from dashboard.commands import cost
from dashboard.costs import alternatives, model
from dashboard.costs.bill import Line
from dashboard.costs.prices import PRICES, UNVERIFIED, Price
from dashboard.functions import FUNCTIONS
from dashboard.paths import TEMPLATE

HOUR = {
    "push": {"messages": 100, "bytes": 900},
    "health": {"messages": 60, "bytes": 50},
    "activity": {
        "requests": 4,
        "answers": 36,
        "calls": 12,
        "read units EventsTable": 30,
        "bytes": 9,
    },
    "ping": {
        "requests": 5,
        "answers": 5,
        "calls": 5,
        "read units SubscriptionsTable": 5,
        "bytes": 1,
    },
    "connect": {"requests": 1, "answers": 1, "calls": 3, "write units SubscriptionsTable": 4},
}
QUIET_HOUR = {**HOUR, "push": {"messages": 10, "bytes": 90}}


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
                "stored byte-days EventsTable": 90e9,
                "stored byte-days EventsTable/activity": 30e9,
            },
            "aggregate": {
                "invocations": 400,
                "calls": 2400,
                "write units StatsTable": 2400,
                "stored byte-days StatsTable": 3e9,
            },
            "publish": {"invocations": 400, "calls": 700, "read units SubscriptionsTable": 700},
            "idle watch": {
                "invocations": 10,
                "calls": 40,
                "SQS requests": 20,
                "CloudWatch requests": 10,
                "stream reads": 40,
                "read units StatsTable": 30,
                "write units StatsTable": 10,
            },
            "idle watch publish": {"invocations": 10, "read units SubscriptionsTable": 10},
        },
        "events_by_hour": [600, 60],
        "slept_by_hour": [1000, 100],
        "viewers": {"active": [HOUR, QUIET_HOUR]},
    }


MEASURED = {
    "campaigns": [measured_campaign(), measured_campaign(10_000, events=29_000)],
    "functions": {name: {"next": 0.1} for name in FUNCTIONS},
}


def quantities(bill):
    return {line.what: line.quantity for line in bill.lines}


def test_a_line_is_its_quantity_times_its_price():
    line = Line("writes", "DynamoDB write", 2_000_000)

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
    assert found["DynamoDB: reads"] == 200 + 700
    assert found["Lambda: invocations"] == 300 + 400 + 400


def test_a_campaign_is_priced_by_the_next_smaller_measured_one():
    assert model.events_of(MEASURED, 9_999) == pytest.approx(9_999 * 3)
    assert model.events_of(MEASURED, 20_000) == pytest.approx(20_000 * 2.9)
    assert model.events_of(MEASURED, 10) == pytest.approx(30)


def test_publish_is_billed_for_its_sleep_only_while_there_are_viewers():
    def seconds(viewers):
        return quantities(model.viewing(MEASURED, 1000, viewers, 2))["Lambda: duration"]

    assert seconds(0) == 0
    assert seconds(1) > 1100 * FUNCTIONS["publish"][1] / 1024


def test_each_poller_receives_and_deletes_its_own_batches():
    busy = measured_campaign()
    busy["roles"]["ingest"]["invocations"] = 2000

    found = quantities(model.campaign({**MEASURED, "campaigns": [busy]}, 1000))

    assert found["SQS: sent, received, deleted"] == 3000 + 2 * 2000


def test_the_cost_of_viewers_grows_with_their_hours():
    one = quantities(model.viewing(MEASURED, 1000, viewers=1, hours=1))
    four = quantities(model.viewing(MEASURED, 1000, viewers=2, hours=4))

    assert one["WebSocket: pushes"] == 160
    assert one["WebSocket: activity"] == 40
    assert one["WebSocket: pings, snapshots"] == 12
    assert one["WebSocket: connected"] == 60
    assert one["DynamoDB: reads, activity"] == 30
    assert one["DynamoDB: reads, others"] == 5 + 10
    assert four["WebSocket: pushes"] == 2 * (160 + 3 * 70), (
        "later hours cost as much as the last measured one"
    )


def test_attention_divides_the_time_between_the_measured_levels():
    quieter = measured_campaign()
    quieter["viewers"]["hidden"] = [QUIET_HOUR]
    mix = {"active": 0.25, "visible": 0.35, "hidden": 0.4}

    def pushes(campaign):
        measured = {**MEASURED, "campaigns": [campaign]}
        return quantities(model.viewing(measured, 1000, 1, 1, mix))["WebSocket: pushes"]

    assert pushes(measured_campaign()) == pytest.approx(160), "code that knows no levels"
    assert pushes(quieter) == pytest.approx(0.6 * 160 + 0.4 * 70)


def test_storage_is_billed_by_byte_and_day_with_recovery_of_the_tables():
    found = quantities(model.storage(MEASURED, 1000))

    month = model.DAYS_A_MONTH
    assert found["DynamoDB: facts and states"] == pytest.approx(90 / month)
    assert found["DynamoDB: activity index"] == pytest.approx(30 / month)
    assert found["DynamoDB: point-in-time recovery"] == pytest.approx(93 / month)


@pytest.mark.parametrize("attention", ["25/35", "25/35/41", "a/b/c", "-1/1/100"])
def test_percentages_of_attention_that_are_not_100_are_refused(attention):
    refused = CliRunner().invoke(cost.command, ["--attention", attention])

    assert refused.exit_code == 2
    assert "use three percentages whose sum is 100" in refused.output


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
    found = quantities(alternatives.naive(MEASURED, 1000, viewers=20, hours=2))

    assert found["WebSocket: pushes"] == 20 * 660
    assert found["Lambda: invocations"] == 3000
    assert found["DynamoDB: writes"] == 3000 * alternatives.EVENT_WRITES


def test_each_price_cites_its_source():
    for name, price in PRICES.items():
        assert price.source == UNVERIFIED or "." in price.source, name
        assert price.usd >= 0


def test_each_price_is_used():
    bills = [
        model.campaign(MEASURED, 1000),
        model.viewing(MEASURED, 1000, 1, 1),
        model.standing(MEASURED),
        model.storage(MEASURED, 1000),
        alternatives.naive(MEASURED, 1000, 1, 1),
        alternatives.polling(MEASURED, 1000, 1, 1),
        alternatives.polling(MEASURED, 1000, 1, 1, price="REST request"),
    ]

    assert {line.price for bill in bills for line in bill.lines} == PRICES.keys()


def test_json_output_has_the_same_totals():
    told = json.loads(CliRunner().invoke(cost.command, ["--json"]).output)

    ours = ("campaign", "viewing", "storage")
    for bill in (*ours, "standing", "naive", "polling_http", "polling_rest"):
        assert told[bill]["usd"] == pytest.approx(sum(one["usd"] for one in told[bill]["lines"]))
    assert told["usd_total"] == pytest.approx(sum(told[bill]["usd"] for bill in ours))
    hours = told["viewing"]["usd"] / (20 * 8)
    assert told["usd_per_viewer_hour"] == pytest.approx(hours)


def test_the_document_agrees_with_the_measurement_and_the_command():
    assert DOCUMENT.read_text() == document(), "run python bench/cost_document.py"

"""Warm throughput: what a rate of events requires of the tables, and what it costs."""

import pytest

from chalicelib.errors import CommandError
from dashboard.deploy import throughput
from dashboard.deploy.throughput import TableThroughput

OUTPUTS = {"EventsTable": "facts", "StatsTable": "counters"}


class DynamoDB:
    """Fake client with tables of the given warm throughput, and their index `activity`."""

    def __init__(self, quota=40_000, index=4000, **served):
        self.quota, self.index, self.served = quota, index, served

    def describe_limits(self):
        return {"TableMaxWriteCapacityUnits": self.quota}

    def describe_table(self, *, TableName):
        indexes = [
            {"IndexName": "activity", "WarmThroughput": {"WriteUnitsPerSecond": self.index}},
            {"IndexName": "campaigns", "WarmThroughput": {"WriteUnitsPerSecond": 90_000}},
        ]
        units = {"ReadUnitsPerSecond": 12_000, "WriteUnitsPerSecond": self.served[TableName]}
        return {
            "Table": {
                "WarmThroughput": units,
                "GlobalSecondaryIndexes": indexes if TableName == "facts" else indexes[1:],
            }
        }


def test_the_events_table_needs_the_measured_units_per_event_and_half_more():
    measured = throughput.write_units_per_event(5000)["EventsTable"]
    assert 1.2 < measured < 1.5

    assert throughput.needed_units(5000)["EventsTable"] == pytest.approx(
        5000 * measured * 1.5, abs=100
    )


def test_a_higher_rate_takes_fewer_writes_of_the_stats_table_per_event():
    rates = (100, 300, 5000)
    per_event = [throughput.write_units_per_event(rate)["StatsTable"] for rate in rates]

    assert per_event[0] > per_event[1] > per_event[2]


@pytest.mark.parametrize("rate", [1, 100, 1000])
def test_a_low_rate_needs_no_more_than_a_new_table_serves(rate):
    assert throughput.needed_units(rate) == {"EventsTable": 4000, "StatsTable": 4000}


@pytest.mark.parametrize("rate", [3000, 5000, 12_345])
def test_tables_that_were_prepared_for_a_rate_serve_it_at_once(rate):
    assert throughput.events_served(throughput.needed_units(rate)) >= rate


def test_a_first_deployment_starts_from_the_throughput_of_new_tables():
    tables = throughput.measure(DynamoDB(), {}, 5000)

    needed = throughput.needed_units(5000)
    assert throughput.parameters(tables) == {
        "WarmWriteUnits": str(needed["EventsTable"]),
        "WarmStatsWriteUnits": str(needed["StatsTable"]),
    }


def test_a_table_that_serves_more_than_the_rate_keeps_its_parameter():
    dynamo = DynamoDB(facts=20_000, counters=4000)

    tables = throughput.measure(dynamo, OUTPUTS, 5000)

    assert list(throughput.parameters(tables)) == ["WarmStatsWriteUnits"]
    assert "EventsTable" not in throughput.describe(tables, 5000)


def test_a_lower_rate_than_before_changes_nothing():
    tables = throughput.measure(DynamoDB(facts=20_000, counters=20_000), OUTPUTS, 5000)

    assert throughput.parameters(tables) == {}
    assert "already serve 5,000 events a second" in throughput.describe(tables, 5000)


def test_an_index_that_serves_more_than_its_table_is_not_lowered():
    tables = throughput.measure(DynamoDB(facts=4000, counters=4000, index=15_000), OUTPUTS, 5000)

    assert throughput.parameters(tables)["WarmWriteUnits"] == "15000"


def test_the_charge_is_for_added_units_of_tables_and_of_the_index():
    raised = TableThroughput("EventsTable", current=6000, indexes=(4000,), needed=10_000)
    enough = TableThroughput("StatsTable", current=9000, indexes=(), needed=8000)
    assert raised.added == 4000 + 6000
    assert enough.added == 0

    said = throughput.describe([raised, enough], 5000)

    assert "EventsTable 10,000 write units a second instead of 6,000" in said
    assert "about $6.50 in us-east-1 ($0.00065 per unit: oneuptime.com" in said
    assert "2026-02-12" in said


def test_a_rate_above_the_quota_of_the_account_is_rejected_with_the_quota():
    with pytest.raises(CommandError, match=r"--for-rate 30000 requires \S+ write units a second"):
        throughput.measure(DynamoDB(), {}, 30_000)


def test_an_emulator_without_warm_throughput_counts_as_a_new_table():
    assert throughput.write_units({}) == 4000
    assert throughput.write_units({"WarmThroughput": {"WriteUnitsPerSecond": 0}}) == 4000

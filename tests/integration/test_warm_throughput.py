"""The warm throughput of the tables that the template creates."""

import pytest
from moto import mock_aws
from support.moto_account import make_stack, new_client

from dashboard.deploy import throughput


@pytest.fixture
def dynamodb(monkeypatch):
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "testing")
    with mock_aws():
        yield new_client("dynamodb")


def served(dynamodb, outputs):
    """Return the warm write units per second of the tables, and of the index `activity`."""
    tables = {
        output: dynamodb.describe_table(TableName=outputs[output])["Table"]
        for output in throughput.PARAMETERS
    }
    [index] = tables["EventsTable"]["GlobalSecondaryIndexes"]
    found = {"activity": index, **tables}
    return {name: int(one["WarmThroughput"]["WriteUnitsPerSecond"]) for name, one in found.items()}


def test_tables_have_the_warm_throughput_of_the_parameters_that_a_rate_sets(dynamodb):
    tables = throughput.measure(dynamodb, {}, 5000)
    needed = throughput.needed_units(5000)

    outputs = make_stack(**throughput.parameters(tables))

    assert served(dynamodb, outputs) == {"activity": needed["EventsTable"], **needed}
    assert throughput.parameters(throughput.measure(dynamodb, outputs, 5000)) == {}


def test_tables_have_the_default_throughput_unless_a_rate_is_given(dynamodb):
    outputs = make_stack()

    assert set(served(dynamodb, outputs).values()) == {throughput.NEW_TABLE}

"""bench/calls.py counts what DynamoDB would bill; docs/cost.md is based on it."""

import pytest
from support import ses
from support.world import World

from bench.calls import Meter, item_size, units


@pytest.fixture
def world():
    return World()


@pytest.fixture
def meter(world):
    return Meter(world)


def ingested(world, meter, *events):
    meter.role = "ingest"
    world.arrive(*events)
    world.ingest(*world.queue)
    while world.running:
        world.running[0].step()
    return meter.counts["ingest"]


def test_the_size_of_an_item_is_that_of_its_names_and_values():
    assert item_size({"ab": {"S": "é"}, "n": {"N": "-12345"}, "b": {"B": b"123"}}) == 4 + 5 + 4
    assert item_size({"l": {"L": [{"S": "a"}]}, "m": {"M": {"k": {"BOOL": True}}}}) == 6 + 7
    assert item_size(None) == 0


def test_units_are_rounded_up():
    assert [units(size, 1024) for size in (0, 1, 1024, 1025)] == [1, 1, 1, 2]


def test_a_send_and_a_delivery_cost_a_write_each(world, meter):
    counts = ingested(world, meter, ses.a_send("m-1"), ses.a_delivery("m-1"))

    assert counts["calls"] == 2
    assert counts["read units StatsTable"] == 1, "suppressions, once in ten seconds"
    assert counts["write units EventsTable"] == 2
    assert not any(name.startswith("write units EventsTable/") for name in counts)


def test_storage_is_the_items_with_their_overhead_for_as_long_as_kept(world, meter):
    counts = ingested(world, meter, ses.an_open("m-1"))
    items = list(world.dynamo.tables["EventsTable"].items())

    assert counts["stored byte-days EventsTable"] == pytest.approx(
        sum(item_size(item) + 100 for item in items) * 90
    )
    assert counts["stored byte-days EventsTable/activity"] == pytest.approx(
        sum(item_size(item) + 100 for item in items if "activity" in item) * 90
    )


def test_an_open_costs_the_writes_of_its_fact_and_state(world, meter):
    counts = ingested(world, meter, ses.an_open("m-1", agent=ses.GMAIL_PROXY))

    assert counts["write units EventsTable"] == 2
    assert counts["read units EventsTable"] == 2, "before and after the state changes"
    assert counts["read units StatsTable"] == 1, "suppressions"
    assert "write units EventsTable/activity" not in counts


def test_another_open_costs_only_the_write_of_its_fact(world, meter):
    ingested(world, meter, ses.an_open("m-1", agent=ses.GMAIL_PROXY))
    meter.counts.clear()

    again = ses.an_open("m-1", agent=ses.GMAIL_PROXY, at="2026-11-23T10:07:00.000Z")
    counts = ingested(world, meter, again)

    assert counts["write units EventsTable"] == 1
    assert counts["read units EventsTable"] == 1


def test_a_click_costs_the_index_and_the_evidence_of_its_network_too(world, meter):
    counts = ingested(world, meter, ses.a_click("m-1"))

    assert counts["write units EventsTable"] == 2
    assert counts["write units StatsTable"] == 1
    assert counts["read units StatsTable"] == 1, "suppressions; there is no evidence yet"


def test_a_duplicate_costs_again_and_changes_nothing(world, meter):
    once = dict(ingested(world, meter, ses.a_send("m-1")))
    twice = ingested(world, meter, ses.a_send("m-1"))

    assert twice["write units EventsTable"] == 2 * once["write units EventsTable"]
    assert len(world.dynamo.tables["EventsTable"].stream.shards[0].records) == 1

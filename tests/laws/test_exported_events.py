"""The command `classify` and the functions agree on classes, reasons and counters."""

import json

from click.testing import CliRunner
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from support import ses
from support.generate import events
from support.world import World

from chalicelib.facts.fact import ENGAGEMENTS
from chalicelib.stats.counters import COUNTERS
from dashboard.cli import cli


def counts_of(world):
    return {
        name: {one: number for one, number in parts["summary"].items() if one in COUNTERS}
        for name, parts in world.counted().items()
        if "summary" in parts
    }


def without_zeros(campaigns):
    """Return the counters of campaigns, as a world has them."""
    counts = {
        name: {one: number for one, number in counters.items() if number}
        for name, counters in campaigns.items()
    }
    return {name: found for name, found in counts.items() if found}


def classes_in(world):
    table = world.new_process().events_table
    return {
        (fact.message_id, fact.campaign, fact.type, fact.at, fact.link, fact.engager, fact.reason)
        for message in world.dynamo.tables["EventsTable"].partitions
        for stored in table.message(message).values()
        for fact in stored.facts
        if fact.type in ENGAGEMENTS
    }


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(events, st.randoms())
def test_classes_and_counters_are_those_of_the_functions(tmp_path, happened, rng):
    world = World()
    world.arrive(*happened)
    world.drain()
    path = tmp_path / "export.jsonl"
    twice = rng.sample([*happened, *happened], 2 * len(happened))
    path.write_text("".join(map(ses.raw, twice)))

    result = CliRunner().invoke(cli, ["classify", str(path)])

    *lines, last = map(json.loads, result.stdout.splitlines())
    names = ("message_id", "campaign", "type", "at", "link", "class", "reason")
    assert {tuple(one[name] for name in names) for one in lines} == classes_in(world)
    assert without_zeros(last["campaigns"]) == counts_of(world)

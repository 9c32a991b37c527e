"""Writes of ingest and aggregate that came too late: each condition protects what is stored."""

import pytest
from msgspec.structs import replace
from support import ses
from support.world import CONFIG, START, World

from chalicelib.facts.fact import facts_of
from chalicelib.facts.settle import judged_alone, rank, settle
from chalicelib.ses.parse import parse


def opened(second):
    event = parse(
        ses.raw(ses.an_open(at=f"2026-11-23T10:05:0{second}.000Z")), campaign_tag="campaign"
    )
    [fact] = facts_of(event, pseudonym_key="key", store_addresses=False, keep_link_query=False)
    return judged_alone(fact)


@pytest.fixture
def process():
    return World(CONFIG).new_process()


@pytest.fixture
def events_table(process):
    return process.events_table


def stored(events_table, fact):
    return events_table.message(fact.message_id)[fact.campaign]


def test_a_duplicate_does_not_overwrite_a_class(events_table):
    fact = opened(1)
    events_table.put_engagement(fact)
    events_table.reclassify(fact, "machine", "burst", rank(3))

    events_table.put_engagement(fact)

    [found] = stored(events_table, fact).facts
    assert (found.engager, found.settled) == ("machine", rank(3))


@pytest.mark.parametrize("facts", [1, 2])
def test_a_class_determined_by_no_more_facts_is_not_stored(events_table, facts):
    fact = opened(1)
    events_table.put_engagement(fact)
    events_table.reclassify(fact, "machine", "burst", rank(2))

    events_table.reclassify(fact, "human", "persons_agent", rank(facts))

    assert stored(events_table, fact).facts[0].engager == "machine"


def test_a_reclassification_does_not_recreate_an_expired_fact(events_table):
    fact = opened(1)

    events_table.reclassify(fact, "machine", "burst", rank(3))

    assert events_table.message(fact.message_id) == {}


@pytest.mark.parametrize("facts", [1, 2])
def test_a_state_determined_by_no_more_facts_is_not_stored(events_table, facts):
    both = [opened(1), opened(2)]
    state = settle(both, None).state
    events_table.put_state(state)

    events_table.put_state(replace(state, opened_at=both[1].at, settled=rank(facts)))

    assert stored(events_table, both[0]).state == state


def test_an_older_read_position_does_not_replace_a_newer_one(process):
    for sequence in ("200", "99"):
        process.stats_table.put_read_position("k1", "shard-1", sequence, created=int(START))

    assert process.stats_table.read_positions() == {"shard-1": "200"}

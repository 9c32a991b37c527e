"""Writes of ingest and aggregate that came too late: each condition protects what is stored."""

import pytest
from msgspec.structs import replace
from support import ses
from support.world import CONFIG, START, World

from chalicelib.errors import ConditionFailed
from chalicelib.facts.fact import FactSettings, facts_of
from chalicelib.facts.settle import judged_alone, next_rank, settle
from chalicelib.ses.parse import parse
from chalicelib.stats.subjects import SUBJECTS, SubjectSample, sample_from_item
from chalicelib.stats.table import StatsTable


def opened(second):
    event = parse(
        ses.raw(ses.an_open(at=f"2026-11-23T10:05:0{second}.000Z")), campaign_tag="campaign"
    )
    [fact] = facts_of(event, FactSettings("key"))
    return judged_alone(fact)


def as_bot(fact, settled):
    return replace(fact, engager="machine", reason="burst", settled=settled)


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
    events_table.put_new(fact)
    events_table.put_settled(as_bot(fact, next_rank(fact.settled)), over=fact.settled)

    events_table.put_new(fact)

    [found] = stored(events_table, fact).facts
    assert (found.engager, found.settled) == ("machine", next_rank(fact.settled))


@pytest.mark.parametrize("read_before", [0, 1])
def test_a_class_replaces_only_the_one_that_was_read(events_table, read_before):
    fact = opened(1)
    events_table.put_new(fact)
    bot = as_bot(fact, next_rank(fact.settled))
    events_table.put_settled(bot, over=fact.settled)
    read = [bot, fact][read_before]

    human = replace(fact, settled=next_rank(read.settled))
    is_stored = events_table.put_settled(human, over=read.settled)

    assert is_stored == (read is bot)
    assert stored(events_table, fact).facts == [human if read is bot else bot]


def test_a_class_without_a_rank_is_replaced_unless_it_has_one_meanwhile(events_table):
    """Release 0.1.0 stored classes before it had ranks."""
    fact = replace(opened(1), settled=0)
    events_table.put_new(fact)

    assert events_table.put_settled(as_bot(fact, next_rank()), over=0)
    assert not events_table.put_settled(replace(fact, settled=next_rank()), over=0)


@pytest.mark.parametrize("over", [0, 4_000_000])
def test_a_reclassification_does_not_recreate_an_expired_fact(events_table, over):
    fact = opened(1)

    events_table.put_settled(as_bot(fact, next_rank(over)), over=over)

    assert events_table.message(fact.message_id) == {}


@pytest.mark.parametrize("read_before", [0, 1, 2])
def test_a_state_replaces_only_the_one_that_was_read(events_table, read_before):
    both = [opened(1), opened(2)]
    first = settle(both[1:], None).state
    second = settle(both, first).state
    assert events_table.put_state(first, over=None)
    assert events_table.put_state(second, over=first.settled)
    over = [second.settled, first.settled, None][read_before]

    third = replace(second, opened_at=both[1].at, settled=next_rank(second.settled))
    is_stored = events_table.put_state(third, over=over)

    assert is_stored == (read_before == 0)
    assert stored(events_table, both[0]).state == (third if is_stored else second)


def test_subjects_added_concurrently_are_all_in_the_sample(process):
    """A process with an outdated copy merges its emails into what another one has stored."""
    table, other = process.stats_table, World(CONFIG).new_process().stats_table
    other._items._dynamo = table._items._dynamo
    table.subjects.add("spring", sample(1))
    other.subjects.add("spring", sample(2))

    table.subjects.add("spring", sample(3))

    fresh = SubjectSample()
    assert other.subjects.add("spring", fresh) is None
    assert len(sample_from_item(table._items.get("spring", SUBJECTS)).subjects) == 3


class Contended:
    """Fake DynamoDB whose item another shard changes before each of the first writes."""

    def __init__(self, changes):
        self.left = changes

    def call(self, operation, **parameters):
        if operation == "get_item":
            return {}
        if self.left:
            self.left -= 1
            raise ConditionFailed({})
        return {"Attributes": {"subjects": parameters["ExpressionAttributeValues"][":subjects"]}}


def test_conflicting_writes_wait_longer_after_each_conflict_but_the_first_three():
    waits = []
    table = StatsTable(Contended(changes=15), "stats", sleep=waits.append)

    table.subjects.add("spring", sample(1))

    longest = [0.02, 0.04, 0.08, 0.16, 0.32, 0.64, *6 * [1.0]]
    assert all(0 <= wait <= most for wait, most in zip(waits, longest, strict=True))
    assert len(set(waits)) == len(waits), "shards that wait equally long would conflict again"


def test_a_single_conflict_is_retried_at_once():
    waits = []
    table = StatsTable(Contended(changes=1), "stats", sleep=waits.append)

    table.subjects.add("spring", sample(1))

    assert waits == []


def sample(number):
    one = SubjectSample()
    one.add(f"m-{number}", "Spring")
    return one


def test_an_older_read_position_does_not_replace_a_newer_one(process):
    for sequence in ("200", "99"):
        process.stats_table.positions.put("k1", "shard-1", sequence, created=int(START))

    assert process.stats_table.positions.by_shard() == {"shard-1": "200"}

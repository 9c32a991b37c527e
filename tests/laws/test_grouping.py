"""Grouped records count as if each were counted alone."""

import json
from contextlib import suppress
from datetime import UTC, datetime

from hypothesis import given
from hypothesis import strategies as st
from support import ses
from support.generate import engagements, others

from chalicelib.facts.fact import ENGAGEMENTS, FactSettings, facts_of
from chalicelib.facts.forgotten import NOBODY
from chalicelib.facts.items import from_item, to_item
from chalicelib.facts.settle import judged_alone, settle
from chalicelib.ses.parse import parse
from chalicelib.stats import grouping
from chalicelib.stats.contributions import contributions, difference, grouping_key
from chalicelib.stats.tags import kept
from chalicelib.stats.update import plan

SHARD = "k1"
# While the records are written, the minutes of the first events end.
FIRST_END = datetime(2026, 11, 25, 10, 0, tzinfo=UTC).timestamp()


def items(event):
    """Return the items that ingest would store for an event alone."""
    parsed = parse(json.dumps(event), campaign_tag="campaign")
    facts = facts_of(parsed, FactSettings("k", store_addresses=True, breakdown_tags=["variant"]))
    for fact in facts:
        if fact.type in ENGAGEMENTS:
            yield to_item(judged_alone(fact), 1)
            yield to_item(settle([fact], None).state, 1)
        else:
            yield to_item(fact, 1)


usual = st.one_of(engagements, others).flatmap(lambda event: st.sampled_from(list(items(event))))
texts = st.one_of(
    st.text(max_size=4),
    st.sampled_from(
        [
            *("2026-11-23T10:00:59.999Z", "2026-11-23T10:00:00.000Z", "2026-02-30T10:00:00.000Z"),
            *("2026-11-23T10:00", "2026-11-23T10:00Z", "2026-11-23T10:0"),
            *("2009-11-23T10:00:00.000Z", "2026-11-23T24:00:00.000Z", "~state#spring", "other"),
            *("0123456789abcdef", "0123456789abcdef\n", "Click", "Bounce", "Archived", "spring"),
            *("x" * 64, "x" * 65, "é" * 128, "é" * 129, "x" * 2000, "x" * 2001),
            *(
                "1",
                "01",
                "+1",
                "1\n",
                "0",
                "100000",
                "100001",
                "-1",
                " 7 ",
                "1_0",
                "\u0661",
                "9" * 20,
            ),
        ]
    ),
)
values = st.one_of(
    st.builds(lambda kind, text: {kind: text}, st.sampled_from(["S", "N", "B"]), texts),
    st.builds(lambda flag: {"BOOL": flag}, st.booleans() | texts),
    st.builds(lambda text, other: {"S": text, "N": other}, texts, texts),
    st.builds(lambda links: {"M": links}, st.dictionaries(texts, st.builds(dict, S=texts))),
    st.builds(lambda links: {"SS": links}, st.lists(texts, min_size=1, unique=True)),
    st.builds(lambda tag: {"M": {"variant": {"S": tag}}}, texts),
    st.sampled_from([{}, {"S": None}, {"S": 7}, {"N": 7}, None, "S", []]),
)
ATTRIBUTES = [
    *"ectmngrsflhaikwbodzxqpvyj",
    *("message_id", "fact", "uo", "uhc", "ul", "up", "ue", "hl", "bb", "cc", "ba", "bs", "expires"),
    *("mp", "mn", "bc"),
]


@st.composite
def mutated(draw):
    """Draw an item with up to two attributes changed or removed."""
    item = dict(draw(usual))
    for name in draw(st.lists(st.sampled_from(ATTRIBUTES), max_size=2)):
        if draw(st.booleans()):
            item.pop(name, None)
        else:
            item[name] = draw(values)
    return item


changes = st.fixed_dictionaries({"NewImage": mutated()}, optional={"OldImage": mutated()})


def records(changes):
    return [
        {
            "eventName": "MODIFY" if "OldImage" in change else "INSERT",
            "dynamodb": {
                "SequenceNumber": str(number + 1),
                "ApproximateCreationDateTime": FIRST_END - 3 + number,
                **change,
            },
        }
        for number, change in enumerate(changes)
    ]


def written(batch, seen):
    """Return the updates of a batch if each item has already counted the records seen."""
    checkpoint = {SHARD: {"B": seen.to_bytes(18, "big") + bytes(4)}}
    plans = {
        key: plan(pending, checkpoint, part=key[1], attribute=SHARD, now=1_800_000_000)
        for key, pending in batch.in_writing_order()
    }
    return [(key, readable(one)) for key, one in plans.items() if one], sorted(batch.quarantined)


def readable(update):
    """Return the update with its clauses as sets, because the order of increments is irrelevant."""
    names, placed = update["ExpressionAttributeNames"], update["ExpressionAttributeValues"]
    text = f"{update['UpdateExpression']} IF {update.get('ConditionExpression', '')}"
    for clause in (" SET ", " ADD ", " REMOVE ", " AND ", " IF "):
        text = text.replace(clause, f",{clause.strip()} ")
    clauses = []
    for clause in text.split(","):
        words = clause.replace("(", " ").replace(")", " ").split()
        clauses.append(" ".join(str(placed.get(word, names.get(word, word))) for word in words))
    return sorted(clauses)


@given(st.lists(changes, min_size=1, max_size=12), st.data())
def test_grouped_records_are_written_as_if_counted_one_by_one(changes, data):
    batch = records(changes)
    seen = data.draw(st.integers(0, len(batch)))

    together = grouping.group(batch, NOBODY)

    alone = grouping.Batch()
    for record in batch:
        one = grouping.group([record], NOBODY)
        alone.quarantined += one.quarantined
        for key, pending in one.pending.items():
            alone.pending[key].changes += pending.changes
            alone.pending[key].outdated |= pending.outdated
            alone.pending[key].tags = kept({*alone.pending[key].tags, *pending.tags})
            for field in pending.fields.values():
                alone.pending[key].move(field)
    assert written(together, seen) == written(alone, seen)


def test_a_group_written_while_its_minute_expires_counts_in_part():
    [sent] = items(ses.a_send())

    batch = grouping.group(records([{"NewImage": sent}] * 5), NOBODY)

    [minute] = [pending for key, pending in batch.pending.items() if "minute" in key[1]]
    assert [len(change.records) for change in minute.changes] == [3]


def understood(item):
    """Return the fact or state of an item; None if it is neither."""
    with suppress(ValueError):
        return from_item(item)


@given(mutated(), mutated())
def test_items_with_equal_grouping_keys_have_equal_contributions(one, other):
    one, other = understood(one), understood(other)
    if one and other and grouping_key(one) == grouping_key(other):
        assert contributions(one) == contributions(other)


@given(mutated())
def test_a_change_that_changes_nothing_contributes_nothing(item):
    if (stored := understood(item)) is not None:
        assert difference(stored, stored) == []


@given(usual)
def test_stored_items_are_read_back_unchanged(item):
    assert to_item(from_item(item), 1) == item

"""An update counts each record once, regardless of the batches in which it is delivered."""

from datetime import UTC, datetime

from hypothesis import given
from hypothesis import strategies as st

from chalicelib.stats.tags import MAX_VALUES
from chalicelib.stats.update import (
    Change,
    ConditionalField,
    PendingUpdate,
    checkpoint_bytes,
    plan,
    shard_attribute_of,
)

SHARD = shard_attribute_of("arn:stream", "shard-1")
NOW = 1_800_000_000


def change(sequence, **counts):
    record = {"SequenceNumber": str(sequence), "ApproximateCreationDateTime": NOW}
    return Change([record], counts)


def planned(changes, observed=None, fields=(), part="summary"):
    pending = PendingUpdate(changes=list(changes))
    for field in fields:
        pending.move(field)
    return plan(pending, observed or {}, part=part, attribute=SHARD, now=NOW)


def checkpoint(sequence, created=NOW):
    return {"B": checkpoint_bytes(sequence, created)}


def added(update):
    """Return the increments of an ADD clause."""
    clause = update["UpdateExpression"].split("ADD ")[1].split(" SET")[0].split(" REMOVE")[0]
    values = update["ExpressionAttributeValues"]
    return {
        name.lstrip("#"): int(values[value]["N"])
        for name, value in (one.split() for one in clause.split(", "))
    }


def test_increments_of_a_batch_are_one_update():
    update = planned([change(1, sends=1), change(2, sends=2, opens=1)])

    assert added(update) == {"v": 1, "v2": 1, "s": 3, "o": 1}


def with_tags(*tags, observed=None):
    pending = PendingUpdate(tags=tags)
    return plan(pending, observed or {}, part="summary", attribute=SHARD, now=NOW)


def test_the_first_tags_of_a_campaign_are_stored_if_it_still_has_none():
    update = with_tags("variant=a", "variant=b")

    assert {"SS": ["variant=a", "variant=b"]} in update["ExpressionAttributeValues"].values()
    assert update["ConditionExpression"] == "attribute_not_exists(#tags)"


def test_further_tags_are_added_if_the_stored_ones_have_not_changed():
    before = {"SS": ["variant=b", "variant=c"]}
    update = with_tags("variant=a", observed={"tags": before})

    values = update["ExpressionAttributeValues"]
    assert {"SS": ["variant=a", "variant=b", "variant=c"]} in values.values()
    placeholder = update["ConditionExpression"].removeprefix("#tags = ")
    assert values[placeholder] == before


def test_tags_that_a_campaign_has_or_leaves_out_are_no_update():
    stored = [f"variant={n:02}" for n in range(MAX_VALUES)]

    assert with_tags("variant=07", "variant=z", observed={"tags": {"SS": stored}}) is None


def test_an_update_from_outdated_items_is_no_current_update_of_the_summary():
    pending = PendingUpdate(changes=[change(1, sends=1)], outdated=True)

    update = plan(pending, {}, part="summary", attribute=SHARD, now=NOW)

    assert added(update) == {"v": 1, "s": 1}


def test_records_up_to_the_checkpoint_are_left_out():
    observed = {SHARD: checkpoint(2)}

    update = planned([change(1, sends=1), change(2, sends=1), change(3, sends=1)], observed)

    assert added(update) == {"v": 1, "v2": 1, "s": 1}


def test_without_new_records_there_is_no_update():
    assert planned([change(1, sends=1)], {SHARD: checkpoint(1)}) is None


def test_increments_that_cancel_out_still_advance_the_checkpoint():
    update = planned([change(1, human_opens=1), change(2, human_opens=-1)])

    assert added(update) == {"v": 1, "v2": 1}
    assert checkpoint(2) in update["ExpressionAttributeValues"].values()


def test_the_condition_rejects_records_that_are_already_counted():
    update = planned([change(5, sends=1)])

    assert update["ConditionExpression"].startswith(
        f"(attribute_not_exists(#{SHARD}) OR #{SHARD} < :"
    )


def test_a_better_stored_value_is_not_replaced():
    earlier = ConditionalField("first_event_at", "2026-11-23", keep_lowest=True, values={})

    assert planned([], {"first_event_at": {"S": "2026-11-22"}}, [earlier]) is None
    assert planned([], {"first_event_at": {"S": "2026-11-24"}}, [earlier]) is not None


def test_a_minute_expires_after_all_its_records_have_left_the_stream():
    """It counts events stored within two days, and a record stays in the stream for one more."""
    update = planned([change(1, sends=1)], part="minute#2026-11-23T10:00")

    start = datetime(2026, 11, 23, 10, tzinfo=UTC).timestamp()
    expires = start + (2 * 24 + 25) * 3600
    assert {"N": f"{expires:.0f}"} in update["ExpressionAttributeValues"].values()


def test_an_unchanged_checkpoint_is_removed_after_its_records_left_the_stream():
    old, young = shard_attribute_of("arn:stream", "old"), shard_attribute_of("arn:stream", "young")
    observed = {old: checkpoint(9, NOW - 25 * 3600 - 1), young: checkpoint(9, NOW - 24 * 3600)}

    update = planned([change(1, sends=1)], observed)

    assert f"REMOVE #{old}" in update["UpdateExpression"]
    assert f"#{old} = " in update["ConditionExpression"]
    assert young not in update["UpdateExpression"]


def test_outdated_checkpoints_are_removed_a_few_at_a_time():
    observed = {shard_attribute_of("arn", str(number)): checkpoint(9, 0) for number in range(300)}

    condition = planned([change(1, sends=1)], observed)["ConditionExpression"]

    assert len(condition) < 4096, "AWS's limit"


@given(st.integers(0, 10**40 - 1), st.integers(0, 10**40 - 1))
def test_sequence_numbers_sort_as_numbers(one, other):
    assert (checkpoint_bytes(one, NOW) < checkpoint_bytes(other, 0)) == (one < other)


def test_zero_padding_of_a_sequence_number_is_ignored():
    assert planned([change("007", sends=1)]) == planned([change("7", sends=1)])


@given(
    st.lists(st.integers(1, 5), min_size=1, max_size=20),
    st.lists(st.tuples(st.integers(0, 19), st.integers(1, 20)), max_size=10),
)
def test_any_redelivery_in_any_batches_counts_each_record_once(amounts, batches):
    records = [change(number + 1, sends=amount) for number, amount in enumerate(amounts)]
    item, total = {}, 0

    reached = 0
    for wanted, length in [*batches, (0, len(records))]:
        # A shard delivers in order the first time: no batch skips unseen records.
        start = min(wanted, reached)
        update = planned(records[start : start + length], item)
        reached = max(reached, min(start + length, len(records)))
        if update is not None:
            total += added(update).get("s", 0)
            [item[SHARD]] = [
                value
                for value in update["ExpressionAttributeValues"].values()
                if len(value.get("B", b"")) == 22
            ]

    assert total == sum(amounts)

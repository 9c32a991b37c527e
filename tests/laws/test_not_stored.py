"""An event that could not be stored stays in the queue, whether or not the mapping reports it."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace
from support import reference, ses
from support.generate import events
from support.world import CONFIG, World

from chalicelib.errors import AwsError, NotStored

# The variable is set only after the mapping has the option, so the fourth combination is a fault
# that `doctor` reports.
COMBINATIONS = {
    "both": (True, True),
    "the mapping alone": (False, True),
    "neither": (False, False),
}


def world_of(function_reports, mapping_reports):
    config = replace(CONFIG, reports_batch_item_failures=function_reports)
    return World(config, mapping_reports=mapping_reports)


def failing(world, failures):
    """Make calls to the events table fail according to `failures`."""
    held = world.dynamo.before_call
    left = list(failures)

    def before_call(operation, parameters):
        held(operation, parameters)
        if left and left.pop():
            raise AwsError("ThrottlingException", f"{operation} failed: ThrottlingException")

    world.dynamo.before_call = before_call


@pytest.mark.parametrize(("function", "mapping"), COMBINATIONS.values(), ids=COMBINATIONS)
@given(happened=events, failures=st.lists(st.booleans(), max_size=30))
def test_no_event_is_lost_when_some_cannot_be_stored(function, mapping, happened, failures):
    world = world_of(function, mapping)
    world.arrive(*happened)
    failing(world, failures)

    world.drain()

    assert world.counted() == reference.stats(happened)


def test_the_error_has_the_number_of_failed_messages_and_no_content():
    world = world_of(function_reports=False, mapping_reports=False)
    failing(world, [True] * 9)
    records = ses.in_sqs_event(ses.raw(ses.an_open("m-1")), ses.raw(ses.an_open("m-2")))["Records"]

    with pytest.raises(NotStored, match=r"^2 of 2 messages could not be stored; SQS") as caught:
        world.new_process().ingest.batch(records)

    assert "m-1" not in str(caught.value)


def test_a_batch_that_was_stored_is_not_retried():
    world = world_of(function_reports=False, mapping_reports=False)
    records = ses.in_sqs_event(ses.raw(ses.a_send()), "no event")["Records"]

    assert world.new_process().ingest.batch(records) == {"batchItemFailures": []}

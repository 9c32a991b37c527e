"""The distributed rate limiter: publishers reserve send slots in one DynamoDB item."""

import itertools
import random

import pytest
from greenlet import getcurrent, greenlet
from hypothesis import given
from hypothesis import strategies as st
from support.memory import MemoryDynamo

from chalicelib.errors import AwsError
from chalicelib.live.rate_limit import NONSENSE_SECONDS, RateLimiter

NOW = 1_800_000_000.0
FAR = NOW + 20
TABLE = "SubscriptionsTable"
KEY = {"owner": {"S": "push"}, "member": {"S": "turn"}}


class Clock:
    """A function's clock with a constant error in seconds."""

    def __init__(self, wrong_by=0.0):
        self.now = NOW + wrong_by

    def __call__(self):
        return self.now


def limiter_of(dynamo, clock, table=TABLE, messages_per_second=5000):
    return RateLimiter(dynamo, table, messages_per_second, clock=clock)


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def dynamo(clock):
    return MemoryDynamo(clock)


@pytest.fixture(params=["in memory", "moto"])
def limiter(request, clock):
    """Return a RateLimiter on each DynamoDB."""
    if request.param == "moto":
        pipeline = request.getfixturevalue("pipeline")
        return limiter_of(pipeline.parts.dynamo, clock, pipeline.config.subscriptions_table)
    return limiter_of(MemoryDynamo(clock), clock)


def test_the_first_slot_begins_immediately_and_the_next_when_it_ends(limiter):
    begun = [limiter.reserve(messages, FAR) for messages in (500, 500, 50, 500)]

    assert begun == pytest.approx([NOW, NOW + 0.1, NOW + 0.2, NOW + 0.21], abs=1e-5)


def test_after_a_pause_a_slot_begins_immediately(limiter, clock):
    limiter.reserve(500, FAR)
    clock.now += 5

    assert limiter.reserve(500, FAR) == clock.now


def test_a_slot_after_the_deadline_is_not_reserved(limiter):
    limiter.reserve(50_000, FAR)  # ten seconds

    assert limiter.reserve(500, NOW + 9.99) is None
    assert limiter.reserve(500, FAR) == pytest.approx(NOW + 10)


def test_no_slot_is_reserved_after_the_deadline(limiter, clock):
    clock.now = FAR + 0.001

    assert limiter.reserve(1, FAR) is None


def test_the_length_of_a_slot_follows_the_rate_limit(dynamo, clock):
    slow, fast = (
        limiter_of(dynamo, clock, messages_per_second=100),
        limiter_of(dynamo, clock, messages_per_second=9000),
    )
    slow.reserve(100, FAR)

    assert slow.reserve(1, FAR) == pytest.approx(NOW + 1)
    assert fast.reserve(9000, FAR) == pytest.approx(NOW + 1.01)
    assert fast.reserve(1, FAR) == pytest.approx(NOW + 2.01)


@pytest.mark.parametrize("ahead", [NONSENSE_SECONDS + 1, 3600, 10**9])
def test_a_wrong_clock_does_not_delay_other_publishers(dynamo, clock, ahead):
    limiter_of(dynamo, Clock(wrong_by=ahead)).reserve(500, FAR + ahead)

    assert limiter_of(dynamo, clock).reserve(500, FAR) == NOW
    assert limiter_of(dynamo, clock).reserve(500, FAR) == pytest.approx(NOW + 0.1)


def test_a_fast_clock_delays_others_by_its_difference(dynamo, clock):
    limiter_of(dynamo, Clock(wrong_by=0.5)).reserve(500, FAR)

    assert limiter_of(dynamo, clock).reserve(500, FAR) == pytest.approx(NOW + 0.6)


@given(st.integers(0, 2**32), st.integers(2, 5))
def test_concurrent_publishers_never_reserve_overlapping_slots(seed, publishers):
    """Publishers are interleaved at each call to DynamoDB, while time passes."""
    rng = random.Random(seed)
    clock = Clock()
    dynamo = MemoryDynamo(clock)
    dynamo.before_call = lambda *_: getcurrent().parent and getcurrent().parent.switch()
    reserved = []

    def publish():
        for _ in range(rng.randint(1, 6)):
            messages = rng.randint(1, 500)
            begins = limiter_of(dynamo, clock).reserve(messages, FAR)
            reserved.append((begins, begins + messages / 5000))

    running = [greenlet(publish) for _ in range(publishers)]
    while running:
        rng.choice(running).switch()
        running = [one for one in running if not one.dead]
        clock.now += rng.choice([0, 0, 0.001, 0.05, 0.2])

    reserved.sort()
    for (_, end), (begin, _) in itertools.pairwise(reserved):
        assert begin >= end - 1e-5


def test_a_foreign_writer_of_the_item_is_an_error_and_not_an_endless_loop(dynamo, clock):
    free_at = {"N": str(int(NOW - 1) * 1_000_000)}

    def meddle(operation, parameters):
        """Set the stored time back before one attempt, and forward before the other."""
        is_first = parameters["UpdateExpression"].startswith("ADD")
        item = {**KEY, "free_at": free_at if is_first else {"N": str(int(NOW + 1) * 1_000_000)}}
        dynamo.tables[TABLE].put(("push", "turn"), item)

    dynamo.before_call = meddle

    with pytest.raises(AwsError, match="only the publish function may write the item push/turn"):
        limiter_of(dynamo, clock).reserve(500, FAR)


def test_a_lost_response_costs_only_one_slot(dynamo, clock):
    limiter = limiter_of(dynamo, clock)
    limiter.reserve(500, FAR)
    lost = Repeating(dynamo)

    begins = limiter_of(lost, clock).reserve(500, FAR)

    assert begins == pytest.approx(NOW + 0.2)  # the slot of the repeated call: never too early
    assert limiter.reserve(500, FAR) == pytest.approx(NOW + 0.3)


class Repeating:
    """Makes each call twice, as if the first response was lost."""

    def __init__(self, dynamo):
        self._dynamo = dynamo

    def call(self, operation, **parameters):
        self._dynamo.call(operation, **parameters)
        return self._dynamo.call(operation, **parameters)

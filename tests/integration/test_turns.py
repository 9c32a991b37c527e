"""Who pushes takes a turn first, so that all together stay below the ceiling."""

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
    """A function's clock, which is wrong by some seconds."""

    def __init__(self, wrong_by=0.0):
        self.now = NOW + wrong_by

    def __call__(self):
        return self.now


def turns(dynamo, clock, table=TABLE, ceiling=5000):
    return RateLimiter(dynamo, table, ceiling, clock=clock)


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def dynamo(clock):
    return MemoryDynamo(clock)


@pytest.fixture(params=["in memory", "moto"])
def taker(request, clock):
    """RateLimiter over each DynamoDB."""
    if request.param == "moto":
        pipeline = request.getfixturevalue("pipeline")
        return turns(pipeline.parts.dynamo, clock, pipeline.config.subscriptions_table)
    return turns(MemoryDynamo(clock), clock)


def test_the_first_turn_is_now_and_each_begins_when_the_one_before_has_ended(taker):
    begun = [taker.take(messages, FAR) for messages in (500, 500, 50, 500)]

    assert begun == pytest.approx([NOW, NOW + 0.1, NOW + 0.2, NOW + 0.21], abs=1e-5)


def test_after_a_pause_a_turn_is_now_again(taker, clock):
    taker.take(500, FAR)
    clock.now += 5

    assert taker.take(500, FAR) == clock.now


def test_a_turn_that_would_be_too_late_is_not_taken(taker):
    taker.take(50_000, FAR)  # ten seconds

    assert taker.take(500, NOW + 9.99) is None
    assert taker.take(500, FAR) == pytest.approx(NOW + 10)


def test_nobody_takes_a_turn_when_time_is_over(taker, clock):
    clock.now = FAR + 0.001

    assert taker.take(1, FAR) is None


def test_turns_last_as_long_as_the_ceiling_says(dynamo, clock):
    slow, fast = turns(dynamo, clock, ceiling=100), turns(dynamo, clock, ceiling=9000)
    slow.take(100, FAR)

    assert slow.take(1, FAR) == pytest.approx(NOW + 1)
    assert fast.take(9000, FAR) == pytest.approx(NOW + 1.01)
    assert fast.take(1, FAR) == pytest.approx(NOW + 2.01)


@pytest.mark.parametrize("ahead", [NONSENSE_SECONDS + 1, 3600, 10**9])
def test_a_clock_that_was_wrong_holds_nobody_up_for_long(dynamo, clock, ahead):
    turns(dynamo, Clock(wrong_by=ahead)).take(500, FAR + ahead)

    assert turns(dynamo, clock).take(500, FAR) == NOW
    assert turns(dynamo, clock).take(500, FAR) == pytest.approx(NOW + 0.1)


def test_a_clock_that_is_somewhat_fast_makes_others_wait_as_long(dynamo, clock):
    turns(dynamo, Clock(wrong_by=0.5)).take(500, FAR)

    assert turns(dynamo, clock).take(500, FAR) == pytest.approx(NOW + 0.6)


@given(st.integers(0, 2**32), st.integers(2, 5))
def test_publishers_who_take_turns_at_once_never_have_the_same(seed, publishers):
    """Interleaved at each call to DynamoDB, in any order, with clocks that go on meanwhile."""
    rng = random.Random(seed)
    clock = Clock()
    dynamo = MemoryDynamo(clock)
    dynamo.before_call = lambda *_: getcurrent().parent and getcurrent().parent.switch()
    taken = []

    def publish():
        for _ in range(rng.randint(1, 6)):
            messages = rng.randint(1, 500)
            begins = turns(dynamo, clock).take(messages, FAR)
            taken.append((begins, begins + messages / 5000))

    running = [greenlet(publish) for _ in range(publishers)]
    while running:
        rng.choice(running).switch()
        running = [one for one in running if not one.dead]
        clock.now += rng.choice([0, 0, 0.001, 0.05, 0.2])

    taken.sort()
    for (_, end), (begin, _) in itertools.pairwise(taken):
        assert begin >= end - 1e-5


def test_an_item_that_somebody_else_writes_is_an_error_and_not_an_endless_loop(dynamo, clock):
    free_at = {"N": str(int(NOW - 1) * 1_000_000)}

    def meddle(operation, parameters):
        """Set the time back before one attempt, and forward before the other."""
        is_first = parameters["UpdateExpression"].startswith("ADD")
        item = {**KEY, "free_at": free_at if is_first else {"N": str(int(NOW + 1) * 1_000_000)}}
        dynamo.tables[TABLE].put(("push", "turn"), item)

    dynamo.before_call = meddle

    with pytest.raises(AwsError, match="may write the item push/turn"):
        turns(dynamo, clock).take(500, FAR)


def test_an_answer_that_was_lost_costs_a_turn_and_nothing_else(dynamo, clock):
    taker = turns(dynamo, clock)
    taker.take(500, FAR)
    lost = Repeating(dynamo)

    begins = turns(lost, clock).take(500, FAR)

    assert begins == pytest.approx(NOW + 0.2)  # that of the repeated call: never too early
    assert taker.take(500, FAR) == pytest.approx(NOW + 0.3)


class Repeating:
    """Makes each call twice, as where the first answer was lost."""

    def __init__(self, dynamo):
        self._dynamo = dynamo

    def call(self, operation, **parameters):
        self._dynamo.call(operation, **parameters)
        return self._dynamo.call(operation, **parameters)

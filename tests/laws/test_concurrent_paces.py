"""Checks of the pace that run at once, crash at any call, and lose the response to a write."""

from datetime import timedelta
from itertools import count, takewhile
from unittest.mock import patch

import pytest
from hypothesis import event, given
from hypothesis import strategies as st
from laws.test_paces import HALF_HOUR, OPENS, Account, unhooked

from chalicelib.errors import AwsError, PipelineFault
from chalicelib.stats.counters import AGES, ON_DISK, SUMMARY, age_counter
from chalicelib.stats.pace import YOUNG
from chalicelib.stats.pace_item import PACE, pace_from_item


class Checks:
    """A campaign that is counted while checks of it run at once.

    Attributes:
        stored: each stored pace with its version, as a reader of the stream sees it.
    """

    def __init__(self, age):
        self.account = Account()
        self.account.start(age)
        self.is_young = age < YOUNG
        self.world = self.account.world
        self.world.idle.clear()
        self.stored = []
        self.opens = list(OPENS[:12])
        self.batches = 0
        self.counting = None
        self.loses_response = False
        self.writing = set()  # checks that are about to store the pace
        self.world.dynamo.before_call = self._hold
        self.world.dynamo.after_write = self._see

    def _hold(self, operation, parameters):
        if operation == "update_item" and parameters["Key"]["part"]["S"] == PACE:
            self.writing.add(self.world.current)
        self.world._hold()

    def _see(self, _table, key):
        if key != ("spring", PACE):
            return
        found = pace_from_item(self.account.table.get(key))
        self.stored.append((found.version, found.content))
        if self.loses_response:
            self.loses_response = False
            raise AwsError("RequestTimeout", "no response")

    def count(self, number):
        """Start to count further opens, in the order of aggregate: parts, summary, position."""
        if self.counting in self.world.running:
            return
        self.opens[11] += number
        self.batches += 1
        self._start_to_count(sum(self.opens), self.opens[11], self.batches)

    def _start_to_count(self, total, newest, batch):
        def run():
            self._set(AGES, age_counter("unique_human_opens", 11), newest)
            self.world._hold()
            self._set(SUMMARY, "unique_human_opens", total)
            self.world._hold()
            self.world.process.stats_table.positions.put(
                "n-1", "shard-1", str(batch), created=int(self.world.now), campaigns={"spring"}
            )

        def done(*, succeeded):
            if not succeeded:  # the stream delivers the batch again
                self._start_to_count(total, newest, batch)

        self.counting = self.world._start("count", run, done)

    def _set(self, part, counter, value):
        old = self.account.table.get(("spring", part))
        version = {"N": str(int(old["v"]["N"]) + 1)}
        item = old | {ON_DISK[counter]: {"N": str(value)}, "v": version, "v2": version}
        self.account.table.put(("spring", part), item)

    def finish(self, invocation):
        while invocation in self.world.running:
            invocation.step()

    def reach_the_write(self, invocation):
        """Continue a check until it is about to store the pace."""
        while invocation in self.world.running and invocation not in self.writing:
            invocation.step()

    def finish_counting(self):
        while self.counting in self.world.running:
            self.counting.step()

    def start_check(self, number):
        """Start a check in one of the processes that wait, or in a new one."""
        idle = self.world.idle[self.world.deployed]
        if idle:
            idle.append(idle.pop(number % len(idle)))
        return self.world.watch()

    def check(self, number):
        """Check when it is due, while others are held."""
        self.world.now += 60 if self.is_young else 3600
        self.finish(self.start_check(number))
        assert not self.world.raised

    @property
    def expected(self):
        """What a process that has read nothing before computes from the counters."""
        process, computed = self.world.new_process(), []
        with (
            unhooked(self.world),
            patch.object(process.stats_table.paces, "get", lambda _: None),
            patch.object(process.stats_table.paces, "put", lambda *args: computed.append(args[1])),
        ):
            process.paces.update(process.stats_table.summary("spring"), self.account.now)
        return {**computed[0], "at": None}

    @property
    def shown(self):
        return {**pace_from_item(self.account.table.get(("spring", PACE))).content, "at": None}


steps = st.lists(
    st.one_of(
        st.tuples(st.sampled_from(["step", "step", "reach", "finish", "crash"]), st.integers(0, 3)),
        st.tuples(st.just("count"), st.integers(-3, 40)),
        st.tuples(st.sampled_from(["check", "check", "lose"]), st.integers(0, 3)),
        st.tuples(st.just("wait"), st.integers(1, 100)),
    ),
    min_size=15,
    max_size=60,
)


def run(checks, plan):
    """Perform the steps: checks run at once, crash, and lose responses."""
    world = checks.world
    for step, number in plan:
        running = world.running[number % len(world.running)] if world.running else None
        match step:
            case "step" if running:
                running.step()
            case "reach" if running:
                checks.reach_the_write(running)
            case "finish" if running:
                checks.finish(running)
            case "crash" if running:
                running.crash()
            case "count":
                checks.count(number)
            case "check" if len(world.running) < 4:
                checks.start_check(number)
            case "lose":
                checks.loses_response = True
            case "wait":
                world.now += number
    checks.finish_counting()
    checks.loses_response = False
    world.raised.clear()


@given(
    st.sampled_from([HALF_HOUR, timedelta(hours=30), timedelta(hours=60)]),
    steps,
    *[st.integers(0, 3)] * 2,
)
def test_a_check_stores_the_pace_of_the_final_counters(age, plan, first, second):
    """Whatever ran at once, crashed or lost a response before it.

    After 30 hours, a minute without events changes nothing, so that only what is stored shows it.
    """
    checks = Checks(age)
    run(checks, plan)
    late = list(checks.world.running)

    checks.check(first)

    assert checks.shown == checks.expected
    writes = len(checks.stored)
    for one in late:  # a check that continues late
        checks.finish(one)
    event(f"late checks: {len(late)}, late writes: {len(checks.stored) - writes}")
    checks.world.raised.clear()
    checks.check(second)
    assert checks.shown == checks.expected
    versions = [version for version, _ in checks.stored]
    assert versions == sorted(set(versions))


def crashing_at(call, *, after):
    """Return how many complete checks store a pace after one that crashed; None if it ended.

    Args:
        call: the call to AWS before which the check crashes.
        after: the number of complete checks before it.
    """
    account = Account()
    account.store("spring", account.now - HALF_HOUR, buckets=12)
    world = account.world

    def check(most=None):
        world.now += 60
        invocation, calls = world.watch(), 0
        while invocation in world.running and calls != most:
            invocation.step()
            calls += 1
        if invocation in world.running:
            invocation.crash()
            return False
        return True

    for _ in range(after):
        check()
    if check(call):
        return None
    for number in range(1, 9):
        check()
        if account.table.get(("spring", PACE)):
            return number
    raise AssertionError("no pace after eight checks")


@pytest.mark.parametrize(("after", "most"), [(0, 2), (1, 1)])
def test_after_a_crash_at_any_call_the_next_checks_store_a_pace(after, most):
    """The first check requests the directory of campaigns, and the second one builds it."""
    found = list(takewhile(lambda one: one is not None, crashes(after)))

    assert len(found) > 5
    assert max(found) == most


def crashes(after):
    return (crashing_at(call, after=after) for call in count())


def test_a_pace_is_computed_a_minute_after_the_campaigns_could_not_be_listed():
    account = Account()
    account.build_directory()
    account.store("spring", account.now - HALF_HOUR, buckets=12)
    account.restart()
    broken = AwsError("Throttling", "slow down")

    with (
        patch.object(account.process.stats_table.campaigns, "page", side_effect=broken),
        pytest.raises(PipelineFault),
    ):
        account.check()
    assert account.writes == 0

    account.check()
    assert account.writes == 1


def test_a_pace_of_a_later_moment_is_not_replaced():
    account = Account()
    account.start()
    table, later = account.process.stats_table, account.now + timedelta(seconds=1)

    with unhooked(account.world):
        assert table.paces.put("spring", {"campaigns": 3, "needed": 5}, later)
        assert not table.paces.put("spring", {"campaigns": 2, "needed": 5}, account.now)

    assert account.pace == {"version": 2, "campaigns": 3, "needed": 5}
